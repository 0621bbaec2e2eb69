//! PeerJS: who comes, what one says to another, and who hears that somebody is gone.

use wire::peerjs::{Kind, PeerId};
use wire::{Address, Time, UserId};

use crate::SocketId;
use crate::copies::Owed;
use crate::forks::{Key, Reply};
use crate::letters::{Letter, Place};
use crate::peers::{Arrival, Partner, Seat, SeatId, State};
use crate::policy::{Policy, Standing};
use crate::{
    Broker, Capabilities, Device, Ending, Error, Farewell, Output, Peer, Refusal, Signal, Word,
};

/// Where a message goes.
enum Way {
    /// To nobody: not to be delivered, and not worth a word.
    Nowhere,
    /// To nobody who is here by that name.
    Absent,
    /// To this peer.
    One(SeatId),
    /// To these devices of a user, of whom one will answer.
    Many(Vec<SeatId>),
}

impl Broker {
    pub(crate) fn on_joined(&mut self, now: Time, arrival: Arrival) -> Result<(), Error> {
        match &arrival.peer {
            Peer::Guest(name) if self.users.contains(name) => {
                return Err(Refusal::NameOfUser.into());
            }
            Peer::Guest(_) => {}
            Peer::Device(device) => self.admit(device, &arrival.standing)?,
        }
        let socket = arrival.socket;
        let is_user = matches!(arrival.peer, Peer::Device(_));
        let (name, standing) = (arrival.peer.name(), arrival.standing.clone());
        let room = self.config.lines_max.saturating_sub(self.peers.lines());
        let seated = self.peers.join(&self.config, room, arrival)?;
        self.watching.show(name, &standing);

        if let Some(socket) = seated.superseded {
            self.outputs.push_back(Output::Part { socket, why: Farewell::Superseded });
        }
        for (id, seat) in seated.replaced_ids.into_iter().zip(seated.replaced) {
            let why = if is_user { Farewell::NameTaken } else { Farewell::Superseded };
            self.bury(now, id, &seat, why);
        }
        if seated.announce {
            self.outputs.push_back(Output::Tell { socket, word: Word::Open });
            self.hand_over(now, seated.seat);
        } else {
            self.hand_over_own(now, seated.seat);
        }
        Ok(())
    }

    /// Whether a device of a user may come in beside those that are here.
    pub(crate) fn admit(&self, device: &Device, standing: &Standing) -> Result<(), Refusal> {
        if standing.policy != Policy::Nominated {
            return Ok(());
        }
        if standing.nominated.is_some_and(|nominated| nominated != device.instance) {
            return Err(Refusal::NotNominated);
        }
        let name = PeerId::from(&device.user);
        let is_other =
            |seat: &&Seat| seat.holds() && seat.device().is_some_and(|other| other != device);
        let seats = self.peers.named(&name).iter().filter_map(|id| self.peers.get(*id));
        if seats.filter(is_other).count() > 0 || self.presence.is_another_online(device) {
            return Err(Refusal::OneDevice);
        }
        Ok(())
    }

    /// What is known of a device has changed: its seats know it, and where another was nominated, the others go.
    pub(crate) fn on_stands(&mut self, now: Time, device: &Device, standing: &Standing) {
        let registered = (standing.policy == Policy::Nominated).then_some(standing.nominated);
        let registered = registered.flatten();
        for id in self.peers.named(&PeerId::from(&device.user)).to_vec() {
            let Some(seat) = self.peers.get_mut(id) else { continue };
            let Some(owner) = &mut seat.owner else { continue };
            if registered.is_some_and(|nominated| nominated != owner.device.instance) {
                self.dismiss_seat(now, id, Farewell::NotNominated);
            } else if owner.device == *device {
                owner.standing = standing.clone();
            }
        }
        let user = Address::of(device.user.clone());
        let others: Vec<Device> = self
            .presence
            .reachable(now, &user)
            .filter(|other| registered.is_some_and(|nominated| nominated != other.instance))
            .cloned()
            .collect();
        for other in others {
            let sockets = self.presence.dismiss(&other.into());
            self.dismiss(sockets, Farewell::NotNominated);
        }
        self.presence.stand(device, standing);
        self.watching.show(PeerId::from(&device.user), standing);
        self.announce(now, &PeerId::from(&device.user));
    }

