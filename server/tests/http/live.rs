//! The live socket.

use serde_json::{Value, json};
use server::{TokenCommand, UserCommand};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{House, text};

const BOB: &str = "bob@example.com";

#[tokio::test]
async fn an_open_socket_makes_a_device_reachable_and_answers_pings() {
    let house = House::open().await;
    let token = house.token(BOB).await;

    let mut bob = house.live(&token).await;
    bob.hears_nothing_more().await;
    let account = house.call(&token, "GET", "/contacts", "").await.json();

    assert_eq!(bob.address, format!("{BOB}/{}", text(&account, "instance")));
}

#[tokio::test]
async fn every_page_hears_an_invite_and_the_caller_hears_once_that_it_rings() {
    let house = House::open().await;
    let token = house.token("alice@example.com").await;
    let mut alice = house.live(&token).await;
    let bobs = house.token(BOB).await;
    let mut page = house.live(&bobs).await;
    let mut other_page = house.live(&bobs).await;

    let sent = house.send(&token, BOB, invite()).await;
    let push = page.hear().await;
    assert_eq!(other_page.hear().await, push);
    let ack = json!({ "type": "ack", "id": push["id"] });
    page.say(ack.clone()).await;
    other_page.say(ack).await;
    other_page.hears_nothing_more().await;

    assert_eq!(sent.json(), json!({ "count": 1 }));
    assert_eq!(
        alice.hear().await,
        json!({ "type": "receipt", "ReqId": "000000000000001f", "from": page.address })
    );
    alice.hears_nothing_more().await;
}

#[tokio::test]
async fn what_is_sent_while_a_page_reloads_arrives_after_it_in_order() {
    let house = House::open().await;
    let token = house.token("alice@example.com").await;
    let _alice = house.live(&token).await;
    let bobs = house.token(BOB).await;
    house.live(&bobs).await.hang_up().await;

    for n in 0..3 {
        assert_eq!(house.send(&token, BOB, json!({ "n": n })).await.json(), json!({ "count": 1 }));
    }
    let mut bob = house.live(&bobs).await;

    for n in 0..3 {
        assert_eq!(bob.hear().await["data"]["n"], n);
    }
}

#[tokio::test]
async fn a_revoked_token_ends_its_sockets_and_no_others() {
    let house = House::open().await;
    let mut revoked = house.live(&house.token(BOB).await).await;
    let list = house.token_command(TokenCommand::List { user: None }).await.unwrap();
    let id = list.split('\t').next().unwrap().to_owned();
    let mut other = house.live(&house.token(BOB).await).await;

    let said = house.token_command(TokenCommand::Revoke { id: id.clone() }).await.unwrap();
    revoked.hear_goodbye().await;

    assert_eq!(said, format!("Revoked Test of {BOB}.\n"));
    other.hears_nothing_more().await;
    let again = house.token_command(TokenCommand::Revoke { id }).await.unwrap_err();
    assert!(again.to_string().contains("hullo token list"), "{again}");
}

#[tokio::test]
async fn a_removed_user_is_out_everywhere_at_once() {
    let house = House::open().await;
    let token = house.token(BOB).await;
    let mut one = house.live(&token).await;
    let mut other = house.live(&house.token(BOB).await).await;

    house.user_command(UserCommand::Remove { user: BOB.to_owned() }).await.unwrap();
    one.hear_goodbye().await;
    other.hear_goodbye().await;

    assert_eq!(house.call(&token, "GET", "/contacts", "").await.status, 401);
    assert_eq!(
        house.dial(&[("authorization", &format!("Bearer {token}"))]).await.err(),
        Some(401.try_into().unwrap())
    );
}

#[tokio::test]
async fn a_socket_opens_for_our_own_pages_only() {
    let house = House::open().await;
    let cookie = format!("hullo={}", house.token(BOB).await);
    let own = format!("http://{}", house.host);
    let status = |code: u16| Some(code.try_into().expect("a status"));

    let foreign = house.dial(&[("cookie", &cookie), ("origin", "https://evil.example")]).await;
    let silent = house.dial(&[("cookie", &cookie)]).await;
    let stranger = house.dial(&[("origin", &own)]).await;
    let ours = house.dial(&[("cookie", &cookie), ("origin", &own)]).await;

    assert_eq!(foreign.err(), status(403));
    assert_eq!(silent.err(), status(403));
    assert_eq!(stranger.err(), status(401));
    assert_eq!(ours.unwrap().hear().await["type"], "welcome");
}

#[tokio::test]
async fn one_who_does_not_speak_websocket_is_told_to() {
    let house = House::open().await;
    let token = house.token(BOB).await;

    let answer = house.call(&token, "GET", "/live", "").await;

    assert_eq!(answer.refusal(), (426, "not-websocket".to_owned()));
}

#[tokio::test]
async fn garbage_closes_the_socket_it_came_from_with_a_reason() {
    let house = House::open().await;
    let token = house.token(BOB).await;
    let mut bystander = house.live(&token).await;

    for (garbage, code) in [
        (Message::text("{"), 1008),
        (Message::text(r#"{"type":"welcome"}"#), 1008),
        (Message::binary(vec![1, 2, 3]), 1003),
    ] {
        let mut ear = house.live(&token).await;
        ear.say_raw(garbage).await;
        assert_eq!(ear.hear_close().await, code);
    }
    let mut ear = house.live(&token).await;
    ear.say(json!({ "type": "ack", "id": "no push" })).await;
    ear.say(json!({ "type": "ack", "id": "00000000000000ff" })).await;
    ear.hears_nothing_more().await;
    bystander.hears_nothing_more().await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_nobody_is_logged_out() {
    let house = House::open().await;
    let token = house.token(BOB).await;
    let mut bob = house.live(&token).await;

    let (_data, code) = tokio::join!(house.shut(), bob.hear_close());

    assert_eq!(code, 1001);
}

fn invite() -> Value {
    json!({
        "method": "INVITE",
        "ReqId": "000000000000001f",
        "node": "0000000000000002",
        "Location": "http://localhost/conference?data.path=sessions/x",
        "offer": "{}",
        "TTL": 45_000,
    })
}
