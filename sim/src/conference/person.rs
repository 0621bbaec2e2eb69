//! One participant: a node, and an application that believes its events.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;

use node::{Event, Listing, Node, Path};
use serde_json::Value;
use wire::{LinkId, NodeId, Time};

use super::hostile::{Liar, Trick};
use super::thought::Thought;
use super::watch::Watch;
use crate::menu::Nat;

/// How somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Well.
    Awake,
    /// The lid is closed.
    Asleep,
    /// Stopped without a word.
    Crashed(Time),
    /// Left properly.
    Left,
}

/// The lists that stories use.
pub(crate) fn lists() -> impl Iterator<Item = Path> {
    ["users", "messages", "shared"].iter().map(|list| list.parse().expect("one word is a path"))
}

/// What a node was like when it was looked at last.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) at: Time,
    pub(crate) digest: u32,
    /// Its digest after its latest step, at which it was not always looked.
    pub(crate) latest: u32,
    /// How far it was with each author.
    pub(crate) heads: BTreeMap<NodeId, u64>,
}

/// One participant.
#[derive(Debug)]
pub struct Person {
    /// The node.
    pub node: Node,
    /// How it is.
    pub state: State,
    /// What the application knows from events alone: hashes of each path and of what is there.
    known: BTreeMap<u64, u64>,
    present: BTreeSet<NodeId>,
    /// When it was told that somebody had gone.
    gone: BTreeMap<NodeId, Time>,
    heard: BTreeMap<NodeId, BTreeSet<u64>>,
    refused: Vec<(Path, NodeId)>,
    undelivered: u64,
    /// Whether it is let in.
    is_in: bool,
    armed: Option<Time>,
    links: u64,
    waiting: Vec<(usize, u64, Vec<u8>)>,
    /// Since when its time stands still.
    pub(crate) dozed: Option<Time>,
    /// What it takes for the time.
    pub(crate) watch: Watch,
    /// How far its calendar is off, in milliseconds.
    pub(crate) calendar: i64,
    /// What it is behind.
    pub(crate) nat: Nat,
    /// How it plays false, if it does.
    pub(crate) liar: Option<Liar>,
    pub(crate) looked: Looked,
    /// What comes of what happens to it next, and when that is, if it was foreseen.
    pub(crate) thought: Option<(Time, Thought)>,
}

impl Person {
    pub(crate) fn new(node: Node) -> Self {
        let present = BTreeSet::from([node.me()]);
        let is_in = node.is_founder();
        Self {
            node,
            state: State::Awake,
            known: BTreeMap::new(),
            present,
            gone: BTreeMap::new(),
            heard: BTreeMap::new(),
            refused: Vec::new(),
            undelivered: 0,
            is_in,
            armed: None,
            links: 0,
            waiting: Vec::new(),
            dozed: None,
            watch: Watch::default(),
            calendar: 0,
            nat: Nat::default(),
            liar: None,
            looked: Looked::default(),
            thought: None,
        }
    }

    /// The same person with a fresh node.
    pub(crate) fn renewed(&mut self, node: Node) {
        let liar = self.liar.take();
        let Self { watch, calendar, nat, is_in, .. } = *self;
        *self = Self { watch, calendar, nat, is_in, liar, ..Self::new(node) };
    }

    /// It goes on.
    pub(crate) fn wake(&mut self, now: Time) {
        self.state = State::Awake;
        if let Some(since) = self.dozed.take() {
            self.watch.stand_still(now - since);
            // What it wanted to be woken for is later now.
            self.armed = None;
        }
    }

