//! The broker's own identifiers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use wire::peerjs::{Kind, PeerId};
use wire::{Address, InstanceId, Malformed, UserId};

use crate::Capabilities;

/// One live socket, numbered by the shell; never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// One request to send, numbered by the shell so that it finds the answer's way back; never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One message on its way to one device, written as sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PushId(pub u64);

impl fmt::Display for PushId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for PushId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed { word: "push id", problem: "is not sixteen hexadecimal digits" };
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(malformed);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| malformed)
    }
}

/// One device of one user. An [`Address`] may mean all devices; this never does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// Whose it is.
    pub user: UserId,
    /// Which of them.
    pub instance: InstanceId,
}

impl From<Device> for Address {
    fn from(device: Device) -> Self {
        Self::at(device.user, device.instance)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.user, self.instance)
    }
}

/// Who a PeerJS client is. The shell has checked it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Nobody in particular: it has the name that it asked for.
    Guest(PeerId),
    /// A device of a user: its name is that of the user.
    Device(Device),
}

impl Peer {
    /// By what others call it.
    #[must_use]
    pub fn name(&self) -> PeerId {
        match self {
            Self::Guest(name) => name.clone(),
            Self::Device(device) => PeerId::from(&device.user),
        }
    }
}

/// What proves that a peer that comes back is the one that was here: a digest of its token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof(pub u128);

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(…)")
    }
}

/// By what a PeerJS client listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A WebSocket.
    Socket,
    /// The answer to an XHR that never ends, for networks without WebSocket. A client opens both at once; the socket
    /// counts.
    Stream {
        /// Whether the client begins anew, and waits for word that it is in. Else it goes on in a new answer, because the
        /// old one has become long.
        fresh: bool,
    },
}

/// How a peer went, as far as the shell can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It said `LEAVE`: it is gone for good.
    Left,
    /// It closed without giving a reason, as PeerJS does for `disconnect()`, which keeps its connections, and for
    /// `destroy()`, which closes them itself.
    Disconnected,
    /// Its page was closed or loaded anew (close code 1001).
    PageGone,
    /// It broke off or fell silent.
    Lost,
}

/// A message from a peer to another, as the shell has read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// What it is.
    pub kind: Kind,
    /// Whom it is for.
    pub to: PeerId,
    /// What goes out as it came in.
    pub payload: Option<Arc<str>>,
    /// Which connection between the two it is about, if it says so.
    pub connection: Option<Box<str>>,
    /// What a device needs to take the call; counts where the policy is [`Policy::Capable`](crate::Policy::Capable).
    pub needs: Capabilities,
}

/// What a peer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It has the place that it wanted.
    Open,
    /// Another peer says something, or has left.
    Signal {
        /// What it is.
        kind: Kind,
        /// Who says it.
        from: PeerId,
        /// Whom it was said to.
        to: PeerId,
        /// What goes out as it came in.
        payload: Option<Arc<str>>,
    },
    /// What it sent could not be delivered.
    Expire {
        /// To whom.
        from: PeerId,
        /// Its own name.
        to: PeerId,
    },
}

impl Word {
    pub(crate) fn payload_bytes(&self) -> usize {
        match self {
            Self::Signal { payload: Some(payload), .. } => payload.len(),
            Self::Signal { payload: None, .. } | Self::Open | Self::Expire { .. } => 0,
        }
    }
}

/// Why the broker lets go of a peer's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// The same peer has come by another line.
    Superseded,
    /// It said that it leaves.
    Left,
    /// Its name is now that of a user.
    NameTaken,
    /// It was logged out, or sent away by the operator.
    Dismissed,
    /// Its user has nominated another device.
    NotNominated,
}

/// Why a peer or device may not come in, or may not know something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody else has that name.
    #[error("ID is taken")]
    IdTaken,
    /// The name is that of a user, and the client is a guest.
    #[error("this id belongs to a user of this server; log in to use it, or choose another")]
    NameOfUser,
    /// The user's policy allows one device, and another is here.
    #[error(
        "only one device per user may be registered with the call service; close it on the other device first"
    )]
    OneDevice,
    /// The user's policy allows one device, and another was nominated.
    #[error(
        "only one device per user may be registered with the call service, and another one was nominated; nominate this one first"
    )]
    NotNominated,
    /// The operator does not want anybody to know who is reachable.
    #[error("this server does not tell who is reachable")]
    NotShown,
}
