//! Entropy from the browser.

use wire::Seed;

/// Thirty-two fresh random bytes.
///
/// # Panics
///
/// When the browser has no source of randomness, without which nothing here is safe.
#[must_use]
pub fn seed() -> Seed {
    let mut bytes = [0; 32];
    crate::page::window()
        .crypto()
        .and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes))
        .expect("every browser we support has a source of randomness");
    Seed(bytes)
}