    pub(crate) fn on_said(&mut self, now: Time, me: SeatId, signal: Signal) {
        let Some(seat) = self.peers.get(me) else { return };
        let name = seat.name.clone();
        if seat.owner.is_some()
            && let Some(way) = self.reply(now, me, &name, &signal)
        {
            return self.send_way(now, me, name, signal, way);
        }
        let way = self.way(now, me, &signal);
        self.send_way(now, me, name, signal, way);
    }

    /// There is a user of that name; a guest who has it makes room.
    pub(crate) fn on_user(&mut self, now: Time, user: &UserId) {
        let name = PeerId::from(user);
        for seat in self.peers.named(&name).to_vec() {
            if self.peers.get(seat).is_some_and(|seat| seat.owner.is_none()) {
                self.dismiss_seat(now, seat, Farewell::NameTaken);
            }
        }
        self.users.insert(name);
    }

    /// The devices that `who` names are logged out.
    pub(crate) fn on_dismissed(&mut self, now: Time, who: &Address) {
        for id in self.peers.named(&PeerId::from(&who.user)).to_vec() {
            let device = self.peers.get(id).and_then(Seat::device);
            let is_meant = device.is_some_and(|device| {
                who.instance.is_none_or(|instance| instance == device.instance)
            });
            if is_meant {
                self.dismiss_seat(now, id, Farewell::Dismissed);
            }
        }
    }

    fn send_way(&mut self, now: Time, me: SeatId, name: PeerId, signal: Signal, way: Way) {
        let Signal { kind, to, payload, connection, needs } = signal;
        match way {
            Way::Nowhere => {}
            Way::Absent if kind == Kind::Leave => {}
            Way::Absent => {
                let told = self.peers.get(me).and_then(|seat| seat.told.as_ref()) == Some(&to);
                if told && kind == Kind::Candidate {
                    return;
                }
                let word = Word::Signal { kind, from: name, to: to.clone(), payload };
                let expires = now + self.config.letter;
                let place = Place::Name(to.clone());
                // Where an offer cannot go, what belongs to it need not.
                let needs = match kind {
                    Kind::Offer => needs,
                    Kind::Answer | Kind::Candidate | Kind::Leave => {
                        self.letters.needs(&place, me, connection.as_deref()).unwrap_or_default()
                    }
                };
                let owed = Owed::Word;
                let is_possible = self.config.open || self.users.contains(&to);
                let letter =
                    Letter { number: 0, expires, from: me, to, owed, connection, needs, word };
                if !is_possible {
                    return self.on_lost(now, vec![letter]);
                }
                if let Some(letter) = self.letters.put(&self.config, place, letter) {
                    self.on_lost(now, vec![letter]);
                }
            }
            Way::One(seat) => {
                self.note(now, me, seat, kind, connection.as_deref());
                if let Some(sender) = self.peers.get_mut(me) {
                    sender.told.take_if(|told| *told == to);
                }
                let word = Word::Signal { kind, from: name, to: to.clone(), payload };
                self.tell(now, me, seat, to, Owed::Word, word);
            }
            Way::Many(seats) => {
                if kind == Kind::Offer {
                    let connection = connection.clone().unwrap_or_default();
                    let key = Key { caller: me, callee: to.clone(), connection };
                    self.forks.ring(&self.config, now, key, &seats);
                }
                let owed = if seats.iter().any(|seat| self.peers.listens(*seat)) {
                    Owed::Nothing
                } else {
                    Owed::Copy(self.copies.begin(seats.len()))
                };
                for seat in seats {
                    self.note(now, me, seat, kind, connection.as_deref());
                    let word = Word::Signal {
                        kind,
                        from: name.clone(),
                        to: to.clone(),
                        payload: payload.clone(),
                    };
                    self.tell(now, me, seat, to.clone(), owed, word);
                }
            }
        }
    }

