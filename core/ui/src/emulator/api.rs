//! What goes into the emulator, and what comes out.

use std::fmt;
use std::str::FromStr;

use wire::LinkId;

/// The most participants. A browser bears some two hundred links, and thirty participants have eight each.
pub const PARTICIPANTS_MAX: usize = 30;

/// How many bytes wait for a frozen participant before its links break, as a browser's own buffers would.
pub const WAITING_BYTES_MAX: usize = 4 << 20;

/// One participant; never used twice, also when it comes back under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(pub u32);

/// An application that asks for the store of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeskId(pub u32);

/// One end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// Whose.
    pub seat: SeatId,
    /// How that participant calls the link.
    pub link: LinkId,
}

/// Who is invited by whom at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Everybody by the one before.
    Chain,
    /// Everybody by the first.
    Star,
    /// Two by each.
    Tree,
    /// A chain, and the last one is linked to the first.
    Ring,
    /// Everybody by everybody.
    Mesh,
}

/// All shapes, in the order in which they are offered.
impl Shape {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Tree, Self::Chain, Self::Star, Self::Ring, Self::Mesh];
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "chain",
            Self::Star => "star",
            Self::Tree => "tree",
            Self::Ring => "ring",
            Self::Mesh => "mesh",
        })
    }
}

/// Why a word is no setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such setting")]
pub struct Malformed;

impl FromStr for Shape {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|shape| shape.to_string() == text).ok_or(Malformed)
    }
}

/// Who makes links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Invites do, and the nodes open more by themselves, as in a conference.
    Own,
    /// Only invites do.
    Invited,
}

/// What a conference starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many take part, one to [`PARTICIPANTS_MAX`].
    pub participants: usize,
    /// Who is invited by whom.
    pub shape: Shape,
    /// Who makes links.
    pub links: Links,
    /// Names, dice and the story follow from it. What the network does besides takes its own time.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { participants: 6, shape: Shape::Tree, links: Links::Own, seed: 1 }
    }
}

/// What happened to an end of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Time has passed.
    Tick,
    /// It is described: the offer after [`Effect::Dial`], the answer after [`Effect::Answer`].
    Described {
        /// Which.
        end: End,
        /// An opaque blob for the other end's driver.
        description: String,
    },
    /// It could not be described.
    Undescribed {
        /// Which.
        end: End,
    },
    /// It can be used.
    Opened {
        /// Which.
        end: End,
    },
    /// Bytes came.
    Received {
        /// Where.
        end: End,
        /// One frame.
        frame: Vec<u8>,
    },
    /// Next to nothing of what was sent over it waits any more; the answer to [`Effect::Flush`].
    Flushed {
        /// Which.
        end: End,
    },
    /// It is over, or never came about.
    Closed {
        /// Which.
        end: End,
    },
}

/// What to do with an end of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make an offer.
    Dial(End),
    /// Make the answer to an offer.
    Answer {
        /// Which.
        end: End,
        /// What the other end described.
        offer: String,
    },
    /// Take the answer to our offer.
    Apply {
        /// Which.
        end: End,
        /// What the other end described.
        answer: String,
    },
    /// Send one frame.
    Send {
        /// Over which.
        end: End,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// Say [`Event::Flushed`] when next to nothing of what was sent waits any more.
    Flush(End),
    /// Close it after what was sent has arrived.
    Hang(End),
    /// Close it at once; harmless when it is gone.
    Cut(End),
    /// Tell an application something that it did not ask for.
    Tell {
        /// Which.
        desk: DeskId,
        /// JSON; see [`room::store`].
        text: String,
    },
}

/// What the graph shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lens {
    /// The links that there are.
    Links,
    /// The links that the chosen participant knows of.
    Map,
}

/// What is shown of the chosen participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// People and conversation.
    Talk,
    /// Its links, and what went over them.
    Links,
    /// Its copy of the shared store.
    Store,
}

/// What the person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// Begin again.
    Start(Settings),
    /// Look at a participant.
    Choose(SeatId),
    /// The participant was pressed in the graph: choose it, or link it with the chosen one while linking.
    Press(SeatId),
    /// From now on pressing a participant links it with the chosen one, or no longer.
    ToggleLinking,
    /// Show something else in the graph.
    Show(Lens),
    /// Show something else of the chosen participant.
    Open(Tab),
    /// Let the chosen participant invite another.
    Add,
    /// Bring a link.
    Connect(SeatId, SeatId),
    /// Cut all links between two.
    Cut(SeatId, SeatId),
    /// Split the network in two.
    Split,
    /// Let links hold again, and connect what is apart.
    Heal,
    /// Stop a participant for a while.
    Freeze(SeatId),
    /// Let it go on.
    Thaw(SeatId),
    /// Stop it for good, without a word.
    Crash(SeatId),
    /// Let a crashed one join anew.
    Return(SeatId),
    /// Let it say goodbye.
    Leave(SeatId),
    /// Write as a participant.
    Say(SeatId, String),
    /// Tell the story, or stop telling it.
    ToggleStory,
    /// Count bytes and messages from zero.
    ResetCounters,
}
