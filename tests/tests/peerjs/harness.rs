//! What the stories share: a server, and people who have found their place on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tests::Browser;
use tests::peerjs::{Client, Kind, Service, Setup, Version};

/// Whose server the stories are told of.
pub(crate) fn kind() -> Kind {
    match std::env::var("PEERJS_STORIES").as_deref() {
        Ok("peerserver") => Kind::PeerServer,
        Ok("peerserver-with-xhr") => Kind::WithXhr,
        _ => Kind::Hullo,
    }
}

/// A server as it comes out of the box.
pub(crate) fn server() -> Arc<Service> {
    Service::shared(kind(), &Setup::USUAL)
}

/// The options of PeerJS to reach it. Nobody else is asked: these people sit at one machine.
pub(crate) fn options(server: &Service) -> Value {
    reach(server.port(), "/")
}

/// The options of PeerJS to reach whoever listens there.
pub(crate) fn reach(port: u16, path: &str) -> Value {
    json!({ "host": "127.0.0.1", "port": port, "path": path, "config": { "iceServers": [] } })
}

/// An id that nobody else has.
pub(crate) fn fresh(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Somebody who has opened a page with this PeerJS.
pub(crate) fn visitor(name: &str, version: Version) -> Client {
    Client::new(Browser::shared(), name, version)
}

/// Somebody who has found a place.
#[track_caller]
pub(crate) fn guest(name: &str, version: Version, options: &Value) -> (String, Client) {
    let (id, client) = (fresh(name), visitor(name, version));
    client.enters(Some(&id), options);
    assert_eq!(client.hears("open"), json!(id));
    (id, client)
}

/// Two who have found theirs.
#[track_caller]
pub(crate) fn pair(version: Version, options: &Value) -> [(String, Client); 2] {
    [guest("alice", version, options), guest("bob", version, options)]
}

/// Connects the two, and gives what the callee is told about it.
#[track_caller]
pub(crate) fn connect(alice: &Client, bob: &(String, Client), options: &Value) -> Value {
    alice.does("connect", &[json!(bob.0), options.clone()]);
    alice.hears("link");
    bob.1.hears("link")
}

/// Sends a value there and back.
#[track_caller]
pub(crate) fn echo(alice: &Client, bob: &Client, value: &Value) {
    alice.does("send", std::slice::from_ref(value));
    assert_eq!(bob.hears("data"), *value);
    bob.does("send", std::slice::from_ref(value));
    assert_eq!(alice.hears("data"), *value);
}

/// Has one call the other, until each sees the other; then the caller hangs up.
#[track_caller]
pub(crate) fn call(alice: &(String, Client), bob: &(String, Client)) {
    let both = |peer: &str| json!({ "peer": peer, "tracks": ["audio", "video"] });
    alice.1.does("ring", &[json!(bob.0), json!({ "metadata": { "topic": "lunch" } })]);
    assert_eq!(bob.1.hears("ring"), json!({ "peer": alice.0, "metadata": { "topic": "lunch" } }));
    assert_eq!(bob.1.hears("picture"), both(&alice.0));
    assert_eq!(alice.1.hears("picture"), both(&bob.0));

    for (client, other) in [(&alice.1, &bob.0), (&bob.1, &alice.0)] {
        if client.version() == Version::New {
            assert_eq!(client.hears("settled"), json!(other));
        }
    }

    alice.1.does("hangUp", &[]);

    assert_eq!(alice.1.hears("hung-up"), json!(bob.0));
    assert_eq!(bob.1.hears("hung-up"), json!(alice.0));
}
