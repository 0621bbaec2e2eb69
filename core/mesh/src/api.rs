//! What goes into a mesh, what comes out, its bounds, and why an input may be refused.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::{LinkId, NodeId};

use crate::Cost;

/// The bounds of a mesh.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long a link may be without our traffic before a beat goes out.
    pub beat: Duration,
    /// How often a beat goes out whatever the traffic, since it carries the digest.
    pub digest: Duration,
    /// How long a link may be silent before nothing is left to it alone.
    pub suspect: Duration,
    /// How long a link may be silent before it is hung up.
    pub down: Duration,
    /// The most links at a time. A browser bears 200; a conference of 30 needs 8.
    pub links_max: usize,
    /// The longest message, in bytes.
    pub message_bytes_max: usize,
    /// The longest frame on a link, in bytes; longer messages go in pieces, so that small ones are not held up long.
    pub frame_bytes_max: usize,
    /// Of how many authors it is remembered which casts were heard, 150 bytes each.
    pub authors_max: usize,
    /// How long to wait for a cast that was hinted at, before asking for it. Longer than most detours.
    pub patience: Duration,
    /// How many casts that were hinted at are waited for.
    pub missing_max: usize,
    /// How many casts are kept for those who were hinted at.
    pub kept_max: usize,
    /// How many bytes of them.
    pub kept_bytes_max: usize,
    /// How many messages to one wait for their receipts.
    pub waiting_max: usize,
    /// How long a message to one is tried before its sender is told that it finds no way.
    pub waiting: Duration,
    /// How long to wait for its receipt before it is sent again.
    pub resend: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(1),
            digest: Duration::from_secs(5),
            suspect: Duration::from_secs(3),
            down: Duration::from_secs(8),
            links_max: 64,
            message_bytes_max: 64 * 1024,
            frame_bytes_max: 16 * 1024,
            authors_max: 1_024,
            patience: Duration::from_millis(150),
            missing_max: 512,
            kept_max: 128,
            kept_bytes_max: 256 * 1024,
            waiting_max: 256,
            waiting: Duration::from_secs(5),
            resend: Duration::from_secs(1),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The moment named by [`Mesh::timeout`](crate::Mesh::timeout) has come.
    Timeout,
    /// A link is open.
    Up {
        /// The link.
        link: LinkId,
        /// Who is at the other end.
        peer: NodeId,
    },
    /// A link is closed.
    Down {
        /// The link.
        link: LinkId,
    },
    /// Bytes came over a link.
    Received {
        /// The link.
        link: LinkId,
        /// One frame.
        frame: Vec<u8>,
    },
    /// A node says, of its own links, that it has these.
    Links {
        /// Who.
        node: NodeId,
        /// To whom, and how long a frame takes.
        links: BTreeMap<NodeId, Cost>,
    },
    /// Our digest has changed; beats carry it.
    Digest(u32),
    /// Say it to all.
    Cast {
        /// What.
        payload: Vec<u8>,
        /// The neighbour whose side knows it already.
        except: Option<NodeId>,
    },
    /// Say it to one.
    Unicast {
        /// To whom.
        to: NodeId,
        /// By which number to tell that it found no way.
        id: u32,
        /// What.
        payload: Vec<u8>,
    },
    /// Have no more to do with a neighbour: hang up all its links.
    Shun {
        /// Whom.
        peer: NodeId,
    },
    /// Say it to a neighbour.
    Tell {
        /// Whom.
        peer: NodeId,
        /// What.
        payload: Vec<u8>,
    },
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send a frame.
    Send {
        /// The link.
        link: LinkId,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// Close a link.
    Hang {
        /// The link.
        link: LinkId,
    },
    /// There is a link to this node.
    Opened {
        /// The new neighbour.
        peer: NodeId,
    },
    /// There is no more link to this node.
    Closed {
        /// The former neighbour.
        peer: NodeId,
    },
    /// A neighbour has fallen silent, or is heard again: [`Mesh::trusted`](crate::Mesh::trusted) has changed.
    Turned {
        /// Who.
        peer: NodeId,
    },
    /// Somebody said something to all.
    Heard {
        /// Who.
        author: NodeId,
        /// What.
        payload: Vec<u8>,
    },
    /// Somebody said something to us.
    Got {
        /// Who.
        from: NodeId,
        /// What.
        payload: Vec<u8>,
    },
    /// A neighbour said something to us.
    Told {
        /// Who.
        peer: NodeId,
        /// What.
        payload: Vec<u8>,
    },
    /// A neighbour has this digest.
    Digest {
        /// Who.
        peer: NodeId,
        /// Its digest.
        digest: u32,
    },
    /// Our message of that number found no way.
    NoWay {
        /// The number.
        id: u32,
        /// To whom it was.
        to: NodeId,
    },
}

/// Why an [`Input`] was not accepted. The mesh is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A neighbour broke the protocol. Its link is being hung up.
    #[error("neighbour {peer} broke the protocol: {what}")]
    PeerMisbehaved {
        /// Who.
        peer: NodeId,
        /// What it did.
        what: &'static str,
    },
    /// A link that was never up, or is over.
    #[error("no such link")]
    UnknownLink,
    /// A bound of [`Config`] would be passed.
    #[error("over the limit: {0}")]
    Limit(&'static str),
}
