//! Offers that ring several devices of a user: who answered first, and who may still speak.
//!
//! ```text
//!   OFFER to a user ──▶ ringing on a, b, c
//!                          │ CANDIDATE of the caller: to all of them
//!                          │ CANDIDATE of b before its ANSWER: kept, for it may lose
//!                          │ ANSWER of b ──▶ b has won; LEAVE to a and c
//!                          ▼
//!                       talking with b: CANDIDATEs go between these two; what a and c say is dropped
//! ```

use std::collections::{BTreeMap, VecDeque};

use wire::Time;
use wire::peerjs::{Kind, PeerId};

use crate::peers::SeatId;
use crate::{Config, Signal};

/// One offer: who made it, to whom, and for which connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) caller: SeatId,
    pub(crate) callee: PeerId,
    pub(crate) connection: Box<str>,
}

#[derive(Debug)]
enum Fork {
    /// With what each device has said too early.
    Ringing {
        branches: Vec<(SeatId, Vec<Signal>)>,
    },
    Won {
        by: SeatId,
    },
}

/// What a device's message to the caller amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It is passed on.
    Pass,
    /// It is the first answer: what that device said before goes out behind it, and the others hear that it is over.
    Wins { early: Vec<Signal>, losers: Vec<SeatId> },
    /// It is kept or dropped; the caller hears nothing.
    Silent,
}

/// **Invariant:** `order` names every fork once, the first to be forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Forks {
    open: BTreeMap<Key, Fork>,
    order: VecDeque<(Time, Key)>,
}

impl Forks {
    /// An offer rings on several devices.
    pub(crate) fn ring(&mut self, config: &Config, now: Time, key: Key, branches: &[SeatId]) {
        let branches = branches.iter().map(|seat| (*seat, Vec::new())).collect();
        let known = self.open.insert(key.clone(), Fork::Ringing { branches }).is_some();
        if known {
            self.order.retain(|(_, other)| *other != key);
        }
        while self.order.len() >= config.forks_max.max(1) {
            if let Some((_, oldest)) = self.order.pop_front() {
                self.open.remove(&oldest);
            }
        }
        self.order.push_back((now + config.fork, key));
    }

    /// Where the caller's further messages about an offer go; `None` when it rang on one device only.
    pub(crate) fn branches(&self, key: &Key) -> Option<Vec<SeatId>> {
        Some(match self.open.get(key)? {
            Fork::Ringing { branches } => branches.iter().map(|(seat, _)| *seat).collect(),
            Fork::Won { by } => vec![*by],
        })
    }

    /// The caller has given up.
    pub(crate) fn cancel(&mut self, key: &Key) {
        if self.open.remove(key).is_some() {
            self.order.retain(|(_, other)| other != key);
        }
    }

    /// A device says something about an offer; `None` when it rang on one device only.
    pub(crate) fn reply(
        &mut self,
        config: &Config,
        key: &Key,
        device: SeatId,
        signal: &Signal,
    ) -> Option<Reply> {
        let branches = match self.open.get_mut(key)? {
            Fork::Won { by } if *by == device => return Some(Reply::Pass),
            Fork::Won { .. } => return Some(Reply::Silent),
            Fork::Ringing { branches } => branches,
        };
        let Some(at) = branches.iter().position(|(seat, _)| *seat == device) else {
            return Some(Reply::Silent);
        };
        Some(match signal.kind {
            Kind::Answer => {
                let (_, early) = branches.swap_remove(at);
                let losers = branches.iter().map(|(seat, _)| *seat).collect();
                self.open.insert(key.clone(), Fork::Won { by: device });
                Reply::Wins { early, losers }
            }
            Kind::Candidate | Kind::Offer => {
                let early = &mut branches[at].1;
                if early.len() < config.early_max {
                    early.push(signal.clone());
                }
                Reply::Silent
            }
            // One device declines, the others ring on; the caller hears it of the last.
            Kind::Leave if branches.len() > 1 => {
                branches.swap_remove(at);
                Reply::Silent
            }
            Kind::Leave => {
                self.cancel(key);
                Reply::Pass
            }
        })
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.order.front().map(|(at, _)| *at)
    }

    pub(crate) fn on_timeout(&mut self, now: Time) {
        while self.order.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, key)) = self.order.pop_front() {
                self.open.remove(&key);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}
