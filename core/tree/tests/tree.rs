//! What two trees that are linked show of each other's writes.

use std::time::Duration;

use serde_json::{Value, json};
use tree::{
    Command, Config, Error, Event, Input, Kind, Life, Listing, Misuse, Output, Path, Row, Rules,
    Tree, Unsigned, Who,
};
use wire::{Dice, NodeId, Seed, Set, Time, Timestamp};

const NOON: Timestamp = Timestamp(1_793_000_000_000);
const HOUR: u64 = 3_600_000;

#[test]
fn what_one_creates_the_other_sees() {
    let mut pair = Pair::linked();

    pair.create(0, "topic", json!({ "text": "Lunch" }));

    assert_eq!(pair.get(1, "topic"), Some(json!({ "text": "Lunch" })));
    let (value, by) = (json!({ "text": "Lunch" }), NodeId(1));
    assert_eq!(pair.events(1), [Event::Created { path: path("topic"), value, by }]);
}

#[test]
fn creating_what_is_there_is_refused() {
    let mut pair = Pair::linked();
    pair.create(0, "topic", json!({}));

    let again = Command::Create { path: path("topic"), value: json!({}), life: Life::Lasting };
    let refused = pair.try_do(1, again);

    assert_eq!(refused, Err(Error::Misuse(Misuse::Exists)));
}

#[test]
fn of_two_creates_at_once_the_later_wins_and_the_other_is_told() {
    let mut pair = Pair::linked();
    pair.hold();
    pair.create(0, "lock", json!({ "holder": 0 }));
    pair.now = pair.now + Duration::from_millis(5);
    pair.create(1, "lock", json!({ "holder": 1 }));

    pair.release();

    assert_eq!(pair.get(0, "lock"), Some(json!({ "holder": 1 })));
    assert_eq!(pair.get(1, "lock"), Some(json!({ "holder": 1 })));
    assert!(pair.events(0).contains(&Event::Refused { path: path("lock"), by: NodeId(2) }));
    assert!(!pair.events(1).iter().any(|event| matches!(event, Event::Refused { .. })));
    // The loser's is taken back, so nothing comes to light when the winner's is deleted.
    pair.delete(1, "lock");
    assert_eq!(pair.get(0, "lock"), None);
}

#[test]
fn a_partial_update_changes_the_fields_it_names() {
    let mut pair = Pair::linked();
    pair.create(0, "layout", json!({ "kind": "grid", "size": 4 }));

    pair.update(1, "layout", json!({ "size": 9 }), true);

    assert_eq!(pair.get(0, "layout"), Some(json!({ "kind": "grid", "size": 9 })));
}

#[test]
fn an_update_keeps_the_place_in_the_list() {
    let mut pair = Pair::linked();
    for name in ["a", "b", "c"] {
        pair.now = pair.now + Duration::from_millis(5);
        pair.create(0, &format!("list/{name}"), json!({}));
    }

    pair.update(1, "list/a", json!({ "new": true }), false);

    assert_eq!(pair.list(0, "list"), ["list/a", "list/b", "list/c"]);
    assert_eq!(pair.list(1, "list"), pair.list(0, "list"));
}

#[test]
fn a_list_is_read_in_parts_and_backwards() {
    let mut pair = Pair::linked();
    for name in ["a", "b", "c", "d"] {
        pair.now = pair.now + Duration::from_millis(5);
        pair.create(0, &format!("list/{name}"), json!({}));
        pair.create(0, &format!("list/{name}/below"), json!({}));
    }

    let part = Listing { limit: 2, offset: 1, reverse: true, ..Listing::default() };
    let found = pair.trees[1].list(&path("list"), part);

    let names: Vec<&str> = found.iter().map(|entry| entry.path.name()).collect();
    assert_eq!(names, ["c", "b"]);
}

