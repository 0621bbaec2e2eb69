//! What the switchboard counts, for metrics.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::telemetry::{Label, MESSAGES};

/// Counts since the start, and how full the broker is. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// PeerJS clients that came in, or came back.
    pub(super) joined: Counter,
    /// PeerJS clients that were refused, by reason; shown among all that is refused.
    refused: Family<Label, Counter>,
    /// Messages that PeerJS clients sent to others.
    pub(super) said: Counter,
    /// Words written to PeerJS clients: messages, and the server's own.
    pub(super) told: Counter,
    /// Of these, word that a message could not be delivered.
    pub(super) expired: Counter,
    /// PeerJS clients that were cut off because they sent what cannot be read.
    pub(super) malformed: Counter,
    /// PeerJS clients that were cut off because they spoke too fast; shown among all that is refused.
    pub(super) hasty: Counter,
    /// Clients of all kinds that were cut off because they read too slowly.
    pub(super) slow: Counter,
    /// PeerJS clients that were silent for too long.
    pub(super) silent: Counter,
    /// PeerJS clients that are here or blink.
    pub(super) peers: Gauge,
    /// Bytes that wait for PeerJS clients.
    pub(super) letters: Gauge,
    /// Bytes that wait for devices of the app.
    pub(super) pushes: Gauge,
}

impl Tally {
    /// One that counts refusals in `refused`.
    pub(crate) fn new(refused: Family<Label, Counter>) -> Self {
        let hasty = refused.get_or_create_owned(&[("reason", MESSAGES)]);
        Self { hasty, refused, ..Self::default() }
    }

    /// A PeerJS client was refused for `reason`, if that is not counted already.
    pub(super) fn refuse(&self, reason: Option<&'static str>) {
        if let Some(reason) = reason {
            self.refused.get_or_create(&[("reason", reason)]).inc();
        }
    }

    /// Has all of it shown.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let mut counter = |name, help, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter("peerjs_joined", "PeerJS clients that came in, or came back", &self.joined);
        counter("peerjs_messages", "Messages that PeerJS clients sent to others", &self.said);
        counter("peerjs_words", "Messages and words of the server to PeerJS clients", &self.told);
        counter("peerjs_expired", "Times that a sender heard that nobody came", &self.expired);
        counter(
            "peerjs_malformed",
            "PeerJS clients cut off for what cannot be read",
            &self.malformed,
        );
        counter("slow_readers", "Clients cut off because they read too slowly", &self.slow);
        counter("peerjs_silent", "PeerJS clients that were silent for too long", &self.silent);
        registry.register(
            "peerjs_peers",
            "PeerJS clients that are here or blink",
            self.peers.clone(),
        );
        let letters = "Bytes that wait for PeerJS clients";
        registry.register("peerjs_waiting_bytes", letters, self.letters.clone());
        let pushes = "Bytes that wait for devices of the app";
        registry.register("push_waiting_bytes", pushes, self.pushes.clone());
    }
}
