//! To one: hop by hop along shortest ways, with an answer when there is none.

use std::collections::VecDeque;

use wire::{NodeId, Time};

use crate::cast::HOPS_MAX;
use crate::frame::{Body, Frame, Unicast};
use crate::{Mesh, Output};

/// A message of our own that waits for a way.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) until: Time,
    unicast: Unicast,
}

impl Mesh {
    pub(crate) fn unicast(&mut self, now: Time, to: NodeId, id: u32, payload: Vec<u8>) {
        let body = Body::Payload(payload);
        let unicast = Unicast { from: self.me, to, id, hops: HOPS_MAX, body };
        if let Err(unicast) = self.pass_on(now, unicast) {
            self.waiting.push_back(Waiting { until: now + self.config.waiting, unicast });
            if self.waiting.len() > self.config.waiting_max
                && let Some(oldest) = self.waiting.pop_front()
            {
                self.tell_no_way(&oldest.unicast);
            }
        }
    }

    pub(crate) fn on_unicast(&mut self, now: Time, mut unicast: Unicast) {
        if unicast.to == self.me {
            self.outputs.push_back(match unicast.body {
                Body::Payload(payload) => Output::Got { from: unicast.from, payload },
                Body::NoWay(to) => Output::NoWay { id: unicast.id, to },
            });
            return;
        }
        unicast.hops = unicast.hops.min(HOPS_MAX).saturating_sub(1);
        let stuck =
            if unicast.hops == 0 { Some(unicast) } else { self.pass_on(now, unicast).err() };
        // That an answer finds no way is told to nobody.
        if let Some(Unicast { from, to, id, body: Body::Payload(_), .. }) = stuck {
            let body = Body::NoWay(to);
            let answer = Unicast { from: self.me, to: from, id, hops: HOPS_MAX, body };
            self.pass_on(now, answer).ok();
        }
    }

    /// Sends it to the next hop, or gives it back when there is none.
    fn pass_on(&mut self, now: Time, unicast: Unicast) -> Result<(), Unicast> {
        let hops = self.hops.get_or_insert_with(|| {
            let own = self.links.values().map(|link| link.peer).collect();
            self.map.first_hops(self.me, &own)
        });
        let Some(next) = hops.get(&unicast.to).copied() else { return Err(unicast) };
        self.send_to(now, next, &Frame::Unicast(unicast));
        Ok(())
    }

    /// Works out anew who can be reached, and sends what waited for one.
    pub(crate) fn find_ways(&mut self, now: Time) {
        self.hops = None;
        let reach = self.map.reach(self.me, &self.neighbours());
        if reach != self.reach {
            self.reach = reach;
            self.version += 1;
        }
        for waiting in std::mem::take(&mut self.waiting) {
            let until = waiting.until;
            if let Err(unicast) = self.pass_on(now, waiting.unicast) {
                self.waiting.push_back(Waiting { until, unicast });
            }
        }
    }

    pub(crate) fn give_up_waiting(&mut self, now: Time) {
        let (late, waiting): (VecDeque<Waiting>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| now >= waiting.until);
        self.waiting = waiting;
        for waiting in late {
            self.tell_no_way(&waiting.unicast);
        }
    }

    fn tell_no_way(&mut self, unicast: &Unicast) {
        self.outputs.push_back(Output::NoWay { id: unicast.id, to: unicast.to });
    }
}
