//! Links that the node opens by itself, signalled over the mesh.
//!
//! ```text
//!   us (dialling)                                                the peer (answering)
//!     Dial ▶ driver ▶ Described(offer) ── Offer ──▶ Answer ▶ driver ▶ Described(answer)
//!     Up ◀ driver ◀ Apply ◀────────────── Answer ──────────────────────┘        Up ◀ driver
//! ```

use wire::{LinkId, NodeId, Time};

use crate::words::Private;
use crate::{Config, Error, Misuse, Node, Output};

/// How many links a node takes beyond [`Config::links_max`], since the network would be cut without them: twice as many as
/// it keeps without haste, for whoever invited others has more than it would ever open.
const MENDS_MAX: usize = 4;

/// How long whoever came is content with one link more than at first, in the time that it was new.
const SETTLES: u32 = 9;

/// A link on its way.
#[derive(Debug)]
pub(crate) struct Attempt {
    peer: NodeId,
    /// Whether we dial, rather than answer.
    is_ours: bool,
    stage: Stage,
    pub(crate) until: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The driver makes our offer.
    Offering,
    /// The peer has our offer.
    Offered,
    /// The driver makes our answer to the peer's attempt of that number.
    Answering(u64),
    /// Both have all they need.
    Opening,
}

/// How often a link to a peer was tried, and when it may be tried again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tries {
    count: u32,
    next: Time,
}

impl Node {
    /// Dials whom we want a link to.
    pub(crate) fn dial_wanted(&mut self, now: Time) {
        self.look_for_cuts(now);
        self.drop_surplus(now);
        self.hang_up_retired(now);
        self.seek(now);
        if !self.dial_is_stale && self.dial_at.is_none_or(|at| now < at) {
            return;
        }
        self.dial_is_stale = false;
        self.dial_at = self.strikes.values().map(|tries| tries.next).filter(|at| now < *at).min();
        let aim = self.aim(now);
        for peer in self.wanted(now, aim) {
            if self.attempts.len() >= self.config.attempts_max {
                return;
            }
            let tries = self.tries.get(&peer);
            match tries {
                Some(tries) if tries.count >= self.config.tries_max => {}
                Some(tries) if now < tries.next => {
                    let next = tries.next;
                    self.dial_at = Some(self.dial_at.map_or(next, |at| at.min(next)));
                }
                Some(_) | None => self.dial(now, peer),
            }
        }
    }

    /// How many links we want: whoever is new waits for those that others bring.
    fn aim(&mut self, now: Time) -> usize {
        let Some(until) = self.new_until else { return self.config.links_aim };
        let settled = until + self.config.newness * SETTLES;
        let (aim, next) = match now {
            now if now < until => (self.config.links_first, until),
            now if now < settled => (self.config.links_first + 1, settled),
            _ => {
                self.new_until = None;
                return self.config.links_aim;
            }
        };
        self.dial_at = Some(self.dial_at.map_or(next, |at| at.min(next)));
        aim
    }

    /// Whom we should dial: in a small conference everybody with a higher name; in a large one a few, chosen so that
    /// both ends of a pair think alike of it, until we have enough links.
    fn wanted(&self, now: Time, aim: usize) -> Vec<NodeId> {
        let linked = self.mesh.neighbours();
        let is_free = |peer: &NodeId| {
            *peer != self.me
                && !linked.contains(peer)
                && self.attempts.values().all(|attempt| attempt.peer != *peer)
                && self.doors.values().all(|guest| guest.peer != *peer)
                && !self.is_shunned(now, *peer)
        };
        let free = self.attendance.present().iter().copied().filter(is_free);
        if self.attendance.present().len() <= self.config.full_mesh_max {
            return free.filter(|peer| self.me < *peer).collect();
        }
        let mut wanted: Vec<NodeId> = self.mends.iter().copied().filter(is_free).collect();
        wanted.retain(|peer| self.me < *peer && self.attendance.present().contains(peer));
        let degree = self.degree() + self.attempts.len() + wanted.len();
        let lacking = aim.saturating_sub(degree);
        if lacking == 0 {
            return wanted;
        }
        let map = self.mesh.map();
        let mut best: Vec<(bool, bool, u64, NodeId)> = Vec::new();
        for peer in free.filter(|peer| !wanted.contains(peer)) {
            let degree = map.degree(peer);
            if degree >= self.config.links_max {
                continue;
            }
            let is_rich = degree > self.config.links_aim;
            let rank = (self.is_tired_of(&peer), is_rich, affinity(self.me, peer), peer);
            let place = best.partition_point(|other| *other < rank);
            if place < lacking {
                best.insert(place, rank);
                best.truncate(lacking);
            }
        }
        wanted.extend(best.into_iter().map(|(.., peer)| peer));
        wanted
    }

