//! Staying, leaving, and being gone.

use serde_json::json;

use super::{
    Case, Difference, Either, Setup, Socket, Target, arrived, assert_silent, fresh, message,
};

/// Places are kept for a moment only, but silence is patiently borne.
const BLINKING: Setup = Setup { alive: Setup::USUAL.alive, ..Setup::IMPATIENT };

pub(super) const CASES: &[Case] = &[
    Case::alike("who_is_silent_for_too_long_is_gone", Setup::IMPATIENT, silent),
    Case::differs(
        "heartbeats_keep_one_there",
        Setup::IMPATIENT,
        Difference {
            when: "a client sends nothing by itself, but answers pings, as browsers do",
            peerserver: "does not ping, and cuts it off",
            hullo: "pings it, and keeps it",
            why: "Browsers slow down the heartbeats of pages in the background, but not their answers.",
        },
        heartbeats,
    ),
    Case::alike("who_has_left_makes_room_at_once", Setup::USUAL, room),
    Case::alike("a_place_is_free_when_its_client_says_leave", Setup::USUAL, says_leave),
    Case::differs(
        "any_traffic_is_life",
        Setup::IMPATIENT,
        Difference {
            when: "a client sends messages, but no `HEARTBEAT`",
            peerserver: "is cut off all the same",
            hullo: "stays",
            why: "Who speaks is alive.",
        },
        traffic,
    ),
    Case::differs(
        "partners_are_told_that_one_has_left",
        Setup::USUAL,
        Difference {
            when: "a client that says `LEAVE` to nobody in particular has exchanged offers with others",
            peerserver: "they are not told, and wait for their own timeouts",
            hullo: "they get its `LEAVE`",
            why: "PeerJS closes its connections to one who has left.",
        },
        partners,
    ),
    Case::differs(
        "partners_are_told_that_one_is_gone_once_it_cannot_be_a_blink",
        BLINKING,
        Difference {
            when: "the connection of a client breaks, and it does not come back",
            peerserver: "nobody is told",
            hullo: "those it exchanged offers with get its `LEAVE` after 10 s (`--peerjs-reconnect-timeout`)",
            why: "PeerJS closes its connections to one who has left; not at once, for a client that lost its socket keeps its calls.",
        },
        lost,
    ),
    Case::differs(
        "the_place_of_one_whose_connection_broke_is_kept",
        BLINKING,
        Difference {
            when: "the connection of a client breaks, and another token asks for its id",
            peerserver: "gets it at once",
            hullo: "`ID-TAKEN` for 10 s; the same token has its place back, and nobody was told that it was away",
            why: "A call outlives a lost socket, and a thief must not gain by one.",
        },
        blink,
    ),
    Case::differs(
        "one_who_disconnects_keeps_its_calls",
        BLINKING,
        Difference {
            when: "a client closes its socket, as `disconnect()` does",
            peerserver: "nobody is told",
            hullo: "those who answered it, or whom it answered, are not told; one whose offer is not answered yet gets `LEAVE` after 10 s",
            why: "What is connected stays connected; what still rings has nobody behind it.",
        },
        disconnect,
    ),
    Case::differs(
        "who_has_said_leave_cannot_speak_on",
        Setup::USUAL,
        Difference {
            when: "a client goes on sending after `LEAVE`",
            peerserver: "relays it, also when another holds the id by then",
            hullo: "closes its socket",
            why: "Two who speak by one name is what tokens are for to prevent.",
        },
        ghost,
    ),
];

fn silent(at: &Target) {
    let (_, alice) = at.guest("alice");

    alice.is_cut_off();
}

fn heartbeats(at: &Either<'_>) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    // Bob says nothing by himself. Where that ends him, only her heartbeats can have kept her.
    let mut gone = None;
    for _ in 0..at.choose(100, 10) {
        alice.says(&json!({ "type": "HEARTBEAT" }));
        gone = bob.ends_within(at.setup.alive / 5);
        if gone.is_some() {
            break;
        }
    }

    assert_eq!(gone.is_some(), at.choose(true, false), "{gone:?}");
    assert_silent(&alice_id, &mut alice);
    if at.is_hullo() {
        assert_silent(&bob_id, &mut bob);
    }
}

fn room(at: &Target) {
    let (id, alice) = at.guest("alice");
    alice.leaves();

    let mut again = at.enter(&id, "token");

    assert_silent(&id, &mut again);
}

