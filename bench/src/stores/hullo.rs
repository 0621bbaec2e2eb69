//! Our own tree, believed and signed.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde_json::Value;
use tree::{
    Claim, Command, Config, Input, Kind, Life, Notary, Output, Proof, Row, Rules, Tree, Who,
};
use wire::{NodeId, Set, Time, Timestamp};

use super::measure::{Store, Update, Write};

/// A tree whose notary believes everybody.
pub struct Unsigned(Tree<tree::Unsigned>);

/// A tree in which every update is signed, and checked before it counts.
pub struct Signed(Tree<Signer>);

/// Signs with a key of ours and checks with those of all; keys follow from names, since who has which is not measured.
struct Signer {
    mine: SigningKey,
    theirs: Vec<(NodeId, VerifyingKey)>,
}

impl Signer {
    fn new(author: u64) -> Self {
        let key = |author: u64| {
            let mut seed = [7; 32];
            seed[..8].copy_from_slice(&author.to_le_bytes());
            SigningKey::from_bytes(&seed)
        };
        let theirs = (1..=super::measure::AUTHORS)
            .map(|author| (NodeId(author), key(author).verifying_key()));
        Self { mine: key(author), theirs: theirs.collect() }
    }
}

impl Notary for Signer {
    fn knows(&self, author: NodeId) -> bool {
        self.theirs.iter().any(|(name, _)| *name == author)
    }

    fn sign(&mut self, claim: &mut Claim<'_>) -> Option<Proof> {
        Some(Proof(self.mine.sign(&claim.statement().to_bytes()).to_bytes()))
    }

    fn check(&mut self, claim: &mut Claim<'_>, proof: Option<&Proof>) -> bool {
        let Some(Proof(proof)) = proof else { return false };
        let key = self.theirs.iter().find(|(name, _)| *name == claim.author());
        let statement = claim.statement().to_bytes();
        key.is_some_and(|(_, key)| {
            key.verify_strict(&statement, &Signature::from_bytes(proof)).is_ok()
        })
    }
}

/// The quotas are those of a conference; a million lines are more than that.
fn config() -> Config {
    let row = |pattern: &'static str, kind| Row {
        pattern: pattern.into(),
        who: Who::Anyone,
        kind,
        value_bytes_max: 16 << 10,
        entries_max: u32::MAX,
    };
    let rows = [row("messages/$self-*", Kind::Append), row("shared/**", Kind::Register)];
    let rules = Rules::new(rows, Set::new()).expect("rows that are");
    let (entries_max, author_bytes_max) = (usize::MAX, usize::MAX);
    Config { rules, entries_max, author_bytes_max, ..Config::default() }
}

fn open<N: Notary>(author: u64, notary: N) -> Tree<N> {
    Tree::new(config(), Time::ZERO, Timestamp(0), NodeId(author), notary)
}

fn write<N: Notary>(tree: &mut Tree<N>, write: &Write) -> Vec<u8> {
    let value: Value = serde_json::from_str(&write.json).expect("an object");
    let life = Life::Lasting;
    let command = match write.field {
        None => Command::Add { path: "messages".parse().expect("a path"), value, life },
        Some(_) => {
            let path = write.key().parse().expect("a path");
            Command::Update { path, value, partial: false, life }
        }
    };
    tree.handle(Time::ZERO, Input::Do(command)).expect("it may");
    let mut update = Vec::new();
    while let Some(output) = tree.poll() {
        if let Output::Cast { bytes, .. } = output {
            update = bytes;
        }
    }
    update
}

fn apply<N: Notary>(tree: &mut Tree<N>, (author, bytes): &Update) {
    let input = Input::Heard { author: NodeId(*author), bytes: bytes.clone() };
    tree.handle(Time::ZERO, input).expect("it is right");
    while tree.poll().is_some() {}
}

/// What two who meet say to each other until they fall silent.
fn meet<N: Notary>(one: &mut Tree<N>, other: &mut Tree<N>) -> Vec<Vec<Vec<u8>>> {
    let names = [NodeId(1_000), NodeId(1_001)];
    let mut said = Vec::new();
    for (tree, peer) in [(&mut *one, names[1]), (&mut *other, names[0])] {
        tree.handle(Time::ZERO, Input::Opened { peer, bridge: true }).expect("a neighbour");
    }
    loop {
        let mut letters = Vec::new();
        for (end, tree) in [&mut *one, &mut *other].into_iter().enumerate() {
            while let Some(output) = tree.poll() {
                if let Output::Tell { bytes, .. } = output {
                    letters.push((end, bytes));
                }
            }
        }
        if letters.is_empty() {
            break;
        }
        said.push(letters.iter().map(|(_, bytes)| bytes.clone()).collect());
        for (end, bytes) in letters {
            let (to, peer) = if end == 0 { (&mut *other, names[0]) } else { (&mut *one, names[1]) };
            to.handle(Time::ZERO, Input::Told { peer, bytes }).expect("it is right");
        }
    }
    for (tree, peer) in [(one, names[1]), (other, names[0])] {
        tree.handle(Time::ZERO, Input::Closed { peer }).expect("a neighbour");
    }
    said
}

macro_rules! store {
    ($store:ident, $notary:expr) => {
        impl Store for $store {
            fn new(author: u64) -> Self {
                let notary: fn(u64) -> _ = $notary;
                Self(open(author, notary(author)))
            }

            fn write(&mut self, a_write: &Write) -> Vec<u8> {
                write(&mut self.0, a_write)
            }

            fn apply(&mut self, update: &Update) {
                apply(&mut self.0, update);
            }

            fn snapshot(&mut self) -> Vec<Vec<u8>> {
                let notary: fn(u64) -> _ = $notary;
                meet(&mut self.0, &mut open(1_001, notary(1_001))).concat()
            }

            fn sync(one: &mut Self, other: &mut Self) -> Vec<Vec<Vec<u8>>> {
                meet(&mut one.0, &mut other.0)
            }

            fn entries(&self) -> usize {
                self.0.weight().entries
            }
        }
    };
}

store!(Unsigned, |_| tree::Unsigned);
store!(Signed, Signer::new);
