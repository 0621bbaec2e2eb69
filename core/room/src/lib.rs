//! What a conference keeps in the shared tree, as typed values: people, conversation, streams.
//!
//! A [`Room`] is one participant's seat in a conference. It owns the [`node::Node`] below it, passes everything about
//! links through, and keeps these resources:
//!
//! ```text
//!   path                                   value, life                        who writes
//!   users/<node>                           Profile, while present             the node itself
//!   members/<node>                         {user}, lasting                    a node that the server told who it is
//!   messages/<time>-<node>                 {text, from}, lasting              the node itself
//!   messages                 notice        {typing}                           anybody
//!   streams/<kind>-<node>/publisher        {since}, while present             the node itself
//!   streams/<kind>-<node>/subscribers/<s>  {attempt}, while present           the subscriber
//!   …/subscribers/<s>, …/publisher notice  {attempt, description | candidate | again}   the other end
//! ```
//!
//! **A picture's way.** The publisher of a stream always offers, so that offers never cross. One media connection
//! carries one stream to one subscriber:
//!
//! ```text
//!   publisher                                      subscriber
//!      │ publisher {} ──────────── tree ─────────────▶ │  Open (answers later)
//!      │ ◀──────────── tree ── subscribers/s {attempt} │
//!   Open (offers)                                      │
//!      │ description, candidates ──── notice ────────▶ │  Apply, Candidate
//!      │ ◀──────────── notice ─ description, candidates│
//!      │ ════════════════════ media ═════════════════▶ │  Flowing
//!      │                                               │  Stalled, Failed: subscribe again, attempt + 1
//! ```
//!
//! The room never reads a description: it numbers connections ([`MediaId`]) and carries blobs. What belongs to an
//! older attempt is dropped. When the participant goes out of reach while its picture still flows, the picture and the
//! seat are kept for a while ([`Flows::grace`]); a link that comes back finds both where they were.
//!
//! **Who is who.** A name is what a participant calls itself until somebody else vouches for it in `members/`. What we
//! were told by the server ourselves outweighs what others tell us, and nobody can vouch for itself.
//!
//! **Invariant:** everyone sees the messages in the same order, and an answer never stands above what it answers.
//!
//! **Invariant:** a pair of publisher and subscriber has at most one media connection, and each is closed once.
//!
//! **Invariant:** nobody but the two ends of a connection can say anything about it.
//!
//! **Limits:** [`Config`]. A resource that is malformed or over its limit is not shown; it does no other harm.
//!
//! Unlike the paper (§3.7) there is no `calls/`: who publishes a stream is on the air, and a second entry that says so
//! could only contradict. `streams/` stands beside the other lists of the conference, not beside all conferences.

mod api;
mod chat;
mod config;
mod people;
pub mod store;
mod streams;
mod write;

use std::collections::VecDeque;

use serde_json::Value;

use node::{Life, Node, Path};
use trust::{Seat, Trust};
use wire::{Map, NodeId, Seed, Set, Sure, Time, Timestamp, UserId, object};

pub use api::{Command, Error, Event, Input, Output, Parting};
pub use node::Reason;

pub use chat::{Line, LineId, What};
pub use config::{Config, Flows, Talk};
pub use people::{Person, Profile};
pub use streams::{Kind, Media, MediaId, Report, Role, StreamId};

use chat::{Chat, Message, Typing};
use people::{Change, Roster, Voucher};
use streams::{Effect, Place, Scene, Streams};
use write::{below, to_json};

/// The lists that we read.
const LISTS: [&str; 4] = ["users", "members", "messages", "streams"];

/// One participant's seat in a conference.
#[derive(Debug)]
pub struct Room {
    bounds: Talk,
    node: Node,
    started: Time,
    clock: Timestamp,
    profile: Profile,
    is_sharing: bool,
    has_left: bool,
    /// Whether an application has asked for anything in the store.
    is_asked: bool,
    roster: Roster,
    chat: Chat,
    typing: Typing,
    published: Map<StreamId, u64>,
    asked: Map<(StreamId, NodeId), u64>,
    streams: Streams,
    outputs: VecDeque<Output>,
}

