//! Links come and go, by invite, by the nodes themselves, and by the person who breaks them.

use room::{Config, Input, Output, Room};
use trust::{Bounds, Claim, Trust};
use wire::{InviteId, LinkId, NodeId, Time};

use super::api::{Effect, End, Links, PARTICIPANTS_MAX, SeatId, Settings, Shape};
use super::seat::{Health, Seat, Wire};
use super::{Emulator, LINGER, words};

/// An emulated conference has no limits but those of its machine.
const BOUNDS: Bounds = Bounds { members_max: u16::MAX, invites_max: u16::MAX, hours: u16::MAX };

impl Emulator {
    /// Begins again: nobody of before is left.
    pub(super) fn start(&mut self, now: Time, mut settings: Settings) {
        settings.participants = settings.participants.clamp(1, PARTICIPANTS_MAX);
        for seat in std::mem::take(&mut self.seats) {
            self.effects.extend(seat.wires.keys().map(|link| Effect::Cut(seat.end(*link))));
        }
        self.sweep_desks();
        self.dice = wire::Dice::new(wire::Seed::story(settings.seed));
        self.settings = settings;
        self.is_split = false;
        self.cuts.clear();
        self.is_linking = false;
        self.story = None;
        self.waiting.clear();
        self.watch = super::Watch::default();
        for _ in 0..settings.participants {
            self.seat_one(now, None);
        }
        let all: Vec<SeatId> = self.seats().collect();
        for (one, other) in invites(settings.shape, all.len()) {
            self.bring(all[one], all[other]);
        }
        self.chosen = all.first().copied();
        self.watch.note(now, words::started(all.len(), settings.shape));
    }

    /// Somebody new. The one place where a participant's room is made.
    fn seat_one(&mut self, now: Time, name: Option<String>) -> SeatId {
        let id = SeatId(self.next_seat);
        self.next_seat += 1;
        let name = name.unwrap_or_else(|| self.free_name());
        let mut config = Config::default();
        config.flows.pairs_max = 0;
        if self.settings.links == Links::Invited {
            config.node.attempts_max = 0;
        }
        let (clock, keys) = (self.calendar(now), self.dice.seed());
        // The first one founds the conference; the others are let in by whoever is in.
        let trust = match self.seats.first() {
            Some(first) => Trust::apply(keys, first.conference.clone()),
            None => Trust::found(keys, Claim::default(), BOUNDS, clock),
        };
        let conference = trust.conference().clone();
        let seed = self.dice.seed();
        let room = Room::new(config, now, clock, trust, &name, seed);
        self.seats.push(Seat::new(id, name, conference, room));
        self.drain(now, id);
        id
    }

    fn free_name(&self) -> String {
        let taken = |name: &str| self.seats.iter().any(|seat| seat.name == name);
        let free = words::NAMES.iter().copied().find(|name| !taken(name));
        free.unwrap_or("Guest").to_owned()
    }

    /// The chosen participant invites another; when it cannot, the first who can does.
    pub(super) fn add(&mut self, now: Time) {
        if self.seats.len() >= PARTICIPANTS_MAX {
            return;
        }
        let chosen = self.chosen.filter(|seat| self.is_running(*seat));
        let inviter = chosen.or_else(|| self.running().next());
        let id = self.seat_one(now, None);
        if let Some(inviter) = inviter {
            let side = self.seat(inviter).map_or(0, |seat| seat.side);
            if let Some(seat) = self.seat_mut(id) {
                seat.side = side;
            }
            self.bring(inviter, id);
            let told = words::invited(self.name(inviter), self.name(id));
            self.watch.note(now, told);
        }
        self.chosen = Some(id);
    }

    pub(super) fn press(&mut self, now: Time, seat: SeatId) {
        match self.chosen.filter(|_| self.is_linking) {
            Some(chosen) if chosen != seat => {
                self.is_linking = false;
                if self.are_linked(chosen, seat) {
                    self.cut(now, chosen, seat);
                } else {
                    self.connect(now, chosen, seat);
                }
            }
            Some(_) | None => self.chosen = Some(seat),
        }
    }

    pub(super) fn connect(&mut self, now: Time, one: SeatId, other: SeatId) {
        let is_possible = one != other
            && self.is_running(one)
            && self.is_running(other)
            && !self.are_apart(one, other)
            && !self.are_linked(one, other);
        if is_possible {
            self.bring(one, other);
            self.forget_cut(one, other);
            self.watch.note(now, words::connected(self.name(one), self.name(other)));
        }
    }

    /// Brings a link between two, as an invite would.
    fn bring(&mut self, one: SeatId, other: SeatId) {
        let Some(there) = self.seat_mut(other).map(Seat::next_link) else { return };
        let Some(seat) = self.seat_mut(one) else { return };
        let here = seat.next_link();
        seat.wires.insert(here, Wire::new(other, true, Some(there)));
        self.effects.push_back(Effect::Dial(End { seat: one, link: here }));
        if let Some(seat) = self.seat_mut(other) {
            seat.wires.insert(there, Wire::new(one, false, Some(here)));
        }
    }

