//! To all: down the author's tree, or by flood where maps differ.

use wire::{NodeId, Time};

use crate::frame::{Cast, Frame};
use crate::window::Window;
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
        if cast.author == self.me || !self.is_new(cast.author, cast.seq) {
            return;
        }
        let (author, payload) = (cast.author, cast.payload.clone());
        self.outputs.push_back(Output::Heard { author, payload });
        cast.hops = cast.hops.min(HOPS_MAX).saturating_sub(1);
        if cast.hops > 0 {
            self.forward(now, Some(peer), cast);
        }
    }

    fn forward(&mut self, now: Time, except: Option<NodeId>, cast: Cast) {
        let same_map = cast.map == self.map.hash().to_le_bytes();
        let neighbours = self.neighbours();
        let mut to = if same_map && self.is_settled(&neighbours) {
            self.map.children(cast.author, self.me, &neighbours)
        } else {
            neighbours.into_iter().collect()
        };
        to.retain(|peer| Some(*peer) != except && *peer != cast.author);
        if to.is_empty() {
            return;
        }
        let frame = Frame::Cast(cast);
        for peer in to {
            self.send_to(now, peer, &frame);
        }
    }

    fn is_new(&mut self, author: NodeId, seq: u64) -> bool {
        self.heard += 1;
        let heard = self.heard;
        if let Some((last, window)) = self.windows.get_mut(&author) {
            *last = heard;
            return window.insert(seq);
        }
        if self.windows.len() >= self.config.authors_max {
            let stalest = self.windows.iter().min_by_key(|(_, (last, _))| *last);
            if let Some(author) = stalest.map(|(author, _)| *author) {
                self.windows.remove(&author);
            }
        }
        self.windows.insert(author, (heard, Window::beginning_with(seq)));
        true
    }
}
