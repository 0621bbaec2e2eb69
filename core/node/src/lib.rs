//! One participant of a conference: the network and the shared tree behind one input and one output.
//!
//! A node is given links to other nodes, and from then on takes care of itself: it learns who else is there, opens
//! more links, shares what its application writes, and notices who left. It never reads a session description and
//! never opens a connection: it asks for numbered links and carries opaque blobs, so that a browser, a native
//! endpoint and a simulator drive the very same value.
//!
//! ```text
//!                application          Command ▼    ▲ Event
//!            ┌────────────────────────────────────────────────────┐
//!            │  Node                                              │
//!            │    presence   link records ─▶ map ─▶ who is here   │
//!            │    dial       who should be linked ─▶ Dial, Answer │
//!            │    ┌──────────────┐   casts, tells   ┌───────────┐ │
//!            │    │ Tree         │ ◀──────────────▶ │ Mesh      │ │
//!            │    └──────────────┘   digests, map   └───────────┘ │
//!            └────────────────────────────────────────────────────┘
//!                driver     Up, Down, Received ▲    ▼ Send, Dial, Answer, Apply, Hang
//! ```
//!
//! Each node keeps a record of its own links in the tree, at `links/<node>`. A link counts when both ends record it, so
//! a node that crashed drops out of the map when its neighbours have noticed, whatever it said before.
//! What can be reached on the map is present; what could not be for [`Config::grace`] is gone; who says that it leaves
//! is gone at once. Ephemeral resources follow presence and nothing else.
//!
//! **Invariant:** the tree is the truth, a broadcast is a hint: whatever is lost is found by comparing digests, which
//! neighbours do with every beat.
//! **Invariant:** a node that crashes is doubted by its neighbours after 3 s, and gone everywhere another
//! [`Config::gather`] + [`Config::grace`] and the time of a broadcast later: less than 15 s in all.
//! **Invariant:** what a peer sends never panics, and costs at most its own link.
//!
//! Limits: [`Config`], which holds those of the mesh and of the tree.

mod api;
mod attendance;
mod dial;
mod door;
mod island;
mod names;
mod notices;
mod once;
mod parts;
mod presence;
mod private;
mod shape;
mod words;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use mesh::Mesh;
use serde_json::Value;
use tree::{LINKS, Tree};
use trust::{Seat, Trust};
use wire::{Dice, LinkId, Map, NodeId, Seed, Set, Time, Timestamp};

pub use api::{Command, Error, Event, FIRST_OWN_LINK, Input, Misuse, Output, Reason};
pub use mesh::{Glance, glance};
pub use tree::{Entry, Life, Listing, Order, Path, Resource, Weight};

use attendance::Attendance;
use names::Office;
use once::Once;

