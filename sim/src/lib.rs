//! Worlds of real cores: the same values that run in a browser, in a network that can be as bad as we like.
//!
//! A simulation is a *story* told in a *world*.
//! The story owns the cores and knows what happens to them; the world owns time and says what happens next.
//! After every step the story checks its promises, so that a broken one is found at the step that broke it, with the
//! steps that led there.
//!
//! ```text
//!            ┌───────────────────────── World ─────────────────────────┐
//!            │  Agenda: what is due, ordered by (at, seq)               │
//!            │     │ next                                  ▲ push       │
//!            │     ▼                                       │            │
//!            │  Story::happen ──▶ cores (handle, poll, timeout) ──▶ Net │  late, lost, twice,
//!            │     │                                                    │  out of order
//!            │     ▼                                                    │
//!            │  Story::check ──▶ Broken { story, at, promise, log }     │
//!            └──────────────────────────────────────────────────────────┘
//! ```
//!
//! Things that are due at different places, before any of them can be felt at another, may be foreseen on several cores;
//! they happen one by one all the same.
//!
//! Time is virtual and starts at zero, so logs read as seconds; hours pass in milliseconds.
//! Dice are seeded by the number of the story: one seed, one story, on every platform.
//! A story that breaks prints its number, and becomes a named test.
//!
//! **Invariant:** time never goes back, and things due at the same time happen in the order they were planned.
//!
//! **Invariant:** nothing in here reads a clock, draws entropy, sleeps or opens a socket.
//!
//! **Limits:** a story has a last moment, given by whoever tells it, and a bounded number of steps; one that goes on
//! for longer is broken too.
//!
//! Faults are settings ([`Weather`]), not code.

pub mod calls;
pub mod conference;
pub mod menu;
mod net;
pub mod report;
pub mod rounds;
pub mod trial;
mod world;

pub use net::{Net, Weather};
pub use world::{Agenda, Broken, Story, World};
