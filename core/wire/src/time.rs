//! Time as an argument.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Time that only grows, since an origin chosen by whoever drives the core.
///
/// Natively the origin is the start of the process, in the simulator it is zero, and in a browser it is the Unix
/// epoch by `performance.timeOrigin + performance.now()`, so that every page of one browser agrees and a stored
/// call outlives the page that stored it.
///
/// It is stored as nanoseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(from = "u64", into = "u64")]
pub struct Time(Duration);

impl From<u64> for Time {
    fn from(nanos: u64) -> Self {
        Self(Duration::from_nanos(nanos))
    }
}

impl From<Time> for u64 {
    fn from(Time(since): Time) -> Self {
        Self::try_from(since.as_nanos()).unwrap_or(Self::MAX)
    }
}

impl Time {
    /// The origin.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// The moment `since_origin` after the origin.
    #[must_use]
    pub const fn at(since_origin: Duration) -> Self {
        Self(since_origin)
    }

    /// How long after the origin this is.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// Zero when `earlier` is in fact later.
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Calendar time: milliseconds since the Unix epoch. For what people read and for expiry, never for timers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// `2026-11-20 23:55 UTC`.
    #[must_use]
    pub fn minute(self) -> String {
        let minute = self.0 / 60_000 % 1_440;
        format!("{} {:02}:{:02} UTC", self.date(), minute / 60, minute % 60)
    }

    /// `2026-11-20`, in UTC, by the days-to-civil algorithm of Hinnant ("chrono-Compatible Low-Level Date Algorithms").
    #[must_use]
    pub fn date(self) -> String {
        let days = self.0 / 86_400_000 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        format!("{year}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(Timestamp(0).minute(), "1970-01-01 00:00 UTC");
        assert_eq!(Timestamp(951_827_696_000).minute(), "2000-02-29 12:34 UTC");
        assert_eq!(Timestamp(1_795_219_200_000).date(), "2026-11-21");
    }

    #[test]
    fn a_span_never_runs_backwards() {
        let early = Time::ZERO;
        let late = early + Duration::from_secs(3);

        assert_eq!(late - early, Duration::from_secs(3));
        assert_eq!(early - late, Duration::ZERO);
    }
}
