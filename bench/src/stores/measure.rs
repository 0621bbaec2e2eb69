//! One workload for all stores: ten people who write chat lines and fields of their presence.
//!
//! Of ten writes eight are lines, which stay, and two are fields, of which each author has ten and the latest stays.
//! Every write is one update, as it would be broadcast. This file leans on nothing but the standard library, so that a
//! store that is built apart from the others is measured by the very same code.

use std::fmt::Write as _;
use std::time::Instant;

/// How many people write.
pub const AUTHORS: u64 = 10;

/// How many fields of presence each has.
const FIELDS: u64 = 10;

/// How much each writes while the network is apart.
const APART: u64 = 100;

/// Syllables of the lines: as compressible as chat, to about four tenths.
const SYLLABLES: [&str; 64] = [
    "ab", "al", "an", "ar", "as", "at", "ba", "be", "bo", "ca", "ce", "co", "da", "de", "di", "do",
    "ea", "ed", "en", "er", "es", "fa", "fi", "fo", "ga", "ge", "ha", "he", "hi", "ho", "in", "is",
    "it", "ke", "la", "le", "li", "lo", "ma", "me", "mi", "mo", "na", "ne", "no", "of", "on", "or",
    "ou", "pa", "pe", "ra", "re", "ri", "sa", "se", "si", "ta", "te", "ti", "to", "un", "we", "yo",
];

/// One write.
#[derive(Clone, Debug)]
pub struct Write {
    /// Whose.
    pub author: u64,
    /// Its number, from 1.
    pub seq: u64,
    /// Which field; a line when none.
    pub field: Option<u64>,
    /// A JSON object.
    pub json: String,
}

impl Write {
    /// Write number `seq` of `author`.
    #[must_use]
    pub fn new(author: u64, seq: u64) -> Self {
        let mut dice = (author << 32 ^ seq).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut roll = |sides: u64| {
            // The finalizer of SplitMix64 (Steele et al. 2014).
            dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let x = (dice ^ (dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (x ^ (x >> 31)) % sides
        };
        let field = seq.is_multiple_of(5).then_some(seq / 5 % FIELDS);
        let mut json = String::from("{\"text\":\"");
        while json.len() < 58 {
            json.push_str(SYLLABLES[roll(SYLLABLES.len() as u64) as usize]);
            if roll(3) == 0 {
                json.push(' ');
            }
        }
        json.push_str("\"}");
        Self { author, seq, field, json }
    }

    /// Where it goes, as a store of flat keys names it.
    #[must_use]
    pub fn key(&self) -> String {
        match self.field {
            None => format!("messages/{:016x}-{}", self.author, self.seq),
            Some(field) => format!("shared/{:016x}/f{field}", self.author),
        }
    }
}

/// An update with its author.
pub type Update = (u64, Vec<u8>);

/// What it took to bring two level.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Bytes, both ways.
    pub bytes: usize,
    /// The same packed, each message alone.
    pub packed: usize,
    /// Messages, both ways.
    pub messages: usize,
    /// How often messages crossed, both ways at once: two is there and back.
    pub flights: usize,
}

/// A replicated store.
pub trait Store {
    /// An empty one of that author.
    fn new(author: u64) -> Self;
    /// Writes, and gives the update for the others.
    fn write(&mut self, write: &Write) -> Vec<u8>;
    /// Takes in an update.
    fn apply(&mut self, update: &Update);
    /// Takes in many, as fast as the store can.
    fn apply_all(&mut self, updates: &[Update]) {
        updates.iter().for_each(|update| self.apply(update));
    }
    /// All a newcomer is sent.
    fn snapshot(&mut self) -> Vec<Vec<u8>>;
    /// Brings two level; gives all that was said, by flight: what waits for no answer is of one.
    fn sync(one: &mut Self, other: &mut Self) -> Vec<Vec<Vec<u8>>>;
    /// How many entries there are.
    fn entries(&self) -> usize;
}

/// How many bytes are held now; zero where they are not counted.
pub type Weigh = fn() -> usize;

/// How many bytes are left of these when packed.
pub type Pack = fn(&[u8]) -> usize;

/// What is to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Write and apply one by one, in all that many, so many times; then what the whole weighs.
    Apply(u64, u32),
    /// Two who have that much in common and part, then meet again.
    Meet(u64),
}

