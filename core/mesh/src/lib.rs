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
//!             its hash is remembered, so each node hears it once, and judged before it goes on
//!
//!   unicast   from ─▶ a ─▶ b ─▶ to            the frame carries its route
//!           ◀── receipt, back the same way; where a link is gone: around it, or no way back to the sender, who tries
//!               other ways for five seconds
//!
//!   tell      one hop
//! ```
//!
//! A cast names the hash of its author's map. Whoever has another map, or lacks a link that its map says it has,
//! forwards down the tree that it sees itself, and tells its other neighbours the number only: they ask for what the
//! trees do not bring. So a network at rest sends each cast N − 1 times and nothing else, and a network in motion loses
//! none that a flood would not lose, for little more. In a large network trees are used for a while after the map has
//! changed: what counts is that all use the same ones.
//!
//! A link that takes slowly what is sent is not sent more: what waits for it is bounded, and every author has its turn.
//! The driver is asked to say when all has been taken, and one that never is costs the link.
//!
//! A new link is measured once, by a ping and its echo. The records carry what came out, so the tree of an author is
//! that of the quickest ways: a cast arrives as early as a flood would bring it.
//!
//! A cast is known by its hash, and whoever drives the mesh judges each before it goes on: what somebody makes up in
//! another's name stays where it is, takes up no number of that other, and costs nothing but the link it came over.
//! What nothing but casts brings (`fleeting`) is hinted at even where maps agree, so that a hop that swallows it keeps it
//! from nobody who is linked to somebody else that has it.
//!
//! **Invariant:** each cast is handed up at most once while it is one of the last 256 of its author, on any graph,
//! whatever the duplication.
//! **Invariant:** a frame from outside never panics; one that cannot be read costs its sender the link.
//! **Invariant:** memory is bounded by [`Config`], whatever arrives.
//! **Invariant:** no frame goes further than 64 hops, and none to one that visits a node twice.
//!
//! Limits: [`Config`]. A neighbour that floods is hung up, an author that floods is heard as fast as it may speak and
//! no faster, a link that only one end claims counts for nothing, and what somebody said who has crashed since counts no
//! more, whoever keeps it up.
//!
//! Sources: reverse-path trees after Dalal and Metcalfe, 1978; the liveness figures were measured in Chromium, which
//! notices a killed peer after seven seconds only.

mod api;
mod brief;
mod cast;
mod cost;
mod cuts;
mod frame;
mod glance;
mod heard;
mod lazy;
mod link;
mod map;
mod pace;
mod queue;
mod reach;
mod reread;
mod route;
mod trees;
mod worn;

use std::collections::VecDeque;

use wire::{LinkId, NodeId, Time};

pub use api::{Config, Error, Input, Output, Verdict};
pub use brief::{BRIEF_BITS, Brief};
pub use cost::{Cost, LEVEL_MAX};
pub use glance::{Glance, glance};
pub use map::Map;
pub use reread::reread;

use frame::Frame;
use heard::Heard;
use lazy::Lazy;
use link::Link;
use queue::Whose;
use reach::Reach;
use route::Waiting;
use trees::Trees;

/// One node's part of the network.
#[derive(Debug)]
pub struct Mesh {
    config: Config,
    me: NodeId,
    links: wire::Map<LinkId, Link>,
    /// When beats are due.
    tick_at: Option<Time>,
    /// When a link has been silent for too long, if that is before the next beat.
    doubt_at: Option<Time>,
    map: Map,
    reach: Reach,
    trees: Trees,
    /// Which casts were heard.
    heard: Heard,
    /// Casts that were handed up and not judged yet, oldest first.
    unjudged: VecDeque<cast::Unjudged>,
    /// Which casts others have that we lack.
    lazy: Lazy,
    /// The last that was handed up, until it is opened.
    unopened: Option<frame::Unicast>,
    seq: u64,
    digest: u32,
    /// When it last changed.
    digested: Time,
    waiting: VecDeque<Waiting>,
    /// When one of them is due.
    waiting_at: Option<Time>,
    /// When to compare with others what we have, after a loss, and how often in all.
    compare_at: Option<(Time, u32)>,
    /// When we last looked at the time, to notice that we slept.
    looked: Time,
    outputs: VecDeque<Output>,
}