    pub(super) fn cut(&mut self, now: Time, one: SeatId, other: SeatId) {
        if !self.are_linked(one, other) {
            return;
        }
        self.cut_between(now, one, other);
        self.cuts.push((one, other));
        self.watch.note(now, words::cut(self.name(one), self.name(other)));
    }

    /// Whether the person has cut the link between these; from now on that is over.
    fn forget_cut(&mut self, one: SeatId, other: SeatId) -> bool {
        let before = self.cuts.len();
        self.cuts.retain(|cut| *cut != (one, other) && *cut != (other, one));
        self.cuts.len() < before
    }

    /// One end closes, the other will hear of it. A frozen or crashed one closes nothing, so the other end does.
    fn cut_between(&mut self, now: Time, one: SeatId, other: SeatId) {
        let (here, there) = if self.is_running(one) { (one, other) } else { (other, one) };
        let Some(seat) = self.seat(here) else { return };
        for link in seat.wires_to(there).map(|(link, _)| link).collect::<Vec<_>>() {
            self.break_end(now, End { seat: here, link });
        }
    }

    /// Closes one end at once, and tells whose it is.
    fn break_end(&mut self, now: Time, end: End) {
        self.effects.push_back(Effect::Cut(end));
        if self.seat_mut(end.seat).is_some_and(|seat| seat.drop_wire(end.link).is_some()) {
            self.tell(now, end.seat, Input::Down { link: end.link });
        }
    }

