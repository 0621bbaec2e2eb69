//! What comes over a link that joins two sides, and who is told of it.

use std::time::Duration;

use serde_json::json;
use tree::{
    Command, Config, Input, Kind, Life, Listing, Output, Path, Row, Rules, Tree, Unsigned, Who,
};
use wire::{NodeId, Set, Time, Timestamp};

const NOON: Timestamp = Timestamp(1_793_000_000_000);

/// A neighbour on our side, which says nothing.
const NEAR: NodeId = NodeId(1);
const US: NodeId = NodeId(2);
const FAR: NodeId = NodeId(3);

#[test]
fn what_a_bridge_brings_is_handed_on() {
    let mut sides = Sides::new();
    sides.far_writes("before");

    let handed = sides.join([true, true]);

    assert_eq!(handed, 1);
    assert!(sides.has("before"));
}

#[test]
fn whoever_holds_us_for_a_bridge_is_asked_and_handed_on_though_we_knew_a_way_to_it() {
    let mut sides = Sides::new();
    sides.far_writes("before");

    let handed = sides.join([false, true]);

    assert_eq!(handed, 1);
    assert!(sides.has("before"));
}

#[test]
fn much_that_a_bridge_brings_is_handed_on_at_once() {
    let mut sides = Sides::new();
    for name in (10..15).map(NodeId) {
        let mut other = tree(name);
        write(&mut other, Time::ZERO, &format!("lines/{name}"));
        for (tree, peer) in [(&mut other, FAR), (&mut sides.far, name)] {
            let opened = Input::Opened { peer, bridge: true };
            tree.handle(Time::ZERO, opened).expect("a link may open");
        }
        talk(Time::ZERO, (&mut sides.far, FAR), (&mut other, name));
    }
    sides.far_writes("lines/far");

    let handed = sides.join([true, true]);

    assert_eq!(handed, 1);
    let mut near = tree(NEAR);
    let bytes = sides.handed.remove(0);
    assert!(!near.has_all(&bytes));
    near.handle(Time::ZERO, Input::Heard { author: US, bytes: bytes.clone() }).expect("it is news");
    assert!(near.has_all(&bytes));
    let lines = near.list(&path("lines"), Listing::default());
    assert_eq!(lines.len(), 6);
}

#[test]
fn what_is_found_by_comparing_went_astray_and_is_told_to_neighbours_who_lack_it_too() {
    let mut sides = Sides::joined();
    sides.far_writes("lost");
    let mut near = tree(NEAR);
    near.handle(Time::ZERO, Input::Opened { peer: US, bridge: false }).expect("a link may open");
    let bytes = sides.handed.remove(0);
    near.handle(Time::ZERO, Input::Heard { author: US, bytes }).expect("it is news");

    sides.now = sides.now + Duration::from_secs(3);
    let handed = sides.compare();

    assert!(sides.has("lost"));
    assert_eq!((handed, sides.told_near.len()), (0, 1));
    let bytes = sides.told_near.remove(0);
    near.handle(sides.now, Input::Told { peer: US, bytes }).expect("it is news");
    assert!(near.get(&path("lost")).is_some());
}

#[test]
fn whoever_had_it_before_us_is_not_told() {
    let mut sides = Sides::joined();
    sides.far_writes("lost");
    let digest = sides.far.digest();

    sides.now = sides.now + Duration::from_secs(3);
    sides.tell_us(Input::Digest { peer: NEAR, digest, compare: false });
    let handed = sides.compare();

    assert!(sides.has("lost"));
    assert_eq!((handed, sides.told_near.len()), (0, 0));
}

#[test]
fn a_neighbour_that_tells_without_end_has_little_of_it_told_to_others() {
    let mut sides = Sides::joined();
    sides.now = sides.now + Duration::from_secs(11);
    sides.far_writes("again");
    let digest = Input::Digest { peer: FAR, digest: sides.far.digest(), compare: true };
    sides.us.handle(sides.now, digest).expect("it may differ");
    let asked = sides.us.poll();
    let Some(Output::Tell { peer: FAR, bytes: have }) = asked else { panic!("{asked:?}") };

    // It answers again and again, though asked once, each time with something new.
    let mut told = 0;
    for _ in 0..100 {
        sides.far_writes("again");
        let asked = Input::Told { peer: US, bytes: have.clone() };
        sides.far.handle(sides.now, asked).expect("it is honest");
        while let Some(said) = sides.far.poll() {
            if let Output::Tell { bytes, .. } = said {
                sides.us.handle(sides.now, Input::Told { peer: FAR, bytes }).expect("it is news");
            }
        }
        let said = std::iter::from_fn(|| sides.us.poll());
        told += said.filter(|said| matches!(said, Output::Tell { peer: NEAR, .. })).count();
    }

    assert_eq!(sides.us.digest(), sides.far.digest());
    assert_eq!(told, 64);
}

#[test]
fn until_both_have_had_the_same_all_is_handed_on_though_not_for_long() {
    for (seconds, expected) in [(9, 1), (11, 0)] {
        let mut sides = Sides::new();
        sides.far_writes("before");
        sides.join([true, true]);
        sides.far_writes("lost");

        sides.now = sides.now + Duration::from_secs(seconds);
        let handed = sides.compare();

        assert!(sides.has("lost"));
        assert_eq!(handed, expected);
    }
}

