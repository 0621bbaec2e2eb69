//! Which messages of each author were heard: a bounded memory, whatever the traffic.

use wire::NodeId;

use crate::frame::CastId;
use crate::pace::Pace;

/// What was heard of each author.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// Where in `authors` each is.
    places: wire::Map<NodeId, usize>,
    authors: Vec<Known>,
    count: u64,
}

/// What was heard of one author.
#[derive(Clone, Debug)]
struct Known {
    author: NodeId,
    /// When the last was heard, counted in messages.
    last: u64,
    pace: Pace,
    window: Window,
}

impl Heard {
    /// Whether that cast was heard, or is too old to tell.
    pub(crate) fn has(&self, id: CastId) -> bool {
        let place = self.places.get(&id.author);
        place.is_some_and(|at| self.authors[*at].window.has(id.seq))
    }

    /// Marks it as heard, unless it was already or `allows` finds that its author is too fast. Of `authors_max`
    /// authors at most it is known: the one that was silent longest is forgotten.
    pub(crate) fn hear(
        &mut self,
        authors_max: usize,
        id: CastId,
        allows: impl FnOnce(&mut Pace) -> bool,
    ) -> bool {
        self.count += 1;
        if let Some(at) = self.places.get(&id.author) {
            let known = &mut self.authors[*at];
            known.last = self.count;
            return !known.window.has(id.seq)
                && allows(&mut known.pace)
                && known.window.insert(id.seq);
        }
        let mut pace = Pace::default();
        if !allows(&mut pace) {
            return false;
        }
        let window = Window::beginning_with(id.seq);
        let known = Known { author: id.author, last: self.count, pace, window };
        let stalest = self.authors.iter().enumerate().min_by_key(|(_, known)| known.last);
        let at = match stalest {
            Some((at, stalest)) if self.authors.len() >= authors_max => {
                self.places.remove(&stalest.author);
                self.authors[at] = known;
                at
            }
            Some(_) | None => {
                self.authors.push(known);
                self.authors.len() - 1
            }
        };
        self.places.insert(id.author, at);
        true
    }

    /// Marks `seq` of `author` as heard, however fast it comes; false when it was already.
    pub(crate) fn is_new(&mut self, authors_max: usize, author: NodeId, seq: u64) -> bool {
        self.hear(authors_max, CastId { author, seq }, |_| true)
    }
}

/// How many numbers behind the latest are told apart: more than an author may say at once.
const SPAN: u64 = 256;

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
                let reach = if dice.below(50) == 0 { 1_500 } else { 260 };
                let seq = latest - 250 + dice.below(reach);
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
