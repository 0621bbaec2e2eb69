//! What goes into a tree, what comes out, its bounds, and why an input may be refused.

use serde_json::Value;
use wire::NodeId;

use crate::{Life, Path, Resource};

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
    /// The notary knows the key of this author from now on.
    Known(NodeId),
    /// This author was put out: from now on nothing counts that it wrote or will write.
    Out(NodeId),
    /// Somebody here wants to be told of changes at a place and below it, beginning with [`Event::Loaded`].
    Watch {
        /// The place; `None` is everything.
        path: Option<Path>,
    },
    /// As often as it was watched, a place can be left.
    Unwatch {
        /// The place.
        path: Option<Path>,
    },
    /// A neighbour has this digest.
    Digest {
        /// Who.
        peer: NodeId,
        /// Whether it is not ours, and not for a moment only.
        compare: bool,
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
    /// Remove all below a place, but not what is at it.
    Clear {
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

/// A change. Those of resources are told where they are watched.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// What is at a place and below it when somebody begins to watch it, in the order of creation.
    Loaded {
        /// The place; `None` is everything.
        path: Option<Path>,
        /// What is there.
        resources: Vec<Resource>,
    },
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
    /// All is here that those had whom we joined.
    Ready,
    /// A node has been proved to have said two different things: what it wrote counts no more.
    Frozen {
        /// Which one.
        node: NodeId,
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
    /// A bound of [`Config`](crate::Config) would be passed.
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
    /// A path that the rules do not let us write, or not with such a life, or that would be too long.
    #[error("the rules do not let us write that there")]
    NotOurs,
    /// Unwatching what nobody watches.
    #[error("nobody watches that")]
    NotWatched,
    /// Others hold a proof that this node has said two different things, and take nothing of it.
    #[error("this node has contradicted itself, and nobody listens to it any more")]
    Frozen,
}
