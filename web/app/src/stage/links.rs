//! The links of the network: those of the wrapper, and those that the network asks for itself.

use room::Input;
use trust::Claim;
use wire::{LinkId, Map, NodeId};

use super::with;
use crate::wires::{Told, Wires};

/// All links.
pub(super) struct Links {
    /// How many links the wrapper has brought; the network numbers its own from far above.
    brought: u64,
    wrapper: Map<NodeId, LinkId>,
    /// Who is at the other ends of our own.
    peers: Map<LinkId, NodeId>,
    own: Wires<LinkId>,
}

impl Default for Links {
    fn default() -> Self {
        let (wrapper, peers) = (Map::new(), Map::new());
        Self { brought: 0, wrapper, peers, own: Wires::new(tell) }
    }
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
        self.own.send(link, frame);
    }

    /// Tells when next to nothing waits to be sent over a link of our own; in a turn of its own when that is so now.
    pub(super) fn flush(&self, link: LinkId) {
        self.own.flush(link);
    }

    /// Makes an offer for a new link.
    pub(super) fn dial(&mut self, link: LinkId, peer: NodeId) {
        self.peers.insert(link, peer);
        self.own.dial(link);
    }

    /// Makes the answer for a new link.
    pub(super) fn answer(&mut self, link: LinkId, peer: NodeId, offer: &str) {
        self.peers.insert(link, peer);
        self.own.answer(link, offer);
    }

    /// Takes the answer of the other end.
    pub(super) fn apply(&mut self, link: LinkId, answer: &str) {
        self.own.apply(link, answer);
    }

    /// Closes a link, once what was sent over it has arrived. One of the wrapper stays open there, but nothing is taken from it any more.
    pub(super) fn hang(&mut self, link: LinkId) {
        self.peers.remove(&link);
        self.own.hang(link);
        self.wrapper.retain(|_, brought| *brought != link);
    }

    /// A link of our own is over.
    fn close(&mut self, link: LinkId) {
        self.peers.remove(&link);
        self.own.cut(link);
    }
}

fn tell(link: LinkId, told: Told) {
    with(|shell| {
        let input = match told {
            Told::Described(description) => Input::Described { link, description },
            Told::Undescribed => Input::Undescribed { link },
            Told::Opened => match shell.links.peers.get(&link) {
                Some(peer) => {
                    let binding = shell.links.own.binding(link).unwrap_or_default().into_bytes();
                    Input::Up { link, peer: *peer, binding, claim: Claim::default(), invite: None }
                }
                None => return,
            },
            Told::Received(frame) => Input::Received { link, frame },
            Told::Flushed => Input::Flushed { link },
            Told::Closed => {
                shell.links.close(link);
                Input::Down { link }
            }
        };
        shell.tell(input);
    });
}
