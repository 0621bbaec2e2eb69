//! The browser as owned Rust values.
//!
//! Everything that JavaScript lends, such as a listener, a timer, a socket, a track or a connection, is a struct here, and
//! dropping the struct undoes it.
//! Nothing here knows what a call is, except the clock and the live socket, which speak the words of `wire`.
//!
//! ```text
//!   once                 kept until dropped              between pages
//!   ────                 ──────────────────              ─────────────
//!   http    a request    event    a listener             broadcast  all pages of this browser
//!   storage a value      time     a timer, the clock     port       a page and its frame
//!   page    the title,   live     a socket that          live       the server
//!           the address           finds its way back     peer       another browser
//!   dice    a seed       media    camera, microphone,
//!                                 screen, loudness
//!   dom     what stands  sound    ringing             counter    scripts that ask
//!           on the page  peer     a connection
//!   push    a worker,    worker   what it can do      notes      worker and pages
//!           subscribed                                lock       what one page has
//! ```
//!
//! **Invariant:** `JsValue` does not leave this crate. What fails comes back as a [`Fault`], never as a panic.
//!
//! **Invariant:** a closure that was handed in is not called after its owner was dropped.
//!
//! **Limits.** One thread: the browser's. Sounds need a gesture of the person first, which [`sound::unlock`]
//! waits for. Sizes are bounded where they come from outside: see [`port`] and [`live`].
//!
//! Sources: W3C WebRTC, Media Capture and Streams, Web Audio; WHATWG HTML (messaging, storage).

pub mod broadcast;
pub mod counter;
pub mod dice;
pub mod dom;
pub mod event;
mod fault;
pub mod http;
pub mod live;
pub mod lock;
pub mod media;
pub mod notes;
pub mod page;
pub mod peer;
pub mod port;
pub mod push;
pub mod sound;
pub mod storage;
pub mod time;
pub mod worker;

pub use event::Listener;
pub use fault::Fault;
pub use time::{Timer, now, today};

/// Runs `work` in the background until it is done.
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(work);
}
