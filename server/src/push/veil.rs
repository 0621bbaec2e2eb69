//! How clients of the reference's API expect what they are told: RC4 by the namespace, in base64.
//!
//! It hides nothing, for the namespace is told beside it, and nothing here is secret. It is what they read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Veils a text by a name, which is not empty.
pub(crate) fn veil(name: &str, text: &str) -> String {
    let key = name.as_bytes();
    let mut state: [u8; 256] = std::array::from_fn(|i| u8::try_from(i).unwrap_or_default());
    let mut j = 0_u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
        state.swap(i, j.into());
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    let veiled = text.bytes().map(|byte| {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(i.into(), j.into());
        let sum = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
        byte ^ state[usize::from(sum)]
    });
    STANDARD.encode(veiled.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_examples_of_rc4_come_out() {
        let hex = |text: &str| {
            let bytes = STANDARD.decode(text).unwrap();
            bytes.iter().fold(String::new(), |all, byte| format!("{all}{byte:02X}"))
        };

        assert_eq!(hex(&veil("Key", "Plaintext")), "BBF316E8D940AF0AD3");
        assert_eq!(hex(&veil("Wiki", "pedia")), "1021BF0420");
    }
}
