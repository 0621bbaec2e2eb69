//! Taking in what others wrote: checked whole, then changed, or not changed at all.

use wire::{NodeId, Set, Time};

use crate::author::Author;
use crate::fork::{self, Seal};
use crate::index::Hand;
use crate::place::Name;
use crate::shelf::Record;
use crate::words::Part;
use crate::{Claim, Error, Notary, Root, Tree, rules};

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It holds nothing that we lack, or nothing that we can use yet.
    Nothing,
    /// All of it is in place.
    All,
    /// Its author has not written this, or not after what we have of it.
    Unproved,
}

/// A record and whether it passes away with its author.
pub(crate) type Placed = (Record, bool);

/// What an exchange of records needs to be undone.
struct Undo {
    removed: Vec<Placed>,
    pruned: Option<Root>,
}

impl<N: Notary> Tree<N> {
    /// Takes in what we lack of one author. What is refused changes nothing.
    pub(crate) fn on_part(
        &mut self,
        now: Time,
        teller: NodeId,
        part: &Part<'_>,
    ) -> Result<Taken, Error> {
        let author = part.author;
        let map = self.authors.get(&author);
        let (at, floor) = map.map_or((0, 0), |map| (map.at, map.floor));
        let is_stale = part.upto <= at || part.upto < floor || part.from > at;
        if author == self.me || is_stale || map.is_some_and(|map| map.is_frozen()) {
            return Ok(Taken::Nothing);
        }
        let is_pruned = map.is_some_and(|map| map.pruned.is_some());
        // Whoever is back is to be had whole.
        if part.pruned.is_some() && self.present.contains(&author) {
            return Ok(Taken::Nothing);
        }
        if is_pruned && part.pruned.is_none() && part.from > 0 {
            self.want_whole(author);
            return Ok(Taken::Nothing);
        }
        if part.upto > rules::NUMBER_MAX {
            return Err(Error::PeerMisbehaved { peer: teller, what: "a number too high" });
        }
        if !self.notary.knows(author) {
            self.meet_stranger(author, teller);
            return Ok(Taken::Nothing);
        }
        // A whole map stands for itself, whatever we had.
        let known = if part.from == 0 { 0 } else { at };
        // It changes what we have replaced already, or never had: digests tell.
        if !part.fits(map.map(|map| &**map), known) {
            return Ok(Taken::Nothing);
        }
        if map.is_none() {
            if self.authors.len() >= self.config.authors_max {
                return Err(Error::Limit("the number of authors"));
            }
            self.authors.insert(author, Box::default());
        }
        let fresh = self.read_part(now, teller, part, known)?;
        if is_twofold(&fresh) {
            fresh.iter().for_each(|(record, _)| self.lists.sweep(record.list));
            return Err(Error::PeerMisbehaved { peer: teller, what: "two writes at one place" });
        }
        self.swap(now, part, known, fresh)
    }

    /// Puts `fresh` in place of what the part takes away; all of it, or nothing when the author's word does not fit or
    /// its quota is over.
    fn swap(
        &mut self,
        now: Time,
        part: &Part<'_>,
        known: u64,
        fresh: Vec<Placed>,
    ) -> Result<Taken, Error> {
        let author = part.author;
        let latest = fresh.iter().map(|(record, _)| record.stamp).max();
        let mut dropped = self.map(author).dropped_by(part);
        for (record, _) in &fresh {
            // Nothing can be at the name that a write gives itself.
            if record.name != Name::Added(author, record.seq) {
                dropped.extend(self.index.seq_of(&record.key(), author));
            }
        }
        let before = self.look_before(author, &dropped, &fresh);
        let undo = self.exchange(author, dropped, fresh, part.pruned);
        let stated = match self.vouch(part, known) {
            Ok(Some(stated)) => stated,
            refused => {
                self.undo(part, known, undo);
                return refused.map(|_| Taken::Unproved);
            }
        };
        let map = self.authors.get(&author).expect("an author is made before its first part");
        let mut shared = Vec::new();
        for record in part.fresh(known).filter_map(|seq| map.get(seq)) {
            if self.index.put(record.key(), Hand { author, seq: record.seq }) {
                shared.push(record.key());
            }
        }
        // A whole map may bring back what it took away; of an author who contradicts itself, under another name.
        let is_back = |old: &Record| map.get(old.seq).is_some_and(|new| new.key() == old.key());
        for (record, _) in undo.removed.iter().filter(|(record, _)| !is_back(record)) {
            self.index.pull(&record.key(), Hand { author, seq: record.seq });
        }
        self.advance(now, part, &undo.removed, stated);
        latest.into_iter().for_each(|stamp| self.clock.hear(stamp));
        self.tell_changes(before, author);
        undo.removed.iter().for_each(|(record, _)| self.lists.release(record.list));
        shared.iter().for_each(|key| self.yield_to(now, author, key));
        Ok(Taken::All)
    }

