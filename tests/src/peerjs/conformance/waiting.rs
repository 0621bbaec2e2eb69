//! Messages to somebody who is not there: they wait, in order, and whoever waits in vain is told.

use serde_json::json;

use super::{Case, Difference, Either, Setup, Target, arrived, assert_silent, fresh, message};

pub(super) const CASES: &[Case] = &[
    Case::alike("messages_wait_and_come_after_open_in_order", Setup::USUAL, waits),
    Case::alike("messages_of_several_wait_alike", Setup::USUAL, several),
    Case::alike("a_leave_does_not_wait", Setup::USUAL, leave),
    Case::alike("who_waits_in_vain_is_told_once", Setup::IMPATIENT, expires),
    Case::alike("everyone_who_waits_in_vain_is_told", Setup::IMPATIENT, expires_for_all),
    Case::alike("what_has_expired_does_not_come", Setup::IMPATIENT, gone),
    Case::differs(
        "an_address_that_cannot_exist_expires_at_once",
        Setup::USUAL,
        Difference {
            when: "a message goes to an id longer than any that is let in",
            peerserver: "waits for it, then `EXPIRE`",
            hullo: "`EXPIRE` at once",
            why: "Nobody will ever come by that name; the caller learns it now instead of after five seconds.",
        },
        impossible,
    ),
];

fn waits(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let bob_id = fresh("bob");
    for (number, kind) in (0..).zip(["OFFER", "CANDIDATE", "CANDIDATE", "ANSWER"]) {
        alice.says(&message(kind, &bob_id, number));
    }
    assert_silent(&alice_id, &mut alice);

    let mut bob = at.enter(&bob_id, "token");

    for (number, kind) in (0..).zip(["OFFER", "CANDIDATE", "CANDIDATE", "ANSWER"]) {
        assert_eq!(bob.hears(), arrived(kind, &alice_id, &bob_id, number));
    }
    assert_silent(&bob_id, &mut bob);
}

fn several(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let (carol_id, mut carol) = at.guest("carol");
    let bob_id = fresh("bob");
    alice.says(&message("OFFER", &bob_id, 1));
    assert_silent(&alice_id, &mut alice);
    carol.says(&message("OFFER", &bob_id, 2));
    assert_silent(&carol_id, &mut carol);

    let mut bob = at.enter(&bob_id, "token");

    assert_eq!(bob.hears(), arrived("OFFER", &alice_id, &bob_id, 1));
    assert_eq!(bob.hears(), arrived("OFFER", &carol_id, &bob_id, 2));
}

fn leave(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let bob_id = fresh("bob");
    alice.says(&message("LEAVE", &bob_id, 1));
    assert_silent(&alice_id, &mut alice);

    let mut bob = at.enter(&bob_id, "token");

    assert_silent(&bob_id, &mut bob);
}

fn expires(at: &Target) {
    let (alice_id, mut alice) = at.guest("alice");
    let bob_id = fresh("bob");
    alice.says(&message("OFFER", &bob_id, 1));
    alice.says(&message("CANDIDATE", &bob_id, 2));

    assert_eq!(alice.hears(), json!({ "type": "EXPIRE", "src": bob_id, "dst": alice_id }));

    assert_silent(&alice_id, &mut alice);
}

fn expires_for_all(at: &Target) {
    let mut callers = [at.guest("alice"), at.guest("carol")];
    let bob_id = fresh("bob");
    for (_, socket) in &mut callers {
        socket.says(&message("OFFER", &bob_id, 1));
    }

    for (id, socket) in &mut callers {
        assert_eq!(socket.hears(), json!({ "type": "EXPIRE", "src": bob_id, "dst": id }));
    }
}

fn gone(at: &Target) {
    let (_, mut alice) = at.guest("alice");
    let bob_id = fresh("bob");
    alice.says(&message("OFFER", &bob_id, 1));
    assert_eq!(alice.hears()["type"], "EXPIRE");

    let mut bob = at.enter(&bob_id, "token");

    assert_silent(&bob_id, &mut bob);
}

fn impossible(at: &Either<'_>) {
    let (id, mut alice) = at.guest("alice");
    let nobody = "x".repeat(10_000);

    alice.says(&message("OFFER", &nobody, 1));

    if at.is_hullo() {
        let heard = alice.hears();
        assert_eq!((&heard["type"], &heard["src"]), (&json!("EXPIRE"), &json!(nobody)));
    }
    assert_silent(&id, &mut alice);
}
