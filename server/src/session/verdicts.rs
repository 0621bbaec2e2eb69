//! Verdicts, kept briefly: bounded in number, and one question at a time for each token.

use std::future::Future;
use std::time::{Duration, Instant};

use moka::future::Cache;
use wire::Timestamp;

use super::{Identity, Reason, Refusal};
use crate::secret::Secret;
use crate::store;

/// How many verdicts are kept; about 300 B each. Guess: as many as there are newcomers within a cache's time.
const VERDICTS_MAX: u64 = 20_000;

/// What a judge has said about a token. That a judge cannot be reached is no verdict.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Granted(Identity),
    Refused(Reason),
}

impl Verdict {
    /// The verdict in what a judge said.
    pub(super) fn of(said: Result<Identity, Refusal>) -> Result<Self, Refusal> {
        match said {
            Ok(identity) => Ok(Self::Granted(identity)),
            Err(Refusal::Refused(reason)) => Ok(Self::Refused(reason)),
            Err(Refusal::Unavailable) => Err(Refusal::Unavailable),
        }
    }

    /// What it means at `now`, in milliseconds since the Unix epoch.
    pub(super) fn now(self, now: i64) -> Result<Identity, Refusal> {
        match self {
            Self::Granted(Identity { until: Some(until), .. }) if is_past(until, now) => {
                Err(Refusal::Refused(Reason::Expired))
            }
            Self::Granted(identity) => Ok(identity),
            Self::Refused(reason) => Err(Refusal::Refused(reason)),
        }
    }
}

/// The verdicts of late.
pub(super) struct Verdicts(Cache<String, Verdict>);

impl Verdicts {
    /// Keeps each for `span`; not at all when that is zero, and then questions about one token still share an answer.
    pub(super) fn new(span: Duration) -> Self {
        let cache = Cache::builder().max_capacity(VERDICTS_MAX).expire_after(Span(span)).build();
        Self(cache)
    }

    /// The verdict that is known, else the one that `ask` brings; whoever asks meanwhile waits for the same.
    pub(super) async fn get_or(
        &self,
        token: &Secret,
        ask: impl Future<Output = Result<Verdict, Refusal>>,
    ) -> Result<Verdict, Refusal> {
        self.0.try_get_with(token.hash(), ask).await.map_err(|refusal| *refusal)
    }

    /// Notes a fresh verdict.
    pub(super) async fn put(&self, token: &Secret, verdict: &Result<Verdict, Refusal>) {
        if let Ok(verdict) = verdict {
            self.0.insert(token.hash(), verdict.clone()).await;
        }
    }

    /// Forgets all verdicts.
    pub(super) fn forget_all(&self) {
        self.0.invalidate_all();
    }

    /// Notes what a judge said.
    pub(super) async fn note(&self, token: &Secret, said: &Result<Identity, Refusal>) {
        self.put(token, &Verdict::of(said.clone())).await;
    }
}

/// How long verdicts are kept.
struct Span(Duration);

impl moka::Expiry<String, Verdict> for Span {
    fn expire_after_create(&self, _: &String, _: &Verdict, _: Instant) -> Option<Duration> {
        Some(self.0)
    }

    fn expire_after_update(
        &self,
        _: &String,
        _: &Verdict,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.0)
    }
}

/// Whether a time is over.
pub(super) fn is_past(until: Timestamp, now: i64) -> bool {
    u64::try_from(now).unwrap_or(0) >= until.0
}

/// Whether a time is over by now.
pub(super) fn is_over(until: Timestamp) -> bool {
    is_past(until, store::now())
}
