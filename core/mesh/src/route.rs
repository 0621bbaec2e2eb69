//! To one: along a way that its sender chose, acknowledged from end to end, with an answer when there is no way.
//!
//! The frame carries its route, so it cannot go in circles however much maps differ, and what answers it goes back the
//! way it came. Whoever finds the next link gone leads it another way, past none of those it has visited.

use std::collections::VecDeque;

use wire::{LinkId, NodeId, Time};

use crate::cast::HOPS_MAX;
use crate::frame::{Body, CastId, Frame, Short, Unicast};
use crate::queue::Whose;
use crate::{Mesh, Output};

/// How often a message is led another way than its sender meant.
const TURNS_MAX: u8 = 3;

/// A message of our own that has not been acknowledged.
#[derive(Debug)]
pub(crate) struct Waiting {
    to: NodeId,
    id: u32,
    payload: Vec<u8>,
    until: Time,
    /// When to send it again; `None` while there is no way.
    again: Option<Time>,
    /// Where it got stuck last.
    shunned: Option<Short>,
}

impl Waiting {
    fn timeout(&self) -> Time {
        self.again.map_or(self.until, |again| again.min(self.until))
    }
}

impl Mesh {
    pub(crate) fn unicast(&mut self, now: Time, to: NodeId, id: u32, payload: Vec<u8>) {
        let until = now + self.config.waiting;
        let mut waiting = Waiting { to, id, payload, until, again: None, shunned: None };
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
        let shunned = waiting.shunned;
        let route = self
            .way_to(to, |node| shunned == Some(Short::of(node)))
            .or_else(|| self.way_to(to, |_| false));
        waiting.again = route.map(|route| {
            let body = Body::Payload(waiting.payload.clone());
            let unicast = Unicast { from: self.me, to, id, turns: 0, at: 0, route, body };
            self.pass_on(now, unicast);
            now + self.config.resend
        });
    }

    /// A way from us to `to`, as it stands in a route.
    fn way_to(&self, to: NodeId, is_shunned: impl Fn(NodeId) -> bool) -> Option<Vec<Short>> {
        let own = self.trusted();
        let mut clash = None;
        // Where two on the way are short for the same, a way without the second is looked for.
        for _ in 0..2 {
            let shuns = |node: NodeId| is_shunned(node) || clash == Some(node);
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
                let visited = &unicast.route[..=at];
                let from = Short::of(unicast.from);
                let was_there =
                    |node| visited.contains(&Short::of(node)) || from == Short::of(node);
                self.way_to(unicast.to, was_there)
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
        match &unicast.body {
            Body::Payload(_) => self.answer(now, &unicast, Body::Receipt),
            Body::Receipt => self.waiting.retain(|waiting| (waiting.to, waiting.id) != (from, id)),
            Body::NoWay(to) => {
                // Whoever got stuck may know less than we do, or more: another way is tried within the time it has.
                let stuck =
                    self.waiting.iter_mut().find(|waiting| (waiting.to, waiting.id) == (*to, id));
                if let Some(stuck) = stuck {
                    stuck.again = Some(now + self.config.resend / 4);
                    stuck.shunned = Some(Short::of(from));
                }
                self.plan_waiting();
            }
        }
        // Sent again when the receipt was lost.
        if let Body::Payload(payload) = unicast.body
            && self.got.hear(self.config.authors_max, CastId::of(from, u64::from(id), &payload))
        {
            self.outputs.push_back(Output::Got { from, payload });
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
