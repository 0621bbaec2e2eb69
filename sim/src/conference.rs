//! Conferences of real nodes: people who join by invites, talk, crash, sleep, are cut off and come back.
//!
//! The world plays the drivers: it opens the links that nodes ask for, and carries frames between them, in order, as a
//! data channel does. A link across a cut stalls; what was sent arrives when the cut heals in time.
//!
//! **Invariant:** the events of a node, applied one by one, give the view that it reads.
//! **Invariant:** no notice is delivered twice.
//! **Invariant:** after a timeout a node waits for a later one.
//! **Invariant:** how far a node has come with an author never goes back, and is what that author stated.
//! **Invariant:** what passes away with its owner is seen where the owner is held to be present, and nowhere else.

mod act;
mod arrivals;
mod attendance;
mod desk;
mod faults;
mod forgery;
mod heads;
mod hostile;
mod ledger;
mod links;
mod person;
mod quiet;
mod thought;
mod trace;
mod truth;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use mesh::Glance;
use node::{Command, Event, Input, Output, Path};
use serde_json::json;
use trust::Claim;
use wire::{Dice, InviteId, LinkId, NodeId, Seed, Time, Timestamp};

use crate::{Agenda, Net, Story, Weather};

pub use act::{Act, What};
use attendance::Attendance;
use desk::Desk;
pub use faults::Surroundings;
use heads::Heads;
pub use hostile::Trick;
pub use ledger::{Ledger, Tally};
use links::Links;
pub use person::{Person, State};
use thought::Thought;
use trace::Trace;
use truth::Truth;

/// What the calendar says at the beginning of every story.
const BEGINNING: Timestamp = Timestamp(1_800_000_000_000);

/// How long after a crash somebody may still be shown.
const GHOST: Duration = Duration::from_secs(15);

/// The same where somebody who plays false claims that it is there.
const HAUNTED: Duration = Duration::from_secs(60);

/// In a conference of more than that many, some promises are not looked at after each step, for it would take hours.
const LARGE: usize = 64;

/// How often they are looked at then.
const SELDOM: Duration = Duration::from_secs(10);

/// What the calendar says.
fn clock(now: Time) -> Timestamp {
    Timestamp(BEGINNING.0 + now.since_origin().as_millis() as u64)
}

/// How much was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames that are not beats.
    pub frames: u64,
    /// How many of them are to all.
    pub casts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of those bytes are of messages to one, most of them descriptions of new links.
    pub signals: u64,
    /// Beats.
    pub beats: u64,
}

/// A conference.
#[derive(Debug)]
pub struct Conference {
    dice: Dice,
    links: Links,
    people: Vec<Person>,
    shouts: BTreeMap<usize, u64>,
    traffic: Traffic,
    ledger: Ledger,
    /// Whose roster entry nobody may show any more, and from when on.
    ghosts: BTreeMap<Path, Time>,
    /// Who broke a promise that is checked after each step, and which.
    broken: Option<String>,
    config: node::Config,
    surroundings: Surroundings,
    truth: Truth,
    heads: Heads,
    attendance: Attendance,
    trace: Trace,
    /// Whether so much goes wrong that nobody is held to how soon they miss the dead.
    is_rough: bool,
    desk: Desk,
}

impl Conference {
    /// An empty one.
    #[must_use]
    pub fn new(number: u64, weather: Weather) -> Self {
        let mut dice = Dice::new(Seed::story(number));
        let links = Links::new(Net::new(weather, dice.seed()));
        Self {
            dice,
            links,
            people: Vec::new(),
            shouts: BTreeMap::new(),
            traffic: Traffic::default(),
            ledger: Ledger::default(),
            ghosts: BTreeMap::new(),
            broken: None,
            config: node::Config::default(),
            surroundings: Surroundings::default(),
            truth: Truth::default(),
            heads: Heads::default(),
            attendance: Attendance::default(),
            trace: Trace::default(),
            is_rough: false,
            desk: Desk::new(),
        }
    }