fn says_leave(at: &Target) {
    let (id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");
    alice.says(&message("CANDIDATE", &bob_id, 1));
    alice.says(&json!({ "type": "LEAVE" }));
    assert_eq!(bob.hears(), arrived("CANDIDATE", &id, &bob_id, 1));

    let mut other = at.enter(&id, "another");

    assert_silent(&id, &mut other);
}

fn traffic(at: &Either<'_>) {
    let (alice_id, mut alice) = at.guest("alice");
    let (_, mut bob) = at.guest("bob");

    for _ in 0..100 {
        alice.says(&message("CANDIDATE", &alice_id, 1));
        if bob.ends_within(at.setup.alive / 5).is_some() {
            break;
        }
    }

    // She came before him, so where only heartbeats count she is gone by now as well.
    let end = loop {
        match alice.listens() {
            Ok(text) if text.contains(r#""n":1"#) => {
                alice.says(&message("CANDIDATE", &alice_id, 2));
            }
            Ok(_) => break None,
            Err(end) => break Some(end),
        }
    };
    assert_eq!(end.is_some(), at.choose(true, false), "{end:?}");
}

fn partners(at: &Either<'_>) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");
    alice.says(&message("OFFER", &bob_id, 1));
    assert_eq!(bob.hears(), arrived("OFFER", &alice_id, &bob_id, 1));
    bob.says(&message("ANSWER", &alice_id, 2));
    assert_eq!(alice.hears(), arrived("ANSWER", &bob_id, &alice_id, 2));

    alice.says(&json!({ "type": "LEAVE" }));

    if at.is_hullo() {
        assert_eq!(bob.hears(), json!({ "type": "LEAVE", "src": alice_id, "dst": bob_id }));
    } else {
        // Whoever takes the place is let in after the LEAVE was read.
        let _other = at.enter(&alice_id, "another");
    }
    assert_silent(&bob_id, &mut bob);
}

/// Two who are connected, as far as the server can tell.
fn connected(at: &Target) -> [(String, Socket); 2] {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");
    alice.says(&message("OFFER", &bob_id, 1));
    assert_eq!(bob.hears(), arrived("OFFER", &alice_id, &bob_id, 1));
    bob.says(&message("ANSWER", &alice_id, 2));
    assert_eq!(alice.hears(), arrived("ANSWER", &bob_id, &alice_id, 2));
    [(alice_id, alice), (bob_id, bob)]
}

/// Lets as much time pass as a place is kept, and some, by the clock of the server: a message that nobody takes expires.
fn outlast_grace(at: &Either<'_>, id: &str, socket: &mut Socket) {
    let rounds = at.setup.grace.as_millis() / at.setup.expire.as_millis() + 2;
    for _ in 0..rounds {
        let nobody = fresh("nobody");
        socket.says(&message("OFFER", &nobody, 9));
        assert_eq!(socket.hears(), json!({ "type": "EXPIRE", "src": nobody, "dst": id }));
    }
}

fn lost(at: &Either<'_>) {
    let [(alice_id, alice), (bob_id, mut bob)] = connected(at);

    alice.breaks_off();

    if at.is_hullo() {
        assert_eq!(bob.hears(), json!({ "type": "LEAVE", "src": alice_id, "dst": bob_id }));
    } else {
        outlast_grace(at, &bob_id, &mut bob);
    }
    assert_silent(&bob_id, &mut bob);
}

fn blink(at: &Either<'_>) {
    let [(alice_id, alice), (bob_id, mut bob)] = connected(at);
    if !at.is_hullo() {
        // For PeerServer, a broken connection is as good as a closed one.
        alice.leaves();
        let mut other = at.enter(&alice_id, "another");
        return assert_silent(&alice_id, &mut other);
    }

    alice.breaks_off();
    let mut thief = at.knock(&alice_id, "another");
    assert_eq!(thief.hears()["type"], "ID-TAKEN");
    let mut back = at.enter(&alice_id, "token");

    outlast_grace(at, &bob_id, &mut bob);
    bob.says(&message("CANDIDATE", &alice_id, 3));
    assert_eq!(back.hears(), arrived("CANDIDATE", &bob_id, &alice_id, 3));
}

fn disconnect(at: &Either<'_>) {
    let [(alice_id, mut alice), (bob_id, mut bob)] = connected(at);
    let (carol_id, mut carol) = at.guest("carol");
    alice.says(&message("OFFER", &carol_id, 4));
    assert_eq!(carol.hears(), arrived("OFFER", &alice_id, &carol_id, 4));

    alice.leaves();

    if at.is_hullo() {
        assert_eq!(carol.hears(), json!({ "type": "LEAVE", "src": alice_id, "dst": carol_id }));
    } else {
        outlast_grace(at, &carol_id, &mut carol);
    }
    assert_silent(&carol_id, &mut carol);
    assert_silent(&bob_id, &mut bob);
}

fn ghost(at: &Either<'_>) {
    let (alice_id, mut alice) = at.guest("alice");
    let (bob_id, mut bob) = at.guest("bob");

    alice.says(&json!({ "type": "LEAVE" }));

    if at.is_hullo() {
        alice.closes();
    } else {
        alice.says(&message("OFFER", &bob_id, 1));
        assert_eq!(bob.hears(), arrived("OFFER", &alice_id, &bob_id, 1));
    }
    assert_silent(&bob_id, &mut bob);
}
