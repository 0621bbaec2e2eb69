//! Contacts, and messages to them.

use serde_json::json;

use crate::harness::{House, text};

const CAROL: &str = "carol@example.com";

#[tokio::test]
async fn a_device_registers_and_is_known_by_its_instance() {
    let house = House::open().await;
    let token = house.token(CAROL).await;

    let before = house.call(&token, "GET", "/contacts", "").await;
    let put = house.call(&token, "PUT", "/contacts/", r#"{"contact":"live"}"#).await;
    let after = house.call(&token, "GET", "/contacts/", "").await;

    let crc = crc32fast::hash(format!("{CAROL}:{token}:live").as_bytes());
    let key = text(&before.json(), "vapidkey");
    assert_eq!(before.json(), json!({ "email": CAROL, "vapidkey": key }));
    assert_eq!(text(&put.json(), "instance"), format!("{crc:08x}"));
    assert!(put.json()["expires"].as_u64().unwrap() > 1_700_000_000_000);
    let instance = format!("{crc:08x}");
    assert_eq!(after.json(), json!({ "email": CAROL, "instance": instance, "vapidkey": key }));
}

#[tokio::test]
async fn a_message_forks_to_all_devices_with_its_sender_and_receiver_in_it() {
    let house = House::open().await;
    let alice = house.live(&house.token("alice@example.com").await).await;
    let token = house.token("bob@example.com").await;
    let mut bob = house.live(&token).await;
    let mut bobs_phone = house.live(&house.token("bob@example.com").await).await;
    let sender = house.token(CAROL).await;
    let carol = house.live(&sender).await;

    let forged = json!({ "method": "HELLO", "From": alice.address, "n": 1 });
    let all = house.send(&sender, "bob@example.com", forged.clone()).await;
    let one = house.send(&sender, &bob.address, forged).await;

    assert_eq!((all.status.as_u16(), all.json()), (200, json!({ "count": 2 })));
    assert_eq!(one.json(), json!({ "count": 1 }));
    let heard = bob.hear().await;
    assert_eq!(heard["type"], "push");
    assert_eq!(
        heard["data"],
        json!({ "From": carol.address, "To": bob.address, "method": "HELLO", "n": 1 })
    );
    assert_eq!(bob.hear().await["data"]["To"], bob.address);
    assert_eq!(bobs_phone.hear().await["data"]["To"], bobs_phone.address);
    bobs_phone.hears_nothing_more().await;
}

#[tokio::test]
async fn an_address_that_is_unknown_or_away_is_told_apart() {
    let house = House::open().await;
    let token = house.token(CAROL).await;
    let _carol = house.live(&token).await;
    let bob = house.live(&house.token("bob@example.com").await).await;

    let unknown = house.send(&token, "bbo@example.com", json!({})).await;
    let away = house.send(&token, "alice@example.com", json!({})).await;
    let no_such_device = house.send(&token, "bob@example.com/00000000", json!({})).await;

    assert_eq!(unknown.refusal(), (404, "unknown-user".to_owned()));
    assert_eq!(
        text(&unknown.json(), "message"),
        "Nobody here has the address bbo@example.com. Check the spelling."
    );
    assert_eq!(away.refusal(), (404, "not-reachable".to_owned()));
    assert_eq!(no_such_device.refusal(), (404, "not-reachable".to_owned()));
    drop(bob);
}

#[tokio::test]
async fn a_device_that_cannot_be_answered_cannot_send() {
    let house = House::open().await;
    let token = house.token(CAROL).await;

    let refused = house.send(&token, "bob@example.com", json!({})).await;

    assert_eq!(refused.refusal(), (403, "no-contact".to_owned()));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_has_a_word_and_a_sentence() {
    let house = House::open().await;
    let token = house.token(CAROL).await;
    let _carol = house.live(&token).await;
    let bearer = format!("Bearer {token}");
    let auth = ("authorization", bearer.as_str());
    let json = ("content-type", "application/json; charset=utf-8");
    let large = format!(r#"{{"to":"bob@example.com","data":{{"x":"{}"}}}}"#, "x".repeat(65_536));

    for (method, headers, body, refusal) in [
        ("POST", vec![auth], r#"{"to":"a","data":{}}"#, (415, "not-json")),
        ("POST", vec![auth, ("content-type", "text/plain")], "{}", (415, "not-json")),
        ("POST", vec![auth, json], "", (400, "malformed")),
        ("POST", vec![auth, json], r#"{"to":"bob"}"#, (404, "unknown-user")),
        ("POST", vec![auth, json], r#"{"to":"bob","data":"text"}"#, (400, "malformed")),
        ("POST", vec![auth, json], r#"{"to":"two words","data":{}}"#, (400, "malformed")),
        ("POST", vec![auth, json], large.as_str(), (413, "too-large")),
        ("PUT", vec![auth, json], r#"{"contact":"fcm:1"}"#, (400, "unknown-contact")),
        ("PUT", vec![auth, json], "{}", (400, "malformed")),
        ("PATCH", vec![auth, json], "{}", (405, "wrong-method")),
        ("POST", vec![json], "{}", (401, "not-logged-in")),
        ("GET", vec![("authorization", "Bearer guess")], "", (401, "not-logged-in")),
        ("GET", vec![("authorization", "Basic x")], "", (401, "not-logged-in")),
    ] {
        let answer = house.ask(method, "/contacts", &headers, body).await;
        let (status, word) = answer.refusal();
        assert_eq!((status, word.as_str()), refusal, "{method} {}", answer.text);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(house.call(&token, "GET", "/contacts", "").await.status, 200, "still logged in");
}

#[tokio::test]
async fn a_contact_that_is_logged_out_is_out_of_reach() {
    let house = House::open().await;
    let token = house.token(CAROL).await;
    let mut carol = house.live(&token).await;
    let other = house.token("bob@example.com").await;
    let _bob = house.live(&other).await;

    let out = house.call(&token, "DELETE", "/contacts", "").await;
    carol.hear_goodbye().await;

    assert_eq!(out.status, 204);
    assert_eq!(house.send(&other, CAROL, json!({})).await.refusal().1, "not-reachable");
    assert_eq!(house.call(&token, "GET", "/contacts", "").await.json().get("instance"), None);
}

#[tokio::test]
async fn a_device_that_sends_too_fast_is_slowed_down() {
    let house = House::open().await;
    let token = house.token(CAROL).await;
    let _carol = house.live(&token).await;

    let mut refused = None;
    for _ in 0..1_000 {
        let answer = house.send(&token, "bob@example.com", json!({})).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }

    let refused = refused.expect("a thousand at once are too many");
    assert_eq!(refused.refusal(), (429, "too-many".to_owned()));
    assert_eq!(refused.header("retry-after"), "1");
}
