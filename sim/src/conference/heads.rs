//! How far each node has taken in what the others wrote: it never goes back, and is what they stated.

use std::collections::BTreeMap;
use std::mem;

use wire::{NodeId, Time};

use super::{Conference, Person, State};

/// What every author's own map came to, after each of its writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heads {
    /// A few bits of it, by author and number.
    stated: BTreeMap<(NodeId, u64), u32>,
}

impl Heads {
    /// Holds how far a node is with each author against how far it was before, in `known`, and against what that author
    /// had itself.
    ///
    /// # Errors
    ///
    /// When it has gone back, or has another map than its author, who `is_fair`, had under that number.
    pub(crate) fn look(
        &mut self,
        at: NodeId,
        heads: impl Iterator<Item = (NodeId, u64, u32)>,
        known: &mut BTreeMap<NodeId, u64>,
        is_fair: impl Fn(NodeId) -> bool,
    ) -> Result<(), String> {
        for (author, number, bits) in heads {
            let before = known.insert(author, number).unwrap_or(0);
            if number < before {
                return Err(format!("{at} goes back from {before} to {number} of {author}"));
            }
            if bits == 0 || !is_fair(author) {
                continue;
            }
            let stated = match self.stated.get(&(author, number)) {
                Some(stated) => *stated,
                None if author == at => *self.stated.entry((author, number)).or_insert(bits),
                // It was not looked at in that moment.
                None => continue,
            };
            if stated != bits {
                return Err(format!(
                    "{at} has another map of {author} at {number} than {author} stated"
                ));
            }
        }
        Ok(())
    }
}

impl Conference {
    /// Looks at how far a node is, if its digest has changed since it was looked at last. In a large conference that is
    /// done at once only where the `author` is known whose word alone it has just taken in.
    ///
    /// # Errors
    ///
    /// See [`Heads::look`].
    pub(super) fn look_at_heads(
        &mut self,
        who: usize,
        author: Option<NodeId>,
        now: Time,
    ) -> Result<(), String> {
        let is_large = self.people.len() > super::LARGE;
        let Person { node, looked, .. } = &mut self.people[who];
        let (me, digest, truth) = (node.me(), node.digest(), &self.truth);
        let is_fair = |author| !truth.is_false(author);
        let before = mem::replace(&mut looked.latest, digest);
        if looked.digest == digest {
            return Ok(());
        }
        if let Some(author) = author.filter(|_| is_large && before == looked.digest) {
            looked.digest = digest;
            let head = node.head(author).map(|(number, bits)| (author, number, bits));
            return self.heads.look(me, head.into_iter(), &mut looked.heads, is_fair);
        }
        if is_large && now < looked.at + super::SELDOM {
            return Ok(());
        }
        (looked.digest, looked.at) = (digest, now);
        self.heads.look(me, node.heads(), &mut looked.heads, is_fair)
    }

    /// Looks at how far everybody is who is awake.
    ///
    /// # Errors
    ///
    /// See [`Heads::look`].
    pub(super) fn look_at_all_heads(&mut self, now: Time) -> Result<(), String> {
        let awake = (0..self.people.len()).filter(|who| self.people[*who].state == State::Awake);
        awake.collect::<Vec<_>>().into_iter().try_for_each(|who| self.look_at_heads(who, None, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: NodeId = NodeId(1);
    const BOB: NodeId = NodeId(2);

    #[test]
    fn a_number_that_goes_back_is_found() {
        let (mut heads, mut known) = (Heads::default(), BTreeMap::new());
        let mut look =
            |number| heads.look(BOB, [(ALICE, number, 0)].into_iter(), &mut known, |_| true);

        assert_eq!([look(3), look(3), look(5)], [Ok(()), Ok(()), Ok(())]);
        assert!(look(4).unwrap_err().contains("goes back from 5 to 4"));
    }

    #[test]
    fn a_map_that_its_author_did_not_state_is_found_unless_the_author_plays_false() {
        let mut heads = Heads::default();
        let mut look = |at, bits, is_fair| {
            let seen = [(ALICE, 7, bits)].into_iter();
            heads.look(at, seen, &mut BTreeMap::new(), |_| is_fair)
        };

        assert_eq!(
            [look(BOB, 3, true), look(ALICE, 9, true), look(BOB, 9, true)],
            [const { Ok(()) }; 3]
        );
        assert_eq!(look(BOB, 0, true), Ok(()), "it is waited for");
        assert!(look(BOB, 8, true).unwrap_err().contains("another map"));
        assert!(look(ALICE, 8, true).is_err(), "nor does an author who plays fair state two");
        assert_eq!(look(BOB, 8, false), Ok(()));
    }
}
