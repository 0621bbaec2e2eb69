//! Words as bytes, and bytes as text.

use serde::{Deserialize, Serialize};

/// The digits of base64url (RFC 4648 §5).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(crate) fn encode<T: Serialize>(words: &T) -> Vec<u8> {
    postcard::to_allocvec(words).expect("words are made of what postcard can write")
}

/// Reads all of `bytes`, or nothing.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    let (words, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(words)
}

/// Base64url without padding.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        let digit = |place: usize| char::from(DIGITS[bits >> (18 - 6 * place) & 63]);
        text.extend((0..=chunk.len()).map(digit));
    }
    text
}
