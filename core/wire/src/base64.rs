//! Bytes as text: base64url without padding (RFC 4648 §5).

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `bytes` as text.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        let digit = |place: usize| char::from(DIGITS[bits >> (18 - 6 * place) & 63]);
        text.extend((0..=chunk.len()).map(digit));
    }
    text
}

/// The bytes that `text` spells, in the one way in which [`encode`] does; `None` when it spells none.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0;
        for at in 0..4 {
            let digit = chunk.get(at).unwrap_or(&DIGITS[0]);
            bits = bits << 6 | DIGITS.iter().position(|known| known == digit)?;
        }
        let count = chunk.len().checked_sub(1).filter(|count| *count > 0)?;
        bytes.extend((0..count).map(|place| (bits >> (16 - 8 * place)) as u8));
        // Bits that are not told are zero.
        if bits & ((1 << (24 - 8 * count)) - 1) != 0 {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dice, Seed};

    #[test]
    fn bytes_are_read_as_they_are_written() {
        let mut dice = Dice::new(Seed::story(1));
        assert_eq!(encode(b"fo"), "Zm8");
        for length in 0..64 {
            let bytes = &dice.bytes::<64>()[..length];

            assert_eq!(decode(&encode(bytes)).as_deref(), Some(bytes));
        }
    }

    #[test]
    fn there_is_one_spelling() {
        for text in ["A", "Zm9", "Zm8=", "Z m8", "é", "AAAAA"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
