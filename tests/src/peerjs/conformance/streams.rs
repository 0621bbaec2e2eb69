//! Clients without sockets: messages come down one long answer and go up one request each.

use serde_json::{Value, json};

use super::http::{self, Answer, Stream};
use super::{
    Case, Difference, Either, Setup, Socket, Target, arrived, assert_silent, fresh, message, open,
};

pub(super) const CASES: &[Case] = &[
    Case::alike("a_stream_begins_with_padding_and_open", Setup::USUAL, opens).with_xhr(),
    Case::alike("a_stream_brings_messages", Setup::USUAL, brings).with_xhr(),
    Case::alike("requests_carry_messages", Setup::USUAL, carries).with_xhr(),
    Case::alike("messages_wait_for_a_stream", Setup::USUAL, waits).with_xhr(),
    Case::alike("a_stream_of_another_token_is_an_error", Setup::USUAL, taken).with_xhr(),
    Case::alike("a_stream_with_a_foreign_key_is_an_error", Setup::USUAL, foreign_key).with_xhr(),
    Case::alike("a_message_of_another_token_is_refused", Setup::USUAL, other_token).with_xhr(),
    Case::alike("a_message_of_nobody_is_refused", Setup::USUAL, nobody).with_xhr(),
    Case::alike("a_socket_takes_over_from_a_stream", Setup::USUAL, socket_takes_over).with_xhr(),
    Case::alike("a_new_stream_takes_over_from_an_old_one", Setup::USUAL, stream_takes_over)
        .with_xhr(),
    Case::alike("pages_of_any_origin_may_post", Setup::USUAL, preflight).with_xhr(),
    Case::alike("who_takes_over_from_a_stream_has_heard_open", Setup::USUAL, socket_opens)
        .with_xhr(),
];

fn opens(at: &Target) {
    let id = fresh("alice");

    let mut stream = stream(at, &id, "token");

    assert!(stream.padding >= 1024, "{}", stream.padding);
    assert_eq!(stream.hears(), Some(open()));
}

fn brings(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let bob_id = fresh("bob");
    let mut bob = stream(at, &bob_id, "token");
    assert_eq!(bob.hears(), Some(open()));

    for (number, kind) in (0..).zip(["OFFER", "CANDIDATE", "ANSWER", "LEAVE"]) {
        alice.says(&message(kind, &bob_id, number));

        assert_eq!(bob.hears(), Some(arrived(kind, &alice_id, &bob_id, number)));
    }
}

fn carries(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let bob_id = fresh("bob");
    let mut bob = stream(at, &bob_id, "token");
    assert_eq!(bob.hears(), Some(open()));

    for (number, kind) in (0..).zip(["OFFER", "CANDIDATE", "ANSWER", "LEAVE"]) {
        let answer = post(at, &bob_id, "token", &message(kind, &alice_id, number));

        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
        assert_eq!(alice.hears(), arrived(kind, &bob_id, &alice_id, number));
    }
}

fn waits(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let bob_id = fresh("bob");
    alice.says(&message("OFFER", &bob_id, 1));
    alice.says(&message("CANDIDATE", &bob_id, 2));
    assert_silent(&alice_id, &mut alice);

    let mut bob = stream(at, &bob_id, "token");

    assert_eq!(bob.hears(), Some(open()));
    assert_eq!(bob.hears(), Some(arrived("OFFER", &alice_id, &bob_id, 1)));
    assert_eq!(bob.hears(), Some(arrived("CANDIDATE", &alice_id, &bob_id, 2)));
}

fn taken(at: &Target) {
    let (id, mut alice) = at.guest("alice");

    let mut thief = stream(at, &id, "another");

    assert_eq!(thief.hears(), Some(json!({ "type": "HTTP-ERROR" })));
    assert_eq!(thief.hears(), None);
    assert_silent(&id, &mut alice);
}

fn foreign_key(at: &Target) {
    let url = at.url(&format!("foreign/{}/token/id?i=0", fresh("alice")));

    let answer = http::ask("POST", &url, &[], "");

    // The old client reads an answer without padding as one that failed, whatever its status.
    assert!(answer.body.contains("HTTP-ERROR") || answer.status >= 400, "{answer:?}");
}

fn other_token(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, _bob) = at.guest("bob");

    let answer = post(at, &bob_id, "another", &message("OFFER", &alice_id, 1));

    assert_eq!(answer.status, 401);
    assert_silent(&alice_id, &mut alice);
}

fn nobody(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");

    let answer = post(at, &fresh("bob"), "token", &message("OFFER", &alice_id, 1));

    assert_eq!(answer.status, 401);
    assert_silent(&alice_id, &mut alice);
}

fn socket_takes_over(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let bob_id = fresh("bob");
    let mut old = stream(at, &bob_id, "token");
    assert_eq!(old.hears(), Some(open()));

    let mut new = at.knock(&bob_id, "token");

    assert_eq!(old.hears(), None);
    alice.says(&message("OFFER", &bob_id, 1));
    assert_eq!(new.hears(), arrived("OFFER", &alice_id, &bob_id, 1));
}

fn stream_takes_over(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let bob_id = fresh("bob");
    let mut old = stream(at, &bob_id, "token");
    assert_eq!(old.hears(), Some(open()));

    let mut new = stream(at, &bob_id, "token");
    alice.says(&message("OFFER", &bob_id, 1));

    let first = new.hears().expect("the stream goes on");
    let offer = if first == open() { new.hears().expect("the stream goes on") } else { first };
    assert_eq!(offer, arrived("OFFER", &alice_id, &bob_id, 1));
}

fn preflight(at: &Target) {
    let headers = [
        ("origin", "https://site.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];

    let answer = http::ask("OPTIONS", &at.url("peerjs/alice/token/offer"), &headers, "");

    assert_eq!(answer.status, 204);
    let allowed = answer.header("access-control-allow-origin");
    assert!(allowed == Some("*") || allowed == Some("https://site.example"), "{allowed:?}");
}

fn socket_opens(at: &Target) {
    let id = fresh("alice");
    let mut stream = stream(at, &id, "token");
    assert_eq!(stream.hears(), Some(open()));

    let mut socket = at.knock(&id, "token");

    // The old client opens both at once, and fires `open` for each that it hears.
    assert_silent(&id, &mut socket);
}

fn stream(at: &Target, id: &str, token: &str) -> Stream {
    Stream::open(&at.url(&format!("{}/{id}/{token}/id?i=0", at.setup.key)))
}

fn post(at: &Target, id: &str, token: &str, message: &Value) -> Answer {
    let verb = message["type"].as_str().unwrap_or_default().to_lowercase();
    let url = at.url(&format!("{}/{id}/{token}/{verb}", at.setup.key));
    http::ask("POST", &url, &[("content-type", "application/json")], &message.to_string())
}
