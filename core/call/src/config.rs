//! The limits of a call, with their units and where they come from.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long and how often. Every span is longer than zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// How long the caller rings before giving up. Guess: a phone's six rings, plus the delay of a push.
    pub ring: Duration,
    /// The longest a device rings, whatever the invite says. Guess: nobody waits longer at the other end.
    pub ring_longest: Duration,
    /// After these spans, shortest first, an INVITE that no device has confirmed is posted again. Guess: a device
    /// that was changing networks is back after five seconds, one that was asleep after fifteen.
    pub invite_again: [Duration; 2],
    /// How often an ACCEPT is posted again until the channel opens. Guess: well above one round trip through the
    /// server.
    pub accept_again: Duration,
    /// How often a DECLINE is posted again until the caller confirms it.
    pub decline_again: Duration,
    /// How long a DECLINE is posted again: as long as a caller who has our ACCEPT may wait for the channel.
    pub decline_longest: Duration,
    /// How long an offer or answer may take to be made. Measured: gathering is bounded to 1.5 s, a cold tab adds
    /// a few more.
    pub describe: Duration,
    /// How long the channel may take to open after the ACCEPT. Guess: ICE tries for less (RFC 8445 §14).
    pub connect: Duration,
    /// How many devices of the callee are told apart; messages from more are refused. Guess: far above what a
    /// person has.
    pub devices_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ring: Duration::from_secs(45),
            ring_longest: Duration::from_secs(120),
            invite_again: [Duration::from_secs(5), Duration::from_secs(15)],
            accept_again: Duration::from_secs(2),
            decline_again: Duration::from_secs(2),
            decline_longest: Duration::from_secs(15),
            describe: Duration::from_secs(10),
            connect: Duration::from_secs(15),
            devices_max: 64,
        }
    }
}
