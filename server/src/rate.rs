//! How fast one client may speak: a bucket that fills with time and is emptied by messages.

use tokio::time::Instant;

/// How many seconds' worth may come at once: a call begins with a burst of candidates.
const BURST_SECONDS: f64 = 2.0;

/// Messages in a second, when there is a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) Option<u32>);

/// What one client has left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    left: f64,
    seen: Instant,
}

impl Rate {
    /// A full bucket.
    pub(crate) fn bucket(self, now: Instant) -> Bucket {
        Bucket { rate: self, left: self.burst(), seen: now }
    }

    fn burst(self) -> f64 {
        f64::from(self.0.unwrap_or(0)) * BURST_SECONDS
    }
}

impl Bucket {
    /// Takes a message in, if there is room for it.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let Some(rate) = self.rate.0 else { return true };
        let filled = now.duration_since(self.seen).as_secs_f64() * f64::from(rate);
        self.seen = now;
        self.left = (self.left + filled).min(self.rate.burst());
        let has_room = self.left >= 1.0;
        if has_room {
            self.left -= 1.0;
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_as_many_as_the_rate() {
        let start = Instant::now();
        let mut bucket = Rate(Some(10)).bucket(start);

        let burst = (0..100).filter(|_| bucket.take(start)).count();
        let later = (0..100).filter(|_| bucket.take(start + Duration::from_secs(1))).count();
        let rested = (0..100).filter(|_| bucket.take(start + Duration::from_secs(60))).count();

        assert_eq!([burst, later, rested], [20, 10, 20]);
    }

    #[test]
    fn without_a_rate_there_is_no_end() {
        let start = Instant::now();
        let mut bucket = Rate(None).bucket(start);

        assert!((0..10_000).all(|_| bucket.take(start)));
    }
}
