//! People who play false: what they send is not what their node said.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use mesh::Glance;
use wire::{Dice, NodeId};

use super::forgery::{Cast, receipt, retold};
use crate::trial::Misfit;

/// How many frames somebody who repeats them remembers.
const REMEMBERED_MAX: usize = 64;

/// How many copies somebody who floods sends of each frame, and as many frames of dice.
const COPIES: usize = 20;

/// A way of playing false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trick {
    /// Sends everything many times, and noise beside it.
    Flood,
    /// Turns a bit of every other frame over.
    Flip,
    /// Cuts every other frame short.
    Truncate,
    /// Says again what it or others said before, over any of its links.
    Replay,
    /// Hands on nothing that others say, though it keeps its links.
    BlackHole,
    /// Keeps what is said to one of the others, and answers in the name of that one that it has come.
    Swallow,
    /// Goes on with links that there are not: to those who crashed or hung up, and to its accomplices, over which nothing
    /// passes but that they are there.
    FalseLinks,
    /// Answers no question about what it has.
    Withhold,
    /// Hands on what others say with a bit of its content turned over.
    Forge,
    /// Is there twice, under one name, and says one thing here and another there.
    Equivocate,
    /// Speaks to all in the names of others: what they said with other words, under numbers that they have yet to use.
    Pose,
    /// Leaves out one of the writes whenever it tells a neighbour what that one lacks.
    Trim,
    /// Writes more than anybody may.
    Hoard,
    /// Invites more than anybody may, all of them its own.
    Sybil,
}

impl Trick {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Flood,
        Self::Flip,
        Self::Truncate,
        Self::Replay,
        Self::BlackHole,
        Self::Swallow,
        Self::FalseLinks,
        Self::Withhold,
        Self::Forge,
        Self::Equivocate,
        Self::Pose,
        Self::Trim,
        Self::Hoard,
        Self::Sybil,
    ];

    /// How it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Flip => "flip",
            Self::Truncate => "truncate",
            Self::Replay => "replay",
            Self::BlackHole => "black-hole",
            Self::Swallow => "swallow",
            Self::FalseLinks => "false-links",
            Self::Withhold => "withhold",
            Self::Forge => "forge",
            Self::Equivocate => "equivocate",
            Self::Pose => "pose",
            Self::Trim => "trim",
            Self::Hoard => "hoard",
            Self::Sybil => "sybil",
        }
    }
}

impl fmt::Display for Trick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Trick {
    type Err = Misfit;

    fn from_str(text: &str) -> Result<Self, Misfit> {
        Self::ALL.into_iter().find(|trick| trick.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Misfit::new(format!("There is no trick called {text}. Choose from {names}."))
        })
    }
}

/// Somebody who plays false.
#[derive(Clone, Debug)]
pub(crate) struct Liar {
    trick: Trick,
    said: VecDeque<Vec<u8>>,
}

impl Liar {
    pub(crate) fn new(trick: Trick) -> Self {
        Self { trick, said: VecDeque::new() }
    }

    pub(crate) fn trick(&self) -> Trick {
        self.trick
    }

    /// Whether that passes over a link between two accomplices that is not there: only that they are, and who.
    pub(crate) fn keeps_up(frame: &[u8]) -> bool {
        matches!(mesh::glance(frame), Glance::Beat | Glance::Rubbish)
    }

    /// What it answers instead of passing a frame on, if that is its trick.
    pub(crate) fn swallow(&self, me: NodeId, frame: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
        let is_its_trick = self.trick == Trick::Swallow;
        receipt(frame, dice.bytes()).filter(|(to, _)| is_its_trick && *to != me).map(|(_, it)| it)
    }

    /// What the others say to it.
    pub(crate) fn hear(&mut self, me: NodeId, frame: &[u8]) {
        let is_kept = match self.trick {
            Trick::Replay => true,
            Trick::Pose => is_of_others(me, frame) && Cast::read(frame).is_some(),
            Trick::Flood | Trick::Flip | Trick::Truncate | Trick::BlackHole | Trick::Withhold => {
                false
            }
            Trick::Forge | Trick::Equivocate | Trick::Trim | Trick::Hoard | Trick::Sybil => false,
            Trick::Swallow | Trick::FalseLinks => false,
        };
        if is_kept {
            self.remember(frame);
        }
    }

    fn remember(&mut self, frame: &[u8]) {
        self.said.push_back(frame.to_vec());
        if self.said.len() > REMEMBERED_MAX {
            self.said.pop_front();
        }
    }

