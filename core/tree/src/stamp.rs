//! Hybrid logical time: calendar milliseconds that never run behind what was heard.

use wire::Timestamp;

/// How many low bits count within a millisecond.
const COUNTER_BITS: u32 = 16;

/// When something was written: 48 bits of milliseconds, 16 bits of counter (Kulkarni et al. 2014, §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(pub(crate) u64);

impl Stamp {
    /// The first stamp of a moment.
    pub(crate) fn at(wall: Timestamp) -> Self {
        Self(wall.0 << COUNTER_BITS)
    }

    /// The stamp with that counter in that moment; `None` when either is out of range.
    pub(crate) fn of(wall: Timestamp, counter: u64) -> Option<Self> {
        let fits = wall.0 >> (64 - COUNTER_BITS) == 0 && counter >> COUNTER_BITS == 0;
        fits.then_some(Self(wall.0 << COUNTER_BITS | counter))
    }

    /// Which one of that moment.
    pub(crate) fn counter(self) -> u64 {
        self.0 & ((1 << COUNTER_BITS) - 1)
    }

    /// The moment, without the counter.
    pub(crate) fn wall(self) -> Timestamp {
        Timestamp(self.0 >> COUNTER_BITS)
    }
}

/// The clock that stamps.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: Stamp,
}

impl Clock {
    /// A stamp later than all before it, given or heard.
    pub(crate) fn tick(&mut self, wall: Timestamp) -> Stamp {
        self.last = Stamp::at(wall).max(Stamp(self.last.0 + 1));
        self.last
    }

    /// Takes in a stamp of another node, which the caller has found not to be too far ahead.
    pub(crate) fn hear(&mut self, stamp: Stamp) {
        self.last = self.last.max(stamp);
    }

    /// Forgets what was heard; only for a node that nobody has heard yet.
    pub(crate) fn reset(&mut self) {
        self.last = Stamp::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_later_than_all_that_was_heard() {
        let mut clock = Clock::default();
        clock.hear(Stamp::at(Timestamp(50)));

        let first = clock.tick(Timestamp(10));
        let second = clock.tick(Timestamp(10));

        assert!(Stamp::at(Timestamp(50)) < first && first < second);
        assert_eq!(second.wall(), Timestamp(50));
    }
}
