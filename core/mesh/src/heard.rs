//! Which messages of each author were heard: a bounded memory, whatever the traffic.
//!
//! A message is known by its hash, so whoever says another thing under the name and the number of somebody takes nothing
//! away from what that one says.

use std::collections::VecDeque;

use wire::NodeId;

use crate::frame::CastId;
use crate::pace::Pace;

/// How many messages of one author are remembered: more than it may say at once.
const REMEMBERED_MAX: usize = 256;

/// How many numbers of one author are remembered under which something was said that nobody could judge.
const DOUBTED_MAX: usize = 64;

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
    /// How fast it speaks, by what it was found to have said.
    pace: Pace,
    /// The hashes of what was heard lately, oldest first.
    hashes: VecDeque<u64>,
    /// The numbers of those of them that nobody could judge.
    doubted: VecDeque<u64>,
}

impl Heard {
    /// Whether that was heard, and not so long ago that it is forgotten.
    pub(crate) fn has(&self, id: CastId) -> bool {
        self.known(id.author).is_some_and(|known| known.hashes.contains(&number(id)))
    }

    fn known(&self, author: NodeId) -> Option<&Known> {
        self.places.get(&author).map(|at| &self.authors[*at])
    }

    /// How fast `author` speaks.
    pub(crate) fn pace(&self, author: NodeId) -> Pace {
        self.known(author).map_or_else(Pace::default, |known| known.pace)
    }

    /// The same, to be changed; `None` for whoever was not heard or is forgotten.
    pub(crate) fn pace_mut(&mut self, author: NodeId) -> Option<&mut Pace> {
        let at = *self.places.get(&author)?;
        Some(&mut self.authors[at].pace)
    }

    /// Whether nothing else that nobody could judge was said under that number; from now on something was.
    pub(crate) fn doubt(&mut self, author: NodeId, seq: u64) -> bool {
        let Some(at) = self.places.get(&author) else { return true };
        let doubted = &mut self.authors[*at].doubted;
        if doubted.contains(&seq) {
            return false;
        }
        if doubted.len() == DOUBTED_MAX {
            doubted.pop_front();
        }
        doubted.push_back(seq);
        true
    }

    /// Marks one as heard that was not. Of `authors_max` authors at most it is known what was heard: the one that was
    /// silent longest is forgotten.
    pub(crate) fn add(&mut self, authors_max: usize, id: CastId) {
        self.count += 1;
        let (last, next) = (self.count, self.authors.len());
        let at = match self.places.get(&id.author) {
            Some(at) => *at,
            None if next < authors_max => next,
            None => {
                let stalest = self.authors.iter().enumerate().min_by_key(|(_, known)| known.last);
                let at = stalest.map_or(0, |(at, _)| at);
                self.places.remove(&self.authors[at].author);
                at
            }
        };
        let is_known = self.authors.get(at).is_some_and(|known| known.author == id.author);
        if !is_known {
            let (author, pace, hashes) = (id.author, Pace::default(), VecDeque::new());
            let known = Known { author, last, pace, hashes, doubted: VecDeque::new() };
            match self.authors.get_mut(at) {
                Some(place) => *place = known,
                None => self.authors.push(known),
            }
            self.places.insert(author, at);
        }
        let known = &mut self.authors[at];
        known.last = last;
        if known.hashes.len() == REMEMBERED_MAX {
            known.hashes.pop_front();
        }
        known.hashes.push_back(number(id));
    }
}

/// Its hash, as what many are quickly compared with.
fn number(id: CastId) -> u64 {
    u64::from_le_bytes(id.hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(heard: &mut Heard, authors_max: usize, id: CastId) -> bool {
        let is_new = !heard.has(id);
        if is_new {
            heard.add(authors_max, id);
        }
        is_new
    }

    fn id(author: u64, seq: u64) -> CastId {
        CastId::of(NodeId(author), seq, b"hello")
    }

    #[test]
    fn each_is_heard_once_and_the_oldest_is_forgotten_first() {
        let mut heard = Heard::default();

        assert!((0..300).all(|seq| hear(&mut heard, 9, id(1, seq))));
        assert!((44..300).all(|seq| heard.has(id(1, seq)) && !hear(&mut heard, 9, id(1, seq))));
        assert!((0..44).all(|seq| !heard.has(id(1, seq))));
    }

    #[test]
    fn other_words_under_the_same_number_are_another_message() {
        let mut heard = Heard::default();
        assert!(hear(&mut heard, 9, id(1, 7)));

        assert!(hear(&mut heard, 9, CastId::of(NodeId(1), 7, b"hallo")));
        assert!(hear(&mut heard, 9, id(2, 7)));
    }

    #[test]
    fn of_too_many_authors_the_one_that_was_silent_longest_is_forgotten() {
        let mut heard = Heard::default();
        (1..=3).for_each(|author| assert!(hear(&mut heard, 3, id(author, 1))));
        assert!(hear(&mut heard, 3, id(1, 2)));

        assert!(hear(&mut heard, 3, id(4, 1)));

        assert_eq!([1, 2, 3, 4].map(|author| heard.has(id(author, 1))), [true, false, true, true]);
    }
}
