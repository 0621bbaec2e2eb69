//! Presence: ephemeral entries that come and go with their author, and that are forgotten when it stays away.

use std::collections::BTreeSet;

use wire::{NodeId, Time};

use crate::author::Content;
use crate::sync::mix;
use crate::{Life, Notary, Path, Tree, rules};

/// How often is looked for authors to forget, as a part of the time they are given.
const SWEEPS: u32 = 10;

impl<N: Notary> Tree<N> {
    /// From now on those who `came` are present, and those who `went` are not.
    pub(crate) fn on_present(&mut self, now: Time, came: &[NodeId], went: &[NodeId]) {
        let is_new = |node: &&NodeId| !self.present.contains(node);
        let is_known = |node: &&NodeId| self.present.contains(node);
        let turned = came.iter().filter(is_new).chain(went.iter().filter(is_known));
        let turned: BTreeSet<NodeId> = turned.copied().collect();
        let mut touched = Vec::new();
        for author in &turned {
            let Some(map) = self.authors.get(author) else { continue };
            for (path, record) in map.entries() {
                if let Content::Value { life: Life::Ephemeral, .. } = record.content {
                    touched.push((record.born, *author, path.clone(), self.seen(path)));
                }
            }
        }
        touched.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        self.present.extend(came);
        went.iter().for_each(|node| {
            self.present.remove(node);
        });
        for (_, author, path, before) in touched {
            self.tell_change(&path, before, author);
        }
        for author in turned {
            self.note_away(now, author);
            self.welcome_back(author);
        }
    }

    /// Starts the time after which somebody who is away is forgotten, or stops it.
    pub(crate) fn note_away(&mut self, now: Time, author: NodeId) {
        let is_away = !self.present.contains(&author);
        let Some(map) = self.authors.get_mut(&author) else { return };
        if !is_away || map.pruned {
            map.away_since = None;
        } else {
            map.away_since.get_or_insert(now);
            self.sweep_at.get_or_insert(now + self.config.forget / SWEEPS);
        }
    }

    /// Drops what died with authors who have been away for long. Others may keep it still: nobody sees it.
    pub(crate) fn sweep(&mut self, now: Time) {
        if self.sweep_at.is_none_or(|at| now < at) {
            return;
        }
        let away =
            |since: Option<Time>| since.is_some_and(|since| now >= since + self.config.forget);
        let over: Vec<NodeId> = self
            .authors
            .iter()
            .filter(|(_, map)| away(map.away_since))
            .map(|(author, _)| *author)
            .collect();
        for author in over {
            self.prune(author);
        }
        let waiting = self.authors.values().any(|map| map.away_since.is_some());
        self.sweep_at = waiting.then(|| now + self.config.forget / SWEEPS);
    }

    fn prune(&mut self, author: NodeId) {
        let Some(map) = self.authors.get_mut(&author) else { return };
        map.pruned = true;
        map.away_since = None;
        map.early.clear();
        let links = rules::links_of(author);
        let doomed: Vec<Path> = map
            .entries()
            .filter(|(path, record)| {
                **path == links
                    || matches!(record.content, Content::Value { life: Life::Ephemeral, .. })
            })
            .map(|(path, _)| path.clone())
            .collect();
        for path in doomed {
            self.change(author, &path, None);
        }
    }

    /// Whoever returns after having been forgotten is asked for whole: its number starts anew here, so that the
    /// digests differ. What of it is still seen stays until then.
    fn welcome_back(&mut self, author: NodeId) {
        let is_here = self.present.contains(&author);
        if let Some(map) = self.authors.get_mut(&author)
            && is_here
            && map.pruned
        {
            self.digest ^= mix(author, map.at);
            map.at = 0;
            map.pruned = false;
        }
    }
}
