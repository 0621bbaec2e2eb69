//! Applications that ask for the store of a participant: the inspector of the page, and whatever else runs there.

use node::Event;
use room::store::Desk;
use wire::Time;

use super::Emulator;
use super::api::{DeskId, Effect, SeatId};
use super::seat::Health;

impl Emulator {
    /// A place to ask for the store of the participant called `name`; `None` when there is none, or too many ask.
    pub fn open_store(&mut self, name: &str) -> Option<DeskId> {
        let seat = self.named(name).filter(|_| self.desks.len() < DESKS_MAX)?;
        let id = DeskId(self.next_desk);
        self.next_desk += 1;
        self.desks.insert(id, (seat, Desk::default()));
        Some(id)
    }

    /// Asks, and gives the reply. What is told besides comes as [`Effect::Tell`].
    pub fn ask(&mut self, now: Time, desk: DeskId, request: &str) -> String {
        let Some((seat, desk)) = self.desks.get_mut(&desk) else {
            return room::store::refuse(
                request,
                "closed",
                "The participant is gone. Open the store of another.",
            );
        };
        let id = *seat;
        let seat = self.seats.iter_mut().find(|seat| seat.id == id);
        let Some(seat) = seat else {
            return room::store::refuse(
                request,
                "closed",
                "The participant is gone. Open the store of another.",
            );
        };
        let reply = match seat.health() {
            Health::Running => desk.ask(now, &mut seat.room, request),
            Health::Frozen => {
                room::store::refuse(request, "frozen", "The participant is frozen. Thaw it first.")
            }
            Health::Crashed => room::store::refuse(
                request,
                "crashed",
                "The participant crashed. Bring it back first.",
            ),
        };
        self.drain(now, id);
        self.settle(now);
        reply
    }

    /// The application goes.
    pub fn close_store(&mut self, now: Time, desk: DeskId) {
        let Some((id, mut desk)) = self.desks.remove(&desk) else { return };
        if let Some(seat) = self.seat_mut(id) {
            desk.close(now, &mut seat.room);
            self.drain(now, id);
        }
    }

    /// Tells the applications of a participant what happened in its store.
    pub(super) fn tell_desks(&mut self, seat: SeatId, event: &Event) {
        for (id, (of, desk)) in self.desks.iter_mut() {
            if *of == seat
                && let Some(text) = desk.tell(event)
            {
                self.effects.push_back(Effect::Tell { desk: *id, text });
            }
        }
    }

    /// Closes what was opened for participants that are no longer there.
    pub(super) fn sweep_desks(&mut self) {
        let seats = &self.seats;
        let is_gone = |seat: SeatId| seats.iter().all(|other| other.id != seat);
        for (id, (seat, desk)) in self.desks.iter_mut() {
            if is_gone(*seat)
                && let Some(text) = desk.tell(&Event::Closed)
            {
                self.effects.push_back(Effect::Tell { desk: *id, text });
            }
        }
        self.desks.retain(|_, (seat, _)| !is_gone(*seat));
    }
}

/// How many applications may ask at a time. Guess: two for each participant, and some that forgot to say goodbye.
const DESKS_MAX: usize = 100;