#[test]
fn what_we_miss_and_ask_for_later_is_not_handed_on() {
    let mut sides = Sides::new();
    sides.far_writes("before");
    sides.join([true, true]);
    sides.compare();
    sides.far_writes("lost");
    let late = sides.far_writes("late");
    sides.tell_us(Input::Closed { peer: NEAR });
    sides.tell_us(Input::Heard { author: FAR, bytes: late });
    sides.tell_us(Input::Opened { peer: NEAR, bridge: false });

    sides.now = sides.us.timeout().expect("it waits for what is missing");
    let handed = sides.tell_us(Input::Timeout);

    assert!(sides.has("lost") && sides.has("late"));
    assert_eq!(handed, 0);
}

/// We, with a neighbour, and somebody on the far side.
struct Sides {
    now: Time,
    us: Tree<Unsigned>,
    far: Tree<Unsigned>,
    /// What we have handed on to all.
    handed: Vec<Vec<u8>>,
    /// What we have told our neighbour.
    told_near: Vec<Vec<u8>>,
}

impl Sides {
    fn new() -> Self {
        let (us, far) = (tree(US), tree(FAR));
        let (handed, told_near) = (Vec::new(), Vec::new());
        let mut sides = Self { now: Time::ZERO, us, far, handed, told_near };
        sides.tell_us(Input::Opened { peer: NEAR, bridge: false });
        sides
    }

    /// Both have met, and have had the same.
    fn joined() -> Self {
        let mut sides = Self::new();
        sides.far_writes("before");
        sides.join([true, true]);
        sides.compare();
        sides
    }

    /// The far side writes; what it says to all.
    fn far_writes(&mut self, at: &str) -> Vec<u8> {
        write(&mut self.far, self.now, at)
    }

    /// A link between us and the far side, which is a bridge to us, and to it; how much we hand on.
    fn join(&mut self, [ours, theirs]: [bool; 2]) -> usize {
        let opened = Input::Opened { peer: US, bridge: theirs };
        self.far.handle(self.now, opened).expect("a link may open");
        self.tell_us(Input::Opened { peer: FAR, bridge: ours })
    }

    /// We learn something, and talk with the far side until both are silent; how much we hand on.
    fn tell_us(&mut self, input: Input) -> usize {
        self.us.handle(self.now, input).expect("we take it in");
        let (handed, told) = talk(self.now, (&mut self.us, US), (&mut self.far, FAR));
        let count = handed.len();
        self.handed.extend(handed);
        self.told_near.extend(told);
        count
    }

    /// The far side's digest is told to us; how much we hand on.
    fn compare(&mut self) -> usize {
        let digest = self.far.digest();
        self.tell_us(Input::Digest { peer: FAR, digest, compare: true })
    }

    fn has(&self, at: &str) -> bool {
        self.us.get(&path(at)).is_some()
    }
}

fn tree(me: NodeId) -> Tree<Unsigned> {
    let (pattern, who, kind) = ("**".into(), Who::Anyone, Kind::Register);
    let row = Row { pattern, who, kind, value_bytes_max: 1_000, entries_max: 10 };
    let rules = Rules::new([row], Set::new()).expect("that is a pattern");
    Tree::new(Config { rules, ..Config::default() }, Time::ZERO, NOON, me, Unsigned)
}

/// Lets two talk until both are silent; what the first hands on to all, and what it tells others.
fn talk(
    now: Time,
    (one, name): (&mut Tree<Unsigned>, NodeId),
    (other, other_name): (&mut Tree<Unsigned>, NodeId),
) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut handed, mut told) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        while let Some(said) = one.poll() {
            match said {
                Output::Tell { peer, bytes } if peer == other_name => {
                    let told = Input::Told { peer: name, bytes };
                    other.handle(now, told).expect("it is honest");
                }
                Output::Tell { bytes, .. } => told.push(bytes),
                Output::Cast { bytes, except: Some(peer) } if peer == other_name => {
                    handed.push(bytes);
                }
                Output::Cast { .. } | Output::Event(_) => {}
            }
        }
        while let Some(said) = other.poll() {
            let Output::Tell { bytes, .. } = said else { continue };
            one.handle(now, Input::Told { peer: other_name, bytes }).expect("it is honest");
        }
    }
    (handed, told)
}

/// Somebody writes; what it says to all.
fn write(tree: &mut Tree<Unsigned>, now: Time, at: &str) -> Vec<u8> {
    let (path, value, life) = (path(at), json!({ "after": tree.digest() }), Life::Lasting);
    let update = Command::Update { path, value, partial: false, life };
    tree.handle(now, Input::Do(update)).expect("anybody may write");
    let said = std::iter::from_fn(|| tree.poll()).find_map(|said| match said {
        Output::Cast { bytes, .. } => Some(bytes),
        Output::Tell { .. } | Output::Event(_) => None,
    });
    said.expect("it is told to all")
}

fn path(text: &str) -> Path {
    text.parse().expect("tests name paths well")
}
