//! What goes into a tree, what comes out, its bounds, and why an input may be refused.

use std::time::Duration;

use serde_json::Value;
use wire::NodeId;

use crate::{Life, Path};

/// The bounds of a tree. All nodes of a conference must have the same quotas.
#[derive(Clone, Debug)]
pub struct Config {
    /// The longest value, in bytes of JSON. Guess: a session description and half.
    pub value_bytes_max: usize,
    /// The most live entries of one author. Guess: the chat lines of a long day.
    pub entries_max: usize,
    /// The most bytes of paths and values of one author.
    pub author_bytes_max: usize,
    /// The most authors ever seen in one conference, 16 bytes each once they are gone.
    pub authors_max: usize,
    /// How far the stamp of a write may be ahead of our clock. Guess: what a badly kept clock is off.
    pub ahead: Duration,
    /// How many writes of one author wait for one that is missing.
    pub early_max: usize,
    /// How long to wait for a write that others overtook, before asking a neighbour for it. Longer than a detour.
    pub patience: Duration,
    /// How long the ephemeral entries of somebody who is away are kept for a return.
    pub forget: Duration,
    /// How many bytes of a delta go into one message. Below the 64 KiB that every browser takes.
    pub delta_bytes_max: usize,
    /// How long not to ask one neighbour again because its digest differs.
    pub ask_again: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            value_bytes_max: 16 * 1024,
            entries_max: 2_000,
            author_bytes_max: 1 << 20,
            authors_max: 4_096,
            ahead: Duration::from_secs(60),
            early_max: 64,
            patience: Duration::from_millis(300),
            forget: Duration::from_secs(600),
            delta_bytes_max: 32 * 1024,
            ask_again: Duration::from_secs(2),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The moment named by [`Tree::timeout`](crate::Tree::timeout) has come.
    Timeout,
    /// Somebody here writes.
    Do(Command),
    /// A neighbour appeared.
    Opened {
        /// Who.
        peer: NodeId,
        /// Whether it was out of reach before, so that what it brings is news to everybody here.
        bridge: bool,
    },
    /// A neighbour is gone.
    Closed {
        /// Who.
        peer: NodeId,
    },
    /// A broadcast of `author` came.
    Heard {
        /// Who cast it.
        author: NodeId,
        /// What.
        bytes: Vec<u8>,
    },
    /// A neighbour said something to us alone.
    Told {
        /// Who.
        peer: NodeId,
        /// What.
        bytes: Vec<u8>,
    },
    /// A neighbour has this digest.
    Digest {
        /// Who.
        peer: NodeId,
        /// Its [`Tree::digest`](crate::Tree::digest).
        digest: u32,
    },
    /// Others than before are present; we ourselves always are.
    Present {
        /// Who is present from now on.
        came: Vec<NodeId>,
        /// Who no longer is.
        went: Vec<NodeId>,
    },
}

/// A write.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make a resource where there is none.
    Create {
        /// Where.
        path: Path,
        /// What: a JSON object.
        value: Value,
        /// For how long.
        life: Life,
    },
    /// Change a resource, or make it.
    Update {
        /// Where.
        path: Path,
        /// The new value, or the fields to put into the old one.
        value: Value,
        /// Whether `value` is put into the old one, field by field.
        partial: bool,
        /// For how long.
        life: Life,
    },
    /// Remove a resource and all below it.
    Delete {
        /// Where.
        path: Path,
    },
    /// Make a resource in a list, under a fresh name.
    Add {
        /// The list.
        path: Path,
        /// What: a JSON object.
        value: Value,
        /// For how long.
        life: Life,
    },
    /// Take back all of our own ephemeral resources.
    Withdraw,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Say it to all nodes, but not by way of `except`, whose side knows it already.
    Cast {
        /// What.
        bytes: Vec<u8>,
        /// The neighbour it came from.
        except: Option<NodeId>,
    },
    /// Say it to one neighbour.
    Tell {
        /// Whom.
        peer: NodeId,
        /// What.
        bytes: Vec<u8>,
    },
    /// Tell the application.
    Event(Event),
}

/// A change of the view.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A resource is there that was not.
    Created {
        /// Where.
        path: Path,
        /// What.
        value: Value,
        /// Who wrote it.
        by: NodeId,
    },
    /// A resource has changed.
    Updated {
        /// Where.
        path: Path,
        /// What it is.
        value: Value,
        /// What it was.
        old: Value,
        /// Who wrote the new value.
        by: NodeId,
    },
    /// A resource is no longer there.
    Deleted {
        /// Where.
        path: Path,
        /// What it was.
        old: Value,
        /// Who deleted it, or whose it was.
        by: NodeId,
    },
    /// What we made is outranked by what `by` made at the same time.
    Refused {
        /// Where.
        path: Path,
        /// Whose resource is there.
        by: NodeId,
    },
}

/// Why an [`Input`] was not accepted. The tree is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another node broke the protocol.
    #[error("node {peer} broke the protocol: {what}")]
    PeerMisbehaved {
        /// Who.
        peer: NodeId,
        /// What it did.
        what: &'static str,
    },
    /// The application asked for what makes no sense.
    #[error("misuse: {0}")]
    Misuse(Misuse),
    /// A bound of [`Config`] would be passed.
    #[error("over the limit: {0}")]
    Limit(&'static str),
}

/// What made no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// A create where something is.
    #[error("there is a resource already")]
    Exists,
    /// A value that is not a JSON object.
    #[error("a value is a JSON object")]
    NotAnObject,
    /// A path that only another node may write, or that would be too long.
    #[error("the path is not ours to write")]
    NotOurs,
}
