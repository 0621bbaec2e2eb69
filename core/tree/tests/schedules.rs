//! Random stories of writes, losses and merges: whoever has synchronized sees the same.

use std::time::Duration;

use serde_json::json;
use tree::{
    Command, Config, Entry, Event, Input, Kind, Life, Listing, Output, Path, Row, Rules, Tree,
    Unsigned, Who,
};
use wire::{Dice, NodeId, Seed, Set, Time, Timestamp};

const STORIES: u64 = 150;
const STEPS: u64 = 120;
const AUTUMN: Timestamp = Timestamp(1_793_000_000_000);

#[test]
fn after_any_losses_two_that_synchronize_see_the_same() {
    for story in 0..STORIES {
        let mut grove = Grove::planted(4, story);
        for _ in 0..STEPS {
            grove.step();
        }

        grove.sync_all();

        grove.assert_equal(story);
    }
}

#[test]
fn what_is_made_and_deleted_within_a_gap_stays_deleted_at_a_third() {
    let mut grove = Grove::planted(3, 0);
    grove.write(0, Command::Create { path: path("z"), value: json!({}), life: Life::Lasting });
    grove.sync(0, 1);
    grove.sync(0, 2);
    grove.lose(0);
    grove.write(0, Command::Create { path: path("a"), value: json!({}), life: Life::Lasting });
    grove.deliver(0, 2);
    assert!(grove.trees[2].get(&path("a")).is_some());
    grove.write(0, Command::Delete { path: path("a") });
    grove.lose(0);

    grove.sync(0, 1);
    grove.sync(1, 2);

    assert_eq!(grove.trees[2].get(&path("a")), None);
}

#[test]
fn a_deletion_survives_a_partition() {
    let mut grove = Grove::planted(2, 0);
    grove.write(0, Command::Create { path: path("a"), value: json!({}), life: Life::Lasting });
    grove.sync(0, 1);

    grove.write(1, Command::Delete { path: path("a") });
    grove.sync(0, 1);
    grove.sync(0, 1);

    assert_eq!(grove.trees[0].get(&path("a")), None);
    assert_eq!(grove.trees[1].get(&path("a")), None);
}

#[test]
fn a_long_silence_is_told_by_what_is_left() {
    let mut grove = Grove::planted(3, 0);
    let list = path("messages");
    for _ in 0..300 {
        let path = list.clone();
        grove.write(0, Command::Add { path, value: json!({"t": 1}), life: Life::Lasting });
    }
    grove.sync(0, 1);
    let doomed: Vec<Path> = grove.list(0, &list).iter().step_by(2).cloned().collect();
    for path in doomed {
        grove.write(0, Command::Delete { path });
    }
    grove.lose(0);

    grove.sync(0, 1);
    grove.sync(1, 2);

    assert_eq!(grove.list(0, &list).len(), 150);
    assert_eq!(grove.list(1, &list), grove.list(0, &list));
    assert_eq!(grove.list(2, &list), grove.list(0, &list));
}

/// Everybody may write everything everywhere.
fn open() -> Config {
    let (pattern, who, kind) = ("**".into(), Who::Anyone, Kind::Register);
    let row = Row { pattern, who, kind, value_bytes_max: 16 << 10, entries_max: 2_000 };
    let rules = Rules::new([row], Set::new()).expect("that is a pattern");
    Config { rules, ..Config::default() }
}

fn path(text: &str) -> Path {
    text.parse().expect("tests name paths well")
}

/// A few trees, and what they have said to all.
struct Grove {
    dice: Dice,
    now: Time,
    trees: Vec<Tree<Unsigned>>,
    casts: Vec<(usize, Vec<u8>)>,
    events: Vec<Event>,
}

impl Grove {
    fn planted(count: u64, story: u64) -> Self {
        let tree = |n| Tree::new(open(), Time::ZERO, AUTUMN, NodeId(n + 1), Unsigned);
        let mut grove = Self {
            dice: Dice::new(Seed::story(story)),
            now: Time::ZERO,
            trees: (0..count).map(tree).collect(),
            casts: Vec::new(),
            events: Vec::new(),
        };
        let all: Vec<NodeId> = (0..count).map(|n| NodeId(n + 1)).collect();
        for tree in &mut grove.trees {
            tree.handle(Time::ZERO, Input::Present { came: all.clone(), went: Vec::new() })
                .expect("a tree takes in what another says");
        }
        grove
    }

    fn step(&mut self) {
        self.now = self.now + Duration::from_millis(self.dice.below(40));
        let who = self.dice.below(self.trees.len() as u64) as usize;
        match self.dice.below(10) {
            0..=5 => {
                let command = self.command();
                // A create where something is, is refused; that is part of the story.
                self.trees[who].handle(self.now, Input::Do(command)).ok();
                self.drain(who);
            }
            6..=8 => {
                let casts = std::mem::take(&mut self.casts);
                for (from, bytes) in casts {
                    for to in 0..self.trees.len() {
                        if to != from && self.dice.below(2) == 0 {
                            self.hear(from, to, &bytes);
                        }
                    }
                }
            }
            _ => {
                let other = (who + 1) % self.trees.len();
                self.settle(who, other);
                self.assert_same(who, other);
            }
        }
    }

