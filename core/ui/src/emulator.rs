//! The emulator: up to thirty participants of one conference on one page, and what can happen to them.
//!
//! Every participant is the very [`room::Room`] that a conference page drives, and their links are whatever the driver
//! makes of them: real peer connections in a browser, a table in memory in a test. The emulator adds what a
//! conference lacks: it brings the first links, as invites would; it cuts, crashes, freezes and splits; and it sees
//! everybody's state at once, so that it can say when all agree again.
//!
//! ```text
//!                    Gesture                          View
//!    person ──────────────────▶ ┌────────────────┐ ───────────▶ renderer
//!                               │ Emulator       │
//!    driver ──────────────────▶ │  Seat  Seat  … │ ───────────▶ driver
//!        opened, received,      │  Room  Room  … │   dial, answer, apply, send, hang, cut
//!        closed, described      └────────────────┘
//! ```
//!
//! A link has two ends, and each is named by a participant and its own number ([`End`]). An end that a node asked for
//! is signalled over the network itself, as in a conference. An end that the emulator brought is signalled here, since
//! an invite would have carried it.
//!
//! What happens to participants, and how it looks to the others:
//!
//! | here | in the world |
//! |---|---|
//! | cut | one end closes the connection; the other hears of it from the transport |
//! | freeze | a tab in the background, a lid that is closed: it says nothing, and reads its mail when it thaws |
//! | crash | the power is gone: it says nothing, and nobody is told |
//! | leave | it says goodbye |
//! | split | no link between the two halves holds, and none can be made |
//! | heal | links hold again, and one invite goes from each part to the next |
//!
//! **Invariant:** a participant that is frozen or crashed neither sends nor decides anything.
//!
//! **Invariant:** what is said about agreement is read from the participants, never assumed: two agree when they hold the
//! same writes, list the same people, and that list is right.
//!
//! **Limits:** [`PARTICIPANTS_MAX`] participants; what waits for a frozen one is bounded by [`WAITING_BYTES_MAX`].

mod agree;
mod api;
mod desks;
mod graph;
mod network;
mod seat;
mod story;
mod view;
mod words;

use std::collections::VecDeque;
use std::time::Duration;

use room::store::Desk;
use wire::{Dice, Map, Seed, Time, Timestamp};

pub use agree::{Agreement, Standing};
pub use api::{
    DeskId, Effect, End, Event, Gesture, Lens, Links, Malformed, PARTICIPANTS_MAX, SeatId,
    Settings, Shape, Tab, WAITING_BYTES_MAX,
};
pub use graph::{Dot, SIDE, Stroke};
pub use seat::{Health, Traffic};
pub use view::{Chosen, Deed, Line, Neighbour, Participant, Row, Tone, Tool, ToolId, View};

use agree::Watch;
use seat::Seat;
use story::Story;

/// How long the connections of a crashed participant stay before they are taken away: longer than any neighbour waits.
const LINGER: Duration = Duration::from_secs(30);

/// Up to thirty participants of one conference.
#[derive(Debug)]
pub struct Emulator {
    settings: Settings,
    dice: Dice,
    /// The calendar at `Time::ZERO`, in milliseconds.
    calendar_at_zero: u64,
    seats: Vec<Seat>,
    next_seat: u32,
    is_split: bool,
    /// Between whom the person has cut the link, as long as they have not linked themselves again.
    cuts: Vec<(SeatId, SeatId)>,
    chosen: Option<SeatId>,
    is_linking: bool,
    lens: Lens,
    tab: Tab,
    watch: Watch,
    story: Option<Story>,
    desks: Map<DeskId, (SeatId, Desk)>,
    next_desk: u32,
    /// What to tell participants as soon as the current one is done.
    waiting: VecDeque<(SeatId, room::Input)>,
    effects: VecDeque<Effect>,
}

impl Emulator {
    /// A conference as `settings` say. `clock` is the calendar time at `now`.
    #[must_use]
    pub fn new(now: Time, clock: Timestamp, settings: Settings) -> Self {
        let passed = u64::try_from(now.since_origin().as_millis()).unwrap_or(u64::MAX);
        let mut emulator = Self {
            settings,
            dice: Dice::new(Seed::story(settings.seed)),
            calendar_at_zero: clock.0.saturating_sub(passed),
            seats: Vec::new(),
            next_seat: 0,
            is_split: false,
            cuts: Vec::new(),
            chosen: None,
            is_linking: false,
            lens: Lens::Links,
            tab: Tab::Talk,
            watch: Watch::default(),
            story: None,
            desks: Map::new(),
            next_desk: 0,
            waiting: VecDeque::new(),
            effects: VecDeque::new(),
        };
        emulator.start(now, settings);
        emulator
    }

