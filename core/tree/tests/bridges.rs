//! What comes over a link that joins two sides, and who is told of it.

use std::time::Duration;

use serde_json::json;
use tree::{Command, Config, Input, Kind, Life, Output, Path, Row, Rules, Tree, Unsigned, Who};
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
fn what_is_found_by_comparing_went_astray_on_the_way_to_us_and_is_not_handed_on() {
    let mut sides = Sides::new();
    sides.far_writes("before");
    sides.join([true, true]);
    sides.far_writes("lost");

    let mut handed = 0;
    for _ in 0..4 {
        sides.now = sides.now + Duration::from_secs(1);
        let digest = sides.far.digest();
        handed += sides.tell_us(Input::Digest { peer: FAR, digest });
    }

    assert!(sides.has("lost"));
    assert_eq!(handed, 0);
}

#[test]
fn what_we_miss_and_ask_for_long_after_is_not_handed_on() {
    let mut sides = Sides::new();
    sides.far_writes("before");
    sides.join([true, true]);
    sides.far_writes("lost");
    let late = sides.far_writes("late");
    sides.now = sides.now + Duration::from_secs(10);
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
}

impl Sides {
    fn new() -> Self {
        let (pattern, who, kind) = ("**".into(), Who::Anyone, Kind::Register);
        let row = Row { pattern, who, kind, value_bytes_max: 1_000, entries_max: 10 };
        let rules = Rules::new([row], Set::new()).expect("that is a pattern");
        let config = Config { rules, ..Config::default() };
        let tree = |me| Tree::new(config.clone(), Time::ZERO, NOON, me, Unsigned);
        let mut sides = Self { now: Time::ZERO, us: tree(US), far: tree(FAR) };
        sides.tell_us(Input::Opened { peer: NEAR, bridge: false });
        sides
    }

    /// The far side writes; what it says to all.
    fn far_writes(&mut self, at: &str) -> Vec<u8> {
        let create = Command::Create { path: path(at), value: json!({}), life: Life::Lasting };
        self.far.handle(self.now, Input::Do(create)).expect("there is nothing yet");
        let said = std::iter::from_fn(|| self.far.poll()).find_map(|said| match said {
            Output::Cast { bytes, .. } => Some(bytes),
            Output::Tell { .. } | Output::Event(_) => None,
        });
        said.expect("it is told to all")
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
        let mut handed = 0;
        for _ in 0..20 {
            while let Some(said) = self.us.poll() {
                match said {
                    Output::Tell { peer: FAR, bytes } => {
                        let told = Input::Told { peer: US, bytes };
                        self.far.handle(self.now, told).expect("we are honest");
                    }
                    Output::Cast { except, .. } => handed += usize::from(except == Some(FAR)),
                    Output::Tell { .. } | Output::Event(_) => {}
                }
            }
            while let Some(said) = self.far.poll() {
                let Output::Tell { bytes, .. } = said else { continue };
                let told = Input::Told { peer: FAR, bytes };
                self.us.handle(self.now, told).expect("it is honest");
            }
        }
        handed
    }

    fn has(&self, at: &str) -> bool {
        self.us.get(&path(at)).is_some()
    }
}

fn path(text: &str) -> Path {
    text.parse().expect("tests name paths well")
}