    /// Whether the last try to link to `peer` failed: others come first.
    fn is_tired_of(&self, peer: &NodeId) -> bool {
        self.tries.contains_key(peer)
    }

    /// A neighbour did not keep to the protocol and was hung up: no link of our own to it for a while, and for longer
    /// each time. Whoever is let in again at once costs us a link again at once.
    pub(crate) fn strike(&mut self, now: Time, peer: NodeId) {
        let count = self.strikes.get(&peer).map_or(0, |strikes| strikes.count) + 1;
        let next = now + pause(&self.config, count);
        self.strikes.insert(peer, Tries { count, next });
        self.dial_is_stale = true;
    }

    fn is_shunned(&self, now: Time, peer: NodeId) -> bool {
        self.strikes.get(&peer).is_some_and(|strikes| now < strikes.next)
    }

    fn dial(&mut self, now: Time, peer: NodeId) {
        let link = self.begin(now, peer, Stage::Offering);
        self.outputs.push_back(Output::Dial { link, peer });
    }

    fn begin(&mut self, now: Time, peer: NodeId, stage: Stage) -> LinkId {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        let until = now + self.config.dial;
        let is_ours = stage == Stage::Offering;
        self.attempts.insert(link, Attempt { peer, is_ours, stage, until });
        self.dial_is_stale = true;
        link
    }

    pub(crate) fn on_described(
        &mut self,
        now: Time,
        link: LinkId,
        description: String,
    ) -> Result<(), Error> {
        let attempt = self.attempts.get_mut(&link).ok_or(Error::Misuse(Misuse::UnknownLink))?;
        let words = match attempt.stage {
            Stage::Offering => {
                attempt.stage = Stage::Offered;
                Private::Offer { attempt: link.0, description }
            }
            Stage::Answering(theirs) => {
                attempt.stage = Stage::Opening;
                Private::Answer { attempt: theirs, description }
            }
            Stage::Offered | Stage::Opening => return Err(Error::Misuse(Misuse::UnknownLink)),
        };
        let peer = attempt.peer;
        self.say_to(now, peer, words)
    }

    pub(crate) fn on_undescribed(&mut self, now: Time, link: LinkId) -> Result<(), Error> {
        let attempt = self.attempts.get(&link).ok_or(Error::Misuse(Misuse::UnknownLink))?;
        let peer = attempt.peer;
        let refusal = match attempt.stage {
            Stage::Answering(theirs) => Some(Private::Refusal { attempt: theirs }),
            Stage::Offering | Stage::Offered | Stage::Opening => None,
        };
        self.give_up(now, link);
        refusal.map_or(Ok(()), |refusal| self.say_to(now, peer, refusal))
    }

