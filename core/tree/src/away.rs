//! Presence: ephemeral entries that come and go with their author, and that are forgotten when it stays away.

use wire::{NodeId, Set, Time};

use crate::apply::Placed;
use crate::index::Hand;
use crate::order::by_key;
use crate::place::Key;
use crate::shelf::What;
use crate::stamp::Stamp;
use crate::{Notary, Root, Tree};

/// How often is looked for authors to forget, as a part of the time they are given.
const SWEEPS: u32 = 10;

impl<N: Notary> Tree<N> {
    /// From now on those who `came` are present, and those who `went` are not.
    pub(crate) fn on_present(&mut self, now: Time, came: &[NodeId], went: &[NodeId]) {
        let is_new = |node: &&NodeId| !self.present.contains(node);
        let is_known = |node: &&NodeId| self.present.contains(node) && **node != self.me;
        let turned = came.iter().filter(is_new).chain(went.iter().filter(is_known));
        let turned: Set<NodeId> = turned.copied().collect();
        let mut touched: Vec<(Stamp, NodeId, Key)> = Vec::new();
        for author in turned.iter() {
            let Some(map) = self.authors.get(author) else { continue };
            let records = map.passing.iter().filter(|record| record.what == What::Ephemeral);
            touched.extend(records.map(|record| (record.born, *author, record.key())));
        }
        let touched: Vec<(NodeId, Key)> =
            by_key(&touched, |(born, ..)| born.0).map(|(_, by, key)| (*by, key.clone())).collect();
        // Several of them may have written at one place, which changes once.
        let mut met: Set<&Key> = Set::new();
        let keys = touched.iter().map(|(_, key)| key).filter(|key| met.insert(*key));
        let before = self.look(keys.cloned());
        for node in turned.iter() {
            if !self.present.remove(node) {
                self.present.insert(*node);
            }
        }
        for (key, seen) in before {
            let author = touched.iter().find(|(_, other)| *other == key).map(|(by, _)| *by);
            self.tell_changes(vec![(key, seen)], author.unwrap_or(self.me));
        }
        for author in turned.iter() {
            self.note_away(now, *author);
            self.welcome_back(*author);
        }
    }

    /// Starts the time after which somebody who is away is forgotten, or stops it.
    pub(crate) fn note_away(&mut self, now: Time, author: NodeId) {
        let is_away = !self.present.contains(&author);
        let Some(map) = self.authors.get_mut(&author) else { return };
        if !is_away || map.pruned.is_some() || map.is_frozen() {
            map.away_since = None;
        } else {
            map.away_since.get_or_insert(now);
            self.sweep_at.get_or_insert(now + self.config.forget / SWEEPS);
        }
    }

    /// Drops what passed away with authors who have been away for long. Others may keep it still: nobody sees it.
    pub(crate) fn sweep(&mut self, now: Time) {
        if self.sweep_at.is_none_or(|at| now < at) {
            return;
        }
        let away =
            |since: Option<Time>| since.is_some_and(|since| now >= since + self.config.forget);
        let over = self.authors.iter().filter(|(_, map)| away(map.away_since));
        let over: Vec<NodeId> = over.map(|(author, _)| *author).collect();
        over.into_iter().for_each(|author| self.prune(author));
        let waiting = self.authors.values().any(|map| map.away_since.is_some());
        self.sweep_at = waiting.then(|| now + self.config.forget / SWEEPS);
    }

    fn prune(&mut self, author: NodeId) {
        let Some(map) = self.authors.get_mut(&author) else { return };
        map.away_since = None;
        // Without a notary nobody asks for the root.
        let is_signed = map.tag != 0;
        let root = if is_signed { map.passing.root(&self.lists) } else { Root::default() };
        map.pruned = Some(root);
        let doomed = map.passing.iter().map(|record| record.seq).collect();
        self.early.retain(|early| early.author != author);
        self.drop_records(author, doomed);
    }

    /// From now on nothing of `author` is seen.
    pub(crate) fn on_out(&mut self, author: NodeId) {
        if author == self.me || self.out.contains(&author) {
            return;
        }
        let records = self.authors.get(&author).map(|map| map.records().map(|record| record.seq));
        let hidden: Vec<u64> = records.into_iter().flatten().collect();
        let before = self.look_before(author, &hidden, &[]);
        self.out.insert(author);
        self.tell_changes(before, author);
    }

    /// Takes writes of `author` away without a word of its.
    pub(crate) fn drop_records(&mut self, author: NodeId, doomed: Vec<u64>) {
        let before = self.look_before(author, &doomed, &[]);
        let Some(map) = self.authors.get_mut(&author) else { return };
        let removed: Vec<Placed> =
            doomed.into_iter().filter_map(|seq| map.pull(seq, &self.lists)).collect();
        for (record, _) in &removed {
            self.index.pull(&record.key(), Hand { author, seq: record.seq });
        }
        self.tell_changes(before, author);
        removed.iter().for_each(|(record, _)| self.lists.release(record.list));
    }

    /// Whoever returns after having been forgotten is asked for whole: its number starts anew here, so that the
    /// digests differ. What of it is still seen stays until then.
    fn welcome_back(&mut self, author: NodeId) {
        let is_here = self.present.contains(&author);
        if is_here && self.authors.get(&author).is_some_and(|map| map.pruned.is_some()) {
            self.want_whole(author);
        }
    }

    /// Asks for the whole map of `author` from now on. Nothing older than what we had is taken.
    pub(crate) fn want_whole(&mut self, author: NodeId) {
        if let Some(map) = self.authors.get_mut(&author) {
            (map.at, map.tag) = (0, 0);
            map.pruned = None;
            self.remix(author);
        }
    }
}
