//! The charter of a conference: who founded it, and what holds for everybody.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wire::{ConferenceId, Sure, Timestamp, UserId, base64};

use crate::{Certificate, PublicKeys, bytes};

/// Who somebody is said to be, and how the one who says so knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The user; `None` when nothing is known.
    pub user: Option<UserId>,
    /// How that was proved.
    pub proof: Proof,
}

/// How a claim was proved to the one who makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// Not at all.
    #[default]
    None,
    /// The server of the one who makes the claim named this user.
    Server,
    /// An answer came to a message to this user.
    Mail,
}

/// The bounds of a conference, fixed when it is founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// How many members it has at most, the founder and those who left included.
    pub members_max: u16,
    /// How many one member invites at most; the founder as many as there are places.
    pub invites_max: u16,
    /// How long after its founding somebody may still be admitted, in hours.
    pub hours: u16,
}

impl Default for Bounds {
    /// Guess: a large lecture, a guest with a family, and a month.
    fn default() -> Self {
        Self { members_max: 1_024, invites_max: 32, hours: 24 * 31 }
    }
}

/// Who founded a conference, and its bounds. Its hash is the name of the conference, so nobody can be shown another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charter {
    /// The keys of the founder.
    pub founder: PublicKeys,
    /// Who the founder says it is.
    pub claim: Claim,
    /// When, by the founder's calendar.
    pub founded: Timestamp,
    /// What holds for everybody.
    pub bounds: Bounds,
    /// Sets apart what one founder founds in one moment.
    pub nonce: [u8; 8],
}

impl Charter {
    /// The name of the conference: the first twenty bytes of the hash of its charter, as 27 characters.
    #[must_use]
    pub fn conference(&self) -> ConferenceId {
        let hash = Sha256::new().chain_update(b"hullo 1 charter").chain_update(self.to_bytes());
        let text = base64::encode(&hash.finalize()[..20]);
        text.parse().sure("27 digits of 64 are the name of a conference")
    }

    /// The last moment at which somebody can be admitted.
    #[must_use]
    pub fn closes(&self) -> Timestamp {
        Timestamp(self.founded.0.saturating_add(u64::from(self.bounds.hours) * 3_600_000))
    }

    /// As it travels: postcard.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes::encode(self)
    }

    /// Reads all of `bytes`, or nothing.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes::decode(bytes)
    }
}

/// A place in a conference, as its holder keeps it: with it and the seed one comes back as who one was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// What the conference was founded on.
    pub charter: Charter,
    /// The certificates from the founder down to the holder.
    pub chain: Vec<Certificate>,
}

impl Seat {
    /// As it is kept: postcard.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes::encode(self)
    }

    /// Reads all of `bytes`, or nothing.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes::decode(bytes)
    }
}
