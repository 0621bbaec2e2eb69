//! What one node has written: a map with a version, which only that node changes.

use std::collections::VecDeque;

use wire::{NodeId, Time};

use crate::fork::{Fork, Seal};
use crate::order::sorted;
use crate::place::Lists;
use crate::shelf::{Record, Shelf};
use crate::words::{Gone, Op, Part};
use crate::{Root, rules};

/// What one author's writes come to.
///
/// **Invariant:** the shelves hold exactly what the author had live right after its write number `at`, but for what
/// passes away with it when that has been `pruned`, and but for a map that is at 0 and waits to be replaced.
#[derive(Debug, Default)]
pub(crate) struct Author {
    pub(crate) at: u64,
    /// The highest number ever reached; less is never taken again.
    pub(crate) floor: u64,
    /// What outlives the author.
    pub(crate) lasting: Shelf,
    /// What passes away with it.
    pub(crate) passing: Shelf,
    /// The root of what passed away, when it has been dropped here.
    pub(crate) pruned: Option<Root>,
    /// Writes that are no longer live, each with the number of the write that did so or of a later one; complete for
    /// those that were live after `gone_from`.
    gone: VecDeque<(u64, u64)>,
    gone_from: u64,
    /// The bytes of paths and values.
    pub(crate) bytes: usize,
    /// How many live entries each row of the rules let in.
    counts: Vec<u32>,
    /// Since when the author has been away, while what passes with it is kept for its return.
    pub(crate) away_since: Option<Time>,
    /// What it has stated lately, oldest first; the last is about `at`.
    pub(crate) seals: VecDeque<Seal>,
    /// A few bits of the newest root, by which two nodes see that they have different maps; 0 without a notary.
    pub(crate) tag: u32,
    /// Its share of the digest of the tree.
    pub(crate) mixed: u32,
    /// The proof that it has said two different things, if it did. Nothing else is kept of it then.
    pub(crate) frozen: Option<Box<Fork>>,
}

impl Author {
    pub(crate) fn starting_at(at: u64) -> Self {
        Self { at, floor: at, gone_from: at, ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.lasting.len() + self.passing.len()
    }

    pub(crate) fn get(&self, seq: u64) -> Option<&Record> {
        self.lasting.get(seq).or_else(|| self.passing.get(seq))
    }

    /// All live writes, those that outlive the author first.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.lasting.iter().chain(self.passing.iter())
    }

    /// How many entries there are that `row` of the rules let in.
    pub(crate) fn count(&self, row: u8) -> u32 {
        self.counts.get(usize::from(row)).copied().unwrap_or(0)
    }

    pub(crate) fn put(&mut self, record: Record, passes: bool, lists: &mut Lists) {
        lists.take(record.list);
        self.bytes += record.bytes(lists);
        let row = usize::from(record.row);
        if self.counts.len() <= row {
            self.counts.resize(row + 1, 0);
        }
        self.counts[row] += 1;
        if passes { self.passing.insert(record) } else { self.lasting.insert(record) }
    }

    /// Takes write `seq` out, and tells whether it would have passed away with the author. Its list is not released
    /// yet, so that the name can still be told.
    pub(crate) fn pull(&mut self, seq: u64, lists: &Lists) -> Option<(Record, bool)> {
        let found = self.lasting.remove(seq).map(|record| (record, false));
        let found = found.or_else(|| self.passing.remove(seq).map(|record| (record, true)))?;
        self.bytes -= found.0.bytes(lists);
        self.counts[usize::from(found.0.row)] -= 1;
        Some(found)
    }

    /// Remembers that `seq` is no longer live, by write `by` or one before it.
    pub(crate) fn log_gone(&mut self, by: u64, seq: u64, max: usize) {
        self.gone.push_back((by, seq));
        while self.gone.len() > max {
            if let Some((cut, _)) = self.gone.pop_front() {
                self.gone_from = cut;
            }
        }
    }

    /// Forgets what is gone: whoever lacks anything older than `from` is told what is left instead.
    pub(crate) fn cut_log(&mut self, from: u64) {
        self.gone.clear();
        self.gone_from = from;
    }

