//! What one node has written: a map with a version, which only that node changes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde_json::Value;
use wire::{NodeId, Time};

use crate::stamp::Stamp;
use crate::words::{Gone, Name, Op, Part, What};
use crate::{Life, Path};

/// How many deletions are told one by one; older gaps are told by what is left. Guess: a minute of a lively meeting.
const UNSET_LOG_MAX: usize = 128;

/// One live write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) seq: u64,
    pub(crate) stamp: Stamp,
    pub(crate) born: Stamp,
    pub(crate) content: Content,
}

/// What a live write left there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Value { life: Life, value: Value, bytes: usize },
    Hidden,
}

impl Record {
    /// Bytes that count against the quota of an author.
    pub(crate) fn bytes(&self, path: &Path) -> usize {
        path.as_str().len()
            + match &self.content {
                Content::Value { bytes, .. } => *bytes,
                Content::Hidden => 0,
            }
    }

    /// Whether it made a resource, rather than changed one.
    pub(crate) fn is_creation(&self) -> bool {
        matches!(self.content, Content::Value { .. }) && self.born == self.stamp
    }

    /// As it goes over the wire.
    pub(crate) fn to_op(&self, author: NodeId, path: &Path) -> Op {
        let what = match &self.content {
            Content::Value { life, value, .. } => What::Set {
                life: *life,
                born: (self.born != self.stamp).then_some(self.born),
                json: value.to_string(),
            },
            Content::Hidden => What::Hide,
        };
        Op { seq: self.seq, stamp: self.stamp, name: Name::of(path, author, self.seq), what }
    }
}

/// The map of one author.
///
/// **Invariant:** `entries` is exactly what the author had live right after its write number `at`, but for what cannot
/// be seen when `pruned`, and but for a map that is at 0 and waits to be replaced.
#[derive(Debug, Default)]
pub(crate) struct Author {
    pub(crate) at: u64,
    entries: BTreeMap<Path, Record>,
    by_seq: BTreeMap<u64, Path>,
    /// Paths taken back, by the number of the write that did so; complete for numbers later than `unset_from`.
    unset: BTreeMap<u64, Path>,
    unset_from: u64,
    bytes: usize,
    /// Since when the author has been away, while its ephemeral entries are kept for its return.
    pub(crate) away_since: Option<Time>,
    /// Whether they have been dropped since.
    pub(crate) pruned: bool,
    /// Writes that came before their turn.
    pub(crate) early: BTreeMap<u64, (Path, Op)>,
}

impl Author {
    pub(crate) fn starting_at(at: u64) -> Self {
        Self { at, unset_from: at, ..Self::default() }
    }

    pub(crate) fn get(&self, path: &Path) -> Option<&Record> {
        self.entries.get(path)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Path, &Record)> {
        self.entries.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts a record in place of the one at `path`, or takes that away.
    pub(crate) fn put(&mut self, path: &Path, record: Option<Record>) {
        if let Some(record) = &record {
            self.bytes += record.bytes(path);
            self.by_seq.insert(record.seq, path.clone());
        }
        let old = match record {
            Some(record) => self.entries.insert(path.clone(), record),
            None => self.entries.remove(path),
        };
        if let Some(old) = old {
            self.bytes -= old.bytes(path);
            self.by_seq.remove(&old.seq);
        }
    }

    /// Remembers that write `seq` took `path` back.
    pub(crate) fn log_unset(&mut self, seq: u64, path: Path) {
        self.unset.insert(seq, path);
        while self.unset.len() > UNSET_LOG_MAX {
            if let Some((cut, _)) = self.unset.pop_first() {
                self.unset_from = cut;
            }
        }
    }

    /// What somebody lacks who is complete up to `from`.
    pub(crate) fn since(&self, author: NodeId, from: u64) -> Part {
        let live = self
            .by_seq
            .range((Bound::Excluded(from), Bound::Unbounded))
            .map(|(_, path)| self.entries[path].to_op(author, path))
            .collect();
        let gone = if from > 0 && from >= self.unset_from {
            let since = (Bound::Excluded(from), Bound::Unbounded);
            Gone::Log(self.unset.range(since).map(|(seq, path)| (*seq, path.clone())).collect())
        } else {
            Gone::AllBut(runs(self.by_seq.range(..=from).map(|(seq, _)| *seq)))
        };
        let pruned = self.pruned;
        Part { author, from, upto: self.at, live, gone, pruned, more: false }
    }

    /// The paths that `part` takes away here.
    pub(crate) fn dropped_by(&self, part: &Part) -> Vec<Path> {
        match &part.gone {
            Gone::Log(log) => log
                .iter()
                .filter(|(seq, path)| self.entries.get(path).is_some_and(|r| r.seq < *seq))
                .map(|(_, path)| path.clone())
                .collect(),
            Gone::AllBut(runs) => {
                let live: BTreeSet<u64> = part.live.iter().map(|op| op.seq).collect();
                let is_live = |seq: u64| live.contains(&seq) || runs_have(runs, seq);
                self.by_seq
                    .iter()
                    .filter(|(seq, _)| !is_live(**seq))
                    .map(|(_, path)| path.clone())
                    .collect()
            }
        }
    }

    /// Takes over the version and the log of deletions of a part whose entries are in place already.
    ///
    /// The deletions are handed on with it: whoever is served from here must drop what is dropped here, even what
    /// was made and taken back within the gap.
    pub(crate) fn advance(&mut self, upto: u64, gone: Gone) {
        match gone {
            Gone::Log(log) => {
                for (seq, path) in log {
                    if seq > self.at {
                        self.log_unset(seq, path);
                    }
                }
            }
            Gone::AllBut(_) => {
                self.unset.clear();
                self.unset_from = upto;
            }
        }
        self.at = upto;
        self.early = self.early.split_off(&(upto + 1));
    }
}

/// Ascending numbers as runs of `(first, length)`.
fn runs(seqs: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for seq in seqs {
        match runs.last_mut() {
            Some((first, length)) if *first + *length == seq => *length += 1,
            Some(_) | None => runs.push((seq, 1)),
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
        let runs = runs([1, 2, 3, 7, 9, 10].into_iter());

        assert_eq!(runs, [(1, 3), (7, 1), (9, 2)]);
        let held: Vec<u64> = (0..12).filter(|seq| runs_have(&runs, *seq)).collect();
        assert_eq!(held, [1, 2, 3, 7, 9, 10]);
    }
}
