//! PeerJS clients without sockets: what only they can do wrong, or have done to them.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::harness::{House, text};
use crate::peerjs::open;
use crate::possession::Key;

#[tokio::test]
async fn one_without_a_socket_watches_too() {
    let house = House::open_as(&[("peerjs_open", "true"), ("presence", "anyone")]).await;
    let mut alice = Downlink::open(&house, "alice").await;
    assert_eq!(alice.hear().await, json!({ "type": "OPEN" }));
    let say = async |word: Value| {
        let answer = house.ask("POST", "/peerjs/alice/t/watch", &[], &word.to_string()).await;
        assert_eq!(answer.text, "OK");
    };
    let told = |of: &str, reachable: bool| {
        let payload = json!({ "reachable": reachable });
        json!({ "type": "PRESENCE", "src": of, "dst": "alice", "payload": payload })
    };

    say(json!({ "type": "WATCH", "payload": ["bob", "carol"] })).await;
    assert_eq!(alice.hear().await, told("bob", false));
    assert_eq!(alice.hear().await, told("carol", false));
    let mut bob = open(&house, "bob", "t").await;
    assert_eq!(alice.hear().await, told("bob", true));
    bob.send(&json!({ "type": "LEAVE" })).await;
    assert_eq!(alice.hear().await, told("bob", false));

    say(json!({ "type": "UNWATCH", "payload": ["bob"] })).await;
    let _bob = open(&house, "bob", "t").await;
    let _carol = open(&house, "carol", "t").await;
    assert_eq!(alice.hear().await, told("carol", true), "nothing more of bob");
    let word = json!({ "type": "WATCH", "payload": ["bob"] }).to_string();
    let stranger = house.ask("POST", "/peerjs/alice/other/watch", &[], &word).await;
    assert_eq!(stranger.status, 401);
}

#[tokio::test]
async fn one_without_a_socket_hears_why_it_may_not_watch() {
    let house = House::open_as(&[("peerjs_open", "true")]).await;
    let mut alice = Downlink::open(&house, "alice").await;
    assert_eq!(alice.hear().await, json!({ "type": "OPEN" }));

    let word = json!({ "type": "WATCH", "payload": ["bob"] }).to_string();
    house.ask("POST", "/peerjs/alice/t/watch", &[], &word).await;

    let refused = alice.hear().await;
    assert_eq!(refused["type"], "PRESENCE");
    assert!(text(&refused["payload"], "msg").contains("does not tell"), "{refused}");
}

#[tokio::test]
async fn a_server_that_stops_ends_sockets_and_streams_in_peace() {
    let house = House::open_as(&[("peerjs_open", "true")]).await;
    let mut alice = Downlink::open(&house, "alice").await;
    assert_eq!(alice.hear().await, json!({ "type": "OPEN" }));
    let mut bob = open(&house, "bob", "t").await;

    let stopped = tokio::spawn(house.shut());

    assert_eq!(bob.close_code().await, 1001);
    assert!(alice.rest().await.ends_with("0\r\n\r\n"), "an answer that ends as answers do");
    stopped.await.expect("no panic");
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_bound_to_a_key_and_others_go_on() {
    let house = House::open_as(&[("presence", "anyone")]).await;
    let [bobs, carols] = [house.token("bob").await, house.token("carol").await];
    let mut bob = Downlink::open_as(&house, "bob", &bobs).await;
    let mut carol = Downlink::open_as(&house, "carol", &carols).await;
    assert_eq!(bob.hear().await, json!({ "type": "OPEN" }));
    assert_eq!(carol.hear().await, json!({ "type": "OPEN" }));
    let watch = json!({ "type": "WATCH", "payload": ["bob"] }).to_string();
    house.ask("POST", &format!("/peerjs/carol/{carols}/watch"), &[], &watch).await;
    assert_eq!(carol.hear().await["payload"]["reachable"], true);

    assert_eq!(Key::new().ask(&house, &bobs, "GET", "/session").await.status, 200);

    assert!(bob.rest().await.ends_with("0\r\n\r\n"), "an answer that ends as answers do");
    assert_eq!(carol.hear().await["payload"]["reachable"], false, "he left, and she stays");
    let mut again = Downlink::open_as(&house, "bob", &bobs).await;
    let said = again.rest().await;
    assert!(said.contains("ERROR") && !said.contains("OPEN"), "not without a proof: {said}");
}

#[tokio::test]
async fn why_a_client_is_kept_out_is_counted() {
    let flags = [
        ("peerjs_open", "true"),
        ("metrics_listen", "127.0.0.1:0"),
        ("peerjs_concurrent_limit", "2"),
    ];
    let house = House::open_as(&flags).await;
    let token = house.token("bob").await;
    let _alice = open(&house, "alice", "t").await;
    let _bob = open(&house, "bob", &token).await;
    let knock = async |query: &str| {
        let mut socket = house.dial_at(&format!("/peerjs?{query}"), &[]).await.expect("it opens");
        let said = socket.hear().await;
        assert_eq!(socket.hear_close().await, 1008, "{said}");
    };
    let long = "x".repeat(300);
    let of_another = format!("key=peerjs&id=carol&token={token}");
    let unnameable = format!("key=peerjs&id={long}&token=t");
    for (query, reason) in [
        ("key=foreign&id=carol&token=t", "peerjs-key"),
        ("key=peerjs&token=t", "peerjs-incomplete"),
        ("key=peerjs&id=alice&token=other", "peerjs-id-taken"),
        ("key=peerjs&id=bob&token=other", "peerjs-name-of-user"),
        ("key=peerjs&id=carol&token=t", "peerjs-concurrent-limit"),
        (of_another.as_str(), "peerjs-other-name"),
        (unnameable.as_str(), "peerjs-name"),
    ] {
        knock(query).await;

        let counted = format!("hullo_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(house.metric(&counted).await, 1.0, "{reason}");
    }
    let stream = house.ask("POST", "/peerjs/alice/other/id?i=0", &[], "").await;
    assert!(stream.text.ends_with("{\"type\":\"HTTP-ERROR\"}\n"), "{}", stream.text);
    assert_eq!(house.metric("hullo_refused_total{reason=\"peerjs-id-taken\"}").await, 2.0);
    assert_eq!(house.metric("hullo_peerjs_joined_total").await, 2.0);
}

/// The answer that never ends.
struct Downlink(BufReader<TcpStream>);

impl Downlink {
    async fn open(house: &House, id: &str) -> Self {
        Self::open_as(house, id, "t").await
    }

    async fn open_as(house: &House, id: &str, token: &str) -> Self {
        let mut stream = TcpStream::connect(&house.host).await.expect("it listens");
        let ask = format!(
            "POST /peerjs/{id}/{token}/id?i=0 HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).await.expect("it reads");
        Self(BufReader::new(stream))
    }

    /// The next message; what makes old clients read on is passed over, as is all that is not a message.
    async fn hear(&mut self) -> Value {
        let next = async {
            loop {
                let mut line = String::new();
                let length = self.0.read_line(&mut line).await.expect("text");
                assert!(length > 0, "it has ended");
                match serde_json::from_str::<Value>(&line) {
                    Ok(word) if word.is_object() && word["type"] != "HEARTBEAT" => return word,
                    Ok(_) | Err(_) => {}
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), next).await.expect("a message")
    }

    /// All that comes until the end.
    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        let end = tokio::time::timeout(
            std::time::Duration::from_secs(10),
            self.0.read_to_string(&mut rest),
        );
        end.await.expect("it ends").expect("text");
        rest
    }
}
