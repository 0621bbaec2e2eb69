//! The vendors of push messages, stood in for: they check all that theirs check, and keep what came for the test to read.
//!
//! ```text
//!   Listener      HTTP/1.1 on loopback, one thread for each connection
//!    ├ PushService   RFC 8030, 8291 and 8292, as the push service of a browser speaks them
//!    │   └ Subscription   the keys that a browser would make, and the reading of what is sealed to them
//!    └ Firebase      OAuth for service accounts, and FCM HTTP v1
//! ```
//!
//! **Invariant:** what a real service refuses, these refuse, and say so in `refusals`; a test that ends well has none it
//! did not ask for.

mod firebase;
mod listener;
mod service;
mod subscription;

pub use firebase::{Firebase, Project};
pub use listener::{Answer, Listener, Request};
pub use service::{PushService, Received};
pub use subscription::Subscription;