    /// Whether it was ever let in, and so may let in others.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.is_in
    }

    /// Whether it plays false.
    #[must_use]
    pub fn is_false(&self) -> bool {
        self.liar.is_some()
    }

    /// How it plays false, if it does.
    #[must_use]
    pub fn trick(&self) -> Option<Trick> {
        self.liar.as_ref().map(Liar::trick)
    }

    /// The resources of the lists that stories use, in order, with who wrote them.
    #[must_use]
    pub fn view(&self) -> Vec<(String, Value, NodeId)> {
        lists()
            .flat_map(|list| self.node.list(&list, Listing::default()))
            .map(|entry| (entry.path.to_string(), entry.value(), entry.by))
            .collect()
    }

    /// The numbers of the notices that came from `from`.
    #[must_use]
    pub fn heard(&self, from: NodeId) -> BTreeSet<u64> {
        self.heard.get(&from).cloned().unwrap_or_default()
    }

    /// When the application was last told that `node` had gone.
    #[must_use]
    pub fn gone_at(&self, node: NodeId) -> Option<Time> {
        self.gone.get(&node).copied()
    }

    /// Which creates were lost, and to whom.
    #[must_use]
    pub fn refused(&self) -> &[(Path, NodeId)] {
        &self.refused
    }

    /// How many notices it was told have found no way.
    #[must_use]
    pub fn undelivered(&self) -> u64 {
        self.undelivered
    }

    pub(crate) fn hear(&mut self, from: NodeId, number: u64) -> Result<(), String> {
        if self.heard.entry(from).or_default().insert(number) {
            return Ok(());
        }
        Err(format!("notice {number} of {from} was delivered twice"))
    }

    /// Believes an event, if it fits what was known.
    pub(crate) fn learn(&mut self, event: Event, now: Time) -> Result<(), String> {
        let told = brief(&event);
        let fits = match event {
            Event::Created { path, value, .. } => {
                self.known.insert(hash(path.as_str()), hash(&value)).is_none()
            }
            Event::Updated { path, value, old, .. } => {
                self.known.insert(hash(path.as_str()), hash(&value)) == Some(hash(&old))
            }
            Event::Deleted { path, old, .. } => {
                self.known.remove(&hash(path.as_str())) == Some(hash(&old))
            }
            Event::Arrived(node) => self.present.insert(node),
            Event::Gone(node) => {
                self.gone.insert(node, now);
                self.present.remove(&node)
            }
            Event::Refused { path, by } => {
                self.refused.push((path, by));
                true
            }
            Event::Undelivered { .. } => {
                self.undelivered += 1;
                true
            }
            Event::Loaded { resources, .. } => resources.is_empty(),
            Event::Admitted => {
                self.is_in = true;
                true
            }
            Event::Met { .. }
            | Event::Notice { .. }
            | Event::Parted { .. }
            | Event::TurnedAway { .. }
            | Event::Ready
            | Event::Closed
            | Event::Frozen(_) => true,
        };
        if !fits {
            return Err(format!("{} is told {told}, which does not fit", self.node.me()));
        }
        Ok(())
    }

    /// Whether what events told is what the node reads.
    ///
    /// # Errors
    ///
    /// What differs.
    pub fn believes_right(&self) -> Result<(), String> {
        if self.present != self.node.nodes().collect() {
            return Err(format!("{} believes in {:?}", self.node.me(), self.present));
        }
        let reads = lists().flat_map(|list| self.node.list(&list, Listing::default()));
        let reads: BTreeMap<u64, u64> =
            reads.map(|entry| (hash(entry.path.as_str()), hash(&entry.value()))).collect();
        if reads == self.known {
            return Ok(());
        }
        let differs =
            lists().flat_map(|list| self.node.list(&list, Listing::default())).find(|entry| {
                self.known.get(&hash(entry.path.as_str())) != Some(&hash(&entry.value()))
            });
        Err(differs.map_or("what is gone is believed to be there".to_owned(), |entry| {
            format!("{} is believed to be something else", entry.path)
        }))
    }

    /// Takes note of the deadline; returns it when it has to be planned.
    pub(crate) fn arm(&mut self, timeout: Option<Time>) -> Option<Time> {
        let sooner = timeout.filter(|at| self.armed.is_none_or(|armed| *at < armed))?;
        self.armed = Some(sooner);
        Some(sooner)
    }

    pub(crate) fn wants_waking(&self, now: Time) -> bool {
        self.armed.is_some_and(|at| at <= now)
    }

    pub(crate) fn is_due(&mut self, now: Time) -> bool {
        let due = self.wants_waking(now);
        if due {
            self.armed = None;
        }
        due
    }

    pub(crate) fn number_link(&mut self) -> LinkId {
        self.links += 1;
        LinkId(self.links)
    }

    pub(crate) fn wait(&mut self, end: usize, wire: u64, frame: Vec<u8>) {
        self.waiting.push((end, wire, frame));
    }

    pub(crate) fn take_waiting(&mut self) -> Vec<(usize, u64, Vec<u8>)> {
        mem::take(&mut self.waiting)
    }
}

/// A number that is equal for equal values, and hardly ever for others.
fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What an event is about, without its values, since it is made for each.
fn brief(event: &Event) -> Brief {
    match event {
        Event::Created { by, .. } => Brief("of a create", Some(*by)),
        Event::Updated { by, .. } => Brief("of an update", Some(*by)),
        Event::Deleted { by, .. } => Brief("of a delete", Some(*by)),
        Event::Arrived(node) => Brief("of an arrival", Some(*node)),
        Event::Gone(node) => Brief("of a departure", Some(*node)),
        Event::Loaded { .. } => Brief("what there is", None),
        Event::Met { .. }
        | Event::Notice { .. }
        | Event::Parted { .. }
        | Event::Admitted
        | Event::TurnedAway { .. }
        | Event::Refused { .. }
        | Event::Undelivered { .. }
        | Event::Ready
        | Event::Closed
        | Event::Frozen(_) => Brief("something else", None),
    }
}

/// What an event is about.
#[derive(Clone, Copy)]
struct Brief(&'static str, Option<NodeId>);

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        self.1.map_or(Ok(()), |node| write!(f, " by {node}"))
    }
}
