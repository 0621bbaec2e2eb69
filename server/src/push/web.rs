//! Standard Web Push: one sealed, signed POST to the push service of the browser (RFC 8030).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use sha2::{Digest, Sha256};

use super::guard::{Guard, Outside};
use super::seal::{Recipient, seal};
use super::vapid::Vapid;
use super::{Outcome, Push};

/// How long a push service may take. Guess: they answer within a second; the ring lasts 45.
const PATIENCE: Duration = Duration::from_secs(8);

/// Sends pushes to the services of browsers.
pub(crate) struct WebPush {
    vapid: Vapid,
    guard: Guard,
    /// For the known services: only addresses on the Internet.
    outside: Client,
    /// For those that the operator named.
    named: Client,
}

impl WebPush {
    pub(crate) fn new(vapid: Vapid, guard: Guard) -> anyhow::Result<Self> {
        let client = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .timeout(PATIENCE)
                .pool_max_idle_per_host(4)
        };
        let outside = client().https_only(true).dns_resolver(std::sync::Arc::new(Outside));
        let outside = outside.build().context("The client for push services cannot be made")?;
        let named = client().build().context("The client for push services cannot be made")?;
        Ok(Self { vapid, guard, outside, named })
    }

    pub(crate) fn vapid(&self) -> &Vapid {
        &self.vapid
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends once.
    pub(crate) async fn send(
        &self,
        endpoint: &Url,
        recipient: &Recipient,
        push: &Push<'_>,
    ) -> anyhow::Result<Outcome> {
        // The rules may have changed since the contact was stored.
        if self.guard.check(endpoint.as_str()).is_err() {
            return Ok(Outcome::Gone);
        }
        let body = match seal(recipient, push.text.as_bytes()) {
            Ok(body) => body,
            Err(super::seal::Error::Key) => return Ok(Outcome::Gone),
            Err(error) => return Err(error.into()),
        };
        let origin = endpoint.origin().ascii_serialization();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let client = if self.guard.is_named(endpoint) { &self.named } else { &self.outside };
        let mut request = client
            .post(endpoint.clone())
            .header(AUTHORIZATION, self.vapid.authorization(&origin, now)?)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("TTL", push.left.as_secs().max(1))
            .header("Urgency", if push.is_urgent { "high" } else { "normal" })
            .body(body);
        if let Some(topic) = push.topic {
            request = request.header("Topic", short_topic(topic));
        }
        let answer = request.send().await.context("The push service cannot be reached")?;
        Ok(outcome(&answer))
    }
}

/// At most 32 characters of URL-safe base64 (RFC 8030 §5.4), the same for the same topic.
fn short_topic(topic: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(topic.as_bytes())[..24])
}

fn outcome(answer: &Response) -> Outcome {
    match answer.status() {
        status if status.is_success() => Outcome::Taken,
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        StatusCode::TOO_MANY_REQUESTS => Outcome::Later(retry_after(answer.headers())),
        status if status.is_server_error() => Outcome::Later(retry_after(answer.headers())),
        _ => Outcome::Refused,
    }
}

/// Seconds only: a date is no use to whoever rings for less than a minute.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
