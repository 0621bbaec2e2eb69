//! Who is here by PeerJS: names, the seats of those who have them, and the lines that lead there.

use std::collections::{BTreeMap, BTreeSet};

use wire::Time;
use wire::peerjs::PeerId;

use crate::policy::{Policy, Standing};
use crate::watching::News;
use crate::{Capabilities, Config, Device, Ending, Error, Line, Peer, Proof, Refusal, SocketId};

/// The place of one peer, which it keeps while it blinks; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SeatId(u64);

/// A peer that is here, or blinks.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) name: PeerId,
    /// Whose device it is; `None` for a guest. Boxed, for there may be thousands of those.
    pub(crate) owner: Option<Box<Owner>>,
    proof: Proof,
    pub(crate) state: State,
    /// With whom it exchanged offers and answers, the latest last.
    pub(crate) partners: Vec<Partner>,
    /// Whom it was told last that it cannot reach, so that it is told once for an offer and its candidates.
    pub(crate) told: Option<PeerId>,
}

/// What is known of a user's device.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) device: Device,
    pub(crate) standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Here {
        socket: SocketId,
        line: Line,
        /// A stream that was opened beside the socket.
        spare: Option<SocketId>,
        /// It does not read as fast as it is written to.
        stalled: bool,
    },
    Away {
        /// When it is gone for good: stands in `Peers::agenda`.
        until: Time,
        ending: Ending,
    },
}

/// Somebody with whom an offer was exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Partner {
    pub(crate) seat: SeatId,
    pub(crate) at: Time,
    /// Whether an answer was exchanged too: they may be connected without us.
    pub(crate) answered: bool,
    /// The latest connections between the two, if others may go by the same name: a user's devices.
    pub(crate) connections: Vec<Box<str>>,
}

impl Seat {
    /// Which device it is; `None` for a guest.
    pub(crate) fn device(&self) -> Option<&Device> {
        self.owner.as_ref().map(|owner| &owner.device)
    }

    /// Whether it can take a call that needs this, as far as anybody wants to know. Guests take everything.
    pub(crate) fn can_take(&self, needs: &Capabilities) -> bool {
        self.owner.as_deref().is_none_or(|Owner { standing, .. }| {
            standing.policy != Policy::Capable || standing.capabilities.include(needs)
        })
    }

    /// Whether its name is kept for it: it is here, or broke off a moment ago.
    pub(crate) fn holds(&self) -> bool {
        match self.state {
            State::Here { .. } | State::Away { ending: Ending::Lost, .. } => true,
            State::Away { .. } => false,
        }
    }

    /// Notes an exchange with `seat`, about `connection` if that is worth keeping.
    pub(crate) fn note(
        &mut self,
        config: &Config,
        now: Time,
        seat: SeatId,
        answered: bool,
        connection: Option<&str>,
    ) {
        let known = self.partners.iter().position(|partner| partner.seat == seat);
        let before = match known {
            // The usual case by far: the same two go on.
            Some(at) if at + 1 == self.partners.len() => self.partners.pop(),
            Some(at) => Some(self.partners.remove(at)),
            None => None,
        };
        if self.partners.len() >= config.partners_max {
            self.partners.remove(0);
        }
        let answered = answered || before.as_ref().is_some_and(|partner| partner.answered);
        let mut connections = before.map(|partner| partner.connections).unwrap_or_default();
        if let Some(connection) = connection
            && !connections.iter().any(|known| **known == *connection)
        {
            if connections.len() >= config.connections_max {
                connections.remove(0);
            }
            connections.push(connection.into());
        }
        self.partners.push(Partner { seat, at: now, answered, connections });
    }

    pub(crate) fn forget(&mut self, seat: SeatId) {
        self.partners.retain(|partner| partner.seat != seat);
    }

    pub(crate) fn partner(&self, seat: SeatId) -> Option<&Partner> {
        self.partners.iter().rev().find(|partner| partner.seat == seat)
    }
}

