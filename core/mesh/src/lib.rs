//! The network of participants: links to neighbours, and through them to everybody.
//!
//! The mesh knows neighbours, and a map of who is linked to whom, drawn from records that each node publishes through
//! whoever drives it. From the map alone follow the broadcast trees and the next hops, so nothing is negotiated
//! and nothing counts to infinity.
//!
//! ```text
//!   link      Up ──▶ open ──3 s silent──▶ suspect ──8 s silent──▶ hung up
//!                     ▲                      │ a frame
//!                     └──────────────────────┘           a beat goes out after 1 s without other traffic
//!
//!   cast      author ─▶ children in its tree ─▶ their children ─▶ …            the maps agree
//!                   ┄┄▶ the other neighbours: a hint, ◀┄┄ wanted after 150 ms    here they do not
//!             (author, number) is remembered, so each node hears it once
//!
//!   unicast   from ─▶ first hop ─▶ first hop of that ─▶ … ─▶ to
//!           ◀── receipt ─────────┴▶ no way: tried again for five seconds, then told to the sender
//!
//!   tell      one hop
//! ```
//!
//! A cast names the hash of its author's map. Whoever has another map, or lacks a link that its map says it has,
//! forwards down the tree that it sees itself, and tells its other neighbours the number only: they ask for what the
//! trees do not bring. So a network at rest sends each cast N − 1 times and nothing else, and a network in motion loses
//! none that a flood would not lose, for little more.
//!
//! A new link is measured once, by a ping and its echo. The records carry what came out, so the tree of an author is
//! that of the quickest ways: a cast arrives as early as a flood would bring it.
//!
//! **Invariant:** each cast of an author is handed up at most once, on any graph, whatever the duplication.
//! **Invariant:** a frame from outside never panics; one that cannot be read costs its sender the link.
//! **Invariant:** memory is bounded by [`Config`], whatever arrives.
//! **Invariant:** no frame goes further than 64 hops.
//!
//! Sources: reverse-path trees after Dalal and Metcalfe, 1978; the liveness figures were measured in Chromium, which
//! notices a killed peer after seven seconds only.

mod api;
mod cast;
mod cost;
mod cuts;
mod frame;
mod glance;
mod lazy;
mod link;
mod map;
mod reread;
mod route;
mod window;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wire::{LinkId, NodeId, Time};

pub use api::{Config, Error, Input, Output};
pub use cost::{Cost, LEVEL_MAX};
pub use glance::{Glance, glance};
pub use map::Map;
pub use reread::reread;

use frame::Frame;
use lazy::Lazy;
use link::Link;
use window::Heard;

/// One node's part of the network.
#[derive(Debug)]
pub struct Mesh {
    config: Config,
    me: NodeId,
    links: wire::Map<LinkId, Link>,
    map: Map,
    /// The nodes that can be reached, ourselves included.
    reach: BTreeSet<NodeId>,
    /// The neighbour on the way to each of them; none until a message to one needs it.
    hops: Option<BTreeMap<NodeId, NodeId>>,
    /// Which casts were heard.
    heard: Heard,
    /// Which casts others have that we lack.
    lazy: Lazy,
    /// Which messages to us were.
    got: Heard,
    version: u64,
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
            links: wire::Map::new(),
            map: Map::default(),
            reach: BTreeSet::from([me]),
            hops: None,
            version: 0,
            heard: Heard::default(),
            lazy: Lazy::default(),
            got: Heard::default(),
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
            Input::Links { node, links } => {
                let turn = self.map.turn(node, links, &self.reach);
                self.hops = None;
                if turn.lost || turn.bridged || !self.waiting.is_empty() {
                    self.find_ways(now);
                }
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
        let waiting = self.waiting.iter().map(route::Waiting::timeout);
        links.chain(waiting).chain(self.lazy.timeout()).min()
    }

    /// The neighbours: whoever has an open link.
    #[must_use]
    pub fn neighbours(&self) -> BTreeSet<NodeId> {
        self.links.values().map(|link| link.peer).collect()
    }

    /// The neighbours that were heard lately.
    #[must_use]
    pub fn trusted(&self) -> BTreeSet<NodeId> {
        self.links.values().filter(|link| !link.suspect).map(|link| link.peer).collect()
    }

    /// The map as it was last given.
    #[must_use]
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// A number that grows whenever [`Mesh::reach`] may have changed.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The nodes that can be reached, ourselves included.
    #[must_use]
    pub fn reach(&self) -> &BTreeSet<NodeId> {
        &self.reach
    }

    /// The neighbours that were heard lately, and how long a frame takes to each.
    #[must_use]
    pub fn costs(&self) -> BTreeMap<NodeId, Cost> {
        let mut costs = BTreeMap::new();
        for link in self.links.values().filter(|link| !link.suspect) {
            costs.entry(link.peer).or_insert(link.cost);
        }
        costs
    }

    fn check_size(&self, payload: &[u8]) -> Result<(), Error> {
        if payload.len() > self.config.message_bytes_max {
            return Err(Error::Limit("the size of a message"));
        }
        Ok(())
    }
}
