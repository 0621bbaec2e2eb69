//! A window that is loaded again takes up its calls: the person need not call anew, and is who they were.
//!
//! ```text
//!   window, loaded again                            the other end, in the call
//!     INVITE, again=<the invite before> ──────────▶   the same user, the same node: answers by itself
//!     ◀──────────────────────────────────── ACCEPT   the old channel is given up
//! ```

use call::{Call, Outgoing};
use wire::invite::{self, Letter, Message};
use wire::{Address, ConferenceId, InviteId, NodeId, Time, UserId};

use super::{CALLS_MAX, Effect, Stage, Wrapper, tell};

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
        let location = invite::location(&self.base, &conference);
        self.stage = Stage::Open { me, conference, topic: topic.clone() };
        self.is_joined = true;
        for (to, before, _) in peers.into_iter().take(CALLS_MAX) {
            let id = InviteId::random(&mut self.dice);
            let location = invite::location_again(&location, before);
            let outgoing = Outgoing { id, to, node: self.node, location, topic: topic.clone() };
            self.keep(now, Call::outgoing(self.config.clone(), now, outgoing));
            self.hide_last();
        }
    }

    /// Somebody comes back to whom we had a channel: the person has answered once, and need not again.
    pub(super) fn on_return(&mut self, now: Time, letter: Letter) {
        let Letter { from, to, message } = letter;
        let is_sound = message.check().is_ok() && self.calls.len() < CALLS_MAX;
        let Message::Invite(invite) = message else { return };
        let before = invite::again(&invite.location);
        let is_known = |entry: &&mut super::Entry| {
            Some(entry.call.id()) == before
                && entry.call.peer().user == from.user
                && entry.call.peer_node() == Some(invite.node)
        };
        let is_new = self.calls.iter().all(|entry| entry.call.id() != invite.id);
        let Some(entry) = self.calls.iter_mut().find(is_known).filter(|_| is_sound && is_new)
        else {
            return;
        };
        if let Some(node) = entry.channel.take() {
            self.effects.push_back(Effect::Remove(node));
            self.effects.push_back(Effect::Hang(entry.call.id()));
        }
        entry.is_closed = true;
        let call = Call::incoming(self.config.clone(), now, from, to, invite);
        self.keep(now, call);
        self.hide_last();
        let node = self.node;
        if let Some(entry) = self.calls.last_mut() {
            tell(entry, now, call::Input::Answer { node });
        }
    }

    /// Nothing is shown of a call that is taken up again.
    fn hide_last(&mut self) {
        if let Some(entry) = self.calls.last_mut() {
            entry.is_closed = true;
        }
    }
}