#[test]
fn deleting_takes_along_what_is_below_and_what_others_wrote() {
    let mut pair = Pair::linked();
    pair.create(0, "streams/camera", json!({}));
    pair.create(1, "streams/camera/subscribers/2", json!({}));
    pair.create(1, "streams/camera2", json!({}));

    pair.delete(0, "streams/camera");

    for who in [0, 1] {
        assert_eq!(pair.get(who, "streams/camera"), None);
        assert_eq!(pair.get(who, "streams/camera/subscribers/2"), None);
        assert_eq!(pair.get(who, "streams/camera2"), Some(json!({})));
    }
}

#[test]
fn what_was_deleted_can_be_made_again() {
    let mut pair = Pair::linked();
    pair.create(0, "topic", json!({ "n": 1 }));
    pair.delete(1, "topic");

    pair.create(0, "topic", json!({ "n": 2 }));

    assert_eq!(pair.get(1, "topic"), Some(json!({ "n": 2 })));
}

#[test]
fn ephemeral_resources_follow_the_presence_of_their_author() {
    let mut pair = Pair::linked();
    let (path, value) = (path("users/1"), json!({}));
    let create = Command::Create { path, value, life: Life::Ephemeral };
    pair.try_do(0, create).unwrap();

    pair.present(1, &[2]);
    assert_eq!(pair.get(1, "users/1"), None);
    pair.present(1, &[1, 2]);
    assert_eq!(pair.get(1, "users/1"), Some(json!({})));

    let told = pair.events(1);
    assert!(matches!(
        told[..],
        [Event::Created { .. }, Event::Deleted { by: NodeId(1), .. }, Event::Created { .. }]
    ));
}

#[test]
fn two_who_come_back_to_one_place_are_told_of_once() {
    let mut pair = Pair::linked();
    let create =
        || Command::Create { path: path("shared/x"), value: json!({}), life: Life::Ephemeral };
    pair.try_do(0, create()).unwrap();
    let mut third = Tree::new(pair.config.clone(), Time::ZERO, Timestamp(0), NodeId(3), Unsigned);
    third.handle(Time::ZERO, Input::Do(create())).unwrap();
    while let Some(output) = third.poll() {
        if let Output::Cast { bytes, .. } = output {
            pair.tell(1, Input::Heard { author: NodeId(3), bytes }).unwrap();
        }
    }
    pair.present(1, &[2]);
    let before = pair.events(1).len();

    pair.present(1, &[1, 2, 3]);

    assert_eq!(pair.events(1).len() - before, 1);
}

#[test]
fn what_died_with_somebody_long_away_is_forgotten_and_comes_back_with_him() {
    let mut pair = Pair::linked();
    let (at, value) = (path("users/1"), json!({}));
    pair.try_do(0, Command::Create { path: at, value, life: Life::Ephemeral }).unwrap();
    pair.create(0, "messages/1", json!({ "text": "hello" }));
    pair.present(1, &[2]);

    pair.now = pair.now + Duration::from_secs(1_000);
    pair.tell(1, Input::Timeout).unwrap();
    assert_eq!(pair.trees[1].weight().entries, 1);

    pair.present(1, &[1, 2]);
    assert_ne!(pair.trees[0].digest(), pair.trees[1].digest());
    let digest = pair.trees[0].digest();
    pair.tell(1, Input::Digest { peer: NodeId(1), digest, compare: true }).unwrap();
    assert_eq!(pair.get(1, "users/1"), Some(json!({})));
    assert_eq!(pair.trees[0].digest(), pair.trees[1].digest());
    let created =
        |event: &&Event| matches!(event, Event::Created { path, .. } if path.name() == "1");
    assert_eq!(pair.events(1).iter().filter(created).count(), 3, "users twice, the message once");
}

