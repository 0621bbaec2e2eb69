//! The wrapper: the window around one conference, which owns the invites into it and the channels they open.
//!
//! ```text
//!              ┌─ first call (ours, or one we answered) ─ channel ─┐
//!   wrapper ───┼─ Invite: another call ────────────────── channel ─┼──▶ conference app in the frame
//!              └─ …                                                ┘     add, message, remove
//! ```
//!
//! One value per wrapper window. Calls come and go; what one of them ends with never touches the conference, which is
//! over when the person leaves it or closes the only call before it connected.
//!
//! **Invariant:** whoever is told who we are finds a conference that listens: the door of theirs is not open for long.
//!
//! **Invariant:** a channel is announced to the conference only after the other end has named itself as the node that
//! the invite or the accept named.

mod back;
mod view;
mod words;

use std::collections::VecDeque;
use std::time::Duration;

use call::{Call, Direction, End, Outgoing, State};
use trust::{Bounds, Charter, Claim, Keys, Proof, PublicKeys, Seat};
use wire::invite;
use wire::{Address, ConferenceId, Dice, InviteId, NodeId, Seed, Time, UserId};

use crate::dial::read_address;
use crate::ring;
use back::Search;
pub use back::{Peer, Window};
pub use view::{Action, Calling, Farewell, Form, View};
pub use words::{Effect, Event, Gesture, Plan};

/// How many calls one wrapper keeps. Guess: more than anybody invites into one conference.
const CALLS_MAX: usize = 32;

/// One call and what is shown of it.
#[derive(Clone, Debug)]
struct Entry {
    call: Call,
    since: Time,
    /// When its words change by themselves.
    slow: Option<Time>,
    /// Whether the channel is open, and the other end is yet to hear who we are.
    owes_greeting: bool,
    /// The node at the other end, while the channel is open and it has said so.
    channel: Option<NodeId>,
    /// Whom it brings back without a ring.
    back: Option<NodeId>,
    /// Whether the person has put its region away.
    is_closed: bool,
    /// The sound that was last asked for.
    sound: ring::Sound,
}

/// Where the wrapper stands.
#[derive(Clone, Debug)]
enum Stage {
    /// Waiting to hear who we are.
    Opening(Plan),
    /// Calls, a conference, or both.
    Open { me: UserId, conference: ConferenceId, topic: Option<String> },
    /// Nothing more happens here.
    Over(Farewell),
}

/// One wrapper window.
#[derive(Debug)]
pub struct Wrapper {
    config: call::Config,
    dice: Dice,
    /// Origin and path of this installation.
    base: String,
    /// What our keys are made of.
    seed: Seed,
    keys: PublicKeys,
    node: NodeId,
    stage: Stage,
    calls: Vec<Entry>,
    /// To whom the window that this one was before had channels, as far as they are not back.
    missed: Vec<Peer>,
    /// When to look for them again.
    search: Option<Search>,
    /// Whether a channel was ever open: then there is a conference to keep.
    is_joined: bool,
    /// Whether the conference app in the frame listens.
    is_frame_ready: bool,
    is_server_away: bool,
    form: Option<Form>,
    is_ringback: bool,
    effects: VecDeque<Effect>,
}

impl Wrapper {
    /// A fresh window at `base` (origin and path, no slash at the end), opened for `plan`.
    #[must_use]
    pub fn new(config: call::Config, seed: Seed, base: String, plan: Plan) -> Self {
        let mut dice = Dice::new(seed);
        let seed = dice.seed();
        let keys = Keys::new(seed).public();
        let node = match &plan {
            Plan::Return(window) => window.node,
            Plan::Call { .. } | Plan::Answer(_) | Plan::Nothing => keys.node(),
        };
        let stage = match plan {
            Plan::Nothing => Stage::Over(Farewell::nothing()),
            plan @ (Plan::Call { .. } | Plan::Answer(_) | Plan::Return(_)) => Stage::Opening(plan),
        };
        Self {
            config,
            dice,
            base,
            seed,
            keys,
            node,
            stage,
            calls: Vec::new(),
            missed: Vec::new(),
            search: None,
            is_joined: false,
            is_frame_ready: false,
            is_server_away: false,
            form: None,
            is_ringback: false,
            effects: VecDeque::new(),
        }
    }

    /// Comes back when [`Wrapper::timeout`] said.
    pub fn on_timeout(&mut self, now: Time) {
        for entry in &mut self.calls {
            tell(entry, now, call::Input::Timeout);
            entry.slow = entry.slow.filter(|slow| now < *slow);
        }
        self.look_again(now);
        self.settle(now);
    }

