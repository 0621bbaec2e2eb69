//! A call is taken up again, with nobody rung: by a window that was loaded anew, and by one whose channel broke.
//!
//! ```text
//!   window, loaded anew or cut off                  the other end, in the call
//!     INVITE, again=<the invite before> ──────────▶   the same user, the same node: answers by itself
//!     ◀──────────────────────────────────── ACCEPT   the old channel is given up
//! ```
//!
//! Both ends of a broken channel may ask at once; then the invite of the lower node counts.

use call::{Call, Outgoing, State};
use wire::invite::{self, Letter, Message};
use wire::{Address, ConferenceId, InviteId, NodeId, Time, UserId};

use super::{CALLS_MAX, Effect, Entry, Plan, Stage, Wrapper, tell};

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
    /// To whom there were channels: the device, by which invite, and who that is in the conference.
    pub peers: Vec<(Address, InviteId, NodeId)>,
}

impl Window {
    /// As it is kept: a line for each part, and for each peer.
    #[must_use]
    pub fn to_text(&self) -> String {
        let topic = self.topic.as_deref().unwrap_or_default().replace('\n', " ");
        let mut text = format!("{}\n{}\n{}\n{topic}", self.me, self.node, self.conference);
        for (device, invite, node) in &self.peers {
            text.push_str(&format!("\n{device} {invite} {node}"));
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
        let peers = lines.map(peer).collect::<Option<_>>()?;
        Some(Self { me, node, conference, topic, peers })
    }
}

fn peer(line: &str) -> Option<(Address, InviteId, NodeId)> {
    let mut words = line.split(' ');
    let device = words.next()?.parse().ok()?;
    let invite = words.next()?.parse().ok()?;
    Some((device, invite, words.next()?.parse().ok()?))
}

/// Whether a letter is from somebody who comes back, rather than calls.
pub(super) fn is_return(letter: &Letter) -> bool {
    matches!(&letter.message, Message::Invite(invite) if invite::again(&invite.location).is_some())
}

impl Wrapper {
    /// What to keep in case that this window is loaded again; `None` when there is nothing to come back to.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        if let Stage::Opening(Plan::Return(window)) = &self.stage {
            return Some(window.clone());
        }
        let Stage::Open { me, conference, topic } = &self.stage else { return None };
        let open = self.calls.iter().filter_map(|entry| {
            let device = entry.call.peer_device()?.clone();
            Some((device, entry.call.id(), entry.channel?))
        });
        let (me, conference, topic) = (me.clone(), conference.clone(), topic.clone());
        let window = Window { me, node: self.node, conference, topic, peers: open.collect() };
        (self.is_joined && !window.peers.is_empty()).then_some(window)
    }

    /// Takes up the calls of the window that this one was before.
    pub(super) fn go_back(&mut self, now: Time, window: Window) {
        let Window { me, conference, topic, peers, .. } = window;
        self.stage = Stage::Open { me, conference, topic };
        self.is_joined = true;
        for (to, before, node) in peers.into_iter().take(CALLS_MAX) {
            self.take_up(now, to, before, node);
        }
    }

    /// No message reaches `node`: takes up the call with it again, if there was one.
    pub(super) fn on_sought(&mut self, now: Time, node: NodeId) {
        let is_asked = self.calls.iter().any(|entry| is_coming(entry, node));
        let before = self.calls.iter().rev().find(|entry| is_with(entry, node));
        let Some(entry) = before.filter(|_| !is_asked && self.calls.len() < CALLS_MAX) else {
            return;
        };
        if let Some(to) = entry.call.peer_device().cloned() {
            self.take_up(now, to, entry.call.id(), node);
        }
    }

    /// Asks `to`, who was `node` in the call `before`, to come back.
    fn take_up(&mut self, now: Time, to: Address, before: InviteId, node: NodeId) {
        let Stage::Open { conference, topic, .. } = &self.stage else { return };
        let location = invite::location(&self.base, conference);
        let location = invite::location_again(&location, before);
        let topic = topic.clone();
        let id = InviteId::random(&mut self.dice);
        let outgoing = Outgoing { id, to, node: self.node, location, topic };
        self.keep(now, Call::outgoing(self.config.clone(), now, outgoing));
        self.mark_last(node);
    }

    /// The call `invite` has brought `node` back: those before it are over.
    pub(super) fn give_up_before(&mut self, invite: InviteId, node: NodeId) {
        let is_before = |entry: &Entry| is_with(entry, node) && entry.call.id() != invite;
        for entry in self.calls.iter().filter(|entry| is_before(entry)) {
            if entry.channel.is_some() {
                self.effects.push_back(Effect::Remove(node));
                self.effects.push_back(Effect::Hang(entry.call.id()));
            }
        }
        self.calls.retain(|entry| !is_before(entry));
    }

    /// Somebody comes back to whom we had a channel: the person has answered once, and need not again.
    pub(super) fn on_return(&mut self, now: Time, letter: Letter) {
        let Letter { from, to, message } = letter;
        let is_sound = message.check().is_ok() && self.calls.len() < CALLS_MAX;
        let Message::Invite(invite) = message else { return };
        let before = invite::again(&invite.location);
        let is_known = |entry: &&mut Entry| {
            Some(entry.call.id()) == before
                && entry.call.peer().user == from.user
                && entry.call.peer_node() == Some(invite.node)
        };
        let is_new = self.calls.iter().all(|entry| entry.call.id() != invite.id);
        let ours = self.calls.iter().position(|entry| is_coming(entry, invite.node));
        // They hear of our invite too, and of the two that of the lower node counts.
        if ours.is_some() && self.node < invite.node {
            return;
        }
        let Some(entry) = self.calls.iter_mut().find(is_known).filter(|_| is_sound && is_new)
        else {
            return;
        };
        if let Some(node) = entry.channel.take() {
            self.effects.push_back(Effect::Remove(node));
            self.effects.push_back(Effect::Hang(entry.call.id()));
        }
        entry.is_closed = true;
        if let Some(at) = ours {
            tell(&mut self.calls[at], now, call::Input::Cancel);
        }
        let (node, they) = (self.node, invite.node);
        let call = Call::incoming(self.config.clone(), now, from, to, invite);
        self.keep(now, call);
        self.mark_last(they);
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

/// Whether a call was connected to `node` once; whether it still is, its channel tells.
fn is_with(entry: &Entry, node: NodeId) -> bool {
    entry.call.peer_node() == Some(node) && entry.call.state() == State::Connected
}

/// Whether a call is about to bring `node` back.
fn is_coming(entry: &Entry, node: NodeId) -> bool {
    entry.back == Some(node) && !entry.call.is_over() && entry.call.state() != State::Connected
}
