//! Words as bytes.

use serde::{Deserialize, Serialize};
use wire::Sure;

pub(crate) fn encode<T: Serialize>(words: &T) -> Vec<u8> {
    postcard::to_allocvec(words).sure("words are made of what postcard can write")
}

/// Reads all of `bytes`, or nothing.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    let (words, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(words)
}
