//! Copies of one message to several devices of a user, none of which could take it at once.

use std::collections::BTreeMap;

/// What a sender is owed when a letter is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    /// Nothing: another copy has gone out, or it was our own word.
    Nothing,
    /// To hear of it.
    Word,
    /// To hear of it when all copies are lost.
    Copy(CopyId),
}

/// What copies of the same message have in common; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CopyId(u64);

/// **Invariant:** a message stands here while copies of it wait and none was handed over.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    waiting: BTreeMap<CopyId, usize>,
    next: u64,
}

impl Copies {
    /// That many copies will wait.
    pub(crate) fn begin(&mut self, count: usize) -> CopyId {
        let id = CopyId(self.next);
        self.next += 1;
        self.waiting.insert(id, count);
        id
    }

    /// One was handed over, so nobody minds about the others.
    pub(crate) fn arrive(&mut self, id: CopyId) {
        self.waiting.remove(&id);
    }

    /// One is lost. Whether it was the last, and none has arrived.
    pub(crate) fn lose(&mut self, id: CopyId) -> bool {
        let Some(count) = self.waiting.get_mut(&id) else { return false };
        *count -= 1;
        if *count > 0 {
            return false;
        }
        self.waiting.remove(&id);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_loss_counts_unless_one_has_arrived() {
        let mut copies = Copies::default();
        let (one, other) = (copies.begin(2), copies.begin(2));

        assert!(!copies.lose(one));
        copies.arrive(other);

        assert!(copies.lose(one));
        assert!(!copies.lose(other));
        assert!(copies.waiting.is_empty());
    }
}