impl Room {
    /// Takes a seat as the one whose keys `trust` holds, called `name`. `clock` is the calendar time at `now`.
    ///
    /// The camera stream is published at once, before any device is open, so that others can connect early.
    #[must_use]
    pub fn new(
        config: Config,
        now: Time,
        clock: Timestamp,
        trust: Trust,
        name: &str,
        seed: Seed,
    ) -> Self {
        let me = trust.me();
        let name = name.chars().take(config.talk.name_chars_max).collect();
        let profile = Profile { name, microphone: false, camera: false, since: clock };
        let mut room = Self {
            node: Node::new(config.node, now, clock, trust, seed),
            started: now,
            clock,
            profile,
            is_sharing: false,
            has_left: false,
            is_asked: false,
            roster: Roster::new(me, config.talk.people_max),
            chat: Chat::new(config.talk.lines_max),
            typing: Typing::new(config.talk),
            published: Map::new(),
            asked: Map::new(),
            streams: Streams::new(me, config.flows, clock.0),
            outputs: VecDeque::new(),
            bounds: config.talk,
        };
        for list in LISTS {
            let path = list.parse().sure("one word is a path");
            room.command_node(now, node::Command::Subscribe { path });
        }
        room.write_profile(now);
        let camera = StreamId { kind: Kind::Camera, publisher: me };
        room.put(now, &camera.publisher_path(), room.publisher(), Life::Ephemeral);
        room.settle(now);
        room
    }

    /// Takes in what happened.
    ///
    /// # Errors
    ///
    /// See [`Error`]; the room is as it was.
    pub fn handle(&mut self, now: Time, input: Input) -> Result<(), Error> {
        if self.has_left {
            // Links and connections close one by one after us; only the person can be wrong about it.
            return if matches!(input, Input::Do(_) | Input::Store(_)) {
                Err(Error::Left)
            } else {
                Ok(())
            };
        }
        let result = self.dispatch(now, input);
        // Even what was refused may have made the node hang up on a neighbour.
        self.settle(now);
        result
    }

