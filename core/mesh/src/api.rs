//! What goes into a mesh, what comes out, its bounds, and why an input may be refused.

use std::time::Duration;

use wire::{LinkId, NodeId};

use crate::{Brief, Cost};

/// The bounds of a mesh.
#[derive(Clone, Debug)]
pub struct Config {
    /// How often beats go out over links that were without our traffic for half of that.
    pub beat: Duration,
    /// How often a beat goes out whatever the traffic, since it carries the digest.
    pub digest: Duration,
    /// How long a link may be silent before nothing is left to it alone.
    pub suspect: Duration,
    /// How long a link may be silent before it is hung up.
    pub down: Duration,
    /// How long a neighbour may not name us among its links before nobody is reached by way of what it says. Guess: twice
    /// what it takes to tell, and as long as it takes to hang up after that.
    pub unnamed: Duration,
    /// How long after somebody was contradicted what it said of its links counts: until it has noticed that a neighbour
    /// does not name it, said so, and all have heard.
    pub worn: Duration,
    /// The most links at a time. A browser bears 200; a conference of 30 needs 8.
    pub links_max: usize,
    /// The longest message, in bytes.
    pub message_bytes_max: usize,
    /// The longest frame on a link, in bytes; longer messages go in pieces, so that small ones are not held up long.
    pub frame_bytes_max: usize,
    /// How many bytes are sent over a link before we wait until they are taken. Guess: a moment of a slow uplink.
    pub window_bytes: usize,
    /// How many bytes wait for a link that takes them slowly: with the window, 256 KiB.
    pub queue_bytes_max: usize,
    /// How long a link may take nothing before it is hung up.
    pub stalled: Duration,
    /// How far apart frames of one neighbour are, on average, at least. Guess: ten times the busiest moments of
    /// simulations with a thousand nodes.
    pub frame_pace: Duration,
    /// How many of them may come at once.
    pub frame_burst: u32,
    /// How far apart casts of one author are, on average, at least.
    pub author_pace: Duration,
    /// How many of them may come at once. Guess: a paste of many lines.
    pub author_burst: u32,
    /// How far apart casts of one neighbour that are of no use are, on average, at least, before none of its casts is
    /// looked at. Guess: four times what one that plays fair hands on because it cannot tell.
    pub waste_pace: Duration,
    /// How many of them may come at once.
    pub waste_burst: u32,
    /// How far apart casts that one neighbour hands on and nobody can judge go on, on average, at least.
    pub doubt_pace: Duration,
    /// How many of them may go on at once. Guess: what a newcomer brings before all have heard of it.
    pub doubt_burst: u32,
    /// Of how many authors it is remembered which casts were heard, 100 bytes each, and 8 for each cast of the last 256.
    pub authors_max: usize,
    /// For each node on the map: how long trees are used before they are drawn anew, in a network of more than 64.
    /// Measured: a laptop draws those of a thousand nodes in less than a millisecond.
    pub redraw: Duration,
    /// How long trees are used after a change at least: until others have heard of it too.
    pub spread: Duration,
    /// The longest such time.
    pub redraw_max: Duration,
    /// How long hints are gathered before they are sent.
    pub hint: Duration,
    /// How long to wait for a cast that was hinted at, before asking for it. Longer than most detours.
    pub patience: Duration,
    /// How many casts that were hinted at are waited for.
    pub missing_max: usize,
    /// How many casts are kept for those who were hinted at.
    pub kept_max: usize,
    /// For how long more than those are kept. Guess: until who was told of one has asked four times.
    pub kept: Duration,
    /// How many bytes of them.
    pub kept_bytes_max: usize,
    /// How many messages to one wait for their receipts.
    pub waiting_max: usize,
    /// How long a message to one is tried before its sender is told that it finds no way.
    pub waiting: Duration,
    /// How long to wait for its receipt before it is sent again.
    pub resend: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(1),
            digest: Duration::from_secs(5),
            suspect: Duration::from_secs(3),
            down: Duration::from_secs(8),
            unnamed: Duration::from_secs(15),
            worn: Duration::from_secs(30),
            links_max: 64,
            message_bytes_max: 64 * 1024,
            frame_bytes_max: 16 * 1024,
            window_bytes: 64 * 1024,
            queue_bytes_max: 192 * 1024,
            stalled: Duration::from_secs(30),
            frame_pace: Duration::from_micros(500),
            frame_burst: 20_000,
            author_pace: Duration::from_millis(20),
            author_burst: 200,
            waste_pace: Duration::from_millis(5),
            waste_burst: 400,
            doubt_pace: Duration::from_millis(100),
            doubt_burst: 200,
            authors_max: 4_096,
            redraw: Duration::from_millis(5),
            spread: Duration::from_millis(200),
            redraw_max: Duration::from_secs(2),
            hint: Duration::from_millis(60),
            patience: Duration::from_millis(150),
            missing_max: 2_048,
            kept_max: 128,
            kept: Duration::from_secs(3),
            kept_bytes_max: 256 * 1024,
            waiting_max: 256,
            waiting: Duration::from_secs(5),
            resend: Duration::from_secs(1),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The moment named by [`Mesh::timeout`](crate::Mesh::timeout) has come.
    Timeout,
    /// A link is open.
    Up {
        /// The link.
        link: LinkId,
        /// Who is at the other end.
        peer: NodeId,
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
        /// One frame.
        frame: Vec<u8>,
    },
    /// A node says, of its own links, that it has these.
    Links {
        /// Who.
        node: NodeId,
        /// To whom, and how long a frame takes.
        links: wire::Map<Brief, Cost>,
    },
    /// All that was sent over a link before [`Output::Flush`] has left for the other end, or next to all.
    Flushed {
        /// The link.
        link: LinkId,
    },
    /// Our digest has changed; beats carry it. It is the exclusive-or of a share of each thing that we have, so that what is
    /// between two digests is the same for as long as the same is missing.
    Digest(u32),
    /// Say it to all.
    Cast {
        /// What.
        payload: Vec<u8>,
        /// The neighbour whose side knows it already.
        except: Option<NodeId>,
        /// Whether nothing else would bring it to those who miss it.
        fleeting: bool,
    },
    /// What the oldest [`Output::Heard`] that was not judged yet has turned out to be: each is judged once, in order.
    Judged(Verdict),
    /// Say it to one.
    Unicast {
        /// To whom.
        to: NodeId,
        /// By which number to tell that it found no way.
        id: u32,
        /// What proves that it has arrived: nobody but the addressee finds it in the payload.
        receipt: [u8; 8],
        /// What.
        payload: Vec<u8>,
    },
    /// What the addressee finds in what it [`Got`](Output::Got), to prove that it has arrived; `None` when it is not what
    /// its sender would say. Each is opened before anything else is taken in.
    Opened(Option<[u8; 8]>),
    /// Have no more to do with a neighbour: hang up all its links.
    Shun {
        /// Whom.
        peer: NodeId,
    },
    /// Say it to a neighbour.
    Tell {
        /// Whom.
        peer: NodeId,
        /// What.
        payload: Vec<u8>,
    },
}

