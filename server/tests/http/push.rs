//! How devices are woken, as far as the accounts know it; what push services get is told in the stories of `tests`.

use std::time::Duration;

use serde_json::{Value, json};
use server::TokenCommand;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::{Answer, House, text};
use crate::postgres::tamper;

const ALICE: &str = "alice@example.com";
const BOB: &str = "bob@example.com";

/// Keys as a browser gives them: those of RFC 8291, appendix A.
const KEYS: [&str; 2] = [
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BTBZMqHH6r4Tts7J_aSIgg",
];

#[tokio::test]
async fn who_is_gone_is_forgotten_and_keeps_its_contact() {
    let service = service("410 Gone").await;
    let house = House::open_as(&[("push_services", &service)]).await;
    let (alice, bob) = (house.token(ALICE).await, house.token(BOB).await);
    put(&house, &alice, json!({ "contact": "live" })).await;
    let registered = put(&house, &bob, json!({ "contact": "live", "wake": wake(&service) })).await;

    let first = house.send(&alice, BOB, invite()).await;
    let second = house.send(&alice, BOB, invite()).await;

    let instance = text(&registered.json(), "instance");
    assert_eq!(first.refusal(), (404, "not-reachable".to_owned()));
    assert_eq!(first.json()["contacts"], json!([{ "instance": instance, "error": "gone" }]));
    assert_eq!(second.json().get("contacts"), None, "nobody is asked any more");
    let account = house.call(&bob, "GET", "/contacts", "").await.json();
    assert_eq!(text(&account, "instance"), instance);
}

#[tokio::test]
async fn a_message_counts_for_each_device_that_was_woken() {
    let service = service("201 Created").await;
    let house = House::open_as(&[("push_services", &service)]).await;
    let alice = house.token(ALICE).await;
    put(&house, &alice, json!({ "contact": "live" })).await;
    for _ in 0..3 {
        let bob = house.token(BOB).await;
        put(&house, &bob, json!({ "contact": wake(&service) })).await;
    }

    let all = house.send(&alice, BOB, invite()).await;

    assert_eq!(all.json(), json!({ "count": 3 }));
}

#[tokio::test]
async fn a_contact_that_has_ended_wakes_nobody_until_it_is_registered_again() {
    let service = service("201 Created").await;
    let house = House::open_as(&[("push_services", &service)]).await;
    let (alice, bob) = (house.token(ALICE).await, house.token(BOB).await);
    put(&house, &alice, json!({ "contact": "live" })).await;
    let contact = json!({ "contact": "live", "wake": wake(&service) });
    let first = put(&house, &bob, contact.clone()).await.json();
    assert_eq!(house.send(&alice, BOB, invite()).await.json(), json!({ "count": 1 }));

    tamper(&house, "UPDATE tokens SET contact_expires = 1 WHERE user_name = 'bob@example.com'")
        .await;

    let ended = house.send(&alice, BOB, invite()).await;
    assert_eq!(ended.refusal(), (404, "not-reachable".to_owned()));
    assert_eq!(ended.json().get("contacts"), None, "nobody was asked");
    assert_eq!(house.send(&bob, ALICE, invite()).await.refusal().1, "no-contact");
    let second = put(&house, &bob, contact).await.json();
    assert_eq!(second["instance"], first["instance"]);
    let expires = |answer: &Value| answer["expires"].as_u64().expect("a time");
    assert!(expires(&second) >= expires(&first), "it lasts from now on");
    assert_eq!(house.send(&alice, BOB, invite()).await.json(), json!({ "count": 1 }));
}

#[tokio::test]
async fn what_has_ended_is_forgotten_by_a_server_that_starts() {
    let house = House::open().await;
    let (alice, bob) = (house.token(ALICE).await, house.token(BOB).await);
    for token in [&alice, &bob] {
        put(&house, token, json!({ "contact": "live" })).await;
    }
    tamper(&house, "UPDATE tokens SET contact_expires = 1 WHERE user_name = 'bob@example.com'")
        .await;

    let house = house.reopen().await;

    let forgotten = async {
        loop {
            let list = house.token_command(TokenCommand::List { user: None }).await.unwrap();
            let of = |user: &str| list.lines().find(|line| line.contains(user)).expect("a line");
            assert!(of(ALICE).contains("logged in"), "{list}");
            if of(BOB).contains("logged out") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), forgotten).await.expect("it is forgotten");
}

