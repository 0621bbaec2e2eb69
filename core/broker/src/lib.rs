//! The server's judgement: who is reachable, where a message goes, what waits, what expires.
//!
//! A *user* has *devices*; a device is reachable over its live *sockets*, one for each page that is open on it.
//! The broker knows devices only while they are reachable or blink, so its memory follows the crowd that is here,
//! not the number of accounts. Accounts, tokens and contacts are the shell's, in its store.
//!
//! ```text
//!                       first socket opens
//!           (unknown) ────────────────────────▶ online ◀──────────────┐
//!               ▲                                │  ▲                  │ a socket opens: what waits
//!               │                  last socket   │  │ more sockets     │ goes out first, in order
//!               │                  closes        ▼  │ come and go      │
//!               │                              away ──────────────────┘
//!               │  grace over, nothing waits     │
//!               └────────────────────────────────┘
//!
//!   Send {from, to, text}
//!     └─ pace kept? ── no ─▶ Unsent::TooMany
//!          └─ devices named by `to` that are online, or away for less than the grace
//!               ├─ none ──▶ Unsent::NotReachable
//!               ├─ online: Push to all sockets of the device
//!               └─ away:   it waits there, if there is room; room nowhere ─▶ Unsent::Full
//!          ▶ Sent {count of devices}
//!
//!   Acknowledged {push} by the device it was for, once ─▶ Receipt to the device that sent it
//! ```
//!
//! Messages are opaque: text that goes out as it came in, with the sender that the *shell* vouches for. What the
//! broker must know of a message (how long it is worth delivering, whether a receipt is wanted) is told beside it.
//! So every protocol that the server speaks can go through this one judgement.
//!
//! **Invariant:** a message goes to devices of the user it names, and when it names a device, to that one only.
//!
//! **Invariant:** what one device sends to another arrives in the order sent, each message once on each socket.
//!
//! **Invariant:** the sockets of online devices are exactly the open sockets, and an online device has at least one.
//!
//! **Invariant:** a message that was counted for a device was pushed to it, or waits for it until it returns, the
//! message expires, or the device is dismissed.
//!
//! **Invariant:** a push is acknowledged at most once, and only by the device it was for. A repeated INVITE is a new
//! push: its sender repeated it because it heard nothing, so it may hear again.
//!
//! Limits: all in [`Config`]. A socket or device beyond them is refused with [`Error::Limit`].
//! A socket that is half open swallows what is pushed to it until the shell notices; whoever needs certainty repeats
//! until the receipt, as an invite does.
//!
//! Sources: forking after RFC 3261 §16.6; the pace after the generic cell rate algorithm (ITU-T I.371, annex A).

mod config;
mod pace;
mod receipts;
mod waiting;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use wire::{Address, Dice, InstanceId, InviteId, Seed, Time, UserId};

pub use config::Config;
use pace::Pace;
use receipts::{Receipt, Receipts};
use waiting::{Item, Waiting};
pub use words::{Device, PushId, RequestId, SocketId};

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The time that [`Broker::timeout`] named has come.
    Timeout,
    /// A page of `device` opened its live socket. The shell has checked whose it is.
    Opened {
        /// The socket; a number that was never used before.
        socket: SocketId,
        /// Whose it is.
        device: Device,
    },
    /// A socket is closed, by whichever side.
    Closed {
        /// The socket.
        socket: SocketId,
    },
    /// A device wants to send.
    Send {
        /// To answer by.
        request: RequestId,
        /// Who sends. The shell has checked it.
        from: Device,
        /// Whom it is for.
        to: Address,
        /// What.
        parcel: Parcel,
    },
    /// A page says that it has shown a push to its person.
    Acknowledged {
        /// The page's socket.
        socket: SocketId,
        /// The push.
        push: PushId,
    },
    /// A device, or every device of a user, is logged out: it is told, and what waits for it is dropped.
    Dismissed {
        /// Who.
        who: Address,
    },
}

