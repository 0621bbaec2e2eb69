//! Which devices are here, which blink, and what waits for those.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use wire::peerjs::PeerId;
use wire::{Address, InstanceId, Time};

use crate::waiting::{Item, Waiting};
use crate::watching::News;
use crate::{Capabilities, Config, Device, Error, Load, Policy, SocketId, Standing};

/// How reachable a device is.
#[derive(Debug)]
enum State {
    /// By these sockets, in the order they opened; at least one.
    Online { sockets: Vec<SocketId> },
    /// It blinks, or is gone while something still waits.
    Away {
        /// Until when new messages are taken for it.
        reachable_until: Time,
        /// When to look at it again: stands in `Presence::agenda`.
        wake: Time,
        /// What goes out when it returns.
        waiting: Waiting,
    },
}

/// What became of an item for one device.
pub(crate) enum Delivery {
    /// It goes out by these sockets.
    Now { sockets: Vec<SocketId>, item: Item },
    /// It waits until the device returns.
    Later,
    /// The device is not here, or too much waits already.
    Never,
}

/// **Invariant:** `sockets` maps exactly the sockets in `State::Online` to their devices.
///
/// **Invariant:** `agenda` holds exactly one entry for each device that is away.
///
/// **Invariant:** `waiting_bytes` is the sum over all that waits.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    devices: BTreeMap<Device, State>,
    sockets: BTreeMap<SocketId, Device>,
    agenda: BTreeSet<(Time, Device)>,
    waiting_bytes: usize,
    /// What those devices declared whose policy asks for it.
    able: BTreeMap<Device, Capabilities>,
    news: News,
}

impl Presence {
    /// Adds a socket; returns what waited for its device, the oldest first.
    pub(crate) fn open(
        &mut self,
        config: &Config,
        now: Time,
        socket: SocketId,
        device: Device,
        standing: &Standing,
    ) -> Result<Vec<Item>, Error> {
        if self.sockets.contains_key(&socket) {
            return Err(Error::Misuse(socket));
        }
        if self.sockets.len() >= config.sockets_max {
            return Err(Error::Limit("sockets"));
        }
        let mut waited = Vec::new();
        match self.devices.get_mut(&device) {
            Some(State::Online { sockets }) => {
                if sockets.len() >= config.sockets_max_per_device {
                    return Err(Error::Limit("sockets of this device"));
                }
                sockets.push(socket);
            }
            Some(State::Away { .. }) => {
                let mut waiting = self.forget_away(&device);
                waiting.expire(now);
                waited = waiting.into_items().collect();
                self.devices.insert(device.clone(), State::Online { sockets: vec![socket] });
            }
            None => {
                let user = Address::of(device.user.clone());
                if self.devices.range(span(&user)).count() >= config.devices_max_per_user {
                    return Err(Error::Limit("devices of this user"));
                }
                self.devices.insert(device.clone(), State::Online { sockets: vec![socket] });
            }
        }
        self.stand(&device, standing);
        self.news.names.push(PeerId::from(&device.user));
        self.sockets.insert(socket, device);
        Ok(waited)
    }

    /// Removes a socket; with its last one, the device is away.
    pub(crate) fn close(
        &mut self,
        config: &Config,
        now: Time,
        socket: SocketId,
    ) -> Result<(), Error> {
        let device = self.sockets.remove(&socket).ok_or(Error::Misuse(socket))?;
        self.news.gone.push(socket);
        let Some(State::Online { sockets }) = self.devices.get_mut(&device) else {
            unreachable!("the device of an open socket is online");
        };
        sockets.retain(|open| *open != socket);
        if sockets.is_empty() {
            let reachable_until = now + config.grace;
            self.agenda.insert((reachable_until, device.clone()));
            let waiting = Waiting::default();
            let state = State::Away { reachable_until, wake: reachable_until, waiting };
            self.devices.insert(device, state);
        }
        Ok(())
    }

    /// Notes what is known of a device that is here.
    pub(crate) fn stand(&mut self, device: &Device, standing: &Standing) {
        if !self.devices.contains_key(device) {
            return;
        }
        if standing.policy == Policy::Capable {
            self.able.insert(device.clone(), standing.capabilities.clone());
        } else {
            self.able.remove(device);
        }
    }

    /// Whether a device may be rung by something that needs this.
    pub(crate) fn is_able(&self, device: &Device, needs: &Capabilities) -> bool {
        self.able.get(device).is_none_or(|able| able.include(needs))
    }

    /// What has changed since this was last asked.
    pub(crate) fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// Whose socket this is.
    pub(crate) fn device(&self, socket: SocketId) -> Option<&Device> {
        self.sockets.get(&socket)
    }

