//! The live socket: pushes while the page is open. It finds its way back by itself.
//!
//! ```text
//!   proving, connecting ──open──▶ online ──closed, silent──▶ waiting ──back-off, network back, page shown──▶ connecting
//!                          │
//!                          └──goodbye──▶ over
//! ```

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use wasm_bindgen::JsCast;
use web_sys::{MessageEvent, WebSocket};
use wire::Time;
use wire::live::{FromPage, FromServer};

use crate::page::{document, is_visible};
use crate::time::{Ticker, Timer, now};
use crate::{Fault, Listener, http};

/// How often the server is asked whether it is there, and how long it may take to answer. A browser stretches this to
/// a minute in a tab that was hidden for long, so silence is counted in questions, not in seconds.
const PING: Duration = Duration::from_secs(10);

/// How long a socket may take to open. Guess: as patient as a request.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Waits before the first tries to come back, in milliseconds; then the last one again and again.
const BACK_OFF_MS: [u64; 6] = [0, 300, 1_200, 2_700, 4_800, 7_000];

/// Up to this much chance is added, so that not everybody comes back at once.
const CHANCE_MS: f64 = 1_000.0;

/// What the live socket tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The server said this. The first is always a welcome.
    Said(FromServer),
    /// The server cannot be reached, or refuses. It is tried again; whoever wonders why asks `/session`.
    Away,
}

/// The live socket, closed when dropped.
pub struct LiveSocket {
    line: Rc<RefCell<Line>>,
    _listeners: [Listener; 2],
}

impl LiveSocket {
    /// Connects to `url` (http or https) and stays connected; `hear` is told what changes.
    pub fn open(url: &str, hear: impl FnMut(Change) + 'static) -> Self {
        let url = url.to_owned();
        let line = Rc::new_cyclic(|me| {
            RefCell::new(Line {
                me: Weak::clone(me),
                url,
                hear: Rc::new(RefCell::new(hear)),
                tries: 0,
                stage: Stage::Over,
            })
        });
        line.borrow_mut().connect();
        let hurry = |line: &Weak<RefCell<Line>>| {
            if let Some(line) = line.upgrade() {
                line.borrow_mut().hurry();
            }
        };
        let (one, other) = (Rc::downgrade(&line), Rc::downgrade(&line));
        let listeners = [
            Listener::window("online", move |_| hurry(&one)),
            Listener::new(&document(), "visibilitychange", move |_| {
                if is_visible() {
                    hurry(&other);
                }
            }),
        ];
        Self { line, _listeners: listeners }
    }

    /// Says `word`, if the socket is open; what is not heard is repeated by the server or by the call.
    pub fn say(&self, word: &FromPage) {
        self.line.borrow().say(word);
    }
}

enum Stage {
    /// Nothing will happen any more, or nothing has happened yet.
    Over,
    /// A proof is being made, for the server lets nobody else in.
    Proving { _patience: Timer },
    /// On the way.
    Connecting { socket: Socket, _patience: Timer },
    /// The server hears us.
    Online { socket: Socket, asked: Time, heard: Time, _ping: Ticker },
    /// Until the next try.
    Waiting { _timer: Timer },
}

/// What the owner is told through.
type Hear = Rc<RefCell<dyn FnMut(Change)>>;

struct Line {
    me: Weak<RefCell<Self>>,
    url: String,
    hear: Hear,
    tries: usize,
    stage: Stage,
}

impl Line {
    fn connect(&mut self) {
        let (me, url) = (Weak::clone(&self.me), self.url.clone());
        self.stage = Stage::Proving { _patience: self.patience() };
        crate::spawn(async move {
            let proof = http::prove("GET", &url).await;
            if let Some(line) = me.upgrade() {
                line.borrow_mut().on_proof(proof);
            }
        });
    }

    fn on_proof(&mut self, proof: Option<String>) {
        // One that was asked for before the last try is as good.
        if !matches!(self.stage, Stage::Proving { .. }) {
            return;
        }
        let proof = proof.map(|proof| format!("?proof={proof}")).unwrap_or_default();
        let url = self.url.replacen("http", "ws", 1) + &proof;
        match Socket::new(&url, &self.me) {
            Ok(socket) => {
                self.stage = Stage::Connecting { socket, _patience: self.patience() };
            }
            Err(_) => self.wait(),
        }
    }

    fn patience(&self) -> Timer {
        let me = Weak::clone(&self.me);
        Timer::after(CONNECT_MAX, move || Self::lose(&me))
    }

    /// Comes back after a while.
    fn wait(&mut self) {
        let delay = back_off(self.tries, js_sys::Math::random());
        self.tries += 1;
        let me = Weak::clone(&self.me);
        let timer = Timer::after(delay, move || {
            if let Some(line) = me.upgrade() {
                line.borrow_mut().connect();
            }
        });
        self.stage = Stage::Waiting { _timer: timer };
    }

