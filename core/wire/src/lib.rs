//! The words that every part of Hullo shares: who is meant, when, and what is said.
//!
//! Nothing here decides anything.
//! A word is a newtype that cannot be mistaken for another, or a message with exactly the shape it has on the wire.
//!
//! ```text
//!   identity          user ──has──▶ device (instance) ──takes part as──▶ node
//!   address           alice@example.com            every device of Alice
//!                     alice@example.com/1f2e3d4c   one device
//!
//!   invite            INVITE ─▶  ◀─ ACCEPT, DECLINE, REJECT   CANCEL ─▶      invite.rs
//!   around it         POST /contacts                                       contacts.rs
//!                     the live socket                                      live.rs
//!   of PeerJS         OFFER, ANSWER, CANDIDATE, LEAVE, EXPIRE, …           peerjs.rs
//!   in the tab        wrapper ◀─ postMessage ─▶ conference app             wrapper.rs
//!
//!   few of them       Map, Set                                             sorted.rs
//!   what cannot fail  Sure                                                 sure.rs
//! ```
//!
//! **Invariant:** a value of a type in this crate is valid. Text from outside becomes one through `parse` or
//! deserialization only, and both check.
//!
//! **Limits** stand beside the type they bound.

pub mod base64;
pub mod contacts;
mod fields;
mod id;
pub mod invite;
pub mod live;
mod object;
pub mod peerjs;
pub mod sdp;
mod seed;
mod sorted;
mod sure;
mod time;
pub mod wrapper;

pub use id::{Address, ConferenceId, InstanceId, InviteId, LinkId, NodeId, UserId};
pub use object::object;
pub use seed::{Dice, Seed};
pub use sorted::{Entries, Map, Set};
pub use sure::Sure;
pub use time::{Time, Timestamp};

/// Why a text is not the word it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word} {problem}")]
pub struct Malformed {
    /// Which word was expected, for example `user`.
    pub word: &'static str,
    /// What is wrong with it, as the rest of a sentence.
    pub problem: &'static str,
}