    /// Whether a device is known and has no socket open.
    pub(crate) fn is_away(&self, device: &Device) -> bool {
        matches!(self.devices.get(device), Some(State::Away { .. }))
    }

    /// Whether another device of the same user has a socket open.
    pub(crate) fn is_another_online(&self, device: &Device) -> bool {
        let user = Address::of(device.user.clone());
        let others = self.devices.range(span(&user)).filter(|(other, _)| *other != device);
        others.into_iter().any(|(_, state)| matches!(state, State::Online { .. }))
    }

    /// Whether a page of `device` is open now.
    pub(crate) fn is_online(&self, device: &Device) -> bool {
        matches!(self.devices.get(device), Some(State::Online { .. }))
    }

    /// The devices that `address` names and that take messages at `now`.
    pub(crate) fn reachable(&self, now: Time, address: &Address) -> impl Iterator<Item = &Device> {
        let takes = move |state: &State| match state {
            State::Online { .. } => true,
            State::Away { reachable_until, .. } => *reachable_until > now,
        };
        self.devices
            .range(span(address))
            .filter(move |(_, state)| takes(state))
            .map(|(device, _)| device)
    }

    /// Takes an item for `target`; while it is away, until `expires`.
    pub(crate) fn take(
        &mut self,
        config: &Config,
        target: &Device,
        expires: Time,
        item: Item,
    ) -> Delivery {
        match self.devices.get_mut(target) {
            Some(State::Online { sockets }) => Delivery::Now { sockets: sockets.clone(), item },
            Some(State::Away { wake, waiting, .. }) => {
                let before = waiting.bytes();
                let elsewhere = self.waiting_bytes - before;
                if !waiting.push(config, elsewhere, expires, item) {
                    return Delivery::Never;
                }
                self.waiting_bytes += waiting.bytes() - before;
                if expires < *wake {
                    self.agenda.remove(&(*wake, target.clone()));
                    *wake = expires;
                    self.agenda.insert((expires, target.clone()));
                }
                Delivery::Later
            }
            None => Delivery::Never,
        }
    }

    /// Forgets the devices that `who` names, and what waits for them; returns their sockets.
    pub(crate) fn dismiss(&mut self, who: &Address) -> Vec<SocketId> {
        let named: Vec<Device> =
            self.devices.range(span(who)).map(|(device, _)| device.clone()).collect();
        let mut dismissed = Vec::new();
        self.news.names.push(PeerId::from(&who.user));
        for device in named {
            self.able.remove(&device);
            if let Some(State::Online { sockets }) = self.devices.get_mut(&device) {
                let sockets = std::mem::take(sockets);
                for socket in &sockets {
                    self.sockets.remove(socket);
                    self.news.gone.push(*socket);
                }
                dismissed.extend(sockets);
                self.devices.remove(&device);
            } else {
                self.forget_away(&device);
            }
        }
        dismissed
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// Drops what has expired, and devices whose grace is over and for which nothing waits.
    pub(crate) fn on_timeout(&mut self, now: Time) {
        while self.agenda.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, device)) = self.agenda.pop_first() else { return };
            let user = PeerId::from(&device.user);
            let Some(State::Away { reachable_until, wake, waiting }) =
                self.devices.get_mut(&device)
            else {
                unreachable!("what stands in the agenda is away");
            };
            let before = waiting.bytes();
            waiting.expire(now);
            self.waiting_bytes -= before - waiting.bytes();

            let grace = Some(*reachable_until).filter(|at| *at > now);
            if let Some(at) = [grace, waiting.timeout()].into_iter().flatten().min() {
                *wake = at;
                self.agenda.insert((at, device));
            } else {
                self.devices.remove(&device);
                self.able.remove(&device);
            }
            self.news.names.push(user);
        }
    }

    pub(crate) fn load(&self) -> Load {
        Load {
            sockets: self.sockets.len(),
            devices: self.devices.len(),
            waiting_bytes: self.waiting_bytes,
            ..Load::default()
        }
    }

    /// Removes a device that is away and returns what waits for it.
    fn forget_away(&mut self, device: &Device) -> Waiting {
        let Some(State::Away { wake, waiting, .. }) = self.devices.remove(device) else {
            unreachable!("the caller has seen that it is away");
        };
        self.agenda.remove(&(wake, device.clone()));
        self.waiting_bytes -= waiting.bytes();
        waiting
    }
}

/// All devices that an address can mean.
pub(crate) fn span(address: &Address) -> RangeInclusive<Device> {
    let at = |instance| Device { user: address.user.clone(), instance };
    match address.instance {
        Some(instance) => at(instance)..=at(instance),
        None => at(InstanceId(0))..=at(InstanceId(u32::MAX)),
    }
}