#[test]
fn limits_are_errors_and_change_nothing() {
    let config = Config { entries_max: 3, author_bytes_max: 200, ..open() };
    let mut pair = Pair::with(config, [NOON, NOON]);

    let long = json!({ "text": "x".repeat(300) });
    let add = |value| Command::Add { path: path("m"), value, life: Life::Lasting };
    assert_eq!(pair.try_do(0, add(long)), Err(Error::Limit("the bytes of an author")));
    for _ in 0..3 {
        pair.try_do(0, add(json!({}))).unwrap();
    }
    let fourth = pair.try_do(0, add(json!({})));

    assert_eq!(fourth, Err(Error::Limit("the number of entries of an author")));
    assert_eq!(pair.list(1, "m").len(), 3);
    assert_eq!(pair.try_do(0, add(json!([]))), Err(Error::Misuse(Misuse::NotAnObject)));
}

#[test]
fn a_missing_write_is_asked_for() {
    let mut pair = Pair::linked();
    pair.create(0, "a", json!({}));
    pair.hold();
    pair.create(0, "b", json!({}));
    pair.lose();
    pair.release();

    pair.create(0, "c", json!({}));
    assert_eq!(pair.get(1, "c"), None, "it waits for its turn");
    pair.now = pair.trees[1].timeout().expect("it waits for what is missing");
    pair.tell(1, Input::Timeout).unwrap();

    assert_eq!(pair.get(1, "b"), Some(json!({})));
    assert_eq!(pair.get(1, "c"), Some(json!({})));
}

#[test]
fn its_author_is_asked_first_for_what_is_missing_and_about_that_alone() {
    let mut pair = Pair::linked();
    pair.create(1, "of-another", json!({}));
    let [mut author, _] = pair.trees;
    let mut us = Tree::new(open(), Time::ZERO, NOON, NodeId(5), Unsigned);
    for peer in [0, 1, 9].map(NodeId) {
        us.handle(Time::ZERO, Input::Opened { peer, bridge: false }).expect("a link may open");
    }
    for at in ["lost", "early"] {
        let create = Command::Create { path: path(at), value: json!({}), life: Life::Lasting };
        author.handle(Time::ZERO, Input::Do(create)).expect("there is nothing yet");
    }
    let said = std::iter::from_fn(|| author.poll()).filter_map(|said| match said {
        Output::Cast { bytes, .. } => Some(bytes),
        Output::Tell { .. } | Output::Event(_) => None,
    });
    let bytes = said.last().expect("it is told to all");
    us.handle(Time::ZERO, Input::Heard { author: NodeId(1), bytes }).expect("it waits");

    let due = us.timeout().expect("it waits for what is missing");
    us.handle(due, Input::Timeout).expect("it is time");

    let Some(Output::Tell { peer: NodeId(1), bytes }) = us.poll() else {
        panic!("the author is asked")
    };
    author.handle(due, Input::Told { peer: NodeId(5), bytes }).expect("a question is a question");
    while let Some(said) = author.poll() {
        let Output::Tell { bytes, .. } = said else { continue };
        us.handle(due, Input::Told { peer: NodeId(1), bytes }).expect("an answer is an answer");
    }
    assert!(us.get(&path("lost")).is_some() && us.get(&path("early")).is_some());
    assert_eq!(us.get(&path("of-another")), None);
    assert!(std::iter::from_fn(|| us.poll()).all(|said| said != Output::Event(Event::Ready)));
}

#[test]
fn a_lost_write_shows_in_the_digest_and_is_repaired() {
    let mut pair = Pair::linked();
    pair.hold();
    pair.create(0, "a", json!({}));
    pair.lose();
    pair.release();

    pair.now = pair.now + Duration::from_secs(5);
    let digest = pair.trees[0].digest();
    pair.tell(1, Input::Digest { peer: NodeId(1), digest, compare: true }).unwrap();

    assert_eq!(pair.get(1, "a"), Some(json!({})));
}

