//! A write that changes an earlier one of the same author, told by what is new in it.
//!
//! Most of what is written again changes little: one neighbour more in a link record, a microphone that is off. Who hears
//! the author itself has the earlier write, so place, birth and the rest of the value need not be said again. What is
//! signed is the whole map, so that a change that was put into something else is noticed.

use crate::author::Author;
use crate::bytes::{Reader, Writer};
use crate::shelf::{Record, What};
use crate::stamp::Stamp;
use crate::words::{Gone, Op, Part};

/// Where the new words of a value go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The number of the write that is changed, and is no longer live.
    pub(crate) old: u64,
    /// Whether the resource was made when the old write says so, rather than by this one.
    pub(crate) keeps_birth: bool,
    /// How many bytes of the old value stand before the new ones.
    front: usize,
    /// How many stand after them.
    back: usize,
}

impl Edit {
    /// What `new` changes in `old`, and its new words; `None` when that cannot be told so.
    fn between<'a>(old: &Record, new: &Op<'a>) -> Option<(Self, &'a str)> {
        let keeps_birth = new.born == old.born;
        if !keeps_birth && new.born != new.stamp {
            return None;
        }
        let alike = |one: &str, other: &str| {
            one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
        };
        let mut front = alike(&old.json, new.json);
        while !new.json.is_char_boundary(front) || !old.json.is_char_boundary(front) {
            front -= 1;
        }
        let (old_rest, new_rest) = (&old.json[front..], &new.json[front..]);
        let pairs = old_rest.bytes().rev().zip(new_rest.bytes().rev());
        let mut back = pairs.take_while(|(one, other)| one == other).count();
        while !new_rest.is_char_boundary(new_rest.len() - back)
            || !old_rest.is_char_boundary(old_rest.len() - back)
        {
            back -= 1;
        }
        let edit = Self { old: old.seq, keeps_birth, front, back };
        Some((edit, &new_rest[..new_rest.len() - back]))
    }

    /// The old value with the new words put in; `None` when they do not fit there.
    pub(crate) fn splice(&self, old: &Record, words: &str) -> Option<Box<str>> {
        let back = old.json.len().checked_sub(self.back).filter(|back| *back >= self.front)?;
        let (front, back) = (old.json.get(..self.front)?, old.json.get(back..)?);
        Some([front, words, back].concat().into())
    }

    /// When the resource was made.
    pub(crate) fn born(&self, old: &Record, stamp: Stamp) -> Stamp {
        if self.keeps_birth { old.born } else { stamp }
    }

    /// What follows the stamp of a write that is told so.
    pub(crate) fn write(&self, to: &mut Writer, op: &Op<'_>) {
        to.number(op.seq - self.old);
        if op.what != What::Hidden {
            to.number(self.front as u64);
            to.number(self.back as u64);
            to.text(op.json);
        }
    }

    /// Reads it, and the new words.
    pub(crate) fn read<'a>(
        from: &mut Reader<'a>,
        seq: u64,
        what: What,
        keeps_birth: bool,
    ) -> Option<(Self, &'a str)> {
        let old = seq.checked_sub(from.number().filter(|back| *back > 0)?)?;
        let old = Some(old).filter(|old| *old > 0)?;
        if what == What::Hidden {
            return Some((Self { old, keeps_birth, front: 0, back: 0 }, ""));
        }
        let mut count = || usize::try_from(from.number()?).ok();
        let (front, back) = (count()?, count()?);
        Some((Self { old, keeps_birth, front, back }, from.text()?))
    }
}

impl Part<'_> {
    /// Tells writes as changes of those that `replaced` gives for their numbers.
    pub(crate) fn tell_edits<'r>(&mut self, replaced: impl Fn(u64) -> Option<&'r Record>) {
        let Gone::Numbers(gone) = &mut self.gone else { return };
        for op in &mut self.live {
            let Some(old) = replaced(op.seq) else { continue };
            let Some((edit, words)) = Edit::between(old, op) else { continue };
            // That it is gone goes without saying.
            gone.retain(|seq| *seq != old.seq);
            (op.edit, op.json) = (Some(edit), words);
        }
    }

    /// Whether what its writes after `known` change is what `map` has.
    pub(crate) fn fits(&self, map: Option<&Author>, known: u64) -> bool {
        let is_there = |op: &&Op<'_>| {
            op.edit.is_none_or(|edit| {
                let old = map.and_then(|map| map.get(edit.old));
                old.and_then(|old| edit.splice(old, op.json)).is_some()
            })
        };
        self.live.iter().filter(|op| op.seq > known).all(|op| is_there(&op))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{Lists, Name};
    use crate::{Rules, watch::Watches};
    use wire::{NodeId, Timestamp};

    fn record(seq: u64, json: &str) -> (Record, Lists) {
        let mut lists = Lists::default();
        let list = lists.intern("shared", &Rules::default(), &Watches::default());
        let list = list.expect("a path");
        let stamp = Stamp::at(Timestamp(seq));
        let (what, name) = (What::Lasting, Name::of("a"));
        let json = json.into();
        (Record { seq, stamp, born: stamp, list, row: 0, what, name, json }, lists)
    }

    #[test]
    fn what_is_new_goes_where_it_was_taken_from() {
        for (old, new, words) in [
            (r#"{"to":"abcdef"}"#, r#"{"to":"abcXdef"}"#, "X"),
            (r#"{"to":"abcdef"}"#, r#"{"to":"abcdef"}"#, ""),
            (r#"{"a":"aa"}"#, r#"{"a":"aaa"}"#, "a"),
            (r#"{"a":"aaa"}"#, r#"{"a":"aa"}"#, ""),
            (r#"{"a":"ä"}"#, r#"{"a":"ö"}"#, "ö"),
            (r#"{"a":"éa"}"#, r#"{"a":"Ωa"}"#, "Ω"),
            ("", r#"{"a":1}"#, r#"{"a":1}"#),
        ] {
            let (old, lists) = record(1, old);
            let (mut record, _) = record(2, new);
            record.born = old.born;
            let op = Op::of(&record, NodeId(1), &lists);

            let (edit, told) = Edit::between(&old, &op).expect("it is a change");

            assert_eq!(told, words);
            assert_eq!(edit.splice(&old, told).as_deref(), Some(new));
            assert_eq!(edit.born(&old, record.stamp), old.born);
        }
    }

    #[test]
    fn what_does_not_fit_is_not_put_in() {
        let (old, _) = record(1, r#"{"a":"ä"}"#);
        for (front, back) in [(20, 0), (0, 20), (6, 5), (7, 0), (usize::MAX, usize::MAX)] {
            let edit = Edit { old: 1, keeps_birth: true, front, back };

            assert_eq!(edit.splice(&old, "x"), None, "{front} {back}");
        }
    }
}
