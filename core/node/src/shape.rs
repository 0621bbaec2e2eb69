//! The shape of a large network: no node that alone holds it together, and no more links than it needs.

use wire::{Set, Sure, Time};

use crate::Node;
use crate::presence::Haste;

/// Of more nodes than these, each keeps as many links as it would ever open: trees follow the map late there, so that each
/// link that is dropped costs many a delivery some time, and a link costs a beat a second.
const LARGE: usize = 64;

/// How many links beyond [`Config::links_aim`](crate::Config::links_aim) both ends of a link have that is dropped.
const SURPLUS_MIN: usize = 1;

/// How many links beyond [`Config::links_max`](crate::Config::links_max) are no reason to hurry.
const CALM: usize = 2;

/// How long a link stays open after we have taken it from the map, in the time that changes are gathered: until
/// everybody has heard of it.
const RETIRES: u32 = 80;

impl Node {
    /// Where one node alone holds the network together, its neighbours on both sides link to each other. What we were about
    /// to drop and is needed now stays: nobody else counts on it, so whoever is behind it would be gone before long.
    pub(crate) fn look_for_cuts(&mut self, now: Time) {
        if self.mend_at.is_none_or(|at| now < at) {
            return;
        }
        self.mend_at = None;
        self.keep_needed(now);
        self.mends.clear();
        if self.attendance.present().len() > self.config.full_mesh_max {
            let cuts = self.mesh.map().cuts().into_iter();
            let of_pair = |(_, one, other)| match self.me {
                me if me == one => Some(other),
                me if me == other => Some(one),
                _ => None,
            };
            self.mends = cuts.filter_map(of_pair).collect();
        }
        self.dial_is_stale |= !self.mends.is_empty();
    }

    /// How many live links we mean to keep.
    pub(crate) fn degree(&self) -> usize {
        self.mesh.costs().keys().filter(|peer| !self.retiring.contains_key(peer)).count()
    }

    /// Drops one link that nobody would miss, now and then: the slowest that the nodes opened themselves, of those whose
    /// both ends have links to spare and are joined by more than one other way. Links that came by an invite stay, unless
    /// there are more than we would ever open: islands are joined by invites again and again.
    pub(crate) fn drop_surplus(&mut self, now: Time) {
        if self.prune_at.is_none_or(|at| now < at) {
            return;
        }
        self.prune_at = None;
        let is_large = self.attendance.present().len() > LARGE;
        let enough =
            if is_large { self.config.links_max } else { self.config.links_aim + SURPLUS_MIN };
        let degree = self.degree();
        if self.attendance.present().len() <= self.config.full_mesh_max || degree <= enough {
            return;
        }
        self.plan_pruning(now);
        let has_too_many = degree > self.config.links_max;
        let map = self.mesh.map();
        let costs = self.mesh.costs();
        let surplus = costs.iter().filter(|(peer, _)| {
            (has_too_many || self.repairs.contains(peer))
                && !self.retiring.contains_key(peer)
                && map.degree(**peer)
                    > if has_too_many { self.config.links_aim - 1 } else { enough }
                && map.degree(self.me) > enough
        });
        let invited = |peer| !self.repairs.contains(peer);
        let surplus: Set<_> =
            surplus.map(|(peer, cost)| (invited(peer), std::cmp::Reverse(*cost), *peer)).collect();
        let spares = |peer| map.can_spare(self.me, peer, &self.retiring);
        let spare = surplus.iter().find(|(.., peer)| spares(*peer)).copied();
        if let Some((.., peer)) = spare {
            // First it leaves the map, so that nothing is sent that way any more, and then it is hung up.
            self.retiring.insert(peer, now + self.config.gather * RETIRES);
            self.on_links_changed(now, Haste::None);
        }
    }

    /// Hangs up what all have heard of by now.
    pub(crate) fn hang_up_retired(&mut self, now: Time) {
        let is_over = |at: &Time| now >= *at;
        if !self.retiring.values().any(is_over) {
            return;
        }
        self.keep_needed(now);
        let over = self.retiring.iter().filter(|(_, at)| is_over(at)).map(|(peer, _)| *peer);
        for peer in over.collect::<Vec<_>>() {
            self.retiring.remove(&peer);
            self.mesh_input(now, mesh::Input::Shun { peer })
                .sure("nothing is said when a link is hung up that could be refused");
        }
    }

    /// Where others have gone, or dropped links, that were to stand in for one that we are about to drop, it stays.
    fn keep_needed(&mut self, now: Time) {
        for peer in self.retiring.keys().copied().collect::<Vec<_>>() {
            if !self.mesh.map().can_spare(self.me, peer, &self.retiring) {
                self.retiring.remove(&peer);
                self.on_links_changed(now, Haste::High);
                self.plan_pruning(now);
            }
        }
    }

    /// Thinks about dropping a link before long, the sooner the more there are beyond what we ever take, but not all nodes
    /// at the same time.
    pub(crate) fn plan_pruning(&mut self, now: Time) {
        let most = self.config.links_max + CALM;
        let too_many = self.degree().saturating_sub(most) as u32;
        let haste = if too_many > 0 { 10 + too_many } else { 1 };
        let jitter = self.dice.span(self.config.prune);
        let at = now + (self.config.prune + jitter) / haste;
        self.prune_at = Some(self.prune_at.map_or(at, |before| before.min(at)));
    }
}
