//! The network: late, lossy, repetitive and out of order, as its settings say.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::{Dice, Seed, Time};

use crate::menu::Spread;

/// How bad the network is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weather {
    /// The shortest time a message takes.
    pub latency_min: Duration,
    /// The longest time a message takes.
    pub latency_max: Duration,
    /// How many messages of a thousand are lost.
    pub lost_permille: u64,
    /// How many messages of a thousand arrive twice.
    pub doubled_permille: u64,
    /// Whether a message may overtake an earlier one on the same path.
    pub reorders: bool,
    /// Whether all messages of one path take the same time, as far as whoever carries them knows which path is which.
    pub steady: bool,
    /// How many bytes a second one path takes, as far as whoever carries them counts bytes; zero for any number.
    pub bandwidth: u64,
    /// How latencies are spread between the shortest and the longest.
    pub spread: Spread,
    /// Whether the two ways of one path take different times, as far as whoever carries them knows which is which.
    pub lopsided: bool,
}

impl Weather {
    /// Nothing is lost or doubled, and messages keep their order: a data channel on a good day.
    #[must_use]
    pub fn fair() -> Self {
        Self {
            latency_min: Duration::from_millis(5),
            latency_max: Duration::from_millis(100),
            lost_permille: 0,
            doubled_permille: 0,
            reorders: false,
            steady: false,
            bandwidth: 0,
            spread: Spread::Even,
            lopsided: false,
        }
    }

    /// One message in ten is lost, one in ten comes twice, and all are late by up to two seconds in any order.
    #[must_use]
    pub fn storm() -> Self {
        Self {
            latency_min: Duration::from_millis(5),
            latency_max: Duration::from_secs(2),
            lost_permille: 100,
            doubled_permille: 100,
            reorders: true,
            steady: false,
            bandwidth: 0,
            spread: Spread::Even,
            lopsided: false,
        }
    }
}

/// Decides when each message arrives. `P` names a path, for example (from, to) or a link.
#[derive(Debug)]
pub struct Net<P> {
    weather: Weather,
    dice: Dice,
    /// When the last message of a path arrives.
    last: BTreeMap<P, Time>,
}

impl<P: Ord> Net<P> {
    /// A network in this weather.
    #[must_use]
    pub fn new(weather: Weather, seed: Seed) -> Self {
        Self { weather, dice: Dice::new(seed), last: BTreeMap::new() }
    }

    /// The weather.
    #[must_use]
    pub fn weather(&self) -> &Weather {
        &self.weather
    }

    /// Changes the weather for messages from now on.
    pub fn turn(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// When the copies of a message sent `now` on `path` arrive; none when it is lost.
    pub fn carry(&mut self, now: Time, path: P) -> impl Iterator<Item = Time> + use<P> {
        let mut last = self.last.get(&path).copied().unwrap_or_default();
        let copies = self.carry_after(now, &mut last, None);
        self.last.insert(path, last);
        copies
    }

    /// The same on a path that takes that long and whose last message arrives at `last`.
    pub fn carry_after(
        &mut self,
        now: Time,
        last: &mut Time,
        latency: Option<Duration>,
    ) -> impl Iterator<Item = Time> + use<P> {
        let mut copies = [None; 2];
        if self.dice.below(1_000) >= self.weather.lost_permille {
            copies[0] = Some(now + latency.unwrap_or_else(|| self.latency()));
            if self.dice.below(1_000) < self.weather.doubled_permille {
                copies[1] = Some(now + self.latency());
            }
        }
        if !self.weather.reorders {
            for arrival in copies.iter_mut().flatten() {
                *arrival = (*arrival).max(*last);
                *last = *arrival;
            }
        }
        copies.into_iter().flatten()
    }

    /// How long a message takes, or all messages of one path.
    pub fn latency(&mut self) -> Duration {
        let Weather { latency_min, latency_max, spread, .. } = self.weather;
        let span = latency_max.saturating_sub(latency_min).as_micros();
        let span = u64::try_from(span).unwrap_or(u64::MAX);
        let throw = self.dice.below(span.saturating_add(1));
        if spread == Spread::Even {
            return latency_min + Duration::from_micros(throw);
        }
        let place = u128::from(spread.place(throw.saturating_mul(1_000_000) / span.max(1)));
        let micros = u128::from(span) * place / 1_000_000;
        latency_min + Duration::from_micros(u64::try_from(micros).unwrap_or(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(weather: Weather) -> Vec<Vec<Time>> {
        let mut net = Net::new(weather, Seed::story(1));
        (0..1_000)
            .map(|n| net.carry(Time::ZERO + Duration::from_millis(n), "a to b").collect())
            .collect()
    }

    #[test]
    fn fair_weather_keeps_the_order_and_loses_nothing() {
        let arrivals = arrivals(Weather::fair());

        assert!(arrivals.iter().all(|copies| copies.len() == 1));
        assert!(arrivals.is_sorted());
    }

    #[test]
    fn a_storm_loses_doubles_and_reorders() {
        let arrivals = arrivals(Weather::storm());

        assert!((50..200).contains(&arrivals.iter().filter(|copies| copies.is_empty()).count()));
        assert!((50..200).contains(&arrivals.iter().filter(|copies| copies.len() == 2).count()));
        assert!(!arrivals.concat().is_sorted());
    }
}
