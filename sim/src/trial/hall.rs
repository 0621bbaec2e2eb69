//! The conference of a trial, and what is asked of it between the acts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use node::{Command, Life, Path};
use serde_json::json;
use wire::{Dice, Seed, Time};

use super::Report;
use crate::conference::{Act, Conference, Person, State, Traffic, What};
use crate::{Broken, Weather, World};

/// More steps than any act of a trial takes.
const STEPS_MAX: u64 = 2_000_000_000;

/// A conference being measured.
pub(super) struct Hall {
    pub(super) world: World<Conference>,
    pub(super) dice: Dice,
    /// Traffic so far, at each full second.
    seconds: Vec<u64>,
}

impl Hall {
    pub(super) fn new(seed: u64, weather: Weather) -> Self {
        let world = World::quiet(seed, Conference::new(seed, weather));
        let dice = Dice::new(Seed::story(seed.wrapping_add(1 << 32)));
        Self { world, dice, seconds: vec![0] }
    }

    /// Everybody joins, each invited by somebody who is there, within twenty seconds; until all agree.
    pub(super) fn fill(&mut self, report: &mut Report) -> Result<(), Broken> {
        let nodes = report.plan.nodes;
        let pause = Duration::from_millis((20_000 / nodes as u64).min(200));
        for who in 0..nodes {
            let inviter = self.dice.below(who as u64) as usize;
            self.act(Act::Join((who > 0).then_some(inviter)))?;
            self.pass(pause)?;
        }
        let complete = self.until_complete(Duration::from_secs(120))?;
        let (took, points) = self.until_agreed(Duration::from_secs(120))?;
        let points = points.into_iter().map(|(at, share)| (at + complete, share)).collect();
        report.note("join_complete", complete, "s", "from the last join until all show all");
        report.note(
            "join_agree",
            complete + took,
            "s",
            "from the last join until all see the same",
        );
        report.draw("After the last join", "seconds", "% that see what most see", points);
        // Until the links that nobody needs are gone.
        self.pass(Duration::from_secs(60))?;
        report.links = self.story().overlay().into_keys().collect();
        let degree = report.links.len() as f64 * 2.0 / nodes as f64;
        report.note("degree", degree, "", "links of a node, on average");
        Ok(())
    }

    pub(super) fn story(&self) -> &Conference {
        self.world.story()
    }

    pub(super) fn person(&self, who: usize) -> &Person {
        &self.story().people()[who]
    }

    pub(super) fn act(&mut self, act: Act) -> Result<(), Broken> {
        self.world.push(self.world.now(), What::Act(act));
        self.world.run_until(self.world.now(), STEPS_MAX)
    }

    pub(super) fn pass(&mut self, span: Duration) -> Result<(), Broken> {
        let last = self.world.now() + span;
        loop {
            let second = Time::at(Duration::from_secs(self.seconds.len() as u64));
            self.world.run_until(second.min(last), STEPS_MAX)?;
            if second > last {
                return Ok(());
            }
            self.seconds.push(self.story().traffic().bytes);
        }
    }

    /// A line of chat.
    pub(super) fn say(&mut self, who: usize, text: &str) -> Result<(), Broken> {
        let path: Path = "messages".parse().expect("one word is a path");
        let value = json!({ "text": text });
        self.act(Act::Do(who, Command::Add { path, value, life: Life::Lasting }))
    }

    pub(super) fn awake(&self) -> Vec<usize> {
        let people = self.story().people().iter().enumerate();
        people.filter(|(_, person)| person.state == State::Awake).map(|(who, _)| who).collect()
    }

    /// Somebody who is awake.
    pub(super) fn somebody(&mut self) -> usize {
        let awake = self.awake();
        awake[self.dice.below(awake.len() as u64) as usize]
    }

    /// Waits until all that are awake show each other. How many seconds that took, or `longest`.
    fn until_complete(&mut self, longest: Duration) -> Result<f64, Broken> {
        let begin = self.world.now();
        while !self.is_complete() && self.world.now() - begin < longest {
            self.pass(Duration::from_millis(100))?;
        }
        Ok((self.world.now() - begin).as_secs_f64())
    }

