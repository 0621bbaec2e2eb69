//! What is on its way to devices whose pages are closed: through a push service, tried again while it rings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use wire::{Address, InviteId, Time};

use crate::{Config, Device, PushId, RequestId, Unsent};

/// What a push service made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// It will deliver it.
    Taken,
    /// There is no such device any more; the shell forgets its contact.
    Gone,
    /// Not now; it may be tried again after so long.
    Later(Option<Duration>),
    /// Never.
    Refused,
}

/// Why a message did not reach one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The push service says that there is no such device any more.
    Gone,
    /// The push service did not take the message in time.
    Busy,
    /// Too much waits for the device.
    Full,
    /// The push service will not take the message.
    Refused,
    /// The sender rings there already, as often as it may.
    TooManyRings,
    /// The user was woken by this sender, or by all together, as often as they may of late.
    TooMany,
}

/// A message for one device.
#[derive(Debug)]
pub(crate) struct Wake {
    pub(crate) from: Device,
    pub(crate) to: Device,
    pub(crate) text: Arc<str>,
    /// The invite that it belongs to.
    pub(crate) about: Option<InviteId>,
    /// Whether it is the invite itself, which is tried again until it is shown.
    pub(crate) is_invite: bool,
    pub(crate) until: Time,
    /// The request that waits to hear what became of the first try.
    request: Option<RequestId>,
    /// When to try; `None` while the push service is asked, and when all has been tried.
    next: Option<Time>,
    tries: u32,
}

impl Wake {
    fn due(&self) -> Time {
        self.next.map_or(self.until, |next| next.min(self.until))
    }
}

/// A request whose first tries are under way.
#[derive(Debug, Default)]
struct Request {
    count: u32,
    open: u32,
    failed: Vec<(Device, Failure)>,
}

/// What became of a request: to how many devices it went, and to which it did not.
pub(crate) type Settled = (RequestId, Result<u32, Unsent>, Vec<(Device, Failure)>);

/// **Invariant:** `agenda` holds each wake once, at the time it is due; `by_device` names each once.
///
/// **Invariant:** a request is open as long as one of its wakes names it, and no longer.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    open: BTreeMap<PushId, Wake>,
    agenda: BTreeSet<(Time, PushId)>,
    by_device: BTreeMap<Device, BTreeSet<PushId>>,
    requests: BTreeMap<RequestId, Request>,
    bytes: usize,
}

/// What a wake counts beside its text: the record and its share of the tables, roughly.
const WAKE_BYTES: usize = 512;

/// A message that may have to wake somebody.
pub(crate) struct Call<'a> {
    pub(crate) from: &'a Device,
    pub(crate) text: &'a Arc<str>,
    pub(crate) about: Option<InviteId>,
    pub(crate) is_invite: bool,
    pub(crate) until: Time,
}

impl Wakes {
    /// Whether this very invite is on its way to `to` already; a repetition adds nothing.
    pub(crate) fn rings(&self, to: &Device, from: &Device, invite: InviteId) -> bool {
        self.of(to).any(|wake| wake.is_invite && wake.about == Some(invite) && wake.from == *from)
    }

    /// Plans to wake `to` at `at`, for `request` if one waits for what becomes of it.
    pub(crate) fn plan(
        &mut self,
        config: &Config,
        push: PushId,
        call: &Call<'_>,
        to: &Device,
        at: Time,
        request: Option<RequestId>,
    ) -> Result<(), Failure> {
        let user = &call.from.user;
        let rings = self.of(to).filter(|wake| wake.is_invite && wake.from.user == *user).count();
        if call.is_invite && rings >= config.rings_max {
            return Err(Failure::TooManyRings);
        }
        let of_device = self.by_device.get(to).map_or(0, BTreeSet::len);
        let bytes = WAKE_BYTES + call.text.len();
        if of_device >= config.waiting_max || self.bytes + bytes > config.wakes_bytes_max {
            return Err(Failure::Full);
        }
        self.bytes += bytes;
        self.by_device.entry(to.clone()).or_default().insert(push);
        if let Some(request) = request {
            self.requests.entry(request).or_default().open += 1;
        }
        let wake = Wake {
            from: call.from.clone(),
            to: to.clone(),
            text: call.text.clone(),
            about: call.about,
            is_invite: call.is_invite,
            until: call.until,
            request,
            next: Some(at),
            tries: 0,
        };
        self.agenda.insert((wake.due(), push));
        self.open.insert(push, wake);
        Ok(())
    }

    /// The request has also reached `count` devices by other ways, and not reached the `failed`. Gives what became of
    /// it, when nothing more is open.
    pub(crate) fn close(
        &mut self,
        request: RequestId,
        count: u32,
        failed: Vec<(Device, Failure)>,
    ) -> Option<Settled> {
        let entry = self.requests.entry(request).or_default();
        entry.count += count;
        entry.failed.extend(failed);
        self.settled(request)
    }

    /// The wakes to be tried at `now`; those whose time is over are forgotten.
    pub(crate) fn due(&mut self, now: Time) -> (Vec<PushId>, Vec<Settled>) {
        let (mut due, mut settled) = (Vec::new(), Vec::new());
        while let Some((at, push)) = self.agenda.first().copied() {
            if at > now {
                break;
            }
            let is_over = self.open.get(&push).is_none_or(|wake| wake.until <= now);
            if is_over {
                settled.extend(self.finish(push, Some(Failure::Busy)));
                continue;
            }
            self.move_to(push, None);
            if let Some(wake) = self.open.get_mut(&push) {
                wake.tries += 1;
            }
            due.push(push);
        }
        (due, settled)
    }

