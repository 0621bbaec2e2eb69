//! Which authors have a live write at which place.

use std::collections::BTreeMap;
use std::{mem, slice};

use wire::NodeId;

use crate::place::{Key, ListId, Name};

/// A live write of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hand {
    pub(crate) author: NodeId,
    pub(crate) seq: u64,
}

/// So many places may be empty before they are dropped, even where they are most of all.
const EMPTY_MAX: usize = 64;

/// Those at one place: nearly always a single one.
#[derive(Debug)]
enum Hands {
    One(Hand),
    Many(Vec<Hand>),
}

impl Hands {
    fn as_slice(&self) -> &[Hand] {
        match self {
            Self::One(hand) => slice::from_ref(hand),
            Self::Many(hands) => hands,
        }
    }
}

/// All places that anybody wrote at, by list and name.
///
/// Places that have become empty stay for a while and are dropped together: what takes one out of a map and keeps the map
/// in balance is kilobytes that each phone would load.
#[derive(Debug, Default)]
pub(crate) struct Index {
    places: BTreeMap<Key, Hands>,
    empty: usize,
}

impl Index {
    pub(crate) fn hands(&self, key: &Key) -> &[Hand] {
        self.places.get(key).map_or(&[], Hands::as_slice)
    }

    /// The number of the live write of `author` at `key`.
    pub(crate) fn seq_of(&self, key: &Key, author: NodeId) -> Option<u64> {
        self.hands(key).iter().find(|hand| hand.author == author).map(|hand| hand.seq)
    }

    /// Notes that `hand` is what its author has at `key` now. True when others have something there too.
    pub(crate) fn put(&mut self, key: Key, hand: Hand) -> bool {
        let mut is_shared = false;
        let (hands, empty) = (self.places.entry(key), &mut self.empty);
        hands
            .and_modify(|hands| match hands {
                Hands::One(one) if one.author == hand.author => *one = hand,
                Hands::One(one) => {
                    *hands = Hands::Many(vec![*one, hand]);
                    is_shared = true;
                }
                Hands::Many(many) => {
                    *empty -= usize::from(many.is_empty());
                    many.retain(|other| other.author != hand.author);
                    many.push(hand);
                    is_shared = many.len() > 1;
                }
            })
            .or_insert(Hands::One(hand));
        is_shared
    }

    /// Forgets a live write, unless another of the same author is there meanwhile.
    pub(crate) fn pull(&mut self, key: &Key, gone: Hand) {
        let Some(hands) = self.places.get_mut(key) else { return };
        match hands {
            Hands::One(one) if *one == gone => *hands = Hands::Many(Vec::new()),
            Hands::Many(many) if !many.is_empty() => many.retain(|hand| *hand != gone),
            Hands::One(_) | Hands::Many(_) => return,
        }
        self.empty += usize::from(hands.as_slice().is_empty());
        if self.empty > EMPTY_MAX.max(self.places.len() / 2) {
            self.empty = 0;
            for (key, hands) in mem::take(&mut self.places) {
                if !hands.as_slice().is_empty() {
                    self.places.insert(key, hands);
                }
            }
        }
    }

    /// The places in a list: added names first, by author and number, then the others by their text.
    pub(crate) fn in_list(&self, list: ListId) -> impl Iterator<Item = (&Key, &[Hand])> {
        let first = Key { list, name: Name::Added(NodeId(0), 0) };
        let places = self.places.range(first..).take_while(move |(key, _)| key.list == list);
        let held = places.map(|(key, hands)| (key, hands.as_slice()));
        held.filter(|(_, hands)| !hands.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;
    use crate::watch::Watches;

    #[test]
    fn several_may_have_something_at_one_place() {
        let mut lists = crate::place::Lists::default();
        let list = lists.intern("users", &Rules::default(), &Watches::default()).unwrap();
        let key = Key { list, name: Name::of("ann") };
        let hand = |author, seq| Hand { author: NodeId(author), seq };
        let mut index = Index::default();

        assert!(!index.put(key.clone(), hand(1, 7)));
        assert!(index.put(key.clone(), hand(2, 3)));
        assert!(index.put(key.clone(), hand(1, 8)));

        assert_eq!(index.hands(&key), [hand(2, 3), hand(1, 8)]);
        assert_eq!(index.seq_of(&key, NodeId(1)), Some(8));
        index.pull(&key, hand(1, 7));
        index.pull(&key, hand(2, 3));
        index.pull(&key, hand(2, 3));
        assert_eq!(index.in_list(list).count(), 1);
        index.pull(&key, hand(1, 8));
        assert_eq!(index.in_list(list).count(), 0);
    }

    #[test]
    fn empty_places_do_not_pile_up() {
        let mut lists = crate::place::Lists::default();
        let list = lists.intern("messages", &Rules::default(), &Watches::default()).unwrap();
        let mut index = Index::default();
        let place = |seq| {
            let author = NodeId(seq % 7);
            (Key { list, name: Name::Added(author, seq) }, Hand { author, seq })
        };
        let mut most = 0;

        for seq in 0..10_000 {
            let (key, hand) = place(seq);
            index.put(key, hand);
            if seq >= 10 {
                let (key, hand) = place(seq - 10);
                index.pull(&key, hand);
                index.pull(&key, hand);
            }
            if seq % 3 == 0 {
                // One comes back to an empty place, and goes again.
                let (key, hand) = place(seq / 2);
                index.put(key.clone(), hand);
                if seq / 2 + 10 <= seq {
                    index.pull(&key, hand);
                }
            }
            most = most.max(index.places.len());
            let is_empty = |hands: &&Hands| hands.as_slice().is_empty();
            assert_eq!(index.empty, index.places.values().filter(is_empty).count());
        }

        assert_eq!(index.in_list(list).count(), 10);
        assert!(most <= 10 + EMPTY_MAX + 2, "{most}");
    }
}
