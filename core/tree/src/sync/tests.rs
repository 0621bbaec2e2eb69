//! Whatever is lost, doubled, late or learnt from others: a tree shows what a naive reader makes of what its authors had.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use wire::{Dice, NodeId, Seed, Set, Time, Timestamp};

use crate::court::Court;
use crate::shelf::What;
use crate::stamp::Stamp;
use crate::{
    Command, Config, Event, Input, Kind, Life, Listing, Output, Path, Row, Rules, Tree, Who,
};

const NOON: Timestamp = Timestamp(1_793_000_000_000);
const STORIES: u64 = 120;
const STEPS: u64 = 150;

#[test]
fn any_story_ends_as_a_naive_reader_sees_it() {
    for story in 0..STORIES {
        let mut world = World::new(story);
        for step in 0..STEPS {
            world.step();
            world.check(&format!("story {story}, step {step}"));
        }
        world.everybody_meets();
        world.check(&format!("story {story}, at the end"));
        let digests: Vec<u32> = world.trees.iter().map(Tree::digest).collect();
        assert!(digests.iter().all(|digest| *digest == digests[0]), "story {story}: {digests:?}");
    }
}

/// A tree of which every change is told.
fn fresh(
    config: &Config,
    is_trusting: bool,
    now: Time,
    clock: Timestamp,
    me: NodeId,
) -> Tree<Court> {
    let court = Court { is_trusting, ..Court::of(me) };
    let mut tree = Tree::new(config.clone(), now, clock, me, court);
    tree.handle(now, Input::Watch { path: None }).expect("anything may be watched");
    tree
}

/// A live write, as the model keeps it.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    path: String,
    stamp: Stamp,
    born: Stamp,
    what: What,
    json: String,
}

struct World {
    dice: Dice,
    now: Time,
    config: Config,
    is_trusting: bool,
    /// How many have lost their memory.
    restarts: u64,
    trees: Vec<Tree<Court>>,
    present: Vec<Set<NodeId>>,
    /// What each author had live after each of its numbers.
    truth: BTreeMap<(NodeId, u64), Vec<Entry>>,
    /// What was said to all, by whom; kept, so that it can be heard again.
    casts: Vec<(NodeId, Vec<u8>)>,
    /// What each knows from events alone.
    told: Vec<BTreeMap<String, String>>,
}