#[test]
fn a_node_with_a_wrong_clock_takes_over_that_of_the_conference() {
    for wrong in [NOON.0 + HOUR, NOON.0 - HOUR, 0] {
        let mut pair = Pair::unlinked(open(), [NOON, Timestamp(wrong)]);
        pair.create(1, "early", json!({}));

        pair.link();
        pair.create(1, "late", json!({}));
        pair.update(0, "late", json!({ "newer": true }), false);

        let earliest = NOON.0.min(wrong);
        assert_eq!(pair.list(0, "early"), pair.list(1, "early"));
        assert_eq!(pair.get(0, "early"), Some(json!({})), "clock at {wrong}");
        assert_eq!(pair.get(1, "late"), Some(json!({ "newer": true })));
        let written = pair.trees[0].entry(&path("late")).map(|entry| entry.written.0);
        assert!(written.is_some_and(|at| at < earliest + 60_000), "clock at {wrong}");
    }
}

#[test]
fn a_node_that_lost_its_memory_goes_on_from_what_it_wrote_before() {
    for later in [0, 10_000] {
        let mut pair = Pair::linked();
        pair.create(0, "users/old", json!({}));
        pair.create(0, "users/older", json!({}));
        let (path, value, life) = (path("users/here"), json!({}), Life::Ephemeral);
        pair.try_do(0, Command::Create { path, value, life }).unwrap();
        pair.told[1].clear();

        pair.restart(0, Timestamp(NOON.0 + later));
        pair.create(0, "users/new", json!({}));
        pair.link();
        pair.create(0, "users/newer", json!({}));

        let all = ["users/old", "users/older", "users/new", "users/newer"];
        let mut seen = pair.list(0, "users");
        assert_eq!(pair.list(1, "users"), seen, "{later} ms later");
        // A clock that stood still knows no order.
        if later == 0 {
            seen.sort_by_key(|name| all.iter().position(|other| other == name));
        }
        assert_eq!(seen, all, "{later} ms later");
        // What was there did not go and come back.
        let gone = |event: &Event| matches!(event, Event::Deleted { .. });
        let came = |event: &Event| matches!(event, Event::Created { .. });
        let told: Vec<(bool, bool)> = pair.events(1).iter().map(|e| (gone(e), came(e))).collect();
        assert_eq!(told, [(true, false), (false, true), (false, true)], "{later} ms later");
        assert_eq!(pair.trees[0].digest(), pair.trees[1].digest());
    }
}

#[test]
fn nobody_takes_up_a_past_whose_numbers_are_too_high_to_go_on_from() {
    let (me, peer) = (NodeId(1), NodeId(9));
    let mut tree = Tree::new(open(), Time::ZERO, NOON, me, Unsigned);
    tree.handle(Time::ZERO, Input::Opened { peer, bridge: true }).expect("a neighbour");
    let before = tree.head(me);
    // 2 to the power of 57, of which JavaScript does not count each.
    let number = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02];
    // A delta, the last, one part: ours, from 0, up to that, no flags, nothing live, nothing gone.
    let bytes = [&[2, 1, 1], &me.0.to_le_bytes()[..], &[0], &number, &[0, 0, 0]].concat();

    let taken = tree.handle(Time::ZERO, Input::Told { peer, bytes });

    assert_eq!(taken, Ok(()), "the neighbour may have believed somebody else");
    assert_eq!(tree.head(me), before);
}

#[test]
fn what_somebody_made_up_of_a_newcomer_gives_way_everywhere_to_what_it_says() {
    let mut pair = Pair::unlinked(open(), [NOON, NOON]);
    let (made_up_of, number) = (NodeId(1).0.to_le_bytes(), [0x11]);
    // A delta, not the last, one part: whose, from 0, up to 17, no flags, nothing live, nothing gone.
    let bytes = [&[2, 0, 1], &made_up_of[..], &[0], &number, &[0, 0, 0]].concat();
    pair.tell(1, Input::Heard { author: NodeId(9), bytes }).expect("nobody signs here");
    pair.create(0, "users/new", json!({}));
    assert_ne!(pair.trees[0].digest(), pair.trees[1].digest());

    pair.link();

    // It takes that for its past, and tells everybody how it goes on.
    assert_eq!(pair.trees[0].digest(), pair.trees[1].digest());
    assert_eq!(pair.list(1, "users"), ["users/new"]);
}

