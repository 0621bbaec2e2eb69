//! What those who play false do by themselves, beside what they make of what their nodes say.

use std::time::Duration;

use node::{Command, Life};
use serde_json::json;

use super::hall::Hall;
use crate::Broken;
use crate::conference::{Act, State, Trick};

/// How many writes at once somebody makes who writes more than it may.
const WRITES: usize = 3;

/// How many bytes each of them has.
const WRITE_BYTES: usize = 12_000;

/// Lets some play false, one for each trick.
pub(super) fn begin(hall: &mut Hall, tricks: &[Trick]) -> Result<(), Broken> {
    for trick in tricks {
        let fair: Vec<usize> = hall.story().honest().into_iter().collect();
        let mut pick = || fair[hall.dice.below(fair.len() as u64) as usize];
        let (who, other) = (pick(), pick());
        hall.act(Act::Turn(who, *trick))?;
        match trick {
            Trick::Equivocate => hall.act(Act::Twin(who, other))?,
            // Its own bounds are another's from now on.
            Trick::Hoard => {
                hall.act(Act::Reload(who))?;
                if other != who {
                    hall.act(Act::Link(who, other))?;
                }
            }
            // So are its own, and it needs an accomplice.
            Trick::FalseLinks => {
                for (liar, friend) in [(who, fair[0]), (other, fair[fair.len() - 1])] {
                    hall.act(Act::Turn(liar, *trick))?;
                    hall.act(Act::Reload(liar))?;
                    if friend != who && friend != other {
                        hall.act(Act::Link(friend, liar))?;
                    }
                }
                hall.pass(Duration::from_secs(2))?;
                hall.act(Act::Link(who, other))?;
            }
            Trick::Flood | Trick::Flip | Trick::Truncate | Trick::Replay | Trick::BlackHole => {}
            Trick::Swallow
            | Trick::Withhold
            | Trick::Forge
            | Trick::Pose
            | Trick::Trim
            | Trick::Sybil => {}
        }
    }
    Ok(())
}

/// What they do in each step.
pub(super) fn go_on(hall: &mut Hall) -> Result<(), Broken> {
    for who in 0..hall.story().people().len() {
        if hall.person(who).state != State::Awake {
            continue;
        }
        match hall.person(who).trick() {
            Some(Trick::Equivocate) => hall.say(who, &format!("{who} said so."))?,
            Some(Trick::Hoard) => hoard(hall, who)?,
            Some(Trick::Sybil) if hall.dice.below(2) == 0 => hall.act(Act::Sybil(who))?,
            Some(_) | None => {}
        }
    }
    Ok(())
}

fn hoard(hall: &mut Hall, who: usize) -> Result<(), Broken> {
    for _ in 0..WRITES {
        let place = format!("shared/hoard-{}", hall.dice.below(1_000_000));
        let path = place.parse().expect("two words are a path");
        let value = json!({ "text": "x".repeat(WRITE_BYTES) });
        let life = Life::Lasting;
        hall.act(Act::Do(who, Command::Update { path, value, partial: false, life }))?;
    }
    Ok(())
}