    /// Where a message goes that is no reply to a forked offer.
    fn way(&mut self, now: Time, me: SeatId, signal: &Signal) -> Way {
        let named = self.peers.named(&signal.to);
        if let [only] = named
            && let Some(seat) = self.peers.get(*only)
            && seat.owner.is_none()
        {
            return if seat.holds() { Way::One(*only) } else { Way::Absent };
        }
        if named.is_empty() || self.is_barred(me, signal) {
            return Way::Absent;
        }
        if signal.kind != Kind::Offer {
            let connection = signal.connection.clone().unwrap_or_default();
            let key = Key { caller: me, callee: signal.to.clone(), connection };
            if let Some(branches) = self.forks.branches(&key) {
                if signal.kind == Kind::Leave {
                    self.forks.cancel(&key);
                }
                return match branches.as_slice() {
                    [winner] => Way::One(*winner),
                    _ => Way::Many(branches),
                };
            }
        }
        // What belongs to an offer that waits for whoever comes waits behind it.
        let place = Place::Name(signal.to.clone());
        let connection = signal.connection.as_deref();
        if connection.is_some() && self.letters.needs(&place, me, connection).is_some() {
            return Way::Absent;
        }
        match self.partner_on(me, &signal.to, signal.connection.as_deref()) {
            Some((seat, at)) if signal.kind != Kind::Offer || now - at < self.config.dialog => {
                Way::One(seat)
            }
            Some(_) | None => self.choose(signal),
        }
    }

    /// Whether a message would begin a call with a user who has blocked its sender. It waits as if nobody were there.
    fn is_barred(&self, me: SeatId, signal: &Signal) -> bool {
        let begins = match signal.kind {
            Kind::Offer => true,
            Kind::Candidate => {
                self.partner_on(me, &signal.to, signal.connection.as_deref()).is_none()
            }
            Kind::Answer | Kind::Leave => false,
        };
        begins && self.is_blocked(me, &signal.to)
    }

    fn is_blocked(&self, from: SeatId, by: &PeerId) -> bool {
        let sender = self.peers.get(from).and_then(Seat::device);
        sender.is_some_and(|device| self.watching.is_blocked(&device.user, by))
    }

    /// The devices of a user that an offer rings, or that a message out of the blue goes to.
    fn choose(&self, signal: &Signal) -> Way {
        let seats = self.peers.named(&signal.to).iter().filter_map(|id| {
            let seat = self.peers.get(*id)?;
            let is_able = seat.can_take(&signal.needs);
            (is_able && seat.holds()).then_some((*id, matches!(seat.state, State::Here { .. })))
        });
        let seats: Vec<(SeatId, bool)> = seats.collect();
        if !seats.iter().any(|(_, is_here)| *is_here) {
            return Way::Absent;
        }
        match seats.as_slice() {
            [(only, _)] => Way::One(*only),
            several => Way::Many(several.iter().map(|(seat, _)| *seat).collect()),
        }
    }

    /// What a device of a user says to one who called several of them.
    fn reply(&mut self, now: Time, me: SeatId, name: &PeerId, signal: &Signal) -> Option<Way> {
        if signal.kind == Kind::Offer {
            return None;
        }
        let connection = signal.connection.clone().unwrap_or_default();
        // Not by its partners: one that has lost is none any more, and must not be heard.
        let callers = self.peers.named(&signal.to).to_vec();
        for caller in callers {
            let key = Key { caller, callee: name.clone(), connection: connection.clone() };
            let reply = self.forks.reply(&self.config, &key, me, signal);
            match reply {
                None => {}
                Some(Reply::Pass) => return Some(Way::One(caller)),
                Some(Reply::Silent) => return Some(Way::Nowhere),
                Some(Reply::Wins { early, losers }) => {
                    for loser in losers {
                        self.tell_loser(now, caller, loser);
                    }
                    let answer = signal.clone();
                    self.send_way(now, me, name.clone(), answer, Way::One(caller));
                    for signal in early {
                        self.send_way(now, me, name.clone(), signal, Way::One(caller));
                    }
                    return Some(Way::Nowhere);
                }
            }
        }
        None
    }

    /// Another device was first. LEAVE ends everything between two PeerJS clients, so one that talks with the caller
    /// already, by an earlier call, is not told: its second connection just never opens.
    fn tell_loser(&mut self, now: Time, caller: SeatId, loser: SeatId) {
        let Some(seat) = self.peers.get_mut(loser) else { return };
        if seat.partner(caller).is_some_and(|partner| partner.answered) {
            return;
        }
        seat.forget(caller);
        let to = seat.name.clone();
        let Some(caller_seat) = self.peers.get_mut(caller) else { return };
        caller_seat.forget(loser);
        let word = leave(caller_seat.name.clone(), to.clone());
        self.tell(now, caller, loser, to, Owed::Nothing, word);
    }

