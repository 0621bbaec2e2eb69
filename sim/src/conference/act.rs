//! What happens in a conference, by itself or because the story says so.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use node::{Command, Path};
use wire::{LinkId, NodeId};

use super::Trick;

/// One thing that happens.
#[derive(Clone, PartialEq)]
pub enum What {
    /// The story says so.
    Act(Act),
    /// The deadline that a node named.
    Wakes(usize),
    /// A frame arrives at one end of a wire.
    Arrives {
        /// Which wire.
        wire: u64,
        /// At which end, 0 or 1.
        end: usize,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// A description is ready.
    Described {
        /// Whose.
        who: usize,
        /// Of which link.
        link: LinkId,
        /// What it says.
        description: String,
    },
    /// What was sent over a link has left.
    Flushed {
        /// Who sent it.
        who: usize,
        /// Over which link.
        link: LinkId,
    },
    /// Both ends know each other: the wire opens.
    Opens([(usize, LinkId); 2]),
    /// An invite by another way than the conference's brings two together, if it can.
    Reunites(usize, NodeId),
    /// It is time that nobody shows the resource of somebody who crashed.
    Audit(Path),
    /// Somebody who goes on with links that there are not takes it that all others are there.
    Haunts(usize),
    /// One end learns that the other has hung up.
    Closes {
        /// Which wire.
        wire: u64,
        /// At which end.
        end: usize,
    },
}

/// Short, since every step is told when a promise breaks.
impl fmt::Debug for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act(act) => act.fmt(f),
            Self::Wakes(who) => write!(f, "{who} wakes"),
            Self::Arrives { wire, end, frame } => {
                write!(f, "{} bytes arrive at end {end} of wire {wire}", frame.len())
            }
            Self::Described { who, link, .. } => write!(f, "{who} has described {link:?}"),
            Self::Flushed { who, link } => write!(f, "{who} has flushed {link:?}"),
            Self::Opens(ends) => write!(f, "a wire opens: {ends:?}"),
            Self::Reunites(who, node) => write!(f, "{who} invites {node} again"),
            Self::Audit(path) => write!(f, "nobody shows {path} any more"),
            Self::Haunts(who) => write!(f, "{who} takes it that all are there"),
            Self::Closes { wire, end } => write!(f, "wire {wire} closes at end {end}"),
        }
    }
}

/// What the story makes somebody do, or suffer. People are numbered in the order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Somebody new arrives, by a link to the one who invited, if any.
    Join(Option<usize>),
    /// A link between two, as an invite makes it.
    Link(usize, usize),
    /// One end hangs up all links between two.
    Cut(usize, usize),
    /// Writes.
    Do(usize, Command),
    /// Says a numbered notice to all; checked to arrive at most once.
    Shout(usize),
    /// Says a numbered notice to one; checked to arrive, or to be told as undelivered.
    Whisper(usize, usize),
    /// Stops without a word.
    Crash(usize),
    /// Hears and does nothing until woken.
    Sleep(usize),
    /// The same, and its time stands still meanwhile, as that of some browsers does while a computer sleeps.
    Doze(usize),
    /// Goes on.
    Wake(usize),
    /// Leaves properly.
    Leave(usize),
    /// Loses its memory and its links, but not its name.
    Reload(usize),
    /// From now on only members of the same group hear each other.
    Split(Vec<BTreeSet<usize>>),
    /// Everybody hears everybody.
    Heal,
    /// Bytes that are no frame come over every wire of somebody.
    Rubbish(usize),
    /// Somebody new arrives whose calendar is so many milliseconds ahead, or behind.
    Stranger(Option<usize>, i64),
    /// The time of somebody jumps ahead, and nobody has noticed it pass.
    Jump(usize, Duration),
    /// Nothing that the first sends reaches the second any more, and neither is told.
    HalfOpen(usize, usize),
    /// Nothing passes between two for now.
    Clog(usize, usize),
    /// What stalled between two goes on.
    Unclog(usize, usize),
    /// From now on somebody plays false.
    Turn(usize, Trick),
    /// Somebody is there a second time, with the same keys, by an invite of another, and plays false from now on.
    Twin(usize, usize),
    /// Somebody new arrives by an invite of one who plays false, and plays the same trick.
    Sybil(usize),
}