/// The bounds of a node.
#[derive(Clone, Debug)]
pub struct Config {
    /// Those of its network.
    pub mesh: mesh::Config,
    /// Those of its tree.
    pub tree: tree::Config,
    /// How long a node stays present after the last way to it was lost, and how long it is on trial when there is one again.
    /// Guess: what dialling anew takes.
    pub grace: Duration,
    /// How long somebody who was gone must be within reach by way of others to be back. The records that say so may be
    /// of before, and newer ones on their way.
    pub doubt: Duration,
    /// How long changes of our links are gathered before they are told; for each hundred nodes that long again when a
    /// neighbour falls silent, and thirty to sixty times as long when they bring nobody into reach or out of it.
    pub gather: Duration,
    /// Up to how many nodes everybody is linked to everybody. Measured: a browser bears seven links with ease.
    pub full_mesh_max: usize,
    /// In a larger conference: how many links each node opens. With five, a neighbour that leaves costs no new link,
    /// for four survive any leave in simulations.
    pub links_aim: usize,
    /// How many of them it has at once when it comes. More come to it with those who come later; only when they do not,
    /// it opens one more, and in the end the rest.
    pub links_first: usize,
    /// How long after it came it waits for that; nine times as long for the rest.
    pub newness: Duration,
    /// In a larger conference: how many links a node has at most by its own doing.
    pub links_max: usize,
    /// How many links we open at a time.
    pub attempts_max: usize,
    /// How long to wait for a link to open.
    pub dial: Duration,
    /// How long whoever is at the other end of an open link has to prove who it is. Guess: a roll of a thousand over a
    /// poor line.
    pub door: Duration,
    /// How long until what was said at the door is said again. Guess: a slow round trip.
    pub door_again: Duration,
    /// How long to wait after the first failure; twice that after the second, and so on.
    pub redial: Duration,
    /// How long after a change of the map to look for nodes that alone hold it together.
    pub mend: Duration,
    /// How often at most a link is dropped that nobody would miss; up to twice as long.
    pub prune: Duration,
    /// The longest such wait.
    pub redial_max: Duration,
    /// How often to try in all, until the peer has been away.
    pub tries_max: u32,
    /// How often the application is asked for links to some of those who are out of reach.
    pub seek: Duration,
    /// To how many of them at a time.
    pub seek_count: usize,
    /// How often at most for the same one.
    pub seek_again: Duration,
    /// How many times in all for the same one.
    pub seek_asks_max: u32,
    /// The longest session description, in bytes.
    pub description_bytes_max: usize,
    /// How long a new node waits for the tree of those it joins before it takes itself for the first. Guess: what
    /// opening a link and a round trip take.
    pub lonely: Duration,
    /// Of how many notices to one node it is remembered what they were about.
    pub notices_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mesh: mesh::Config::default(),
            tree: tree::Config::default(),
            grace: Duration::from_secs(4),
            doubt: Duration::from_secs(1),
            gather: Duration::from_millis(100),
            full_mesh_max: 8,
            links_aim: 5,
            links_first: 3,
            newness: Duration::from_secs(3),
            links_max: 8,
            attempts_max: 4,
            dial: Duration::from_secs(10),
            door: Duration::from_secs(8),
            door_again: Duration::from_secs(1),
            redial: Duration::from_millis(250),
            mend: Duration::from_secs(2),
            prune: Duration::from_secs(10),
            redial_max: Duration::from_secs(30),
            tries_max: 8,
            seek: Duration::from_secs(3),
            seek_count: 3,
            seek_again: Duration::from_secs(20),
            seek_asks_max: 6,
            description_bytes_max: wire::invite::DESCRIPTION_BYTES_MAX,
            lonely: Duration::from_secs(3),
            notices_max: 256,
        }
    }
}

/// One participant.
#[derive(Debug)]
pub struct Node {
    config: Config,
    me: NodeId,
    dice: Dice,
    mesh: Mesh,
    tree: Tree<Office>,
    /// When we were made, by both clocks.
    born: (Time, Timestamp),
    /// Who has yet to prove itself, at the other end of which link.
    doors: Map<LinkId, door::Guest>,
    /// Whether the roll has changed since we last looked at them.
    doors_are_stale: bool,
    /// Whether we are in, as far as our application knows.
    was_admitted: bool,
    /// Who was put out.
    out: Set<NodeId>,
    /// Which neighbours have another digest, and since when, or when they were last asked for their roll.
    asked: Map<NodeId, Time>,
    /// When to publish our own link record, after our links changed.
    record_at: Option<Time>,
    /// Who was out of reach before its link opened: what it brings is about to go to all.
    bridge: Option<NodeId>,
    /// Who is present.
    attendance: Attendance,
    /// Who has come into reach or out of it, or said or taken back that it leaves, since attendance was taken.
    turned: Vec<NodeId>,
    /// Who went without a word, while there is hope that they are out there.
    missed: Map<NodeId, island::Missed>,
    /// To whom the application has brought a link, and so may again.
    brought: Set<NodeId>,
    /// When to ask for some of them.
    seek_at: Option<Time>,
    /// Who said that they left for good.
    left: Set<NodeId>,
    attempts: Map<LinkId, dial::Attempt>,
    tries: Map<NodeId, dial::Tries>,
    /// Who of our neighbours did not keep to the protocol, how often, and until when we open no link to it.
    strikes: Map<NodeId, dial::Tries>,
    /// When to dial somebody again.
    dial_at: Option<Time>,
    /// When to look for nodes that alone hold the map together.
    mend_at: Option<Time>,
    /// When to drop a link that nobody would miss.
    prune_at: Option<Time>,
    /// Links that we no longer record, and when they are hung up.
    retiring: Map<NodeId, Time>,
    /// Until when we are new: from when we were first linked.
    new_until: Option<Time>,
    /// Neighbours by links that the nodes opened themselves.
    repairs: Set<NodeId>,
    /// Whom to link to, so that we do not depend on such a node.
    mends: Vec<NodeId>,
    /// Whether links, attempts or presence have changed since we last thought about whom to dial.
    dial_is_stale: bool,
    next_link: u64,
    /// Tells what we say from what we said before our page was loaded anew: the number at which our writes began.
    life: u64,
    next_id: u32,
    /// The number of our last notice to all.
    next_notice: u64,
    /// The notices to all that came.
    heard: Once,
    /// The letters that came.
    letters: Once,
    /// What our notices to one node were about.
    notices: VecDeque<(u32, Path)>,
    /// When to hold that nobody else is there; `None` once we are ready.
    ready_at: Option<Time>,
    /// Neighbours that had not taken yet what the tree told them before when it was last asked something.
    busy: Vec<NodeId>,
    is_over: bool,
    outputs: VecDeque<Output>,
}

