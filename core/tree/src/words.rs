//! What trees say to each other, as bytes.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{NodeId, Timestamp};

use crate::stamp::Stamp;
use crate::{Life, Path};

/// Everything that is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Say {
    /// To all: what the speaker has just written, one after the other.
    Ops(Vec<Op>),
    /// To a neighbour: how much the speaker has of each author.
    Have(Have),
    /// To a neighbour, or handed on to all: what somebody lacks.
    Delta(Vec<Part>),
}

/// How much a node has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Have {
    /// What the speaker takes for the time.
    pub(crate) wall: Timestamp,
    /// Whether the speaker has never heard of anybody else, so that its time counts for nothing.
    pub(crate) alone: bool,
    /// Whether the speaker wants to be told in turn what the listener has, when that is more.
    pub(crate) ask: bool,
    /// Author and the last number applied.
    pub(crate) heads: Vec<(NodeId, u64)>,
}

/// One write of one author. Complete in itself, so that it can be signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Op {
    /// Its number among the writes of its author.
    pub(crate) seq: u64,
    /// When.
    pub(crate) stamp: Stamp,
    /// Where.
    pub(crate) name: Name,
    /// What.
    pub(crate) what: What,
}

/// A path; that of an entry added to a list is told by the list alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Name {
    /// The whole path.
    Path(Path),
    /// In this list, under `<author>-<seq>`.
    Added(Path),
}

impl Name {
    /// The shorter way to write `path` for write `seq` of `author`.
    pub(crate) fn of(path: &Path, author: NodeId, seq: u64) -> Self {
        match path.parent() {
            Some(list) if path.name() == added(author, seq) => Self::Added(list),
            Some(_) | None => Self::Path(path.clone()),
        }
    }

    /// The path, when it is one.
    pub(crate) fn path(&self, author: NodeId, seq: u64) -> Option<Path> {
        match self {
            Self::Path(path) => Some(path.clone()),
            Self::Added(list) => list.join(added(author, seq)).ok(),
        }
    }
}

/// The name of an entry that `author` adds to a list by its write `seq`.
pub(crate) fn added(author: NodeId, seq: u64) -> String {
    format!("{author}-{seq}")
}

/// What a write does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum What {
    /// Puts a value there.
    Set {
        /// For how long.
        life: Life,
        /// When the resource was made, if not by this write.
        born: Option<Stamp>,
        /// JSON text of an object.
        json: String,
    },
    /// Covers what others wrote there before.
    Hide,
    /// Takes back what the author has there.
    Unset,
}

/// What a node lacks of one author: from the number it has up to the one the speaker has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Whose.
    pub(crate) author: NodeId,
    /// The number up to which the listener must be complete already.
    pub(crate) from: u64,
    /// The number up to which it is complete afterwards.
    pub(crate) upto: u64,
    /// Live writes later than `from`.
    pub(crate) live: Vec<Op>,
    /// What is no longer live.
    pub(crate) gone: Gone,
    /// Whether the speaker has dropped what dies with the author, who has long been away.
    pub(crate) pruned: bool,
    /// Whether more of the same part follows in another message.
    pub(crate) more: bool,
}

/// What has been taken back since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Gone {
    /// Each path taken back later than `from`, with the number of that write.
    Log(Vec<(u64, Path)>),
    /// Too much to tell one by one: all is gone but what is `live`, and the writes up to `from` in these runs of
    /// `(first number, length)`.
    AllBut(Vec<(u64, u64)>),
}

impl Say {
    pub(crate) fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("words are made of what postcard can write")
    }

    /// Reads all of `bytes`, or nothing.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::take_from_bytes(bytes)
            .ok()
            .filter(|(_, rest)| rest.is_empty())
            .map(|(say, _)| say)
    }
}

/// Reads the JSON of a value: an object, not too deep and not of too many keys, so that no page chokes on it.
pub(crate) fn read(json: &str, bytes_max: usize) -> Option<Value> {
    if json.len() > bytes_max {
        return None;
    }
    let value: Value = serde_json::from_str(json).ok()?;
    (value.is_object() && depth(&value) <= DEPTH_MAX && keys(&value) <= KEYS_MAX).then_some(value)
}

/// The deepest nesting of a value. Guess: five times what the conference uses.
const DEPTH_MAX: usize = 16;

/// The most keys and items of a value. Guess: a hundred times what the conference uses.
const KEYS_MAX: usize = 1_000;

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn keys(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(|v| 1 + keys(v)).sum(),
        Value::Array(list) => list.iter().map(|v| 1 + keys(v)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_entry_is_told_by_its_list() {
        let list: Path = "messages".parse().unwrap();
        let path = list.join(added(NodeId(7), 3)).unwrap();

        assert_eq!(Name::of(&path, NodeId(7), 3), Name::Added(list));
        assert_eq!(Name::of(&path, NodeId(7), 4), Name::Path(path.clone()));
        assert_eq!(Name::of(&path, NodeId(7), 3).path(NodeId(7), 3), Some(path));
    }

    #[test]
    fn only_a_modest_object_is_a_value() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
        let wide = format!(r#"{{"a":[{}0]}}"#, "0,".repeat(1_000));

        assert!(read(r#"{"a":[1,{"b":2}]}"#, 100).is_some());
        for bad in ["", "1", "[]", "{", "{}{}", &deep, &wide] {
            assert_eq!(read(bad, 1 << 20), None, "{bad}");
        }
        assert_eq!(read(r#"{"a":1}"#, 6), None);
    }
}
