//! To one: hop by hop along shortest ways, acknowledged from end to end, with an answer when there is no way.

use std::collections::{BTreeSet, VecDeque};

use wire::{NodeId, Time};

use crate::cast::HOPS_MAX;
use crate::frame::{Body, Frame, Unicast};
use crate::{Mesh, Output};

/// A message of our own that has not been acknowledged.
#[derive(Debug)]
pub(crate) struct Waiting {
    until: Time,
    /// When to send it again; `None` while there is no way.
    again: Option<Time>,
    unicast: Unicast,
}

impl Waiting {
    pub(crate) fn timeout(&self) -> Time {
        self.again.map_or(self.until, |again| again.min(self.until))
    }
}

impl Mesh {
    pub(crate) fn unicast(&mut self, now: Time, to: NodeId, id: u32, payload: Vec<u8>) {
        let body = Body::Payload(payload);
        let unicast = Unicast { from: self.me, to, id, hops: HOPS_MAX, body };
        let again = self.pass_on(now, unicast.clone()).ok().map(|()| now + self.config.resend);
        self.waiting.push_back(Waiting { until: now + self.config.waiting, again, unicast });
        if self.waiting.len() > self.config.waiting_max
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.tell_no_way(&oldest.unicast);
        }
    }

    pub(crate) fn on_unicast(&mut self, now: Time, mut unicast: Unicast) {
        if unicast.to == self.me {
            self.on_own(now, unicast);
            return;
        }
        unicast.hops = unicast.hops.min(HOPS_MAX).saturating_sub(1);
        let stuck =
            if unicast.hops == 0 { Some(unicast) } else { self.pass_on(now, unicast).err() };
        // That an answer finds no way is told to nobody.
        if let Some(Unicast { from, to, id, body: Body::Payload(_), .. }) = stuck {
            self.answer(now, from, id, Body::NoWay(to));
        }
    }

    fn on_own(&mut self, now: Time, unicast: Unicast) {
        let Unicast { from, id, body, .. } = unicast;
        let waits = |waiting: &Waiting| (waiting.unicast.to, waiting.unicast.id);
        match body {
            Body::Payload(payload) => {
                self.answer(now, from, id, Body::Receipt);
                // Sent again when the receipt was lost.
                if self.got.is_new(self.config.authors_max, from, u64::from(id)) {
                    self.outputs.push_back(Output::Got { from, payload });
                }
            }
            Body::Receipt => self.waiting.retain(|waiting| waits(waiting) != (from, id)),
            Body::NoWay(to) => {
                // Whoever got stuck may know less than we do, or more: the map decides within the time it has.
                let stuck = self.waiting.iter_mut().find(|waiting| waits(waiting) == (to, id));
                if let Some(stuck) = stuck {
                    stuck.again = Some(now + self.config.resend / 4);
                }
            }
        }
    }

    fn answer(&mut self, now: Time, to: NodeId, id: u32, body: Body) {
        let answer = Unicast { from: self.me, to, id, hops: HOPS_MAX, body };
        self.pass_on(now, answer).ok();
    }

    /// Sends it to the next hop, or gives it back when there is none.
    fn pass_on(&mut self, now: Time, unicast: Unicast) -> Result<(), Unicast> {
        if self.hops.is_none() {
            self.hops = Some(self.map.first_hops(self.me, &self.trusted()));
        }
        let next = self.hops.as_ref().and_then(|hops| hops.get(&unicast.to)).copied();
        let Some(next) = next else { return Err(unicast) };
        self.send_to(now, next, &Frame::Unicast(unicast));
        Ok(())
    }

    /// Works out anew who can be reached, and sends what waited for a way.
    pub(crate) fn find_ways(&mut self, now: Time) {
        self.hops = None;
        let trusted: BTreeSet<NodeId> = self.trusted();
        let reach = self.map.reach(self.me, &trusted);
        if reach != self.reach {
            self.reach = reach;
            self.version += 1;
        }
        self.send_waiting(now, |waiting| waiting.again.is_none());
    }

    /// Sends again what has not been acknowledged, and gives up what is late.
    pub(crate) fn look_after_waiting(&mut self, now: Time) {
        let (late, waiting): (VecDeque<Waiting>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| now >= waiting.until);
        self.waiting = waiting;
        for waiting in late {
            self.tell_no_way(&waiting.unicast);
        }
        self.send_waiting(now, |waiting| waiting.again.is_some_and(|again| now >= again));
    }

    fn send_waiting(&mut self, now: Time, is_due: impl Fn(&Waiting) -> bool) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for waiting in waiting.iter_mut().filter(|waiting| is_due(waiting)) {
            let sent = self.pass_on(now, waiting.unicast.clone());
            waiting.again = sent.ok().map(|()| now + self.config.resend);
        }
        self.waiting = waiting;
    }

    fn tell_no_way(&mut self, unicast: &Unicast) {
        self.outputs.push_back(Output::NoWay { id: unicast.id, to: unicast.to });
    }
}
