//! Who learns that somebody is reachable, over HTTP, live sockets and PeerJS; and what a device that does not ring hears.

use serde_json::{Value, json};
use server::UserCommand;

use crate::harness::{House, text};
use crate::peerjs::{client, open};

const ALICE: &str = "alice@example.com";
const BOB: &str = "bob@example.com";

#[tokio::test]
async fn nobody_is_told_who_is_reachable_unless_the_operator_wants_it() {
    let house = House::open_as(&[]).await;
    let token = house.token(ALICE).await;
    let bearer = format!("Bearer {token}");
    let mut alice = house.dial(&[("authorization", &bearer)]).await.unwrap();
    assert_eq!(alice.hear().await.get("presence"), None);

    alice.say(json!({ "type": "watch", "users": [BOB] })).await;
    let told = alice.hear().await;
    let asked = house.call(&token, "GET", &format!("/presence?of={BOB}"), "").await;
    let by_peerjs = house.ask("GET", &format!("/peerjs/peers/{BOB}?token={token}"), &[], "").await;

    assert_eq!((&told["type"], &told["error"]), (&json!("error"), &json!("presence-off")));
    assert_eq!(asked.refusal(), (403, "presence-off".to_owned()));
    assert_eq!(by_peerjs.refusal(), (403, "presence-off".to_owned()));
    alice.hears_nothing_more().await;
}