/// What became of a wish to come in.
#[derive(Debug)]
pub(crate) struct Seated {
    pub(crate) seat: SeatId,
    /// Whether the peer waits for word that it is in.
    pub(crate) announce: bool,
    /// A line that the new one replaces.
    pub(crate) superseded: Option<SocketId>,
    /// Those who had to make room, for good.
    pub(crate) replaced: Vec<Seat>,
    /// What these were, as partners know them.
    pub(crate) replaced_ids: Vec<SeatId>,
}

/// **Invariant:** `names` lists exactly the seats of `seats`, each under its name; a guest's name has one.
///
/// **Invariant:** `sockets` lists exactly the lines of seats that are here.
///
/// **Invariant:** `agenda` lists exactly the seats that are away.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    /// Boxed, for the tree is half empty where numbers only grow, and seats are large.
    seats: BTreeMap<SeatId, Box<Seat>>,
    names: BTreeMap<PeerId, Vec<SeatId>>,
    sockets: BTreeMap<SocketId, SeatId>,
    agenda: BTreeSet<(Time, SeatId)>,
    next: u64,
    news: News,
}

impl Peers {
    /// Lets a peer in, or says why not; then nothing has changed. `room` is how many more lines there may be.
    pub(crate) fn join(
        &mut self,
        config: &Config,
        room: usize,
        arrival: Arrival,
    ) -> Result<Seated, Error> {
        if self.sockets.contains_key(&arrival.socket) {
            return Err(Error::Misuse(arrival.socket));
        }
        let here = self.named(&arrival.peer.name());
        if let Some(seat) = self.own_seat(here, &arrival) {
            return Ok(self.take_over(seat, &arrival));
        }
        let replaced_ids = self.make_room(config, here, &arrival)?;
        if room == 0 {
            return Err(Error::Limit("connections"));
        }
        let replaced = replaced_ids.iter().filter_map(|seat| self.remove(*seat)).collect();

        let seat = SeatId(self.next);
        self.next += 1;
        let name = arrival.peer.name();
        let Arrival { socket, line, proof, standing, peer } = arrival;
        let owner = match peer {
            Peer::Guest(_) => None,
            Peer::Device(device) => Some(Box::new(Owner { device, standing })),
        };
        let state = State::Here { socket, line, spare: None, stalled: false };
        let (partners, told) = (Vec::new(), None);
        // Nearly all have one seat, and there are thousands.
        self.names.entry(name.clone()).or_insert_with(|| Vec::with_capacity(1)).push(seat);
        self.news.names.push(name.clone());
        self.sockets.insert(socket, seat);
        let sits = Seat { name, owner, proof, state, partners, told };
        self.seats.insert(seat, Box::new(sits));
        Ok(Seated { seat, announce: true, superseded: None, replaced, replaced_ids })
    }

    /// The seat that is the arriving peer's already.
    fn own_seat(&self, here: &[SeatId], arrival: &Arrival) -> Option<SeatId> {
        here.iter().copied().find(|id| {
            let Some(seat) = self.seats.get(id) else { return false };
            match &arrival.peer {
                Peer::Guest(_) => seat.owner.is_none() && seat.proof == arrival.proof,
                Peer::Device(device) => {
                    // With one device to a user there is one place on that device too: the latest page has it.
                    let alone = arrival.standing.policy == Policy::Nominated;
                    seat.device() == Some(device) && (alone || seat.proof == arrival.proof)
                }
            }
        })
    }

    /// Those who give way to a newcomer, or why it cannot come in.
    fn make_room(
        &self,
        config: &Config,
        here: &[SeatId],
        arrival: &Arrival,
    ) -> Result<Vec<SeatId>, Error> {
        let mut leave = Vec::new();
        let mut stay = 0;
        for id in here {
            let Some(seat) = self.seats.get(id) else { continue };
            match (&arrival.peer, seat.device()) {
                (Peer::Guest(_), None) if seat.holds() => return Err(Refusal::IdTaken.into()),
                (Peer::Guest(_), Some(_)) => return Err(Refusal::NameOfUser.into()),
                (Peer::Guest(_) | Peer::Device(_), None) => leave.push(*id),
                (Peer::Device(_), Some(_)) if !seat.holds() => {}
                (Peer::Device(_), Some(_)) => stay += 1,
            }
        }
        if stay >= config.devices_max_per_user {
            return Err(Error::Limit("devices of this user"));
        }
        Ok(leave)
    }

