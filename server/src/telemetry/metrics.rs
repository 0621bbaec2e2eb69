//! Counters, gauges and histograms in the text format of Prometheus; one set for each server.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::connections::{End, Kind};
use crate::session::Refusal;
use crate::switchboard::Tally;

/// The type of what [`Metrics::text`] gives.
pub(crate) const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds, from a cache's answer to a service's last moment.
const SECONDS: [f64; 9] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 3.0, 10.0];

/// The reason of a refusal: a client spoke too fast.
pub(crate) const MESSAGES: &str = "messages";

/// A label and its value. Values come from small sets of our own, never from a client.
pub(crate) type Label = [(&'static str, &'static str); 1];

/// The metrics of one server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Parts>);

struct Parts {
    registry: Registry,
    sessions: Family<Label, Counter>,
    service: Family<Label, Histogram, fn() -> Histogram>,
    ended: Family<Label, Counter>,
    refused: Family<Label, Counter>,
    connections: Family<Label, Gauge>,
    requests: Family<Label, Histogram, fn() -> Histogram>,
    http_connections: Gauge,
    certificate: Gauge,
    tally: Tally,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("hullo");
        let sessions = Family::default();
        registry.register(
            "sessions",
            "Tokens that were judged, by outcome; `unavailable`: the judge could not be asked",
            sessions.clone(),
        );
        let service: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        registry.register(
            "session_service_seconds",
            "How long session services took to answer, or not to",
            service.clone(),
        );
        let ended = Family::default();
        registry.register(
            "connections_ended",
            "Connections that the server ended, by reason",
            ended.clone(),
        );
        let refused: Family<Label, Counter> = Family::default();
        registry.register(
            "refused",
            "Requests, connections and messages that were refused, by reason",
            refused.clone(),
        );
        let connections = Family::default();
        registry.register(
            "connections",
            "Sockets and streams of clients that are connected, by kind",
            connections.clone(),
        );
        let requests: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        registry.register(
            "http_request_seconds",
            "How long requests took to answer, by the class of their status",
            requests.clone(),
        );
        let http_connections = Gauge::default();
        registry.register(
            "http_connections",
            "Connections that speak HTTP; sockets have left it",
            http_connections.clone(),
        );
        let certificate = Gauge::default();
        registry.register(
            "tls_certificate_until_seconds",
            "When the certificate ends, in seconds since the Unix epoch; 0 without one",
            certificate.clone(),
        );
        let tally = Tally::new(refused.clone());
        tally.register(&mut registry);
        Self(Arc::new(Parts {
            tally,
            registry,
            sessions,
            service,
            ended,
            refused,
            connections,
            requests,
            http_connections,
            certificate,
        }))
    }

    /// What the switchboard counts in.
    pub(crate) fn tally(&self) -> Tally {
        self.0.tally.clone()
    }

    /// A token was judged.
    pub(crate) fn session(&self, refusal: Option<&Refusal>) {
        let outcome = match refusal {
            None => "granted",
            Some(Refusal::Refused(reason)) => reason.word(),
            Some(Refusal::Unavailable) => "unavailable",
        };
        self.0.sessions.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// A session service was asked.
    pub(crate) fn service(&self, took: Duration, has_answered: bool) {
        let outcome = if has_answered { "answered" } else { "failed" };
        self.0.service.get_or_create(&[("outcome", outcome)]).observe(took.as_secs_f64());
    }

    /// A connection was ended.
    pub(crate) fn ended(&self, why: End) {
        self.0.ended.get_or_create(&[("reason", why.word())]).inc();
    }

    /// Something was refused for `reason`, a word of our own.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.0.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// A request was answered.
    pub(crate) fn request(&self, status: StatusCode, took: Duration) {
        let class = match status.as_u16() {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        self.0.requests.get_or_create(&[("status", class)]).observe(took.as_secs_f64());
    }

    /// Clients came or went.
    pub(crate) fn connections(&self, kind: Kind, change: i64) {
        self.0.connections.get_or_create(&[("kind", kind.word())]).inc_by(change);
    }

    /// Connections came or went.
    pub(crate) fn http_connections(&self, change: i64) {
        self.0.http_connections.inc_by(change);
    }

    /// A certificate is in use until then.
    pub(crate) fn certificate(&self, until: i64) {
        self.0.certificate.set(until);
    }

    /// All of them, as [`TEXT`].
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.0.registry).expect("a String takes any text");
        text
    }
}
