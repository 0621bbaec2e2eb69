//! A call is taken up again, with nobody rung: by a window that was loaded anew, and by one whose conference has lost
//! somebody.
//!
//! ```text
//!   window, loaded anew or cut off                  the other end, in the call
//!     INVITE, again=<the other node> ─────────────▶   it is that node, in that conference: answers by itself
//!     ◀──────────────────────────────────── ACCEPT   the old channel is given up
//! ```
//!
//! That also brings together two who never called each other: whoever let them in may have left since. A conference and
//! its nodes are named to nobody but who was invited, and the door of the conference asks everybody for proof.
//!
//! Both ends of a broken channel may ask at once; then the invite of the lower node counts. It may have come to a page
//! that was still loading, so it is posted anew when that is heard of.

use std::time::Duration;

use call::{Call, Direction, Outgoing, State};
use wire::invite::{self, Letter, Message};
use wire::{Address, ConferenceId, InviteId, NodeId, Time, UserId};

use super::{CALLS_MAX, Effect, Entry, Plan, Stage, Wrapper, tell};

/// How long after a window was loaded again it looks anew for those whom it has not found; twice as long after that, and so
/// on. Guess: a page that is loaded again, too, is there.
const AGAIN: Duration = Duration::from_secs(3);
/// With pauses longer than that nobody is looked for any more. Guess: whoever has not been back for a quarter of an hour
/// has gone.
const AGAIN_MAX: Duration = Duration::from_secs(400);
/// How long after a try that failed on the way.
const SOON: Duration = Duration::from_secs(1);

/// Somebody to whom there is a channel, or is to be one again: the device, or the user, and who that is in the conference.
pub type Peer = (Address, NodeId);

/// What a window needs to know of the one that it was before it was loaded again. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Who we are to the server.
    pub me: UserId,
    /// Who we are in the conference.
    pub node: NodeId,
    /// Which conference.
    pub conference: ConferenceId,
    /// What it is about.
    pub topic: Option<String>,
    /// To whom there were channels, and who else was there.
    pub peers: Vec<Peer>,
}

impl Window {
    /// As it is kept: a line for each part, and for each peer.
    #[must_use]
    pub fn to_text(&self) -> String {
        let topic = self.topic.as_deref().unwrap_or_default().replace('\n', " ");
        let mut text = format!("{}\n{}\n{}\n{topic}", self.me, self.node, self.conference);
        for (device, node) in &self.peers {
            text.push_str(&format!("\n{device} {node}"));
        }
        text
    }

    /// Reads what was kept; `None` when that is not what it is.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let me = lines.next()?.parse().ok()?;
        let node = lines.next()?.parse().ok()?;
        let conference = lines.next()?.parse().ok()?;
        let topic = Some(lines.next()?.to_owned()).filter(|topic| !topic.is_empty());
        let mut peers: Vec<Peer> = Vec::new();
        for (device, node) in lines.filter_map(peer) {
            // Whoever there was a channel to is known to be in the conference too.
            if peers.iter().all(|(_, known)| *known != node) {
                peers.push((device, node));
            }
        }
        Some(Self { me, node, conference, topic, peers })
    }
}

fn peer(line: &str) -> Option<Peer> {
    let (device, node) = line.rsplit_once(' ')?;
    Some((device.parse().ok()?, node.parse().ok()?))
}

/// Whether a letter is from somebody who comes back, rather than calls.
pub(super) fn is_return(letter: &Letter) -> bool {
    matches!(&letter.message, Message::Invite(invite) if invite::again(&invite.location).is_some())
}

/// When those whom we miss are looked for, and how long until that is done again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    pub(super) at: Time,
    pause: Duration,
}