    /// Puts a new line to a seat that is the arriving peer's already.
    fn take_over(&mut self, seat: SeatId, arrival: &Arrival) -> Seated {
        let Some(found) = self.seats.get_mut(&seat) else {
            unreachable!("the caller has just found it");
        };
        let Arrival { socket, line, .. } = *arrival;
        found.proof = arrival.proof;
        if let Some(owner) = &mut found.owner {
            owner.standing = arrival.standing.clone();
        }
        let alone = State::Here { socket, line, spare: None, stalled: false };
        let (state, superseded, announce) = match (found.state, line) {
            // The stream waits beside the socket, in case that one breaks.
            (
                State::Here { socket: old, line: Line::Socket, spare, stalled },
                Line::Stream { .. },
            ) => {
                let state =
                    State::Here { socket: old, line: Line::Socket, spare: Some(socket), stalled };
                (state, spare, false)
            }
            // One client by both ways: it has heard already that it is in.
            (State::Here { socket: old, line: Line::Stream { .. }, .. }, Line::Socket) => {
                (alone, Some(old), false)
            }
            (
                State::Here { socket: old, line: Line::Stream { .. }, .. },
                Line::Stream { fresh },
            ) => (alone, Some(old), fresh),
            (State::Here { socket: old, line: Line::Socket, spare, .. }, Line::Socket) => {
                let state = State::Here { socket, line, spare, stalled: false };
                (state, Some(old), true)
            }
            (State::Away { until, .. }, Line::Socket | Line::Stream { .. }) => {
                self.agenda.remove(&(until, seat));
                (alone, None, true)
            }
        };
        found.state = state;
        if let Some(old) = superseded {
            self.sockets.remove(&old);
            self.news.gone.push(old);
        }
        self.sockets.insert(socket, seat);
        Seated { seat, announce, superseded, replaced: Vec::new(), replaced_ids: Vec::new() }
    }

    /// A line is closed. Returns the seat if its spare line must now be told that it counts.
    pub(crate) fn close(
        &mut self,
        config: &Config,
        now: Time,
        socket: SocketId,
        ending: Ending,
    ) -> Result<Option<SeatId>, Error> {
        let id = self.sockets.remove(&socket).ok_or(Error::Misuse(socket))?;
        self.news.gone.push(socket);
        let Some(seat) = self.seats.get_mut(&id) else {
            unreachable!("a line leads to a seat");
        };
        let State::Here { socket: main, line, spare, stalled } = seat.state else {
            unreachable!("a peer with a line is here");
        };
        if main != socket {
            seat.state = State::Here { socket: main, line, spare: None, stalled };
            return Ok(None);
        }
        if let Some(spare) = spare {
            let line = Line::Stream { fresh: false };
            seat.state = State::Here { socket: spare, line, spare: None, stalled: false };
            return Ok(Some(id));
        }
        let until = now + config.peer_grace;
        seat.state = State::Away { until, ending };
        self.agenda.insert((until, id));
        Ok(None)
    }

    /// Sets whether the peer of a line reads too slowly. Returns its seat.
    pub(crate) fn stall(&mut self, socket: SocketId, is: bool) -> Result<SeatId, Error> {
        let id = self.sockets.get(&socket).copied().ok_or(Error::Misuse(socket))?;
        if let Some(Seat { state: State::Here { socket: main, stalled, .. }, .. }) =
            self.get_mut(id)
            && *main == socket
        {
            *stalled = is;
        }
        Ok(id)
    }

    /// Whether a line's peer reads too slowly.
    pub(crate) fn is_stalled(&self, socket: SocketId) -> bool {
        let seat = self.at(socket).and_then(|seat| self.seats.get(&seat));
        seat.is_some_and(|seat| matches!(seat.state, State::Here { stalled: true, .. }))
    }

