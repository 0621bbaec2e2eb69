//! A trial: one conference of real nodes is filled, talks, is cut, crashes and heals, and everything is measured.

mod conditions;
mod faults;
mod foul;
mod hall;
mod plan;
mod rough;
mod talk;

pub use conditions::Conditions;
pub use plan::{Misfit, Plan, Shape};

use std::time::Duration;

use crate::conference::Trick;
use crate::{Broken, Weather};

use hall::Hall;

/// How many one member invites at most where somebody tries to bring in more.
const INVITES_MAX: u16 = 20;

/// One thing that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// A short name that stays the same from run to run.
    pub name: &'static str,
    /// What it means, as a phrase.
    pub meaning: &'static str,
    /// In which unit; empty for plain numbers.
    pub unit: &'static str,
    /// How much.
    pub value: f64,
    /// The most that it may be, when the trial is one that has a bar.
    pub bar: Option<f64>,
}

impl Measure {
    /// Whether it is within its bar.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.bar.is_none_or(|bar| self.value <= bar)
    }

    /// Whether its bar is to hold in every story, rather than in nearly all: what arrives, and that all agree. How fast
    /// and how thriftily is a matter of luck too; those bars are for stories that are fixed.
    #[must_use]
    pub fn is_promise(&self) -> bool {
        const THRIFT: [&str; 10] = [
            "redundancy",
            "redundancy_at_once",
            "delivery_to_flood",
            "control",
            "heal_round_trips",
            // A rough while that is not over after half as long again breaks the story itself.
            "rough_agree",
            "detect",
            // Whoever has come in a crowd hears of some by the next comparison.
            "join_complete",
            "crash_islands",
            // Whoever has lost all its neighbours is back when its application has found it another.
            "crash_agree",
        ];
        !THRIFT.contains(&self.name)
    }
}

/// Points of something that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What is shown.
    pub title: &'static str,
    /// What is to the right, with its unit.
    pub across: &'static str,
    /// What is upwards, with its unit.
    pub up: &'static str,
    /// Whether each point is a count of its own, rather than one state of many.
    pub is_count: bool,
    /// Across and up.
    pub points: Vec<(f64, f64)>,
}

/// All that a trial has shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What was tried.
    pub plan: Plan,
    /// What was measured, in the order of the story.
    pub measures: Vec<Measure>,
    /// How things went.
    pub curves: Vec<Curve>,
    /// Who was linked to whom before anything bad happened.
    pub links: Vec<(usize, usize)>,
    /// How many things happened.
    pub steps: u64,
    /// How many seconds passed in the story.
    pub seconds: f64,
    /// A number that is equal for stories in which the same happened, to the last bit, and hardly ever for others.
    pub trace: u64,
}

impl Report {
    /// Whether all measures are within their bars.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.measures.iter().all(Measure::holds)
    }

    pub(crate) fn note(
        &mut self,
        name: &'static str,
        value: f64,
        unit: &'static str,
        meaning: &'static str,
    ) {
        let bar = self.plan.bar(name);
        self.measures.push(Measure { name, meaning, unit, value, bar });
    }

    pub(crate) fn draw(
        &mut self,
        title: &'static str,
        across: &'static str,
        up: &'static str,
        points: Vec<(f64, f64)>,
    ) {
        self.curves.push(Curve { title, across, up, is_count: false, points });
    }
}

/// Tells the story of `plan` and measures it. Equal plans give equal reports.
///
/// # Errors
///
/// When a promise breaks that holds at any time, such as that nothing is heard twice.
pub fn run(plan: &Plan) -> Result<Report, Broken> {
    rayon::scope(|_| tell(plan, None))
}

/// The same story, and how fast a conference is told that has settled and talks: `clock` says how long whoever asks has
/// been at it.
///
/// # Errors
///
/// As for [`run`].
pub fn run_timed(plan: &Plan, clock: Clock<'_>) -> Result<Report, Broken> {
    rayon::scope(|_| tell(plan, Some(clock)))
}

/// How long whoever asks has been at it.
type Clock<'a> = &'a (dyn Fn() -> Duration + Sync);

fn tell(plan: &Plan, clock: Option<Clock<'_>>) -> Result<Report, Broken> {
    let mut report = Report {
        plan: plan.clone(),
        measures: Vec::new(),
        curves: Vec::new(),
        links: Vec::new(),
        steps: 0,
        seconds: 0.0,
        trace: 0,
    };
    let mut hall = Hall::new(plan.seed, weather(plan));
    hall.world.story_mut().place(plan.conditions.surroundings.clone());
    if plan.conditions.tricks.contains(&Trick::Sybil) {
        hall.world.story_mut().limit_invites(INVITES_MAX);
    }
    hall.fill(&mut report)?;
    talk::steady(&mut hall, &mut report, clock)?;
    talk::rotating(&mut hall, &mut report)?;
    talk::at_once(&mut hall, &mut report)?;
    talk::one_more(&mut hall, &mut report)?;
    faults::partition(&mut hall, &mut report)?;
    rough::rough(&mut hall, &mut report)?;
    faults::one_crash(&mut hall, &mut report)?;
    faults::many_crash(&mut hall, &mut report)?;
    report.draw("Traffic", "seconds", "kilobytes in the second", hall.traffic_curve());
    report.steps = hall.world.steps();
    report.seconds = hall.world.now().since_origin().as_secs_f64();
    report.trace = hall.story().trace();
    Ok(report)
}

/// The weather of a plan.
fn weather(plan: &Plan) -> Weather {
    let Conditions { spread, lopsided, bandwidth, .. } = plan.conditions;
    Weather {
        steady: true,
        lost_permille: plan.loss * 10,
        spread,
        lopsided,
        bandwidth: bandwidth * 1_000,
        ..Weather::fair()
    }
}
