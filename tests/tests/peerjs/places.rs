//! Finding a place on the server, and keeping it.

use serde_json::json;
use tests::peerjs::{Service, Setup, Version};

use crate::harness::{connect, echo, fresh, guest, kind, options, reach, server, visitor};

#[test]
fn who_has_no_wish_gets_an_id() {
    let server = server();
    let (one, other) = (visitor("alice", Version::New), visitor("bob", Version::New));

    one.enters(None, &options(&server));
    other.enters(None, &options(&server));

    let (one, other) = (one.hears("open"), other.hears("open"));
    assert!(one.as_str().is_some_and(|id| id.len() > 8), "{one}");
    assert_ne!(one, other);
}

#[test]
fn every_id_that_the_client_allows_is_given() {
    let server = server();
    for wish in ["a_b-c d", "0", "UPPER lower 09"] {
        let alice = visitor("alice", Version::New);
        alice.enters(Some(wish), &options(&server));

        assert_eq!(alice.hears("open"), json!(wish));
        alice.does("destroy", &[]);
        alice.hears("close");
    }
}

#[test]
fn an_id_that_somebody_has_is_unavailable() {
    let server = server();
    let (id, _alice) = guest("alice", Version::New, &options(&server));
    let thief = visitor("thief", Version::New);

    thief.enters(Some(&id), &options(&server));

    let error = json!({ "type": "unavailable-id", "message": format!("ID \"{id}\" is taken") });
    assert_eq!(thief.hears("error"), error);
}

#[test]
fn an_own_key_and_path_and_a_list_of_who_is_there() {
    let server = Service::shared(kind(), &Setup::OWN);
    let mut options = reach(server.port(), "/calls");
    options["key"] = json!("secret");
    let (alice_id, alice) = guest("alice", Version::New, &options);
    let bob = guest("bob", Version::New, &options);

    let list = alice.does("peers", &[]);

    let list = list.as_array().cloned().unwrap_or_default();
    assert!([&alice_id, &bob.0].iter().all(|id| list.contains(&json!(id))), "{list:?}");
    connect(&alice, &bob, &json!({}));
}

#[test]
fn a_foreign_key_is_an_error_of_the_server() {
    let server = server();
    let alice = visitor("alice", Version::New);
    let mut options = options(&server);
    options["key"] = json!("foreign");

    alice.enters(Some(&fresh("alice")), &options);

    assert_eq!(
        alice.hears("error"),
        json!({ "type": "server-error", "message": "Invalid key provided" })
    );
}

#[test]
fn who_leaves_and_returns_is_open_again_and_reachable() {
    let server = server();
    let (_, alice) = guest("alice", Version::New, &options(&server));
    let bob = guest("bob", Version::New, &options(&server));
    bob.1.does("disconnect", &[]);
    assert_eq!(bob.1.hears("disconnected"), json!(bob.0));

    // An offer and its candidates wait meanwhile; only in their order do they make a link.
    alice.does("connect", &[json!(bob.0), json!({ "reliable": true })]);
    bob.1.does("reconnect", &[]);

    assert_eq!(bob.1.hears("open"), json!(bob.0));
    alice.hears("link");
    bob.1.hears("link");
    echo(&alice, &bob.1, &json!({ "back": true }));
}

#[test]
fn a_link_outlives_the_sockets_of_both() {
    let server = server();
    let (_, alice) = guest("alice", Version::New, &options(&server));
    let bob = guest("bob", Version::New, &options(&server));
    connect(&alice, &bob, &json!({ "reliable": true }));

    for client in [&alice, &bob.1] {
        client.does("disconnect", &[]);
        client.hears("disconnected");
    }

    echo(&alice, &bob.1, &json!("still here"));
}