    /// The message behind `push`.
    pub(crate) fn get(&self, push: PushId) -> Option<&Wake> {
        self.open.get(&push)
    }

    /// What the push service made of it.
    pub(crate) fn on_woken(
        &mut self,
        config: &Config,
        now: Time,
        push: PushId,
        woken: Woken,
    ) -> Option<Settled> {
        let wake = self.open.get_mut(&push)?;
        match woken {
            Woken::Taken if wake.is_invite => {
                let again = now + config.rewake * wake.tries;
                let next = (wake.tries < config.wakes_tries_max).then_some(again);
                let request = wake.request.take();
                self.move_to(push, next);
                request.and_then(|request| self.count(request, None))
            }
            Woken::Taken => self.finish(push, None),
            Woken::Later(after) => {
                let next = now + after.unwrap_or(config.rewake).max(config.rewake / 8);
                if wake.tries >= config.wakes_tries_max || next >= wake.until {
                    return self.finish(push, Some(Failure::Busy));
                }
                self.move_to(push, Some(next));
                None
            }
            Woken::Gone => self.finish(push, Some(Failure::Gone)),
            Woken::Refused => self.finish(push, Some(Failure::Refused)),
        }
    }

    /// The device shows the invite: it is neither woken for it any more, nor for a repetition of it.
    pub(crate) fn shown(
        &mut self,
        device: &Device,
        from: &Device,
        invite: InviteId,
    ) -> Option<Settled> {
        let pushes = self.by_device.get(device).into_iter().flatten().copied();
        let is_it = |wake: &Wake| wake.about == Some(invite) && wake.from == *from;
        let mut pushes = pushes.filter(|push| self.open.get(push).is_some_and(is_it));
        let push = pushes.next()?;
        let request = self.open.get_mut(&push)?.request.take();
        self.move_to(push, None);
        request.and_then(|request| self.count(request, None))
    }

    /// Whether a device that `to` names was woken for this invite and may still ring.
    pub(crate) fn has(&self, from: &Device, to: &Address, invite: InviteId) -> bool {
        self.named(to).any(|(_, wake)| wake.about == Some(invite) && wake.from == *from)
    }

    /// The invite is over at the devices that `to` names.
    pub(crate) fn end(&mut self, from: &Device, to: &Address, invite: InviteId) -> Vec<Settled> {
        let ended = self.named(to);
        let ended: Vec<PushId> = ended
            .filter(|(_, wake)| wake.about == Some(invite) && wake.from == *from)
            .map(|(push, _)| push)
            .collect();
        ended.into_iter().filter_map(|push| self.finish(push, None)).collect()
    }

    /// Nobody reaches those devices any more.
    pub(crate) fn dismiss(&mut self, who: &Address) -> Vec<Settled> {
        let named: Vec<PushId> = self.named(who).map(|(push, _)| push).collect();
        named.into_iter().filter_map(|push| self.finish(push, Some(Failure::Gone))).collect()
    }

    /// A page of the device is open: what rings goes there, and no more through the push service.
    pub(crate) fn on_opened(&mut self, device: &Device) -> Vec<PushId> {
        let pushes = self.by_device.get(device).into_iter().flatten().copied();
        let rings = |push: &PushId| self.open.get(push).is_some_and(|wake| wake.is_invite);
        let ringing: Vec<PushId> = pushes.filter(rings).collect();
        for push in &ringing {
            if self.open.get(push).is_some_and(|wake| wake.request.is_none()) {
                self.move_to(*push, None);
            }
        }
        ringing
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.agenda.first().map(|(at, _)| *at)
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    fn of(&self, device: &Device) -> impl Iterator<Item = &Wake> {
        let pushes = self.by_device.get(device).into_iter().flatten();
        pushes.filter_map(|push| self.open.get(push))
    }

    fn named(&self, address: &Address) -> impl Iterator<Item = (PushId, &Wake)> {
        let devices = self.by_device.range(crate::presence::span(address));
        let pushes = devices.flat_map(|(_, pushes)| pushes).copied();
        pushes.filter_map(|push| Some((push, self.open.get(&push)?)))
    }

    fn move_to(&mut self, push: PushId, next: Option<Time>) {
        let Some(wake) = self.open.get_mut(&push) else { return };
        self.agenda.remove(&(wake.due(), push));
        wake.next = next;
        self.agenda.insert((wake.due(), push));
    }

    fn finish(&mut self, push: PushId, failure: Option<Failure>) -> Option<Settled> {
        let Some(wake) = self.open.remove(&push) else {
            self.agenda.retain(|(_, other)| *other != push);
            return None;
        };
        self.agenda.remove(&(wake.due(), push));
        self.bytes -= WAKE_BYTES + wake.text.len();
        if let Some(pushes) = self.by_device.get_mut(&wake.to) {
            pushes.remove(&push);
            if pushes.is_empty() {
                self.by_device.remove(&wake.to);
            }
        }
        self.count(wake.request?, failure.map(|failure| (wake.to, failure)))
    }

    /// One wake of the request is settled.
    fn count(&mut self, request: RequestId, failed: Option<(Device, Failure)>) -> Option<Settled> {
        let entry = self.requests.get_mut(&request)?;
        entry.open -= 1;
        match failed {
            Some(failed) => entry.failed.push(failed),
            None => entry.count += 1,
        }
        // Before the sender's own part is closed, nothing is settled.
        self.settled(request)
    }

    fn settled(&mut self, request: RequestId) -> Option<Settled> {
        if self.requests.get(&request)?.open > 0 {
            return None;
        }
        let Request { count, failed, .. } = self.requests.remove(&request)?;
        let outcome = if count > 0 { Ok(count) } else { Err(Unsent::of(&failed)) };
        Some((request, outcome, failed))
    }
}
