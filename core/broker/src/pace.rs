//! How often somebody may do something: a bucket of tokens each, kept as the one moment at which it is full again.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::Time;

/// How often the full buckets are forgotten. Guess.
const SWEEP: Duration = Duration::from_secs(60);

/// The buckets that are not full.
#[derive(Debug)]
pub(crate) struct Pace<K> {
    full_at: BTreeMap<K, Time>,
    sweep_at: Option<Time>,
}

impl<K> Default for Pace<K> {
    fn default() -> Self {
        Self { full_at: BTreeMap::new(), sweep_at: None }
    }
}

impl<K: Ord> Pace<K> {
    /// Takes one token of `who`, who may have `burst` at once and one in each `pace` after that; or says how long until
    /// there is one.
    pub(crate) fn take(
        &mut self,
        burst: u32,
        pace: Duration,
        now: Time,
        who: K,
    ) -> Result<(), Duration> {
        let full_at = self.full_at.get(&who).copied().unwrap_or(now).max(now) + pace;
        let latest = now + pace * burst;
        if full_at > latest {
            return Err(full_at - latest);
        }
        self.full_at.insert(who, full_at);
        self.sweep_at.get_or_insert(now + SWEEP);
        Ok(())
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.sweep_at
    }

    pub(crate) fn on_timeout(&mut self, now: Time) {
        if self.sweep_at.is_none_or(|at| at > now) {
            return;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        self.sweep_at = (!self.full_at.is_empty()).then(|| now + SWEEP);
    }
}
