//! How long a link takes, as coarse as trees need it: one of 64 levels, each a tenth longer than the one before.

use std::time::Duration;

/// How long a frame takes over a link, by what both ends agree on: the longer of their two levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(u8);

/// The highest level: beyond half a second, all links are equally bad.
pub const LEVEL_MAX: u8 = 63;

/// What a hop costs beside the link, so that a way with fewer hops wins where little is to be gained.
const HOP_MICROS: u32 = 1_000;

/// The length of each level in microseconds; level 0 is a link that has not been measured yet.
const MICROS: [u32; LEVEL_MAX as usize + 1] = {
    let mut micros = [50_000; LEVEL_MAX as usize + 1];
    let (mut level, mut length) = (1, 1_500);
    while level <= LEVEL_MAX as usize {
        micros[level] = length;
        length = length * 110 / 100;
        level += 1;
    }
    micros
};

impl Cost {
    /// A link that has not been measured yet.
    pub const UNKNOWN: Self = Self(0);

    /// The cost of that level; the highest when there is no such level.
    #[must_use]
    pub fn of_level(level: u8) -> Self {
        Self(level.min(LEVEL_MAX))
    }

    /// The cost of a link over which a question and its answer took `there_and_back`.
    #[must_use]
    pub fn of(there_and_back: Duration) -> Self {
        let micros = u32::try_from(there_and_back.as_micros() / 2).unwrap_or(u32::MAX);
        let level = MICROS[1..].partition_point(|length| *length <= micros);
        Self((level as u8).max(1))
    }

    /// The level.
    #[must_use]
    pub fn level(self) -> u8 {
        self.0
    }

    /// How long a way over this link is, in microseconds.
    #[must_use]
    pub fn micros(self) -> u32 {
        MICROS[usize::from(self.0)] + HOP_MICROS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_right_within_a_tenth() {
        for millis in [3_u64, 10, 40, 99, 300] {
            let cost = Cost::of(Duration::from_millis(2 * millis));

            let micros = u64::from(cost.micros() - HOP_MICROS);
            assert!(
                micros <= millis * 1_000 && micros * 111 >= millis * 100_000,
                "{millis}: {micros}"
            );
        }
    }

    #[test]
    fn every_time_has_a_cost_that_is_known() {
        assert_eq!(Cost::of(Duration::ZERO).level(), 1);
        assert_eq!(Cost::of(Duration::MAX).level(), LEVEL_MAX);
        assert_eq!(Cost::of_level(200).level(), LEVEL_MAX);
    }
}
