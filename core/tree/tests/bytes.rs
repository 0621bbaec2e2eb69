//! What a tree says, byte by byte, and how much of it.

use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};
use tree::{
    Claim, Command, Config, Input, Kind, Life, Notary, Output, Path, Proof, Row, Rules, Tree,
    Unsigned, Who, respell,
};
use wire::{Dice, NodeId, Seed, Set, Time, Timestamp};

const ANN: NodeId = NodeId(0x0a0a_0a0a_0a0a_0a0a);
const BOB: NodeId = NodeId(0x0b0b_0b0b_0b0b_0b0b);

/// 2026-11-25, noon.
const NOON: Timestamp = Timestamp(1_795_608_000_000);

/// Every kind of message, as it was when it was last meant to change.
const GOLDEN: &str = include_str!("golden/said.txt");

#[test]
fn the_bytes_of_every_message_stay_the_same() {
    let said = story();

    let text: String =
        said.iter().map(|(what, bytes)| format!("{what}\n{}\n", hex(bytes))).collect();

    assert_eq!(text, GOLDEN, "if it was meant, this is the new golden/said.txt:\n{text}");
}

#[test]
fn whatever_can_be_read_is_written_again_as_it_was() {
    let said = story();
    let mut dice = Dice::new(Seed::story(1));
    let mut read = 0;

    for (what, bytes) in &said {
        assert_eq!(respell(bytes).as_ref(), Some(bytes), "{what}");
        for _ in 0..3_000 {
            let mut bytes = bytes.clone();
            for _ in 0..1 + dice.below(3) {
                let at = dice.below(bytes.len() as u64) as usize;
                bytes[at] = dice.below(256) as u8;
            }
            bytes.truncate(bytes.len() - dice.below(3) as usize / 2);
            if let Some(again) = respell(&bytes) {
                assert_eq!(again, bytes, "{what}");
                read += 1;
            }
        }
    }
    assert!(read > 1_000, "{read} could be read");
}

#[test]
fn a_line_of_chat_with_its_proof_takes_less_than_185_bytes() {
    let mut ann = tree(ANN, Court(ANN));
    let text = "This is about as long as what people write into a chat.";
    let mut longest = 0;
    for minute in 0..100 {
        let now = Time::at(Duration::from_secs(60 * minute));
        ann.handle(now, Input::Do(add(json!({ "text": text, "from": "Ann" })))).unwrap();
        longest = casts(&mut ann).iter().map(Vec::len).fold(longest, usize::max);
    }

    let value = json!({ "text": text, "from": "Ann" }).to_string().len();
    assert!(longest <= value + 105 && longest <= 185, "{longest} bytes for a value of {value}");
}

#[test]
fn meeting_again_costs_little_more_than_what_is_new_however_long_the_history() {
    for history in [0, 8_000] {
        let mut world = World::new();
        for _ in 0..history {
            world.write(None);
        }
        world.split();
        for _ in 0..500 {
            world.write(Some(0));
            world.write(Some(1));
        }

        let (bytes, messages) = world.meet();

        let ratio = bytes as f64 / world.least as f64;
        assert!(ratio <= 1.2, "{bytes} bytes are {ratio} times the least after {history} writes");
        // Each says what it has, and each answers, in messages of 32 KiB at most.
        assert!(messages <= 2 + 2 * (1 + bytes / (30 * 1024)), "{messages} messages");
        assert_eq!(world.digests[0], world.digests[1]);
    }
}

