//! Sounds, made of notes: nothing is loaded and nothing is anybody's recording.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use web_sys::{AudioContext, AudioContextState, GainNode, OscillatorType};

use crate::media::audio_context;
use crate::page::window;
use crate::time::{Ticker, sleep};
use crate::{Fault, Listener};

/// How long a note takes to rise and to fall, in seconds: without, it clicks.
const EDGE: f64 = 0.015;

/// How far ahead a repeated tune is arranged, in seconds: browsers wake a long hidden tab once a minute.
const AHEAD: f64 = 65.0;

/// What is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tune {
    /// Somebody calls: until it is answered.
    Ring,
    /// It rings at the other side: until somebody answers.
    Ringback,
    /// Somebody came.
    Join,
    /// Somebody went.
    Leave,
    /// A message was written.
    Message,
    /// Somebody answered.
    Tick,
    /// The answer was no.
    Declined,
    /// The other side is in another call.
    Busy,
    /// It came to nothing.
    Ended,
}

/// One note.
struct Note {
    /// From the start of the tune, in seconds.
    at: f64,
    /// In seconds.
    long: f64,
    /// In hertz.
    pitch: f32,
    /// 1 is full scale.
    loud: f32,
}

const fn note(at: f64, long: f64, pitch: f32, loud: f32) -> Note {
    Note { at, long, pitch, loud }
}

static RING: [Note; 4] = [
    note(0.0, 0.35, 659.3, 0.3),
    note(0.35, 0.35, 784.0, 0.3),
    note(0.70, 0.35, 659.3, 0.3),
    note(1.05, 0.45, 987.8, 0.3),
];
static RINGBACK: [Note; 1] = [note(0.0, 1.0, 425.0, 0.06)];
static JOIN: [Note; 2] = [note(0.0, 0.12, 523.3, 0.12), note(0.11, 0.2, 784.0, 0.12)];
static LEAVE: [Note; 2] = [note(0.0, 0.12, 523.3, 0.12), note(0.11, 0.2, 349.2, 0.12)];
static MESSAGE: [Note; 1] = [note(0.0, 0.09, 880.0, 0.08)];
static TICK: [Note; 1] = [note(0.0, 0.06, 1_046.5, 0.1)];
static DECLINED: [Note; 2] = [note(0.0, 0.14, 392.0, 0.12), note(0.16, 0.2, 311.1, 0.12)];
static BUSY: [Note; 3] =
    [note(0.0, 0.25, 425.0, 0.08), note(0.5, 0.25, 425.0, 0.08), note(1.0, 0.25, 425.0, 0.08)];
static ENDED: [Note; 1] = [note(0.0, 0.3, 220.0, 0.14)];

impl Tune {
    fn notes(self) -> &'static [Note] {
        match self {
            Self::Ring => &RING,
            Self::Ringback => &RINGBACK,
            Self::Join => &JOIN,
            Self::Leave => &LEAVE,
            Self::Message => &MESSAGE,
            Self::Tick => &TICK,
            Self::Declined => &DECLINED,
            Self::Busy => &BUSY,
            Self::Ended => &ENDED,
        }
    }

    /// From one beginning to the next, when it is repeated.
    fn period(self) -> Duration {
        match self {
            Self::Ring => Duration::from_secs(3),
            Self::Ringback => Duration::from_secs(5),
            Self::Join
            | Self::Leave
            | Self::Message
            | Self::Tick
            | Self::Declined
            | Self::Busy
            | Self::Ended => Duration::from_secs(2),
        }
    }
}

/// Plays `tune` once, if the page may make sounds.
pub fn play(tune: Tune) {
    if let Ok(voice) = Voice::new() {
        voice.sing(tune);
        crate::spawn(async move {
            sleep(tune.period()).await;
            drop(voice);
        });
    }
}

/// Whether the page may make no sound yet, because the person has not touched it.
#[must_use]
pub fn is_blocked() -> bool {
    audio_context().is_ok_and(|context| context.state() != AudioContextState::Running)
}

/// Asks to be allowed to make sounds. Works in a gesture of the person.
pub fn unlock() {
    if let Ok(context) = audio_context() {
        drop(context.resume());
    }
}

