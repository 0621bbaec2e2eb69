//! To all: down the author's tree, with hints beside it where maps differ.

use wire::{NodeId, Time};

use crate::frame::{Cast, Frame};
use crate::{Mesh, Output};

/// How far a cast may go at most: further than any network of our size is wide.
pub(crate) const HOPS_MAX: u8 = 64;

impl Mesh {
    pub(crate) fn cast(&mut self, now: Time, payload: Vec<u8>, except: Option<NodeId>) {
        self.seq += 1;
        let map = self.map.hash().to_le_bytes();
        let cast = Cast { author: self.me, seq: self.seq, map, hops: HOPS_MAX, payload };
        self.forward(now, except, cast);
    }

    pub(crate) fn on_cast(&mut self, now: Time, peer: NodeId, mut cast: Cast) {
        if cast.author == self.me
            || !self.heard.is_new(self.config.authors_max, cast.author, cast.seq)
        {
            return;
        }
        self.lazy.settle(cast.author, cast.seq);
        let (author, payload) = (cast.author, cast.payload.clone());
        self.outputs.push_back(Output::Heard { author, payload });
        cast.hops = cast.hops.min(HOPS_MAX).saturating_sub(1);
        if cast.hops > 0 {
            self.forward(now, Some(peer), cast);
        }
    }

    fn forward(&mut self, now: Time, except: Option<NodeId>, cast: Cast) {
        let neighbours = self.neighbours();
        let is_sure = cast.map == self.map.hash().to_le_bytes() && self.is_settled();
        let author = cast.author;
        let needs = |peer: &NodeId| Some(*peer) != except && *peer != author;
        // Whoever is not on the map yet has no tree: it is as if whoever brought it had said it.
        let root = if self.map.degree(author) > 0 { author } else { except.unwrap_or(author) };
        let mut children = self.map.children(root, self.me, &neighbours);
        children.retain(needs);
        if !is_sure {
            let hint = Frame::Hint { author, seq: cast.seq };
            let others = neighbours.into_iter().filter(|peer| !children.contains(peer));
            let others: Vec<NodeId> = others.filter(needs).collect();
            for peer in &others {
                self.send_to(now, *peer, &hint);
            }
            if !others.is_empty() {
                self.lazy.keep(&self.config, &cast);
            }
        }
        if children.is_empty() {
            return;
        }
        let frame = Frame::Cast(cast);
        for peer in children {
            self.send_to(now, peer, &frame);
        }
    }
}