    /// Remembers who exchanged what with whom.
    fn note(&mut self, now: Time, me: SeatId, other: SeatId, kind: Kind, connection: Option<&str>) {
        for (one, two) in [(me, other), (other, me)] {
            // A guest's name is its own, so nothing more is needed to know it by.
            let connection = connection.filter(|_| self.peers.is_device(two));
            let Some(seat) = self.peers.get_mut(one) else { continue };
            match kind {
                Kind::Offer => seat.note(&self.config, now, two, false, connection),
                Kind::Answer => seat.note(&self.config, now, two, true, connection),
                Kind::Leave => seat.forget(two),
                Kind::Candidate => {}
            }
        }
    }

    /// Hands a word to the peer in a seat, now or when it can take it; `owed` says whether its sender hears otherwise.
    fn tell(
        &mut self,
        now: Time,
        from: SeatId,
        to_seat: SeatId,
        to: PeerId,
        owed: Owed,
        word: Word,
    ) {
        match self.peers.get(to_seat).map(|seat| seat.state) {
            Some(State::Here { socket, stalled: false, .. }) => {
                if let Owed::Copy(id) = owed {
                    self.copies.arrive(id);
                }
                self.outputs.push_back(Output::Tell { socket, word });
            }
            Some(State::Here { stalled: true, .. } | State::Away { .. }) => {
                let expires = now + self.config.letter;
                let (connection, needs) = (None, Capabilities::default());
                let letter = Letter { number: 0, expires, from, to, owed, connection, needs, word };
                if let Some(letter) = self.letters.put(&self.config, Place::Seat(to_seat), letter) {
                    self.on_lost(now, vec![letter]);
                }
            }
            None => {
                let expires = now;
                let (connection, needs) = (None, Capabilities::default());
                let letter = Letter { number: 0, expires, from, to, owed, connection, needs, word };
                self.on_lost(now, vec![letter]);
            }
        }
    }

    /// Tells the senders of lost letters, once for an offer or answer and the candidates that belong to it.
    pub(crate) fn on_lost(&mut self, now: Time, letters: Vec<Letter>) {
        for letter in letters {
            let is_owed = match letter.owed {
                Owed::Nothing => false,
                Owed::Word => true,
                Owed::Copy(id) => self.copies.lose(id),
            };
            if !is_owed {
                continue;
            }
            let Some(sender) = self.peers.get_mut(letter.from) else { continue };
            if sender.told.as_ref() == Some(&letter.to) && !letter.begins() {
                continue;
            }
            // One who does not listen now may miss the word, so the next is told again.
            let listens = matches!(sender.state, State::Here { stalled: false, .. });
            sender.told = listens.then(|| letter.to.clone());
            let to = sender.name.clone();
            let word = Word::Expire { from: letter.to, to: to.clone() };
            self.tell(now, letter.from, letter.from, to, Owed::Nothing, word);
        }
    }

    /// Hands over all that waited for a peer that has come.
    fn hand_over(&mut self, now: Time, id: SeatId) {
        let Some(seat) = self.peers.get(id) else { return };
        let name = seat.name.clone();
        let mut waited = self.letters.take(&Place::Seat(id));
        let place = Place::Name(name);
        let all = self.letters.take(&place).into_iter();
        let can_take = |letter: &Letter| {
            self.peers.get(id).is_some_and(|seat| seat.can_take(&letter.needs))
                && !self.is_blocked(letter.from, &letter.to)
        };
        let (able, left): (Vec<_>, Vec<_>) = all.partition(can_take);
        waited.extend(able);
        for letter in left {
            if let Some(letter) = self.letters.put(&self.config, place.clone(), letter) {
                self.on_lost(now, vec![letter]);
            }
        }
        waited.sort_by_key(|letter| letter.number);
        self.hand(now, id, waited);
    }

    /// Hands over what waited for this very peer.
    pub(crate) fn hand_over_own(&mut self, now: Time, id: SeatId) {
        let waited = self.letters.take(&Place::Seat(id));
        self.hand(now, id, waited);
    }