    /// Something in the name of somebody who was heard, which takes up numbers that it has yet to use.
    fn posed(&self, dice: &mut Dice) -> Option<Vec<u8>> {
        let heard = self.said.get(dice.below(self.said.len().max(1) as u64) as usize)?;
        let mut cast = Cast::read(heard)?;
        cast.seq += [1, 2, 300, 1 << 40][dice.below(4) as usize];
        if dice.below(2) == 0 {
            cast.payload = flipped(cast.payload, 0, dice);
        }
        Some(cast.write())
    }

    /// What goes out instead of `frame`, which the node of `me` said.
    pub(crate) fn turn(&mut self, me: NodeId, frame: Vec<u8>, dice: &mut Dice) -> Vec<Vec<u8>> {
        let is_even = dice.below(2) == 0;
        match self.trick {
            Trick::Flood => {
                let mut frames = vec![frame; COPIES];
                frames.extend((0..COPIES).map(|_| {
                    let length = dice.below(60) as usize;
                    dice.bytes::<60>()[..length].to_vec()
                }));
                frames
            }
            Trick::Flip if is_even => vec![flipped(frame, 0, dice)],
            Trick::Truncate if is_even => {
                let length = dice.below(frame.len() as u64) as usize;
                vec![frame[..length].to_vec()]
            }
            Trick::Replay => {
                self.remember(&frame);
                let old = dice.below(self.said.len() as u64) as usize;
                vec![frame, self.said[old].clone()]
            }
            Trick::BlackHole if is_of_others(me, &frame) => Vec::new(),
            Trick::Withhold if matches!(mesh::glance(&frame), Glance::Tell | Glance::Piece) => {
                Vec::new()
            }
            // What is said stands behind the head of a frame: who says it, and which number it has.
            Trick::Forge if is_of_others(me, &frame) => {
                let head = frame.len().min(20);
                vec![flipped(frame, head, dice)]
            }
            Trick::Pose => self.posed(dice).into_iter().chain([frame]).collect(),
            Trick::Trim => {
                let nth = dice.below(1 << 16) as usize;
                let trimmed = retold(&frame, |said| tree::leave_out(said, nth));
                vec![trimmed.unwrap_or(frame)]
            }
            Trick::Flip
            | Trick::Truncate
            | Trick::BlackHole
            | Trick::Swallow
            | Trick::FalseLinks
            | Trick::Withhold
            | Trick::Forge
            | Trick::Equivocate
            | Trick::Hoard
            | Trick::Sybil => vec![frame],
        }
    }
}

/// The frame with a bit turned over, at `from` or behind it.
fn flipped(mut frame: Vec<u8>, from: usize, dice: &mut Dice) -> Vec<u8> {
    let span = frame.len().saturating_sub(from);
    if span > 0 {
        let at = from + dice.below(span as u64) as usize;
        frame[at] ^= 1 << dice.below(8);
    }
    frame
}

/// Whether it only passes through.
fn is_of_others(me: NodeId, frame: &[u8]) -> bool {
    match mesh::glance(frame) {
        Glance::Cast { author, .. } => author != me,
        Glance::Unicast => true,
        Glance::Beat | Glance::Hint | Glance::Tell | Glance::Piece | Glance::Rubbish => false,
    }
}

#[cfg(test)]
mod tests {
    use wire::Seed;

    use super::*;

    #[test]
    fn every_trick_is_read_by_its_name_and_turns_what_is_said() {
        let mut dice = Dice::new(Seed::story(1));
        for trick in Trick::ALL {
            assert_eq!(trick.to_string().parse(), Ok(trick));
            let mut liar = Liar::new(trick);
            let frame = vec![3, 4, 1, 2, 3, 4];
            let turned =
                (0..20).any(|_| liar.turn(NodeId(1), frame.clone(), &mut dice) != [&frame[..]]);
            // What others say, and what is told of the tree, is another matter.
            let of_others = [Trick::BlackHole, Trick::Forge, Trick::Pose, Trick::Swallow];
            let by_itself = [Trick::Equivocate, Trick::Hoard, Trick::Sybil, Trick::FalseLinks];
            let is_otherwise =
                of_others.contains(&trick) || by_itself.contains(&trick) || trick == Trick::Trim;
            assert_eq!(turned, !is_otherwise, "{trick}");
        }
        assert!("lie".parse::<Trick>().unwrap_err().to_string().contains("black-hole"));
    }
}
