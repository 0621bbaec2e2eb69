//! The way to a judge over HTTP: bounded in time, in questions at once, and in the bytes of an answer.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use reqwest::header::{CONTENT_TYPE, DATE};
use reqwest::{RequestBuilder, StatusCode, redirect};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::Refusal;
use super::settings::ClientSettings;
use crate::telemetry::Metrics;

/// Questions at once; more wait within their time. Guess: a service on a small machine.
const QUESTIONS_MAX: usize = 32;

/// The largest answer, in bytes. Guess: a set of twenty keys with their certificates.
const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// A client of session services.
pub(crate) struct Client {
    http: reqwest::Client,
    gate: Semaphore,
    patience: Duration,
    metrics: Metrics,
}

/// An answer: its status, and the object in its body if there is one.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// What the other side thinks the time is.
    pub(crate) date: Option<SystemTime>,
    pub(crate) members: Option<Map<String, Value>>,
}

/// Why there is no answer, as the operator reads it.
pub(crate) type Trouble = String;

impl Client {
    pub(crate) fn new(settings: &ClientSettings, metrics: Metrics) -> anyhow::Result<Self> {
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("hullo/", env!("CARGO_PKG_VERSION")))
            // A token goes to the address that the operator gave, and to no other.
            .redirect(redirect::Policy::none())
            .connect_timeout(settings.timeout)
            .pool_max_idle_per_host(QUESTIONS_MAX)
            .tcp_nodelay(true);
        if let Some(bundle) = &settings.authorities {
            let shown = bundle.display();
            let pem = std::fs::read(bundle)
                .with_context(|| format!("{shown} cannot be read. Check --session-ca"))?;
            let trusted = reqwest::Certificate::from_pem_bundle(&pem).ok();
            let trusted = trusted.filter(|trusted| !trusted.is_empty());
            let trusted = trusted.with_context(|| {
                format!("{shown} holds no certificates in PEM form. Check --session-ca")
            })?;
            http = http.tls_certs_merge(trusted);
        }
        let http = http.build().context("The client of the session service cannot be made")?;
        let gate = Semaphore::new(QUESTIONS_MAX);
        Ok(Self { http, gate, patience: settings.timeout, metrics })
    }

    pub(crate) fn get(&self, url: &reqwest::Url) -> RequestBuilder {
        self.http.get(url.clone()).header("accept", "application/json")
    }

    pub(crate) fn post(&self, url: &reqwest::Url) -> RequestBuilder {
        self.http.post(url.clone()).header("accept", "application/json")
    }

    /// Asks, and reads the answer to its end.
    pub(crate) async fn ask(&self, question: RequestBuilder) -> Result<Answer, Trouble> {
        let asked = Instant::now();
        let talk = async {
            let _turn = self.gate.acquire().await.expect("the gate is never closed");
            read(question.send().await.map_err(|error| explain(&error))?).await
        };
        let answer = tokio::time::timeout(self.patience, talk).await.unwrap_or_else(|_| {
            Err(format!("it did not answer within {} s", self.patience.as_secs()))
        });
        self.metrics.service(asked.elapsed(), answer.is_ok());
        answer
    }

    /// As [`Self::ask`]; what goes wrong is logged.
    pub(crate) async fn ask_or_log(&self, question: RequestBuilder) -> Result<Answer, Refusal> {
        self.ask(question).await.map_err(|trouble| {
            tracing::warn!(trouble, "The session service cannot be used");
            Refusal::Unavailable
        })
    }
}

/// How far the other side's clock and ours are apart.
pub(crate) fn skew(date: Option<SystemTime>) -> Option<Duration> {
    let (now, date) = (SystemTime::now(), date?);
    // The header has whole seconds, of which the last may be half over.
    let apart = now.duration_since(date).unwrap_or_else(|ahead| ahead.duration());
    Some(apart.saturating_sub(Duration::from_secs(1)))
}

/// Logs an answer that is none, and refuses for now.
pub(crate) fn unusable(trouble: &str) -> Refusal {
    tracing::error!(trouble, "The session service answers what it should not");
    Refusal::Unavailable
}

async fn read(mut response: reqwest::Response) -> Result<Answer, Trouble> {
    let status = response.status();
    let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    });
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(format!("its answer is larger than {ANSWER_BYTES_MAX} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    let members = if is_json { serde_json::from_slice(&bytes).ok() } else { None };
    Ok(Answer { status, date, members })
}

/// What went wrong on the way, without the address, which the operator knows, and which might hold a secret.
fn explain(error: &reqwest::Error) -> Trouble {
    let mut text =
        if error.is_connect() { "no connection" } else { "the exchange failed" }.to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