    /// Whether whoever goes by that name has played false.
    #[must_use]
    pub fn plays_false(&self, node: NodeId) -> bool {
        self.truth.is_false(node)
    }

    /// Everybody who ever arrived.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// What was sent so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// A number that is equal for stories in which the same happened, to the last bit, and hardly ever for others.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.trace.value()
    }

    /// What became of each cast, since it was last emptied.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Forgets the casts so far, and writes down those that come.
    pub fn open_ledger(&mut self) {
        self.ledger = Ledger::open();
    }

    /// Writes down no more casts.
    pub fn close_ledger(&mut self) {
        self.ledger.close();
    }

    /// Turns the weather for what is sent from now on.
    pub fn turn(&mut self, weather: Weather) {
        self.links.turn(weather);
    }

    /// The links between those who are awake, once each, and how long a frame takes when that is always the same.
    #[must_use]
    pub fn overlay(&self) -> BTreeMap<(usize, usize), Option<Duration>> {
        let is_awake = |who: usize| self.people[who].state == State::Awake;
        let wires = self.links.open_wires();
        wires
            .filter(|(one, other, _)| is_awake(*one) && is_awake(*other))
            .filter(|(one, other, _)| self.links.can_talk(*one, *other))
            .map(|(one, other, latency)| ((one.min(other), one.max(other)), latency))
            .collect()
    }

    /// The path of everybody's roster entry.
    #[must_use]
    pub fn roster(node: NodeId) -> Path {
        format!("users/{node}").parse().expect("a name is a segment")
    }

    fn act(&mut self, act: Act, agenda: &mut Agenda<What>) -> Result<(), String> {
        let now = agenda.now();
        self.note_barred(&act, now);
        match act {
            Act::Join(inviter) => self.join(inviter, 0, agenda)?,
            Act::Stranger(inviter, ahead) => self.join(inviter, ahead, agenda)?,
            Act::Link(one, other) => self.link(one, other, agenda)?,
            Act::Cut(one, other) => {
                for (link, end) in self.links.between(one, other) {
                    self.tell(one, Input::Down { link }, agenda)?;
                    self.links.hang(one, link, end, agenda);
                }
            }
            Act::Do(who, command) => {
                // A refused write is part of the story.
                self.try_tell(who, Input::Do(command), agenda)?.ok();
            }
            Act::Shout(who) => self.notify(who, None, agenda)?,
            Act::Whisper(who, to) => {
                let to = self.people[to].node.me();
                self.notify(who, Some(to), agenda)?;
            }
            Act::Crash(who) => self.crash(who, agenda),
            Act::Sleep(who) => self.people[who].state = State::Asleep,
            Act::Doze(who) => {
                self.people[who].state = State::Asleep;
                self.people[who].dozed = Some(now);
            }
            Act::Wake(who) => self.wake(who, agenda)?,
            Act::Leave(who) => {
                self.tell(who, Input::Do(Command::Leave), agenda)?;
                self.people[who].state = State::Left;
            }
            Act::Reload(who) => self.reload(who, agenda)?,
            Act::Split(groups) => {
                self.attendance.restart();
                self.links.split(&groups);
            }
            Act::Heal => {
                self.attendance.restart();
                self.links.heal(agenda);
            }
            Act::HalfOpen(one, other) => self.links.deafen(one, other),
            Act::Clog(one, other) => self.links.clog(one, other),
            Act::Unclog(one, other) => self.links.unclog(one, other, agenda),
            Act::Jump(who, by) => self.jump(who, by, agenda)?,
            Act::Turn(who, trick) => self.turn_false(who, trick),
            Act::Sybil(who) => {
                self.join(Some(who), 0, agenda)?;
                self.turn_false(self.people.len() - 1, Trick::Equivocate);
            }
            Act::Twin(who, inviter) => self.double(who, inviter, agenda)?,
            Act::Rubbish(who) => {
                for (wire, end) in self.links.of(who) {
                    agenda.push(now, What::Arrives { wire, end: 1 - end, frame: vec![0xff; 9] });
                }
            }
        }
        Ok(())
    }

    fn crash(&mut self, who: usize, agenda: &mut Agenda<What>) {
        let now = agenda.now();
        self.people[who].state = State::Crashed(now);
        let name = self.people[who].node.me();
        // Of one who is there twice, the other may live on.
        let lives = |person: &Person| {
            person.node.me() == name && matches!(person.state, State::Awake | State::Asleep)
        };
        if self.is_rough || self.people.iter().any(lives) {
            return;
        }
        let roster = Self::roster(name);
        let is_haunted = (0..self.people.len()).any(|who| self.keeps_links(who));
        let until = now + if is_haunted { HAUNTED } else { GHOST };
        self.ghosts.insert(roster.clone(), until);
        agenda.push(until, What::Audit(roster));
    }

    fn notify(
        &mut self,
        who: usize,
        to: Option<NodeId>,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        let number = self.shouts.entry(who).or_default();
        *number += 1;
        let data = json!({ "number": *number });
        let path = "shout".parse().expect("one word is a path");
        self.tell(who, Input::Do(Command::Notify { path, data, to }), agenda)
    }

    fn link(&mut self, one: usize, other: usize, agenda: &mut Agenda<What>) -> Result<(), String> {
        let (a, b) = (self.people[one].number_link(), self.people[other].number_link());
        self.open([(one, a), (other, b)], true, agenda)
    }

    fn open(
        &mut self,
        ends: [(usize, LinkId); 2],
        by_invite: bool,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        let invite = |who: usize| by_invite.then_some(InviteId(who as u64));
        let awake = ends.iter().all(|(who, _)| self.people[*who].state == State::Awake);
        let nats = ends.map(|(who, _)| self.people[who].nat);
        if !awake
            || !self.links.can_talk(ends[0].0, ends[1].0)
            || !by_invite && !self.surroundings.lets_meet(nats)
        {
            return Ok(());
        }
        let wire = self.links.open(ends);
        self.attendance.meet();
        for ((who, link), (other, _)) in [(ends[0], ends[1]), (ends[1], ends[0])] {
            let peer = self.people[other].node.me();
            // A link that took too long is hung up by whoever gave up waiting.
            let binding = wire.to_le_bytes().to_vec();
            let up =
                Input::Up { link, peer, binding, claim: Claim::default(), invite: invite(other) };
            self.try_tell(who, up, agenda)?.ok();
        }
        Ok(())
    }

    fn tell(&mut self, who: usize, input: Input, agenda: &mut Agenda<What>) -> Result<(), String> {
        let told = input.clone();
        self.try_tell(who, input, agenda)?
            .map_err(|error| format!("{who} refuses {told:?}: {error}"))
    }

    /// Lets one node take an input in, and does what it asks. The inner error is the node's, the outer a broken
    /// promise.
    fn try_tell(
        &mut self,
        who: usize,
        input: Input,
        agenda: &mut Agenda<What>,
    ) -> Result<Result<(), node::Error>, String> {
        if self.people[who].state != State::Awake {
            return Ok(Ok(()));
        }
        let watch = self.people[who].watch;
        let now = watch.shows(agenda.now());
        let is_timeout = input == Input::Timeout;
        let author = self.author_of(who, &input);
        let person = &mut self.people[who];
        let Thought { result, outputs, timeout } = match person.thought.take() {
            Some((at, thought)) if at == agenda.now() => thought,
            Some((at, _)) => return Err(format!("{who} thought of what was to happen at {at:?}")),
            None => Thought::of(&mut person.node, now, input),
        };
        for output in outputs {
            self.carry_out(who, output, agenda)?;
        }
        if is_timeout && timeout.is_some_and(|at| at <= now) {
            return Err(format!("{who} wants to be woken at {timeout:?}, which is not later"));
        }
        if let Some(at) = self.people[who].arm(timeout.map(|at| watch.when(at))) {
            agenda.push(at, What::Wakes(who));
        }
        self.look_at_heads(who, author, agenda.now())?;
        Ok(result)
    }

    /// Whose word `who` takes in, if it is that of one alone.
    fn author_of(&self, who: usize, input: &Input) -> Option<NodeId> {
        if let Input::Received { frame, .. } = input
            && let Glance::Cast { author, .. } = mesh::glance(frame)
        {
            return Some(author);
        }
        matches!(input, Input::Do(_)).then(|| self.people[who].node.me())
    }

    fn carry_out(
        &mut self,
        who: usize,
        output: Output,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        let soon = agenda.now() + Duration::from_millis(20 + self.dice.below(100));
        match output {
            Output::Send { link, frame } => {
                let kind = mesh::glance(&frame);
                if kind == Glance::Beat {
                    self.traffic.beats += 1;
                } else {
                    self.traffic.frames += 1;
                    self.traffic.bytes += frame.len() as u64;
                }
                if kind == Glance::Unicast {
                    self.traffic.signals += frame.len() as u64;
                }
                if let Glance::Cast { author, seq, hops } = kind {
                    self.traffic.casts += 1;
                    if hops == 1 && author == self.people[who].node.me() {
                        self.ledger.sent(author, seq, agenda.now());
                    }
                }
                self.send(who, link, frame, agenda)?;
            }
            Output::Flush { link } => {
                let reader = self.links.reader(who, link);
                let reads = reader.is_some_and(|who| self.people[who].state == State::Awake);
                let reads = reads || self.keeps_links(who);
                self.links.flush(who, link, reads, agenda);
            }
            Output::Dial { link, .. } => {
                // As long as a page's, shortened, with two candidates.
                let description = format!("{who} {} {:210}", link.0, "");
                agenda.push(soon, What::Described { who, link, description });
            }
            Output::Answer { link, offer, .. } => {
                let offer = offer.trim_end();
                let description = format!("{who} {} {offer} {:190}", link.0, "");
                agenda.push(soon, What::Described { who, link, description });
            }
            Output::Apply { answer, .. } => {
                let words: Vec<u64> = answer.split(' ').filter_map(|n| n.parse().ok()).collect();
                // An answer that somebody has garbled opens nothing.
                let [answerer, theirs, dialler, ours] = words[..] else { return Ok(()) };
                if dialler != who as u64 || answerer >= self.people.len() as u64 {
                    return Ok(());
                }
                let ends = [(dialler as usize, LinkId(ours)), (answerer as usize, LinkId(theirs))];
                agenda.push(soon, What::Opens(ends));
            }
            Output::Hang { link } => {
                if let Some(end) = self.links.end_of(who, link) {
                    self.links.hang(who, link, end, agenda);
                }
            }
            Output::Event(event) => self.on_event(who, event, agenda)?,
        }
        Ok(())
    }

    fn on_event(
        &mut self,
        who: usize,
        event: Event,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        let now = agenda.now();
        if let Event::Notice { data, from, .. } = &event {
            return self.people[who].hear(*from, data["number"].as_u64().unwrap_or(0));
        }
        if let Event::Parted { from } = event {
            // A push, a person or a page that answers, and a connection.
            let takes = Duration::from_millis(500 + self.dice.below(3_000));
            agenda.push(now + takes, What::Reunites(who, from));
            return Ok(());
        }
        if let Event::Created { path, .. } = &event
            && !self.people[who].is_false()
            && self.ghosts.get(path).is_some_and(|at| now > *at)
        {
            self.broken = Some(format!("{who} shows {path} of one who crashed long ago"));
        }
        if !self.people[who].is_false() {
            self.note_frozen(&event, now)?;
        }
        self.truth.hear(self.people[who].node.me(), &event)?;
        self.people[who].learn(event, now)
    }

    fn arrive(
        &mut self,
        wire: u64,
        end: usize,
        frame: Vec<u8>,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        let Some((who, link)) = self.links.arrive(wire, end) else { return Ok(()) };
        if self.links.is_deaf(wire, end) {
            return Ok(());
        }
        match self.people[who].state {
            State::Awake => {}
            State::Asleep => {
                self.people[who].wait(end, wire, frame);
                return Ok(());
            }
            State::Crashed(_) | State::Left => return Ok(()),
        }
        let person = &mut self.people[who];
        if let Some(liar) = &mut person.liar {
            if let Some(answer) = liar.swallow(person.node.me(), &frame, &mut self.dice) {
                self.links.send(who, link, answer, agenda).ok();
                return Ok(());
            }
            liar.hear(person.node.me(), &frame);
        }
        if let Glance::Cast { author, seq, hops } = mesh::glance(&frame) {
            self.ledger.came(author, seq, who, hops, agenda.now());
        }
        // Rubbish is refused; anything else that is refused shows when views differ.
        self.try_tell(who, Input::Received { link, frame }, agenda)?.ok();
        Ok(())
    }
}

