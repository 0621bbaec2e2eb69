//! Links between two pages: how they come about and end.

use serde_json::json;
use tests::peerjs::Version;

use crate::harness::{connect, echo, options, pair, server};

#[test]
fn who_does_not_exist_is_said_to_be_unavailable() {
    let server = server();
    let [(_, alice), _] = pair(Version::New, &options(&server));

    alice.does("connect", &[json!("nobody-by-this-name"), json!({})]);

    let error = json!({ "type": "peer-unavailable", "message": "Could not connect to peer nobody-by-this-name" });
    assert_eq!(alice.hears("error"), error);
}

#[test]
fn a_link_waits_for_one_who_is_just_coming() {
    let server = server();
    let options = options(&server);
    let (_, alice) = crate::harness::guest("alice", Version::New, &options);
    let (bob_id, bob) =
        (crate::harness::fresh("bob"), crate::harness::visitor("bob", Version::New));

    alice.does("connect", &[json!(bob_id), json!({ "reliable": true })]);
    bob.enters(Some(&bob_id), &options);

    alice.hears("link");
    bob.hears("link");
    echo(&alice, &bob, &json!(["here", "you", "are"]));
}

#[test]
fn who_destroys_their_peer_closes_their_links() {
    let server = server();
    let [(alice_id, alice), bob] = pair(Version::New, &options(&server));
    connect(&alice, &bob, &json!({ "reliable": true }));

    alice.does("destroy", &[]);

    assert_eq!(bob.1.hears("unlink"), json!(alice_id));
    alice.hears("close");
}