    /// What to do next, until `None`.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`]; `None` when nothing waits for time.
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        if self.has_left {
            return None;
        }
        [self.node.timeout(), self.streams.timeout(), self.typing.timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Our own name in the conference.
    #[must_use]
    pub fn me(&self) -> NodeId {
        self.node.me()
    }

    /// The node below: the network as we know it, and our copy of the tree.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// What it takes to come back as who we are, beside the seed of our keys; `None` while we are not in.
    #[must_use]
    pub fn seat(&mut self) -> Option<Seat> {
        self.node.seat()
    }

    /// Everyone here, ourselves included, in the order in which they came.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.roster.people(
            |node| self.typing.contains(node),
            |node| self.streams.mends(node) || self.node.is_lost(node),
        )
    }

    /// The conversation, oldest line first.
    pub fn lines(&self) -> impl Iterator<Item = Line> {
        self.chat.lines().map(|(id, what)| {
            let mut what = what.clone();
            if let What::Said { name, is_own: false, .. } = &mut what {
                *name = self.roster.name(id.node, name);
            }
            Line { id, what }
        })
    }

    /// The media connection that brings `stream` to us; `None` when there is none.
    #[must_use]
    pub fn incoming(&self, stream: StreamId) -> Option<MediaId> {
        self.streams.incoming(stream)
    }

    /// Whether `stream` reaches us at this moment.
    #[must_use]
    pub fn is_flowing(&self, stream: StreamId) -> bool {
        self.streams.is_flowing(stream)
    }

    /// The screens that others share with us.
    pub fn screens(&self) -> impl Iterator<Item = StreamId> {
        self.streams.watched().filter(|stream| stream.kind == Kind::Screen)
    }

    /// Whether we share our screen.
    #[must_use]
    pub fn is_sharing(&self) -> bool {
        self.is_sharing
    }

    fn dispatch(&mut self, now: Time, input: Input) -> Result<(), Error> {
        let below = match input {
            Input::Timeout => {
                self.typing.on_timeout(now);
                self.streams.on_timeout(now);
                node::Input::Timeout
            }
            Input::Up { link, peer, binding, claim, invite } => {
                node::Input::Up { link, peer, binding, claim, invite }
            }
            Input::Down { link } => node::Input::Down { link },
            Input::Received { link, frame } => node::Input::Received { link, frame },
            Input::Flushed { link } => node::Input::Flushed { link },
            Input::Described { link, description } => node::Input::Described { link, description },
            Input::Undescribed { link } => node::Input::Undescribed { link },
            Input::Media { media, report } => {
                self.streams.on_report(now, media, report);
                return Ok(());
            }
            Input::Do(command) => return self.on_command(now, command),
            Input::Store(command) => {
                self.is_asked = true;
                node::Input::Do(command)
            }
        };
        Ok(self.node.handle(now, below)?)
    }

    fn on_command(&mut self, now: Time, command: Command) -> Result<(), Error> {
        match command {
            Command::Say(text) => return self.say(now, &text),
            Command::Typing(is_typing) => self.tell_typing(now, is_typing),
            Command::PutOut(node) => self.command_node(now, node::Command::PutOut(node)),
            Command::SetMicrophone(is_open) => {
                if self.profile.microphone != is_open {
                    self.profile.microphone = is_open;
                    self.write_profile(now);
                }
            }
            Command::SetCamera(is_on) => {
                if self.profile.camera != is_on {
                    self.profile.camera = is_on;
                    self.write_profile(now);
                }
            }
            Command::StartScreen => {
                self.is_sharing = true;
                self.put(now, &self.screen().publisher_path(), self.publisher(), Life::Ephemeral);
            }
            Command::StopScreen => {
                self.is_sharing = false;
                self.delete(now, &self.screen().publisher_path());
            }
            Command::Leave => self.leave(now),
        }
        Ok(())
    }

    fn say(&mut self, now: Time, text: &str) -> Result<(), Error> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::Empty);
        }
        if text.chars().count() > self.bounds.text_chars_max {
            return Err(Error::Limit("a message has at most 4000 characters"));
        }
        let id = self.chat.stamp(self.calendar(now), self.node.me());
        let message = Message { text: text.to_owned(), from: self.profile.name.clone() };
        // Our own line stands at once; the tree tells it to us again, which changes nothing.
        self.show(id, &message);
        self.put(now, &format!("messages/{}", id.segment()), to_json(&message), Life::Lasting);
        self.tell_typing(now, false);
        Ok(())
    }

    fn tell_typing(&mut self, now: Time, is_typing: bool) {
        if self.typing.tell(now, is_typing) {
            self.notify(now, None, "messages", object([("typing", is_typing.into())]));
        }
    }

    fn vouch(&mut self, now: Time, node: NodeId, user: UserId) {
        self.roster.witness(node, user.clone());
        self.put(now, &format!("members/{node}"), to_json(&Voucher { user }), Life::Lasting);
    }

    /// Takes back what is ours, so that others see an intention and not a loss, and goes.
    fn leave(&mut self, now: Time) {
        let me = self.node.me();
        self.delete(now, &format!("users/{me}"));
        for kind in [Kind::Camera, Kind::Screen] {
            self.delete(now, &StreamId { kind, publisher: me }.publisher_path());
        }
        self.streams.close_all();
        // From here on nothing that is still told makes us subscribe again.
        self.has_left = true;
        self.settle(now);
        self.command_node(now, node::Command::Leave);
        self.settle(now);
    }

    /// Carries everything to its end: what the node tells changes the room, which may tell the node something again.
    fn settle(&mut self, now: Time) {
        loop {
            let mut is_quiet = true;
            while let Some(output) = self.node.poll() {
                is_quiet = false;
                self.on_node(now, output);
            }
            self.refresh(now);
            while let Some(effect) = self.streams.poll() {
                is_quiet = false;
                self.on_effect(now, effect);
            }
            if is_quiet {
                return;
            }
        }
    }

    fn on_node(&mut self, now: Time, output: node::Output) {
        let output = match output {
            node::Output::Send { link, frame } => Output::Send { link, frame },
            node::Output::Flush { link } => Output::Flush { link },
            node::Output::Dial { link, peer } => Output::Dial { link, peer },
            node::Output::Answer { link, peer, offer } => Output::Answer { link, peer, offer },
            node::Output::Apply { link, answer } => Output::Apply { link, answer },
            node::Output::Hang { link } => Output::Hang { link },
            node::Output::Event(event) => return self.on_event(now, event),
        };
        self.outputs.push_back(output);
    }

    fn on_event(&mut self, now: Time, event: node::Event) {
        if self.is_asked {
            self.outputs.push_back(Output::Store(event.clone()));
        }
        match event {
            node::Event::Created { path, value, by }
            | node::Event::Updated { path, value, by, .. } => self.on_written(&path, value, by),
            node::Event::Deleted { path, .. } => self.on_deleted(&path),
            node::Event::Notice { path, data, from } => self.on_notice(now, &path, data, from),
            node::Event::Met { peer, user } => self.vouch(now, peer, user),
            node::Event::Gone(node) => self.typing.forget(node),
            node::Event::Parted { from: peer } => {
                let user = self.roster.user(peer).cloned();
                self.outputs.push_back(Output::Seek { peer, user });
            }
            node::Event::Admitted => self.outputs.push_back(Output::Event(Event::Admitted)),
            node::Event::TurnedAway { by: _, reason } => {
                self.outputs.push_back(Output::Event(Event::TurnedAway(reason)));
            }
            // We subscribe while there is nothing yet. Who is here is told by `users/`. Our paths bear our name, so
            // nothing of ours is refused. A notice about
            // a stream that was not delivered is made good by the next attempt.
            node::Event::Arrived(_)
            | node::Event::Loaded { .. }
            | node::Event::Ready
            | node::Event::Closed
            | node::Event::Frozen(_)
            | node::Event::Refused { .. }
            | node::Event::Undelivered { .. } => {}
        }
    }

    fn on_written(&mut self, path: &Path, value: Value, by: NodeId) {
        let path = path.as_str();
        if let Some(node) = below(path, "users/") {
            // Only the participant itself says who it is.
            if node == by
                && let Ok(profile) = serde_json::from_value::<Profile>(value)
                && profile.name.chars().count() <= self.bounds.name_chars_max
            {
                self.roster.on_profile(node, profile);
            }
        } else if let Some(node) = below(path, "members/") {
            if let Ok(voucher) = serde_json::from_value::<Voucher>(value) {
                self.roster.on_voucher(node, by, voucher.user);
            }
        } else if let Some(line) = LineId::parse(path) {
            if line.node == by
                && let Ok(message) = serde_json::from_value::<Message>(value)
                && message.text.chars().count() <= self.bounds.text_chars_max
            {
                self.show(line, &message);
            }
        } else {
            match Place::parse(path) {
                Some(Place::Publisher(stream)) if stream.publisher == by => {
                    self.publish(stream, value.get("since").and_then(Value::as_u64));
                }
                Some(Place::Subscriber(stream, subscriber))
                    if subscriber == by && stream.publisher == self.node.me() =>
                {
                    if let Some(attempt) = value.get("attempt").and_then(Value::as_u64) {
                        self.asked.insert((stream, subscriber), attempt);
                    }
                }
                // Somebody writes for another, or about streams of others, or where we have no meaning for it.
                Some(_) | None => {}
            }
        }
    }

    fn publish(&mut self, stream: StreamId, since: Option<u64>) {
        let has_room =
            self.published.len() < self.bounds.people_max || self.published.contains_key(&stream);
        let is_new = stream.publisher != self.node.me()
            && has_room
            && self.published.insert(stream, since.unwrap_or_default()).is_none();
        if is_new && stream.kind == Kind::Screen {
            let (node, name) = (stream.publisher, self.name(stream.publisher));
            self.outputs.push_back(Output::Event(Event::ScreenStarted { node, name }));
        }
    }

    fn unpublish(&mut self, stream: StreamId) {
        if self.published.remove(&stream).is_some() && stream.kind == Kind::Screen {
            let (node, name) = (stream.publisher, self.name(stream.publisher));
            self.outputs.push_back(Output::Event(Event::ScreenStopped { node, name }));
        }
    }

    fn on_deleted(&mut self, path: &Path) {
        let path = path.as_str();
        if let Some(node) = below(path, "users/") {
            self.roster.on_profile_gone(node);
        } else if let Some(node) = below(path, "members/") {
            self.roster.on_voucher_gone(node);
        } else if let Some(line) = LineId::parse(path) {
            self.chat.remove(line);
        } else {
            match Place::parse(path) {
                Some(Place::Publisher(stream)) => self.unpublish(stream),
                Some(Place::Subscriber(stream, subscriber)) => {
                    self.asked.remove(&(stream, subscriber));
                }
                None => {}
            }
        }
    }

    fn on_notice(&mut self, now: Time, path: &Path, data: Value, from: NodeId) {
        if path.as_str() == "messages" {
            if let Some(is_typing) = data.get("typing").and_then(Value::as_bool)
                && from != self.node.me()
            {
                self.typing.on_notice(now, from, is_typing);
            }
        } else if let Some(place) = Place::parse(path.as_str()) {
            // The subscription may have come in the same frame.
            self.refresh(now);
            self.streams.on_notice(now, place, from, data);
        }
    }

    /// Shows a message, and tells when it is news.
    fn show(&mut self, id: LineId, message: &Message) {
        let is_own = id.node == self.node.me();
        let (name, text) = (message.from.clone(), message.text.clone());
        let is_new = self.chat.insert(id, What::Said { name, text, is_own });
        if is_new && !is_own {
            self.typing.forget(id.node);
            if id.at >= self.profile.since {
                let name = self.roster.name(id.node, &message.from);
                self.outputs.push_back(Output::Event(Event::Said { name }));
            }
        }
    }

    /// Brings connections and roster in line with the tree.
    fn refresh(&mut self, now: Time) {
        if self.has_left {
            return;
        }
        // Of those who were put out nothing is seen, and nothing is waited for.
        let out: Set<NodeId> = self.node.put_out_nodes().collect();
        let scene = Scene {
            published: self.published.clone(),
            asked: self.asked.clone(),
            present: self.node.nodes().chain(out.iter().copied()).collect(),
        };
        self.streams.on_scene(now, &scene);
        let (streams, present) = (&self.streams, &scene.present);
        let how = |node| match node {
            node if out.contains(&node) => Parting::PutOut,
            node if present.contains(&node) => Parting::Left,
            _ => Parting::Lost,
        };
        let changes = self.roster.refresh(|node| streams.keeps(node), how);
        let calendar = self.calendar(now);
        for change in changes {
            match change {
                Change::Came { node, name } => {
                    self.chat.note(calendar, node, What::Joined { name: name.clone() });
                    self.outputs.push_back(Output::Event(Event::Joined { node, name }));
                }
                Change::Went { node, name, how } => {
                    self.typing.forget(node);
                    self.chat.note(calendar, node, What::Left { name: name.clone(), how });
                    self.outputs.push_back(Output::Event(Event::Left { node, name, how }));
                }
            }
        }
    }

    fn on_effect(&mut self, now: Time, effect: Effect) {
        match effect {
            Effect::Put { path, value } => self.put(now, &path, value, Life::Ephemeral),
            Effect::Delete { path } => self.delete(now, &path),
            Effect::Notify { to, path, data } => self.notify(now, Some(to), &path, data),
            Effect::Media(media) => self.outputs.push_back(Output::Media(media)),
        }
    }

    /// What `node` is called, by the little we know.
    fn name(&self, node: NodeId) -> String {
        let people = self.people();
        let person = people.into_iter().find(|person| person.node == node);
        person.map_or_else(|| self.roster.name(node, "Somebody"), |person| person.name)
    }

    /// What is said of a stream of ours: since when we are here, so that nobody waits for the page that this one was
    /// before it was loaded again.
    fn publisher(&self) -> Value {
        object([("since", self.clock.0.into())])
    }

    fn screen(&self) -> StreamId {
        StreamId { kind: Kind::Screen, publisher: self.node.me() }
    }

    fn calendar(&self, now: Time) -> Timestamp {
        let passed = u64::try_from((now - self.started).as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.clock.0.saturating_add(passed))
    }
}