/// Does a task; results as lines of a name, an equals sign and a number.
#[must_use]
pub fn measure<S: Store>(task: Task, weigh: Weigh, pack: Pack) -> String {
    let mut out = String::new();
    let mut tell = |name: &str, value: f64| writeln!(out, "{name}={value}").expect("a string");
    match task {
        Task::Apply(count, times) => {
            let begin = Instant::now();
            let (_, updates) = written::<S>(1, count / AUTHORS);
            tell("write_ns", nanos(begin, updates.len()));
            let bytes: usize = updates.iter().map(|(_, bytes)| bytes.len()).sum();
            tell("update_bytes", bytes as f64 / updates.len() as f64);
            let mut each = Vec::new();
            for _ in 0..times {
                let mut store = S::new(1_000);
                let begin = Instant::now();
                updates.iter().for_each(|update| store.apply(update));
                each.push(nanos(begin, updates.len()));
                assert_eq!(store.entries(), live(count), "nothing is lost");
            }
            each.sort_by(f64::total_cmp);
            tell("apply_ns", each[each.len() / 2]);
            let before = weigh();
            let mut store = S::new(1_000);
            let begin = Instant::now();
            store.apply_all(&updates);
            tell("batch_ns", nanos(begin, updates.len()));
            tell("heap_bytes", weigh().saturating_sub(before) as f64);
            let snapshot = store.snapshot();
            tell("snapshot_bytes", snapshot.iter().map(Vec::len).sum::<usize>() as f64);
            tell("snapshot_packed", snapshot.iter().map(|bytes| pack(bytes)).sum::<usize>() as f64);
            tell("entries", store.entries() as f64);
        }
        Task::Meet(count) => {
            let (mut authors, updates) = written::<S>(1, count / AUTHORS);
            let (mut one, mut other) = (S::new(1_000), S::new(1_001));
            one.apply_all(&updates);
            other.apply_all(&updates);
            S::sync(&mut one, &mut other);
            let (mut raw, mut all) = (0, String::new());
            let first = count / AUTHORS + 1;
            for seq in first..first + APART {
                for author in &mut authors {
                    let write = Write::new(author.0, seq);
                    // A field that is written again before the end does not have to travel.
                    let is_last = write.field.is_none() || seq + 5 * FIELDS >= first + APART;
                    if is_last {
                        raw += write.key().len() + write.json.len();
                        all.push_str(&write.key());
                        all.push_str(&write.json);
                    }
                    let update = (author.0, author.1.write(&write));
                    let side = if author.0 <= AUTHORS / 2 { &mut one } else { &mut other };
                    side.apply(&update);
                }
            }
            let begin = Instant::now();
            let said = S::sync(&mut one, &mut other);
            tell("meet_ms", begin.elapsed().as_secs_f64() * 1_000.0);
            let cost = cost(&said, pack);
            tell("meet_bytes", cost.bytes as f64);
            tell("meet_packed", cost.packed as f64);
            tell("meet_messages", cost.messages as f64);
            tell("meet_flights", cost.flights as f64);
            tell("new_bytes", raw as f64);
            tell("new_packed", pack(all.as_bytes()) as f64);
            let all = live(count) + live_between(first, first + APART);
            assert_eq!(one.entries(), all, "nothing is lost");
            assert_eq!(other.entries(), all, "they are level");
        }
    }
    out
}

fn cost(said: &[Vec<Vec<u8>>], pack: Pack) -> Cost {
    let messages = || said.iter().flatten();
    Cost {
        bytes: messages().map(Vec::len).sum(),
        packed: messages().map(|bytes| pack(bytes)).sum(),
        messages: messages().count(),
        flights: said.len(),
    }
}

/// The authors with their own writes, and all updates, each author in turn.
fn written<S: Store>(first: u64, each: u64) -> (Vec<(u64, S)>, Vec<Update>) {
    let mut authors: Vec<(u64, S)> = (1..=AUTHORS).map(|author| (author, S::new(author))).collect();
    let mut updates = Vec::new();
    for seq in first..first + each {
        for (author, store) in &mut authors {
            updates.push((*author, store.write(&Write::new(*author, seq))));
        }
    }
    (authors, updates)
}

/// Entries that are left of so many writes in all.
fn live(count: u64) -> usize {
    let each = count / AUTHORS;
    (AUTHORS * (each - each / 5 + (each / 5).min(FIELDS))) as usize
}

/// Lines among these writes of all authors; fields exist already.
fn live_between(first: u64, end: u64) -> usize {
    AUTHORS as usize * (first..end).filter(|seq| !seq.is_multiple_of(5)).count()
}

fn nanos(begin: Instant, count: usize) -> f64 {
    begin.elapsed().as_nanos() as f64 / count as f64
}
