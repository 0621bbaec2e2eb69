//! Opening a socket: who gets in, who does not, and what they are told.

use serde_json::{Value, json};

use super::{Case, Difference, Either, Setup, Socket, Target, assert_silent, fresh, message, open};
use crate::peerjs::conformance::arrived;

pub(super) const CASES: &[Case] = &[
    Case::alike("whoever_is_let_in_hears_open", Setup::USUAL, opened),
    Case::alike("what_is_missing_is_said", Setup::USUAL, missing),
    Case::alike("a_foreign_key_is_refused", Setup::USUAL, foreign_key),
    Case::alike("the_own_key_and_path_are_taken", Setup::OWN, own),
    Case::alike("the_last_word_of_the_path_is_peerjs_whatever_the_key", Setup::OWN, last_word),
    Case::alike("a_socket_elsewhere_is_refused", Setup::USUAL, elsewhere),
    Case::alike("an_id_that_another_token_holds_is_taken", Setup::USUAL, taken),
    Case::alike("ids_of_any_letters_are_taken", Setup::USUAL, any_letters),
    Case::alike("long_ids_are_taken", Setup::USUAL, long),
    Case::alike("whoever_is_one_too_many_is_told", Setup::SMALL, too_many),
    Case::differs(
        "ids_that_no_page_can_show_are_refused",
        Setup::USUAL,
        Difference {
            when: "an id is longer than 254 bytes or has control characters",
            peerserver: "lets it in",
            hullo: "refuses it with an `ERROR`",
            why: "Ids are shown, logged and kept while messages wait. PeerJS allows letters, digits and single blanks, hyphens and underscores only.",
        },
        impossible,
    ),
    Case::differs(
        "who_returns_hears_open_again",
        Setup::USUAL,
        Difference {
            when: "a client returns with its id and token while its old socket is still there",
            peerserver: "no `OPEN`",
            hullo: "`OPEN`, then what waited",
            why: "PeerJS waits for `OPEN` after `reconnect()` and otherwise never fires `open`.",
        },
        returns,
    ),
    Case::differs(
        "who_returns_closes_the_old_socket",
        Setup::USUAL,
        Difference {
            when: "the socket that was there before",
            peerserver: "stays open for good and may go on sending",
            hullo: "is closed",
            why: "Nobody listens to it any more, and a server that never lets go of it can never stop.",
        },
        old_socket,
    ),
    Case::differs(
        "who_returns_is_never_one_too_many",
        Setup::SMALL,
        Difference {
            when: "a client returns while the server is full",
            peerserver: "is let in without `OPEN`",
            hullo: "is let in with `OPEN`",
            why: "A place that one holds already is no new place.",
        },
        returns_to_full,
    ),
];

