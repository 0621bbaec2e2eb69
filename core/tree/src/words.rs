//! What trees say to each other, as bytes.
//!
//! Every message has one spelling only, so that whatever can be read is written again as it was.

use std::borrow::Cow;

use wire::{NodeId, Timestamp};

use crate::bytes::{Reader, Writer};
use crate::edit::Edit;
use crate::fork::{Fork, Seal};
use crate::place::{Lists, Name, added};
use crate::shelf::{Record, What};
use crate::stamp::Stamp;
use crate::{Proof, Root};

/// Everything that is said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Say<'a> {
    /// To all: what the speaker has just written.
    Own(Part<'a>),
    /// To a neighbour: how much the speaker has of each author.
    Have(Have),
    /// To a neighbour: what it lacks; to all: what one side lacked before two met.
    Delta {
        /// Whether that was all.
        last: bool,
        /// For each author.
        parts: Vec<Part<'a>>,
    },
    /// To a neighbour whose map of this author differs from ours: what the author has stated to us.
    Seal(NodeId, Seal),
    /// To all: an author has contradicted itself.
    Fork(Box<Fork>),
}

/// How much a node has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Have {
    /// What the speaker takes for the time.
    pub(crate) wall: Timestamp,
    /// Whether the speaker has never heard of anybody else, so that its time counts for nothing.
    pub(crate) alone: bool,
    /// Whether the speaker wants to be told in turn what the listener has, when that is more.
    pub(crate) ask: bool,
    /// Whether it asks about these authors and no others.
    pub(crate) only: bool,
    /// Author, the last number applied, and the tag of its roots, as the authors' names rise.
    pub(crate) heads: Vec<(NodeId, u64, u32)>,
}

/// What a node lacks of one author: from the number it has up to a later one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part<'a> {
    /// Whose.
    pub(crate) author: NodeId,
    /// The number up to which the listener must be complete already.
    pub(crate) from: u64,
    /// The number up to which it is complete afterwards.
    pub(crate) upto: u64,
    /// Live writes later than `from`, as their numbers rise.
    pub(crate) live: Vec<Op<'a>>,
    /// What is no longer live of those up to `from`.
    pub(crate) gone: Gone,
    /// The root of what passes away with the author, when the speaker has dropped that.
    pub(crate) pruned: Option<Root>,
    /// The author's word that all this is so, and all there is.
    pub(crate) proof: Option<Proof>,
    /// Whether more of the same part follows in another message.
    pub(crate) more: bool,
}

/// One live write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Op<'a> {
    /// Its number among the writes of its author.
    pub(crate) seq: u64,
    /// When.
    pub(crate) stamp: Stamp,
    /// When the resource was made that it changed, or `stamp`.
    pub(crate) born: Stamp,
    pub(crate) what: What,
    /// The path of the list that it is in.
    pub(crate) list: &'a str,
    pub(crate) name: OpName<'a>,
    /// The value, when there is one; of an edit only what is new in it.
    pub(crate) json: &'a str,
    /// What it changes, when that is all that is told. List, name and birth are then found there.
    pub(crate) edit: Option<Edit>,
}

/// A name in its list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OpName<'a> {
    /// `<author>-<number>` of the author of the write.
    Added(u64),
    /// `<author>`.
    Author,
    Text(Cow<'a, str>),
}

/// What is no longer live.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Gone {
    /// These numbers, rising; all up to `from`.
    Numbers(Vec<u64>),
    /// Too much to tell one by one: all up to `from` but these runs of `(first number, length)`.
    AllBut(Vec<(u64, u64)>),
}

impl<'a> Op<'a> {
    pub(crate) fn of(record: &'a Record, author: NodeId, lists: &'a Lists) -> Self {
        let name = match &record.name {
            Name::Added(node, seq) if *node == author => OpName::Added(*seq),
            name @ Name::Added(..) => {
                let mut text = String::new();
                name.push_to(&mut text);
                OpName::Text(Cow::Owned(text))
            }
            Name::Text(text) if is_author(text, author) => OpName::Author,
            Name::Text(text) => OpName::Text(Cow::Borrowed(text)),
        };
        let (list, json) = (&*lists.get(record.list).text, &*record.json);
        let Record { seq, stamp, born, what, .. } = *record;
        Self { seq, stamp, born, what, list, name, json, edit: None }
    }

    /// The name as it is kept.
    pub(crate) fn name(&self, author: NodeId) -> Name {
        match &self.name {
            OpName::Added(seq) => Name::Added(author, *seq),
            OpName::Author => Name::of(&author.to_string()),
            OpName::Text(text) => Name::of(text),
        }
    }

