//! Broadcasts that were hinted at: asked for when the tree does not bring them.

use std::collections::VecDeque;

use wire::{NodeId, Time};

use crate::frame::{Cast, Frame};
use crate::{Config, Mesh};

/// How many neighbours a broadcast is asked of.
const ASKS_MAX: u32 = 4;

/// What was hinted at, and what we have hinted at ourselves.
#[derive(Debug, Default)]
pub(crate) struct Lazy {
    missing: wire::Map<(NodeId, u64), Missing>,
    /// What may be asked of us, oldest first.
    kept: VecDeque<Cast>,
    kept_bytes: usize,
}

/// A broadcast that others have.
#[derive(Debug)]
struct Missing {
    /// Who has it, whoever is to be asked next first.
    holders: VecDeque<NodeId>,
    at: Time,
    asks: u32,
}

impl Lazy {
    /// Keeps what neighbours may ask for.
    pub(crate) fn keep(&mut self, config: &Config, cast: &Cast) {
        self.kept_bytes += cast.payload.len();
        self.kept.push_back(cast.clone());
        while self.kept.len() > config.kept_max || self.kept_bytes > config.kept_bytes_max {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.kept_bytes -= oldest.payload.len();
        }
    }

    /// It has come.
    pub(crate) fn settle(&mut self, author: NodeId, seq: u64) {
        self.missing.remove(&(author, seq));
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.missing.values().map(|missing| missing.at).min()
    }
}

impl Mesh {
    pub(crate) fn on_hint(&mut self, now: Time, peer: NodeId, author: NodeId, seq: u64) {
        if author == self.me || self.heard.has(author, seq) {
            return;
        }
        let room = self.lazy.missing.len() < self.config.missing_max;
        let at = now + self.config.patience;
        let fresh = || Missing { holders: VecDeque::new(), at, asks: 0 };
        let missing = match self.lazy.missing.get_mut(&(author, seq)) {
            Some(missing) => missing,
            None if room => self.lazy.missing.get_or_insert_with((author, seq), fresh),
            // It is found when digests are compared.
            None => return,
        };
        if missing.holders.len() < ASKS_MAX as usize && !missing.holders.contains(&peer) {
            missing.holders.push_back(peer);
        }
    }

    pub(crate) fn on_want(&mut self, now: Time, peer: NodeId, author: NodeId, seq: u64) {
        let kept = self.lazy.kept.iter().find(|cast| (cast.author, cast.seq) == (author, seq));
        if let Some(cast) = kept {
            let frame = Frame::Cast(cast.clone());
            self.send_to(now, peer, &frame);
        }
    }

    /// Asks for what was hinted at and has not come.
    pub(crate) fn ask_for_missing(&mut self, now: Time) {
        let due = self.lazy.missing.iter_mut().filter(|(_, missing)| now >= missing.at);
        let mut asks = Vec::new();
        for (id, missing) in due {
            missing.asks += 1;
            missing.at = now + self.config.patience * 2;
            missing.holders.rotate_left(1);
            if let Some(holder) = missing.holders.back() {
                asks.push((*holder, *id));
            }
        }
        self.lazy.missing.retain(|_, missing| missing.asks <= ASKS_MAX);
        for (holder, (author, seq)) in asks {
            self.send_to(now, holder, &Frame::Want { author, seq });
        }
    }
}