    /// Something happened that makes another try worth while.
    fn hurry(&mut self) {
        match &self.stage {
            Stage::Waiting { .. } => {
                self.tries = 0;
                self.connect();
            }
            Stage::Online { .. } => self.say(&FromPage::Ping),
            Stage::Proving { .. } | Stage::Connecting { .. } | Stage::Over => {}
        }
    }

    fn say(&self, word: &FromPage) {
        if let (Stage::Online { socket, .. }, Ok(text)) = (&self.stage, serde_json::to_string(word))
        {
            // A socket that just closed tells so by itself.
            socket.inner.send_with_str(&text).ok();
        }
    }

    fn on_open(me: &Weak<RefCell<Self>>) {
        let Some(line) = me.upgrade() else { return };
        let mut line = line.borrow_mut();
        let stage = std::mem::replace(&mut line.stage, Stage::Over);
        line.stage = match stage {
            Stage::Connecting { socket, .. } => {
                let me = Weak::clone(me);
                let ping = Ticker::every(PING, move || Self::on_ping(&me));
                Stage::Online { socket, asked: now(), heard: now(), _ping: ping }
            }
            // Opened just after it was given up.
            Stage::Over | Stage::Proving { .. } | Stage::Online { .. } | Stage::Waiting { .. } => {
                stage
            }
        };
    }

    fn on_ping(me: &Weak<RefCell<Self>>) {
        let Some(line) = me.upgrade() else { return };
        let is_silent = match &mut line.borrow_mut().stage {
            Stage::Online { asked, heard, .. } => {
                let is_silent = *heard < *asked;
                *asked = now();
                is_silent
            }
            Stage::Over
            | Stage::Proving { .. }
            | Stage::Connecting { .. }
            | Stage::Waiting { .. } => false,
        };
        if is_silent {
            Self::lose(me);
        } else {
            line.borrow().say(&FromPage::Ping);
        }
    }

    fn on_message(me: &Weak<RefCell<Self>>, event: &MessageEvent) {
        let Some(line) = me.upgrade() else { return };
        let Some(said) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok())
        else {
            // A word of a newer server.
            return;
        };
        let hear = {
            let mut line = line.borrow_mut();
            line.tries = 0;
            if let Stage::Online { heard, .. } = &mut line.stage {
                *heard = now();
            }
            if matches!(said, FromServer::Goodbye { .. }) {
                line.stage = Stage::Over;
            }
            Rc::clone(&line.hear)
        };
        // Not while the line is borrowed: whoever hears may answer.
        (hear.borrow_mut())(Change::Said(said));
    }

    /// The socket is of no use any more.
    fn lose(me: &Weak<RefCell<Self>>) {
        let Some(line) = me.upgrade() else { return };
        let hear = {
            let mut line = line.borrow_mut();
            match line.stage {
                Stage::Over => return,
                Stage::Proving { .. }
                | Stage::Connecting { .. }
                | Stage::Online { .. }
                | Stage::Waiting { .. } => {}
            }
            line.wait();
            Rc::clone(&line.hear)
        };
        (hear.borrow_mut())(Change::Away);
    }
}

/// A WebSocket, closed when dropped.
struct Socket {
    inner: WebSocket,
    listeners: Vec<Listener>,
}

impl Socket {
    fn new(url: &str, line: &Weak<RefCell<Line>>) -> Result<Self, Fault> {
        let inner = WebSocket::new(url).map_err(Fault::thrown("Opening the live socket"))?;
        let (open, message, close) = (line.clone(), line.clone(), line.clone());
        let listeners = vec![
            Listener::new(&inner, "open", move |_| Line::on_open(&open)),
            Listener::new(&inner, "message", move |event| {
                Line::on_message(&message, event.unchecked_ref());
            }),
            Listener::new(&inner, "close", move |_| Line::lose(&close)),
        ];
        Ok(Self { inner, listeners })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.listeners.clear();
        self.inner.close().ok();
    }
}

/// How long to wait before try number `tries`; `chance` is between 0 and 1. The first try is at once.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
fn back_off(tries: usize, chance: f64) -> Duration {
    let last = BACK_OFF_MS.len() - 1;
    let ms = BACK_OFF_MS[tries.min(last)];
    let spread = if tries == 0 { 0.0 } else { CHANCE_MS.min(ms as f64) };
    Duration::from_millis(ms + (spread * chance.clamp(0.0, 1.0)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_try_is_at_once_and_no_wait_is_longer_than_eight_seconds() {
        let waits: Vec<_> = (0..20).map(|tries| back_off(tries, 1.0)).collect();

        assert_eq!(waits[0], Duration::ZERO);
        assert!(waits.is_sorted());
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(8)));
    }
}
