//! One invite, from the first ring until it is settled, as one device sees it.
//!
//! A call between people begins with an invite: the caller asks, every device of the callee rings, one answers, and
//! a data channel opens between the two devices.
//! This crate is the judgement in that: who is believed, who wins, who is told, and when to give up.
//! It opens no connection and posts no message; it says what to describe and what to send, and hears what came of it.
//! Once the channel is open (or all hope is gone) its work is done; the conference lives elsewhere.
//!
//! A [`Call`] is plain data.
//! Store it after any [`Call::handle`], load it in another process, and go on: whatever waits in [`Call::poll`] and
//! every deadline is in it.
//!
//! ```text
//!   caller                                             callee, one per device
//!
//!   Starting ──offer made── INVITE ─▶ ┐                Ringing ──person answers──▶ Answering
//!      │                              ▼                  │ │                          │ answer made
//!      │          ┌──────────── Calling/Ringing          │ │ person declines        ACCEPT ─▶ (again every 2 s)
//!      │          │ ACCEPT            │                  │ │ DECLINE ─▶               ▼
//!      │          │ CANCEL ─▶ all     │ DECLINE          │ │ (until CANCEL)        Connecting
//!      │          ▼                   │ REJECT from all  │ │                          │
//!      │      Connecting              │ ring time over   │ │ CANCEL                   │ channel open
//!      │          │ channel open      │ person cancels   │ │ ring time over           ▼
//!      │          ▼                   │ CANCEL ─▶ all    │ │ REJECT ─▶             Connected
//!      │      Connected               ▼                  ▼ ▼                          (failure, CANCEL)
//!      └────────────────────────▶   Ended              Ended ◀──────────────────────────┘
//! ```
//!
//! Forking is that of a SIP proxy (RFC 3261 §16.7): the first ACCEPT wins and the rest are cancelled.
//! Messages may be lost, repeated, late and out of order.
//! INVITE is repeated while nothing rings, ACCEPT until the channel is open, DECLINE until the caller confirms it.
//! An ACCEPT that comes too late is answered with a CANCEL to that device alone, so that its window closes.
//!
//! **Invariant:** a caller applies one answer, that of the first device to accept, and no other ever after.
//!
//! **Invariant:** a message is believed only from the invited user, and after the accept only from the winner; a
//! callee believes only the device that invited it.
//!
//! **Invariant:** every call leaves its ringing and connecting states by itself, in bounded time.
//!
//! **Invariant:** an input that is refused with an [`Error`] leaves the call as it was.
//!
//! **Limits** are fields of [`Config`].
//! A device that has heard the end of an invite before its beginning must not ring: [`Settled`] remembers which.
//!
//! Unlike the figure in the paper of Ezcall (§3.3), the caller's ring ends by itself, accepting and declining are
//! retransmitted instead of timing out after five seconds, and a loser is told.

mod calling;
mod config;
mod incoming;
mod outgoing;
mod settled;
mod words;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wire::invite::{Invite, Letter, Message};
use wire::{Address, ConferenceId, InviteId, NodeId, Time};

pub use config::Config;
pub use incoming::Ringing;
pub use settled::Settled;
pub use words::{Describe, Direction, End, Error, Event, Input, Output, State, Unsent};

use incoming::Callee;
use outgoing::Caller;

/// One invite on one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    config: Config,
    side: Side,
    outputs: Outputs,
}

/// Whom the caller wants, and into which conference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The invite, fresh.
    pub id: InviteId,
    /// A user, or one device of a user.
    pub to: Address,
    /// Our node in the conference.
    pub node: NodeId,
    /// The conference app with the conference in its query; see [`wire::invite::location`].
    pub location: String,
    /// What the call is about.
    pub topic: Option<String>,
}

/// What waits to be polled.
type Outputs = VecDeque<Output>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Side {
    Outgoing(Caller),
    Incoming(Callee),
}

impl Call {
    /// Begins to call: asks for an offer, and rings once it is there.
    #[must_use]
    pub fn outgoing(config: Config, now: Time, outgoing: Outgoing) -> Self {
        let mut outputs = Outputs::new();
        let side = Side::Outgoing(Caller::new(&config, now, outgoing, &mut outputs));
        Self { config, side, outputs }
    }

    /// Begins to ring: `invite` came in a letter from `from` to `me`, this device.
    #[must_use]
    pub fn incoming(config: Config, now: Time, from: Address, me: Address, invite: Invite) -> Self {
        let side = Side::Incoming(Callee::new(&config, now, from, me, invite));
        Self { config, side, outputs: Outputs::new() }
    }

    /// Goes on with a call that another page handed over.
    #[must_use]
    pub fn resume(config: Config, ringing: Ringing) -> Self {
        Self { config, side: Side::Incoming(ringing.into()), outputs: Outputs::new() }
    }

