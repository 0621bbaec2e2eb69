//! What the people in a story of one call mean to do, and how it should end when the network is fair.

use std::time::Duration;

use call::End;
use wire::Dice;

use crate::Weather;

/// Decisions in fair weather are this far apart, so that each is heard everywhere before the next.
const STEP: Duration = Duration::from_secs(4);

/// How many decisions fit into the ring time.
const STEPS: u64 = 10;

/// One story, before it is told.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) weather: Weather,
    /// When the caller gives up, from the start; `None` when they wait.
    pub(super) gives_up: Option<Duration>,
    /// How long the caller's browser takes to make an offer.
    pub(super) offer: Duration,
    /// What happens on each device of the callee.
    pub(super) devices: Vec<Device>,
    /// How long a channel takes to open after the answer is applied.
    pub(super) channel: Duration,
    /// Whether channels open at all.
    pub(super) opens: bool,
    /// Whether every call is stored and loaded again after each input.
    pub(super) stores: bool,
}

/// One device of the callee.
#[derive(Clone, Debug)]
pub(super) struct Device {
    /// Whether it is logged in.
    pub(super) is_there: bool,
    /// What the person does.
    pub(super) does: Does,
    /// When, from the first ring.
    pub(super) after: Duration,
    /// How long the browser takes to make an answer.
    pub(super) answer: Duration,
    /// How long after answering the person hangs up, unless it is connected by then; `None` when they wait. In fair
    /// weather they wait.
    pub(super) regrets: Option<Duration>,
}

/// What a person does on a device that rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Answer,
    Decline,
    /// Nothing, but the device says that it is busy.
    Busy,
    Nothing,
}

/// How a story ends in fair weather.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// This device is connected.
    Connected(usize),
    Ended(End),
}

impl Plan {
    pub(super) fn new(dice: &mut Dice, weather: Weather) -> Self {
        let is_fair = weather.lost_permille == 0 && !weather.reorders;
        let devices = 1 + dice.below(4);
        // In fair weather one decision per step; else all may fall together.
        let hurry = 1 + dice.below(50_000);
        let mut steps: Vec<u64> = (0..STEPS).collect();
        let mut moment = |dice: &mut Dice| {
            if is_fair {
                let at = dice.below(steps.len() as u64);
                let at = usize::try_from(at).expect("there are a few steps");
                STEP * u32::try_from(steps.swap_remove(at)).expect("there are a few steps")
            } else {
                millis(dice, hurry)
            }
        };
        let gives_up = (dice.below(4) == 0).then(|| moment(dice) + STEP / 2);
        let devices = (0..devices)
            .map(|_| Device {
                is_there: dice.below(8) != 0,
                does: match dice.below(8) {
                    0..=2 => Does::Answer,
                    3 => Does::Decline,
                    4 | 5 => Does::Busy,
                    _ => Does::Nothing,
                },
                after: moment(dice) + Duration::from_millis(500),
                answer: millis(dice, 200),
                regrets: (!is_fair && dice.below(6) == 0).then(|| millis(dice, 3_000)),
            })
            .collect();
        Self {
            weather,
            gives_up,
            offer: millis(dice, 200),
            devices,
            channel: millis(dice, 300),
            opens: dice.below(8) != 0,
            stores: dice.below(4) == 0,
        }
    }

    /// A reference that knows no messages: the first decision counts.
    pub(super) fn outcome(&self) -> Outcome {
        let mut open: Vec<usize> = self.there().collect();
        if open.is_empty() {
            return Outcome::Ended(End::NotReachable);
        }
        let mut moments: Vec<(Duration, Option<usize>)> =
            self.there().map(|device| (self.devices[device].after, Some(device))).collect();
        moments.extend(self.gives_up.map(|at| (at, None)));
        moments.sort();

        for (_, device) in moments {
            let Some(device) = device else { return Outcome::Ended(End::Cancelled) };
            match self.devices[device].does {
                Does::Answer if self.opens => return Outcome::Connected(device),
                Does::Answer => return Outcome::Ended(End::Failed),
                Does::Decline => return Outcome::Ended(End::Declined),
                Does::Busy => open.retain(|&other| other != device),
                Does::Nothing => {}
            }
            if open.is_empty() {
                return Outcome::Ended(End::Busy);
            }
        }
        Outcome::Ended(End::NoAnswer)
    }

    fn there(&self) -> impl Iterator<Item = usize> {
        (0..self.devices.len()).filter(|&device| self.devices[device].is_there)
    }
}

fn millis(dice: &mut Dice, bound: u64) -> Duration {
    Duration::from_millis(dice.below(bound))
}