#[test]
fn a_newcomer_to_thirty_with_two_hundred_lines_takes_little_more_than_one_copy() {
    let mut host = tree(ANN, Court(ANN));
    let mut values = 0;
    for person in 1..30 {
        let me = NodeId(0x1000 + person);
        let mut guest = tree(me, Court(me));
        let user =
            json!({ "name": format!("Person {person}"), "microphone": true, "camera": true });
        let at = path(&format!("users/{me}"));
        values += user.to_string().len() + at.as_str().len();
        let create = Command::Create { path: at, value: user, life: Life::Ephemeral };
        guest.handle(Time::ZERO, Input::Do(create)).unwrap();
        for line in 0..7 {
            let line =
                json!({ "text": format!("Line {line} of person {person}, as people write") });
            values += line.to_string().len() + "messages/000000000000100a-947123456".len();
            guest.handle(Time::ZERO, Input::Do(add(line))).unwrap();
        }
        link(Time::ZERO, &mut host, &mut guest, me, ANN);
    }
    let mut newcomer = tree(BOB, Court(BOB));

    let (bytes, _) = link(Time::ZERO, &mut host, &mut newcomer, BOB, ANN);

    assert_eq!(newcomer.weight().entries, 29 * 8);
    assert!(bytes <= values * 12 / 10, "{bytes} bytes for {values} bytes of paths and values");
}

