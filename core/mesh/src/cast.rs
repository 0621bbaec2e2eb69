//! To all: down the author's tree, with hints beside it where maps differ, and for what nothing else would bring.
//!
//! Whoever drives the mesh judges what is heard before it goes on, so that what is made up goes no further than to the
//! neighbours of whoever made it up, and costs nobody else anything.

use wire::{LinkId, NodeId, Time};

use crate::frame::{Cast, CastId, FLEETING, Frame};
use crate::pace::Pace;
use crate::queue::Whose;
use crate::{Config, Mesh, Output, Verdict};

/// How far a cast may go at most: further than any network of our size is wide.
pub(crate) const HOPS_MAX: u8 = 64;

/// Stands for the map when trees are known to be broken: it is nobody's.
const UNSURE: [u8; 4] = [0; 4];

/// How many casts wait to be judged. Whoever drives us judges each at once.
const UNJUDGED_MAX: usize = 64;

/// A cast that was handed up and not judged yet.
#[derive(Debug)]
pub(crate) struct Unjudged {
    link: LinkId,
    peer: NodeId,
    cast: Cast,
    id: CastId,
}

/// What one neighbour hands on that is of no use, or may not be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waste {
    /// All of it.
    all: Pace,
    /// What of it went on, since nobody could tell.
    passed: Pace,
}

impl Waste {
    fn has_room(&self, config: &Config, now: Time) -> bool {
        self.all.has_room(now, config.waste_pace, config.waste_burst)
    }

    fn count(&mut self, config: &Config, now: Time) {
        self.all.allows(now, config.waste_pace, config.waste_burst);
    }

    fn lets_pass(&mut self, config: &Config, now: Time) -> bool {
        self.passed.allows(now, config.doubt_pace, config.doubt_burst)
    }
}

impl Mesh {
    pub(crate) fn cast(
        &mut self,
        now: Time,
        payload: Vec<u8>,
        except: Option<NodeId>,
        fleeting: bool,
    ) {
        self.seq += 1;
        self.draw_trees(now);
        let map = self.trees.hash().to_le_bytes();
        let hops = if fleeting { HOPS_MAX | FLEETING } else { HOPS_MAX };
        let cast = Cast { author: self.me, seq: self.seq, map, hops, payload };
        let id = cast.id();
        self.forward(now, except, cast, id);
    }

    pub(crate) fn on_cast(
        &mut self,
        now: Time,
        (link, peer): (LinkId, NodeId),
        cast: Cast,
        id: CastId,
    ) {
        let (author, config) = (cast.author, &self.config);
        if author == self.me || self.heard.has(id) {
            return;
        }
        // What comes faster is not looked at; it is found when digests are compared.
        let pace = self.heard.pace(author);
        let wastes = self.links.get(&link).is_some_and(|link| !link.waste.has_room(config, now));
        if wastes || !pace.has_room(now, config.author_pace, config.author_burst) {
            return;
        }
        self.heard.add(config.authors_max, id);
        self.lazy.settle(id);
        self.outputs.push_back(Output::Heard { author, payload: cast.payload.clone() });
        self.unjudged.push_back(Unjudged { link, peer, cast, id });
        if self.unjudged.len() > UNJUDGED_MAX {
            self.unjudged.pop_front();
        }
    }

    /// What the oldest cast that was handed up turned out to be.
    pub(crate) fn on_judged(&mut self, now: Time, verdict: Verdict) {
        let Some(Unjudged { link, peer, mut cast, id }) = self.unjudged.pop_front() else { return };
        let config = &self.config;
        let mut link = self.links.get_mut(&link);
        if let (Some(link), Verdict::Old | Verdict::Unknown | Verdict::Bad) = (&mut link, verdict) {
            link.waste.count(config, now);
        }
        let goes_on = match verdict {
            Verdict::Good => {
                let pace = self.heard.pace_mut(cast.author);
                pace.is_none_or(|pace| pace.allows(now, config.author_pace, config.author_burst))
            }
            // Of what is said to be one message, one goes on: there may be as many as somebody likes to make up.
            Verdict::Unknown => {
                self.heard.doubt(cast.author, cast.seq)
                    && link.is_none_or(|link| link.waste.lets_pass(config, now))
            }
            Verdict::Old | Verdict::Bad => false,
        };
        if !goes_on {
            return;
        }
        let fleeting = cast.hops & FLEETING;
        cast.hops = (cast.hops & !FLEETING).min(HOPS_MAX).saturating_sub(1) | fleeting;
        self.draw_trees(now);
        self.forward(now, Some(peer), cast, id);
    }

    fn forward(&mut self, now: Time, except: Option<NodeId>, mut cast: Cast, id: CastId) {
        if !self.is_settled() {
            // Others may not know yet that a link of the trees is lost, and what hangs on it: they hint too.
            cast.map = UNSURE;
        }
        let is_sure = cast.map == self.trees.hash().to_le_bytes();
        // One that has come too far, or was sent so by whoever would have it end here, goes on where it is asked for.
        let is_tired = cast.hops & !FLEETING == 0;
        let author = cast.author;
        // Whoever is not on our part of the map yet has no tree: it is as if whoever brought it had said it.
        let place = |node| self.map.place(node);
        let has_tree = |at: &usize| self.trees.has(*at);
        let root = place(author).filter(has_tree).or_else(|| except.and_then(place));
        let (mut children, mut others): (Vec<LinkId>, Vec<LinkId>) = (Vec::new(), Vec::new());
        for (id, link) in self.first_links() {
            let peer = link.peer;
            if Some(peer) == except || peer == author {
                continue;
            }
            if !is_tired && self.trees.is_child(root, peer, link.place) {
                children.push(id);
            } else if !is_sure || is_tired || cast.is_fleeting() {
                others.push(id);
            }
        }
        if !others.is_empty() {
            self.lazy.keep(&self.config, now, id, &cast);
        }
        for other in others {
            self.plan_hint(now, other, id, is_sure && !is_tired);
        }
        let Some((last, rest)) = children.split_last() else { return };
        let frame = Frame::Cast(cast).encode();
        for child in rest {
            self.send_bytes(now, *child, Whose::Author(author), frame.clone());
        }
        self.send_bytes(now, *last, Whose::Author(author), frame);
    }
}