impl Conference {
    /// Checks that nobody who is awake and plays fair shows a resource of somebody who crashed long ago. Whoever plays
    /// false is hung up by the others, and hears late what it hears.
    fn audit(&self, path: &Path) -> Result<(), String> {
        let mut honest = self.honest().into_iter();
        let shows = honest.find(|who| self.people[*who].node.get(path).is_some());
        shows.map_or(Ok(()), |who| Err(format!("{who} still shows {path} of a crash")))
    }
}

impl Story for Conference {
    type What = What;

    fn happen(&mut self, what: What, agenda: &mut Agenda<What>) -> Result<(), String> {
        self.trace.add(agenda.now(), &what);
        self.look_at_attendance(agenda.now())?;
        match what {
            What::Act(act) => self.act(act, agenda),
            What::Wakes(who) => {
                if self.people[who].is_due(agenda.now()) {
                    self.tell(who, Input::Timeout, agenda)?;
                }
                Ok(())
            }
            What::Arrives { wire, end, frame } => self.arrive(wire, end, frame, agenda),
            What::Described { who, link, description } => {
                // The node may have given up meanwhile.
                self.try_tell(who, Input::Described { link, description }, agenda)?.ok();
                Ok(())
            }
            What::Flushed { who, link } => {
                self.links.flushed(who, link);
                self.try_tell(who, Input::Flushed { link }, agenda)?.ok();
                Ok(())
            }
            What::Audit(path) => self.audit(&path),
            What::Reunites(who, node) => {
                let other = self.people.iter().position(|person| person.node.me() == node);
                other.map_or(Ok(()), |other| self.link(who, other, agenda))
            }
            What::Opens(ends) => self.open(ends, false, agenda),
            What::Haunts(who) => self.haunt(who, agenda),
            What::Closes { wire, end } => {
                let end_of = self.links.arrive(wire, end);
                if end_of.is_some_and(|(who, _)| self.keeps_links(who)) {
                    return Ok(());
                }
                if let Some((who, link)) = self.links.close(wire, end) {
                    self.try_tell(who, Input::Down { link }, agenda)?.ok();
                }
                Ok(())
            }
        }
    }

    fn place(&self, what: &What) -> Option<usize> {
        self.thinker(what)
    }

    /// No message is quicker. In a small conference, or on one core, nothing is won by looking ahead.
    fn lag(&self) -> Duration {
        let is_worth_it = self.people.len() > LARGE && rayon::current_num_threads() > 1;
        if is_worth_it { self.links.lag() } else { Duration::ZERO }
    }

    fn foresee(&mut self, due: &[(Time, &What)]) {
        self.think_ahead(due);
    }

    fn check(&self, _: Time) -> Result<(), String> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}