/// A message, and what the broker must know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The message as the shell wants it back.
    pub text: Arc<str>,
    /// For how long it is worth delivering; [`Config::patience`] when absent, and at most that.
    pub ttl: Option<Duration>,
    /// The invite that this message is, when its sender wants to know where it rings.
    pub invite: Option<InviteId>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write a message to these sockets, which are all of one device.
    Push {
        /// Where to.
        sockets: Vec<SocketId>,
        /// To be acknowledged by.
        push: PushId,
        /// Who sent it.
        from: Device,
        /// Whom it is for.
        to: Device,
        /// The message.
        text: Arc<str>,
    },
    /// Tell these sockets, which are all of one device, that its invite was shown.
    Receipt {
        /// Where to.
        sockets: Vec<SocketId>,
        /// The invite.
        invite: InviteId,
        /// The device that shows it.
        from: Device,
    },
    /// What became of a request to send.
    Sent {
        /// Which request.
        request: RequestId,
        /// To how many devices it went, at least one; or why to none.
        outcome: Result<u32, Unsent>,
    },
    /// Say goodbye and close: the device is logged out.
    Dismiss {
        /// Which socket.
        socket: SocketId,
    },
}

/// Why a message went nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// No device that it names is here.
    #[error("no device of that address is reachable")]
    NotReachable,
    /// The devices that it names are away, and too much waits for them already.
    #[error("too much waits for that address already")]
    Full,
    /// The sender sends too fast.
    #[error("too many messages; the next may be sent in {again_in:?}")]
    TooMany {
        /// When it may try again.
        again_in: Duration,
    },
}

/// Why an [`Input`] was not accepted. The broker is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A page acknowledged what was never pushed to it, was acknowledged already, or is long forgotten.
    #[error("there is no push {0} to acknowledge")]
    PeerMisbehaved(PushId),
    /// The shell used a socket number twice, or one that is not open.
    #[error("socket {0:?} cannot do that now")]
    Misuse(SocketId),
    /// A bound of [`Config`] is reached.
    #[error("too many {0}")]
    Limit(&'static str),
}

/// How reachable a device is.
#[derive(Debug)]
enum State {
    /// By these sockets, in the order they opened; at least one.
    Online { sockets: Vec<SocketId> },
    /// It blinks, or is gone while something still waits.
    Away {
        /// Until when new messages are taken for it.
        reachable_until: Time,
        /// When to look at it again: stands in `Broker::agenda`.
        wake: Time,
        /// What goes out when it returns.
        waiting: Waiting,
    },
}

/// A point in time at which the broker is asked how full it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Open sockets.
    pub sockets: usize,
    /// Devices online or away.
    pub devices: usize,
    /// Bytes that wait for devices.
    pub waiting_bytes: usize,
    /// Pushes that can be acknowledged.
    pub receipts: usize,
}

/// Who is reachable, and what is on its way to them.
#[derive(Debug)]
pub struct Broker {
    config: Config,
    dice: Dice,
    devices: BTreeMap<Device, State>,
    sockets: BTreeMap<SocketId, Device>,
    /// When to look at which device that is away.
    agenda: BTreeSet<(Time, Device)>,
    waiting_bytes: usize,
    receipts: Receipts,
    pace: Pace,
    outputs: VecDeque<Output>,
}

impl Broker {
    /// A broker that knows nobody yet. `seed` makes the ids of its pushes unguessable.
    #[must_use]
    pub fn new(config: Config, seed: Seed) -> Self {
        Self {
            config,
            dice: Dice::new(seed),
            devices: BTreeMap::new(),
            sockets: BTreeMap::new(),
            agenda: BTreeSet::new(),
            waiting_bytes: 0,
            receipts: Receipts::default(),
            pace: Pace::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    ///
    /// # Errors
    ///
    /// When the input is refused; the broker is then as it was.
    pub fn handle(&mut self, now: Time, input: Input) -> Result<(), Error> {
        match input {
            Input::Timeout => {
                self.on_timeout(now);
                Ok(())
            }
            Input::Opened { socket, device } => self.on_opened(now, socket, device),
            Input::Closed { socket } => self.on_closed(now, socket),
            Input::Send { request, from, to, parcel } => {
                let outcome = self.send(now, &from, &to, &parcel);
                self.outputs.push_back(Output::Sent { request, outcome });
                Ok(())
            }
            Input::Acknowledged { socket, push } => self.on_acknowledged(now, socket, push),
            Input::Dismissed { who } => {
                self.on_dismissed(&who);
                Ok(())
            }
        }
    }

    /// The next thing to do. Drain after each [`Broker::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`].
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        let agenda = self.agenda.first().map(|(at, _)| *at);
        [agenda, self.receipts.timeout(), self.pace.timeout()].into_iter().flatten().min()
    }

    /// The devices of `user` that a message would reach at `now`.
    pub fn reachable<'a>(
        &'a self,
        now: Time,
        user: &UserId,
    ) -> impl Iterator<Item = &'a Device> + use<'a> {
        let everyone = Address::of(user.clone());
        self.devices
            .range(span(&everyone))
            .filter(move |(_, state)| state.is_reachable(now))
            .map(|(device, _)| device)
    }