/// What somebody is said to have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did say that, and it is news.
    Good,
    /// It did, and it is no news: whoever told it here goes on to tell it, so it ends here. Two sides that meet by way of
    /// several at once have one copy of what they lacked meet another.
    Old,
    /// We cannot tell: it is known here already, or what would prove it is not. Others may be able to.
    Unknown,
    /// It did not.
    Bad,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send a frame.
    Send {
        /// The link.
        link: LinkId,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// Say [`Input::Flushed`] as soon as next to nothing of what was sent over the link is left in a buffer on our
    /// side. Nothing more is sent until then.
    Flush {
        /// The link.
        link: LinkId,
    },
    /// Close a link.
    Hang {
        /// The link.
        link: LinkId,
    },
    /// There is a link to this node.
    Opened {
        /// The new neighbour.
        peer: NodeId,
    },
    /// There is no more link to this node.
    Closed {
        /// The former neighbour.
        peer: NodeId,
    },
    /// A neighbour has fallen silent, or is heard again, or does not name us any more, or does:
    /// [`Mesh::trusted`](crate::Mesh::trusted) or [`Mesh::costs`](crate::Mesh::costs) has changed.
    Turned {
        /// Who.
        peer: NodeId,
    },
    /// There is a way to this node where there was none.
    Reached {
        /// Who.
        node: NodeId,
    },
    /// There is no more way to this node.
    Lost {
        /// Who.
        node: NodeId,
    },
    /// Somebody said something to all, or somebody else made it up: it goes on when [`Input::Judged`] has told.
    Heard {
        /// Who.
        author: NodeId,
        /// What.
        payload: Vec<u8>,
    },
    /// Somebody said something to us, or somebody on the way made it up, or says it again: [`Input::Opened`] tells. It
    /// is said again when its receipt was lost, too.
    Got {
        /// Who.
        from: NodeId,
        /// Its number.
        id: u32,
        /// What.
        payload: Vec<u8>,
    },
    /// A neighbour said something to us.
    Told {
        /// Who.
        peer: NodeId,
        /// What.
        payload: Vec<u8>,
    },
    /// A neighbour has this digest. That it is ours is told once.
    Digest {
        /// Who.
        peer: NodeId,
        /// Whether it is worth comparing what both have: it is not ours, and not for a moment only.
        compare: bool,
        /// Its digest.
        digest: u32,
    },
    /// Our message of that number found no way.
    NoWay {
        /// The number.
        id: u32,
        /// To whom it was.
        to: NodeId,
    },
}

/// Why an [`Input`] was not accepted. The mesh is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A neighbour broke the protocol. Its link is being hung up.
    #[error("neighbour {peer} broke the protocol: {what}")]
    PeerMisbehaved {
        /// Who.
        peer: NodeId,
        /// What it did.
        what: &'static str,
    },
    /// A link that was never up, or is over.
    #[error("no such link")]
    UnknownLink,
    /// A bound of [`Config`] would be passed.
    #[error("over the limit: {0}")]
    Limit(&'static str),
}