    /// Takes in what the person did.
    pub fn on_gesture(&mut self, now: Time, gesture: Gesture) {
        match gesture {
            Gesture::Ring(id, gesture) => self.on_ring(now, id, gesture),
            Gesture::ToggleInvite if self.form.is_some() => self.close_form(),
            Gesture::ToggleInvite => self.form = Some(Form::default()),
            Gesture::Edit => self.form = self.form.take().map(|_| Form::default()),
            Gesture::Invite { address, here } => self.invite(now, &address, &here),
            Gesture::Leave => self.leave(now, Farewell::left()),
            Gesture::Removed => self.end(now, Farewell::removed()),
        }
        self.settle(now);
    }

    /// Takes in what happened.
    pub fn on_event(&mut self, now: Time, event: Event) {
        match event {
            Event::LoggedIn(account) => self.begin(now, account.email),
            Event::NotLoggedIn => self.fail_to_open(Farewell::logged_out()),
            Event::Elsewhere => self.fail_to_open(Farewell::elsewhere()),
            Event::ServerAway => {
                self.is_server_away = true;
                self.fail_to_open(Farewell::offline());
            }
            Event::ServerBack => {
                self.is_server_away = false;
                self.look_anew(now);
            }
            Event::Letter(letter) if back::is_return(&letter) => self.on_return(now, letter),
            Event::Letter(letter) => {
                self.tell(now, letter.message.id(), call::Input::Received(letter));
            }
            Event::Receipt { invite, from } => {
                self.tell(now, invite, call::Input::Receipt { from });
            }
            Event::Described { invite, description: Some(description) } => {
                self.tell(now, invite, call::Input::Described(description));
            }
            Event::Described { invite, description: None } => {
                self.tell(now, invite, call::Input::Undescribed);
            }
            Event::Posted { invite, result: Ok(count) } => {
                self.tell(now, invite, call::Input::Sent { count });
            }
            Event::Posted { invite, result: Err(unsent) } => {
                self.tell(now, invite, call::Input::Unsent(unsent));
            }
            Event::Opened(invite) => self.on_opened(invite),
            Event::FrameReady => self.is_frame_ready = true,
            Event::Greeted { invite, sender } => self.on_greeted(now, invite, sender),
            Event::Lost(invite) => self.on_lost(now, invite),
            Event::Sought(node, user) => self.on_sought(now, node, user),
            Event::Closing => {
                for entry in &mut self.calls {
                    tell(entry, now, call::Input::Cancel);
                }
            }
        }
        self.settle(now);
    }