    /// How full the broker is.
    #[must_use]
    pub fn load(&self) -> Load {
        Load {
            sockets: self.sockets.len(),
            devices: self.devices.len(),
            waiting_bytes: self.waiting_bytes,
            receipts: self.receipts.len(),
        }
    }

    fn on_opened(&mut self, now: Time, socket: SocketId, device: Device) -> Result<(), Error> {
        if self.sockets.contains_key(&socket) {
            return Err(Error::Misuse(socket));
        }
        if self.sockets.len() >= self.config.sockets_max {
            return Err(Error::Limit("sockets"));
        }
        match self.devices.get_mut(&device) {
            Some(State::Online { sockets }) => {
                if sockets.len() >= self.config.sockets_max_per_device {
                    return Err(Error::Limit("sockets of this device"));
                }
                sockets.push(socket);
            }
            Some(State::Away { .. }) => {
                let mut waiting = self.forget_away(&device);
                waiting.expire(now);
                self.devices.insert(device.clone(), State::Online { sockets: vec![socket] });
                for item in waiting.into_items() {
                    self.write(&[socket], &device, item);
                }
            }
            None => {
                let everyone = Address::of(device.user.clone());
                if self.devices.range(span(&everyone)).count() >= self.config.devices_max_per_user {
                    return Err(Error::Limit("devices of this user"));
                }
                self.devices.insert(device.clone(), State::Online { sockets: vec![socket] });
            }
        }
        self.sockets.insert(socket, device);
        Ok(())
    }

    fn on_closed(&mut self, now: Time, socket: SocketId) -> Result<(), Error> {
        let device = self.sockets.remove(&socket).ok_or(Error::Misuse(socket))?;
        let Some(State::Online { sockets }) = self.devices.get_mut(&device) else {
            unreachable!("the device of an open socket is online");
        };
        sockets.retain(|open| *open != socket);
        if sockets.is_empty() {
            let reachable_until = now + self.config.grace;
            self.agenda.insert((reachable_until, device.clone()));
            let waiting = Waiting::default();
            let state = State::Away { reachable_until, wake: reachable_until, waiting };
            self.devices.insert(device, state);
        }
        Ok(())
    }

    fn send(
        &mut self,
        now: Time,
        from: &Device,
        to: &Address,
        parcel: &Parcel,
    ) -> Result<u32, Unsent> {
        self.pace.take(&self.config, now, from).map_err(|again_in| Unsent::TooMany { again_in })?;
        let targets: Vec<Device> = self
            .devices
            .range(span(to))
            .filter(|(_, state)| state.is_reachable(now))
            .map(|(device, _)| device.clone())
            .collect();
        if targets.is_empty() {
            return Err(Unsent::NotReachable);
        }

        let ttl = parcel.ttl.map_or(self.config.patience, |ttl| ttl.min(self.config.patience));
        let mut count = 0;
        for target in targets {
            let push = PushId(self.dice.bits());
            let item = Item::Push { push, from: from.clone(), text: parcel.text.clone() };
            if !self.deliver(now, &target, item, ttl) {
                continue;
            }
            count += 1;
            if let Some(invite) = parcel.invite {
                let receipt = Receipt { sender: from.clone(), target, invite };
                self.receipts.expect(&self.config, now, push, receipt);
            }
        }
        if count == 0 { Err(Unsent::Full) } else { Ok(count) }
    }