    /// About how many bytes it takes on the wire, or a few more.
    pub(crate) fn bytes(&self) -> usize {
        let name = match &self.name {
            OpName::Added(_) | OpName::Author => 1,
            OpName::Text(text) => text.len() + 1,
        };
        20 + self.list.len() + name + self.json.len()
    }

    fn write(&self, to: &mut Writer, before: &Before<'_>) {
        if let Some(edit) = &self.edit {
            let birth = if edit.keeps_birth { BORN } else { 0 };
            to.byte(self.what as u8 | birth | EDIT);
            to.number(self.seq - before.seq);
            write_stamp(to, before.stamp, self.stamp);
            edit.write(to, self);
            return;
        }
        let is_born_earlier = self.born != self.stamp;
        let is_same_list = before.list == Some(self.list);
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let named = match &self.name {
            OpName::Added(_) => ADDED,
            OpName::Author => AUTHOR,
            OpName::Text(_) => 0,
        };
        let flags = flag(is_born_earlier, BORN) | flag(is_same_list, SAME_LIST) | named;
        to.byte(self.what as u8 | flags);
        to.number(self.seq - before.seq);
        write_stamp(to, before.stamp, self.stamp);
        if is_born_earlier {
            write_stamp(to, self.stamp, self.born);
        }
        if !is_same_list {
            to.text(self.list);
        }
        match &self.name {
            OpName::Added(seq) => to.number(self.seq - seq),
            OpName::Author => {}
            OpName::Text(text) => to.text(text),
        }
        if self.what != What::Hidden {
            to.text(self.json);
        }
    }

    fn read(from: &mut Reader<'a>, author: NodeId, before: &Before<'a>) -> Option<Self> {
        let flags = from.byte().filter(|flags| flags >> 7 == 0)?;
        let what = match flags & 3 {
            0 => What::Lasting,
            1 => What::Ephemeral,
            2 => What::Hidden,
            _ => return None,
        };
        let step = from.number().filter(|step| *step > 0)?;
        let seq = before.seq.checked_add(step)?;
        let stamp = read_stamp(from, before.stamp)?;
        if flags & EDIT != 0 {
            let keeps_birth = flags & BORN != 0;
            if flags & (SAME_LIST | ADDED | AUTHOR) != 0 {
                return None;
            }
            let (edit, json) = Edit::read(from, seq, what, keeps_birth)?;
            let (list, name, edit) = ("", OpName::Author, Some(edit));
            return Some(Self { seq, stamp, born: stamp, what, list, name, json, edit });
        }
        let born = match flags & BORN {
            0 => stamp,
            _ => read_stamp(from, stamp).filter(|born| *born != stamp)?,
        };
        let list = match flags & SAME_LIST {
            0 => from.text().filter(|list| before.list != Some(list))?,
            _ => before.list?,
        };
        let is_text = |name: &&str| !is_added(name, author, seq) && !is_author(name, author);
        let name = match flags & (ADDED | AUTHOR) {
            0 => OpName::Text(Cow::Borrowed(from.text().filter(is_text)?)),
            ADDED => OpName::Added(seq.checked_sub(from.number()?).filter(|seq| *seq > 0)?),
            AUTHOR => OpName::Author,
            _ => return None,
        };
        let json = if what == What::Hidden { "" } else { from.text()? };
        Some(Self { seq, stamp, born, what, list, name, json, edit: None })
    }
}

/// Bits beside what a write does.
const BORN: u8 = 4;
const SAME_LIST: u8 = 8;
const ADDED: u8 = 16;
const AUTHOR: u8 = 32;
const EDIT: u8 = 64;

/// Whether the name is that of the author.
fn is_author(name: &str, author: NodeId) -> bool {
    name.len() == 16 && name == author.to_string()
}

/// Whether the name could be told by a number alone.
fn is_added(name: &str, author: NodeId, seq: u64) -> bool {
    added(name).is_some_and(|(node, number)| node == author && number <= seq)
}

/// What the write before told, which is not told again.
struct Before<'a> {
    seq: u64,
    stamp: Stamp,
    list: Option<&'a str>,
}

impl<'a> Before<'a> {
    fn after(op: &Op<'a>) -> Self {
        let list = if op.edit.is_none() { Some(op.list) } else { None };
        Self { seq: op.seq, stamp: op.stamp, list }
    }
}

fn write_stamp(to: &mut Writer, before: Stamp, stamp: Stamp) {
    to.signed(stamp.wall().0 as i64 - before.wall().0 as i64);
    to.number(stamp.counter());
}