    /// Whether all that are awake show each other.
    fn is_complete(&self) -> bool {
        let awake = self.awake();
        awake.iter().all(|who| self.person(*who).node.nodes().count() == awake.len())
    }

    /// Waits until all that are awake have the same writes and the same nodes present. How many seconds that took,
    /// or `longest`, and at each moment how many of a hundred saw what most of them saw.
    pub(super) fn until_agreed(
        &mut self,
        longest: Duration,
    ) -> Result<(f64, Vec<(f64, f64)>), Broken> {
        let begin = self.world.now();
        let mut points = Vec::new();
        loop {
            let waited = self.world.now() - begin;
            let share = self.agreement();
            points.push((waited.as_secs_f64(), share * 100.0));
            if share >= 1.0 || waited >= longest {
                return Ok((waited.as_secs_f64(), points));
            }
            self.pass(Duration::from_millis(100))?;
        }
    }

    pub(super) fn agreement(&self) -> f64 {
        let awake = self.awake();
        let mut views: BTreeMap<(u32, bool), usize> = BTreeMap::new();
        for who in &awake {
            let node = &self.person(*who).node;
            let complete = node.nodes().count() == awake.len();
            *views.entry((node.digest(), complete)).or_default() += 1;
        }
        let most = views.iter().filter(|((_, complete), _)| *complete).map(|(_, n)| *n).max();
        most.unwrap_or(0) as f64 / awake.len() as f64
    }

    /// The parts that those who are awake and play fair fall into. Whoever plays false joins nobody.
    pub(super) fn islands(&self) -> Vec<BTreeSet<usize>> {
        let mut neighbours: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (one, other) in self.story().overlay().into_keys() {
            neighbours.entry(one).or_default().push(other);
            neighbours.entry(other).or_default().push(one);
        }
        let mut left = self.story().honest();
        let mut islands = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut island = BTreeSet::from([first]);
            let mut stack = vec![first];
            while let Some(at) = stack.pop() {
                for next in neighbours.get(&at).into_iter().flatten() {
                    if left.remove(next) {
                        island.insert(*next);
                        stack.push(*next);
                    }
                }
            }
            islands.push(island);
        }
        islands
    }

    /// When the last node hears of `author`, if everybody forwards to everybody: the best that any broadcast can do.
    pub(super) fn flood(&self, author: usize) -> Duration {
        let mut neighbours: BTreeMap<usize, Vec<(usize, Duration)>> = BTreeMap::new();
        for ((one, other), latency) in self.story().overlay() {
            let latency = latency.unwrap_or_default();
            neighbours.entry(one).or_default().push((other, latency));
            neighbours.entry(other).or_default().push((one, latency));
        }
        let mut at = BTreeMap::new();
        let mut next = BTreeSet::from([(Duration::ZERO, author)]);
        while let Some((when, who)) = next.pop_first() {
            if at.contains_key(&who) {
                continue;
            }
            at.insert(who, when);
            for (to, latency) in neighbours.get(&who).into_iter().flatten() {
                next.insert((when + *latency, *to));
            }
        }
        at.into_values().max().unwrap_or_default()
    }

    pub(super) fn spent(&self, before: Traffic) -> Traffic {
        let now = self.story().traffic();
        Traffic {
            frames: now.frames - before.frames,
            casts: now.casts - before.casts,
            bytes: now.bytes - before.bytes,
            signals: now.signals - before.signals,
            beats: now.beats - before.beats,
        }
    }

    /// Kilobytes sent in each second of the story.
    pub(super) fn traffic_curve(&self) -> Vec<(f64, f64)> {
        let pairs = self.seconds.windows(2).enumerate();
        pairs.map(|(n, pair)| (n as f64, (pair[1] - pair[0]) as f64 / 1_000.0)).collect()
    }
}