impl Node {
    /// A node of a conference that `trust` knows, alone. `clock` is what the calendar says `now`.
    #[must_use]
    pub fn new(config: Config, now: Time, clock: Timestamp, trust: Trust, seed: Seed) -> Self {
        let first = tree::first_number(clock);
        let me = trust.me();
        let was_admitted = trust.is_in();
        let mut node = Self {
            me,
            dice: Dice::new(seed),
            mesh: Mesh::new(config.mesh.clone(), now, me, first),
            tree: Tree::new(config.tree.clone(), now, clock, me, Office(trust)),
            born: (now, clock),
            doors: Map::new(),
            doors_are_stale: false,
            was_admitted,
            out: Set::new(),
            asked: Map::new(),
            record_at: None,
            bridge: None,
            attendance: Attendance::new(me),
            turned: Vec::new(),
            missed: Map::new(),
            brought: Set::new(),
            seek_at: None,
            left: Set::new(),
            attempts: Map::new(),
            tries: Map::new(),
            strikes: Map::new(),
            dial_at: None,
            mend_at: None,
            prune_at: None,
            retiring: Map::new(),
            new_until: None,
            repairs: Set::new(),
            mends: Vec::new(),
            dial_is_stale: false,
            next_link: FIRST_OWN_LINK.0,
            life: first,
            next_id: 0,
            next_notice: 0,
            heard: Once::default(),
            letters: Once::default(),
            notices: VecDeque::new(),
            ready_at: Some(now + config.lonely),
            busy: Vec::new(),
            is_over: false,
            outputs: VecDeque::new(),
            config,
        };
        node.watch_links(now);
        node
    }

    /// Takes in what happened.
    ///
    /// # Errors
    ///
    /// See [`Error`]; the node is unharmed.
    pub fn handle(&mut self, now: Time, input: Input) -> Result<(), Error> {
        if self.is_over {
            return Err(Error::Misuse(Misuse::Left));
        }
        let taken = self.take(now, input);
        let settled = self.settle(now);
        taken.and(settled)
    }