    fn command(&mut self) -> Command {
        let place = path(&format!("shared/{}", self.dice.below(4)));
        let life = if self.dice.below(3) == 0 { Life::Ephemeral } else { Life::Lasting };
        let value = json!({ "n": self.dice.below(100) });
        match self.dice.below(6) {
            0 => Command::Create { path: place, value, life },
            1 => Command::Update { path: place, value, partial: false, life },
            2 => Command::Update { path: place, value, partial: true, life },
            3 => Command::Delete { path: place },
            4 => Command::Delete { path: path("shared") },
            _ => Command::Add { path: path("messages"), value, life },
        }
    }

    fn write(&mut self, who: usize, command: Command) {
        self.trees[who]
            .handle(self.now, Input::Do(command))
            .expect("a tree takes in what another says");
        self.drain(who);
    }

    fn lose(&mut self, from: usize) {
        self.casts.retain(|(by, _)| *by != from);
    }

    /// Brings what `from` has cast to `to` alone.
    fn deliver(&mut self, from: usize, to: usize) {
        let casts = std::mem::take(&mut self.casts);
        for (by, bytes) in casts {
            if by == from {
                self.hear(by, to, &bytes);
            } else {
                self.casts.push((by, bytes));
            }
        }
    }

    fn hear(&mut self, from: usize, to: usize, bytes: &[u8]) {
        let (author, bytes) = (NodeId(from as u64 + 1), bytes.to_vec());
        self.trees[to]
            .handle(self.now, Input::Heard { author, bytes })
            .expect("a tree takes in what another says");
        self.drain(to);
    }

    /// Keeps what `who` has cast; returns what it tells neighbours.
    fn drain(&mut self, who: usize) -> Vec<(NodeId, Vec<u8>)> {
        let mut told = Vec::new();
        while let Some(output) = self.trees[who].poll() {
            match output {
                Output::Cast { bytes, .. } => self.casts.push((who, bytes)),
                Output::Tell { peer, bytes } => told.push((peer, bytes)),
                Output::Event(event) => self.events.push(event),
            }
        }
        told
    }

    /// Links two, lets them talk until they are silent, and cuts the link.
    fn sync(&mut self, one: usize, other: usize) {
        let id = |n: usize| NodeId(n as u64 + 1);
        let ends = [(one, other), (other, one)];
        let mut said = Vec::new();
        for (me, peer) in ends {
            let opened = Input::Opened { peer: id(peer), bridge: true };
            self.trees[me].handle(self.now, opened).expect("a tree takes in what another says");
            said.extend(self.drain(me).into_iter().map(|(to, bytes)| (id(me), to, bytes)));
        }
        while let Some((peer, to, bytes)) = said.pop() {
            let me = to.0 as usize - 1;
            self.trees[me]
                .handle(self.now, Input::Told { peer, bytes })
                .expect("a tree takes in what another says");
            said.extend(self.drain(me).into_iter().map(|(to, bytes)| (id(me), to, bytes)));
        }
        for (me, peer) in ends {
            self.trees[me]
                .handle(self.now, Input::Closed { peer: id(peer) })
                .expect("a tree takes in what another says");
        }
    }

    /// Synchronizes until the digests are equal. Once may not be enough: closing a gap frees writes that waited for
    /// it, and what is taken back because it lost is news in its turn.
    fn settle(&mut self, one: usize, other: usize) {
        for _ in 0..30 {
            self.sync(one, other);
            if self.trees[one].digest() == self.trees[other].digest() {
                return;
            }
        }
        panic!("two trees do not come to rest");
    }

    fn sync_all(&mut self) {
        for _ in 0..4 {
            for one in 0..self.trees.len() {
                for other in 0..one {
                    self.sync(one, other);
                }
            }
        }
    }

    fn list(&self, who: usize, list: &Path) -> Vec<Path> {
        let entries = self.trees[who].list(list, Listing::default());
        entries.into_iter().map(|entry| entry.path).collect()
    }

    fn view(&self, who: usize) -> Vec<Entry<'_>> {
        let tree = &self.trees[who];
        let mut view = tree.list(&path("shared"), Listing::default());
        view.extend(tree.list(&path("messages"), Listing::default()));
        view
    }

    fn assert_same(&self, one: usize, other: usize) {
        assert_eq!(self.view(one), self.view(other));
    }

    fn assert_equal(&self, story: u64) {
        for who in 1..self.trees.len() {
            assert_eq!(self.view(0), self.view(who), "story {story}");
            assert_eq!(self.trees[0].digest(), self.trees[who].digest(), "story {story}");
        }
    }
}
