//! Entropy as an argument.

use std::time::Duration;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// Thirty-two bytes of entropy: from the system in a shell, from its own seed in the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// The seed of story `number`, for simulations and tests.
    #[must_use]
    pub fn story(number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Self(bytes)
    }
}

/// Dice that fall the same way for the same seed, on every platform.
#[derive(Debug)]
pub struct Dice(ChaCha12Rng);

impl Dice {
    /// Dice for `seed`.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self(ChaCha12Rng::from_seed(seed.0))
    }

    /// Sixty-four random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A number below `bound`; zero when `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product is uniform up to 2^-64 of bias (Lemire 2019, §2).
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// A span below `most`, in thousandths of it.
    pub fn span(&mut self, most: Duration) -> Duration {
        most * self.below(1_000) as u32 / 1_000
    }

    /// A fresh seed, for a child with dice of its own.
    pub fn seed(&mut self) -> Seed {
        Seed(self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_throw_equal_numbers() {
        let mut one = Dice::new(Seed::story(7));
        let mut other = Dice::new(Seed::story(7));

        assert_eq!(one.bytes::<40>(), other.bytes::<40>());
    }

    #[test]
    fn a_story_of_yesterday_can_be_told_again() {
        let mut dice = Dice::new(Seed::story(7));

        assert_eq!(
            [dice.bits(), dice.bits()],
            [15_275_289_290_002_133_535, 16_977_796_898_406_435_185]
        );
    }

    #[test]
    fn a_bound_is_kept() {
        let mut dice = Dice::new(Seed::story(1));

        assert!((0..1_000).all(|_| dice.below(6) < 6));
        assert_eq!(dice.below(0), 0);
    }
}