impl Mesh {
    /// A node without links, whose casts are numbered from `first`. A node that comes back must start higher than it
    /// left.
    #[must_use]
    pub fn new(config: Config, now: Time, me: NodeId, first: u64) -> Self {
        let mut map = Map::default();
        map.number(me);
        Self {
            config,
            me,
            links: wire::Map::new(),
            tick_at: None,
            doubt_at: None,
            map,
            reach: Reach::default(),
            trees: Trees::default(),
            heard: Heard::default(),
            unjudged: VecDeque::new(),
            lazy: Lazy::default(),
            unopened: None,
            seq: first,
            digest: 0,
            digested: now,
            waiting: VecDeque::new(),
            waiting_at: None,
            compare_at: None,
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
            Input::Flushed { link } => self.on_flushed(now, link),
            Input::Links { node, links } => self.on_links(now, node, links),
            Input::Digest(digest) => {
                if self.digest != digest {
                    (self.digest, self.digested) = (digest, now);
                }
            }
            Input::Cast { payload, except, fleeting } => {
                self.check_size(&payload)?;
                self.cast(now, payload, except, fleeting);
            }
            Input::Judged(verdict) => self.on_judged(now, verdict),
            Input::Unicast { to, id, receipt, payload } => {
                self.check_size(&payload)?;
                self.unicast(now, Waiting::new(to, id, receipt, payload));
            }
            Input::Opened(receipt) => self.on_opened(now, receipt),
            Input::Shun { peer } => self.shun(now, peer),
            Input::Tell { peer, payload } => {
                self.check_size(&payload)?;
                if let Some(link) = self.link_to(peer) {
                    self.send_bytes(now, link, Whose::Told, Frame::Tell(payload).encode());
                }
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
        let compare_at = self.compare_at.map(|(at, _)| at);
        let own = [self.tick_at, self.doubt_at, self.waiting_at, compare_at, self.lazy.timeout()];
        own.into_iter().flatten().min()
    }

    /// The neighbours: whoever has an open link, oldest link first.
    #[must_use]
    pub fn neighbours(&self) -> Vec<NodeId> {
        self.first_links().map(|(_, link)| link.peer).collect()
    }

    /// The neighbours that were heard lately.
    #[must_use]
    pub fn trusted(&self) -> Vec<NodeId> {
        let live = self.first_links().filter(|(_, link)| !link.suspect);
        live.map(|(_, link)| link.peer).collect()
    }

    /// The map as it was last given.
    #[must_use]
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// What we should say of our own links: the neighbours that were heard lately and say that they are linked to us, or
    /// may be about to; and how long a frame takes to each.
    #[must_use]
    pub fn costs(&self) -> wire::Map<NodeId, Cost> {
        let live = self.first_links().filter(|(_, link)| !link.suspect && !link.naming.is_mute);
        live.map(|(_, link)| (link.peer, link.cost)).collect()
    }

    /// Claims beyond what a node may have count for nothing; what the others claim of it does not either.
    fn on_links(&mut self, now: Time, node: NodeId, links: wire::Map<Brief, Cost>) {
        let links = if links.len() > self.config.links_max {
            links.iter().take(self.config.links_max).map(|(peer, cost)| (*peer, *cost)).collect()
        } else {
            links
        };
        let known = self.map.len();
        let turn = self.map.turn(now, node, links);
        self.on_turn(now, turn);
        if known == trees::SMALL && self.map.len() > known {
            self.plan_comparing(now);
        }
    }

    fn check_size(&self, payload: &[u8]) -> Result<(), Error> {
        if payload.len() > self.config.message_bytes_max {
            return Err(Error::Limit("the size of a message"));
        }
        Ok(())
    }
}