impl World {
    fn new(story: u64) -> Self {
        let mut dice = Dice::new(Seed::story(story));
        let size = 2 + dice.below(4);
        let row = |pattern: &'static str, kind| {
            let (pattern, who) = (pattern.into(), Who::Anyone);
            Row { pattern, who, kind, value_bytes_max: 1_000, entries_max: 1_000 }
        };
        let rows = [row("lines/$self-*", Kind::Append), row("all/**", Kind::Register)];
        let rules = Rules::new(rows, Set::new()).expect("rows that are");
        // In some stories what is gone is soon forgotten, and messages are small.
        let gone_max = [512, 4][dice.below(2) as usize];
        let delta_bytes_max = [32 * 1024, 300][dice.below(2) as usize];
        let config = Config { rules, gone_max, delta_bytes_max, ..Config::default() };
        // In some nobody signs, so that a mistake is not mended by asking again.
        let is_trusting = dice.below(2) == 0;
        let tree = |n| fresh(&config, is_trusting, Time::ZERO, NOON, NodeId(n + 1));
        let trees: Vec<Tree<Court>> = (0..size).map(tree).collect();
        let mut world = Self {
            dice,
            now: Time::ZERO,
            restarts: 0,
            present: trees.iter().map(|tree| Set::from_iter([tree.me])).collect(),
            told: trees.iter().map(|_| BTreeMap::new()).collect(),
            trees,
            config,
            is_trusting,
            truth: BTreeMap::new(),
            casts: Vec::new(),
        };
        (0..world.trees.len()).for_each(|who| world.note(who));
        world
    }

    fn somebody(&mut self) -> usize {
        self.dice.below(self.trees.len() as u64) as usize
    }

    fn step(&mut self) {
        self.now = self.now + Duration::from_millis(self.dice.below(50));
        let who = self.somebody();
        match self.dice.below(13) {
            10 if self.restarts < 4 && self.dice.below(3) == 0 => self.restart(who),
            0..=5 => {
                let command = self.command();
                // A create where something is, is refused; that is part of the story.
                self.trees[who].handle(self.now, Input::Do(command)).ok();
                self.drain(who);
            }
            // Anything that was ever said may be heard at any time, or never.
            6..=8 if !self.casts.is_empty() => {
                let recent = self.casts.len().min(12) as u64;
                let at = self.casts.len() - 1 - self.dice.below(recent) as usize;
                let (author, bytes) = self.casts[at].clone();
                let heard = Input::Heard { author, bytes };
                self.trees[who].handle(self.now, heard).expect("all are honest");
                self.drain(who);
            }
            9 => {
                let node = NodeId(1 + self.dice.below(self.trees.len() as u64));
                let me = self.trees[who].me;
                let was_present = self.present[who].contains(&node);
                let (mut came, mut went) = (Vec::new(), Vec::new());
                if was_present {
                    went.push(node);
                } else {
                    came.push(node);
                }
                if node != me {
                    let set = &mut self.present[who];
                    if was_present {
                        set.remove(&node)
                    } else {
                        set.insert(node)
                    };
                }
                let present = Input::Present { came, went };
                self.trees[who].handle(self.now, present).expect("presence is a fact");
                self.drain(who);
            }
            _ => {
                let other = self.somebody();
                if other != who {
                    self.meet(who, other);
                }
            }
        }
    }

    /// Somebody loses its memory, and everything that it wrote and nobody heard. Its clock goes on.
    fn restart(&mut self, who: usize) {
        self.restarts += 1;
        let clock =
            Timestamp(NOON.0 + self.now.since_origin().as_millis() as u64 + 3_000 * self.restarts);
        let me = self.trees[who].me;
        self.trees[who] = fresh(&self.config, self.is_trusting, self.now, clock, me);
        self.present[who] = Set::from_iter([me]);
        self.told[who].clear();
        self.drain(who);
    }

    fn command(&mut self) -> Command {
        let place = |text: String| text.parse::<Path>().expect("tests name paths well");
        let path = place(format!("all/{}", self.dice.below(5)));
        let life = if self.dice.below(3) == 0 { Life::Ephemeral } else { Life::Lasting };
        let value = json!({ "n": self.dice.below(1_000) });
        match self.dice.below(9) {
            0 => Command::Create { path, value, life },
            1 | 2 => Command::Update { path, value, partial: false, life },
            3 => Command::Update { path, value, partial: true, life },
            4 => Command::Delete { path },
            5 => Command::Clear { path: place("all".to_owned()) },
            6 => Command::Withdraw,
            _ => Command::Add { path: place("lines".to_owned()), value, life: Life::Lasting },
        }
    }

    /// Notes what an author has after what it did; keeps what it says to all; returns what it tells others.
    fn drain(&mut self, who: usize) -> Vec<(NodeId, Vec<u8>)> {
        self.note(who);
        let mut told = Vec::new();
        while let Some(output) = self.trees[who].poll() {
            match output {
                Output::Cast { bytes, .. } => self.casts.push((self.trees[who].me, bytes)),
                Output::Tell { peer, bytes } => told.push((peer, bytes)),
                Output::Event(event) => self.learn(who, event),
            }
        }
        told
    }

    fn learn(&mut self, who: usize, event: Event) {
        let told = &mut self.told[who];
        match event {
            Event::Created { path, value, .. } => {
                let before = told.insert(path.to_string(), value.to_string());
                assert_eq!(before, None, "{path} is created twice");
            }
            Event::Updated { path, value, old, .. } => {
                let before = told.insert(path.to_string(), value.to_string());
                assert_eq!(before, Some(old.to_string()), "{path} is updated from what it was");
            }
            Event::Deleted { path, old, .. } => {
                let before = told.remove(path.as_str());
                assert_eq!(before, Some(old.to_string()), "{path} is deleted as what it was");
            }
            Event::Loaded { resources, .. } => assert_eq!(resources, []),
            Event::Frozen { node } => panic!("{node} is honest"),
            Event::Refused { .. } | Event::Ready => {}
        }
    }

    fn note(&mut self, who: usize) {
        let tree = &self.trees[who];
        let own = tree.own();
        let entry = |record: &crate::shelf::Record| Entry {
            path: tree.lists.text(record.list, &record.name),
            stamp: record.stamp,
            born: record.born,
            what: record.what,
            json: record.json.to_string(),
        };
        let entries: Vec<Entry> = own.records().map(entry).collect();
        let before = self.truth.insert((tree.me, own.at), entries.clone());
        assert!(before.is_none_or(|before| before == entries), "one number, two maps");
    }

    /// Links two, lets them talk for a while or until they are silent, and cuts the link.
    fn meet(&mut self, one: usize, other: usize) {
        let bridge = self.dice.below(4) > 0;
        let steps = if self.dice.below(4) == 0 { self.dice.below(6) } else { 1_000 };
        let mut said = Vec::new();
        for (me, peer) in [(one, other), (other, one)] {
            let peer = self.trees[peer].me;
            self.trees[me].handle(self.now, Input::Opened { peer, bridge }).expect("a link opens");
            if !bridge {
                let digest = self.trees[if me == one { other } else { one }].digest();
                let digest = Input::Digest { peer, digest, compare: true };
                self.trees[me].handle(self.now, digest).expect("a digest is a fact");
            }
            let from = self.trees[me].me;
            said.extend(self.drain(me).into_iter().map(|(to, bytes)| (from, to, bytes)));
        }
        for _ in 0..steps {
            if said.is_empty() {
                break;
            }
            let (peer, to, bytes) = said.remove(0);
            let me = to.0 as usize - 1;
            let told = Input::Told { peer, bytes };
            self.trees[me].handle(self.now, told).expect("all are honest");
            said.extend(self.drain(me).into_iter().map(|(other, bytes)| (to, other, bytes)));
        }
        for (me, peer) in [(one, other), (other, one)] {
            let peer = self.trees[peer].me;
            self.trees[me].handle(self.now, Input::Closed { peer }).expect("a link closes");
        }
    }

    fn everybody_meets(&mut self) {
        // What is taken back because it lost is news in its turn.
        for _ in 0..12 {
            for one in 0..self.trees.len() {
                for other in 0..one {
                    self.meet(one, other);
                }
            }
        }
    }

    /// Compares each tree with what a naive reader makes of what its authors had.
    fn check(&self, when: &str) {
        for (who, tree) in self.trees.iter().enumerate() {
            if tree.authors.values().any(|map| map.at == 0 && map.len() > 0) {
                continue; // It waits for somebody whole.
            }
            let expected = self.naive_view(who);
            let lists = ["all", "lines"].map(|list| list.parse::<Path>().expect("a path"));
            let seen: Vec<(String, String)> = lists
                .iter()
                .flat_map(|list| tree.list(list, Listing::default()))
                .map(|entry| (entry.path.to_string(), entry.json.to_string()))
                .collect();
            let mut sorted = seen.clone();
            sorted.sort();
            assert_eq!(sorted, expected, "{when}: what {} sees", tree.me);
            let told: Vec<(String, String)> = self.told[who].clone().into_iter().collect();
            assert_eq!(told, expected, "{when}: what {} was told", tree.me);
        }
    }

    fn naive_view(&self, who: usize) -> Vec<(String, String)> {
        let tree = &self.trees[who];
        let mut best: BTreeMap<&str, (Stamp, NodeId, &Entry)> = BTreeMap::new();
        for (author, map) in tree.authors.iter().filter(|(_, map)| map.at > 0) {
            for entry in &self.truth[&(*author, map.at)] {
                let counts = entry.what != What::Ephemeral || self.present[who].contains(author);
                let here = (entry.stamp, *author, entry);
                let there = best.get(&*entry.path).map(|(stamp, author, _)| (*stamp, *author));
                if counts && there.is_none_or(|there| there < (entry.stamp, *author)) {
                    best.insert(&entry.path, here);
                }
            }
        }
        let values = best.into_iter().filter(|(_, (.., entry))| entry.what != What::Hidden);
        values.map(|(path, (.., entry))| (path.to_owned(), entry.json.clone())).collect()
    }
}
