//! Messages from one who is there to another who is there.

use serde_json::json;

use super::{Case, Difference, Either, Setup, Target, arrived, assert_silent, fresh, message};

pub(super) const CASES: &[Case] = &[
    Case::alike("offers_answers_candidates_and_leaves_arrive", Setup::USUAL, relayed),
    Case::alike("a_message_looks_as_it_always_did", Setup::USUAL, letters),
    Case::alike("the_source_is_the_sender_whatever_it_claims", Setup::USUAL, source),
    Case::alike("nothing_else_of_a_message_travels", Setup::USUAL, extras),
    Case::alike("a_message_need_not_have_a_payload", Setup::USUAL, no_payload),
    Case::alike("a_payload_may_be_anything", Setup::USUAL, payloads),
    Case::alike("a_large_offer_arrives_whole", Setup::USUAL, large),
    Case::alike("messages_keep_their_order", Setup::USUAL, order),
    Case::alike("one_may_write_to_oneself", Setup::USUAL, oneself),
    Case::alike("binary_frames_of_json_are_understood", Setup::USUAL, binary),
    Case::alike("words_of_the_server_cannot_be_forged", Setup::USUAL, forged),
    Case::alike("unknown_words_do_no_harm", Setup::USUAL, unknown),
    Case::alike("heartbeats_are_not_answered", Setup::USUAL, heartbeat),
    Case::differs(
        "an_expire_cannot_be_forged",
        Setup::USUAL,
        Difference {
            when: "a client sends `EXPIRE` to another",
            peerserver: "relays it, so anyone can end anyone's connecting",
            hullo: "ignores it",
            why: "No client ever sends one.",
        },
        forged_expire,
    ),
    Case::differs(
        "what_is_no_json_harms_nobody",
        Setup::IMPATIENT,
        Difference {
            when: "a frame is no JSON, or no object",
            peerserver: "that connection is deaf from then on; without a listener for errors the process ends",
            hullo: "says so in an `ERROR`, and closes",
            why: "Whoever wrote that client learns what is wrong; its connections to others go on without the server.",
        },
        no_json,
    ),
];

fn relayed(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    for kind in ["OFFER", "ANSWER", "CANDIDATE", "LEAVE"] {
        alice.says(&message(kind, &bob_id, 1));

        assert_eq!(bob.hears(), arrived(kind, &alice_id, &bob_id, 1));
    }
    assert_silent(&alice_id, &mut alice);
}

fn letters(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    alice.says_text(&format!(r#"{{"type":"OFFER","payload":{{"b":1,"a":"é"}},"dst":"{bob_id}"}}"#));

    let expected = format!(
        r#"{{"type":"OFFER","src":"{alice_id}","dst":"{bob_id}","payload":{{"b":1,"a":"é"}}}}"#
    );
    assert_eq!(bob.hears_text(), expected);
}

fn source(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    alice.says(&json!({ "type": "OFFER", "src": "mallory", "dst": bob_id, "payload": { "n": 1 } }));

    assert_eq!(bob.hears(), arrived("OFFER", &alice_id, &bob_id, 1));
}

fn extras(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");
    let mut said = message("OFFER", &bob_id, 1);
    said["more"] = json!("words");

    alice.says(&said);

    assert_eq!(bob.hears(), arrived("OFFER", &alice_id, &bob_id, 1));
}

fn no_payload(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    alice.says(&json!({ "type": "LEAVE", "dst": bob_id }));

    assert_eq!(bob.hears(), json!({ "type": "LEAVE", "src": alice_id, "dst": bob_id }));
}

fn payloads(at: &Target) {
    let (_, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");
    let deep = (0..40).fold(json!("end"), |inner, _| json!([inner]));
    let payloads = [
        json!(null),
        json!("text\u{0}\u{2028}\"\\"),
        json!(-1.5),
        json!([]),
        json!({}),
        json!("👋"),
        deep,
    ];

    for payload in payloads {
        alice.says(&json!({ "type": "CANDIDATE", "payload": payload, "dst": bob_id }));

        assert_eq!(bob.hears()["payload"], payload);
    }
}

fn large(at: &Target) {
    let (_, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");
    // The largest description that a conference of today makes is well below this.
    let sdp = "a=x\r\n".repeat(10_000);

    alice.says(&json!({ "type": "OFFER", "payload": { "sdp": sdp }, "dst": bob_id }));

    assert_eq!(bob.hears()["payload"]["sdp"], sdp);
}

fn order(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    for number in 0..500 {
        alice.says(&message("CANDIDATE", &bob_id, number));
    }

    for number in 0..500 {
        assert_eq!(bob.hears(), arrived("CANDIDATE", &alice_id, &bob_id, number));
    }
}

fn oneself(at: &Target) {
    let (id, mut alice) = at.guest("alice");

    alice.says(&message("OFFER", &id, 1));

    assert_eq!(alice.hears(), arrived("OFFER", &id, &id, 1));
}

fn binary(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    alice.says_bytes(message("OFFER", &bob_id, 1).to_string().as_bytes());

    assert_eq!(bob.hears(), arrived("OFFER", &alice_id, &bob_id, 1));
}

fn forged(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    for kind in ["OPEN", "ERROR", "ID-TAKEN", "INVALID-KEY"] {
        alice.says(&message(kind, &bob_id, 1));
    }
    alice.says(&message("CANDIDATE", &bob_id, 2));

    assert_eq!(bob.hears(), arrived("CANDIDATE", &alice_id, &bob_id, 2));
    assert_silent(&alice_id, &mut alice);
}

fn unknown(at: &Target) {
    let (id, mut alice) = at.guest("alice");

    alice.says(&message("DANCE", &id, 1));
    alice.says(&json!({ "payload": {}, "dst": id }));
    alice.says(&json!({}));
    alice.says(&json!({ "type": 7, "dst": id }));

    assert_silent(&id, &mut alice);
}

fn heartbeat(at: &Target) {
    let (id, mut alice) = at.guest("alice");

    alice.says(&json!({ "type": "HEARTBEAT" }));

    assert_silent(&id, &mut alice);
}

fn forged_expire(at: &Either<'_>) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    alice.says(&message("EXPIRE", &bob_id, 1));
    alice.says(&message("CANDIDATE", &bob_id, 2));

    if !at.is_hullo() {
        assert_eq!(bob.hears(), arrived("EXPIRE", &alice_id, &bob_id, 1));
    }
    assert_eq!(bob.hears(), arrived("CANDIDATE", &alice_id, &bob_id, 2));
}

fn no_json(at: &Either<'_>) {
    for frame in ["{", "null", "7", "[]", "not json at all"] {
        let id = fresh("alice");
        let mut alice = at.enter(&id, "token");

        alice.says_text(frame);
        if !at.is_hullo() {
            alice.says(&message("CANDIDATE", &id, 1));
        }

        if at.is_hullo() {
            assert_eq!(alice.hears()["type"], "ERROR", "{frame}");
            alice.closes();
            continue;
        }
        // An array is an object to JavaScript, so PeerServer reads on after it.
        let heard = alice.listens().ok();
        let echo = arrived("CANDIDATE", &id, &id, 1);
        let expected = (frame == "[]").then_some(&echo);
        assert_eq!(
            heard.map(|text| text.parse().unwrap_or_default()).as_ref(),
            expected,
            "{frame}"
        );
    }
}