/// Says one of each.
fn story() -> Vec<(&'static str, Vec<u8>)> {
    let mut said = Vec::new();
    let mut ann = tree(ANN, Court(ANN));
    let mut other_ann = tree(ANN, Court(ANN));
    let mut cast = |what, ann: &mut Tree<Court>, command| {
        ann.handle(Time::ZERO, Input::Do(command)).expect("that may be written");
        said.extend(casts(ann).into_iter().map(|bytes| (what, bytes)));
    };
    cast("part: a line", &mut ann, add(json!({ "text": "Hello" })));
    cast("part: a resource", &mut ann, update("shared/topic", json!({ "text": "Lunch" })));
    cast("part: a change", &mut ann, update("shared/topic", json!({ "text": "Dinner" })));
    let user = json!({ "name": "Ann" });
    let at = path(&format!("users/{ANN}"));
    cast(
        "part: a person",
        &mut ann,
        Command::Create { path: at, value: user, life: Life::Ephemeral },
    );
    cast("part: a deletion", &mut ann, Command::Delete { path: path("shared/topic") });
    cast("part: another life", &mut other_ann, add(json!({ "text": "Hullo" })));
    let mut bob = tree(BOB, Court(BOB));
    bob.handle(Time::ZERO, Input::Do(add(json!({ "text": "Bob" })))).expect("that may be written");
    casts(&mut bob);
    for (from, bytes) in exchange(Time::ZERO, &mut ann, &mut bob, BOB, ANN).0 {
        let what = match (bytes[0], from) {
            (1, ANN) => "have: of Ann",
            (1, _) => "have: of Bob",
            (2, ANN) => "delta: of Ann",
            _ => "delta: of Bob",
        };
        said.push((what, bytes));
    }
    // The same number under another statement.
    for n in 0..4 {
        let line = add(json!({ "text": n }));
        other_ann.handle(Time::ZERO, Input::Do(line)).expect("that may be written");
    }
    let mut carol = tree(NodeId(0xc), Court(NodeId(0xc)));
    link(Time::ZERO, &mut other_ann, &mut carol, NodeId(0xc), ANN);
    carol.handle(Time::ZERO, Input::Present { came: vec![], went: vec![ANN] }).expect("a fact");
    let (told, cast) = exchange(Time::ZERO, &mut bob, &mut carol, NodeId(0xc), BOB);
    let seals = told.into_iter().filter(|(_, bytes)| bytes[0] == 3).take(1);
    said.extend(seals.map(|(_, bytes)| ("seal: of Ann", bytes)));
    let forks = cast.into_iter().filter(|(_, bytes)| bytes[0] == 4).take(1);
    said.extend(forks.map(|(_, bytes)| ("fork: of Ann", bytes)));
    let later = Time::ZERO + Config::default().forget * 2;
    let mut dave = tree(NodeId(0xd), Court(NodeId(0xd)));
    link(Time::ZERO, &mut ann, &mut dave, NodeId(0xd), ANN);
    dave.handle(later, Input::Timeout).expect("time passes");
    let mut erin = tree(NodeId(0xe), Court(NodeId(0xe)));
    let (told, _) = exchange(later, &mut dave, &mut erin, NodeId(0xe), NodeId(0xd));
    let pruned = told.into_iter().filter(|(from, bytes)| *from == NodeId(0xd) && bytes[0] == 2);
    said.extend(pruned.map(|(_, bytes)| ("delta: pruned", bytes)));
    said
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A notary of tests: a keyed hash in place of a signature, with keys that follow from the names.
struct Court(NodeId);

impl Court {
    fn proof(author: NodeId, claim: &mut Claim<'_>) -> Proof {
        let statement = claim.statement().to_bytes();
        let mut proof = [0; 64];
        for (tag, half) in proof.chunks_mut(32).enumerate() {
            let key = author.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ tag as u64;
            let hash = Sha256::new().chain_update(key.to_le_bytes()).chain_update(statement);
            half.copy_from_slice(&hash.finalize());
        }
        Proof(proof)
    }
}

impl Notary for Court {
    fn knows(&self, _: NodeId) -> bool {
        true
    }

    fn sign(&mut self, claim: &mut Claim<'_>) -> Option<Proof> {
        Some(Self::proof(self.0, claim))
    }

    fn check(&mut self, claim: &mut Claim<'_>, proof: Option<&Proof>) -> bool {
        proof == Some(&Self::proof(claim.author(), claim))
    }
}

fn path(text: &str) -> Path {
    text.parse().expect("tests name paths well")
}

fn add(value: serde_json::Value) -> Command {
    Command::Add { path: path("messages"), value, life: Life::Lasting }
}

fn update(at: &str, value: serde_json::Value) -> Command {
    Command::Update { path: path(at), value, partial: false, life: Life::Lasting }
}

fn tree<N: Notary>(me: NodeId, notary: N) -> Tree<N> {
    Tree::new(Config::default(), Time::ZERO, NOON, me, notary)
}

fn casts<N: Notary>(tree: &mut Tree<N>) -> Vec<Vec<u8>> {
    let outputs = std::iter::from_fn(|| tree.poll());
    let cast = |output| match output {
        Output::Cast { bytes, .. } => Some(bytes),
        Output::Tell { .. } | Output::Event(_) => None,
    };
    outputs.filter_map(cast).collect()
}

/// Messages and who said them.
type Said = Vec<(NodeId, Vec<u8>)>;

/// Links two, lets them talk until they are silent, and cuts the link: what each said to the other, and what to all.
fn exchange<N: Notary>(
    now: Time,
    one: &mut Tree<N>,
    other: &mut Tree<N>,
    other_name: NodeId,
    one_name: NodeId,
) -> (Said, Said) {
    let names = [one_name, other_name];
    let trees = [one, other];
    let (mut said, mut cast) = (Vec::new(), Vec::new());
    let mut quiet = 0;
    for end in [0, 1] {
        let opened = Input::Opened { peer: names[1 - end], bridge: true };
        trees[end].handle(now, opened).expect("a link may open");
    }
    while quiet < 2 {
        for end in [0, 1] {
            quiet += 1;
            let mut kept = Vec::new();
            while let Some(output) = trees[end].poll() {
                match output {
                    Output::Tell { bytes, .. } => kept.push(bytes),
                    Output::Cast { bytes, .. } => cast.push((names[end], bytes)),
                    Output::Event(_) => {}
                }
            }
            for bytes in kept {
                quiet = 0;
                said.push((names[end], bytes.clone()));
                let told = Input::Told { peer: names[end], bytes };
                trees[1 - end].handle(now, told).expect("both are honest");
            }
        }
    }
    for end in [0, 1] {
        let closed = Input::Closed { peer: names[1 - end] };
        trees[end].handle(now, closed).expect("a link may close");
    }
    (said, cast)
}

/// As [`exchange`]: how many bytes, in how many messages.
fn link<N: Notary>(
    now: Time,
    one: &mut Tree<N>,
    other: &mut Tree<N>,
    other_name: NodeId,
    one_name: NodeId,
) -> (usize, usize) {
    let (said, _) = exchange(now, one, other, other_name, one_name);
    (said.iter().map(|(_, bytes)| bytes.len()).sum(), said.len())
}

/// Ten who write, and one who listens on either side of a cut.
struct World {
    dice: Dice,
    now: Time,
    writers: Vec<Tree<Court>>,
    listeners: [Tree<Court>; 2],
    is_split: bool,
    digests: [u32; 2],
    /// The bytes of paths and values that one side has and the other lacks.
    least: usize,
    new: std::collections::BTreeMap<String, usize>,
}

impl World {
    fn new() -> Self {
        let listener =
            |n| Tree::new(quotas(), Time::ZERO, Timestamp(0), NodeId(n), Court(NodeId(n)));
        let writer = |n: u64| listener(0x0101_0101_0101_0101 * n);
        Self {
            dice: Dice::new(Seed::story(1)),
            now: Time::ZERO,
            writers: (1..=10).map(writer).collect(),
            listeners: [listener(100), listener(101)],
            is_split: false,
            digests: [0, 0],
            least: 0,
            new: std::collections::BTreeMap::new(),
        }
    }

    fn split(&mut self) {
        self.is_split = true;
    }

    /// One of the ten writes, of those on one side of the cut when there is one: a line, or one of ten fields.
    fn write(&mut self, side: Option<usize>) {
        self.now = self.now + Duration::from_millis(self.dice.below(2_000));
        let who = match side {
            Some(side) => self.dice.below(5) as usize * 2 + side,
            None => self.dice.below(10) as usize,
        };
        let me = NodeId(0x0101_0101_0101_0101 * (who as u64 + 1));
        let (at, value, command) = if self.dice.below(10) < 8 {
            let value = json!({ "text": format!("What people write, {}", self.dice.bits()) });
            let at = self.writers[who].next(&path("messages")).expect("a name").to_string();
            (at, value.clone(), add(value))
        } else {
            let at = format!("shared/field-{}-{who}", self.dice.below(10));
            let value = json!({ "state": self.dice.below(1_000) });
            (at.clone(), value.clone(), update(&at, value))
        };
        self.writers[who].handle(self.now, Input::Do(command)).expect("that may be written");
        if self.is_split {
            self.new.insert(at.clone(), at.len() + value.to_string().len());
        }
        for bytes in casts(&mut self.writers[who]) {
            for (end, listener) in self.listeners.iter_mut().enumerate() {
                if side.is_none_or(|side| side == end) {
                    let heard = Input::Heard { author: me, bytes: bytes.clone() };
                    listener.handle(self.now, heard).expect("it is right");
                }
            }
        }
    }

    fn meet(&mut self) -> (usize, usize) {
        self.least = self.new.values().sum();
        let [one, other] = &mut self.listeners;
        let cost = link(self.now, one, other, NodeId(101), NodeId(100));
        self.digests = [one.digest(), other.digest()];
        cost
    }
}

fn quotas() -> Config {
    let row = |pattern: &'static str, kind| {
        let (pattern, who) = (pattern.into(), Who::Anyone);
        Row { pattern, who, kind, value_bytes_max: 16 << 10, entries_max: 1 << 20 }
    };
    let rows = [row("messages/$self-*", Kind::Append), row("shared/**", Kind::Register)];
    let rules = Rules::new(rows, Set::new()).expect("rows that are");
    Config { rules, entries_max: 1 << 20, author_bytes_max: 1 << 30, ..Config::default() }
}

#[test]
fn a_tree_without_a_notary_says_the_same_but_for_the_proofs() {
    let (mut signed, mut unsigned) = (tree(ANN, Court(ANN)), tree(ANN, Unsigned));
    for text in ["one", "two"] {
        signed.handle(Time::ZERO, Input::Do(add(json!({ "text": text })))).unwrap();
        unsigned.handle(Time::ZERO, Input::Do(add(json!({ "text": text })))).unwrap();
    }

    for (with, without) in casts(&mut signed).into_iter().zip(casts(&mut unsigned)) {
        assert_eq!(with.len(), without.len() + 64);
    }
}
