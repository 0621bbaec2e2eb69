//! What goes into a call, what comes out of it, and where it stands.

use serde::{Deserialize, Serialize};
use wire::invite::{Letter, Message, RejectReason};
use wire::{Address, NodeId};

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// We called.
    Outgoing,
    /// We are called.
    Incoming,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// It is as late as [`Call::timeout`](crate::Call::timeout) said, or later, or earlier: all are fine.
    Timeout,
    /// A letter with our invite id came.
    Received(Letter),
    /// The offer or answer we asked for is made: JSON of `{type, sdp}`.
    Described(String),
    /// The offer or answer we asked for could not be made.
    Undescribed,
    /// An INVITE or ACCEPT was posted and went to so many devices.
    Sent {
        /// At least one.
        count: u32,
    },
    /// An INVITE or ACCEPT could not be posted.
    Unsent(Unsent),
    /// A device of the callee shows our invite.
    Receipt {
        /// Which device.
        from: Address,
    },
    /// The person answers, and will be this node.
    Answer {
        /// Our node in the conference.
        node: NodeId,
    },
    /// The person declines, for all devices.
    Decline,
    /// This device does not want the call, others may ring on: [`RejectReason::Busy`], [`RejectReason::Merge`].
    Reject(RejectReason),
    /// The person gives up: while calling, or after answering and before the channel opened.
    Cancel,
    /// A device that is called was not there before, and is now: an INVITE that nobody has answered is posted again.
    Repeat,
    /// The data channel is open.
    Connected,
    /// The data channel could not be opened.
    Disconnected,
}

impl Input {
    /// A name for logs and errors.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Timeout => "Timeout",
            Self::Received(letter) => letter.message.method(),
            Self::Described(_) => "Described",
            Self::Undescribed => "Undescribed",
            Self::Sent { .. } => "Sent",
            Self::Unsent(_) => "Unsent",
            Self::Receipt { .. } => "Receipt",
            Self::Answer { .. } => "Answer",
            Self::Decline => "Decline",
            Self::Reject(_) => "Reject",
            Self::Cancel => "Cancel",
            Self::Repeat => "Repeat",
            Self::Connected => "Connected",
            Self::Disconnected => "Disconnected",
        }
    }
}

/// Why a message could not be posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unsent {
    /// The server knows nobody of that name.
    UnknownUser,
    /// The user is logged in nowhere.
    NotReachable,
    /// The server did not answer.
    Offline,
    /// The server refused for another reason: logged out, too many, too large.
    Refused,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Make a description of a data channel, all candidates included; answer with [`Input::Described`] or
    /// [`Input::Undescribed`].
    Describe(Describe),
    /// Give this answer to the connection that made the offer. Happens once in a call.
    Apply {
        /// JSON of `{type, sdp}`.
        answer: String,
    },
    /// Post this. For INVITE and ACCEPT answer with [`Input::Sent`] or [`Input::Unsent`].
    Send {
        /// A user, or one device.
        to: Address,
        /// What to say.
        message: Message,
    },
    /// Something the person should know.
    Event(Event),
}

/// Which description is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Describe {
    /// An offer.
    Offer,
    /// An answer to this offer.
    Answer {
        /// JSON of `{type, sdp}`.
        offer: String,
    },
}

/// What the person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// So many devices of the callee ring now. Zero when all that rang have rejected.
    Ringing {
        /// How many.
        devices: u32,
    },
    /// A device of the callee has answered.
    Answered {
        /// Which device.
        by: Address,
        /// Its node in the conference.
        node: NodeId,
    },
    /// The data channel is open. The invite is settled.
    Connected,
    /// The call has ended without a channel. Happens once.
    Ended(End),
}

/// How a call ended without a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// We gave up.
    Cancelled,
    /// The callee declined; for an incoming call, we did.
    Declined,
    /// Nobody answered in time.
    NoAnswer,
    /// The callee is in another call.
    Busy,
    /// The callee will call us back into a call that is going on there.
    CallsBack,
    /// The server knows nobody of that name.
    UnknownUser,
    /// The callee is logged in nowhere.
    NotReachable,
    /// Our server could not be reached.
    Offline,
    /// Our server refused.
    Refused,
    /// No channel could be opened.
    Failed,
    /// Another device of ours answered; this very device, when another of its windows did.
    AnsweredElsewhere {
        /// Which, when the caller said so.
        by: Option<Address>,
    },
    /// Another device of ours declined; this very device, when another of its windows did.
    DeclinedElsewhere {
        /// Which, when the caller said so.
        by: Option<Address>,
    },
    /// We did not answer in time, or the caller gave up.
    Missed,
    /// The caller gave up after we had answered.
    Withdrawn,
    /// We rejected for this device only.
    Rejected(RejectReason),
}

/// Where a call stands, as a person would say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The offer is being made or posted; or, once we answered, the answer is.
    Starting,
    /// The invite is with the server, no device has confirmed it yet.
    Calling,
    /// So many devices ring. For an incoming call one: this one.
    Ringing {
        /// How many.
        devices: u32,
    },
    /// Answered; the channel is being opened.
    Connecting,
    /// The channel is open.
    Connected,
    /// It ended without a channel.
    Ended(End),
}

impl State {
    /// A name for logs and errors.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Calling => "Calling",
            Self::Ringing { .. } => "Ringing",
            Self::Connecting => "Connecting",
            Self::Connected => "Connected",
            Self::Ended(_) => "Ended",
        }
    }
}

/// Why an [`Input`] was not accepted. The call itself is unharmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Somebody else sent what they should not.
    #[error("peer sent {method} while the call was {state}")]
    PeerMisbehaved {
        /// What it sent.
        method: &'static str,
        /// Where the call stood.
        state: &'static str,
    },
    /// Our driver said what makes no sense here.
    #[error("{input} makes no sense while the call is {state}")]
    Misuse {
        /// What it said.
        input: &'static str,
        /// Where the call stood.
        state: &'static str,
    },
    /// A limit was reached.
    #[error("too many or too long: {what}")]
    Limit {
        /// Of what.
        what: &'static str,
    },
}

impl Error {
    pub(crate) fn misbehaved(message: &Message, state: &State) -> Self {
        Self::PeerMisbehaved { method: message.method(), state: state.name() }
    }

    pub(crate) fn misuse(input: &Input, state: &State) -> Self {
        Self::Misuse { input: input.name(), state: state.name() }
    }
}
