//! The story: one thing after the other happens by itself, each when all agree about the one before.

use std::time::Duration;

use wire::Time;

use super::api::{Gesture, SeatId};
use super::{Emulator, words};

/// How long to look at what came out, before the next thing happens.
const PAUSE: Duration = Duration::from_millis(1_500);

/// How long to wait for all to agree. Guess: a crash takes up to 15 s to be noticed everywhere.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often to look whether they do.
const GLANCE: Duration = Duration::from_millis(100);

/// How far the story is.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) chapter: usize,
    next: Time,
    until: Time,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chapter {
    Greet,
    CutThree,
    Split,
    TalkApart,
    Heal,
    Freeze,
    TalkOn,
    Thaw,
    CrashTwo,
    Invite,
}

const CHAPTERS: [Chapter; 10] = [
    Chapter::Greet,
    Chapter::CutThree,
    Chapter::Split,
    Chapter::TalkApart,
    Chapter::Heal,
    Chapter::Freeze,
    Chapter::TalkOn,
    Chapter::Thaw,
    Chapter::CrashTwo,
    Chapter::Invite,
];

impl Story {
    pub(super) fn new(now: Time) -> Self {
        Self { chapter: 0, next: now, until: now + PATIENCE }
    }

    pub(super) fn timeout(&self) -> Time {
        self.next
    }

    pub(super) fn count() -> usize {
        CHAPTERS.len()
    }
}

impl Emulator {
    /// Lets the next thing happen, when it is time.
    pub(super) fn go_on(&mut self, now: Time) {
        let is_settled = self.watch.is_settled;
        let Some(story) = &mut self.story else { return };
        if now < story.next {
            return;
        }
        if !is_settled && now < story.until {
            story.next = now + GLANCE;
            return;
        }
        let Some(chapter) = CHAPTERS.get(story.chapter).copied() else {
            self.story = None;
            self.watch.note(now, words::STORY_ENDS.to_owned());
            return;
        };
        story.chapter += 1;
        (story.next, story.until) = (now + PAUSE, now + PATIENCE);
        for gesture in self.gestures(chapter) {
            self.on_gesture(now, gesture);
        }
    }

    fn gestures(&mut self, chapter: Chapter) -> Vec<Gesture> {
        let running: Vec<SeatId> = self.running().collect();
        match chapter {
            Chapter::Greet => running.into_iter().map(|seat| say(seat, words::HELLO)).collect(),
            Chapter::CutThree => {
                let links = self.some(self.links(), 3);
                links.into_iter().map(|(one, other)| Gesture::Cut(one, other)).collect()
            }
            Chapter::Split => vec![Gesture::Split],
            Chapter::TalkApart => {
                let ends = running.first().into_iter().chain(running.last());
                ends.map(|seat| say(*seat, words::APART)).collect()
            }
            Chapter::Heal => vec![Gesture::Heal],
            Chapter::Freeze => self.some(running, 1).into_iter().map(Gesture::Freeze).collect(),
            Chapter::TalkOn => {
                self.some(running, 2).into_iter().map(|seat| say(seat, words::MEANWHILE)).collect()
            }
            Chapter::Thaw => {
                let all: Vec<SeatId> = self.seats().collect();
                all.into_iter().filter(|seat| !self.is_running(*seat)).map(Gesture::Thaw).collect()
            }
            Chapter::CrashTwo => {
                let count = if running.len() > 4 { 2 } else { running.len().saturating_sub(1) };
                self.some(running, count).into_iter().map(Gesture::Crash).collect()
            }
            Chapter::Invite => vec![Gesture::Add],
        }
    }

    /// Some of them, by the dice.
    fn some<T>(&mut self, mut of: Vec<T>, count: usize) -> Vec<T> {
        let mut some = Vec::new();
        while some.len() < count && !of.is_empty() {
            some.push(of.swap_remove(self.dice.below(of.len() as u64) as usize));
        }
        some
    }
}

fn say(seat: SeatId, text: &str) -> Gesture {
    Gesture::Say(seat, text.to_owned())
}
