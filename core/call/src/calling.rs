//! While the caller waits: which devices ring, which have said no, when to ask again and when to give up.

use serde::{Deserialize, Serialize};
use wire::invite::{Invite, Message, RejectReason};
use wire::{Address, Map, Set, Time};

use crate::words::{End, Error, Event, State};
use crate::{Config, Outgoing};

/// An INVITE that is out, and what is known of the devices it reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calling {
    offer: String,
    /// When the first INVITE was posted.
    since: Time,
    /// How often the INVITE was posted again.
    again: usize,
    /// To how many devices the server says it went; `None` until it has said so.
    counted: Option<u32>,
    /// Devices that show the invite.
    ringing: Set<Address>,
    /// Devices that said no for themselves.
    rejected: Map<Address, RejectReason>,
}

impl Calling {
    pub(crate) fn new(since: Time, offer: String) -> Self {
        Self { offer, since, again: 0, counted: None, ringing: Set::new(), rejected: Map::new() }
    }

    /// The server says to how many devices it went; the most it ever said counts.
    pub(crate) fn on_sent(&mut self, count: u32) {
        self.counted = Some(self.counted.unwrap_or_default().max(count));
    }

    /// A device shows the invite; true when that is news.
    pub(crate) fn on_receipt(&mut self, config: &Config, from: Address) -> Result<bool, Error> {
        // A receipt that was overtaken by the device's REJECT is no news.
        if self.rejected.contains_key(&from) || self.ringing.contains(&from) {
            return Ok(false);
        }
        self.check_devices(config, &from)?;
        self.ringing.insert(from);
        Ok(true)
    }

    /// A device says no for itself; true when it rang before.
    pub(crate) fn on_reject(
        &mut self,
        config: &Config,
        from: Address,
        reason: RejectReason,
    ) -> Result<bool, Error> {
        self.check_devices(config, &from)?;
        let rang = self.ringing.remove(&from);
        self.rejected.insert(from, reason);
        Ok(rang)
    }

    pub(crate) fn state(&self) -> State {
        match (self.ringing.len(), self.is_heard()) {
            (0, false) => State::Starting,
            (0, true) => State::Calling,
            (devices, _) => State::Ringing { devices: count(devices) },
        }
    }

    pub(crate) fn rings(&self) -> Event {
        Event::Ringing { devices: count(self.ringing.len()) }
    }

    /// Whether the server or a device has confirmed our INVITE.
    pub(crate) fn is_heard(&self) -> bool {
        self.counted.is_some() || self.is_shown()
    }

    /// Whether a device has shown our INVITE to somebody.
    fn is_shown(&self) -> bool {
        !self.ringing.is_empty() || !self.rejected.is_empty()
    }

    pub(crate) fn timeout(&self, config: &Config) -> Time {
        let over = self.since + config.ring;
        match config.invite_again.get(self.again) {
            Some(&span) if !self.is_shown() => over.min(self.since + span),
            Some(_) | None => over,
        }
    }

    /// Whether the ring time is over.
    pub(crate) fn is_over(&self, config: &Config, now: Time) -> bool {
        self.since + config.ring <= now
    }

    /// Whether to post the INVITE again, once for all repetitions that are due.
    pub(crate) fn is_due_again(&mut self, config: &Config, now: Time) -> bool {
        let due = config.invite_again.iter().filter(|&&span| self.since + span <= now).count();
        let is_due = due > self.again && !self.is_shown();
        self.again = self.again.max(due);
        is_due
    }

    /// The INVITE, with what is left of the ring time.
    pub(crate) fn invite(&self, config: &Config, now: Time, outgoing: &Outgoing) -> Message {
        let left = (self.since + config.ring) - now;
        Message::Invite(Invite {
            id: outgoing.id,
            node: outgoing.node,
            location: outgoing.location.clone(),
            topic: outgoing.topic.clone(),
            offer: self.offer.clone(),
            ttl_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn check_devices(&self, config: &Config, device: &Address) -> Result<(), Error> {
        let is_known = self.ringing.contains(device) || self.rejected.contains_key(device);
        if !is_known && self.ringing.len() + self.rejected.len() >= config.devices_max {
            return Err(Error::Limit { what: "devices of one user" });
        }
        Ok(())
    }

    pub(crate) fn is_rejected_by_all(&self) -> bool {
        self.ringing.is_empty()
            && self.counted.is_some_and(|counted| {
                counted > 0 && self.rejected.len() >= usize::try_from(counted).unwrap_or(usize::MAX)
            })
    }

    /// What the caller hears when nobody accepts: the most telling of the reasons given.
    pub(crate) fn verdict(&self) -> End {
        if !self.ringing.is_empty() {
            return End::NoAnswer;
        }
        let said = |reason| self.rejected.values().any(|&given| given == reason);
        if said(RejectReason::Merge) {
            End::CallsBack
        } else if said(RejectReason::Busy) {
            End::Busy
        } else if said(RejectReason::Timeout) || self.rejected.is_empty() {
            End::NoAnswer
        } else {
            End::Failed
        }
    }
}

fn count(devices: usize) -> u32 {
    u32::try_from(devices).unwrap_or(u32::MAX)
}
