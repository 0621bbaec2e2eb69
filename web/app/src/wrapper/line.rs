//! The connection and the data channel of one invite.

use call::Describe;
use platform::Fault;
use platform::peer::{Channel, Connection, Happened, Heard, Payload, State, part};
use ui::wrapper::Event;
use wire::wrapper::Hello;
use wire::{InviteId, NodeId, UserId};

use super::{event, with};

/// The name of the channel.
const SIGNAL: &str = "signal";

/// How many messages wait while the frame loads. Guess: a node says hello in a few.
const WAITING_MAX: usize = 1_024;

/// Who is at the other end.
#[derive(Clone)]
pub(super) struct Peer {
    /// Its node.
    pub(super) node: NodeId,
    /// Whom the server named, unless others have vouched for it.
    pub(super) user: Option<UserId>,
    /// Whether we invited it.
    pub(super) is_invited: bool,
}

/// The connection of one invite, closed when dropped.
pub(super) struct Line {
    connection: Connection,
    channel: Option<Channel>,
    /// Who is at the other end, once that is sure.
    peer: Option<Peer>,
    /// What came while the frame did not listen.
    waiting: Vec<Payload>,
    /// Whether the frame waits until next to nothing waits to be sent.
    flushes: bool,
}

impl Line {
    /// Opens a connection for `invite`, and begins to make the description that is asked for.
    pub(super) fn new(invite: InviteId, what: Describe) -> Result<Self, Fault> {
        let connection = Connection::new(move |happened| on_happened(invite, happened))?;
        let (waiting, flushes) = (Vec::new(), false);
        let mut line = Self { connection, channel: None, peer: None, waiting, flushes };
        match what {
            Describe::Offer => {
                line.keep(invite, line.connection.channel(SIGNAL));
                let offer = line.connection.complete_offer();
                platform::spawn(async move { report(invite, offer.await.ok()) });
            }
            Describe::Answer { offer } => {
                let answer = line.connection.complete_answer(&offer);
                platform::spawn(async move { report(invite, answer.await.ok()) });
            }
        }
        Ok(line)
    }

    /// Takes the answer to our offer.
    pub(super) fn apply(&self, invite: InviteId, answer: &str) {
        let applied = self.connection.apply(answer);
        platform::spawn(async move {
            if applied.await.is_err() {
                event(Event::Lost(invite));
            }
        });
    }

    /// Says who we are.
    pub(super) fn greet(&self, me: NodeId) {
        if let Ok(hello) = serde_json::to_string(&Hello::Syn { sender: me }) {
            self.send(&Payload::Text(hello));
        }
    }

    /// The other end is sure: from now on messages are the conference's.
    pub(super) fn announce(&mut self, peer: Peer) {
        self.peer = Some(peer);
    }

    /// Who is at the other end, what the channel is bound to, and what waits for the frame; `None` while that is not
    /// sure.
    pub(super) fn introduce(&mut self) -> Option<(Peer, Option<String>, Vec<Payload>)> {
        let peer = self.peer.clone()?;
        Some((peer, self.connection.binding(), std::mem::take(&mut self.waiting)))
    }

    /// Keeps a message until the frame listens. The network above repairs what is lost.
    pub(super) fn wait(&mut self, payload: Payload) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(payload);
        }
    }

    /// The node at the other end, once that is sure.
    pub(super) fn node(&self) -> Option<NodeId> {
        self.peer.as_ref().map(|peer| peer.node)
    }

    /// Sends a message. A channel that is closing tells so by itself.
    pub(super) fn send(&self, payload: &Payload) {
        if let Some(channel) = &self.channel {
            channel.send(payload).ok();
        }
    }

    /// The frame wants to know when next to nothing waits to be sent: whether that is so now.
    pub(super) fn flush(&mut self) -> bool {
        self.flushes = !self.channel.as_ref().is_some_and(Channel::is_drained);
        !self.flushes
    }

    /// It is so: the node to name when the frame wants to know.
    pub(super) fn drained(&mut self) -> Option<NodeId> {
        if std::mem::take(&mut self.flushes) { self.node() } else { None }
    }

    /// Closes, and gives what to wait for until everything has arrived; `None` when nobody was at the other end.
    pub(super) fn part(self) -> Option<impl Future<Output = ()> + 'static> {
        self.peer.is_some().then(|| part(self.connection, self.channel))
    }

    fn keep(&mut self, invite: InviteId, mut channel: Channel) {
        channel.listen(move |heard| on_heard(invite, heard));
        self.channel = Some(channel);
    }
}

/// Tells that a description is made, or cannot be; in a turn of its own.
pub(super) fn report(invite: InviteId, description: Option<String>) {
    platform::spawn(async move { event(Event::Described { invite, description }) });
}

fn on_happened(invite: InviteId, happened: Happened) {
    match happened {
        Happened::Channel(channel) => with(|shell| {
            // One channel is agreed on; another closes as it is dropped.
            if let Some(line) = shell.lines.get_mut(&invite)
                && line.channel.is_none()
                && channel.label() == SIGNAL
            {
                line.keep(invite, channel);
            }
        }),
        Happened::State(State::Failed) => event(Event::Lost(invite)),
        // A path that is lost for a moment comes back or fails.
        Happened::State(
            State::Connecting | State::Connected | State::Disconnected | State::Closed,
        )
        // Descriptions here are complete, and there is one of each.
        | Happened::Candidate(_)
        | Happened::NegotiationNeeded
        // Nobody sends media here.
        | Happened::Track(..) => {}
    }
}

fn on_heard(invite: InviteId, heard: Heard) {
    match heard {
        Heard::Opened => event(Event::Opened(invite)),
        Heard::Message(payload) => on_message(invite, payload),
        Heard::Drained => with(|shell| shell.on_drained(invite)),
        Heard::Closed => event(Event::Lost(invite)),
    }
}

/// The first message says who is there; all others are the conference's.
fn on_message(invite: InviteId, payload: Payload) {
    let mut stranger = None;
    with(|shell| match shell.lines.get(&invite).and_then(Line::node) {
        Some(node) => shell.pass_down(invite, node, payload),
        None => stranger = Some(payload),
    });
    let Some(payload) = stranger else { return };
    let hello = match &payload {
        Payload::Text(text) => serde_json::from_str(text).ok(),
        Payload::Bytes(_) => None,
    };
    event(match hello {
        Some(Hello::Syn { sender }) => Event::Greeted { invite, sender },
        None => Event::Lost(invite),
    });
}
