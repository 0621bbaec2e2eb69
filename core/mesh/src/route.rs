//! To one: along a way that its sender chose, acknowledged from end to end, with an answer when there is no way.
//!
//! Whoever passes it on may drop it, and answer whatever it likes: a receipt is one only if it shows what nobody but the
//! addressee finds in the message, and where none comes, it is sent again past all who were on the way before.
//!
//! The frame carries its route, so it cannot go in circles however much maps differ, and what answers it goes back the
//! way it came. Whoever finds the next link gone leads it another way, past none of those it has visited.

use std::collections::VecDeque;

use wire::{LinkId, NodeId, Time};

use crate::cast::HOPS_MAX;
use crate::frame::{Body, Frame, Receipt, Short, Unicast};
use crate::queue::Whose;
use crate::{Mesh, Output};

/// How often a message is led another way than its sender meant.
const TURNS_MAX: u8 = 3;

/// A message of our own that has not been acknowledged.
#[derive(Debug)]
pub(crate) struct Waiting {
    to: NodeId,
    id: u32,
    receipt: Receipt,
    payload: Vec<u8>,
    until: Time,
    /// When to send it again; `None` while there is no way.
    again: Option<Time>,
    /// Where it got stuck last, as we were told.
    stuck: Option<Short>,
    /// By way of whom it was sent.
    tried: Vec<Short>,
}

impl Waiting {
    pub(crate) fn new(to: NodeId, id: u32, receipt: Receipt, payload: Vec<u8>) -> Self {
        let (until, tried) = (Time::ZERO, Vec::new());
        Self { to, id, receipt, payload, until, again: None, stuck: None, tried }
    }

    fn timeout(&self) -> Time {
        self.again.map_or(self.until, |again| again.min(self.until))
    }
}