    /// Remembers that of the numbers above `from`, up to `upto`, only those in `live` are live.
    pub(crate) fn log_gap(&mut self, from: u64, upto: u64, live: &[Op<'_>], max: usize) {
        if upto - from > (max + live.len()) as u64 {
            return self.cut_log(upto);
        }
        let mut live = live.iter().map(|op| op.seq).peekable();
        for seq in from + 1..=upto {
            while live.next_if(|next| *next < seq).is_some() {}
            // What the write to `upto` left is live or was never anything else.
            if live.peek() != Some(&seq) && seq < upto {
                self.log_gone(upto, seq, max);
            }
        }
    }

    /// What somebody lacks who is complete up to `from`.
    pub(crate) fn since<'a>(&'a self, author: NodeId, from: u64, lists: &'a Lists) -> Part<'a> {
        let mut live: Vec<Op<'_>> = Vec::new();
        let mut passing = self.passing.after(from).peekable();
        let op = |record| Op::of(record, author, lists);
        for record in self.lasting.after(from) {
            while let Some(earlier) = passing.next_if(|passing| passing.seq < record.seq) {
                live.push(op(earlier));
            }
            live.push(op(record));
        }
        live.extend(passing.map(op));
        let gone = if from >= self.gone_from || from == 0 {
            let first = self.gone.partition_point(|(by, _)| *by <= from);
            let since = self.gone.range(first..).filter(|(_, seq)| *seq <= from);
            let mut seqs = sorted(&since.map(|(_, seq)| *seq).collect::<Vec<u64>>());
            seqs.dedup();
            Gone::Numbers(seqs)
        } else {
            let kept = self.records().map(|record| record.seq).filter(|seq| *seq <= from);
            Gone::AllBut(runs(&sorted(&kept.collect::<Vec<u64>>())))
        };
        let proof = self.seals.back().filter(|seal| seal.seq == self.at).map(|seal| seal.proof);
        Part { author, from, upto: self.at, live, gone, pruned: self.pruned, proof, more: false }
    }

    /// The numbers of live writes that `part` takes away.
    pub(crate) fn dropped_by(&self, part: &Part<'_>) -> Vec<u64> {
        if part.from == 0 {
            return self.records().map(|record| record.seq).collect();
        }
        let mut dropped: Vec<u64> = Vec::new();
        match &part.gone {
            Gone::Numbers(seqs) => {
                dropped.extend(seqs.iter().filter(|seq| self.get(**seq).is_some()));
            }
            Gone::AllBut(runs) => {
                let old = self.records().map(|record| record.seq).filter(|seq| *seq <= part.from);
                dropped.extend(old.filter(|seq| !runs_have(runs, *seq)));
            }
        }
        // Ours may go further than the part begins: what it does not name as live is gone.
        if part.from == self.at && part.pruned.is_none() {
            return dropped;
        }
        let is_live = |seq: u64| part.live.binary_search_by_key(&seq, |op| op.seq).is_ok();
        let later = self.lasting.after(part.from).chain(self.passing.after(part.from));
        dropped.extend(later.map(|record| record.seq).filter(|seq| !is_live(*seq)));
        if part.pruned.is_some() {
            dropped.extend(self.passing.iter().map(|record| record.seq));
            dropped = sorted(&dropped);
            dropped.dedup();
        }
        dropped
    }

    /// The roots of what outlives the author and of what does not.
    pub(crate) fn roots(&mut self, lists: &Lists) -> (Root, Root) {
        let passing = self.pruned.unwrap_or_else(|| self.passing.root(lists));
        (self.lasting.root(lists), passing)
    }

    /// Keeps what the author has stated, and forgets what it stated long before.
    pub(crate) fn keep_seal(&mut self, seal: Seal, max: usize) {
        while self.seals.len() >= max {
            self.seals.pop_front();
        }
        // Of most authors there are a few: they would take up as much room again if it doubled.
        self.seals.reserve_exact(1);
        self.seals.push_back(seal);
    }

    /// Whether the author has been proved to have contradicted itself.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// What others are told of how much there is: its number and its tag.
    pub(crate) fn head(&self) -> (u64, u32) {
        if self.is_frozen() { (rules::FROZEN, 0) } else { (self.at, self.tag) }
    }

    /// The highest number that ever was, and the tag.
    pub(crate) fn reached(&self) -> (u64, u32) {
        let (at, tag) = self.head();
        (at.max(self.floor), tag)
    }
}

/// Ascending numbers as runs of `(first, length)`.
fn runs(seqs: &[u64]) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for seq in seqs {
        match runs.last_mut() {
            Some((first, length)) if *first + *length == *seq => *length += 1,
            Some(_) | None => runs.push((*seq, 1)),
        }
    }
    runs
}

fn runs_have(runs: &[(u64, u64)], seq: u64) -> bool {
    let after = runs.partition_point(|(first, _)| *first <= seq);
    after > 0 && seq - runs[after - 1].0 < runs[after - 1].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_hold_what_went_in() {
        let runs = runs(&[1, 2, 3, 7, 9, 10]);

        assert_eq!(runs, [(1, 3), (7, 1), (9, 2)]);
        let held: Vec<u64> = (0..12).filter(|seq| runs_have(&runs, *seq)).collect();
        assert_eq!(held, [1, 2, 3, 7, 9, 10]);
    }
}
