//! Virtual time: what is due, in order, and the promises that are checked after each step.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::time::Duration;

use wire::Time;

/// How many steps are told when a promise breaks.
const TOLD_MAX: usize = 60;

/// What is due, ordered by time, and by the order of planning where the time is the same.
#[derive(Clone, Debug)]
pub struct Agenda<W> {
    now: Time,
    seq: u64,
    /// When each is due, in nanoseconds, its number, and its slot: small, since a heap moves them about.
    due: BinaryHeap<Reverse<(u64, u64, u32)>>,
    slots: Vec<Option<W>>,
    free: Vec<u32>,
}

impl<W> Default for Agenda<W> {
    fn default() -> Self {
        let (due, slots, free) = (BinaryHeap::new(), Vec::new(), Vec::new());
        Self { now: Time::ZERO, seq: 0, due, slots, free }
    }
}

impl<W> Agenda<W> {
    /// The time of the story.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Plans `what` for `at`; at once, but after what is due already, when that is past.
    pub fn push(&mut self, at: Time, what: W) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1)
                .expect("a story holds less than four billion things")
        });
        self.slots[slot as usize] = Some(what);
        let at = at.max(self.now).since_origin().as_nanos();
        let at = u64::try_from(at).expect("a story ends within five hundred years");
        self.due.push(Reverse((at, self.seq, slot)));
        self.seq += 1;
    }

    /// When the next thing is due, or `None` when nothing is left to happen.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        self.due.peek().map(|Reverse((at, ..))| Time::at(Duration::from_nanos(*at)))
    }

    fn pop(&mut self) -> Option<W> {
        let Reverse((at, _, slot)) = self.due.pop()?;
        let at = Time::at(Duration::from_nanos(at));
        assert!(self.now <= at, "time never goes back");
        self.now = at;
        self.free.push(slot);
        self.slots[slot as usize].take()
    }
}

/// Cores, people and networks, and what happens to them.
pub trait Story {
    /// One thing that happens.
    type What: fmt::Debug;

    /// Lets it happen, and plans what follows.
    ///
    /// # Errors
    ///
    /// The promise that it broke, as a sentence.
    fn happen(&mut self, what: Self::What, agenda: &mut Agenda<Self::What>) -> Result<(), String>;

    /// Checks the promises that hold at any time.
    ///
    /// # Errors
    ///
    /// The promise that is broken, as a sentence.
    fn check(&self, now: Time) -> Result<(), String>;
}

/// A promise broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("story {number} at {at:?}: {promise}\n{log}", log = .log.join("\n"))]
pub struct Broken {
    /// The seed.
    pub number: u64,
    /// When.
    pub at: Time,
    /// Which, as a sentence.
    pub promise: String,
    /// The last steps, oldest first.
    pub log: Vec<String>,
}

/// A story being told.
#[derive(Clone, Debug)]
pub struct World<S: Story> {
    number: u64,
    agenda: Agenda<S::What>,
    story: S,
    steps: u64,
    log: VecDeque<String>,
    is_quiet: bool,
}

impl<S: Story> World<S> {
    /// The story with this number begins.
    #[must_use]
    pub fn new(number: u64, story: S) -> Self {
        Self {
            number,
            agenda: Agenda::default(),
            story,
            steps: 0,
            log: VecDeque::new(),
            is_quiet: false,
        }
    }

    /// The same, but the steps are not written down: for long stories, which can be told again when one breaks.
    #[must_use]
    pub fn quiet(number: u64, story: S) -> Self {
        Self { is_quiet: true, ..Self::new(number, story) }
    }

    /// The time of the story.
    #[must_use]
    pub fn now(&self) -> Time {
        self.agenda.now
    }

    /// How many things have happened.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The story as it stands.
    #[must_use]
    pub fn story(&self) -> &S {
        &self.story
    }

    /// The story as it stands, for whoever tells it to change its settings.
    pub fn story_mut(&mut self) -> &mut S {
        &mut self.story
    }

    /// Plans `what` for `at`.
    pub fn push(&mut self, at: Time, what: S::What) {
        self.agenda.push(at, what);
    }

    /// Lets the next thing happen; false when nothing is left to happen.
    ///
    /// # Errors
    ///
    /// When a promise breaks.
    pub fn step(&mut self) -> Result<bool, Broken> {
        let Some(what) = self.agenda.pop() else { return Ok(false) };
        self.steps += 1;
        if !self.is_quiet {
            if self.log.len() == TOLD_MAX {
                self.log.pop_front();
            }
            let at = self.agenda.now.since_origin().as_secs_f64();
            self.log.push_back(format!("{at:9.3} {what:?}"));
        }

        let told = self
            .story
            .happen(what, &mut self.agenda)
            .and_then(|()| self.story.check(self.agenda.now));
        told.map(|()| true).map_err(|promise| self.broken(promise))
    }

    /// Lets everything happen that is due until `last`, and then it is `last`.
    ///
    /// # Errors
    ///
    /// When a promise breaks, or when more than `steps_max` things happen.
    pub fn run_until(&mut self, last: Time, steps_max: u64) -> Result<(), Broken> {
        let stop = self.steps.saturating_add(steps_max);
        while self.agenda.next_at().is_some_and(|at| at <= last) {
            if self.steps == stop {
                return Err(self.broken(format!("more than {steps_max} steps")));
            }
            self.step()?;
        }
        self.agenda.now = self.agenda.now.max(last);
        Ok(())
    }

    /// What is told when `promise` is broken now.
    #[must_use]
    pub fn broken(&self, promise: String) -> Broken {
        let log = self.log.iter().cloned().collect();
        Broken { number: self.number, at: self.agenda.now, promise, log }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_due_at_the_same_time_happen_in_the_order_they_were_planned() {
        let mut world = World::new(1, Diary::default());
        let noon = Time::ZERO + Duration::from_secs(12);
        world.push(noon, "second");
        world.push(Time::ZERO, "first");
        world.push(noon, "third");

        world.run_until(noon, 10).unwrap();

        assert_eq!(world.story().0, ["first", "second", "third"]);
        assert_eq!(world.now(), noon);
    }

    #[test]
    fn a_broken_promise_is_told_with_the_steps_that_led_to_it() {
        let mut world = World::new(7, Diary::default());
        world.push(Time::ZERO, "fine");
        world.push(Time::ZERO + Duration::from_secs(1), "bad");

        let broken = world.run_until(Time::ZERO + Duration::from_secs(9), 10).unwrap_err();

        assert_eq!((broken.number, broken.promise.as_str()), (7, "no bad thing happens"));
        assert_eq!(broken.log.len(), 2);
    }

    #[test]
    fn a_story_without_end_is_broken() {
        let mut world = World::new(1, Diary::default());
        world.push(Time::ZERO, "again");

        let broken = world.run_until(Time::ZERO, 10).unwrap_err();

        assert_eq!(broken.promise, "more than 10 steps");
    }

    /// Writes down what happens.
    #[derive(Default)]
    struct Diary(Vec<&'static str>);

    impl Story for Diary {
        type What = &'static str;

        fn happen(
            &mut self,
            what: &'static str,
            agenda: &mut Agenda<&'static str>,
        ) -> Result<(), String> {
            if what == "again" {
                agenda.push(agenda.now(), "again");
            }
            self.0.push(what);
            Ok(())
        }

        fn check(&self, _: Time) -> Result<(), String> {
            if self.0.contains(&"bad") {
                return Err("no bad thing happens".to_owned());
            }
            Ok(())
        }
    }
}
