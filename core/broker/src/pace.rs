//! How often a device may send: a bucket of tokens, kept as the one moment at which it is full again.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::Time;

use crate::{Config, Device};

/// How often the full buckets are forgotten. Guess.
const SWEEP: Duration = Duration::from_secs(60);

/// The buckets that are not full.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    full_at: BTreeMap<Device, Time>,
    sweep_at: Option<Time>,
}

impl Pace {
    /// Takes one token of `device`, or says how long until there is one.
    pub(crate) fn take(
        &mut self,
        config: &Config,
        now: Time,
        device: &Device,
    ) -> Result<(), Duration> {
        let full_at = self.full_at.get(device).copied().unwrap_or(now).max(now) + config.pace;
        let latest = now + config.pace * config.burst;
        if full_at > latest {
            return Err(full_at - latest);
        }
        self.full_at.insert(device.clone(), full_at);
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
