//! Unmodified PeerJS in a real browser, with our server: each story is one test.
//!
//! `PEERJS_STORIES=peerserver cargo test -p tests --test peerjs` tells them of PeerServer instead, which shows that a
//! story asks for nothing but what applications have always had; those of what PeerServer cannot do fail there.

mod calls;
mod data;
mod harness;
mod links;
mod old;
mod places;
mod users;
mod ways;
