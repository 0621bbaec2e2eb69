//! PeerJS clients of users: whose device is who, and which of them ring.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use server::UserCommand;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::harness::{House, text};

const BOB: &str = "bob@example.com";

#[tokio::test]
async fn a_session_decides_the_id_and_no_other_is_taken() {
    let house = House::open_as(&[]).await;
    let token = house.token(BOB).await;

    let id = house.ask("GET", &format!("/peerjs/id?token={token}"), &[], "").await;
    let mut bob = client(&house, BOB, &token).await;
    let mut liar = client(&house, "alice@example.com", &token).await;
    let mut stranger = client(&house, "carol", "0123456789a").await;

    assert_eq!(id.text, BOB);
    assert_eq!(bob.hear().await["type"], "OPEN");
    let told = liar.hear().await;
    assert!(text(&told["payload"], "msg").contains("your id is bob@example.com"), "{told}");
    assert_eq!(stranger.hear().await["type"], "ERROR");
}

#[tokio::test]
async fn a_guest_never_has_a_users_id() {
    let house = House::open_as(&[("peerjs_open", "true")]).await;
    let mut guest = client(&house, BOB, "0123456789a").await;
    assert_eq!(guest.hear().await["type"], "OPEN");

    house.token(BOB).await;

    let told = guest.hear().await;
    assert!(text(&told["payload"], "msg").contains("belongs to a user"), "{told}");
    assert_eq!(client(&house, BOB, "0123456789a").await.hear().await["type"], "ID-TAKEN");
}

#[tokio::test]
async fn an_offer_rings_on_every_device_and_the_first_answer_wins() {
    let house = House::open_as(&[]).await;
    let alice_token = house.token("alice@example.com").await;
    let mut alice = open(&house, "alice@example.com", &alice_token).await;
    let (phone_token, desk_token) = (house.token(BOB).await, house.token(BOB).await);
    let mut phone = open(&house, BOB, &phone_token).await;
    let mut desk = open(&house, BOB, &desk_token).await;

    alice.say("OFFER", BOB).await;
    assert_eq!(phone.hear().await["type"], "OFFER");
    assert_eq!(desk.hear().await["src"], "alice@example.com");
    desk.say("ANSWER", "alice@example.com").await;

    assert_eq!(alice.hear().await["type"], "ANSWER");
    assert_eq!(phone.hear().await["type"], "LEAVE");
}

#[tokio::test]
async fn only_one_device_of_a_user_is_registered_where_that_is_the_policy() {
    let house = House::open_as(&[("device_policy", "nominated")]).await;
    let (first_token, second_token) = (house.token(BOB).await, house.token(BOB).await);
    let mut first = open(&house, BOB, &first_token).await;

    let told = client(&house, BOB, &second_token).await.hear().await;
    let sentence = text(&told["payload"], "msg");
    assert!(sentence.starts_with("Only one device per user may be registered"), "{sentence}");

    let nominated = json!({ "nominated": true }).to_string();
    let answer = house.call(&second_token, "PUT", "/session/device", &nominated).await;
    assert_eq!(
        answer.json(),
        json!({ "policy": "nominated", "nominated": true, "capabilities": [] })
    );
    let told = first.hear().await;
    assert!(text(&told["payload"], "msg").contains("nominated another"), "{told}");
    open(&house, BOB, &second_token).await;
    assert_eq!(client(&house, BOB, &first_token).await.hear().await["type"], "ERROR");
}

#[tokio::test]
async fn a_call_rings_where_it_can_be_taken_if_the_user_wants_that() {
    let house = House::open_as(&[]).await;
    let alice_token = house.token("alice@example.com").await;
    let mut alice = open(&house, "alice@example.com", &alice_token).await;
    let (radio_token, screen_token) = (house.token(BOB).await, house.token(BOB).await);
    let policy = UserCommand::Policy { user: BOB.to_owned(), policy: "capable".to_owned() };
    house.user_command(policy).await.unwrap();
    for (token, able) in
        [(&radio_token, json!(["audio"])), (&screen_token, json!(["audio", "video"]))]
    {
        let body = json!({ "capabilities": able }).to_string();
        assert_eq!(house.call(token, "PUT", "/session/device", &body).await.status, 200);
    }
    let mut radio = open(&house, BOB, &radio_token).await;
    let mut screen = open(&house, BOB, &screen_token).await;

    let sdp = "v=0\r\nm=audio 9 UDP\r\nm=video 9 UDP\r\n";
    let payload =
        json!({ "type": "media", "connectionId": "mc_1", "sdp": { "type": "offer", "sdp": sdp } });
    alice.send(&json!({ "type": "OFFER", "dst": BOB, "payload": payload })).await;

    assert_eq!(screen.hear().await["payload"], payload);
    radio.hears_nothing().await;
}

