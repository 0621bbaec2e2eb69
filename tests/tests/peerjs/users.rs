//! Users with several devices, each an unmodified PeerJS; and who is told that somebody is there.

use serde_json::{Value, json};
use tests::Hullo;
use tests::peerjs::{Client, Version, http, site};

use crate::harness::{connect, echo, reach, visitor};

#[test]
fn a_call_to_a_user_rings_on_all_devices_and_the_first_to_answer_has_it() {
    let town = Town::open(&[("--presence", "anyone")]);
    let alice = town.device("alice");
    let (phone, desk) = (town.device("bob"), town.device("bob"));
    phone.client.does("letRing", &[]);
    desk.client.does("letRing", &[]);

    alice.client.does("ring", &[json!("bob"), json!({})]);
    for device in [&phone, &desk] {
        assert_eq!(device.client.hears("ring")["peer"], "alice");
    }
    desk.client.does("answer", &[]);

    assert_eq!(alice.client.hears("picture")["peer"], "bob");
    assert_eq!(desk.client.hears("picture")["peer"], "alice");
    // What a server says comes in order, so after this the phone knows that it is over.
    phone.watches("bob");
    assert_eq!(phone.client.hears("presence")["src"], "bob");
    assert_eq!(phone.client.does("isConnecting", &[]), json!(false), "the phone rings on");
    assert_eq!(desk.client.does("isConnecting", &[]), json!(true));
}

#[test]
fn both_devices_of_a_user_may_call_the_same_person() {
    let town = Town::open(&[]);
    let carol = town.device("carol");
    let (phone, desk) = (town.device("bob"), town.device("bob"));

    for device in [&phone, &desk] {
        device.client.does("connect", &[json!("carol"), json!({ "reliable": true })]);
        device.client.hears("link");
        assert_eq!(carol.client.hears("link")["peer"], "bob");
        echo(&device.client, &carol.client, &json!("each has a link of its own"));
    }
    // The first is not the one of which carol's page thinks last.
    phone.client.does("send", &[json!("still here")]);
    assert_eq!(carol.client.hears("data"), json!("still here"));
}

#[test]
fn a_call_rings_on_the_devices_that_can_take_it_where_that_is_the_policy() {
    let town = Town::open(&[("--device-policy", "capable"), ("--presence", "anyone")]);
    let alice = town.device("alice");
    let (radio, screen) = (town.newcomer("bob"), town.newcomer("bob"));
    for (device, able) in [(&radio, json!(["audio"])), (&screen, json!(["audio", "video"]))] {
        town.change(device, &json!({ "capabilities": able }));
        device.enters();
    }
    screen.client.does("letRing", &[]);

    alice.client.does("ring", &[json!("bob"), json!({})]);

    assert_eq!(screen.client.hears("ring")["peer"], "alice");
    radio.watches("bob");
    assert_eq!(radio.client.hears("presence")["src"], "bob");
    assert_eq!(radio.client.unheard(), json!([]), "it cannot show a picture");
}

#[test]
fn of_a_user_with_one_device_a_second_is_told_so_and_may_be_nominated() {
    let town = Town::open(&[("--device-policy", "nominated")]);
    let alice = town.device("alice");
    let (phone, desk) = (town.device("bob"), town.newcomer("bob"));

    desk.asks_for_a_place();
    let error = desk.client.hears("error");
    assert_eq!(error["type"], "server-error");
    assert!(says(&error, "Only one device per user may be registered"), "{error}");

    town.change(&desk, &json!({ "nominated": true }));
    let error = phone.client.hears("error");
    assert!(says(&error, "you have nominated another"), "{error}");
    assert_eq!(phone.client.hears("disconnected"), "bob");
    let desk = Device { client: visitor("desk", Version::New), ..desk };
    desk.enters();
    let desk = ("bob".to_owned(), desk.client);
    connect(&alice.client, &desk, &json!({ "reliable": true }));
    echo(&alice.client, &desk.1, &json!("on the desk"));
}

#[test]
fn who_watches_somebody_sees_them_come_and_go() {
    let flags = [("--presence", "anyone"), ("--peerjs-reconnect-timeout", "500")];
    let town = Town::open(&flags);
    let alice = town.device("alice");
    let told = |of: &str, reachable: bool| {
        let payload = json!({ "reachable": reachable });
        json!({ "type": "PRESENCE", "src": of, "dst": "alice", "payload": payload })
    };
    alice.watches("bob");
    assert_eq!(alice.client.hears("presence"), told("bob", false));

    let bob = town.device("bob");
    assert_eq!(alice.client.hears("presence"), told("bob", true));
    let url = format!("{}/peerjs/peers/bob?token={}", town.origin(), alice.token);
    let ask = format!("fetch('{url}').then((answer) => answer.json())");
    let asked = alice.client.page().evaluate(&ask).expect("anyone may ask");
    assert_eq!(asked, json!({ "id": "bob", "reachable": true }));

    bob.client.does("destroy", &[]);
    assert_eq!(alice.client.hears("presence"), told("bob", false));
    alice.client.does("say", &[json!({ "type": "UNWATCH", "payload": ["bob"] })]);
    alice.watches("carol");
    assert_eq!(alice.client.hears("presence"), told("carol", false));
    let _bob = town.device("bob");
    let _carol = town.device("carol");
    assert_eq!(alice.client.hears("presence"), told("carol", true), "nothing more of bob");
}

/// A server with users, and pages of an operator's site that may use it.
struct Town(Hullo);

/// A page on a device of a user.
struct Device {
    client: Client,
    user: String,
    token: String,
    port: u16,
}

impl Town {
    fn open(flags: &[(&str, &str)]) -> Self {
        Self(Hullo::start(&[&[("--origins", site())], flags].concat()))
    }

    fn origin(&self) -> &str {
        self.0.origin.trim_end_matches('/')
    }

    /// Somebody with a token for a new device, who is not here yet.
    fn newcomer(&self, user: &str) -> Device {
        let token = self.0.token(user, &[]).trim().to_owned();
        let port = self.origin().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.expect("a server on loopback names its port");
        Device { client: visitor(user, Version::New), user: user.to_owned(), token, port }
    }

    /// Somebody who is here.
    #[track_caller]
    fn device(&self, user: &str) -> Device {
        let device = self.newcomer(user);
        device.enters();
        device
    }

    /// A device says what it can do, or that it is the one.
    #[track_caller]
    fn change(&self, device: &Device, change: &Value) {
        let bearer = format!("Bearer {}", device.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let url = format!("{}/session/device", self.origin());
        let answer = http::ask("PUT", &url, &headers, &change.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

impl Device {
    fn asks_for_a_place(&self) {
        let mut options = reach(self.port, "/");
        options["token"] = json!(self.token);
        self.client.enters(Some(&self.user), &options);
    }

    #[track_caller]
    fn enters(&self) {
        self.asks_for_a_place();
        assert_eq!(self.client.hears("open"), json!(self.user));
        self.client.does("overhear", &[]);
    }

    fn watches(&self, name: &str) {
        self.client.does("say", &[json!({ "type": "WATCH", "payload": [name] })]);
    }
}

fn says(error: &Value, words: &str) -> bool {
    error["message"].as_str().is_some_and(|message| message.contains(words))
}