    fn on_acknowledged(&mut self, now: Time, socket: SocketId, push: PushId) -> Result<(), Error> {
        let device = self.sockets.get(&socket).ok_or(Error::Misuse(socket))?;
        let receipt = self.receipts.settle(device, push).ok_or(Error::PeerMisbehaved(push))?;
        let item = Item::Receipt { invite: receipt.invite, from: receipt.target };
        // A caller that is gone, or whose queue is full, rings on without the number: no harm.
        self.deliver(now, &receipt.sender, item, self.config.patience);
        Ok(())
    }

    fn on_dismissed(&mut self, who: &Address) {
        let devices: Vec<Device> =
            self.devices.range(span(who)).map(|(device, _)| device.clone()).collect();
        for device in devices {
            match self.devices.get(&device) {
                Some(State::Online { sockets }) => {
                    for socket in sockets {
                        self.sockets.remove(socket);
                        self.outputs.push_back(Output::Dismiss { socket: *socket });
                    }
                    self.devices.remove(&device);
                }
                Some(State::Away { .. }) => drop(self.forget_away(&device)),
                None => {}
            }
        }
    }

    fn on_timeout(&mut self, now: Time) {
        self.receipts.on_timeout(now);
        self.pace.on_timeout(now);
        while self.agenda.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, device)) = self.agenda.pop_first() else { break };
            let Some(State::Away { reachable_until, wake, waiting }) =
                self.devices.get_mut(&device)
            else {
                unreachable!("what stands in the agenda is away");
            };
            let before = waiting.bytes();
            waiting.expire(now);
            self.waiting_bytes -= before - waiting.bytes();
            if *reachable_until <= now && waiting.is_empty() {
                self.devices.remove(&device);
                continue;
            }
            *wake = next_look(now, *reachable_until, waiting);
            self.agenda.insert((*wake, device));
        }
    }

    /// Hands `item` to `target`, now or when it returns; false when it neither is here nor has room.
    fn deliver(&mut self, now: Time, target: &Device, item: Item, ttl: Duration) -> bool {
        match self.devices.get_mut(target) {
            Some(State::Online { sockets }) => {
                let sockets = sockets.clone();
                self.write(&sockets, target, item);
                true
            }
            Some(State::Away { reachable_until, wake, waiting }) => {
                let before = waiting.bytes();
                let elsewhere = self.waiting_bytes - before;
                if !waiting.push(&self.config, elsewhere, now + ttl, item) {
                    return false;
                }
                self.waiting_bytes += waiting.bytes() - before;
                self.agenda.remove(&(*wake, target.clone()));
                *wake = next_look(now, *reachable_until, waiting);
                self.agenda.insert((*wake, target.clone()));
                true
            }
            None => false,
        }
    }

    fn write(&mut self, sockets: &[SocketId], to: &Device, item: Item) {
        let sockets = sockets.to_vec();
        self.outputs.push_back(match item {
            Item::Push { push, from, text } => {
                Output::Push { sockets, push, from, to: to.clone(), text }
            }
            Item::Receipt { invite, from } => Output::Receipt { sockets, invite, from },
        });
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

impl State {
    fn is_reachable(&self, now: Time) -> bool {
        match self {
            Self::Online { .. } => true,
            Self::Away { reachable_until, .. } => *reachable_until > now,
        }
    }
}

/// When to look at a device that is away: at the end of its grace, or when something expires.
fn next_look(now: Time, reachable_until: Time, waiting: &Waiting) -> Time {
    let grace = Some(reachable_until).filter(|at| *at > now);
    [grace, waiting.timeout()].into_iter().flatten().min().unwrap_or(now)
}

/// All devices that an address can mean.
fn span(address: &Address) -> std::ops::RangeInclusive<Device> {
    let at = |instance| Device { user: address.user.clone(), instance };
    match address.instance {
        Some(instance) => at(instance)..=at(instance),
        None => at(InstanceId(0))..=at(InstanceId(u32::MAX)),
    }
}
