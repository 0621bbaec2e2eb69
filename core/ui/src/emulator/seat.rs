//! One participant: its room, how it is, and its ends of links.

use wire::{ConferenceId, LinkId, Map, NodeId, Time};

use super::api::{End, SeatId, WAITING_BYTES_MAX};

/// How a participant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Well.
    Running,
    /// Stopped for a while.
    Frozen,
    /// Stopped for good, without a word.
    Crashed,
}

/// What went one way over a link, or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames.
    pub messages: u64,
    /// Bytes of frames.
    pub bytes: u64,
}

impl Traffic {
    pub(super) fn count(&mut self, frame: &[u8]) {
        self.messages += 1;
        self.bytes += frame.len() as u64;
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { messages: self.messages + other.messages, bytes: self.bytes + other.bytes }
    }
}

/// One end of a link, as the emulator knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    /// Whom it leads to.
    pub(super) peer: SeatId,
    /// The other end's number, when the emulator brought the link.
    pub(super) brought: Option<LinkId>,
    /// Whether it makes the offer.
    pub(super) dials: bool,
    pub(super) is_open: bool,
    pub(super) sent: Traffic,
    pub(super) heard: Traffic,
    /// When something other than a sign of life went over it last.
    pub(super) busy: Option<Time>,
}

impl Wire {
    pub(super) fn new(peer: SeatId, dials: bool, brought: Option<LinkId>) -> Self {
        let none = Traffic::default();
        Self { peer, brought, dials, is_open: false, sent: none, heard: none, busy: None }
    }
}

#[derive(Debug)]
enum State {
    Running,
    Frozen { waiting: Vec<room::Input>, bytes: usize },
    Crashed { linger: Time },
}

/// One participant.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: SeatId,
    pub(super) name: String,
    /// The conference that it is in, or wants to be in.
    pub(super) conference: ConferenceId,
    pub(super) room: room::Room,
    state: State,
    /// On which side of the wall, while the network is split.
    pub(super) side: usize,
    pub(super) wires: Map<LinkId, Wire>,
    links_brought: u64,
    /// What went over links that are gone.
    pub(super) past: (Traffic, Traffic),
}

impl Seat {
    pub(super) fn new(
        id: SeatId,
        name: String,
        conference: ConferenceId,
        room: room::Room,
    ) -> Self {
        Self {
            id,
            name,
            conference,
            room,
            state: State::Running,
            side: 0,
            wires: Map::new(),
            links_brought: 0,
            past: Default::default(),
        }
    }

    pub(super) fn node(&self) -> NodeId {
        self.room.me()
    }

    pub(super) fn health(&self) -> Health {
        match self.state {
            State::Running => Health::Running,
            State::Frozen { .. } => Health::Frozen,
            State::Crashed { .. } => Health::Crashed,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.health() == Health::Running
    }

    /// When time matters to it.
    pub(super) fn timeout(&self) -> Option<Time> {
        match self.state {
            State::Running => self.room.timeout(),
            State::Frozen { .. } => None,
            State::Crashed { linger } => (!self.wires.is_empty()).then_some(linger),
        }
    }

    /// Tells its room, now or when it thaws. False when more waits than a frozen one bears.
    pub(super) fn tell(&mut self, now: Time, input: room::Input) -> bool {
        match &mut self.state {
            State::Running => {
                // What is refused is a neighbour's fault, and the room has drawn the consequence.
                self.room.handle(now, input).ok();
            }
            State::Frozen { waiting, bytes } => {
                if let room::Input::Received { frame, .. } = &input {
                    *bytes += frame.len();
                }
                waiting.push(input);
                return *bytes <= WAITING_BYTES_MAX;
            }
            State::Crashed { .. } => {}
        }
        true
    }

    pub(super) fn freeze(&mut self) {
        if self.is_running() {
            self.state = State::Frozen { waiting: Vec::new(), bytes: 0 };
        }
    }

    /// What waited, when it was frozen.
    pub(super) fn thaw(&mut self) -> Vec<room::Input> {
        match std::mem::replace(&mut self.state, State::Running) {
            State::Running => Vec::new(),
            State::Frozen { waiting, .. } => waiting,
            crashed @ State::Crashed { .. } => {
                self.state = crashed;
                Vec::new()
            }
        }
    }

    pub(super) fn crash(&mut self, linger: Time) {
        self.state = State::Crashed { linger };
    }

    /// A number for a link that the emulator brings.
    pub(super) fn next_link(&mut self) -> LinkId {
        self.links_brought += 1;
        LinkId(self.links_brought)
    }

    pub(super) fn end(&self, link: LinkId) -> End {
        End { seat: self.id, link }
    }

    /// Forgets an end, but not what went over it.
    pub(super) fn drop_wire(&mut self, link: LinkId) -> Option<Wire> {
        let wire = self.wires.remove(&link)?;
        self.past = (self.past.0.plus(wire.sent), self.past.1.plus(wire.heard));
        Some(wire)
    }

    /// The ends that lead to `peer`.
    pub(super) fn wires_to(&self, peer: SeatId) -> impl Iterator<Item = (LinkId, Wire)> {
        self.wires
            .iter()
            .filter(move |(_, wire)| wire.peer == peer)
            .map(|(link, wire)| (*link, *wire))
    }

    pub(super) fn has_open_link_to(&self, peer: SeatId) -> bool {
        self.wires_to(peer).any(|(_, wire)| wire.is_open)
    }

    /// What it sent and what it heard, since the counters began.
    pub(super) fn traffic(&self) -> (Traffic, Traffic) {
        let sum = |(sent, heard): (Traffic, Traffic), wire: &Wire| {
            (sent.plus(wire.sent), heard.plus(wire.heard))
        };
        self.wires.values().fold(self.past, sum)
    }

    pub(super) fn reset_traffic(&mut self) {
        self.past = Default::default();
        for wire in self.wires.values_mut() {
            (wire.sent, wire.heard) = Default::default();
        }
    }
}
