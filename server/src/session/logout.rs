//! OpenID Connect Back-Channel Logout 1.0: the issuer says who left, and their tokens count no longer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use moka::sync::Cache;
use serde_json::{Map, Value};

use super::Reason;

/// The event that makes a token a logout token (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The member that holds it.
pub(super) const EVENTS: &str = "events";

/// How long a logout is remembered. Tokens that last longer are another reason to ask the issuer instead. Guess: a day.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// How many are remembered.
const LOGOUTS_MAX: u64 = 100_000;

/// Who left.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Left {
    /// One session.
    Session(String),
    /// All sessions of a subject that began until then.
    Subject(String),
}

/// Who left lately.
pub(super) struct Logouts(Cache<Left, f64>);

impl Logouts {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(LOGOUTS_MAX).time_to_live(REMEMBERED).build())
    }

    /// Notes that somebody left.
    pub(super) fn note(&self, left: Left) {
        self.0.insert(left, now());
    }

    /// Whether the session of a token has ended before. One without a beginning cannot be told from an old one.
    pub(super) fn has(&self, claims: &Map<String, Value>) -> bool {
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str).map(str::to_owned);
        if text("sid").is_some_and(|session| self.0.contains_key(&Left::Session(session))) {
            return true;
        }
        let left = text("sub").and_then(|subject| self.0.get(&Left::Subject(subject)));
        let began = claims.get("iat").and_then(Value::as_f64).unwrap_or(0.0);
        left.is_some_and(|left| began <= left)
    }
}

/// Who left, by a logout token whose signature, issuer, audience and time are checked already (§2.6).
pub(super) fn read(claims: &Map<String, Value>) -> Result<Left, Reason> {
    let is_logout =
        claims.get(EVENTS).and_then(|events| events.get(EVENT)).is_some_and(Value::is_object);
    if !is_logout || claims.contains_key("nonce") {
        return Err(Reason::Malformed);
    }
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str).map(str::to_owned);
    match (text("sid"), text("sub")) {
        (Some(session), _) => Ok(Left::Session(session)),
        (None, Some(subject)) => Ok(Left::Subject(subject)),
        (None, None) => Err(Reason::User),
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