#[tokio::test]
async fn with_lists_those_who_were_listed_know_and_hear_what_changes() {
    let house = House::open_as(&[("presence", "listed")]).await;
    let [alice_token, bob_token, carol_token] =
        [house.token(ALICE).await, house.token(BOB).await, house.token("carol@example.com").await];
    let mut alice = house.live(&alice_token).await;
    let mut carol = house.live(&carol_token).await;
    let _bob = house.live(&bob_token).await;
    for page in [&mut alice, &mut carol] {
        page.say(json!({ "type": "watch", "users": [BOB] })).await;
        assert_eq!(page.hear().await, presence(BOB, false), "nobody was listed");
    }

    let list = json!({ "shown_to": [ALICE] }).to_string();
    let listed = house.call(&bob_token, "PUT", "/session/presence", &list).await;

    assert_eq!(listed.json(), json!({ "policy": "listed", "shown_to": [ALICE] }));
    assert_eq!(alice.hear().await, presence(BOB, true));
    carol.hears_nothing_more().await;
    for (token, is_shown) in [(&alice_token, true), (&carol_token, false), (&bob_token, true)] {
        let seen = house.call(token, "GET", &format!("/presence?of={BOB}&of=nobody"), "").await;
        let nobody = json!({ "user": "nobody", "reachable": false });
        assert_eq!(seen.json(), json!([{ "user": BOB, "reachable": is_shown }, nobody]));
    }

    house.call(&bob_token, "PUT", "/session/presence", r#"{"shown_to":null}"#).await;
    assert_eq!(alice.hear().await, presence(BOB, false));
    let kept = house.call(&bob_token, "GET", "/session/presence", "").await;
    assert_eq!(kept.json(), json!({ "policy": "listed", "shown_to": null }));
}

#[tokio::test]
async fn whoever_is_blocked_sees_nobody_and_whom_one_called_is_not_listed_by_that() {
    let house = House::open_as(&[("presence", "anyone")]).await;
    let [alice_token, bob_token] = [house.token(ALICE).await, house.token(BOB).await];
    let mut alice = house.live(&alice_token).await;
    let mut bob = house.live(&bob_token).await;
    alice.say(json!({ "type": "watch", "users": [BOB] })).await;
    assert_eq!(alice.hear().await, presence(BOB, true));
    let change = async |body: Value| {
        let answer = house.call(&bob_token, "PUT", "/contacts/rules", &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    };

    change(json!({ "block": [ALICE, "carol@example.com"] })).await;
    assert_eq!(alice.hear().await, presence(BOB, false));
    bob.hears_nothing_more().await;
    // The list of the blocked is read when a device comes, too.
    let again = house.live(&bob_token).await;
    alice.hears_nothing_more().await;
    change(json!({ "unblock": [ALICE] })).await;
    assert_eq!(alice.hear().await, presence(BOB, true));
    drop(again);

    let listed = House::open_as(&[("presence", "listed")]).await;
    let [alice_token, bob_token] = [listed.token(ALICE).await, listed.token(BOB).await];
    let mut alice = listed.live(&alice_token).await;
    let mut bob = listed.live(&bob_token).await;
    let invite = json!({ "method": "INVITE", "ReqId": "000000000000001f" });
    assert_eq!(listed.send(&bob_token, ALICE, invite).await.status, 200);
    assert_eq!(alice.hear().await["type"], "push", "they have to do with each other");
    alice.say(json!({ "type": "watch", "users": [BOB] })).await;
    assert_eq!(alice.hear().await, presence(BOB, false), "but he has not listed her");
    bob.hears_nothing_more().await;
}

#[tokio::test]
async fn peerjs_clients_watch_by_a_word_of_ours_and_go_on_when_they_may_not() {
    let house = House::open_as(&[("peerjs_open", "true"), ("presence", "anyone")]).await;
    let mut alice = open(&house, "alice", "t").await;
    alice.send(&json!({ "type": "WATCH", "payload": ["bob", BOB] })).await;
    for of in ["bob", BOB] {
        assert_eq!(alice.hear().await, told(of, false));
    }

    let mut bob = open(&house, "bob", "t").await;
    assert_eq!(alice.hear().await, told("bob", true));
    let page = house.live(&house.token(BOB).await).await;
    assert_eq!(alice.hear().await, told(BOB, true), "a user is one, whichever face they have");
    let asked = house.ask("GET", "/peerjs/peers/bob", &[("origin", "https://x.org")], "").await;
    assert_eq!(asked.json(), json!({ "id": "bob", "reachable": true }));
    assert_eq!(asked.header("access-control-allow-origin"), "https://x.org");
    bob.send(&json!({ "type": "LEAVE" })).await;
    assert_eq!(alice.hear().await, told("bob", false));
    alice.send(&json!({ "type": "UNWATCH", "payload": ["bob"] })).await;
    alice.hears_nothing().await;
    let _again = open(&house, "bob", "t").await;
    alice.hears_nothing().await;
    drop(page);

    let shut = House::open_as(&[("peerjs_open", "true")]).await;
    let mut carol = open(&shut, "carol", "t").await;
    carol.send(&json!({ "type": "WATCH", "payload": ["bob"] })).await;
    let refused = carol.hear().await;
    assert_eq!(refused["type"], "PRESENCE", "no ERROR, by which clients disconnect");
    assert!(text(&refused["payload"], "msg").contains("does not tell"), "{refused}");
    carol.hears_nothing().await;
}

#[tokio::test]
async fn watching_too_many_is_refused_and_the_socket_stays() {
    let house = House::open_as(&[("presence", "anyone")]).await;
    let mut alice = house.live(&house.token(ALICE).await).await;
    let many: Vec<String> = (0..300).map(|n| format!("user-{n}")).collect();

    alice.say(json!({ "type": "watch", "users": many })).await;

    assert_eq!(alice.hear().await["error"], "watches-too-many");
    alice.hears_nothing_more().await;
}

#[tokio::test]
async fn a_device_that_is_not_the_one_that_rings_is_told_so_and_not_that_it_is_logged_out() {
    let house = House::open_as(&[]).await;
    let policy = UserCommand::Policy { user: BOB.to_owned(), policy: "nominated".to_owned() };
    let [phone_token, desk_token] = [house.token(BOB).await, house.token(BOB).await];
    house.user_command(policy).await.unwrap();
    let mut phone = house.live(&phone_token).await;

    let bearer = format!("Bearer {desk_token}");
    let mut desk = house.dial(&[("authorization", &bearer)]).await.unwrap();
    for device in [&mut desk, &mut phone] {
        let goodbye = device.hear().await;
        assert_eq!(goodbye, json!({ "type": "goodbye", "reason": "other-device" }));
        assert_eq!(device.hear_close().await, 1008);
        // The first was refused; now the second is nominated, and the first has to go.
        house.call(&desk_token, "PUT", "/session/device", r#"{"nominated":true}"#).await;
    }

    assert_eq!(
        house.call(&phone_token, "GET", "/session", "").await.status,
        200,
        "still logged in"
    );
    house.live(&desk_token).await.hears_nothing_more().await;
}

#[tokio::test]
async fn an_invite_rings_the_devices_that_can_take_it_where_users_want_that() {
    let house = House::open_as(&[("device_policy", "capable")]).await;
    let alice_token = house.token(ALICE).await;
    let _alice = house.live(&alice_token).await;
    let [radio_token, screen_token] = [house.token(BOB).await, house.token(BOB).await];
    for (token, able) in
        [(&radio_token, json!(["audio"])), (&screen_token, json!(["audio", "video"]))]
    {
        let body = json!({ "capabilities": able }).to_string();
        assert_eq!(house.call(token, "PUT", "/session/device", &body).await.status, 200);
    }
    let mut radio = house.live(&radio_token).await;
    let mut screen = house.live(&screen_token).await;
    let invite =
        |needs: Value| json!({ "method": "INVITE", "ReqId": "000000000000001f", "needs": needs });

    let sent = house.send(&alice_token, BOB, invite(json!(["video"]))).await;
    assert_eq!(sent.json(), json!({ "count": 1 }));
    assert_eq!(screen.hear().await["type"], "push");
    radio.hears_nothing_more().await;
    let fax = house.send(&alice_token, BOB, invite(json!(["fax"]))).await;
    assert_eq!(fax.refusal(), (404, "not-capable".to_owned()));
    let wrong = house.send(&alice_token, BOB, invite(json!("video"))).await;
    assert_eq!(wrong.refusal(), (400, "malformed".to_owned()));
}

#[tokio::test]
async fn a_guest_has_a_name_that_no_user_can_have_where_the_operator_wants_that() {
    let flags = [("peerjs_open", "true"), ("peerjs_guest_prefix", "guest-")];
    let house = House::open_as(&flags).await;

    let id = house.ask("GET", "/peerjs/id", &[], "").await.text;
    let refused = client(&house, "bob", "t").await.hear().await;

    assert!(id.starts_with("guest-") && id.len() > 40, "{id}");
    assert!(text(&refused["payload"], "msg").contains("begin with guest-"), "{refused}");
    open(&house, &id, "t").await;
}

fn presence(user: &str, reachable: bool) -> Value {
    json!({ "type": "presence", "of": [{ "user": user, "reachable": reachable }] })
}

fn told(of: &str, reachable: bool) -> Value {
    let payload = json!({ "reachable": reachable });
    json!({ "type": "PRESENCE", "src": of, "dst": "alice", "payload": payload })
}
