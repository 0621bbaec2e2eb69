//! The links of the network: those of the wrapper, and those that the network asks for itself.

use platform::peer::{Channel, Connection, Happened, Heard, Payload, State, part};
use room::Input;
use wire::{LinkId, Map, NodeId};

use super::with;

/// All links.
#[derive(Default)]
pub(super) struct Links {
    /// How many links the wrapper has brought; the network numbers its own from far above.
    brought: u64,
    wrapper: Map<NodeId, LinkId>,
    own: Map<LinkId, Own>,
}

/// A link of our own. The channel is dropped before the connection, so that nobody hears it close.
struct Own {
    peer: NodeId,
    channel: Option<Channel>,
    connection: Connection,
}

impl Links {
    /// Numbers a link that the wrapper brought, and gives the one to the same node that it replaces.
    pub(super) fn add(&mut self, id: NodeId) -> (LinkId, Option<LinkId>) {
        self.brought += 1;
        let link = LinkId(self.brought);
        (link, self.wrapper.insert(id, link))
    }

    /// Forgets a link of the wrapper.
    pub(super) fn remove(&mut self, id: NodeId) -> Option<LinkId> {
        self.wrapper.remove(&id)
    }

    /// The wrapper's link to a node.
    pub(super) fn to(&self, id: NodeId) -> Option<LinkId> {
        self.wrapper.get(&id).copied()
    }

    /// The node at the other end of a link of the wrapper; `None` for our own links.
    pub(super) fn peer(&self, link: LinkId) -> Option<NodeId> {
        self.wrapper.iter().find(|(_, brought)| **brought == link).map(|(id, _)| *id)
    }

    /// Sends over a link of our own.
    pub(super) fn send(&self, link: LinkId, frame: Vec<u8>) {
        let channel = self.own.get(&link).and_then(|own| own.channel.as_ref());
        let sent = channel.map(|channel| channel.send(&Payload::Bytes(frame)));
        if !matches!(sent, Some(Ok(()))) {
            down(link); // What cannot be sent would be missing at the other end.
        }
    }

    /// Tells when next to nothing waits to be sent over a link of our own; in a turn of its own when that is so now.
    pub(super) fn flush(&self, link: LinkId) {
        let channel = self.own.get(&link).and_then(|own| own.channel.as_ref());
        if channel.is_some_and(Channel::is_drained) {
            platform::spawn(async move { with(|shell| shell.tell(Input::Flushed { link })) });
        }
    }

    /// Makes an offer for a new link.
    pub(super) fn dial(&mut self, link: LinkId, peer: NodeId) {
        let Some(connection) = connect(link) else { return };
        let mut channel = connection.channel("signal");
        channel.listen(hear(link));
        describe(link, connection.complete_offer());
        self.own.insert(link, Own { peer, channel: Some(channel), connection });
    }

    /// Makes the answer for a new link.
    pub(super) fn answer(&mut self, link: LinkId, peer: NodeId, offer: &str) {
        let Some(connection) = connect(link) else { return };
        describe(link, connection.complete_answer(offer));
        self.own.insert(link, Own { peer, channel: None, connection });
    }

    /// Takes the answer of the other end.
    pub(super) fn apply(&mut self, link: LinkId, answer: &str) {
        let Some(own) = self.own.get(&link) else { return };
        let applied = own.connection.apply(answer);
        platform::spawn(async move {
            if applied.await.is_err() {
                with(|shell| shell.tell(Input::Down { link }));
            }
        });
    }

    /// Closes a link, once what was sent over it has arrived. One of the wrapper stays open there, but nothing is taken from it any more.
    pub(super) fn hang(&mut self, link: LinkId) {
        if let Some(own) = self.own.remove(&link) {
            platform::spawn(part(own.connection, own.channel));
        }
        self.wrapper.retain(|_, brought| *brought != link);
    }

    /// Keeps the channel that the other end opened.
    fn keep(&mut self, link: LinkId, mut channel: Channel) {
        if let Some(own) = self.own.get_mut(&link) {
            channel.listen(hear(link));
            own.channel = Some(channel);
        }
    }
}

fn connect(link: LinkId) -> Option<Connection> {
    let connection = Connection::new(move |happened| match happened {
        Happened::Channel(channel) => with(|shell| shell.links.keep(link, channel)),
        Happened::State(State::Failed) => with(|shell| shell.tell(Input::Down { link })),
        // The network hears by its own heartbeats whether the other end is there. Candidates are inside the
        // descriptions, and a link carries neither media nor new offers.
        Happened::State(
            State::Connecting | State::Connected | State::Disconnected | State::Closed,
        )
        | Happened::Candidate(_)
        | Happened::Track(..)
        | Happened::NegotiationNeeded => {}
    });
    if connection.is_err() {
        undescribed(link);
    }
    connection.ok()
}

fn hear(link: LinkId) -> impl FnMut(Heard) + 'static {
    move |heard| match heard {
        Heard::Opened => with(|shell| {
            if let Some(own) = shell.links.own.get(&link) {
                let peer = own.peer;
                shell.tell(Input::Up { link, peer });
            }
        }),
        Heard::Message(Payload::Bytes(frame)) => {
            with(|shell| shell.tell(Input::Received { link, frame }));
        }
        // Frames are bytes.
        Heard::Message(Payload::Text(_)) => {}
        Heard::Drained => with(|shell| shell.tell(Input::Flushed { link })),
        Heard::Closed => with(|shell| shell.tell(Input::Down { link })),
    }
}

fn describe(link: LinkId, made: impl Future<Output = Result<String, platform::Fault>> + 'static) {
    platform::spawn(async move {
        match made.await {
            Ok(description) => {
                with(|shell| shell.tell(Input::Described { link, description }));
            }
            Err(_) => with(|shell| shell.tell(Input::Undescribed { link })),
        }
    });
}

/// Tells in a turn of its own that a link could not be made.
fn undescribed(link: LinkId) {
    platform::spawn(async move { with(|shell| shell.tell(Input::Undescribed { link })) });
}

/// Tells in a turn of its own that a link is broken.
fn down(link: LinkId) {
    platform::spawn(async move { with(|shell| shell.tell(Input::Down { link })) });
}
