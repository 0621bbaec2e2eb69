//! To all: down the author's tree, with hints beside it where maps differ.

use wire::{LinkId, NodeId, Time};

use crate::frame::{Cast, CastId, Frame};
use crate::queue::Whose;
use crate::{Mesh, Output};

/// How far a cast may go at most: further than any network of our size is wide.
pub(crate) const HOPS_MAX: u8 = 64;

/// Stands for the map when trees are known to be broken: it is nobody's.
const UNSURE: [u8; 4] = [0; 4];

impl Mesh {
    pub(crate) fn cast(&mut self, now: Time, payload: Vec<u8>, except: Option<NodeId>) {
        self.seq += 1;
        self.draw_trees(now);
        let id = CastId { author: self.me, seq: self.seq };
        let map = self.trees.hash().to_le_bytes();
        self.forward(now, except, Cast { id, map, hops: HOPS_MAX, payload });
    }

    pub(crate) fn on_cast(&mut self, now: Time, peer: NodeId, mut cast: Cast) {
        let (author, config) = (cast.id.author, &self.config);
        if author == self.me || self.heard.has(cast.id) {
            return;
        }
        // What comes faster goes no further; it is found when digests are compared.
        let (pause, burst) = (config.author_pace, config.author_burst);
        if !self.heard.hear(config.authors_max, cast.id, |pace| pace.allows(now, pause, burst)) {
            return;
        }
        self.lazy.settle(cast.id);
        self.outputs.push_back(Output::Heard { author, payload: cast.payload.clone() });
        cast.hops = cast.hops.min(HOPS_MAX).saturating_sub(1);
        if cast.hops > 0 {
            self.draw_trees(now);
            self.forward(now, Some(peer), cast);
        }
    }

    fn forward(&mut self, now: Time, except: Option<NodeId>, mut cast: Cast) {
        if !self.is_settled() {
            // Others may not know yet that a link of the trees is lost, and what hangs on it: they hint too.
            cast.map = UNSURE;
        }
        let is_sure = cast.map == self.trees.hash().to_le_bytes();
        let (id, author) = (cast.id, cast.id.author);
        // Whoever is not on the map yet has no tree: it is as if whoever brought it had said it.
        let place = |node| self.map.place(node);
        let has_tree = |at: &usize| self.trees.has(*at);
        let root = place(author).filter(has_tree).or_else(|| except.and_then(place));
        let (mut children, mut others): (Vec<LinkId>, Vec<LinkId>) = (Vec::new(), Vec::new());
        for (id, link) in self.first_links() {
            let peer = link.peer;
            if Some(peer) == except || peer == author {
                continue;
            }
            if self.trees.is_child(root, peer, link.place) {
                children.push(id);
            } else if !is_sure {
                others.push(id);
            }
        }
        if !others.is_empty() {
            self.lazy.keep(&self.config, &cast);
        }
        for other in others {
            self.plan_hint(now, other, id);
        }
        let Some((last, rest)) = children.split_last() else { return };
        let frame = Frame::Cast(cast).encode();
        for child in rest {
            self.send_bytes(now, *child, Whose::Author(author), frame.clone());
        }
        self.send_bytes(now, *last, Whose::Author(author), frame);
    }
}