    /// What another page needs to go on with this call; `None` unless it rings here.
    #[must_use]
    pub fn hand_over(&self) -> Option<Ringing> {
        match &self.side {
            Side::Incoming(callee) => callee.hand_over(),
            Side::Outgoing(_) => None,
        }
    }

    /// Takes in what happened.
    ///
    /// # Errors
    ///
    /// When the input fits neither the call nor its state. The call is unharmed.
    pub fn handle(&mut self, now: Time, input: Input) -> Result<(), Error> {
        if let Input::Received(letter) = &input {
            self.check(letter)?;
        }
        let (config, outputs) = (&self.config, &mut self.outputs);
        match &mut self.side {
            Side::Outgoing(caller) => caller.handle(config, now, input, outputs),
            Side::Incoming(callee) => callee.handle(config, now, input, outputs),
        }
    }

    /// What to do next; drain it after each [`Call::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`], or `None` when nothing is due.
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        match &self.side {
            Side::Outgoing(caller) => caller.timeout(&self.config),
            Side::Incoming(callee) => callee.timeout(),
        }
    }

    /// Where the call stands, as a person would say it.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.side {
            Side::Outgoing(caller) => caller.state(),
            Side::Incoming(callee) => callee.state(),
        }
    }

    /// Whether nothing will happen any more unless somebody is late: it ended, and what had to be said is said.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state(), State::Ended(_))
            && self.timeout().is_none()
            && self.outputs.is_empty()
    }

    /// Which invite.
    #[must_use]
    pub fn id(&self) -> InviteId {
        match &self.side {
            Side::Outgoing(caller) => caller.outgoing().id,
            Side::Incoming(callee) => callee.invite().id,
        }
    }

    /// Who called whom.
    #[must_use]
    pub fn direction(&self) -> Direction {
        match &self.side {
            Side::Outgoing(_) => Direction::Outgoing,
            Side::Incoming(_) => Direction::Incoming,
        }
    }

    /// Whom we called, as it was typed; or the device that calls us.
    #[must_use]
    pub fn peer(&self) -> &Address {
        match &self.side {
            Side::Outgoing(caller) => &caller.outgoing().to,
            Side::Incoming(callee) => callee.from(),
        }
    }

    /// This device as the caller addressed it, or `None` for an outgoing call.
    #[must_use]
    pub fn device(&self) -> Option<&Address> {
        match &self.side {
            Side::Outgoing(_) => None,
            Side::Incoming(callee) => Some(callee.me()),
        }
    }

    /// The device at the other end, or `None` while nobody has answered.
    #[must_use]
    pub fn peer_device(&self) -> Option<&Address> {
        match &self.side {
            Side::Outgoing(caller) => caller.peer_device(),
            Side::Incoming(callee) => Some(callee.from()),
        }
    }

    /// The peer's node, or `None` while nobody has answered.
    #[must_use]
    pub fn peer_node(&self) -> Option<NodeId> {
        match &self.side {
            Side::Outgoing(caller) => caller.peer_node(),
            Side::Incoming(callee) => Some(callee.invite().node),
        }
    }

    /// Our node, or `None` while an incoming call is not answered.
    #[must_use]
    pub fn node(&self) -> Option<NodeId> {
        match &self.side {
            Side::Outgoing(caller) => Some(caller.outgoing().node),
            Side::Incoming(callee) => callee.node(),
        }
    }

    /// What the call is about.
    #[must_use]
    pub fn topic(&self) -> Option<&str> {
        match &self.side {
            Side::Outgoing(caller) => caller.outgoing().topic.as_deref(),
            Side::Incoming(callee) => callee.invite().topic.as_deref(),
        }
    }

    /// The conference app the caller uses. A hint: a callee loads its own.
    #[must_use]
    pub fn location(&self) -> &str {
        match &self.side {
            Side::Outgoing(caller) => &caller.outgoing().location,
            Side::Incoming(callee) => &callee.invite().location,
        }
    }

    /// The conference that [`Call::location`] names, or `None` when it names none.
    #[must_use]
    pub fn conference(&self) -> Option<ConferenceId> {
        wire::invite::conference(self.location())
    }

    /// Refuses letters that belong to another invite or break a limit.
    fn check(&self, letter: &Letter) -> Result<(), Error> {
        if letter.message.id() != self.id() {
            return Err(Error::Misuse {
                input: "a letter of another invite",
                state: self.state().name(),
            });
        }
        letter.message.check().map_err(|_| Error::misbehaved(&letter.message, &self.state()))
    }
}

/// Queues a message.
fn send(outputs: &mut Outputs, to: &Address, message: Message) {
    outputs.push_back(Output::Send { to: to.clone(), message });
}
