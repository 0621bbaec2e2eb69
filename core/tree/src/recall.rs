//! Who lost its memory, as a page does when it is reloaded, takes up from others what it wrote before.
//!
//! ```text
//!   us, fresh                          a neighbour
//!     Have (alone)  ─────────────────▶   has our map as it was at 40
//!     ◀─────────────────  Have (us at 40)        we wait, and tell it nothing of our own yet
//!     ◀─────────────────  Delta (us, whole)      we take up what outlives us, and go on from 40
//!     Part (from 40) ────────────────▶   …to all
//! ```

use wire::{Map, NodeId, Time};

use crate::author::Author;
use crate::index::Hand;
use crate::order::sorted;
use crate::place::Key;
use crate::words::Part;
use crate::{Claim, Error, Notary, Tree, rules};

impl<N: Notary> Tree<N> {
    /// Whether `peer`, which has something else of us than we have, is about to tell us: it does when we said to it that
    /// we know nothing. Only from that neighbour we keep what we have written since: if it lies, it harms itself.
    pub(crate) fn will_recall(&mut self, peer: NodeId, theirs: (u64, u32)) -> bool {
        if self.is_told_by(peer) && theirs.0 > 0 && theirs != self.own().head() {
            self.recalling.get_or_insert(peer);
        }
        self.recalling == Some(peer)
    }

    /// Whether a neighbour is to tell us everything, as one who knows nothing.
    fn is_told_by(&self, peer: NodeId) -> bool {
        !self.is_ready && self.sessions.get(&peer).is_some_and(|session| session.said_alone)
    }

    /// A neighbour tells what we wrote in a life that we do not remember.
    pub(crate) fn on_past(
        &mut self,
        now: Time,
        peer: NodeId,
        part: &Part<'_>,
    ) -> Result<(), Error> {
        // From numbers so high nobody could go on. Who tells of them may have believed somebody else, where nothing is
        // proved.
        if !self.is_told_by(peer) || part.from != 0 || part.upto >= rules::NUMBER_MAX / 2 {
            return Ok(());
        }
        let mut past = Author::default();
        for (record, passes) in self.read_part(now, peer, part, 0)? {
            past.put(record, passes, &mut self.lists);
        }
        past.pruned = part.pruned;
        let lists = &self.lists;
        let mut roots = || past.roots(lists);
        let mut claim = Claim::new(self.me, part.upto, &mut roots);
        if !self.notary.check(&mut claim, part.proof.as_ref()) {
            past.records().for_each(|record| self.lists.release(record.list));
            let what = "a map of ours that we did not state";
            return Err(Error::PeerMisbehaved { peer, what });
        }
        self.recalling = None;
        self.take_up(now, part.upto, past);
        Ok(())
    }

    /// Goes on from `upto` with what outlives us of the past, and with what we have written since.
    fn take_up(&mut self, now: Time, upto: u64, mut past: Author) {
        if self.own().at <= upto {
            self.rewrite(now, upto);
        }
        let me = self.me;
        let seqs: Vec<u64> = past.records().map(|record| record.seq).collect();
        let mut kept: Vec<Key> = Vec::new();
        for seq in sorted(&seqs) {
            let Some((mut record, passes)) = past.pull(seq, &self.lists) else { continue };
            let (key, list) = (record.key(), record.list);
            // What passes away with us has done so, and what we have written since stands.
            let is_kept = !passes
                && self.index.seq_of(&key, me).is_none()
                && self.has_room(record.row, record.bytes(&self.lists));
            if is_kept {
                let before = self.look(std::iter::once(key.clone()));
                self.clock.hear(record.stamp);
                let own = self.authors.get_mut(&me).expect("we are an author from the start");
                // Somebody may have more of the past than we were told, and have replaced this since. A proof would show
                // that; without one it is told to all again, under a number of its own.
                if own.tag == 0 {
                    own.at += 1;
                    record.seq = own.at;
                }
                let hand = Hand { author: me, seq: record.seq };
                own.put(record, false, &mut self.lists);
                self.index.put(key.clone(), hand);
                self.tell_changes(before, me);
                kept.push(key);
            }
            self.lists.release(list);
        }
        let own = self.authors.get_mut(&me).expect("we are an author from the start");
        // A number of its own, since another map may have been stated under the last one.
        own.at = own.at.max(upto) + 1;
        own.floor = own.at;
        // Others may have more of the past than we were told, so they hear what is left of it, not what is gone.
        own.cut_log(own.at);
        (self.cast_from, self.sealed_at, self.has_written) = (upto, 0, true);
        self.replaced = Map::new();
        for key in kept {
            if let Some((top, _)) = self.top(&key) {
                self.yield_to(now, top, &key);
            }
        }
    }

    /// Whether one more entry fits into our quota.
    fn has_room(&self, row: u8, bytes: usize) -> bool {
        let (own, line) = (self.own(), &self.config.rules.rows()[usize::from(row)]);
        own.len() < self.config.entries_max
            && own.bytes + bytes <= self.config.author_bytes_max
            && own.count(row) < line.entries_max
    }
}
