//! Which messages of each author were heard: a bounded memory, whatever the traffic.

use std::collections::BTreeMap;

use wire::NodeId;

/// What was heard of each author.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// When the last of each author was heard, counted in messages, and which were.
    windows: BTreeMap<NodeId, (u64, Window)>,
    count: u64,
}

impl Heard {
    /// Whether `seq` of `author` was heard, or is too old to tell.
    pub(crate) fn has(&self, author: NodeId, seq: u64) -> bool {
        self.windows.get(&author).is_some_and(|(_, window)| window.has(seq))
    }

    /// Marks `seq` of `author` as heard; false when it was already. Of `authors_max` authors at most it is known: the
    /// one that was silent longest is forgotten.
    pub(crate) fn is_new(&mut self, authors_max: usize, author: NodeId, seq: u64) -> bool {
        self.count += 1;
        let count = self.count;
        if let Some((last, window)) = self.windows.get_mut(&author) {
            *last = count;
            return window.insert(seq);
        }
        if self.windows.len() >= authors_max {
            let stalest = self.windows.iter().min_by_key(|(_, (last, _))| *last);
            if let Some(author) = stalest.map(|(author, _)| *author) {
                self.windows.remove(&author);
            }
        }
        self.windows.insert(author, (count, Window::beginning_with(seq)));
        true
    }
}

/// How many numbers behind the latest are told apart.
const SPAN: u64 = 1_024;

const WORDS: usize = (SPAN / 64) as usize;

/// The latest number and a bit for each of the [`SPAN`] up to it. What is older counts as heard.
#[derive(Clone, Debug)]
struct Window {
    latest: u64,
    bits: [u64; WORDS],
}

impl Window {
    /// A memory that begins with `seq`, and holds it. What came before is not held to be heard, as it may have been
    /// overtaken.
    fn beginning_with(seq: u64) -> Self {
        let mut window = Self { latest: seq, bits: [0; WORDS] };
        window.set(seq);
        window
    }

    /// Marks `seq` as heard; false when it was already.
    fn insert(&mut self, seq: u64) -> bool {
        if seq > self.latest {
            if seq - self.latest >= SPAN {
                self.bits = [0; WORDS];
            } else {
                (self.latest + 1..=seq).for_each(|seq| self.clear(seq));
            }
            self.latest = seq;
        } else if self.latest - seq >= SPAN || self.get(seq) {
            return false;
        }
        self.set(seq);
        true
    }

    fn has(&self, seq: u64) -> bool {
        seq <= self.latest && (self.latest - seq >= SPAN || self.get(seq))
    }

    fn get(&self, seq: u64) -> bool {
        self.bits[Self::word(seq)] >> (seq % 64) & 1 == 1
    }

    fn set(&mut self, seq: u64) {
        self.bits[Self::word(seq)] |= 1 << (seq % 64);
    }

    fn clear(&mut self, seq: u64) {
        self.bits[Self::word(seq)] &= !(1 << (seq % 64));
    }

    fn word(seq: u64) -> usize {
        (seq / 64) as usize % WORDS
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wire::{Dice, Seed};

    use super::*;

    #[test]
    fn it_agrees_with_a_set_that_forgets_nothing() {
        for story in 0..20 {
            let mut dice = Dice::new(Seed::story(story));
            let mut set = BTreeSet::from([5_000]);
            let mut window = Window::beginning_with(5_000);
            let mut latest = 5_000_u64;

            for _ in 0..5_000 {
                let reach = if dice.below(50) == 0 { 6_000 } else { 1_010 };
                let seq = latest - 1_000 + dice.below(reach);
                let is_new = latest.saturating_sub(seq) < SPAN && set.insert(seq);

                assert_eq!(window.has(seq), !is_new, "{seq} after {latest} in story {story}");
                assert_eq!(window.insert(seq), is_new, "{seq} after {latest} in story {story}");
                latest = latest.max(seq);
            }
        }
    }

    #[test]
    fn the_last_number_of_all_is_no_danger() {
        let mut window = Window::beginning_with(0);

        assert!(window.insert(u64::MAX));
        assert!(!window.insert(u64::MAX));
        assert!(!window.insert(0));
    }
}
