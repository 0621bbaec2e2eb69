//! What became of each broadcast: who heard it, how often, over how many hops, and when the last did.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wire::{NodeId, Time};

/// All broadcasts of a while: from when it is opened until it is closed.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    is_open: bool,
    casts: BTreeMap<(NodeId, u64), Tally>,
}

/// One broadcast.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// When its author sent it.
    pub sent: Time,
    /// When the last node heard it first.
    pub last: Time,
    /// How many copies arrived.
    pub copies: u32,
    /// Who heard it.
    pub heard: BTreeSet<usize>,
    /// How many hops each first copy took.
    pub hops: Vec<u8>,
    /// How long each first copy took.
    pub took: Vec<Duration>,
}

impl Ledger {
    pub(crate) fn open() -> Self {
        Self { is_open: true, casts: BTreeMap::new() }
    }

    /// What is on its way yet is still written down.
    pub(crate) fn close(&mut self) {
        self.is_open = false;
    }

    pub(crate) fn sent(&mut self, author: NodeId, seq: u64, now: Time) {
        if !self.is_open {
            return;
        }
        self.casts.entry((author, seq)).or_insert(Tally {
            sent: now,
            last: now,
            copies: 0,
            heard: BTreeSet::new(),
            hops: Vec::new(),
            took: Vec::new(),
        });
    }

    pub(crate) fn came(&mut self, author: NodeId, seq: u64, who: usize, hops: u8, now: Time) {
        // What was sent while the ledger was not open is not counted.
        let Some(tally) = self.casts.get_mut(&(author, seq)) else { return };
        tally.copies += 1;
        if tally.heard.insert(who) {
            tally.last = now;
            tally.hops.push(hops);
            tally.took.push(now - tally.sent);
        }
    }

    /// Each broadcast, with its author.
    pub fn casts(&self) -> impl Iterator<Item = (NodeId, &Tally)> {
        self.casts.iter().map(|((author, _), tally)| (*author, tally))
    }

    /// Copies received for each receiver, less one: zero for a perfect tree.
    #[must_use]
    pub fn redundancy(&self) -> f64 {
        let (copies, heard) = self.casts.values().fold((0, 0), |(copies, heard), tally| {
            (copies + u64::from(tally.copies), heard + tally.heard.len() as u64)
        });
        if heard == 0 { 0.0 } else { copies as f64 / heard as f64 - 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_copy_is_redundant_and_nothing_else() {
        let mut ledger = Ledger::open();
        let at = |millis| Time::ZERO + Duration::from_millis(millis);
        ledger.sent(NodeId(1), 7, at(100));
        ledger.came(NodeId(1), 7, 2, 1, at(150));
        ledger.came(NodeId(1), 7, 3, 2, at(190));
        ledger.came(NodeId(1), 7, 3, 3, at(400));
        ledger.came(NodeId(1), 6, 3, 3, at(400));

        let (_, tally) = ledger.casts().next().unwrap();

        assert_eq!((tally.copies, tally.heard.len(), tally.last), (3, 2, at(190)));
        assert_eq!(tally.hops, [1, 2]);
        assert_eq!(ledger.redundancy(), 0.5);
    }
}
