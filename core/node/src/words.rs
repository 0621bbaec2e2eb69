//! What nodes say to each other, inside what the mesh carries.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tree::Path;

/// To all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToAll {
    /// For their trees.
    Tree(Vec<u8>),
    /// For their applications.
    Notice(Notice),
}

/// To one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToOne {
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

/// Something said that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// What it is about.
    pub(crate) path: Path,
    /// JSON text of an object.
    pub(crate) json: String,
}

impl Notice {
    pub(crate) fn data(&self) -> Option<Value> {
        serde_json::from_str(&self.json).ok().filter(Value::is_object)
    }
}

pub(crate) fn encode<T: Serialize>(words: &T) -> Vec<u8> {
    postcard::to_allocvec(words).expect("words are made of what postcard can write")
}

/// Reads all of `bytes`, or nothing.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    let (words, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(words)
}
