//! The pages of Hullo: what the views of `ui` look like, and what gestures do.
//!
//! Each page starts one module here; the two that are always loaded together share one binary:
//!
//! ```text
//!   bin          page           module     drives
//!   call         /              dial       ui::dial
//!   conference   /wrapper       wrapper    call::Call, one per invite; ui::ring
//!                /conference    stage      room::Room; ui::stage
//!   emulator     /emulator      emulator   ui::emulator: many room::Room at once
//! ```
//!
//! A page is a loop around values that decide: an event or a gesture goes in, what comes out is done with the browser
//! (`platform`), and the view is drawn anew.
//!
//! **Invariant:** nothing here decides about a call. Where drawing needs an `if`, it asks a field of the view.
//!
//! **Invariant:** no inline style and no inline script, which the content security policy forbids; no text is ever HTML.

mod broken;
pub mod dial;
pub mod emulator;
mod post;
mod seat;
pub mod stage;
mod tab;
mod together;
mod wires;
pub mod wrapper;
