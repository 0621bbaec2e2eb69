//! How fast something may come.

use std::time::Duration;

use wire::Time;

/// A bound on a rate (the virtual scheduling form of a leaky bucket, ITU-T I.371).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// When the next is expected, if they come as fast as they may.
    next: Time,
}

impl Pace {
    /// Whether one more may come now: one in each `pause`, and `burst` of them at once.
    pub(crate) fn has_room(self, now: Time, pause: Duration, burst: u32) -> bool {
        self.next.max(now) - now <= pause * burst.saturating_sub(1)
    }

    /// The same, and it comes.
    pub(crate) fn allows(&mut self, now: Time, pause: Duration, burst: u32) -> bool {
        let allows = self.has_room(now, pause, burst);
        if allows {
            self.next = self.next.max(now) + pause;
        }
        allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_may_come_at_once_and_then_one_in_each_pause() {
        let (mut pace, pause) = (Pace::default(), Duration::from_millis(20));
        let mut count = |millis: u64| {
            let now = Time::at(Duration::from_millis(millis));
            (0..1_000).filter(|_| pace.allows(now, pause, 5)).count()
        };

        assert_eq!([count(0), count(19), count(20), count(100), count(10_000)], [5, 0, 1, 4, 5]);
    }
}