    pub(super) fn split(&mut self, now: Time) {
        if self.is_split || self.seats.len() < 2 {
            return;
        }
        self.is_split = true;
        let half = self.half();
        for seat in &mut self.seats {
            seat.side = usize::from(!half.contains(&seat.id));
        }
        let all: Vec<SeatId> = self.seats().collect();
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                if self.are_apart(*one, *other) {
                    self.cut_between(now, *one, *other);
                }
            }
        }
        self.watch.note(now, words::SPLIT.to_owned());
    }

    /// Half of those who run, so that neither half falls apart by itself; the first half when there is no such half.
    fn half(&self) -> Vec<SeatId> {
        let running: Vec<SeatId> = self.running().collect();
        let count = running.len().div_ceil(2);
        let halves = running.iter().map(|from| {
            let mut half = self.reach(*from, &running);
            half.truncate(count);
            half
        });
        let holds = |half: &Vec<SeatId>| {
            let rest: Vec<SeatId> =
                running.iter().copied().filter(|seat| !half.contains(seat)).collect();
            let whole = rest.first().map_or(0, |first| self.reach(*first, &rest).len());
            half.len() == count && whole == rest.len()
        };
        let found = halves.into_iter().find(holds);
        found.unwrap_or_else(|| running.into_iter().take(count).collect())
    }

    /// Takes the wall away, and connects the parts: the first of each invites the first of the next.
    pub(super) fn heal(&mut self, now: Time) {
        self.is_split = false;
        self.seats.iter_mut().for_each(|seat| seat.side = 0);
        let heads: Vec<SeatId> = self.parts().into_iter().map(|part| part[0]).collect();
        for pair in heads.windows(2) {
            self.bring(pair[0], pair[1]);
        }
        self.watch.note(now, words::healed(heads.len().saturating_sub(1)));
    }

    pub(super) fn freeze(&mut self, now: Time, seat: SeatId) {
        if let Some(found) = self.seat_mut(seat).filter(|seat| seat.is_running()) {
            found.freeze();
            self.watch.note(now, words::froze(self.name(seat)));
        }
    }

    pub(super) fn thaw(&mut self, now: Time, seat: SeatId) {
        let frozen = self.seat_mut(seat).filter(|seat| seat.health() == Health::Frozen);
        let Some(waiting) = frozen.map(Seat::thaw) else { return };
        // A tab that wakes is told the time first, and then reads its mail.
        self.tell(now, seat, Input::Timeout);
        for input in waiting {
            self.tell(now, seat, input);
        }
        self.watch.note(now, words::thawed(self.name(seat)));
    }

    pub(super) fn crash(&mut self, now: Time, seat: SeatId) {
        if let Some(found) = self.seat_mut(seat).filter(|seat| seat.health() != Health::Crashed) {
            found.crash(now + LINGER);
            self.watch.note(now, words::crashed(self.name(seat)));
        }
    }

    /// What is left of a crashed participant's connections goes.
    pub(super) fn take_away(&mut self, seat: SeatId) {
        let Some(found) = self.seat_mut(seat) else { return };
        let ends: Vec<End> = found.wires.keys().map(|link| found.end(*link)).collect();
        for end in &ends {
            found.drop_wire(end.link);
        }
        self.effects.extend(ends.into_iter().map(Effect::Cut));
    }

    /// A crashed participant joins anew, under its name, by an invite of the first who can.
    pub(super) fn bring_back(&mut self, now: Time, seat: SeatId) {
        let Some(at) = self.seats.iter().position(|other| other.id == seat) else { return };
        if self.seats[at].health() != Health::Crashed {
            return;
        }
        self.take_away(seat);
        let (name, side) = (self.seats[at].name.clone(), self.seats[at].side);
        self.seats.remove(at);
        self.sweep_desks();
        let inviter = self.running().find(|other| {
            self.seat(*other).is_some_and(|other| !self.is_split || other.side == side)
        });
        let id = self.seat_one(now, Some(name));
        // In its old place.
        let mut fresh = self.seats.pop().expect("somebody was just seated");
        fresh.side = side;
        self.seats.insert(at, fresh);
        if let Some(inviter) = inviter {
            self.bring(inviter, id);
        }
        self.chosen = Some(id);
        self.watch.note(now, words::returned(self.name(id)));
    }

    /// Says goodbye. A crashed one cannot, it is only put away.
    pub(super) fn leave(&mut self, now: Time, seat: SeatId) {
        let Some(at) = self.seats.iter().position(|other| other.id == seat) else { return };
        let told = match self.seats[at].health() {
            Health::Crashed => {
                self.take_away(seat);
                words::removed
            }
            Health::Frozen | Health::Running => {
                self.thaw(now, seat);
                self.tell(now, seat, Input::Do(room::Command::Leave));
                self.settle(now);
                words::left
            }
        };
        self.watch.note(now, told(self.name(seat)));
        // What its room hung up closes gently; nothing else is open.
        self.seats.remove(at);
        self.sweep_desks();
        if self.chosen == Some(seat) {
            let next = self.seats.get(at).or(self.seats.last());
            self.chosen = next.map(|seat| seat.id);
        }
    }

    pub(super) fn say(&mut self, now: Time, seat: SeatId, text: &str) {
        if self.is_running(seat) && !text.trim().is_empty() {
            self.tell(now, seat, Input::Do(room::Command::Say(text.to_owned())));
            self.watch.note(now, words::said(self.name(seat)));
        }
    }

    pub(super) fn on_described(&mut self, now: Time, end: End, description: String) {
        let Some(wire) = self.wire(end) else { return };
        match wire.brought {
            Some(link) => {
                let there = End { seat: wire.peer, link };
                self.effects.push_back(if wire.dials {
                    Effect::Answer { end: there, offer: description }
                } else {
                    Effect::Apply { end: there, answer: description }
                });
            }
            None => self.tell(now, end.seat, Input::Described { link: end.link, description }),
        }
    }

    pub(super) fn on_undescribed(&mut self, now: Time, end: End) {
        let Some(wire) = self.wire(end) else { return };
        if let Some(seat) = self.seat_mut(end.seat) {
            seat.drop_wire(end.link);
        }
        self.effects.push_back(Effect::Cut(end));
        match wire.brought {
            Some(link) => self.break_end(now, End { seat: wire.peer, link }),
            None => self.tell(now, end.seat, Input::Undescribed { link: end.link }),
        }
    }

    pub(super) fn on_opened(&mut self, now: Time, end: End) {
        let Some(wire) = self.wire(end) else { return };
        let node = self.seat(wire.peer).map(Seat::node);
        match node.filter(|_| !self.are_apart(end.seat, wire.peer)) {
            Some(peer) => {
                if let Some(seat) = self.seat_mut(end.seat)
                    && let Some(wire) = seat.wires.get_mut(&end.link)
                {
                    wire.is_open = true;
                }
                let is_brought = self.wire(end).is_some_and(|wire| wire.brought.is_some());
                let invite = is_brought.then_some(InviteId(peer.0));
                let (link, binding, claim) = (end.link, Vec::new(), Claim::default());
                let up = Input::Up { link, peer, binding, claim, invite };
                self.tell(now, end.seat, up);
                if self.forget_cut(end.seat, wire.peer) && !is_brought {
                    let (one, other) = (self.name(end.seat), self.name(wire.peer));
                    self.watch.note(now, words::relinked(one, other));
                }
            }
            None => self.break_end(now, end),
        }
    }

    pub(super) fn on_received(&mut self, now: Time, end: End, frame: Vec<u8>) {
        let Some(seat) = self.seat_mut(end.seat) else { return };
        let Some(wire) = seat.wires.get_mut(&end.link) else { return };
        wire.heard.count(&frame);
        if !seat.tell(now, Input::Received { link: end.link, frame }) {
            self.break_end(now, end);
        }
        self.drain(now, end.seat);
    }

    pub(super) fn on_closed(&mut self, now: Time, end: End) {
        if self.wire(end).is_some() {
            self.break_end(now, end);
        }
    }

    pub(super) fn tell(&mut self, now: Time, seat: SeatId, input: Input) {
        if let Some(found) = self.seat_mut(seat) {
            found.tell(now, input);
            self.drain(now, seat);
        }
    }

    /// Carries everything to its end.
    pub(super) fn settle(&mut self, now: Time) {
        while let Some((seat, input)) = self.waiting.pop_front() {
            self.tell(now, seat, input);
        }
    }

    /// Does what the room of a participant wants done.
    pub(super) fn drain(&mut self, now: Time, id: SeatId) {
        while let Some(output) = self.seat_mut(id).and_then(|seat| seat.room.poll()) {
            match output {
                Output::Send { link, frame } => self.send(now, End { seat: id, link }, frame),
                Output::Dial { link, peer } => {
                    if self.expect(id, link, peer, true) {
                        self.effects.push_back(Effect::Dial(End { seat: id, link }));
                    }
                }
                Output::Answer { link, peer, offer } => {
                    if self.expect(id, link, peer, false) {
                        let end = End { seat: id, link };
                        self.effects.push_back(Effect::Answer { end, offer });
                    }
                }
                Output::Apply { link, answer } => {
                    let end = End { seat: id, link };
                    self.effects.push_back(Effect::Apply { end, answer });
                }
                Output::Hang { link } => {
                    if let Some(seat) = self.seat_mut(id) {
                        seat.drop_wire(link);
                    }
                    self.effects.push_back(Effect::Hang(End { seat: id, link }));
                }
                Output::Flush { link } => {
                    self.effects.push_back(Effect::Flush(End { seat: id, link }));
                }
                Output::Store(event) => self.tell_desks(id, &event),
                // There are no pictures here, what stands on the screen is read from the room, and nobody else brings
                // those together who have lost each other: that is for the person to do.
                Output::Media(_) | Output::Event(_) | Output::Seek { .. } => {}
            }
        }
    }

    fn send(&mut self, now: Time, end: End, frame: Vec<u8>) {
        let wire = self.seat_mut(end.seat).and_then(|seat| seat.wires.get_mut(&end.link));
        if let Some(wire) = wire {
            wire.sent.count(&frame);
            if node::glance(&frame) != node::Glance::Beat {
                wire.busy = Some(now);
            }
        }
        self.effects.push_back(Effect::Send { end, frame });
    }

    /// Notes an end that a node asks for. What cannot be made is told to it in its next turn.
    fn expect(&mut self, id: SeatId, link: LinkId, peer: NodeId, dials: bool) -> bool {
        let there = self.seats.iter().find(|seat| seat.node() == peer).map(|seat| seat.id);
        let there = there.filter(|there| !self.are_apart(id, *there));
        let Some(there) = there else {
            self.waiting.push_back((id, Input::Undescribed { link }));
            return false;
        };
        if let Some(seat) = self.seat_mut(id) {
            seat.wires.insert(link, Wire::new(there, dials, None));
        }
        true
    }

    fn wire(&self, end: End) -> Option<Wire> {
        self.seat(end.seat)?.wires.get(&end.link).copied()
    }

    pub(super) fn is_running(&self, seat: SeatId) -> bool {
        self.seat(seat).is_some_and(Seat::is_running)
    }

    pub(super) fn running(&self) -> impl Iterator<Item = SeatId> {
        self.seats.iter().filter(|seat| seat.is_running()).map(|seat| seat.id)
    }

    /// Whether a wall stands between two.
    pub(super) fn are_apart(&self, one: SeatId, other: SeatId) -> bool {
        let side = |seat| self.seat(seat).map(|seat| seat.side);
        self.is_split && side(one) != side(other)
    }

    /// Whether there is a link between two, or one on its way.
    pub(super) fn are_linked(&self, one: SeatId, other: SeatId) -> bool {
        let leads =
            |from, to| self.seat(from).is_some_and(|seat| seat.wires_to(to).next().is_some());
        leads(one, other) || leads(other, one)
    }
}

/// Who invites whom.
fn invites(shape: Shape, count: usize) -> Vec<(usize, usize)> {
    let each = 1..count;
    match shape {
        Shape::Chain => each.map(|at| (at - 1, at)).collect(),
        Shape::Star => each.map(|at| (0, at)).collect(),
        Shape::Tree => each.map(|at| ((at - 1) / 2, at)).collect(),
        Shape::Ring => {
            let closing = (count > 2).then(|| (count - 1, 0));
            each.map(|at| (at - 1, at)).chain(closing).collect()
        }
        Shape::Mesh => each.flat_map(|at| (0..at).map(move |other| (other, at))).collect(),
    }
}
