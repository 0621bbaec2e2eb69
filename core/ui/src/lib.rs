//! What people see, as data: every page of Hullo is a value that a renderer only has to draw.
//!
//! A page is a machine like any other core: it takes in what the person does (a *gesture*) and what happens (an
//! *event*), asks its shell for *effects*, and says what the screen looks like (a *view*).
//! All decisions and all words are here, where they are tested without a browser.
//! A renderer maps a view to elements and events of elements to gestures; if it needs an `if` about the call, a view
//! is missing a field.
//!
//! ```text
//!              gesture, event                        View
//!    person ─────────────────▶ ┌────────────────┐ ─────────▶ renderer ─▶ screen
//!    server ─────────────────▶ │ dial  · stage  │
//!    time   ─────────────────▶ │ ring (no state)│ ─────────▶ shell: post, open a tab, ring, store
//!                              └────────────────┘  Effect
//! ```
//!
//! - [`dial`] is the call app: logging in, dialling, incoming calls, and notices of what was missed.
//! - [`wrapper`] is the window of a call: its invites, and the frame with the conference.
//! - [`ring`] is what a wrapper shows over the conference until the channel is open, or when it never opens.
//! - [`stage`] is the conference: pictures, call controls, conversation, people.
//! - [`emulator`] is a laboratory: many participants on one page, and all that can happen to them.
//! - [`wake`] is what a device shows whose pages are closed.
//!
//! Every sentence about something that went wrong says the cause, what it means, and what to do.
//! The names of controls are fixed: people with screen readers and other people's scripts find them by name.
//!
//! **Invariant:** a view never contains text that was not meant to be read by people; it is text, never markup.
//!
//! **Invariant:** whatever is rung for is on screen, and whatever is on screen can be answered, declined or silenced.
//!
//! **Limits:** so many cards, notices and recent addresses as [`dial::Config`] says.

pub mod dial;
pub mod emulator;
pub mod ring;
pub mod stage;
pub mod wake;
pub mod wrapper;

use wire::{Time, Timestamp};

/// What the calendar says: in a browser, time begins with the Unix epoch.
pub(crate) fn calendar(now: Time) -> Timestamp {
    Timestamp(u64::try_from(now.since_origin().as_millis()).unwrap_or(u64::MAX))
}
