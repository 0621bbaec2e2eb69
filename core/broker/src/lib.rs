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
mod presence;
mod receipts;
mod waiting;
mod words;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use wire::{Address, Dice, InviteId, Seed, Time};

pub use config::Config;
use pace::Pace;
use presence::{Delivery, Presence};
use receipts::{Receipt, Receipts};
use waiting::Item;
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
    presence: Presence,
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
            presence: Presence::default(),
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
                self.presence.on_timeout(now);
                self.receipts.on_timeout(now);
                self.pace.on_timeout(now);
            }
            Input::Opened { socket, device } => {
                let waited = self.presence.open(&self.config, now, socket, device.clone())?;
                for item in waited {
                    self.write(vec![socket], &device, item);
                }
            }
            Input::Closed { socket } => self.presence.close(&self.config, now, socket)?,
            Input::Send { request, from, to, parcel } => {
                let outcome = self.send(now, &from, &to, &parcel);
                self.outputs.push_back(Output::Sent { request, outcome });
            }
            Input::Acknowledged { socket, push } => self.on_acknowledged(now, socket, push)?,
            Input::Dismissed { who } => {
                let sockets = self.presence.dismiss(&who);
                self.outputs.extend(sockets.into_iter().map(|socket| Output::Dismiss { socket }));
            }
        }
        Ok(())
    }

    /// The next thing to do. Drain after each [`Broker::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`].
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        let deadlines = [self.presence.timeout(), self.receipts.timeout(), self.pace.timeout()];
        deadlines.into_iter().flatten().min()
    }

    /// The devices that a message to `address` would go to at `now`.
    pub fn reachable(&self, now: Time, address: &Address) -> impl Iterator<Item = &Device> {
        self.presence.reachable(now, address)
    }

    /// How full the broker is.
    #[must_use]
    pub fn load(&self) -> Load {
        Load { receipts: self.receipts.len(), ..self.presence.load() }
    }

    fn send(
        &mut self,
        now: Time,
        from: &Device,
        to: &Address,
        parcel: &Parcel,
    ) -> Result<u32, Unsent> {
        self.pace.take(&self.config, now, from).map_err(|again_in| Unsent::TooMany { again_in })?;
        let targets: Vec<Device> = self.presence.reachable(now, to).cloned().collect();
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
        let device = self.presence.device(socket).ok_or(Error::Misuse(socket))?;
        let receipt = self.receipts.settle(device, push).ok_or(Error::PeerMisbehaved(push))?;
        let item = Item::Receipt { invite: receipt.invite, from: receipt.target };
        // A caller that is gone, or whose queue is full, rings on without the number: no harm.
        self.deliver(now, &receipt.sender, item, self.config.patience);
        Ok(())
    }

    /// Hands `item` to `target`, now or when it returns; false when it neither is here nor has room.
    fn deliver(&mut self, now: Time, target: &Device, item: Item, ttl: Duration) -> bool {
        match self.presence.take(&self.config, target, now + ttl, item) {
            Delivery::Now { sockets, item } => {
                self.write(sockets, target, item);
                true
            }
            Delivery::Later => true,
            Delivery::Never => false,
        }
    }

    fn write(&mut self, sockets: Vec<SocketId>, to: &Device, item: Item) {
        self.outputs.push_back(match item {
            Item::Push { push, from, text } => {
                Output::Push { sockets, push, from, to: to.clone(), text }
            }
            Item::Receipt { invite, from } => Output::Receipt { sockets, invite, from },
        });
    }
}