#[tokio::test]
async fn rules_are_kept_and_counted_with() {
    let service = service("201 Created").await;
    let house = House::open_as(&[("push_services", &service)]).await;
    let (alice, bob) = (house.token(ALICE).await, house.token(BOB).await);
    for token in [&alice, &bob] {
        put(&house, token, json!({ "contact": "live", "wake": wake(&service) })).await;
    }
    let rules = async |change: Value| {
        let answer = house.call(&bob, "PUT", "/contacts/rules", &change.to_string()).await;
        assert_eq!(answer.json(), house.call(&bob, "GET", "/contacts/rules", "").await.json());
        answer.json()
    };

    let known = rules(json!({ "ring": "known" })).await;
    assert_eq!(known, json!({ "ring": "known", "blocked": [] }));
    assert_eq!(house.send(&alice, BOB, invite()).await.refusal().1, "stranger");
    assert_eq!(house.send(&bob, ALICE, invite()).await.status, 200);
    assert_eq!(house.send(&alice, BOB, invite()).await.status, 200, "bob called her");

    let blocked = rules(json!({ "block": [ALICE], "ring": "everybody" })).await;
    assert_eq!(blocked, json!({ "ring": "everybody", "blocked": [ALICE] }));
    assert_eq!(house.send(&alice, BOB, invite()).await.refusal().1, "not-reachable");
    let mut page = house.live(&bob).await;
    assert_eq!(page.hear().await["data"]["method"], "INVITE", "the one from before");
    let cancel = json!({ "method": "CANCEL", "ReqId": "000000000000001f" });
    assert_eq!(house.send(&alice, BOB, cancel).await.refusal().1, "not-reachable");
    assert_eq!(
        page.hear().await["data"]["method"],
        "CANCEL",
        "what rang before she was blocked ends"
    );
    assert_eq!(
        house.send(&alice, BOB, json!({ "method": "ACCEPT" })).await.refusal().1,
        "not-reachable"
    );
    page.hears_nothing_more().await;
    rules(json!({ "unblock": [ALICE] })).await;
    assert_eq!(house.send(&alice, BOB, invite()).await.status, 200);
    let block = json!({ "block": [BOB] }).to_string();
    let himself = house.call(&bob, "PUT", "/contacts/rules", &block).await;
    assert_eq!(himself.refusal().1, "malformed");
}

#[tokio::test]
async fn the_key_for_push_messages_outlives_the_server() {
    let house = House::open().await;
    let token = house.token(ALICE).await;
    let key = text(&house.call(&token, "GET", "/contacts", "").await.json(), "vapidkey");

    let house = house.reopen().await;

    let again = house.call(&token, "GET", "/contacts", "").await.json();
    assert_eq!(text(&again, "vapidkey"), key);
}

async fn put(house: &House, token: &str, contact: Value) -> Answer {
    let answer = house.call(token, "PUT", "/contacts", &contact.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

pub(crate) fn wake(service: &str) -> String {
    let [key, auth] = KEYS;
    let keys = json!({ "p256dh": key, "auth": auth });
    json!({ "endpoint": format!("{service}/push/1"), "keys": keys }).to_string()
}

fn invite() -> Value {
    json!({ "method": "INVITE", "ReqId": "000000000000001f" })
}

/// A push service that says the same to everybody.
pub(crate) async fn service(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut read = [0; 16 * 1024];
                // The head and the body of a push fit into one read of this size or two; the answer is the same.
                if stream.read(&mut read).await.is_ok() {
                    let answer = format!(
                        "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    );
                    stream.write_all(answer.as_bytes()).await.ok();
                }
            });
        }
    });
    origin
}