/// Hears when the page may make sounds, or may no longer.
///
/// # Errors
///
/// When the browser has no audio output.
pub fn on_permission(mut hear: impl FnMut(bool) + 'static) -> Result<Listener, Fault> {
    let context = audio_context()?;
    let asked = context.clone();
    Ok(Listener::new(&context, "statechange", move |_| {
        hear(asked.state() == AudioContextState::Running);
    }))
}

/// Plays a tune again and again until dropped. While the page may make no sound it waits, and starts once it may.
#[must_use = "a loop that is dropped is silent"]
pub struct Loop {
    voice: Rc<RefCell<Option<Voice>>>,
    _ticker: Ticker,
}

impl Loop {
    /// Starts.
    pub fn new(tune: Tune) -> Self {
        unlock();
        let voice = Rc::new(RefCell::new(Voice::new().ok()));
        let sing = {
            let voice = Rc::clone(&voice);
            move || {
                if let Some(voice) = &mut *voice.borrow_mut() {
                    voice.sing_on(tune);
                }
                if tune == Tune::Ring {
                    vibrate();
                }
            }
        };
        sing();
        Self { voice, _ticker: Ticker::every(tune.period(), sing) }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        // Silences what is sounding at this moment.
        self.voice.take();
    }
}

/// What notes sound through; silent when dropped.
struct Voice {
    context: AudioContext,
    out: GainNode,
    /// Up to when a repeated tune is arranged, on the clock of the context.
    arranged: f64,
}

impl Voice {
    fn new() -> Result<Self, Fault> {
        let fault = Fault::thrown("Making a sound");
        let context = audio_context()?;
        let out = context.create_gain().map_err(&fault)?;
        out.connect_with_audio_node(&context.destination()).map_err(&fault)?;
        Ok(Self { context, out, arranged: 0.0 })
    }

    /// Sings `tune` once, from now on.
    fn sing(&self, tune: Tune) {
        // On a clock that stands still all notes would pile up.
        if self.context.state() == AudioContextState::Running {
            self.arrange(tune, self.context.current_time());
        }
    }

    /// Sings `tune` again and again for a while ahead, because timers of a hidden tab are late.
    fn sing_on(&mut self, tune: Tune) {
        if self.context.state() == AudioContextState::Running {
            let now = self.context.current_time();
            self.arranged = self.arranged.max(now);
            while self.arranged < now + AHEAD {
                self.arrange(tune, self.arranged);
                self.arranged += tune.period().as_secs_f64();
            }
        }
    }

    fn arrange(&self, tune: Tune, start: f64) {
        for note in tune.notes() {
            // A note that fails is not heard; there is nobody to tell.
            self.sound(note, start + note.at).ok();
        }
    }

    fn sound(&self, note: &Note, start: f64) -> Result<(), wasm_bindgen::JsValue> {
        let end = start + note.long;
        let edge = self.context.create_gain()?;
        let loud = edge.gain();
        loud.set_value_at_time(0.0, start)?;
        loud.linear_ramp_to_value_at_time(note.loud, start + EDGE)?;
        loud.set_value_at_time(note.loud, end - EDGE)?;
        loud.linear_ramp_to_value_at_time(0.0, end)?;
        edge.connect_with_audio_node(&self.out)?;

        let tone = self.context.create_oscillator()?;
        tone.set_type(OscillatorType::Triangle);
        tone.frequency().set_value_at_time(note.pitch, start)?;
        tone.connect_with_audio_node(&edge)?;
        tone.start_with_when(start)?;
        tone.stop_with_when(end)
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        // Nothing is connected any more: as good.
        self.out.disconnect().ok();
    }
}

/// Shakes the phone, if the person has touched the page: else the browser refuses, loudly.
fn vibrate() {
    let navigator = window().navigator();
    let field = |of: &wasm_bindgen::JsValue, name: &str| js_sys::Reflect::get(of, &name.into());
    let touched = field(&navigator, "userActivation")
        .and_then(|activation| field(&activation, "hasBeenActive"))
        .is_ok_and(|active| active.is_truthy());
    let can = field(&navigator, "vibrate").is_ok_and(|vibrate| vibrate.is_function());
    if touched && can {
        let pattern = js_sys::Array::of3(&400.into(), &200.into(), &400.into());
        navigator.vibrate_with_pattern(&pattern);
    }
}