    /// What to do next, until `None`.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`]; `None` when nothing waits for time.
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        if self.is_over {
            return None;
        }
        let cores = [self.mesh.timeout(), self.tree.timeout()];
        let own =
            [self.record_at, self.dial_at, self.mend_at, self.prune_at, self.attendance.due()];
        let own = own.into_iter().chain([self.ready_at, self.seek_at]);
        let attempts = self.attempts.values().map(|attempt| attempt.until);
        let retiring = self.retiring.values().copied();
        let doors = self.doors.values().filter_map(door::Guest::timeout);
        let waiting = attempts.chain(retiring).chain(doors);
        cores.into_iter().chain(own).flatten().chain(waiting).min()
    }

    /// Our own name.
    #[must_use]
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// Whether we founded the conference, and may put somebody out.
    #[must_use]
    pub fn is_founder(&self) -> bool {
        let roll = self.tree.notary_ref().0.roll();
        roll.is_some_and(|roll| roll.founder() == self.me)
    }

    /// What it takes to come back as who we are, beside the seed of our keys; `None` while we are not in.
    #[must_use]
    pub fn seat(&mut self) -> Option<Seat> {
        self.tree.notary().0.seat()
    }

    /// The resource at `path`.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<Value> {
        self.entry(path).map(|entry| entry.value())
    }

    /// The resource at `path`, with who wrote it and when.
    #[must_use]
    pub fn entry(&self, path: &Path) -> Option<Entry<'_>> {
        self.tree.entry(path).map(|entry| self.opened_entry(entry))
    }

    /// The resources directly in the list at `path`, oldest first, in the same order on every node.
    #[must_use]
    pub fn list(&self, path: &Path, listing: Listing) -> Vec<Entry<'_>> {
        let entries = self.tree.list(path, listing).into_iter();
        entries.map(|entry| self.opened_entry(entry)).collect()
    }

    /// Where an [`Command::Add`] to `list` would put its value now; `None` when that is not a path.
    #[must_use]
    pub fn next(&self, list: &Path) -> Option<Path> {
        self.tree.next(list)
    }

    /// Whether all is here that those had whom we joined. [`Event::Ready`] tells when it comes to be.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready_at.is_none()
    }

    /// Whether `node` has been proved to have contradicted itself, so that nothing counts that it wrote.
    #[must_use]
    pub fn is_frozen(&self, node: NodeId) -> bool {
        self.tree.is_frozen(node)
    }

    /// The nodes present, ourselves included, in the order of their names.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.attendance.present().iter().copied()
    }

    /// Whether `node` is present and cannot be reached: it is gone soon, unless it is back before.
    #[must_use]
    pub fn is_lost(&self, node: NodeId) -> bool {
        self.attendance.is_lost(node)
    }

    /// Those who were put out, as far as we have seen it.
    pub fn put_out_nodes(&self) -> impl Iterator<Item = NodeId> {
        self.out.iter().copied()
    }

    /// The nodes that we have an open link to.
    #[must_use]
    pub fn neighbours(&self) -> BTreeSet<NodeId> {
        self.mesh.neighbours().into_iter().collect()
    }

    /// Those of them that were heard lately.
    #[must_use]
    pub fn trusted(&self) -> BTreeSet<NodeId> {
        self.mesh.trusted().into_iter().collect()
    }

    /// The links that this node knows of, each once.
    pub fn links(&self) -> impl Iterator<Item = (NodeId, NodeId)> {
        self.mesh.map().pairs()
    }

    /// A number that is equal in two nodes that have the same writes, and hardly ever in others.
    #[must_use]
    pub fn digest(&self) -> u32 {
        self.tree.digest()
    }

    /// How far each author's writes have been taken in: the highest number that ever was, and a few bits of what all that
    /// it has written came to then; none (0) while that is waited for.
    pub fn heads(&self) -> impl Iterator<Item = (NodeId, u64, u32)> {
        self.tree.heads()
    }

    /// The same of one author; `None` when nothing of it was ever taken in.
    #[must_use]
    pub fn head(&self, author: NodeId) -> Option<(u64, u32)> {
        self.tree.head(author)
    }

    /// What this node keeps of the shared tree.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.tree.weight()
    }

    fn take(&mut self, now: Time, input: Input) -> Result<(), Error> {
        match input {
            Input::Timeout => self.on_timeout(now),
            Input::Up { link, peer, binding, claim, invite } => {
                self.check_link(link, peer)?;
                self.knock(now, link, peer, binding, claim, invite)
            }
            Input::Down { link } => {
                self.doors.remove(&link);
                self.give_up(now, link);
                self.mesh_input(now, mesh::Input::Down { link })
            }
            Input::Flushed { link } => match self.on_flushed_at_door(now, link)? {
                true => Ok(()),
                false => self.mesh_input(now, mesh::Input::Flushed { link }),
            },
            Input::Received { link, frame }
                if door::is_knock(&frame) || self.doors.contains_key(&link) =>
            {
                self.on_knock(now, link, frame)
            }
            Input::Received { link, frame } => {
                self.mesh_input(now, mesh::Input::Received { link, frame })
            }
            Input::Described { link, description } => {
                if description.len() > self.config.description_bytes_max {
                    self.give_up(now, link);
                    return Err(Error::Limit("the size of a session description"));
                }
                self.on_described(now, link, description)
            }
            Input::Undescribed { link } => self.on_undescribed(now, link),
            Input::Do(command) => self.on_command(now, command),
        }
    }

    fn on_timeout(&mut self, now: Time) -> Result<(), Error> {
        self.look_after_doors(now);
        self.give_up_late(now);
        if self.ready_at.is_some_and(|at| at <= now) {
            self.on_ready();
        }
        let mesh = self.mesh_input(now, mesh::Input::Timeout);
        let tree = self.tree_input(now, tree::Input::Timeout);
        mesh.and(tree)
    }

    /// Whether a link to `peer` makes sense; else it is hung up.
    fn check_link(&mut self, link: LinkId, peer: NodeId) -> Result<(), Error> {
        if link >= FIRST_OWN_LINK && !self.is_expected(link, peer) {
            self.outputs.push_back(Output::Hang { link });
            return Err(Error::Misuse(Misuse::UnknownLink));
        }
        if peer == self.me {
            self.outputs.push_back(Output::Hang { link });
            return Err(Error::PeerMisbehaved { peer, what: "it claims to be us" });
        }
        Ok(())
    }

    fn on_command(&mut self, now: Time, command: Command) -> Result<(), Error> {
        let open = |path: Path| {
            let is_reserved = path.segments().next() == Some(LINKS);
            if is_reserved { Err(Error::Misuse(Misuse::Reserved)) } else { Ok(path) }
        };
        let write = match command {
            Command::Create { path, value, life } => {
                let value = self.sealed(&path, value)?;
                tree::Command::Create { path: open(path)?, value, life }
            }
            Command::Update { path, value, partial, life } => {
                let value = self.sealed(&path, value)?;
                tree::Command::Update { path: open(path)?, value, partial, life }
            }
            Command::Delete { path } => tree::Command::Delete { path: open(path)? },
            Command::Clear { path } => tree::Command::Clear { path: open(path)? },
            Command::Subscribe { path } => {
                return self.tree_input(now, tree::Input::Watch { path: Some(open(path)?) });
            }
            Command::Unsubscribe { path } => {
                return self.tree_input(now, tree::Input::Unwatch { path: Some(open(path)?) });
            }
            Command::Add { path, value, life } => {
                let value = self.sealed(&path, value)?;
                tree::Command::Add { path: open(path)?, value, life }
            }
            Command::Notify { path, data, to } => return self.notify(now, path, &data, to),
            Command::PutOut(node) => return self.put_out(now, node),
            Command::Leave => return self.leave(now),
        };
        self.tree_input(now, tree::Input::Do(write))
    }

    fn put_out(&mut self, now: Time, node: NodeId) -> Result<(), Error> {
        let trust = &mut self.tree.notary().0;
        if trust.roll().is_none_or(|roll| roll.founder() != self.me) {
            return Err(Error::Misuse(Misuse::NotFounder));
        }
        let learned = trust.put_out(node);
        self.on_learned(now, learned, Some(self.me));
        Ok(())
    }

    fn leave(&mut self, now: Time) -> Result<(), Error> {
        self.publish_leave(now)?;
        self.settle(now)?;
        for peer in self.mesh.neighbours() {
            self.mesh_input(now, mesh::Input::Shun { peer })?;
        }
        while let Some(output) = self.mesh.poll() {
            if let mesh::Output::Hang { link } = output {
                self.outputs.push_back(Output::Hang { link });
            }
        }
        let doors = std::mem::take(&mut self.doors);
        for link in doors.keys().copied() {
            self.outputs.push_back(Output::Hang { link });
        }
        for link in std::mem::take(&mut self.attempts).keys().copied() {
            self.outputs.push_back(Output::Hang { link });
        }
        self.is_over = true;
        self.emit(Event::Closed);
        Ok(())
    }

    fn next_message(&mut self) -> u32 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