impl Mesh {
    pub(crate) fn unicast(&mut self, now: Time, mut waiting: Waiting) {
        waiting.until = now + self.config.waiting;
        self.try_waiting(now, &mut waiting);
        self.waiting.push_back(waiting);
        if self.waiting.len() > self.config.waiting_max
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.tell_no_way(&oldest);
        }
        self.plan_waiting();
    }

    /// Sends it if there is a way.
    fn try_waiting(&mut self, now: Time, waiting: &mut Waiting) {
        let (to, id) = (waiting.to, waiting.id);
        let shunned = [waiting.tried.as_slice(), waiting.stuck.as_slice(), &[]];
        let route = shunned.iter().find_map(|shunned| self.way_to(to, shunned));
        waiting.again = route.map(|route| {
            // Where there is no way past all of them, it begins from the beginning.
            if route.iter().any(|place| waiting.tried.contains(place)) {
                waiting.tried.clear();
            }
            waiting.tried.extend(route.iter().filter(|place| **place != Short::of(to)));
            let body = Body::Payload(waiting.payload.clone());
            let unicast = Unicast { from: self.me, to, id, turns: 0, at: 0, route, body };
            self.pass_on(now, unicast);
            now + self.config.resend
        });
    }

    /// A way from us to `to` past those who are `shunned`, as it stands in a route.
    fn way_to(&self, to: NodeId, shunned: &[Short]) -> Option<Vec<Short>> {
        let own = self.trusted();
        let mut clash = None;
        // Where two on the way are short for the same, a way without the second is looked for.
        for _ in 0..2 {
            let shuns = |node| shunned.contains(&Short::of(node)) || clash == Some(node);
            let way = self.map.way(self.me, &own, to, shuns)?;
            let short: Vec<Short> = way.iter().map(|node| Short::of(*node)).collect();
            let earlier = |at: usize| [&[Short::of(self.me)], &short[..at]].concat();
            match (0..way.len()).find(|at| earlier(*at).contains(&short[*at])) {
                None => return (way.len() < usize::from(HOPS_MAX)).then_some(short),
                Some(at) => clash = Some(way[at]),
            }
        }
        None
    }

    pub(crate) fn on_unicast(
        &mut self,
        now: Time,
        mut unicast: Unicast,
    ) -> Result<(), &'static str> {
        let (at, ours) = (usize::from(unicast.at), Short::of(self.me));
        let is_here = |place: &Short| *place == ours;
        let visits = unicast.route.iter().filter(|place| is_here(place)).count();
        let begins_here = unicast.from == self.me || Short::of(unicast.from) == ours;
        let is_long = unicast.route.len() > usize::from(HOPS_MAX);
        if is_long || visits != 1 || begins_here || !unicast.route.get(at).is_some_and(is_here) {
            return Err("a route that makes no sense");
        }
        if unicast.to == self.me {
            self.on_own(now, unicast);
            return Ok(());
        }
        if self.next_hop(&unicast).is_none() {
            let lead = |unicast: &Unicast| {
                let visited = [&[Short::of(unicast.from)], &unicast.route[..=at]].concat();
                self.way_to(unicast.to, &visited)
            };
            let new = if unicast.turns < TURNS_MAX { lead(&unicast) } else { None };
            let is_fit = |new: &Vec<Short>| {
                let is_new = new.iter().all(|place| !unicast.route[..=at].contains(place));
                is_new && at + new.len() < usize::from(HOPS_MAX)
            };
            let Some(new) = new.filter(is_fit) else {
                let to = unicast.to;
                // That an answer finds no way is told to nobody.
                if matches!(unicast.body, Body::Payload(_)) {
                    self.answer(now, &unicast, Body::NoWay(to));
                }
                return Ok(());
            };
            unicast.turns += 1;
            unicast.route.truncate(at + 1);
            unicast.route.extend(new);
        }
        unicast.at += 1;
        self.pass_on(now, unicast);
        Ok(())
    }

    fn on_own(&mut self, now: Time, unicast: Unicast) {
        let (from, id) = (unicast.from, unicast.id);
        match unicast.body {
            Body::Payload(ref payload) => {
                let payload = payload.clone();
                self.outputs.push_back(Output::Got { from, id, payload });
                self.unopened = Some(unicast);
            }
            Body::Receipt(shown) => {
                let is_it = |waiting: &Waiting| {
                    (waiting.to, waiting.id, waiting.receipt) == (from, id, shown)
                };
                self.waiting.retain(|waiting| !is_it(waiting));
            }
            Body::NoWay(to) => {
                // Whoever got stuck may know less than we do, or more: another way is tried within the time it has.
                let stuck =
                    self.waiting.iter_mut().find(|waiting| (waiting.to, waiting.id) == (to, id));
                if let Some(stuck) = stuck {
                    stuck.again = Some(now + self.config.resend / 4);
                    stuck.stuck = Some(Short::of(from));
                }
                self.plan_waiting();
            }
        }
    }

    /// What the message that was handed up turned out to hold.
    pub(crate) fn on_opened(&mut self, now: Time, receipt: Option<Receipt>) {
        let opened = self.unopened.take();
        if let (Some(unicast), Some(receipt)) = (opened, receipt) {
            self.answer(now, &unicast, Body::Receipt(receipt));
        }
    }

    /// Sends back the way that `unicast` has come.
    fn answer(&mut self, now: Time, unicast: &Unicast, body: Body) {
        let Unicast { from, id, at, route, .. } = unicast;
        let visited = route[..usize::from(*at)].iter().rev().copied();
        let route = visited.chain([Short::of(*from)]).collect();
        self.pass_on(
            now,
            Unicast { from: self.me, to: *from, id: *id, turns: 0, at: 0, route, body },
        );
    }

    /// The link to whoever is next on the route after us.
    fn next_hop(&self, unicast: &Unicast) -> Option<LinkId> {
        let next = unicast.route.get(usize::from(unicast.at) + 1)?;
        self.link_on_route(unicast, *next)
    }

    fn link_on_route(&self, unicast: &Unicast, next: Short) -> Option<LinkId> {
        let is_last = unicast.route.last() == Some(&next);
        let fits = |peer: NodeId| {
            if is_last { peer == unicast.to } else { Short::of(peer) == next }
        };
        let mut live = self.links.iter().filter(|(_, link)| !link.suspect);
        live.find(|(_, link)| fits(link.peer)).map(|(id, _)| *id)
    }

    /// Sends it to whoever its place in the route names.
    fn pass_on(&mut self, now: Time, unicast: Unicast) {
        let Some(next) = unicast.route.get(usize::from(unicast.at)).copied() else { return };
        if let Some(link) = self.link_on_route(&unicast, next) {
            let from = unicast.from;
            self.send_bytes(now, link, Whose::Author(from), Frame::Unicast(unicast).encode());
        }
    }

    /// Sends what waited for a way.
    pub(crate) fn send_to_reached(&mut self, now: Time) {
        if !self.waiting.is_empty() {
            self.send_waiting(now, |waiting| waiting.again.is_none());
        }
    }

    /// Sends again what has not been acknowledged, and gives up what is late.
    pub(crate) fn look_after_waiting(&mut self, now: Time) {
        if self.waiting_at.is_none_or(|at| now < at) {
            return;
        }
        let (late, waiting): (VecDeque<Waiting>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| now >= waiting.until);
        self.waiting = waiting;
        for waiting in late {
            self.tell_no_way(&waiting);
        }
        self.send_waiting(now, |waiting| waiting.again.is_some_and(|again| now >= again));
    }

    fn send_waiting(&mut self, now: Time, is_due: impl Fn(&Waiting) -> bool) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for waiting in waiting.iter_mut().filter(|waiting| is_due(waiting)) {
            self.try_waiting(now, waiting);
        }
        self.waiting = waiting;
        self.plan_waiting();
    }

    fn plan_waiting(&mut self) {
        self.waiting_at = self.waiting.iter().map(Waiting::timeout).min();
    }

    fn tell_no_way(&mut self, waiting: &Waiting) {
        self.outputs.push_back(Output::NoWay { id: waiting.id, to: waiting.to });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Brief, Config, Cost, Input};

    /// Node 1 with links of these numbers to 2 and 3, which both say that they are linked to 4.
    fn node() -> Mesh {
        let mut mesh = Mesh::new(Config::default(), Time::ZERO, NodeId(1), 0);
        let links = |peers: &[u64]| {
            peers.iter().map(|peer| (Brief::of(NodeId(*peer)), Cost::UNKNOWN)).collect()
        };
        for peer in [2, 3] {
            take(&mut mesh, 0, Input::Up { link: LinkId(peer), peer: NodeId(peer) });
            take(&mut mesh, 0, Input::Links { node: NodeId(peer), links: links(&[1, 4]) });
        }
        take(&mut mesh, 0, Input::Links { node: NodeId(1), links: links(&[2, 3]) });
        take(&mut mesh, 0, Input::Links { node: NodeId(4), links: links(&[2, 3]) });
        mesh
    }

    /// What comes of it: over which links messages to one go, and whether it is told that there is no way.
    fn take(mesh: &mut Mesh, millis: u64, input: Input) -> (Vec<u64>, bool) {
        mesh.handle(Time::at(Duration::from_millis(millis)), input).expect("it makes sense");
        let (mut sent, mut is_told) = (Vec::new(), false);
        while let Some(output) = mesh.poll() {
            if let Output::Send { link, frame } = &output
                && frame[0] == 2
            {
                sent.push(link.0);
            }
            is_told |= output == Output::NoWay { id: 7, to: NodeId(4) };
        }
        (sent, is_told)
    }

    fn say(mesh: &mut Mesh) -> (Vec<u64>, bool) {
        let (to, receipt, payload) = (NodeId(4), [9; 8], b"psst".to_vec());
        take(mesh, 0, Input::Unicast { to, id: 7, receipt, payload })
    }

    fn answer(mesh: &mut Mesh, by: u64, body: Body) -> (Vec<u64>, bool) {
        let (from, route) = (NodeId(4), vec![Short::of(NodeId(1))]);
        let unicast = Unicast { from, to: NodeId(1), id: 7, turns: 0, at: 0, route, body };
        let frame = Frame::Unicast(unicast).encode();
        take(mesh, 10, Input::Received { link: LinkId(by), frame })
    }

    #[test]
    fn whoever_swallows_a_message_and_makes_up_its_receipt_is_gone_around() {
        let mut mesh = node();
        let (first, _) = say(&mut mesh);
        let other = 5 - first[0];

        answer(&mut mesh, first[0], Body::Receipt([1; 8]));

        assert_eq!(take(&mut mesh, 1_100, Input::Timeout).0, [other]);
        answer(&mut mesh, other, Body::Receipt([9; 8]));
        for second in 2..10 {
            assert_eq!(take(&mut mesh, second * 1_000, Input::Timeout), (vec![], false));
        }
    }

    #[test]
    fn whoever_is_swallowed_on_all_ways_hears_so() {
        let mut mesh = node();
        say(&mut mesh);
        answer(&mut mesh, 2, Body::Receipt([1; 8]));
        answer(&mut mesh, 3, Body::Receipt([2; 8]));

        let told: Vec<bool> =
            (1..10).map(|second| take(&mut mesh, second * 1_000, Input::Timeout).1).collect();

        assert_eq!(told.iter().position(|is_told| *is_told), Some(4));
        assert_eq!(told.iter().filter(|is_told| **is_told).count(), 1);
    }

    #[test]
    fn where_it_is_said_to_be_stuck_all_other_ways_are_tried_and_then_that_one_again() {
        let mut mesh = node();
        let (first, _) = say(&mut mesh);
        let mut ways = first.clone();

        for nth in 1..4_u64 {
            answer(&mut mesh, ways[0], Body::NoWay(NodeId(4)));
            ways.extend(take(&mut mesh, 300 * nth, Input::Timeout).0);
        }

        assert_eq!(ways, [first[0], 5 - first[0], first[0], 5 - first[0]]);
    }
}
