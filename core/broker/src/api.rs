//! What goes into the broker, what comes out, and why it refuses.

use std::sync::Arc;
use std::time::Duration;

use wire::peerjs::PeerId;
use wire::{Address, InviteId, UserId};

use crate::{
    Capabilities, Device, Ending, Failure, Farewell, Line, Peer, Proof, PushId, Refusal, RequestId,
    Signal, SocketId, Standing, Woken, Word,
};

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The time that [`Broker::timeout`](crate::Broker::timeout) named has come.
    Timeout,
    /// A page of `device` opened its live socket. The shell has checked whose it is.
    Opened {
        /// The socket; a number that was never used before.
        socket: SocketId,
        /// Whose it is.
        device: Device,
        /// What is known of the device.
        standing: Standing,
    },
    /// What is known of a device has changed. Where one device is registered, others than the nominated one have to go.
    Stands {
        /// Which device.
        device: Device,
        /// What is known of it now.
        standing: Standing,
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
        /// The devices that it names and that a push service can wake.
        asleep: Vec<Device>,
    },
    /// What a push service made of an [`Output::Wake`].
    Woken {
        /// The push.
        push: PushId,
        /// What it made of it.
        outcome: Woken,
    },
    /// A device says, by a request of its own, that it has shown a push. The shell has checked whose it is.
    Shown {
        /// The device.
        device: Device,
        /// The push.
        push: PushId,
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
    /// There is a user of this name, here or not: no guest may have it, and messages for it wait.
    User {
        /// The user.
        user: UserId,
    },
    /// A PeerJS client wants to come in, or comes back. The shell has checked who it is.
    Joined {
        /// Its line; a number that was never used before, by a [`Input::Opened`] either.
        socket: SocketId,
        /// Who it is.
        peer: Peer,
        /// By what it is known again.
        proof: Proof,
        /// What the line is.
        line: Line,
        /// What is known of the device; that of a guest is empty.
        standing: Standing,
    },
    /// A PeerJS client says something, by its line.
    Said {
        /// The line.
        socket: SocketId,
        /// What it says.
        signal: Signal,
    },
    /// A PeerJS client says something by a request of its own, because its line goes one way only.
    Posted {
        /// Who it says it is.
        name: PeerId,
        /// What proves it.
        proof: Proof,
        /// What it says; `None` if it leaves for good.
        signal: Option<Signal>,
    },
    /// A PeerJS client's line is closed, or the client is gone although the line is open.
    Parted {
        /// The line.
        socket: SocketId,
        /// How.
        ending: Ending,
    },
    /// A PeerJS client does not read as fast as it is written to; until it does, the broker keeps what is for it.
    Stalled {
        /// Its line.
        socket: SocketId,
    },
    /// It reads again.
    Flowing {
        /// Its line.
        socket: SocketId,
    },
    /// A socket or line wants to know from now on whether these are reachable: users, or the names of PeerJS clients.
    Watch {
        /// The socket.
        socket: SocketId,
        /// Whom.
        names: Vec<PeerId>,
    },
    /// It does not want to know about these any more.
    Unwatch {
        /// The socket.
        socket: SocketId,
        /// Whom.
        names: Vec<PeerId>,
    },
    /// The operator sends everybody away who is here by PeerJS under this name.
    Kicked {
        /// The name.
        name: PeerId,
    },
}

/// A message, and what the broker must know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// The message as the shell wants it back.
    pub text: Arc<str>,
    /// For how long it is worth delivering; [`Config::patience`](crate::Config::patience) when absent, and at most that.
    pub ttl: Option<Duration>,
    /// The invite that this message is, when its sender wants to know where it rings.
    pub invite: Option<InviteId>,
    /// The invite that this message ends: nobody is woken for it any more.
    pub ends: Option<InviteId>,
    /// Whether its sender is blocked, so that it wakes only devices that were woken for what it ends.
    pub only_ends: bool,
    /// What a device needs to take the invite; counts where the policy is [`Policy::Capable`](crate::Policy::Capable).
    pub needs: Capabilities,
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
    /// Hand a message to the push service of a device, and say what it made of it ([`Input::Woken`]).
    Wake {
        /// To be acknowledged by, and to answer by.
        push: PushId,
        /// Who sent it.
        from: Device,
        /// Whom it is for.
        to: Device,
        /// The message.
        text: Arc<str>,
        /// For how long it is worth delivering.
        left: Duration,
        /// The invite that it belongs to: of such messages only the last is worth delivering.
        about: Option<InviteId>,
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
        /// The devices that it did not reach although they can be woken, and why.
        failed: Vec<(Device, Failure)>,
    },
    /// Say goodbye and close: the device is logged out, or is not the one that rings.
    Dismiss {
        /// Which socket.
        socket: SocketId,
        /// Why.
        why: Farewell,
    },
    /// Tell a socket or line whether these are reachable.
    Presence {
        /// Where to.
        socket: SocketId,
        /// Who, and whether they are, as far as its user may know.
        states: Vec<(PeerId, bool)>,
    },
    /// Write a word to a PeerJS client.
    Tell {
        /// Its line.
        socket: SocketId,
        /// The word.
        word: Word,
    },
    /// Say why, and close the line of a PeerJS client. The broker does not know it any more.
    Part {
        /// The line.
        socket: SocketId,
        /// Why.
        why: Farewell,
    },
}

/// Why a message went nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// No device that it names is here or could be woken.
    #[error("no device of that address is reachable")]
    NotReachable,
    /// None of the devices that it names has declared what the invite needs.
    #[error("no device of that address can take this")]
    NotCapable,
    /// The devices that it names are away, and too much waits for them already.
    #[error("too much waits for that address already")]
    Full,
    /// The sender rings there already, as often as it may.
    #[error("too many invites ring there already")]
    TooManyRings,
    /// The sender sends too fast.
    #[error("too many messages; the next may be sent in {again_in:?}")]
    TooMany {
        /// When it may try again.
        again_in: Duration,
    },
}

impl Unsent {
    /// Why nobody was reached, when these devices were not.
    pub(crate) fn of(failed: &[(Device, Failure)]) -> Self {
        let has = |failure| failed.iter().any(|(_, other)| *other == failure);
        if has(Failure::TooManyRings) {
            Self::TooManyRings
        } else if has(Failure::Full) {
            Self::Full
        } else {
            Self::NotReachable
        }
    }
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
    /// A bound of [`Config`](crate::Config) is reached.
    #[error("too many {0}")]
    Limit(&'static str),
    /// Somebody may not come in.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A request came from somebody who is not here by that name and proof.
    #[error("nobody is here by that name and token")]
    Unproven,
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
    /// Messages on their way to devices whose pages are closed.
    pub wakes: usize,
    /// Lines of PeerJS clients.
    pub lines: usize,
    /// PeerJS clients that are here or blink.
    pub peers: usize,
    /// Bytes that wait for PeerJS clients, with what it costs to keep them.
    pub letters_bytes: usize,
    /// Offers to several devices that can be answered.
    pub forks: usize,
    /// Names that are watched, each once for each socket.
    pub watched: usize,
}