#[test]
fn a_write_where_it_may_not_or_of_the_future_is_refused() {
    let mut pair = Pair::linked();
    let value = json!({});
    let life = Life::Lasting;
    let foreign = Command::Create { path: tree::links_of(NodeId(2)), value, life };
    assert_eq!(pair.try_do(0, foreign), Err(Error::Misuse(Misuse::NotOurs)));

    // The link stands, so the clock is no longer taken over; its hour ahead is.
    pair.hold();
    pair.now = pair.now + Duration::from_secs(3_600);
    pair.create(0, "a", json!({}));
    pair.now = Time::ZERO;
    let refused = pair.release_one();

    assert_eq!(refused, Err(Error::Limit("how far a stamp may be ahead of our clock")));
    assert_eq!(pair.get(1, "a"), None);
}

#[test]
fn arbitrary_and_altered_bytes_are_refused_without_harm() {
    let mut pair = Pair::linked();
    pair.create(0, "a", json!({ "n": 1 }));
    pair.create(1, "b", json!({ "n": 2 }));
    let mut dice = Dice::new(Seed::story(5));
    let said = pair.said.clone();

    for round in 0..20_000 {
        let mut bytes = said[dice.below(said.len() as u64) as usize].clone();
        if round % 2 == 0 {
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] = dice.below(256) as u8;
        } else {
            bytes = dice.bytes::<32>()[..dice.below(32) as usize].to_vec();
        }
        let told = Input::Told { peer: NodeId(1), bytes: bytes.clone() };
        pair.trees[1].handle(Time::ZERO, told).ok();
        pair.trees[1].handle(Time::ZERO, Input::Heard { author: NodeId(1), bytes }).ok();
        while pair.trees[1].poll().is_some() {}
    }

    let weight = pair.trees[1].weight();
    assert!(weight.authors <= 5_000 && weight.bytes < 5 << 20, "{weight:?}");
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

/// A tree of which every change is told.
fn watching(mut tree: Tree<Unsigned>) -> Tree<Unsigned> {
    tree.handle(Time::ZERO, Input::Watch { path: None }).expect("anything may be watched");
    assert!(matches!(tree.poll(), Some(Output::Event(Event::Loaded { .. }))));
    tree
}

/// Nodes 1 and 2, and what is between them.
struct Pair {
    config: Config,
    now: Time,
    trees: [Tree<Unsigned>; 2],
    told: [Vec<Event>; 2],
    /// Whether casts pass at all.
    linked: bool,
    /// Whether casts are held back.
    holding: bool,
    held: Vec<(usize, Vec<u8>)>,
    /// All that was ever said.
    said: Vec<Vec<u8>>,
}

impl Pair {
    fn linked() -> Self {
        Self::with(open(), [NOON, NOON])
    }

    fn with(config: Config, clocks: [Timestamp; 2]) -> Self {
        let mut pair = Self::unlinked(config, clocks);
        pair.link();
        pair
    }

    fn unlinked(config: Config, clocks: [Timestamp; 2]) -> Self {
        let tree = |n: usize| {
            let me = NodeId(n as u64 + 1);
            watching(Tree::new(config.clone(), Time::ZERO, clocks[n], me, Unsigned))
        };
        Self {
            now: Time::ZERO,
            trees: [tree(0), tree(1)],
            told: [Vec::new(), Vec::new()],
            linked: false,
            holding: false,
            held: Vec::new(),
            said: Vec::new(),
            config,
        }
    }

    fn link(&mut self) {
        for who in [0, 1] {
            self.present(who, &[1, 2]);
        }
        self.linked = true;
        // Both ends open before either hears the other.
        let mut said = Vec::new();
        for who in [0, 1] {
            let peer = NodeId(2 - who as u64);
            self.trees[who]
                .handle(self.now, Input::Opened { peer, bridge: true })
                .expect("a link may open");
            said.extend(self.drain(who));
        }
        self.exchange(said);
    }

