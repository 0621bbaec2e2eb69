//! What goes into a node, what comes out, and why an input may be refused.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trust::Claim;
use wire::{InviteId, LinkId, NodeId, UserId};

use crate::{Life, Path, Resource};

/// What happened, for [`Node::handle`](crate::Node::handle).
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The moment named by [`Node::timeout`](crate::Node::timeout) has come. Harmless when early, late or repeated.
    Timeout,
    /// A link to `peer` is open; to be told before any frame that comes over it. The driver numbers its own links below [`FIRST_OWN_LINK`]; a link that the node
    /// asked for keeps the number it was asked under.
    Up {
        /// The link.
        link: LinkId,
        /// Who is said to be at the other end; it will have to prove that.
        peer: NodeId,
        /// Anything that both ends know alike of the channel beneath, and nobody in between could bring about: the
        /// fingerprints of both ends of DTLS, for example. Empty when nothing is known.
        binding: Vec<u8>,
        /// Whose that is, as far as the application knows. Once it has proved itself that is told, with [`Event::Met`].
        claim: Claim,
        /// By which invite of ours it comes, if it does: the node then lets it in. Each is good for one node.
        invite: Option<InviteId>,
    },
    /// A link is closed, or could not be opened.
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
    /// Next to nothing of what was sent over a link before [`Output::Flush`] is left in a buffer on our side.
    Flushed {
        /// The link.
        link: LinkId,
    },
    /// Our end of a link that the node asked for is described: the offer after [`Output::Dial`], the answer after
    /// [`Output::Answer`].
    Described {
        /// The link.
        link: LinkId,
        /// An opaque blob, for the peer's driver.
        description: String,
    },
    /// Our end of a link that the node asked for could not be described.
    Undescribed {
        /// The link.
        link: LinkId,
    },
    /// The application wants something.
    Do(Command),
}

/// The first number of links that the node asks for; the driver numbers those it brings below.
pub const FIRST_OWN_LINK: LinkId = LinkId(1 << 32);

/// What the application wants of the shared tree. Values are JSON objects. Those below `private/<node>` are sealed to
/// that node, which alone reads them; whoever else asks, the author too, is shown an object with `sealed` in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make a resource where there is none. When two nodes do so at once one wins, the other hears
    /// [`Event::Refused`].
    Create {
        /// Where.
        path: Path,
        /// What.
        value: Value,
        /// For how long.
        life: Life,
    },
    /// Change a resource, or make it.
    Update {
        /// Where.
        path: Path,
        /// The new value, or the fields to put into the old one.
        value: Value,
        /// Whether `value` is put into the old one, field by field.
        partial: bool,
        /// For how long. The resource is bound to the node that changed it last.
        life: Life,
    },
    /// Remove a resource and all below it. Nothing happens when there is none.
    Delete {
        /// Where.
        path: Path,
    },
    /// Remove all below a place, but not what is at it.
    Clear {
        /// Where.
        path: Path,
    },
    /// Make a resource in a list, under a fresh name `<node>-<number>`. [`Node::next`](crate::Node::next) tells the
    /// name before, [`Event::Created`] after.
    Add {
        /// The list.
        path: Path,
        /// What.
        value: Value,
        /// For how long.
        life: Life,
    },
    /// Be told of changes at a place and below it from now on, beginning with [`Event::Loaded`]. A change is told once,
    /// however many subscribe.
    Subscribe {
        /// The place.
        path: Path,
    },
    /// Be told no more, once this was said as often as [`Command::Subscribe`].
    Unsubscribe {
        /// The place.
        path: Path,
    },
    /// Say something that is not kept: to everyone else present, or to one node.
    Notify {
        /// What it is about.
        path: Path,
        /// What is said.
        data: Value,
        /// Whom to tell; `None` tells everyone else.
        to: Option<NodeId>,
    },
    /// Put somebody out, and all who came by it. Only who founded the conference can.
    PutOut(NodeId),
    /// Leave for good. All links are hung up and nothing more is accepted.
    Leave,
}

/// What to do. Drain after each [`Node::handle`](crate::Node::handle).
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send one frame over a link.
    Send {
        /// The link.
        link: LinkId,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// Say [`Input::Flushed`] as soon as next to nothing of what was sent over the link is left in a buffer on our
    /// side; at once, when that is so now. Nothing more is sent over it until then, and a link that takes nothing for
    /// half a minute is hung up.
    Flush {
        /// The link.
        link: LinkId,
    },
    /// Start a link to `peer`: make an offer, then [`Input::Described`] with it.
    Dial {
        /// The number of the link from now on.
        link: LinkId,
        /// The other end.
        peer: NodeId,
    },
    /// `peer` starts a link: make the answer to its offer, then [`Input::Described`] with it.
    Answer {
        /// The number of the link from now on.
        link: LinkId,
        /// The other end.
        peer: NodeId,
        /// What the peer's driver described.
        offer: String,
    },
    /// The answer to the offer of a link that we dialled. [`Input::Up`] follows when it is open.
    Apply {
        /// The link.
        link: LinkId,
        /// What the peer's driver described.
        answer: String,
    },
    /// Close a link, open or not, after what was to be sent over it has gone out. No [`Input::Down`] is expected, and one does no harm.
    Hang {
        /// The link.
        link: LinkId,
    },
    /// Tell the application.
    Event(Event),
}