    /// What to do next; drain it after each of the above.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to come back, or `None` when nothing is due.
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        let calls = self.calls.iter().flat_map(|entry| [entry.call.timeout(), entry.slow]);
        let search = self.search.map(|search| search.at);
        [calls.flatten().min(), search].into_iter().flatten().min()
    }

    /// What the window looks like.
    #[must_use]
    pub fn view(&self, now: Time) -> View {
        view::view(self, now)
    }

    /// Our node in the conference.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// We know who we are: do what the window was opened for.
    fn begin(&mut self, now: Time, me: UserId) {
        let closed = Stage::Over(Farewell::nothing());
        match std::mem::replace(&mut self.stage, closed) {
            Stage::Opening(Plan::Call { to, topic }) => {
                let claim = Claim { user: Some(me.clone()), proof: Proof::None };
                let charter = Charter {
                    founder: self.keys,
                    claim,
                    founded: crate::calendar(now),
                    bounds: Bounds::default(),
                    nonce: self.dice.bytes(),
                };
                let conference = charter.conference();
                self.stage = Stage::Open { me, conference, topic: topic.clone() };
                let seat = Some(Seat { charter, chain: Vec::new() });
                self.effects.push_back(Effect::Keep { seed: self.seed, seat });
                self.call(now, to, topic);
            }
            Stage::Opening(Plan::Answer(call)) => {
                // An app of another kind may name its conferences otherwise; ours then meets under the invite.
                let conference = call.conference().or_else(|| call.id().to_string().parse().ok());
                let conference = conference.unwrap_or_else(|| ConferenceId::random(&mut self.dice));
                let topic = call.topic().map(str::to_owned);
                self.stage = Stage::Open { me, conference, topic };
                self.effects.push_back(Effect::Keep { seed: self.seed, seat: None });
                self.keep(now, *call);
                if let Some(entry) = self.calls.last_mut() {
                    tell(entry, now, call::Input::Answer { node: self.node });
                }
            }
            Stage::Opening(Plan::Return(window)) if window.me == me => self.go_back(now, window),
            // Somebody else has logged in since: there is no call of theirs here.
            Stage::Opening(Plan::Return(_)) => {}
            other @ (Stage::Opening(Plan::Nothing) | Stage::Open { .. } | Stage::Over(_)) => {
                self.stage = other;
            }
        }
    }

    fn fail_to_open(&mut self, farewell: Farewell) {
        if matches!(self.stage, Stage::Opening(_)) {
            self.stage = Stage::Over(farewell);
        }
    }

    fn call(&mut self, now: Time, to: Address, topic: Option<String>) {
        let Stage::Open { conference, .. } = &self.stage else { return };
        let location = invite::location(&self.base, conference);
        let id = InviteId::random(&mut self.dice);
        let outgoing = Outgoing { id, to, node: self.node, location, topic };
        let call = Call::outgoing(self.config, now, outgoing);
        self.keep(now, call);
    }

    fn keep(&mut self, now: Time, call: Call) {
        self.calls.retain(|entry| !(entry.is_closed && entry.call.is_over()));
        self.calls.push(Entry {
            call,
            since: now,
            slow: Some(now + ring::SLOW),
            owes_greeting: false,
            channel: None,
            back: None,
            is_closed: false,
            sound: ring::Sound::Silence,
        });
    }

    fn close_form(&mut self) {
        self.form = None;
        self.effects.push_back(Effect::FocusFrame);
    }

    /// Why not to invite `user`, of whom it is known whether they are here.
    fn objection(&self, user: &UserId, is_here: bool) -> Option<&'static str> {
        let theirs = || self.calls.iter().filter(|entry| entry.call.peer().user == *user);
        let waits =
            |entry: &Entry| !matches!(entry.call.state(), State::Connected | State::Ended(_));
        if is_here || theirs().any(|entry| entry.channel.is_some()) {
            Some("is in this call already.")
        } else {
            // Who is only looked for does not ring.
            let rings = theirs().any(|entry| entry.back.is_none() && waits(entry));
            rings.then_some("is being called already.")
        }
    }

    fn invite(&mut self, now: Time, typed: &str, here: &[UserId]) {
        let Stage::Open { me, topic, .. } = &self.stage else { return };
        let address = read_address(typed, me);
        // Another device of theirs may be meant; then it is named.
        if let Ok(Address { user, instance: None }) = &address
            && let Some(objection) = self.objection(user, here.contains(user))
        {
            self.form = Some(Form::problem(format!("{user} {objection}")));
            return;
        }
        match address {
            Ok(_) if self.calls.len() >= CALLS_MAX => {
                self.form = Some(Form::problem(
                    "Too many people were invited into this call. Let some leave first.".to_owned(),
                ));
            }
            Ok(to) => {
                let topic = topic.clone();
                self.close_form();
                // What became of others before was read.
                for entry in &mut self.calls {
                    entry.is_closed |= entry.call.is_over();
                }
                self.call(now, to, topic);
            }
            Err(problem) => self.form = Some(Form::problem(problem)),
        }
    }

    fn on_ring(&mut self, now: Time, id: InviteId, gesture: ring::Gesture) {
        let Some(at) = self.calls.iter().position(|entry| entry.call.id() == id) else { return };
        match gesture {
            ring::Gesture::Cancel => {
                tell(&mut self.calls[at], now, call::Input::Cancel);
                self.put_away(now, at, Farewell::cancelled());
            }
            ring::Gesture::TryAgain => {
                let entry = &mut self.calls[at];
                entry.is_closed = true;
                let (to, topic) =
                    (entry.call.peer().clone(), entry.call.topic().map(str::to_owned));
                self.call(now, to, topic);
            }
            ring::Gesture::Close => self.put_away(now, at, Farewell::closed()),
        }
    }

    /// Takes a region away, and the window with it when there is nothing else in it.
    fn put_away(&mut self, now: Time, at: usize, farewell: Farewell) {
        self.calls[at].is_closed = true;
        if !self.is_joined && self.calls.iter().all(|entry| entry.is_closed) {
            self.leave(now, farewell);
        }
    }

    /// Ends everything here, and closes the window.
    fn leave(&mut self, now: Time, farewell: Farewell) {
        self.end(now, farewell);
        self.effects.push_back(Effect::Close);
    }

    /// Ends everything here.
    fn end(&mut self, now: Time, farewell: Farewell) {
        for entry in &mut self.calls {
            tell(entry, now, call::Input::Cancel);
            self.effects.push_back(Effect::Hang(entry.call.id()));
            entry.channel = None;
            entry.is_closed = true;
        }
        self.form = None;
        self.stage = Stage::Over(farewell);
        self.settle(now);
    }

    fn on_opened(&mut self, invite: InviteId) {
        if let Some(entry) = self.calls.iter_mut().find(|entry| entry.call.id() == invite) {
            entry.owes_greeting = true;
        }
    }

    fn on_greeted(&mut self, now: Time, invite: InviteId, sender: NodeId) {
        let Some(at) = self.calls.iter().position(|entry| entry.call.id() == invite) else {
            self.effects.push_back(Effect::Hang(invite));
            return;
        };
        let entry = &self.calls[at];
        let is_new = entry.channel.is_none();
        let is_named = entry.call.peer_node() == Some(sender);
        // Nobody takes the place of another.
        if !(is_new && is_named && self.is_free(sender, &entry.call.peer().user)) {
            self.on_lost(now, invite);
            return;
        }
        let entry = &mut self.calls[at];
        tell(entry, now, call::Input::Connected);
        if entry.call.state() != State::Connected {
            self.effects.push_back(Effect::Hang(invite));
            return;
        }
        let is_known = self.give_up_before(invite, sender);
        let Some(entry) = self.calls.iter_mut().find(|entry| entry.call.id() == invite) else {
            return;
        };
        entry.channel = Some(sender);
        // Who was met by way of others is known to them, and anybody may say to be it until the door is passed.
        let is_ours = is_known || entry.back.is_none();
        let user = is_ours.then(|| entry.call.peer().user.clone());
        let is_invited = is_ours && entry.call.direction() == Direction::Outgoing;
        if !std::mem::replace(&mut self.is_joined, true) {
            // What rang is gone, and with it what had the keyboard.
            self.effects.push_back(Effect::FocusFrame);
        }
        self.effects.push_back(Effect::Add { invite, node: sender, user, is_invited });
    }

    fn on_lost(&mut self, now: Time, invite: InviteId) {
        self.effects.push_back(Effect::Hang(invite));
        let Some(entry) = self.calls.iter_mut().find(|entry| entry.call.id() == invite) else {
            return;
        };
        match entry.channel.take() {
            Some(node) => self.effects.push_back(Effect::Remove(node)),
            None => tell(entry, now, call::Input::Disconnected),
        }
    }

    fn tell(&mut self, now: Time, invite: InviteId, input: call::Input) {
        if let Some(entry) = self.calls.iter_mut().find(|entry| entry.call.id() == invite) {
            tell(entry, now, input);
        }
    }

    /// Does what the calls ask for, and keeps the sounds in step with their words.
    fn settle(&mut self, now: Time) {
        let (mut is_ringback, mut has_failed) = (false, false);
        for entry in &mut self.calls {
            let invite = entry.call.id();
            // The conference at the other end then waits for ours, and not for long.
            if self.is_frame_ready && std::mem::take(&mut entry.owes_greeting) {
                self.effects.push_back(Effect::Greet(invite));
            }
            while let Some(output) = entry.call.poll() {
                self.effects.push_back(match output {
                    call::Output::Describe(what) => Effect::Describe { invite, what },
                    call::Output::Apply { answer } => Effect::Apply { invite, answer },
                    call::Output::Send { to, message } => Effect::Send { to, message },
                    call::Output::Event(call::Event::Ended(end)) => {
                        has_failed |= end == End::Failed;
                        Effect::Hang(invite)
                    }
                    // The view says these.
                    call::Output::Event(
                        call::Event::Ringing { .. }
                        | call::Event::Answered { .. }
                        | call::Event::Connected,
                    ) => continue,
                });
            }
            let shown = ring::view(&entry.call, now - entry.since).filter(|_| !entry.is_closed);
            let sound = shown.map_or(ring::Sound::Silence, |view| view.sound);
            is_ringback |= sound == ring::Sound::Ringback;
            if sound != entry.sound {
                entry.sound = sound;
                if !matches!(sound, ring::Sound::Ringback | ring::Sound::Silence) {
                    self.effects.push_back(Effect::Play(sound));
                }
            }
        }
        if has_failed {
            self.hasten(now);
        }
        if is_ringback != self.is_ringback {
            self.is_ringback = is_ringback;
            self.effects.push_back(Effect::Ringback { on: is_ringback });
        }
    }
}

/// How long `entry` has been going on.
fn age(entry: &Entry, now: Time) -> Duration {
    now - entry.since
}

/// Gives a call an input. What it refuses comes from a stranger, or is late, and changes nothing.
fn tell(entry: &mut Entry, now: Time, input: call::Input) {
    entry.call.handle(now, input).ok();
}
