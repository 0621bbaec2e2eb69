//! The network of participants: links to neighbours, and through them to everybody.
//!
//! The mesh knows neighbours, and a map of who is linked to whom that whoever drives it works out from records that
//! each node publishes. From the map alone follow the broadcast trees and the next hops, so nothing is negotiated
//! and nothing counts to infinity.
//!
//! ```text
//!   link      Up ──▶ open ──3 s silent──▶ suspect ──8 s silent──▶ hung up
//!                     ▲                      │ a frame
//!                     └──────────────────────┘           a beat goes out after 1 s without other traffic
//!
//!   cast      author ─▶ its neighbours ─▶ children in the author's tree ─▶ …      the maps agree
//!                       every neighbour                                           here they do not: flood
//!             (author, number) is remembered, so each node hears it once
//!
//!   unicast   from ─▶ first hop ─▶ first hop of that ─▶ … ─▶ to
//!                                └▶ no way: told to the sender
//!
//!   tell      one hop
//! ```
//!
//! A cast names the hash of its author's map. A node whose map has the same hash, and whose links are as its map says,
//! forwards down the tree; any other floods. So a network at rest sends each cast N − 1 times, and a network in motion
//! loses none that a flood would not lose.
//!
//! **Invariant:** each cast of an author is handed up at most once, on any graph, whatever the duplication.
//! **Invariant:** a frame from outside never panics; one that cannot be read costs its sender the link.
//! **Invariant:** memory is bounded by [`Config`], whatever arrives.
//! **Invariant:** no frame goes further than 64 hops.
//!
//! Sources: reverse-path trees after Dalal and Metcalfe, 1978; the liveness figures were measured in Chromium, which
//! notices a killed peer after seven seconds only.

mod cast;
mod frame;
mod link;
mod map;
mod route;
mod window;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use wire::{LinkId, NodeId, Time};

pub use map::Map;

use frame::Frame;
use link::Link;
use window::Window;

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
    /// How many messages to one wait for a way.
    pub waiting_max: usize,
    /// How long a message to one waits for a way before its sender is told that there is none.
    pub waiting: Duration,
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
            waiting_max: 64,
            waiting: Duration::from_secs(5),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The moment named by [`Mesh::timeout`] has come.
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
    /// The map has changed.
    Map(Map),
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

/// One node's part of the network.
#[derive(Debug)]
pub struct Mesh {
    config: Config,
    me: NodeId,
    links: BTreeMap<LinkId, Link>,
    map: Map,
    /// The neighbour on the way to each node that can be reached.
    hops: BTreeMap<NodeId, NodeId>,
    /// Which casts of each author were heard, and when the last, counted in casts.
    windows: BTreeMap<NodeId, (u64, Window)>,
    version: u64,
    heard: u64,
    seq: u64,
    digest: u32,
    waiting: VecDeque<route::Waiting>,
    /// When we last looked at the time, to notice that we slept.
    looked: Time,
    outputs: VecDeque<Output>,
}

impl Mesh {
    /// A node without links, whose casts are numbered from `first`. A node that comes back must start higher than it
    /// left.
    #[must_use]
    pub fn new(config: Config, now: Time, me: NodeId, first: u64) -> Self {
        Self {
            config,
            me,
            links: BTreeMap::new(),
            map: Map::default(),
            hops: BTreeMap::new(),
            version: 0,
            windows: BTreeMap::new(),
            heard: 0,
            seq: first,
            digest: 0,
            waiting: VecDeque::new(),
            looked: now,
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn handle(&mut self, now: Time, input: Input) -> Result<(), Error> {
        match input {
            Input::Timeout => self.on_timeout(now),
            Input::Up { link, peer } => self.on_up(now, link, peer)?,
            Input::Down { link } => self.on_down(now, link),
            Input::Received { link, frame } => self.on_received(now, link, &frame)?,
            Input::Map(map) => {
                self.map = map;
                self.find_ways(now);
            }
            Input::Digest(digest) => self.digest = digest,
            Input::Cast { payload, except } => {
                self.check_size(&payload)?;
                self.cast(now, payload, except);
            }
            Input::Unicast { to, id, payload } => {
                self.check_size(&payload)?;
                self.unicast(now, to, id, payload);
            }
            Input::Shun { peer } => self.shun(now, peer),
            Input::Tell { peer, payload } => {
                self.check_size(&payload)?;
                self.send_to(now, peer, &Frame::Tell(payload));
            }
        }
        Ok(())
    }

    /// What to do next, until `None`.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`]; `None` without links and without anything waiting.
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        let links = self.links.values().map(|link| link.timeout(&self.config));
        let waiting = self.waiting.iter().map(|waiting| waiting.until);
        links.chain(waiting).min()
    }

    /// The neighbours: whoever has an open link.
    #[must_use]
    pub fn neighbours(&self) -> BTreeSet<NodeId> {
        self.links.values().map(|link| link.peer).collect()
    }

    /// A number that grows whenever [`Mesh::reach`] may have changed.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The nodes that can be reached, ourselves included.
    #[must_use]
    pub fn reach(&self) -> BTreeSet<NodeId> {
        self.hops.keys().copied().chain([self.me]).collect()
    }

    fn check_size(&self, payload: &[u8]) -> Result<(), Error> {
        if payload.len() > self.config.message_bytes_max {
            return Err(Error::Limit("the size of a message"));
        }
        Ok(())
    }
}
