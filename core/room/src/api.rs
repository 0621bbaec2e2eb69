//! What goes into a room, what comes out, and why an input may be refused.

use node::Reason;
use trust::Claim;
use wire::{InviteId, LinkId, NodeId, UserId};

use crate::{Media, MediaId, Report};

/// What happened, for [`Room::handle`](crate::Room::handle).
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The moment named by [`Room::timeout`](crate::Room::timeout) has come.
    Timeout,
    /// A link to `peer` is open; see [`node::Input::Up`].
    Up {
        /// The link.
        link: LinkId,
        /// Who is said to be at the other end.
        peer: NodeId,
        /// What the link is bound to.
        binding: Vec<u8>,
        /// Whose device that is, as the server said: vouched for when it has proved that it is `peer`.
        claim: Claim,
        /// By which invite of ours it comes.
        invite: Option<InviteId>,
    },
    /// A link is closed.
    Down {
        /// The link.
        link: LinkId,
    },
    /// Bytes came over a link.
    Received {
        /// The link.
        link: LinkId,
        /// One whole frame.
        frame: Vec<u8>,
    },
    /// Next to nothing of what was sent over a link is left here; the answer to [`Output::Flush`].
    Flushed {
        /// The link.
        link: LinkId,
    },
    /// Our end of a link that the network asked for is described.
    Described {
        /// The link.
        link: LinkId,
        /// An opaque blob, for the peer's driver.
        description: String,
    },
    /// Our end of a link that the network asked for could not be described.
    Undescribed {
        /// The link.
        link: LinkId,
    },
    /// Something happened to a media connection.
    Media {
        /// Which one.
        media: MediaId,
        /// What.
        report: Report,
    },
    /// The person wants something.
    Do(Command),
    /// An application wants something of the shared store; from now on [`Output::Store`] tells what happens there.
    Store(node::Command),
}

/// What the person, or the page for the person, wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Write a message to everyone.
    Say(String),
    /// The person types a message, or no longer does. May be told with every key.
    Typing(bool),
    /// The microphone was opened or muted.
    SetMicrophone(bool),
    /// The camera was switched on or off.
    SetCamera(bool),
    /// A screen is captured: publish it.
    StartScreen,
    /// The screen is no longer captured.
    StopScreen,
    /// Put somebody out, and all who came by it. Only who founded the conference can.
    PutOut(NodeId),
    /// Leave for good.
    Leave,
}

/// How somebody went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// They said so.
    Left,
    /// The connection was lost.
    Lost,
    /// Whoever founded the conference put them out, or the one by whom they came.
    PutOut,
}

/// What to do. Drain after each [`Room::handle`](crate::Room::handle).
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send one frame over a link.
    Send {
        /// The link.
        link: LinkId,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// Say [`Input::Flushed`] when next to nothing of what was sent is left here; see [`node::Output::Flush`].
    Flush {
        /// The link.
        link: LinkId,
    },
    /// Start a link to `peer`: make an offer, then [`Input::Described`].
    Dial {
        /// The number of the link from now on.
        link: LinkId,
        /// The other end.
        peer: NodeId,
    },
    /// Make the answer to the offer of a link, then [`Input::Described`].
    Answer {
        /// The number of the link from now on.
        link: LinkId,
        /// The other end.
        peer: NodeId,
        /// What the peer's driver described.
        offer: String,
    },
    /// The answer to our offer of a link.
    Apply {
        /// The link.
        link: LinkId,
        /// What the peer's driver described.
        answer: String,
    },
    /// Close a link.
    Hang {
        /// The link.
        link: LinkId,
    },
    /// Bring a link to `peer` by another way, as an invite does, and tell of it with [`Input::Up`]: no message reaches it,
    /// and it did not say that it leaves. Asked for again while there is hope.
    Seek {
        /// Whom.
        peer: NodeId,
        /// The user whom somebody vouched for.
        user: Option<UserId>,
    },
    /// Do something with a media connection.
    Media(Media),
    /// Tell the applications what happened in the shared store.
    Store(node::Event),
    /// Tell the person.
    Event(Event),
}

/// What the person may want to notice. What stands on the screen is read from the room, not gathered from events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// We are in: [`Room::seat`](crate::Room::seat) can be kept.
    Admitted,
    /// Whoever invited us does not let us in.
    TurnedAway(Reason),
    /// Somebody came.
    Joined {
        /// Who.
        node: NodeId,
        /// What they are called.
        name: String,
    },
    /// Somebody went.
    Left {
        /// Who.
        node: NodeId,
        /// What they are called.
        name: String,
        /// How.
        how: Parting,
    },
    /// Somebody else wrote a message after we came.
    Said {
        /// Who.
        name: String,
    },
    /// Somebody else shares a screen.
    ScreenStarted {
        /// Who.
        node: NodeId,
        /// What they are called.
        name: String,
    },
    /// Somebody else no longer shares a screen.
    ScreenStopped {
        /// Who.
        node: NodeId,
        /// What they are called.
        name: String,
    },
}

/// Why an [`Input`] was not accepted. The room itself is unharmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The network below refused it.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// We have left.
    #[error("the room was left")]
    Left,
    /// A message without any text.
    #[error("there is nothing to say")]
    Empty,
    /// A bound of [`Config`](crate::Config) would be passed.
    #[error("over the limit: {0}")]
    Limit(&'static str),
}