fn read_stamp(from: &mut Reader<'_>, before: Stamp) -> Option<Stamp> {
    let wall = (before.wall().0 as i64).checked_add(from.signed()?)?;
    Stamp::of(Timestamp(u64::try_from(wall).ok()?), from.number()?)
}

/// Bits of what follows a part.
const MORE: u8 = 1;
const ALL_BUT: u8 = 2;
const PRUNED: u8 = 4;
const PROOF: u8 = 8;

impl<'a> Part<'a> {
    fn write(&self, to: &mut Writer) {
        to.node(self.author);
        self.write_rest(to);
    }

    fn write_rest(&self, to: &mut Writer) {
        to.number(self.from);
        to.number(self.upto - self.from);
        let is_all_but = matches!(self.gone, Gone::AllBut(_));
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let flags = flag(self.more, MORE) | flag(is_all_but, ALL_BUT);
        to.byte(flags | flag(self.pruned.is_some(), PRUNED) | flag(self.proof.is_some(), PROOF));
        to.number(self.live.len() as u64);
        let mut before = Before { seq: self.from, stamp: Stamp::default(), list: None };
        for op in &self.live {
            op.write(to, &before);
            before = Before::after(op);
        }
        match &self.gone {
            Gone::Numbers(seqs) => {
                to.number(seqs.len() as u64);
                let mut before = self.from + 1;
                for seq in seqs.iter().rev() {
                    to.number(before - seq);
                    before = *seq;
                }
            }
            Gone::AllBut(runs) => {
                to.number(runs.len() as u64);
                let mut end = 0;
                for (first, length) in runs {
                    to.number(first - end);
                    to.number(*length);
                    end = first + length;
                }
            }
        }
        if let Some(root) = &self.pruned {
            to.raw(&root.0);
        }
        if let Some(proof) = &self.proof {
            to.raw(&proof.0);
        }
    }

    fn read(from: &mut Reader<'a>) -> Option<Self> {
        let author = from.node()?;
        let part = Self::read_rest(from, author)?;
        part.live.iter().all(|op| op.edit.is_none()).then_some(part)
    }

    /// What somebody says of itself.
    fn read_own(from: &mut Reader<'a>, author: NodeId) -> Option<Self> {
        let part = Self::read_rest(from, author)?;
        let is_before = |op: &Op<'_>| op.edit.is_none_or(|edit| edit.old <= part.from);
        (!part.more && part.pruned.is_none() && part.live.iter().all(is_before)).then_some(part)
    }

    fn read_rest(from: &mut Reader<'a>, author: NodeId) -> Option<Self> {
        let first = from.number()?;
        let step = from.number().filter(|step| *step > 0)?;
        let upto = first.checked_add(step)?;
        let flags = from.byte().filter(|flags| flags >> 4 == 0)?;
        let count = from.count(OP_BYTES_MIN)?;
        let mut live: Vec<Op<'a>> = Vec::with_capacity(count);
        let mut before = Before { seq: first, stamp: Stamp::default(), list: None };
        for _ in 0..count {
            let op = Op::read(from, author, &before).filter(|op| op.seq <= upto)?;
            before = Before::after(&op);
            live.push(op);
        }
        let gone =
            if flags & ALL_BUT == 0 { read_numbers(from, first)? } else { read_runs(from, first)? };
        let pruned = if flags & PRUNED == 0 { None } else { Some(Root(from.array()?)) };
        let proof = if flags & PROOF == 0 { None } else { Some(Proof(from.array()?)) };
        let more = flags & MORE != 0;
        Some(Self { author, from: first, upto, live, gone, pruned, proof, more })
    }

    /// About how many bytes it takes on the wire, or a few more.
    pub(crate) fn bytes(&self) -> usize {
        let gone = match &self.gone {
            Gone::Numbers(seqs) => seqs.len() * 3,
            Gone::AllBut(runs) => runs.len() * 6,
        };
        130 + gone + self.live.iter().map(Op::bytes).sum::<usize>()
    }

    /// The numbers of its live writes above `known`.
    pub(crate) fn fresh(&self, known: u64) -> impl Iterator<Item = u64> {
        self.live.iter().map(|op| op.seq).filter(move |seq| *seq > known)
    }