    fn map(&self, author: NodeId) -> &Author {
        self.authors.get(&author).expect("an author is made before its first part")
    }

    fn exchange(
        &mut self,
        author: NodeId,
        dropped: Vec<u64>,
        fresh: Vec<Placed>,
        pruned: Option<Root>,
    ) -> Undo {
        let map = self.authors.get_mut(&author).expect("an author is made before its first part");
        let removed = dropped.into_iter().filter_map(|seq| map.pull(seq, &self.lists)).collect();
        let pruned = std::mem::replace(&mut map.pruned, pruned);
        for (record, passes) in fresh {
            map.put(record, passes, &mut self.lists);
        }
        Undo { removed, pruned }
    }

    fn undo(&mut self, part: &Part<'_>, known: u64, undo: Undo) {
        let map = self.authors.get_mut(&part.author);
        let map = map.expect("an author is made before its first part");
        map.pruned = undo.pruned;
        for seq in part.fresh(known) {
            if let Some((record, _)) = map.pull(seq, &self.lists) {
                self.lists.release(record.list);
            }
        }
        for (record, passes) in undo.removed {
            // It was never released, so it is counted twice now.
            let list = record.list;
            map.put(record, passes, &mut self.lists);
            self.lists.release(list);
        }
    }

    /// Whether the author is within its quota and has stated what its map has become; `None` when it has not. Gives
    /// the roots, if the notary wanted them.
    fn vouch(
        &mut self,
        part: &Part<'_>,
        known: u64,
    ) -> Result<Option<Option<(Root, Root)>>, Error> {
        let map = self.authors.get_mut(&part.author);
        let map = map.expect("an author is made before its first part");
        let rows = part.fresh(known).filter_map(|seq| map.get(seq)).map(|record| record.row);
        self.config.check_quota(map, rows)?;
        let mut stated = None;
        let lists = &self.lists;
        let mut roots = || *stated.get_or_insert_with(|| map.roots(lists));
        let mut claim = Claim::new(part.author, part.upto, &mut roots);
        let is_valid = self.notary.check(&mut claim, part.proof.as_ref());
        Ok(is_valid.then_some(stated))
    }

    /// Takes over the number of a part whose records are in place, and remembers what is gone.
    ///
    /// That is handed on with it: whoever is served from here must drop what is dropped here, even what was made and
    /// taken back within the gap.
    fn advance(
        &mut self,
        now: Time,
        part: &Part<'_>,
        removed: &[Placed],
        stated: Option<(Root, Root)>,
    ) {
        let (author, max) = (part.author, self.config.gone_max);
        let map = self.authors.get_mut(&author).expect("an author is made before its first part");
        if part.from == 0 {
            map.cut_log(part.upto);
        } else {
            removed.iter().for_each(|(record, _)| map.log_gone(part.upto, record.seq, max));
            map.log_gap(map.at, part.upto, &part.live, max);
        }
        (map.at, map.floor) = (part.upto, part.upto);
        if let (Some(roots), Some(proof)) = (stated, part.proof) {
            map.keep_seal(Seal { seq: part.upto, roots, proof }, self.config.seals_max);
        }
        map.tag = stated.as_ref().map_or(0, fork::tag);
        self.remix(author);
        self.note_away(now, author);
    }
}

/// Whether two of these are at one place.
fn is_twofold(fresh: &[Placed]) -> bool {
    if fresh.len() < 2 {
        return false;
    }
    let places: Set<_> = fresh.iter().map(|(record, _)| (record.list, &record.name)).collect();
    places.len() < fresh.len()
}

#[cfg(test)]
mod tests;
