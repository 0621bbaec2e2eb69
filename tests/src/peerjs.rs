//! What PeerJS clients need of a server: servers to compare, clients by hand, and what every server must do.
//!
//! ```text
//!   Service      a server of its own process: `peer` 1.0.2 or 0.2.10 from npm, or the real `hullo`
//!   Socket       a client's socket, frame by frame
//!   http         a client's requests, and the stream of clients without sockets
//!   Client       a page with the real PeerJS, in a real browser
//!   Nginx        a real proxy, with or without sockets
//!   conformance  cases that run against any of them, and where Hullo differs on purpose
//! ```
//!
//! The protocol has no document. What counts is what the unmodified clients do with the servers that there were, so
//! each case is proven on the real PeerServer first.
//!
//! Sources: the packages `peer` 1.0.2 and 0.2.10 and `peerjs` 1.5.5 and 0.3.14, as published on npm.

mod certificate;
mod client;
pub mod conformance;
pub mod http;
mod nginx;
mod service;
mod socket;

pub use certificate::Certificate;
pub use client::{Client, Version, site};
pub use nginx::{Nginx, Passes};
pub use service::{Kind, Service, Setup};
pub use socket::{End, Socket};
