//! What a reader sees.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{NodeId, Timestamp};

use crate::Path;

/// How long a resource lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Life {
    /// Until it is deleted.
    Lasting,
    /// Until it is deleted, and only while the node that wrote it is present.
    Ephemeral,
}

/// One resource, as it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// What it is.
    pub value: &'a Value,
    /// Who wrote it last.
    pub by: NodeId,
    /// When it was made, by the conference's clock.
    pub born: Timestamp,
    /// When it was written last, by the conference's clock.
    pub written: Timestamp,
}

/// Which part of a list to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// How many to return at most.
    pub limit: usize,
    /// How many to leave out first.
    pub offset: usize,
    /// Newest first. Offset and limit count from the newest then.
    pub reverse: bool,
}

impl Default for Listing {
    /// All of it, oldest first.
    fn default() -> Self {
        Self { limit: usize::MAX, offset: 0, reverse: false }
    }
}

/// How much a tree holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Nodes that ever wrote.
    pub authors: usize,
    /// Live writes of all of them, seen or not.
    pub entries: usize,
    /// The bytes of their paths and values.
    pub bytes: usize,
}
