//! What a reader sees.

use std::borrow::Cow;

use serde_json::Value;
use wire::{NodeId, Timestamp};

use crate::{Path, json};

/// How long a resource lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Until it is deleted.
    Lasting,
    /// Until it is deleted, and only while the node that wrote it is present.
    Ephemeral,
}

/// One resource, as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Where it is.
    pub path: Path,
    /// What it is: JSON text of an object.
    pub json: Cow<'a, str>,
    /// Who wrote it last.
    pub by: NodeId,
    /// When it was made, by the conference's clock.
    pub born: Timestamp,
    /// When it was written last, by the conference's clock.
    pub written: Timestamp,
}

impl Entry<'_> {
    /// What it is.
    #[must_use]
    pub fn value(&self) -> Value {
        json::read(&self.json)
    }

    /// The same, to be kept.
    #[must_use]
    pub fn to_resource(&self) -> Resource {
        Resource { path: self.path.clone(), value: self.value(), by: self.by }
    }
}

/// One resource, as it is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Where it is.
    pub path: Path,
    /// What it is.
    pub value: Value,
    /// Who wrote it last.
    pub by: NodeId,
}

/// What comes first in a list. Ties are broken by the names: first those that [`Command::Add`](crate::Command::Add)
/// gave, by node and number, then the others by their text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What was made first.
    #[default]
    Born,
    /// What was written first, the last time.
    Written,
    /// The first name.
    Name,
}

/// Which part of a list to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What comes first.
    pub order: Order,
    /// The other way round. Offset and limit count from the other end then.
    pub reverse: bool,
    /// How many to leave out first.
    pub offset: usize,
    /// How many to return at most.
    pub limit: usize,
}

impl Default for Listing {
    /// All of it, oldest first.
    fn default() -> Self {
        Self { order: Order::Born, reverse: false, offset: 0, limit: usize::MAX }
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
    /// Lists that something is in.
    pub lists: usize,
}
