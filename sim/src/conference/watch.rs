//! What somebody takes for the time: too fast, too slow, or ahead by what it slept without noticing.

use std::time::Duration;

use wire::Time;

/// A clock beside the true one. It never goes back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    /// How far it has jumped ahead.
    ahead: Duration,
    /// For how long it has stood still.
    behind: Duration,
    /// How many millionths it runs too fast; negative when too slow.
    skew: i64,
}

impl Watch {
    /// What it shows at a moment of the story.
    pub(crate) fn shows(self, at: Time) -> Time {
        let shown = self.scaled(at.since_origin(), 1_000_000 + self.skew) + self.ahead;
        Time::at(shown.saturating_sub(self.behind))
    }

    /// The first moment of the story at which it shows at least that much.
    pub(crate) fn when(self, shown: Time) -> Time {
        let true_span = (shown.since_origin() + self.behind).saturating_sub(self.ahead);
        if self.skew == 0 {
            return Time::at(true_span);
        }
        let nanos = true_span.as_nanos() * 1_000_000;
        let rate = u128::try_from(1_000_000 + self.skew).unwrap_or(1).max(1);
        Time::at(span(nanos.div_ceil(rate) + 1))
    }

    /// Jumps ahead, once.
    pub(crate) fn jump(&mut self, by: Duration) {
        self.ahead = self.ahead.max(by);
    }

    /// Has stood still for so long.
    pub(crate) fn stand_still(&mut self, span: Duration) {
        self.behind += span;
    }

    /// Runs too fast or too slow from the beginning of the story on.
    pub(crate) fn with_skew(skew: i64) -> Self {
        Self { ahead: Duration::ZERO, behind: Duration::ZERO, skew: skew.clamp(-500_000, 500_000) }
    }

    fn scaled(self, time: Duration, millionths: i64) -> Duration {
        if self.skew == 0 {
            return time;
        }
        let rate = u128::try_from(millionths).unwrap_or(1);
        span(time.as_nanos() * rate / 1_000_000)
    }
}

fn span(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_still_goes_on_from_there() {
        let mut watch = Watch::default();
        let at = |seconds| Time::at(Duration::from_secs(seconds));
        let before = watch.shows(at(100));
        watch.stand_still(Duration::from_secs(3_600));

        assert_eq!(watch.shows(at(3_700)), before);
        assert_eq!(watch.when(watch.shows(at(4_000))), at(4_000));
    }

    #[test]
    fn whoever_is_woken_when_it_said_is_not_early() {
        for skew in [-300_000, -1, 0, 7, 250_000] {
            let mut watch = Watch::with_skew(skew);
            watch.jump(Duration::from_secs(3_600));
            for millis in [0, 1, 999, 3_600_000, 3_600_001, 86_400_123] {
                let shown = Time::at(Duration::from_millis(millis));
                let at = watch.when(shown);
                assert!(watch.shows(at) >= shown, "{skew} {millis}");
                let early =
                    watch.shows(at).since_origin().saturating_sub(Duration::from_secs(3_600));
                let wanted = shown.since_origin().saturating_sub(Duration::from_secs(3_600));
                assert!(early.saturating_sub(wanted) < Duration::from_micros(1), "{skew} {millis}");
            }
        }
    }
}
