//! The page `/emulator`: drives [`ui::emulator`] over real connections, all of whose ends are in this page.
//!
//! ```text
//!   ends ───described, opened, received, closed──▶ ┌──────────┐ ──dial, answer, send, cut──▶ ends    wires
//!   person ─gestures─────────────────────────────▶ │ Emulator │ ──view──▶ screen                     draw
//!                                                  └──────────┘
//! ```
//!
//! The example page at `/storage` has the participants alone: its own scripts ask for their stores.
//!
//! The address may say what to begin with: `?nodes=12&shape=ring&links=invited&seed=7&story`.

mod counter;
mod draw;

use std::cell::RefCell;
use std::time::Duration;

use platform::dom::Screen;
use platform::time::Ticker;
use platform::{Listener, Timer, dice, now, page, today};
use ui::emulator::{Effect, Emulator, End, Event, Gesture, Links, Settings, View};

use crate::broken;
use crate::wires::{Told, Wires};
use counter::Counter;

/// How often the screen is drawn at most while nobody touches it, and how finely is measured how long things take.
const TICK: Duration = Duration::from_millis(100);

thread_local! {
    /// The one emulator of this page. Everything that is heard arrives in a turn of its own, so it is never
    /// borrowed twice.
    static SHELL: RefCell<Option<Shell>> = const { RefCell::new(None) };
}

struct Shell {
    emulator: Emulator,
    wires: Wires<End>,
    /// The page at `/storage` has one of its own.
    screen: Option<Screen<View>>,
    counter: Counter,
    timer: Option<Timer>,
    _ticker: Ticker,
    _listener: Listener,
}

/// Starts the page.
pub fn start() {
    broken::watch();
    let query = page::query();
    let path = page::path();
    let is_example = path.trim_end_matches(".html").ends_with("/storage");
    let shell = Shell {
        emulator: Emulator::new(now(), today(), settings(&query, is_example)),
        wires: Wires::new(tell),
        screen: (!is_example).then(|| Screen::new(draw::body)),
        counter: Counter::default(),
        timer: None,
        _listener: counter::open(),
        _ticker: Ticker::every(TICK, || {
            with(|shell| {
                shell.event(Event::Tick);
                shell.show();
            });
        }),
    };
    SHELL.set(Some(shell));
    with(|shell| {
        if query.split('&').any(|word| word == "story") {
            shell.emulator.on_gesture(now(), Gesture::ToggleStory);
        }
        shell.show();
    });
}

/// What the address says, and defaults for the rest.
fn settings(query: &str, is_example: bool) -> Settings {
    let word = |name| page::parameter(query, name);
    let mut default = Settings { seed: fresh_seed(), ..Settings::default() };
    if is_example {
        default.participants = 2;
    }
    Settings {
        participants: parsed(word("nodes")).unwrap_or(default.participants),
        shape: parsed(word("shape")).unwrap_or(default.shape),
        links: if word("links").as_deref() == Some("invited") {
            Links::Invited
        } else {
            Links::Own
        },
        seed: parsed(word("seed")).unwrap_or(default.seed),
    }
}

fn parsed<T: std::str::FromStr>(word: Option<String>) -> Option<T> {
    word?.trim().parse().ok()
}

/// A number short enough to be told to somebody.
fn fresh_seed() -> u64 {
    let [one, other, ..] = dice::seed().0;
    u64::from(u16::from_le_bytes([one, other]))
}

/// Does something with the emulator, and then everything that follows from it.
fn with(act: impl FnOnce(&mut Shell)) {
    SHELL.with_borrow_mut(|shell| {
        if let Some(shell) = shell {
            act(shell);
            shell.settle();
        }
    });
}

/// What the person does.
fn gesture(gesture: Gesture) {
    with(|shell| {
        shell.emulator.on_gesture(now(), gesture);
        shell.show();
    });
}

/// What becomes of an end.
fn tell(end: End, told: Told) {
    with(|shell| {
        shell.event(match told {
            Told::Described(description) => Event::Described { end, description },
            Told::Undescribed => Event::Undescribed { end },
            Told::Opened => Event::Opened { end },
            Told::Received(frame) => Event::Received { end, frame },
            Told::Flushed => Event::Flushed { end },
            Told::Closed => Event::Closed { end },
        });
    });
}

impl Shell {
    fn event(&mut self, event: Event) {
        self.emulator.on_event(now(), event);
    }

    fn show(&self) {
        if let Some(screen) = &self.screen {
            screen.show(self.emulator.view(now()));
        }
    }

    /// Carries everything to its end.
    fn settle(&mut self) {
        while let Some(effect) = self.emulator.poll() {
            match effect {
                Effect::Dial(end) => self.wires.dial(end),
                Effect::Answer { end, offer } => self.wires.answer(end, &offer),
                Effect::Apply { end, answer } => self.wires.apply(end, &answer),
                Effect::Send { end, frame } => self.wires.send(end, frame),
                Effect::Flush(end) => self.wires.flush(end),
                Effect::Tell { desk, text } => self.counter.tell(desk, &text),
                Effect::Hang(end) => self.wires.hang(end),
                Effect::Cut(end) => self.wires.cut(end),
            }
        }
        let next = self.emulator.timeout();
        self.timer =
            next.map(|moment| Timer::at(moment, || with(|shell| shell.event(Event::Tick))));
    }
}
