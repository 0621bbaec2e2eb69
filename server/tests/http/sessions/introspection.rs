//! OAuth 2.0 token introspection.

use serde_json::{Value, json};

use super::stand_in::{CLIENT, Judge, seconds_from_now};
use crate::harness::House;

const TOKEN: &str = "opaque-access-token";

#[tokio::test]
async fn an_active_token_is_its_subjects() {
    let judge = Judge::open().await;
    let house = open(&judge, &[]).await;
    judge.grant(TOKEN, json!({ "active": true, "sub": "alice", "exp": seconds_from_now(60) }));

    let alice = house.call(TOKEN, "GET", "/session", "").await;
    let nobody = house.call("another-opaque-token", "GET", "/session", "").await;

    assert_eq!(alice.json()["email"], "alice");
    assert_eq!(nobody.refusal(), (401, "not-logged-in".to_owned()));
    judge.is_content();
}

#[tokio::test]
async fn a_token_that_is_not_for_us_now_lets_nobody_in() {
    let judge = Judge::open().await;
    let wishes = [
        ("session_issuer", "https://id.example.com"),
        ("session_audience", "hullo,calls"),
        ("session_user_claim", "email"),
        ("session_cache", "0"),
    ];
    let house = open(&judge, &wishes).await;
    let good = json!({
        "active": true,
        "sub": "17",
        "email": "alice@example.com",
        "iss": "https://id.example.com",
        "aud": ["other", "calls"],
        "exp": seconds_from_now(60),
        "nbf": seconds_from_now(-60),
    });

    for (member, value, status) in [
        ("sub", json!("18"), 200),
        ("aud", json!("hullo"), 200),
        ("exp", Value::Null, 200),
        ("active", json!(false), 401),
        ("aud", json!("other"), 401),
        ("aud", Value::Null, 401),
        ("iss", json!("https://evil.example.com"), 401),
        ("exp", json!(seconds_from_now(-1)), 401),
        ("exp", json!("tomorrow"), 401),
        ("nbf", json!(seconds_from_now(60)), 401),
        ("email", Value::Null, 401),
        ("email", json!("two words"), 401),
        ("email_verified", json!(false), 401),
        ("active", json!("yes"), 503),
    ] {
        let mut session = good.clone();
        session[member] = value.clone();
        judge.grant(TOKEN, session);

        let answer = house.call(TOKEN, "GET", "/session", "").await;

        assert_eq!(answer.status, status, "{member} {value}");
    }
    judge.is_content();
}

#[tokio::test]
async fn a_server_that_the_endpoint_does_not_know_lets_nobody_in_for_now() {
    let judge = Judge::open().await;
    let house = open(&judge, &[("session_client_secret", "wrong")]).await;
    judge.grant(TOKEN, json!({ "active": true, "sub": "alice" }));

    let refused = house.call(TOKEN, "GET", "/session", "").await;

    assert_eq!(refused.refusal(), (503, "sessions-unavailable".to_owned()));
}

#[tokio::test]
async fn a_token_that_is_revoked_loses_its_socket() {
    let judge = Judge::open().await;
    let house = open(&judge, &[("session_recheck", "1")]).await;
    judge.grant(TOKEN, json!({ "active": true, "sub": "alice" }));
    let mut alice = house.live(TOKEN).await;

    judge.revoke(TOKEN);

    alice.hear_goodbye().await;
}

async fn open(judge: &Judge, flags: &[(&str, &str)]) -> House {
    let url = format!("{}/introspect", judge.url);
    let always = [
        ("session_introspection", url.as_str()),
        ("session_client_id", CLIENT.0),
        ("session_client_secret", CLIENT.1),
    ];
    House::open_as(&[&always, flags].concat()).await
}