impl Wrapper {
    /// What to keep in case that this window is loaded again; `None` when there is nothing to come back to.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        if let Stage::Opening(Plan::Return(window)) = &self.stage {
            return Some(window.clone());
        }
        let Stage::Open { me, conference, topic } = &self.stage else { return None };
        let (me, conference, topic) = (me.clone(), conference.clone(), topic.clone());
        let peers = self.peers().collect();
        let window = Window { me, node: self.node, conference, topic, peers };
        (self.is_joined && !window.peers.is_empty()).then_some(window)
    }

    /// Everybody to whom there was a channel, whether or not there still is, or is about to be: nobody can tell who went
    /// from who is loaded again.
    fn peers(&self) -> impl Iterator<Item = Peer> {
        self.missed.iter().cloned().chain(self.calls.iter().filter_map(peer_of))
    }

    /// The device that `node` was at when we met it.
    fn device_of(&self, node: NodeId) -> Option<Address> {
        self.peers().find(|(_, known)| *known == node).map(|(device, _)| device)
    }

    /// Whether `user` may be `node`: we have met nobody else by that name.
    pub(super) fn is_free(&self, node: NodeId, user: &UserId) -> bool {
        self.device_of(node).is_none_or(|device| device.user == *user)
    }

    /// Takes up the calls of the window that this one was before.
    pub(super) fn go_back(&mut self, now: Time, window: Window) {
        let Window { me, conference, topic, peers, .. } = window;
        self.stage = Stage::Open { me, conference, topic };
        self.is_joined = true;
        self.missed = peers;
        self.look_anew(now);
    }

    /// Looks for those whom the window before this one knew and who are not back: it was just loaded again, or letters
    /// arrive again.
    pub(super) fn look_anew(&mut self, now: Time) {
        self.search = Some(Search { at: now, pause: AGAIN });
        self.look_again(now);
    }

    /// The same when it is due. They may have been loaded again, too, and then nobody else looks.
    pub(super) fn look_again(&mut self, now: Time) {
        let Some(Search { pause, .. }) = self.search.filter(|search| search.at <= now) else {
            return;
        };
        let next = Search { at: now + pause, pause: pause * 2 };
        self.search = Some(next).filter(|_| pause <= AGAIN_MAX && !self.missed.is_empty());
        for at in 0..self.missed.len() {
            let node = self.missed[at].1;
            match self.calls.iter_mut().find(|entry| is_coming(entry, node)) {
                // It may not have been heard.
                Some(coming) => tell(coming, now, call::Input::Repeat),
                None => self.on_sought(now, node, None),
            }
        }
    }

    /// A try has failed on the way: the next is soon.
    pub(super) fn hasten(&mut self, now: Time) {
        if let Some(search) = &mut self.search {
            search.at = search.at.min(now + SOON);
        }
    }

    /// No message reaches `node`, who is `user`: takes up the call with it again, or calls it if there was none.
    pub(super) fn on_sought(&mut self, now: Time, node: NodeId, user: Option<UserId>) {
        let is_asked = self.calls.iter().any(|entry| is_coming(entry, node));
        let to = self.device_of(node).or(user.map(|user| Address { user, instance: None }));
        if let Some(to) = to.filter(|_| !is_asked && self.calls.len() < CALLS_MAX) {
            self.take_up(now, to, node);
        }
    }

    /// Asks somebody to come back.
    fn take_up(&mut self, now: Time, to: Address, node: NodeId) {
        let Stage::Open { conference, topic, .. } = &self.stage else { return };
        let location = invite::location(&self.base, conference);
        let location = invite::location_again(&location, node);
        let topic = topic.clone();
        let id = InviteId::random(&mut self.dice);
        let outgoing = Outgoing { id, to, node: self.node, location, topic };
        self.keep(now, Call::outgoing(self.config, now, outgoing));
        self.mark_last(node);
    }

    /// The call `invite` has brought `node` back: those before it are over. Whether there were any.
    pub(super) fn give_up_before(&mut self, invite: InviteId, node: NodeId) -> bool {
        let count = |wrapper: &Self| wrapper.calls.len() + wrapper.missed.len();
        let before = count(self);
        let is_before = |entry: &Entry| is_with(entry, node) && entry.call.id() != invite;
        for entry in self.calls.iter().filter(|entry| is_before(entry)) {
            if entry.channel.is_some() {
                self.effects.push_back(Effect::Remove(node));
                self.effects.push_back(Effect::Hang(entry.call.id()));
            }
        }
        self.calls.retain(|entry| !is_before(entry));
        self.missed.retain(|(_, missed)| *missed != node);
        count(self) < before
    }

    /// Somebody looks for us in a conference that we are in: the person has answered once, and need not again.
    pub(super) fn on_return(&mut self, now: Time, letter: Letter) {
        let Letter { from, to, message } = letter;
        let is_sound = message.check().is_ok();
        let Message::Invite(invite) = message else { return };
        let Stage::Open { conference, .. } = &self.stage else { return };
        let is_for_us = invite::again(&invite.location) == Some(self.node)
            && invite.conference().as_ref() == Some(conference);
        let they = invite.node;
        let known = self.device_of(they);
        // Half of the places are for those whom we know.
        let places = if known.is_some() { CALLS_MAX } else { CALLS_MAX / 2 };
        // And nobody takes the place of another.
        let is_theirs = known.as_ref().is_none_or(|device| device.user == from.user);
        let is_new = self.calls.iter().all(|entry| entry.call.id() != invite.id);
        let is_joined = self.is_joined || known.is_some();
        if !(is_sound && is_for_us && is_theirs && is_new && is_joined && self.calls.len() < places)
        {
            return;
        }
        if let Some(coming) = self.calls.iter_mut().find(|entry| is_coming(entry, they)) {
            if coming.call.direction() == Direction::Outgoing && self.node < they {
                tell(coming, now, call::Input::Repeat);
                return;
            }
            tell(coming, now, call::Input::Cancel);
        }
        for entry in self.calls.iter_mut().filter(|entry| entry.call.peer_node() == Some(they)) {
            if let Some(node) = entry.channel.take() {
                self.effects.push_back(Effect::Remove(node));
                self.effects.push_back(Effect::Hang(entry.call.id()));
            }
            entry.is_closed = true;
        }
        self.keep(now, Call::incoming(self.config, now, from, to, invite));
        self.mark_last(they);
        let node = self.node;
        if let Some(entry) = self.calls.last_mut() {
            tell(entry, now, call::Input::Answer { node });
        }
    }

    /// The last call brings `node` back. Nothing is shown of it.
    fn mark_last(&mut self, node: NodeId) {
        if let Some(entry) = self.calls.last_mut() {
            entry.back = Some(node);
            entry.is_closed = true;
        }
    }
}

/// Who is at the other end of a call that was answered.
fn peer_of(entry: &Entry) -> Option<Peer> {
    let call = &entry.call;
    call.node()?;
    Some((call.peer_device()?.clone(), call.peer_node()?))
}

/// Whether a call was connected to `node` once; whether it still is, its channel tells.
fn is_with(entry: &Entry, node: NodeId) -> bool {
    entry.call.peer_node() == Some(node) && entry.call.state() == State::Connected
}

/// Whether a call is about to bring `node` back.
fn is_coming(entry: &Entry, node: NodeId) -> bool {
    entry.back == Some(node) && !entry.call.is_over() && entry.call.state() != State::Connected
}
