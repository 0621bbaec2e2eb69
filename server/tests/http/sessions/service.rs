//! A session service of the operator's own.

use serde_json::json;

use super::stand_in::{Judge, Mood, seconds_from_now};
use crate::harness::House;

const ALICE: &str = "session-of-alice-1";
const BOB: &str = "session-of-bob-0001";

#[tokio::test]
async fn the_service_says_who_somebody_is() {
    let (house, judge) = open(&[("session_cookie", "sso")]).await;
    judge.grant(ALICE, json!({ "user": "Alice@Example.com" }));

    let by_header = house.call(ALICE, "GET", "/session", "").await;
    let cookie = format!("other=1; sso={ALICE}");
    let by_cookie = house.ask("GET", "/session", &[("cookie", &cookie)], "").await;
    let stranger = house.call(BOB, "GET", "/session", "").await;

    assert_eq!(by_header.json()["email"], "alice@example.com");
    assert_eq!(by_cookie.json(), by_header.json());
    assert_eq!(stranger.refusal(), (401, "not-logged-in".to_owned()));
    assert_eq!(judge.asked(), 2, "what it said of alice counts for a while");
    judge.is_content();
}

#[tokio::test]
async fn people_of_the_service_reach_each_other() {
    let (house, judge) = open(&[]).await;
    judge.grant(ALICE, json!({ "user": "alice@example.com" }));
    judge.grant(BOB, json!({ "user": "bob@example.com", "session": "laptop" }));
    let mut bob = house.live(BOB).await;

    let sent = house.send(ALICE, "bob@example.com", json!({ "method": "X" })).await;

    assert_eq!(sent.json()["count"], 1);
    let push = bob.hear().await;
    assert!(push["data"]["From"].as_str().unwrap().starts_with("alice@example.com/"), "{push}");
    let nobody = house.send(ALICE, "carol@example.com", json!({})).await;
    assert_eq!(nobody.refusal(), (404, "not-reachable".to_owned()));
}

#[tokio::test]
async fn a_named_session_keeps_its_address_when_its_token_is_renewed() {
    let (house, judge) = open(&[]).await;
    judge.grant(ALICE, json!({ "user": "alice@example.com", "session": "laptop" }));
    judge.grant("session-of-alice-2", json!({ "user": "alice@example.com", "session": "laptop" }));
    judge.grant("session-of-alice-3", json!({ "user": "alice@example.com", "session": "phone" }));

    let before = house.live(ALICE).await.address;
    let after = house.live("session-of-alice-2").await.address;
    let phone = house.live("session-of-alice-3").await.address;

    assert_eq!(before, after);
    assert_ne!(before, phone);
}

#[tokio::test]
async fn many_at_once_ask_the_service_once() {
    let (house, judge) = open(&[("session_cache", "0")]).await;
    judge.be(Mood::Hangs);
    let house = std::sync::Arc::new(house);
    let twenty: Vec<_> = (0..20)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { house.call(ALICE, "GET", "/session", "").await.status })
        })
        .collect();

    judge.is_asked(1).await;
    for asked in twenty {
        assert_eq!(asked.await.unwrap(), 503, "the one question that hangs is everybody's");
    }

    assert_eq!(judge.asked(), 1);
}

#[tokio::test]
async fn a_flood_of_tokens_does_not_flood_the_service() {
    let (house, judge) = open(&[("session_timeout", "1")]).await;
    judge.be(Mood::Hangs);
    let house = std::sync::Arc::new(house);
    let many: Vec<_> = (0..80)
        .map(|n| {
            let house = house.clone();
            let token = format!("{ALICE}-{n}");
            tokio::spawn(async move { house.call(&token, "GET", "/session", "").await.status })
        })
        .collect();

    for asked in many {
        assert_eq!(asked.await.unwrap(), 503);
    }

    let most = judge.most_at_once();
    assert!((2..=32).contains(&most), "{most} at once");
}

#[tokio::test]
async fn a_session_that_is_taken_back_loses_its_sockets() {
    let (house, judge) = open(&[]).await;
    judge.grant(ALICE, json!({ "user": "alice@example.com" }));
    judge.grant(BOB, json!({ "user": "bob@example.com" }));
    let mut alice = house.live(ALICE).await;
    let mut bob = house.live(BOB).await;

    judge.revoke(ALICE);

    alice.hear_goodbye().await;
    bob.hears_nothing_more().await;
    assert_eq!(house.call(ALICE, "GET", "/session", "").await.status, 401);
    assert_eq!(house.metric("hullo_connections_ended_total{reason=\"revoked\"}").await, 1.0);
    judge.is_content();
}

#[tokio::test]
async fn a_session_whose_token_became_anothers_loses_its_sockets() {
    let (house, judge) = open(&[]).await;
    judge.grant(ALICE, json!({ "user": "alice@example.com" }));
    let mut alice = house.live(ALICE).await;

    judge.grant(ALICE, json!({ "user": "mallory@example.com" }));

    alice.hear_goodbye().await;
}

