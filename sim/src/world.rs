//! Virtual time: what is due, in order, and the promises that are checked after each step.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::time::Duration;

use wire::Time;

/// How many steps are told when a promise breaks.
const TOLD_MAX: usize = 60;

/// How many things are foreseen at a time at most.
const FORESEEN_MAX: usize = 256;

/// What is due, ordered by time, and by the order of planning where the time is the same.
#[derive(Clone, Debug)]
pub struct Agenda<W> {
    now: Time,
    seq: u64,
    /// Small entries, since a heap moves them about.
    due: BinaryHeap<Reverse<Due>>,
    slots: Vec<Option<W>>,
    free: Vec<u32>,
    /// The first of what is due, when that was foreseen: it happens in its turn.
    foreseen: VecDeque<Due>,
}

/// When something is due, in nanoseconds, its number, and its slot.
type Due = (u64, u64, u32);

impl<W> Default for Agenda<W> {
    fn default() -> Self {
        let (due, slots, free) = (BinaryHeap::new(), Vec::new(), Vec::new());
        Self { now: Time::ZERO, seq: 0, due, slots, free, foreseen: VecDeque::new() }
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
        let due = self.due.peek().map(|Reverse(due)| due);
        self.foreseen.front().into_iter().chain(due).min().map(at)
    }

    fn pop(&mut self) -> Option<W> {
        let is_sooner =
            |due: &Reverse<Due>| self.foreseen.front().is_none_or(|first| due.0 < *first);
        let due = if self.due.peek().is_some_and(is_sooner) {
            self.due.pop()?.0
        } else {
            self.foreseen.pop_front()?
        };
        assert!(self.now <= at(&due), "time never goes back");
        self.now = at(&due);
        self.free.push(due.2);
        self.slots[due.2 as usize].take()
    }

    /// Takes the next thing that is due before `end` for foreseen, if it is `meant`.
    fn foresee(&mut self, end: Time, mut is_meant: impl FnMut(&W) -> bool) -> bool {
        let Some(Reverse(due)) = self.due.peek().copied().filter(|due| at(&due.0) < end) else {
            return false;
        };
        let is_meant = self.slots[due.2 as usize].as_ref().is_some_and(&mut is_meant);
        if is_meant {
            self.due.pop();
            self.foreseen.push_back(due);
        }
        is_meant
    }
}

fn at((nanos, ..): &Due) -> Time {
    Time::at(Duration::from_nanos(*nanos))
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

    /// Where it happens, if that is at one place and nothing that happens elsewhere less than [`lag`](Self::lag) before
    /// changes what comes of it. Then it can be worked out side by side with others.
    fn place(&self, _: &Self::What) -> Option<usize> {
        None
    }

    /// How long it takes at least until something that happens at one place is felt at another.
    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    /// Works out what comes of things that are due soon, each at a place of its own, and keeps it until they happen.
    fn foresee(&mut self, _: &[(Time, &Self::What)]) {}

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
    /// At which places something was foreseen when: counted in looks ahead.
    places: Vec<u64>,
    looks: u64,
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
            places: Vec::new(),
            looks: 0,
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
            if self.agenda.foreseen.is_empty() {
                self.look_ahead(last);
            }
            self.step()?;
        }
        self.agenda.now = self.agenda.now.max(last);
        Ok(())
    }

    /// Has the story foresee what is due next, as far as nothing of it bears on anything else of it.
    fn look_ahead(&mut self, last: Time) {
        let (story, agenda) = (&self.story, &mut self.agenda);
        let lag = story.lag();
        let Some(first) = agenda.next_at().filter(|_| lag > Duration::ZERO) else { return };
        self.looks += 1;
        let (places, look) = (&mut self.places, self.looks);
        let mut is_free = |what: &S::What| {
            let Some(place) = story.place(what) else { return false };
            if places.len() <= place {
                places.resize(place + 1, 0);
            }
            std::mem::replace(&mut places[place], look) != look
        };
        // What is due at the last moment too.
        let end = (first + lag).min(last + Duration::from_nanos(1));
        while agenda.foreseen.len() < FORESEEN_MAX && agenda.foresee(end, &mut is_free) {}
        if agenda.foreseen.len() > 1 {
            let due = agenda.foreseen.iter();
            let due = due.filter_map(|due| Some((at(due), agenda.slots[due.2 as usize].as_ref()?)));
            self.story.foresee(&due.collect::<Vec<_>>());
        }
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

    #[test]
    fn what_is_foreseen_is_due_before_others_feel_it_and_happens_in_its_turn() {
        let mut world = World::new(1, Town::default());
        let plans = [(0, 1), (1, 2), (2, 1), (3, 3), (30, 2), (31, 4), (32, 5)];
        plans.into_iter().for_each(|(at, place)| world.push(millis(at), (at, place)));

        world.run_until(millis(40), 20).unwrap();

        let Town { foreseen, happened } = world.story();
        // Of two at one place the second waits, and so does what is due once the first can be felt. What follows at once
        // from something comes before what is due later, foreseen or not.
        let together =
            [vec![(0, 1), (1, 2)], vec![(2, 1), (3, 3)], vec![(30, 2), (31, 4), (32, 5)]];
        assert_eq!(*foreseen, together);
        let in_turn = [(0, 1), (1, 2), (2, 1), (3, 3), (30, 2), (30, 0), (31, 4), (32, 5)];
        assert_eq!(*happened, in_turn);
    }

    fn millis(millis: u64) -> Time {
        Time::at(Duration::from_millis(millis))
    }

    /// Places where things happen; of each, when and where. What happens after 30 ms is followed by something nowhere.
    #[derive(Default)]
    struct Town {
        foreseen: Vec<Vec<(u64, usize)>>,
        happened: Vec<(u64, usize)>,
    }

    impl Story for Town {
        type What = (u64, usize);

        fn happen(
            &mut self,
            what: Self::What,
            agenda: &mut Agenda<Self::What>,
        ) -> Result<(), String> {
            self.happened.push(what);
            if what == (30, 2) {
                agenda.push(agenda.now(), (30, 0));
            }
            Ok(())
        }

        fn place(&self, (_, place): &Self::What) -> Option<usize> {
            (*place > 0).then_some(*place)
        }

        fn lag(&self) -> Duration {
            Duration::from_millis(5)
        }

        fn foresee(&mut self, due: &[(Time, &Self::What)]) {
            self.foreseen.push(due.iter().map(|(_, what)| **what).collect());
        }

        fn check(&self, _: Time) -> Result<(), String> {
            Ok(())
        }
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
