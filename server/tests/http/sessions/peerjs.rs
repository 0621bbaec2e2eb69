//! PeerJS clients whose sessions others judge.

use std::time::Duration;

use serde_json::{Value, json};

use super::stand_in::{Judge, Mood};
use crate::harness::{Ear, House};

const ALICE: &str = "session-of-alice-1";
const BOB: &str = "session-of-bob-0001";
const FOREIGN: (&str, &str) = ("origin", "https://evil.example");

#[tokio::test]
async fn the_server_says_which_id_a_session_has() {
    let (house, _) = open(&[("session_cookie", "sso")]).await;
    let cookie = format!("sso={ALICE}");
    let own = format!("http://{}", house.host);

    let by_header = house.call(ALICE, "GET", "/peerjs/id", "").await;
    let by_cookie = house.ask("GET", "/peerjs/id", &[("cookie", &cookie)], "").await;
    let by_page = [("cookie", cookie.as_str()), ("origin", own.as_str())];
    let by_page = house.ask("GET", "/peerjs/id?ts=1&version=1.5.5", &by_page, "").await;
    let nobody = house.ask("GET", "/peerjs/id", &[], "").await;

    assert_eq!([&by_header.text, &by_cookie.text, &by_page.text], ["alice"; 3]);
    assert_eq!(nobody.refusal(), (401, "not-logged-in".to_owned()));
}

#[tokio::test]
async fn a_client_is_who_its_session_says_and_no_other() {
    let (house, judge) = open(&[("session_cookie", "sso")]).await;
    let cookie = format!("sso={ALICE}");
    let own = format!("http://{}", house.host);
    let page = [("cookie", cookie.as_str()), ("origin", own.as_str())];

    assert_eq!(greeting(&house, "alice", ALICE, &[]).await, json!({ "type": "OPEN" }));
    // PeerJS makes a token of its own when the page gives none; the cookie says who it is.
    assert_eq!(greeting(&house, "alice", "kf8s7dh2k1q", &page).await["type"], "OPEN");
    let other = greeting(&house, "bob", ALICE, &[]).await;
    assert_eq!(other["type"], "ERROR");
    let said = other["payload"]["msg"].as_str().unwrap();
    assert!(said.contains("You are logged in as alice"), "{said}");
    let nobody = greeting(&house, "alice", "kf8s7dh2k1q", &[]).await;
    assert!(nobody["payload"]["msg"].as_str().unwrap().contains("Log in"), "{nobody}");
    judge.is_content();
}