    /// Takes in what happened to a link, or that time has passed.
    pub fn on_event(&mut self, now: Time, event: Event) {
        match event {
            Event::Tick => self.on_tick(now),
            Event::Described { end, description } => self.on_described(now, end, description),
            Event::Undescribed { end } => self.on_undescribed(now, end),
            Event::Opened { end } => self.on_opened(now, end),
            Event::Received { end, frame } => self.on_received(now, end, frame),
            Event::Flushed { end } => {
                self.tell(now, end.seat, room::Input::Flushed { link: end.link });
            }
            Event::Closed { end } => self.on_closed(now, end),
        }
        self.settle(now);
    }

    /// Takes in what the person does.
    pub fn on_gesture(&mut self, now: Time, gesture: Gesture) {
        match gesture {
            Gesture::Start(settings) => self.start(now, settings),
            Gesture::Choose(seat) => self.chosen = Some(seat),
            Gesture::Press(seat) => self.press(now, seat),
            Gesture::ToggleLinking => self.is_linking = !self.is_linking,
            Gesture::Show(lens) => self.lens = lens,
            Gesture::Open(tab) => self.tab = tab,
            Gesture::Add => self.add(now),
            Gesture::Connect(one, other) => self.connect(now, one, other),
            Gesture::Cut(one, other) => self.cut(now, one, other),
            Gesture::Split => self.split(now),
            Gesture::Heal => self.heal(now),
            Gesture::Freeze(seat) => self.freeze(now, seat),
            Gesture::Thaw(seat) => self.thaw(now, seat),
            Gesture::Crash(seat) => self.crash(now, seat),
            Gesture::Return(seat) => self.bring_back(now, seat),
            Gesture::Leave(seat) => self.leave(now, seat),
            Gesture::Say(seat, text) => self.say(now, seat, &text),
            Gesture::ToggleStory => {
                self.story = if self.story.is_some() { None } else { Some(Story::new(now)) };
            }
            Gesture::ResetCounters => self.seats.iter_mut().for_each(Seat::reset_traffic),
        }
        self.settle(now);
    }

    /// What the driver is to do next, until `None`.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to come back with [`Event::Tick`]; sooner is harmless.
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        let seats = self.seats.iter().filter_map(Seat::timeout);
        seats.chain(self.story.as_ref().map(Story::timeout)).min()
    }

    /// The participants, in the order in which they came.
    pub fn seats(&self) -> impl Iterator<Item = SeatId> {
        self.seats.iter().map(|seat| seat.id)
    }

    /// The conference as a participant sees it; `None` when there is no such participant.
    #[must_use]
    pub fn room(&self, seat: SeatId) -> Option<&room::Room> {
        self.seat(seat).map(|seat| &seat.room)
    }

    /// The participant of that name, once it is here.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<SeatId> {
        self.seats.iter().find(|seat| seat.name == name).map(|seat| seat.id)
    }

    fn on_tick(&mut self, now: Time) {
        let due = self.seats.iter().filter(|seat| seat.timeout().is_some_and(|at| at <= now));
        for seat in due.map(|seat| (seat.id, seat.health())).collect::<Vec<_>>() {
            match seat {
                (seat, Health::Crashed) => self.take_away(seat),
                (seat, Health::Running | Health::Frozen) => {
                    self.tell(now, seat, room::Input::Timeout);
                }
            }
        }
        self.settle(now);
        let (agreement, is_split) = (self.agreement(), self.is_split);
        self.watch.look(now, &agreement, is_split);
        self.go_on(now);
    }

    fn seat(&self, seat: SeatId) -> Option<&Seat> {
        self.seats.iter().find(|other| other.id == seat)
    }

    fn seat_mut(&mut self, seat: SeatId) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|other| other.id == seat)
    }

    fn name(&self, seat: SeatId) -> &str {
        self.seat(seat).map_or("nobody", |seat| &seat.name)
    }

    fn calendar(&self, now: Time) -> Timestamp {
        let passed = u64::try_from(now.since_origin().as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.calendar_at_zero.saturating_add(passed))
    }
}
