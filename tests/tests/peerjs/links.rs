//! Data between two pages.

use serde_json::json;
use tests::peerjs::Version;

use crate::harness::{connect, echo, options, pair, server};

#[test]
fn data_of_every_kind_travels_on_links_of_every_kind() {
    let server = server();
    let [(alice_id, alice), bob] = pair(Version::New, &options(&server));
    for serialization in ["binary", "json", "raw"] {
        for reliable in [true, false] {
            let wish = json!({
                "serialization": serialization, "reliable": reliable, "label": "talk", "metadata": { "room": 7 },
            });

            let told = connect(&alice, &bob, &wish);

            let mut expected = wish.clone();
            expected["peer"] = json!(alice_id);
            assert_eq!(told, expected);
            assert_eq!(bob.1.does("channel", &[])["ordered"], json!(reliable));
            if serialization == "raw" {
                echo(&alice, &bob.1, &json!("wörds"));
            } else {
                echo(
                    &alice,
                    &bob.1,
                    &json!({ "text": "wörds 👋", "list": [1, 2.5, null, true], "deep": { "er": {} } }),
                );
            }
            if serialization != "json" {
                alice.does("sendBytes", &[json!([0, 1, 254, 255])]);
                assert_eq!(bob.1.hears("data"), json!({ "bytes": [0, 1, 254, 255] }));
            }
            alice.does("unlink", &[]);
            assert_eq!(bob.1.hears("unlink"), json!(alice_id));
            alice.hears("unlink");
        }
    }
}

#[test]
fn more_than_one_message_can_hold_arrives_whole() {
    let server = server();
    let [(_, alice), bob] = pair(Version::New, &options(&server));
    connect(&alice, &bob, &json!({ "reliable": true }));

    echo(&alice, &bob.1, &json!({ "book": "page ".repeat(40_000) }));
}

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
