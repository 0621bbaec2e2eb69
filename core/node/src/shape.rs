//! The shape of a large network: no node that alone holds it together, and no more links than it needs.

use wire::{NodeId, Time};

use crate::Node;

/// How many links beyond [`Config::links_aim`](crate::Config::links_aim) both ends of a link have that is dropped.
const SURPLUS_MIN: usize = 1;

impl Node {
    /// Where one node alone holds the network together, its neighbours on both sides link to each other.
    pub(crate) fn look_for_cuts(&mut self, now: Time) {
        if self.mend_at.is_none_or(|at| now < at) {
            return;
        }
        self.mend_at = None;
        self.mends.clear();
        if self.present.len() > self.config.full_mesh_max {
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

    /// Drops one link that nobody would miss, now and then: the slowest that we opened, or that was opened to us, of
    /// those whose both ends have links to spare and without which no node alone holds the network together. Links
    /// that came by an invite stay.
    pub(crate) fn drop_surplus(&mut self, now: Time) {
        if self.prune_at.is_none_or(|at| now < at) {
            return;
        }
        self.prune_at = None;
        let enough = self.config.links_aim + SURPLUS_MIN;
        let degree = self.mesh.trusted().len();
        if self.present.len() <= self.config.full_mesh_max || degree <= enough {
            return;
        }
        self.plan_pruning(now);
        let map = self.mesh.map();
        let costs = self.mesh.costs();
        let surplus = costs.iter().filter(|(peer, _)| {
            self.repairs.contains(peer)
                && map.degree(**peer) > enough
                && map.degree(self.me) > enough
        });
        let mut surplus: Vec<NodeId> = surplus.map(|(peer, _)| *peer).collect();
        surplus.sort_by_key(|peer| (std::cmp::Reverse(costs[peer]), *peer));
        if let Some(peer) = surplus.into_iter().find(|peer| map.can_spare(self.me, *peer)) {
            self.mesh_input(now, mesh::Input::Shun { peer })
                .expect("nothing is said when a link is hung up that could be refused");
        }
    }

    /// Thinks about dropping a link before long, but not all nodes at the same time.
    pub(crate) fn plan_pruning(&mut self, now: Time) {
        if self.prune_at.is_none() {
            let jitter = self.config.prune.mul_f64(self.dice.below(1_000) as f64 / 1_000.0);
            self.prune_at = Some(now + self.config.prune + jitter);
        }
    }
}