/// What the application is told. Changes of resources are told where it has subscribed, its own as those of others.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// All is here that those had whom we joined, or nobody else is there. Told once.
    Ready,
    /// We have left: nothing more is told.
    Closed,
    /// What is at a place and below it as we subscribe, in the order of creation.
    Loaded {
        /// The place.
        path: Path,
        /// What is there.
        resources: Vec<Resource>,
    },
    /// A resource is there that was not.
    Created {
        /// Where.
        path: Path,
        /// What.
        value: Value,
        /// Who wrote it.
        by: NodeId,
    },
    /// A resource has changed.
    Updated {
        /// Where.
        path: Path,
        /// What it is.
        value: Value,
        /// What it was.
        old: Value,
        /// Who wrote the new value.
        by: NodeId,
    },
    /// A resource is no longer there: deleted, or its owner went away.
    Deleted {
        /// Where.
        path: Path,
        /// What it was.
        old: Value,
        /// Who deleted it, or whose it was.
        by: NodeId,
    },
    /// Somebody notified us.
    Notice {
        /// What it is about.
        path: Path,
        /// What is said.
        data: Value,
        /// Who said it.
        from: NodeId,
    },
    /// We are in: somebody has let us in, and we have seen the roll.
    Admitted,
    /// A neighbour does not let us in.
    TurnedAway {
        /// Who.
        by: NodeId,
        /// Why.
        reason: Reason,
    },
    /// Whoever is at the other end of a link has proved to be the one of whom the application said whose it is.
    Met {
        /// Who.
        peer: NodeId,
        /// Whose that is.
        user: UserId,
    },
    /// A node can be reached.
    Arrived(NodeId),
    /// A node left, or has been out of reach for a while.
    Gone(NodeId),
    /// A node has been proved to have said two different things to different nodes. What it wrote counts no more.
    Frozen(NodeId),
    /// We have been parted from a node that did not say it leaves: no message reaches it. It may be out there, with others.
    /// Whoever can reach it by another way, as an invite does, may bring a link ([`Input::Up`]). Told to whoever
    /// had a link to it that was brought so, and to one of those who can still reach each other, of a few nodes at a time.
    Parted {
        /// From whom.
        from: NodeId,
    },
    /// Our [`Command::Create`] lost against one that `by` made at the same time.
    Refused {
        /// Where.
        path: Path,
        /// Whose resource is there instead.
        by: NodeId,
    },
    /// Our [`Command::Notify`] to one node could not be delivered.
    Undelivered {
        /// What it was about.
        path: Path,
        /// Whom it was for.
        to: NodeId,
    },
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// It did not prove in time that it takes part, and nobody invited it.
    Stranger,
    /// The conference has as many members as its charter allows, or its inviter may invite no more.
    Full,
    /// The founder put it out.
    PutOut,
}

/// Why an [`Input`] was not accepted. The node itself is unharmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another node broke the protocol. When it is a neighbour, its link is being hung up.
    #[error("node {peer} broke the protocol: {what}")]
    PeerMisbehaved {
        /// Who.
        peer: NodeId,
        /// What it did.
        what: &'static str,
    },
    /// The driver or the application asked for what makes no sense now.
    #[error("misuse: {0}")]
    Misuse(Misuse),
    /// A bound of [`Config`](crate::Config) would be passed.
    #[error("over the limit: {0}")]
    Limit(&'static str),
}

/// What made no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// [`Command::Create`] where something is.
    #[error("there is a resource already")]
    Exists,
    /// A value that is not a JSON object.
    #[error("a value is a JSON object")]
    NotAnObject,
    /// A path that the node keeps for itself.
    #[error("the path is reserved")]
    Reserved,
    /// A path that the rules do not let us write, or not with such a life.
    #[error("the rules do not let us write that there")]
    NotOurs,
    /// A private value for somebody who does not take part.
    #[error("nobody who takes part could read that")]
    NoAddressee,
    /// [`Command::Unsubscribe`] where nobody has subscribed.
    #[error("nobody has subscribed to that")]
    NotSubscribed,
    /// Others hold a proof that this node has said two different things, and take nothing of it.
    #[error("this node has contradicted itself, and nobody listens to it any more")]
    Frozen,
    /// A link that was never brought, or is over.
    #[error("no such link")]
    UnknownLink,
    /// [`Command::PutOut`] by somebody who did not found the conference.
    #[error("only who founded the conference puts somebody out")]
    NotFounder,
    /// After [`Command::Leave`].
    #[error("the node has left")]
    Left,
}
