//! PeerJS 0.3.14, of 2015: with sockets, and where only requests get through.

use serde_json::{Value, json};
use tests::peerjs::{Nginx, Passes, Version};

use crate::harness::{call, connect, echo, guest, options, pair, reach, server, visitor};

#[test]
fn the_old_client_works_with_sockets() {
    let server = server();

    everything_works(&options(&server));
}

#[test]
fn the_old_client_works_where_no_socket_gets_through() {
    let server = server();
    let nginx = Nginx::start(&server.origin, "/", Passes::RequestsOnly);

    everything_works(&reach(nginx.port, "/"));
}

#[test]
fn the_old_client_gets_an_id_too() {
    let server = server();
    let alice = visitor("alice", Version::Old);

    alice.enters(None, &options(&server));

    let id = alice.hears("open");
    assert!(id.as_str().is_some_and(|id| id.len() > 8), "{id}");
}

#[test]
fn old_and_new_see_each_other() {
    let server = server();
    let (old_id, old) = guest("alice", Version::Old, &options(&server));
    let (new_id, new) = guest("bob", Version::New, &options(&server));

    call(&(new_id, new), &(old_id, old));
}

fn everything_works(options: &Value) {
    let [alice, bob] = pair(Version::Old, options);
    for serialization in ["binary", "json"] {
        connect(&alice.1, &bob, &json!({ "serialization": serialization }));
        echo(&alice.1, &bob.1, &json!({ "text": "words", "list": [1, 2.5, true] }));
    }
    call(&alice, &bob);

    alice.1.does("connect", &[json!("nobody-by-this-name"), json!({})]);

    assert_eq!(alice.1.hears("error")["type"], "peer-unavailable");
}
