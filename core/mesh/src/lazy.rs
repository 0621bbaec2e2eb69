//! Broadcasts that were hinted at: asked for when the tree does not bring them.

use std::collections::VecDeque;

use wire::{LinkId, NodeId, Set, Time};

use crate::frame::{Cast, CastId, Frame, IDS_MAX};
use crate::queue::Whose;
use crate::trees::SMALL;
use crate::{Config, Mesh};

/// How many neighbours a broadcast is asked of.
const ASKS_MAX: u32 = 4;

/// How many times as long hints are gathered that have time, and up to twice that. Measured: with ten notices a second,
/// less than one hint for each that is heard, where hints at once would be three.
const UNHURRIED: u64 = 8;

/// What a cast that is kept takes beside its payload.
const KEPT_BYTES: usize = 128;

/// What was hinted at, and what we have hinted at ourselves.
#[derive(Debug, Default)]
pub(crate) struct Lazy {
    missing: wire::Map<CastId, Missing>,
    /// When to ask for the first of them.
    ask_at: Option<Time>,
    /// What may be asked of us and when it came, oldest first.
    kept: VecDeque<(Time, CastId, Cast)>,
    kept_bytes: usize,
    /// When to hint at what has come since.
    hint_at: Option<Time>,
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
    pub(crate) fn keep(&mut self, config: &Config, now: Time, id: CastId, cast: &Cast) {
        self.kept_bytes += KEPT_BYTES + cast.payload.len();
        self.kept.push_back((now, id, cast.clone()));
        while let Some((at, _, oldest)) = self.kept.front() {
            let is_needless = self.kept.len() > config.kept_max && now >= *at + config.kept;
            if !is_needless && self.kept_bytes <= config.kept_bytes_max {
                break;
            }
            self.kept_bytes -= KEPT_BYTES + oldest.payload.len();
            self.kept.pop_front();
        }
    }

    /// It has come.
    pub(crate) fn settle(&mut self, id: CastId) {
        self.missing.remove(&id);
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.ask_at.into_iter().chain(self.hint_at).min()
    }
}

impl Mesh {
    /// Hints are gathered for a moment: in a network in motion there are many. Those at what trees bring, unless somebody
    /// plays false, have time.
    pub(crate) fn plan_hint(&mut self, now: Time, id: LinkId, cast: CastId, has_time: bool) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.hints.len() < IDS_MAX {
            link.hints.push(cast);
        }
        // In a large network for longer, and for some longer than for others: where one end of a link has hinted, the
        // other need not.
        let longer = match self.map.len() {
            _ if has_time => UNHURRIED + self.me.0 % UNHURRIED,
            count if count > SMALL => 2 + self.me.0 % 5,
            _ => 1,
        };
        let at = now + self.config.hint * longer as u32;
        self.lazy.hint_at = Some(self.lazy.hint_at.map_or(at, |planned| planned.min(at)));
    }

    pub(crate) fn send_hints(&mut self, now: Time) {
        if self.lazy.hint_at.is_none_or(|at| now < at) {
            return;
        }
        self.lazy.hint_at = None;
        let due = self.links.iter().filter(|(_, link)| !link.hints.is_empty());
        for id in due.map(|(id, _)| *id).collect::<Vec<_>>() {
            if let Some(link) = self.links.get_mut(&id) {
                let hints = std::mem::take(&mut link.hints);
                self.send(now, id, &Frame::Hint(hints));
            }
        }
    }

    pub(crate) fn on_hint(
        &mut self,
        now: Time,
        link: LinkId,
        peer: NodeId,
        ids: &[CastId],
    ) -> Result<(), &'static str> {
        if ids.len() > IDS_MAX {
            return Err("too many hints");
        }
        if let Some(link) = self.links.get_mut(&link) {
            // Whoever hints at it has it.
            link.hints.retain(|id| !ids.contains(id));
        }
        let at = now + self.config.patience;
        // Of what one neighbour alone says it has, no more is waited for than leaves room for the others.
        let is_its = |missing: &&Missing| missing.holders.iter().eq([&peer]);
        let mut its = self.lazy.missing.values().filter(is_its).count();
        for id in ids.iter().filter(|id| id.author != self.me && !self.heard.has(**id)) {
            let room = self.lazy.missing.len() < self.config.missing_max
                && its < self.config.missing_max / 4;
            let fresh = || Missing { holders: VecDeque::new(), at, asks: 0 };
            let missing = match self.lazy.missing.get_mut(id) {
                Some(missing) => missing,
                None if room => {
                    its += 1;
                    self.lazy.missing.get_or_insert_with(*id, fresh)
                }
                // It is found when digests are compared.
                None => continue,
            };
            if missing.holders.len() < ASKS_MAX as usize && !missing.holders.contains(&peer) {
                missing.holders.push_back(peer);
            }
            self.lazy.ask_at.get_or_insert(at);
        }
        Ok(())
    }

    pub(crate) fn on_want(
        &mut self,
        now: Time,
        link: LinkId,
        ids: &[CastId],
    ) -> Result<(), &'static str> {
        if ids.len() > IDS_MAX {
            return Err("too many wants");
        }
        let ids: Set<CastId> = ids.iter().copied().collect();
        let kept = self.lazy.kept.iter().filter(|(_, kept, _)| ids.contains(kept));
        let frames = kept.map(|(_, id, cast)| (id.author, Frame::Cast(cast.clone()).encode()));
        for (author, frame) in frames.collect::<Vec<_>>() {
            self.send_bytes(now, link, Whose::Author(author), frame);
        }
        Ok(())
    }

    /// Asks for what was hinted at and has not come.
    pub(crate) fn ask_for_missing(&mut self, now: Time) {
        if self.lazy.ask_at.is_none_or(|at| now < at) {
            return;
        }
        let due = self.lazy.missing.iter_mut().filter(|(_, missing)| now >= missing.at);
        let mut asks: wire::Map<NodeId, Vec<CastId>> = wire::Map::new();
        for (id, missing) in due {
            missing.asks += 1;
            missing.at = now + self.config.patience * 2;
            missing.holders.rotate_left(1);
            if let Some(holder) = missing.holders.back() {
                asks.get_or_insert_with(*holder, Vec::new).push(*id);
            }
        }
        self.lazy.missing.retain(|_, missing| missing.asks <= ASKS_MAX);
        self.lazy.ask_at = self.lazy.missing.values().map(|missing| missing.at).min();
        for (holder, ids) in &asks {
            if let Some(link) = self.link_to(*holder) {
                self.send(now, link, &Frame::Want(ids.clone()));
            }
        }
    }
}