    /// Cuts the part so that each piece is below `bytes_max`, or is a single write. What is gone goes with the last.
    pub(crate) fn pieces(self, bytes_max: usize) -> Vec<Self> {
        let Self { author, from, upto, live, gone, pruned, proof, .. } = self;
        let piece = || {
            let gone = Gone::Numbers(Vec::new());
            let (pruned, proof) = (None, None);
            Self { author, from, upto, live: Vec::new(), gone, pruned, proof, more: true }
        };
        let mut pieces = vec![piece()];
        let mut bytes = 130;
        for op in live {
            let more = op.bytes();
            if bytes > 130 && bytes + more > bytes_max {
                pieces.push(piece());
                bytes = 130;
            }
            bytes += more;
            pieces.last_mut().expect("there is one from the start").live.push(op);
        }
        let last = pieces.last_mut().expect("there is one from the start");
        (last.gone, last.pruned, last.proof, last.more) = (gone, pruned, proof, false);
        pieces
    }
}

/// The fewest bytes of a write: flags, number, stamp, list or what it changes.
const OP_BYTES_MIN: usize = 5;

fn read_numbers(from: &mut Reader<'_>, first: u64) -> Option<Gone> {
    let count = from.count(1)?;
    let mut seqs = Vec::with_capacity(count);
    let mut before = first.checked_add(1)?;
    for _ in 0..count {
        let step = from.number().filter(|step| *step > 0)?;
        before = before.checked_sub(step).filter(|seq| *seq > 0)?;
        seqs.push(before);
    }
    seqs.reverse();
    Some(Gone::Numbers(seqs))
}

fn read_runs(from: &mut Reader<'_>, first: u64) -> Option<Gone> {
    if first == 0 {
        return None;
    }
    let count = from.count(2)?;
    let mut runs = Vec::with_capacity(count);
    let mut end = 0_u64;
    for _ in 0..count {
        let start = end.checked_add(from.number().filter(|gap| *gap > 0)?)?;
        let length = from.number().filter(|length| *length > 0)?;
        end = start.checked_add(length).filter(|end| *end <= first + 1)?;
        runs.push((start, length));
    }
    Some(Gone::AllBut(runs))
}

impl<'a> Say<'a> {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        match self {
            Self::Own(part) => {
                to.byte(5);
                part.write_rest(&mut to);
            }
            Self::Have(have) => {
                to.byte(1);
                to.number(have.wall.0);
                to.byte(u8::from(have.alone) | u8::from(have.ask) << 1 | u8::from(have.only) << 2);
                to.number(have.heads.len() as u64);
                for (author, seq, tag) in &have.heads {
                    to.node(*author);
                    to.number(*seq);
                    to.number(u64::from(*tag));
                }
            }
            Self::Delta { last, parts } => {
                to.byte(2);
                to.byte(u8::from(*last));
                to.number(parts.len() as u64);
                parts.iter().for_each(|part| part.write(&mut to));
            }
            Self::Seal(author, seal) => {
                to.byte(3);
                to.node(*author);
                seal.write(&mut to);
            }
            Self::Fork(fork) => {
                to.byte(4);
                fork.write(&mut to);
            }
        }
        to.bytes
    }

    /// Reads all of `bytes`, which `speaker` said, or nothing.
    pub(crate) fn decode(bytes: &'a [u8], speaker: NodeId) -> Option<Self> {
        let mut from = Reader::new(bytes);
        let say = match from.byte()? {
            1 => Self::Have(Have::read(&mut from)?),
            2 => {
                let last = from.byte().filter(|flag| *flag < 2)? == 1;
                let count = from.count(PART_BYTES_MIN)?;
                let parts = (0..count).map(|_| Part::read(&mut from)).collect::<Option<_>>()?;
                Self::Delta { last, parts }
            }
            3 => Self::Seal(from.node()?, Seal::read(&mut from)?),
            4 => Self::Fork(Box::new(Fork::read(&mut from)?)),
            5 => Self::Own(Part::read_own(&mut from, speaker)?),
            _ => return None,
        };
        from.is_empty().then_some(say)
    }
}

/// The fewest bytes of a part: author, two numbers, flags, two counts.
const PART_BYTES_MIN: usize = 13;

impl Have {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let wall = Timestamp(from.number()?);
        let flags = from.byte().filter(|flags| *flags < 8)?;
        let count = from.count(10)?;
        let mut heads: Vec<(NodeId, u64, u32)> = Vec::with_capacity(count);
        for _ in 0..count {
            let tag = |from: &mut Reader<'_>| u32::try_from(from.number()?).ok();
            let head = (from.node()?, from.number()?, tag(from)?);
            if heads.last().is_some_and(|(before, ..)| *before >= head.0) {
                return None;
            }
            heads.push(head);
        }
        let flag = |bit| flags & bit != 0;
        Some(Self { wall, alone: flag(1), ask: flag(2), only: flag(4), heads })
    }
}