#[tokio::test]
async fn a_session_ends_at_its_time_though_the_service_is_away() {
    let (house, judge) = open(&[]).await;
    let expires = seconds_from_now(3) * 1_000;
    judge.grant(ALICE, json!({ "user": "alice@example.com", "expires": expires }));
    let mut alice = house.live(ALICE).await;
    judge.be(Mood::Says(503, "text/plain", String::new()));

    alice.hear_goodbye().await;

    assert_eq!(house.metric("hullo_connections_ended_total{reason=\"expired\"}").await, 1.0);
}

#[tokio::test]
async fn an_absent_service_keeps_newcomers_out_and_leaves_the_others_alone() {
    let (house, judge) = open(&[("session_cache", "0")]).await;
    judge.grant(ALICE, json!({ "user": "alice@example.com" }));
    let mut alice = house.live(ALICE).await;
    judge.be(Mood::Says(502, "text/html", "<h1>Bad gateway</h1>".to_owned()));

    let refused = house.call(BOB, "GET", "/session", "").await;
    judge.is_asked(2).await;

    assert_eq!(refused.refusal(), (503, "sessions-unavailable".to_owned()));
    assert_eq!(refused.header("retry-after"), "5");
    alice.hears_nothing_more().await;
    assert!(house.metric("hullo_sessions_total{outcome=\"unavailable\"}").await >= 1.0);

    judge.be(Mood::Well);
    assert_eq!(house.call(ALICE, "GET", "/session", "").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_is_none_lets_nobody_in() {
    let (house, judge) = open(&[("session_cache", "0"), ("session_timeout", "1")]).await;
    let json = "application/json";
    for mood in [
        Mood::Says(200, json, "{}".to_owned()),
        Mood::Says(200, json, "\"alice@example.com\"".to_owned()),
        Mood::Says(200, json, r#"{"user":7}"#.to_owned()),
        Mood::Says(200, json, r#"{"user":"a/b"}"#.to_owned()),
        Mood::Says(200, json, r#"{"user":"alice@example.com","expires":"soon"}"#.to_owned()),
        Mood::Says(200, "text/html", r#"{"user":"alice@example.com"}"#.to_owned()),
        Mood::Says(200, json, format!(r#"{{"user":"a","x":"{}"}}"#, "x".repeat(600 * 1024))),
        Mood::Says(302, json, r#"{"user":"alice@example.com"}"#.to_owned()),
        Mood::Says(404, json, "{}".to_owned()),
        Mood::Hangs,
    ] {
        judge.be(mood.clone());
        let asked = judge.asked();

        let refused = house.call(ALICE, "GET", "/session", "").await;

        assert_eq!(refused.refusal().0, 503, "{mood:?}");
        assert_eq!(judge.asked(), asked + 1, "{mood:?}");
    }
}

#[tokio::test]
async fn those_who_are_connected_are_asked_about_in_batches() {
    let judge = Judge::open().await;
    let house = house(&judge, &[("session_service_batch", &format!("{}/batch", judge.url))]).await;
    judge.grant(ALICE, json!({ "user": "alice@example.com" }));
    judge.grant(BOB, json!({ "user": "bob@example.com" }));
    let mut alice = house.live(ALICE).await;
    let mut bob = house.live(BOB).await;
    let asked = judge.asked();
    judge.is_asked(1).await;
    assert!(judge.asked() <= asked + 2, "one question a round for both");

    judge.be(Mood::Says(200, "application/json", r#"{"sessions":[null]}"#.to_owned()));
    judge.is_asked(2).await;
    judge.be(Mood::Well);
    judge.revoke(BOB);

    bob.hear_goodbye().await;
    alice.hears_nothing_more().await;
    judge.is_content();
}

#[tokio::test]
async fn what_cannot_be_a_session_is_not_asked_about() {
    let (house, judge) = open(&[]).await;

    let short = house.call("kf8s7dh2k1q", "GET", "/session", "").await;
    let long = house.call(&"x".repeat(9_000), "GET", "/session", "").await;

    assert_eq!([short.status, long.status], [401, 401]);
    assert_eq!(judge.asked(), 0);
}

#[tokio::test]
async fn tokens_of_this_server_count_beside_the_service_when_the_operator_says_so() {
    let (house, _) = open(&[]).await;
    let (both, judge) = open(&[("session_local", "true")]).await;
    let foreign = house.token("carol@example.com").await;
    let local = both.token("carol@example.com").await;

    assert_eq!(house.call(&foreign, "GET", "/session", "").await.status, 401);
    assert_eq!(both.call(&local, "GET", "/session", "").await.json()["email"], "carol@example.com");
    assert_eq!(judge.asked(), 0, "our own token is nobody else's business");
}

async fn open(flags: &[(&str, &str)]) -> (House, Judge) {
    let judge = Judge::open().await;
    (house(&judge, flags).await, judge)
}

async fn house(judge: &Judge, flags: &[(&str, &str)]) -> House {
    let url = format!("{}/whoami", judge.url);
    let always = [
        ("session_service", url.as_str()),
        ("session_recheck", "1"),
        ("metrics_listen", "127.0.0.1:0"),
    ];
    House::open_as(&[&always, flags].concat()).await
}