#[tokio::test]
async fn what_is_no_frame_ends_that_client_with_a_reason_and_no_other() {
    let house = House::open_as(&[("peerjs_open", "true")]).await;
    let mut other = open(&house, "other", "t").await;
    let deep = format!("{{\"type\":\"OFFER\",\"payload\":{}", "[".repeat(100_000));
    for (message, code) in [
        (Message::text("{"), 1008),
        (Message::text(deep), 1008),
        (Message::binary(&[0xff, 0xfe][..]), 1007),
        (Message::text("x".repeat(300_000)), 1009),
    ] {
        let mut client = open(&house, "bad", "t").await;
        client.0.send(message).await.unwrap();

        assert_eq!(client.close_code().await, code);
    }
    other.hears_nothing().await;
}

#[tokio::test]
async fn one_who_returns_finds_its_place_in_a_full_server_and_a_newcomer_does_not() {
    let house = House::open_as(&[("peerjs_open", "true"), ("limit_connections", "1")]).await;
    let first = open(&house, "alice", "mine").await;

    // The old socket is still there, as it is after a network that went away without a word.
    let told = client(&house, "bob", "his").await.hear().await;
    assert!(text(&told["payload"], "msg").contains("takes no more connections"), "{told}");
    let again = open(&house, "alice", "mine").await;
    drop((first, again));

    // While she blinks, a newcomer takes the place that is free; she comes in all the same.
    let mut bob = knock_until_open(&house, "bob", "his").await;
    let mut back = open(&house, "alice", "mine").await;
    assert_eq!(client(&house, "alice", "hers").await.hear().await["type"], "ERROR");
    bob.hears_nothing().await;
    back.hears_nothing().await;
}

#[tokio::test]
async fn the_operator_sends_a_client_away_and_it_hears_why() {
    let house = House::open_as(&[("peerjs_open", "true")]).await;
    let mut alice = open(&house, "alice", "t").await;
    let mut bob = open(&house, "bob", "t").await;
    alice.say("OFFER", "bob").await;
    assert_eq!(bob.hear().await["type"], "OFFER");

    let said = server::kick(house.database(), "alice").await.unwrap();

    assert_eq!(said, "Ended the connection of alice.\n");
    let told = alice.hear().await;
    assert!(text(&told["payload"], "msg").contains("operator"), "{told}");
    assert_eq!(alice.close_code().await, 1008);
    assert_eq!(bob.hear().await["type"], "LEAVE", "she does not blink, she is gone");
}

#[tokio::test]
async fn who_speaks_by_requests_has_as_much_to_say_as_by_a_socket() {
    let flags = [("peerjs_open", "true"), ("limit_messages_per_second", "5")];
    let house = House::open_as(&flags).await;
    let mut stream = TcpStream::connect(&house.host).await.unwrap();
    let ask = "POST /peerjs/alice/t/id?i=0 HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(ask.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 64]).await.unwrap();

    let offer = json!({ "type": "OFFER", "dst": "bob", "payload": {} }).to_string();
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(house.ask("POST", "/peerjs/alice/t/offer", &[], &offer).await);
    }

    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert!((10..=20).contains(&refused), "{refused} of 30");
    assert_eq!(answers[0].text, "OK");
    let forged = house.ask("POST", "/peerjs/alice/other/offer", &[], &offer).await;
    assert_eq!(forged.status, 401);
}

/// One that comes in once the server has noticed that others have gone.
async fn knock_until_open(house: &House, id: &str, token: &str) -> Client {
    for _ in 0..1_000 {
        let mut client = client(house, id, token).await;
        if client.hear().await["type"] == "OPEN" {
            return client;
        }
    }
    panic!("there is no room");
}

/// A PeerJS client, as far as its socket goes.
pub(crate) struct Client(WebSocketStream<TcpStream>);

/// One that has asked to come in.
pub(crate) async fn client(house: &House, id: &str, token: &str) -> Client {
    let url = format!("ws://{}/peerjs?key=peerjs&id={id}&token={token}", house.host);
    let stream = TcpStream::connect(&house.host).await.expect("it listens");
    let request = url.into_client_request().expect("a request");
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("it upgrades");
    Client(socket)
}

/// One that is in.
pub(crate) async fn open(house: &House, id: &str, token: &str) -> Client {
    let mut client = client(house, id, token).await;
    assert_eq!(client.hear().await, json!({ "type": "OPEN" }));
    client
}

impl Client {
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            let message = self.next().await;
            if let Message::Text(frame) = &message {
                return serde_json::from_str(frame).expect("JSON");
            }
            assert!(message.is_ping(), "no text: {message:?}");
        }
    }

    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            if let Message::Close(Some(frame)) = self.next().await {
                return frame.code.into();
            }
        }
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(std::time::Duration::from_secs(10), self.0.next());
        next.await.expect("it says something").expect("it is open").expect("it works")
    }

    async fn say(&mut self, kind: &str, to: &str) {
        let payload = json!({ "connectionId": "dc_1" });
        self.send(&json!({ "type": kind, "dst": to, "payload": payload })).await;
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).await.expect("it is open");
    }

    /// A ping is answered after whatever was said before it.
    pub(crate) async fn hears_nothing(&mut self) {
        self.0.send(Message::Ping(Bytes::from_static(b"?"))).await.expect("it is open");
        assert_eq!(self.next().await, Message::Pong(Bytes::from_static(b"?")));
    }
}
