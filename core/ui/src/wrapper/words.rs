//! What a wrapper is opened for, what it takes in, and what it asks for.

use call::{Call, Describe, Unsent};
use trust::Seat;
use wire::contacts::Account;
use wire::invite::{Letter, Message};
use wire::{Address, InviteId, NodeId, Seed, UserId};

use super::Window;
use crate::ring;

/// What the wrapper was opened for.
#[derive(Clone, Debug)]
pub enum Plan {
    /// To call somebody.
    Call {
        /// Whom.
        to: Address,
        /// What about.
        topic: Option<String>,
    },
    /// To answer a call that rings.
    Answer(Box<Call>),
    /// To go on with a conference that this tab was in when it was loaded again.
    Return(Window),
    /// To nothing that is known: its address was kept.
    Nothing,
}

/// What the person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// Presses a button of a call's region.
    Ring(InviteId, ring::Gesture),
    /// Opens the form to invite another person, or closes it.
    ToggleInvite,
    /// Changes what was typed there.
    Edit,
    /// Invites this address.
    Invite {
        /// As typed.
        address: String,
        /// Who is in the conference, as far as the conference app says.
        here: Vec<UserId>,
    },
    /// Leaves the conference: the conference app says so.
    Leave,
    /// Is removed from the conference: the conference app says so.
    Removed,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Who we are.
    LoggedIn(Account),
    /// The server does not know us.
    NotLoggedIn,
    /// The window that this one was is still there, in another tab: this one is a copy.
    Elsewhere,
    /// The live socket, or the first request, failed.
    ServerAway,
    /// The live socket is open.
    ServerBack,
    /// A letter came.
    Letter(Letter),
    /// A device shows our invite.
    Receipt {
        /// Which invite.
        invite: InviteId,
        /// Which device.
        from: Address,
    },
    /// A description that was asked for is made, or cannot be.
    Described {
        /// Of which call.
        invite: InviteId,
        /// JSON of `{type, sdp}`.
        description: Option<String>,
    },
    /// An INVITE or ACCEPT was posted, to so many devices, or not.
    Posted {
        /// Of which call.
        invite: InviteId,
        /// What became of it.
        result: Result<u32, Unsent>,
    },
    /// The channel of this call is open at our end.
    Opened(InviteId),
    /// The conference app listens.
    FrameReady,
    /// The other end of the channel of this call says who it is.
    Greeted {
        /// Of which call.
        invite: InviteId,
        /// The node at the other end, by its own word.
        sender: NodeId,
    },
    /// The channel of this call is closed, or cannot be opened.
    Lost(InviteId),
    /// The conference app has lost this node, which did not say that it leaves, and is this user's as far as it knows.
    Sought(NodeId, Option<UserId>),
    /// The page goes away.
    Closing,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Make a description for the channel of this call.
    Describe {
        /// Of which call.
        invite: InviteId,
        /// Which kind.
        what: Describe,
    },
    /// Give this answer to the connection of this call.
    Apply {
        /// Of which call.
        invite: InviteId,
        /// JSON of `{type, sdp}`.
        answer: String,
    },
    /// Post this; for INVITE and ACCEPT answer with [`Event::Posted`].
    Send {
        /// Whom to.
        to: Address,
        /// What to say.
        message: Message,
    },
    /// Leave this for the conference app before it is loaded, where nobody but our own pages reads it.
    Keep {
        /// What our keys are made of.
        seed: Seed,
        /// Our place in the conference; `None` while nobody has let us in.
        seat: Option<Seat>,
    },
    /// Say over the channel of this call who we are.
    Greet(InviteId),
    /// Tell the conference of a channel, and pass messages from now on.
    Add {
        /// The channel of which call.
        invite: InviteId,
        /// Who is at the other end.
        node: NodeId,
        /// Whom the server named. `None` for a node that others let in, and vouch for.
        user: Option<UserId>,
        /// Whether we let it in, rather than it us.
        is_invited: bool,
    },
    /// Tell the conference that this channel is closed.
    Remove(NodeId),
    /// Close the channel and the connection of this call.
    Hang(InviteId),
    /// Begin or stop the tone of a phone ringing elsewhere.
    Ringback {
        /// Begin, rather than stop.
        on: bool,
    },
    /// Give the keyboard to the conference: what had it is gone.
    FocusFrame,
    /// Play this once.
    Play(ring::Sound),
    /// Close the window, if the browser lets us.
    Close,
}