    fn hand(&mut self, now: Time, id: SeatId, letters: Vec<Letter>) {
        let mut lost = Vec::new();
        for letter in letters {
            if letter.expires <= now {
                lost.push(letter);
                continue;
            }
            if let Word::Signal { kind, .. } = letter.word
                && self.peers.get(letter.from).is_some()
            {
                self.note(now, letter.from, id, kind, letter.connection.as_deref());
            }
            self.tell(now, letter.from, id, letter.to, letter.owed, letter.word);
        }
        self.on_lost(now, lost);
    }

    /// A line was closed, or its peer said that it leaves.
    pub(crate) fn on_parted(
        &mut self,
        now: Time,
        socket: SocketId,
        ending: Ending,
    ) -> Result<(), Error> {
        if ending == Ending::Left {
            let id = self.peers.at(socket).ok_or(Error::Misuse(socket))?;
            self.dismiss_seat(now, id, Farewell::Left);
            return Ok(());
        }
        if let Some(id) = self.peers.close(&self.config, now, socket, ending)?
            && let Some(State::Here { socket, .. }) = self.peers.get(id).map(|seat| seat.state)
        {
            self.outputs.push_back(Output::Tell { socket, word: Word::Open });
            self.hand_over_own(now, id);
        }
        Ok(())
    }

    /// Takes a seat away, for good.
    pub(crate) fn dismiss_seat(&mut self, now: Time, id: SeatId, why: Farewell) {
        if let Some(seat) = self.peers.remove(id) {
            self.bury(now, id, &seat, why);
        }
    }

    /// Those who talked with somebody who is gone hear it, and so do those whose letters wait there in vain.
    fn bury(&mut self, now: Time, id: SeatId, seat: &Seat, why: Farewell) {
        let mut stays_connected = false;
        match seat.state {
            State::Here { socket, spare, .. } => {
                let sockets = std::iter::once(socket).chain(spare);
                self.outputs.extend(sockets.map(|socket| Output::Part { socket, why }));
            }
            State::Away { ending, .. } => stays_connected = ending == Ending::Disconnected,
        }
        for partner in &seat.partners {
            let Some(other) = self.peers.get_mut(partner.seat) else { continue };
            other.forget(id);
            let to = other.name.clone();
            // Another device of the same user still talks with it, and LEAVE would end that too.
            let goes_on = self.partners_named(partner.seat, &seat.name).next().is_some();
            if !goes_on && (!stays_connected || !partner.answered) {
                let word = leave(seat.name.clone(), to.clone());
                self.tell(now, id, partner.seat, to, Owed::Nothing, word);
            }
        }
        let lost = self.letters.take(&Place::Seat(id));
        self.on_lost(now, lost);
    }

    pub(crate) fn on_overdue(&mut self, now: Time) {
        for id in self.peers.overdue(now) {
            // It is away, so no line hears the reason.
            self.dismiss_seat(now, id, Farewell::Left);
        }
        let lost = self.letters.expire(now);
        self.on_lost(now, lost);
        self.forks.on_timeout(now);
    }

    /// The seat of that name with which a peer has that connection; else the one of the latest offer between the two.
    fn partner_on(
        &self,
        me: SeatId,
        name: &PeerId,
        connection: Option<&str>,
    ) -> Option<(SeatId, Time)> {
        let is_it = |partner: &&Partner| {
            let mut known = partner.connections.iter();
            connection.is_some_and(|connection| known.any(|known| **known == *connection))
        };
        let of_connection = self.partners_named(me, name).find(is_it);
        let partner = of_connection.or_else(|| self.partners_named(me, name).next())?;
        Some((partner.seat, partner.at))
    }

    /// Those of that name with whom a peer exchanged offers, the latest first.
    fn partners_named<'a>(
        &'a self,
        me: SeatId,
        name: &'a PeerId,
    ) -> impl Iterator<Item = &'a Partner> {
        let partners = self.peers.get(me).map_or(&[][..], |seat| seat.partners.as_slice());
        let is_named = |partner: &&Partner| {
            self.peers.get(partner.seat).is_some_and(|seat| seat.name == *name)
        };
        partners.iter().rev().filter(is_named)
    }
}

fn leave(from: PeerId, to: PeerId) -> Word {
    Word::Signal { kind: Kind::Leave, from, to, payload: None }
}