    pub(crate) fn on_offer(
        &mut self,
        now: Time,
        peer: NodeId,
        attempt: u64,
        offer: String,
    ) -> Result<(), Error> {
        let other = self.attempts.iter().find(|(_, attempt)| attempt.peer == peer);
        if let Some((link, other)) = other {
            // Both dial: the lower name's offer is the one that counts. A second offer of one peer replaces its first.
            if other.is_ours && self.me < peer {
                return Ok(());
            }
            let link = *link;
            self.attempts.remove(&link);
            self.doors.remove(&link);
            self.outputs.push_back(Output::Hang { link });
        }
        let is_mend = self.mends.contains(&peer);
        let links_max = self.config.links_max + if is_mend { MENDS_MAX } else { 0 };
        let links = self.degree() + self.attempts.len();
        let is_shunned = self.is_shunned(now, peer);
        let is_full = self.attempts.len() >= self.config.attempts_max * 2 || links >= links_max;
        if is_full || is_shunned || self.mesh.neighbours().contains(&peer) {
            return self.say_to(now, peer, Private::Refusal { attempt });
        }
        let link = self.begin(now, peer, Stage::Answering(attempt));
        self.outputs.push_back(Output::Answer { link, peer, offer });
        Ok(())
    }

    pub(crate) fn on_answer(&mut self, peer: NodeId, attempt: u64, answer: String) {
        let link = LinkId(attempt);
        // An answer to what we gave up, or never asked, changes nothing.
        if let Some(attempt) = self.attempts.get_mut(&link)
            && attempt.peer == peer
            && attempt.stage == Stage::Offered
        {
            attempt.stage = Stage::Opening;
            self.outputs.push_back(Output::Apply { link, answer });
        }
    }

    pub(crate) fn on_refusal(&mut self, now: Time, peer: NodeId, attempt: u64) {
        let link = LinkId(attempt);
        if self.attempts.get(&link).is_some_and(|attempt| attempt.peer == peer) {
            self.give_up(now, link);
        }
    }

    /// Whether we still want this link of our own, with that peer.
    pub(crate) fn is_expected(&self, link: LinkId, peer: NodeId) -> bool {
        self.attempts.get(&link).is_some_and(|attempt| attempt.peer == peer)
    }

    /// An own link is open, and the peer has proved itself; true when we still wanted it.
    pub(crate) fn finish(&mut self, link: LinkId, peer: NodeId) -> bool {
        let expected = self.is_expected(link, peer);
        if expected {
            self.dial_is_stale = true;
            self.repairs.insert(peer);
            self.attempts.remove(&link);
            self.tries.remove(&peer);
        }
        expected
    }

    /// Ends an attempt, and waits longer each time before the next.
    pub(crate) fn give_up(&mut self, now: Time, link: LinkId) {
        let Some(attempt) = self.attempts.remove(&link) else { return };
        self.doors.remove(&link);
        self.dial_is_stale = true;
        let count = self.tries.get(&attempt.peer).map_or(0, |tries| tries.count) + 1;
        let pause = pause(&self.config, count);
        let jitter = self.dice.span(pause) / 2;
        if self.attendance.present().contains(&attempt.peer) {
            self.tries.insert(attempt.peer, Tries { count, next: now + pause + jitter });
        }
        self.outputs.push_back(Output::Hang { link });
    }

    pub(crate) fn give_up_late(&mut self, now: Time) {
        let late = self.attempts.iter().filter(|(_, attempt)| now >= attempt.until);
        for link in late.map(|(link, _)| *link).collect::<Vec<_>>() {
            self.give_up(now, link);
        }
    }

    /// Whoever does not get it gives up after a while.
    fn say_to(&mut self, now: Time, to: NodeId, words: Private) -> Result<(), Error> {
        let id = self.next_message();
        self.say_privately(now, to, id, words).map(drop)
    }
}

/// One pause, two, four, … up to the longest.
fn pause(config: &Config, count: u32) -> std::time::Duration {
    let doubled = config.redial * 2_u32.saturating_pow(count.saturating_sub(1).min(16));
    doubled.min(config.redial_max)
}

/// How little two nodes care for a link between them: a hash of both names, the same from both sides.
fn affinity(one: NodeId, other: NodeId) -> u64 {
    let (low, high) = (one.min(other).0, one.max(other).0);
    // The finalizer of SplitMix64 (Steele et al. 2014).
    let mut x = low ^ high.rotate_left(32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