    fn restart(&mut self, who: usize, clock: Timestamp) {
        let other = 1 - who;
        self.linked = false;
        self.tell(other, Input::Closed { peer: NodeId(who as u64 + 1) }).expect("a link may close");
        let me = NodeId(who as u64 + 1);
        self.trees[who] = watching(Tree::new(self.config.clone(), self.now, clock, me, Unsigned));
    }

    fn create(&mut self, who: usize, at: &str, value: Value) {
        let create = Command::Create { path: path(at), value, life: Life::Lasting };
        self.try_do(who, create).expect("there is nothing yet");
    }

    fn update(&mut self, who: usize, at: &str, value: Value, partial: bool) {
        let update = Command::Update { path: path(at), value, partial, life: Life::Lasting };
        self.try_do(who, update).expect("an update is fine");
    }

    fn delete(&mut self, who: usize, at: &str) {
        self.try_do(who, Command::Delete { path: path(at) }).expect("a deletion is fine");
    }

    fn present(&mut self, who: usize, nodes: &[u64]) {
        let is_here = |node: &NodeId| nodes.contains(&node.0);
        let (came, went) = (0..100).map(NodeId).partition(is_here);
        self.tell(who, Input::Present { came, went }).expect("presence is a fact");
    }

    fn try_do(&mut self, who: usize, command: Command) -> Result<(), Error> {
        self.tell(who, Input::Do(command))
    }

    fn tell(&mut self, who: usize, input: Input) -> Result<(), Error> {
        let result = self.trees[who].handle(self.now, input);
        let said = self.drain(who);
        self.exchange(said);
        result
    }

    fn hold(&mut self) {
        self.holding = true;
    }

    fn lose(&mut self) {
        self.held.clear();
    }

    fn release(&mut self) {
        self.holding = false;
        for (from, bytes) in std::mem::take(&mut self.held) {
            let author = NodeId(from as u64 + 1);
            self.tell(1 - from, Input::Heard { author, bytes }).expect("a write is taken in");
        }
    }

    fn release_one(&mut self) -> Result<(), Error> {
        self.holding = false;
        let (from, bytes) = self.held.remove(0);
        self.tell(1 - from, Input::Heard { author: NodeId(from as u64 + 1), bytes })
    }

    /// Delivers until both are silent.
    fn exchange(&mut self, mut said: Vec<(usize, Input)>) {
        while !said.is_empty() {
            let (to, input) = said.remove(0);
            self.trees[to].handle(self.now, input).expect("a tree takes in what another says");
            said.extend(self.drain(to));
        }
    }

    /// What one has to say, as the other hears it.
    fn drain(&mut self, who: usize) -> Vec<(usize, Input)> {
        let (me, mut said) = (NodeId(who as u64 + 1), Vec::new());
        while let Some(output) = self.trees[who].poll() {
            match output {
                Output::Cast { .. } if !self.linked => {}
                Output::Cast { bytes, .. } if self.holding => self.held.push((who, bytes)),
                Output::Cast { bytes, .. } => {
                    self.said.push(bytes.clone());
                    said.push((1 - who, Input::Heard { author: me, bytes }));
                }
                Output::Tell { bytes, .. } => {
                    self.said.push(bytes.clone());
                    said.push((1 - who, Input::Told { peer: me, bytes }));
                }
                Output::Event(Event::Ready) => {}
                Output::Event(event) => self.told[who].push(event),
            }
        }
        said
    }

    fn get(&self, who: usize, at: &str) -> Option<Value> {
        self.trees[who].get(&path(at))
    }

    fn list(&self, who: usize, at: &str) -> Vec<String> {
        let found = self.trees[who].list(&path(at), Listing::default());
        found.into_iter().map(|entry| entry.path.to_string()).collect()
    }

    fn events(&self, who: usize) -> &[Event] {
        &self.told[who]
    }
}