fn opened(at: &Target) {
    let mut socket = at.knock(&fresh("alice"), "token");

    assert_eq!(socket.hears_text(), r#"{"type":"OPEN"}"#);
}

fn missing(at: &Target) {
    let id = fresh("alice");
    for query in
        ["", "key=peerjs", &format!("key=peerjs&id={id}"), &format!("key=peerjs&id={id}&token=")]
    {
        let mut socket = at.socket(query);

        assert_eq!(
            socket.hears(),
            error("No id, token, or key supplied to websocket server"),
            "{query}"
        );
        socket.closes();
    }
}

fn foreign_key(at: &Target) {
    let mut socket = at.socket(&format!("key=foreign&id={}&token=t", fresh("alice")));

    assert_eq!(socket.hears(), error("Invalid key provided"));
    socket.closes();
}

fn own(at: &Target) {
    let (id, mut socket) = at.guest("alice");

    assert_silent(&id, &mut socket);
}

fn last_word(at: &Target) {
    let path = format!("/calls/secret?key=secret&id={}&token=t", fresh("alice"));

    assert!(Socket::try_open(&at.address, &path, &[]).is_err());
}

fn elsewhere(at: &Target) {
    let path = format!("/elsewhere?key=peerjs&id={}&token=t", fresh("alice"));

    let refused = Socket::try_open(&at.address, &path, &[]).err();

    assert!(refused.is_some_and(|status| (400..500).contains(&status)), "{refused:?}");
}

fn taken(at: &Target) {
    let (id, mut alice) = at.guest("alice");

    let mut thief = at.knock(&id, "another");

    assert_eq!(thief.hears(), json!({ "type": "ID-TAKEN", "payload": { "msg": "ID is taken" } }));
    thief.closes();
    assert_silent(&id, &mut alice);
}

fn any_letters(at: &Target) {
    for (raw, id) in
        [("a%20b%2Fc", "a b/c"), ("%F0%9F%91%8B", "👋"), ("mail%40example.com", "mail@example.com")]
    {
        let unique = fresh("");
        let mut socket = at.enter(&format!("{raw}{unique}"), "token");

        assert_silent(&format!("{id}{unique}"), &mut socket);
    }
}

fn long(at: &Target) {
    // PeerJS asks for no longer ones, but nothing in it forbids them.
    let id = format!("{}{}", "x".repeat(200), fresh(""));

    let mut socket = at.enter(&id, "token");

    assert_silent(&id, &mut socket);
}

fn impossible(at: &Either<'_>) {
    for id in ["x".repeat(255), "line%0Abreak".to_owned()] {
        let mut alice = at.knock(&format!("{id}{}", fresh("")), "token");

        if at.is_hullo() {
            assert_eq!(alice.hears()["type"], "ERROR");
            alice.closes();
        } else {
            assert_eq!(alice.hears(), open());
        }
    }
}

fn too_many(at: &Target) {
    let full = Full::of(at);

    let mut third = at.knock(&fresh("third"), "token");

    assert_eq!(third.hears(), error("Server has reached its concurrent user limit"));
    third.closes();
    full.leaves();
}

fn returns(at: &Either<'_>) {
    let id = fresh("alice");
    let _old = at.enter(&id, "token");

    let mut new = at.knock(&id, "token");

    if at.is_hullo() {
        assert_eq!(new.hears(), open());
    }
    assert_silent(&id, &mut new);
}

fn old_socket(at: &Either<'_>) {
    let id = fresh("alice");
    let mut old = at.enter(&id, "token");
    let (bob_id, mut bob) = at.guest("bob");

    let mut new = at.knock(&id, "token");

    if at.is_hullo() {
        assert_eq!(new.hears(), open());
        old.closes();
    } else {
        assert_silent(&id, &mut new);
        old.says(&message("OFFER", &bob_id, 1));
        assert_eq!(bob.hears(), arrived("OFFER", &id, &bob_id, 1));
    }
    assert_silent(&bob_id, &mut bob);
}

fn returns_to_full(at: &Either<'_>) {
    let full = Full::of(at);

    let mut again = at.knock(&full.first.0, "token");

    if at.is_hullo() {
        assert_eq!(again.hears(), open());
    }
    assert_silent(&full.first.0, &mut again);
    again.leaves();
    full.leaves();
}

fn error(words: &str) -> Value {
    json!({ "type": "ERROR", "payload": { "msg": words } })
}

/// A server for two with two. One at a time, since the two places are all that its tests have.
struct Full {
    first: (String, Socket),
    second: (String, Socket),
    _alone: std::sync::MutexGuard<'static, ()>,
}

impl Full {
    fn of(at: &Target) -> Self {
        static PEERSERVER: std::sync::Mutex<()> = std::sync::Mutex::new(());
        static HULLO: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let alone = if at.is_hullo { &HULLO } else { &PEERSERVER };
        let alone = alone.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self { first: at.guest("first"), second: at.guest("second"), _alone: alone }
    }

    /// Both leave, and the server has noticed.
    fn leaves(self) {
        for (_, mut socket) in [self.first, self.second] {
            // A place is free at once for who says so.
            socket.says(&json!({ "type": "LEAVE" }));
            socket.leaves();
        }
    }
}