#[tokio::test]
async fn a_session_that_is_taken_back_loses_its_client() {
    let (house, judge) = open(&[]).await;
    let mut alice = dial(&house, "alice", ALICE, &[]).await;
    assert_eq!(alice.hear().await["type"], "OPEN");
    let mut bob = dial(&house, "bob", BOB, &[]).await;
    assert_eq!(bob.hear().await["type"], "OPEN");
    let who = server::who(house.database()).await.unwrap().text;
    assert!(who.contains("\talice\tpeerjs\t127.0.0.1"), "{who}");

    judge.revoke(ALICE);

    let last = alice.hear().await;
    assert_eq!(last["type"], "ERROR", "{last}");
    alice.hear_close().await;
    assert_eq!(house.metric("hullo_connections_ended_total{reason=\"revoked\"}").await, 1.0);

    assert_eq!(
        server::kick(house.database(), "bob").await.unwrap(),
        "Ended the connection of bob.\n"
    );
    assert_eq!(bob.hear().await["type"], "ERROR");
    bob.hear_close().await;
    drop([alice, bob]);
    let gone = async {
        while house.metric("hullo_connections{kind=\"peerjs\"}").await > 0.0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("their places are free");
}

#[tokio::test]
async fn an_absent_service_keeps_newcomers_out_and_leaves_the_others_alone() {
    let (house, judge) = open(&[("session_cache", "0")]).await;
    let mut alice = dial(&house, "alice", ALICE, &[]).await;
    assert_eq!(alice.hear().await["type"], "OPEN");
    judge.be(Mood::Says(502, "text/html", String::new()));

    let refused = greeting(&house, "bob", BOB, &[]).await;
    let id = house.call(BOB, "GET", "/peerjs/id", "").await;
    judge.is_asked(2).await;

    let said = refused["payload"]["msg"].as_str().unwrap();
    assert!(said.contains("session service cannot be reached"), "{said}");
    assert_eq!(id.refusal(), (503, "sessions-unavailable".to_owned()));
    let offer = json!({ "type": "OFFER", "dst": "alice", "payload": { "n": 1 } });
    alice.say(offer).await;
    assert_eq!(alice.hear().await["payload"]["n"], 1, "what it sends to itself comes back");
}

#[tokio::test]
async fn a_page_of_another_site_is_nobody_whatever_it_presents() {
    let flags = [("session_cookie", "sso"), ("peerjs_open", "true")];
    let (closed, _) = open(&flags[..1]).await;
    let (house, judge) = open(&flags).await;
    let cookie = format!("sso={ALICE}");
    let page = [("cookie", cookie.as_str()), FOREIGN];

    let refused = greeting(&closed, "alice", ALICE, &page).await;
    assert_eq!(refused["type"], "ERROR", "{refused}");
    let id = closed.ask("GET", &format!("/peerjs/id?token={ALICE}"), &[FOREIGN], "").await;
    assert_eq!(id.refusal(), (403, "foreign-origin".to_owned()));
    let stream = closed.ask("POST", &format!("/peerjs/alice/{ALICE}/id?i=0"), &[FOREIGN], "").await;
    assert!(!stream.text.contains("OPEN"), "{}", stream.text);

    let asked = judge.asked();
    assert_eq!(greeting(&house, "guest-1", "kf8s7dh2k1q", &page).await["type"], "OPEN");
    assert_eq!(greeting(&house, "guest-2", ALICE, &page).await["type"], "OPEN");
    assert_eq!(judge.asked(), asked, "neither the cookie nor the token is looked at");

    // As a guest it is no user, so a message to the user does not come to it.
    let mut alice = dial(&house, "alice", ALICE, &[]).await;
    assert_eq!(alice.hear().await["type"], "OPEN");
    let second = greeting(&house, "alice", "kf8s7dh2k1q", &page).await;
    assert_ne!(second["type"], "OPEN", "a guest never gets a user's id");
}

#[tokio::test]
async fn a_user_of_the_service_who_has_not_been_here_yet_is_waited_for() {
    let (house, _) = open(&[]).await;
    let mut bob = dial(&house, "bob", BOB, &[]).await;
    assert_eq!(bob.hear().await["type"], "OPEN");

    let offer = json!({ "type": "OFFER", "dst": "alice", "payload": { "n": 1 } });
    bob.say(offer.clone()).await;
    let mut alice = dial(&house, "alice", ALICE, &[]).await;

    assert_eq!(alice.hear().await["type"], "OPEN");
    assert_eq!(alice.hear().await["payload"], offer["payload"]);
}

#[tokio::test]
async fn a_guest_by_the_name_of_a_user_of_the_service_makes_room_when_that_one_comes() {
    let flags = [("peerjs_open", "true"), ("presence", "anyone")];
    let (house, _) = open(&flags).await;
    let mut bob = dial(&house, "bob", BOB, &[]).await;
    assert_eq!(bob.hear().await["type"], "OPEN");
    let told = |reachable: bool| {
        let payload = json!({ "reachable": reachable });
        json!({ "type": "PRESENCE", "src": "alice", "dst": "bob", "payload": payload })
    };
    bob.say(json!({ "type": "WATCH", "payload": ["alice"] })).await;
    assert_eq!(bob.hear().await, told(false), "who has never been here is not here");

    let mut guest = dial(&house, "alice", "kf8s7dh2k1q", &[]).await;
    assert_eq!(guest.hear().await["type"], "OPEN");
    assert_eq!(bob.hear().await, told(true), "somebody is, by that name");
    let mut alice = dial(&house, "alice", ALICE, &[]).await;

    assert_eq!(alice.hear().await["type"], "OPEN");
    let said = guest.hear().await;
    assert!(said["payload"]["msg"].as_str().unwrap().contains("belongs to a user"), "{said}");
    assert_eq!(guest.hear_close().await, 1008);
    let second = greeting(&house, "alice", "kf8s7dh2k1q", &[]).await;
    assert_ne!(second["type"], "OPEN", "from now on it is hers");
    // The name was held all the time, so there is no news about it.
    bob.say(json!({ "type": "WATCH", "payload": ["carol"] })).await;
    assert_eq!(bob.hear().await["src"], "carol");
}

#[tokio::test]
async fn a_client_that_speaks_too_fast_is_told_so_and_let_go() {
    let (house, _) = open(&[("limit_messages_per_second", "5")]).await;
    let mut alice = dial(&house, "alice", ALICE, &[]).await;
    assert_eq!(alice.hear().await["type"], "OPEN");

    alice.say_at_once(&json!({ "type": "HEARTBEAT" }), 20).await;

    let said = alice.hear().await;
    assert!(said["payload"]["msg"].as_str().unwrap().contains("in a second"), "{said}");
    assert_eq!(alice.hear_close().await, 1008);
    assert_eq!(house.metric("hullo_refused_total{reason=\"messages\"}").await, 1.0);
}

/// The first message to a client.
async fn greeting(house: &House, id: &str, token: &str, headers: &[(&str, &str)]) -> Value {
    dial(house, id, token, headers).await.hear().await
}

async fn dial(house: &House, id: &str, token: &str, headers: &[(&str, &str)]) -> Ear {
    let path = format!("/peerjs?key=peerjs&id={id}&token={token}&version=1.5.5");
    house.dial_at(&path, headers).await.expect("a WebSocket")
}

async fn open(flags: &[(&str, &str)]) -> (House, Judge) {
    let judge = Judge::open().await;
    judge.grant(ALICE, json!({ "user": "alice" }));
    judge.grant(BOB, json!({ "user": "bob" }));
    let url = format!("{}/whoami", judge.url);
    let always = [
        ("session_service", url.as_str()),
        ("session_recheck", "1"),
        ("metrics_listen", "127.0.0.1:0"),
    ];
    (House::open_as(&[&always, flags].concat()).await, judge)
}
