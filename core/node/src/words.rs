//! What nodes say to each other, inside what the mesh carries.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tree::Path;
use trust::{Certificate, Charter, PublicKeys, Revocation, Short, Signature};
use wire::{NodeId, Sure};

use crate::Reason;

/// To all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToAll {
    /// For their trees.
    Tree(Vec<u8>),
    /// For their applications.
    Notice(Loud),
    /// For their rolls: [`Names`].
    Names(Vec<u8>),
}

/// A notice to all, with the proof that its author says it, and says it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loud {
    /// Its number among those of its author.
    pub(crate) number: u64,
    pub(crate) notice: Notice,
    /// Of the author, over both.
    pub(crate) signature: Signature,
}

/// To one, sealed: nobody on the way can read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Letter {
    /// The number by which the mesh knows it, so that nobody says it again under another.
    pub(crate) id: u32,
    /// What the addressee shows to prove that it has arrived.
    pub(crate) receipt: [u8; 8],
    pub(crate) words: Private,
}

/// What is said to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Private {
    /// For its application.
    Notice(Notice),
    /// Let us have a link: the offer.
    Offer {
        /// The dialler's number of the attempt.
        attempt: u64,
        /// For its driver.
        description: String,
    },
    /// The answer to an offer.
    Answer {
        /// The number in the offer.
        attempt: u64,
        /// For the dialler's driver.
        description: String,
    },
    /// No link now.
    Refusal {
        /// The number in the offer.
        attempt: u64,
    },
}

/// To a neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToNeighbour {
    /// For its tree.
    Tree(Vec<u8>),
    /// For its roll: [`Names`].
    Names(Vec<u8>),
    /// So is my roll. Is yours another?
    Roll(Standing),
    /// What counts in my roll, which is the smaller one.
    Have(Vec<Short>),
}

/// Who is in and who was put out. Travels as bytes within others, so that there is one piece of code that reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    /// What the conference was founded on, for those who lack it.
    pub(crate) charter: Option<Charter>,
    /// Inviters before those they invited.
    pub(crate) certificates: Vec<Certificate>,
    /// Signed by the founder.
    pub(crate) revocations: Vec<Revocation>,
    /// What the speaker wants to be told in turn.
    pub(crate) wanted: Vec<Short>,
    /// Whether more follow.
    pub(crate) more: bool,
}

impl Names {
    #[inline(never)]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads all of `bytes`, or nothing.
    #[inline(never)]
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        decode(bytes)
    }
}

/// A roll in a few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The hash of all that counts in it; zero when there is none.
    pub(crate) hash: [u8; 8],
    /// How much counts in it.
    pub(crate) count: u32,
}

/// What is said on a fresh link before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Knock {
    /// I am here.
    Hello(Hello),
    /// I am who I say.
    Proof(Proof),
    /// Who is in, for the smaller roll: [`Names`].
    Names(Vec<u8>),
    /// You may not come in.
    No(Reason),
}

/// The first word of both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// What the other end is to sign.
    pub(crate) nonce: [u8; 16],
    /// The roll of the speaker.
    pub(crate) roll: Standing,
}

/// The second word of both ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proof {
    /// Over both names, both nonces, and what the link is bound to.
    pub(crate) signature: Signature,
    /// From one who is not in yet: its keys.
    pub(crate) keys: Option<PublicKeys>,
    /// From the one with the smaller roll: how it is in, as [`Names`]; empty from the other.
    pub(crate) chain: Vec<u8>,
    /// From the one with the smaller roll: what counts in it.
    pub(crate) have: Vec<Short>,
}

/// Something said that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// What it is about.
    pub(crate) path: Path,
    /// JSON text of an object.
    pub(crate) json: String,
}

impl Notice {
    /// What its author signs, when it is to all.
    pub(crate) fn signed(&self, number: u64) -> Vec<u8> {
        encode(&(number, self))
    }

    pub(crate) fn data(&self) -> Option<Value> {
        serde_json::from_str(&self.json).ok().filter(Value::is_object)
    }
}

/// What one end signs to prove itself to the other.
pub(crate) fn oath(
    speaker: NodeId,
    listener: NodeId,
    spoken: &[u8; 16],
    heard: &[u8; 16],
    binding: &[u8],
) -> Vec<u8> {
    let names = [speaker.0.to_le_bytes(), listener.0.to_le_bytes()].concat();
    [&names, spoken.as_slice(), heard, binding].concat()
}

pub(crate) fn encode<T: Serialize>(words: &T) -> Vec<u8> {
    postcard::to_allocvec(words).sure("words are made of what postcard can write")
}

/// Reads all of `bytes`, or nothing.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    let (words, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(words)
}