    /// Whether a peer is here, and reads.
    pub(crate) fn listens(&self, id: SeatId) -> bool {
        let seat = self.seats.get(&id);
        seat.is_some_and(|seat| matches!(seat.state, State::Here { stalled: false, .. }))
    }

    /// Whether a seat is that of a user's device.
    pub(crate) fn is_device(&self, id: SeatId) -> bool {
        self.seats.get(&id).is_some_and(|seat| seat.owner.is_some())
    }

    /// What has changed since this was last asked.
    pub(crate) fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// Takes a seat away for good. Its lines are then unknown.
    pub(crate) fn remove(&mut self, id: SeatId) -> Option<Seat> {
        let seat = *self.seats.remove(&id)?;
        match seat.state {
            State::Here { socket, spare, .. } => {
                for socket in std::iter::once(socket).chain(spare) {
                    self.sockets.remove(&socket);
                    self.news.gone.push(socket);
                }
            }
            State::Away { until, .. } => {
                self.agenda.remove(&(until, id));
            }
        }
        if let Some(named) = self.names.get_mut(&seat.name) {
            named.retain(|other| *other != id);
            if named.is_empty() {
                self.names.remove(&seat.name);
                self.news.names.push(seat.name.clone());
            }
        }
        Some(seat)
    }

    /// The seats of those who were away for too long at `now`.
    pub(crate) fn overdue(&self, now: Time) -> Vec<SeatId> {
        let due = self.agenda.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, seat)| *seat).collect()
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.agenda.first().map(|(at, _)| *at)
    }

    pub(crate) fn get(&self, id: SeatId) -> Option<&Seat> {
        self.seats.get(&id).map(|seat| &**seat)
    }

    pub(crate) fn get_mut(&mut self, id: SeatId) -> Option<&mut Seat> {
        self.seats.get_mut(&id).map(|seat| &mut **seat)
    }

    /// Whose line this is.
    pub(crate) fn at(&self, socket: SocketId) -> Option<SeatId> {
        self.sockets.get(&socket).copied()
    }

    /// Whose name and proof these are, while it is here.
    pub(crate) fn proven(&self, name: &PeerId, proof: Proof) -> Option<SeatId> {
        self.named(name).iter().copied().find(|id| {
            self.seats
                .get(id)
                .is_some_and(|seat| seat.proof == proof && matches!(seat.state, State::Here { .. }))
        })
    }

    /// Whether a seat of that peer and proof is there, whoever is in it.
    pub(crate) fn has_place(&self, peer: &Peer, proof: Proof) -> bool {
        let device = match peer {
            Peer::Guest(_) => None,
            Peer::Device(device) => Some(device),
        };
        let mut seats = self.named(&peer.name()).iter().filter_map(|id| self.seats.get(id));
        seats.any(|seat| seat.proof == proof && seat.device() == device)
    }

    /// The line that words for that peer go to.
    pub(crate) fn line(&self, name: &PeerId, proof: Proof) -> Option<SocketId> {
        match self.seats.get(&self.proven(name, proof)?)?.state {
            State::Here { socket, .. } => Some(socket),
            State::Away { .. } => None,
        }
    }

    /// The seats of a name.
    pub(crate) fn named(&self, name: &PeerId) -> &[SeatId] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// The names of those who are here, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &PeerId> {
        self.names.iter().filter(|(_, seats)| self.is_any_here(seats)).map(|(name, _)| name)
    }

    fn is_any_here(&self, seats: &[SeatId]) -> bool {
        let here = |seat: &Seat| matches!(seat.state, State::Here { .. });
        seats.iter().any(|id| self.get(*id).is_some_and(here))
    }

    pub(crate) fn lines(&self) -> usize {
        self.sockets.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.seats.len()
    }
}

/// A peer that wants to come in.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) socket: SocketId,
    pub(crate) peer: Peer,
    pub(crate) proof: Proof,
    pub(crate) line: Line,
    pub(crate) standing: Standing,
}
