//! Firebase: apps of the operator's own projects, and clients of the API that this one follows.

use serde_json::{Value, json};
use tests::Hullo;
use tests::push::{Firebase, Project};

use crate::harness::{ALICE, BOB, INVITE, cancel, invite};

struct Scene {
    hullo: Hullo,
    firebase: Firebase,
    _files: tempfile::TempDir,
}

impl Scene {
    /// A server with these projects; the second has what its apps are told.
    fn new() -> Self {
        let firebase = Firebase::start();
        let files = tempfile::tempdir().expect("there is room");
        let write = |name: &str, text: Value| {
            let path = files.path().join(name);
            std::fs::write(&path, text.to_string()).expect("it can be written");
            path.to_string_lossy().into_owned()
        };
        let Project { account: first, .. } = firebase.project("first");
        let Project { account: second, .. } = firebase.project("second");
        let whole = json!({
            "namespace": "acme", "service_account": second,
            "config": { "projectId": "second" }, "vapidkey": "the key of second",
        });
        let list = [write("first.json", first), write("second.json", whole)].join(",");
        let hullo =
            Hullo::start(&[("--fcm-projects", &list), ("--fcm-endpoint", &firebase.origin())]);
        Self { hullo, firebase, _files: files }
    }

    /// A device whose contact is a registration token; gives its token and its address.
    fn device(&self, user: &str, registration: &str, more: &[&str]) -> (String, String) {
        let token = self.hullo.token(user, more);
        let (status, registered) =
            self.hullo.ask_as(&token, "PUT", "/contacts", &json!({ "contact": registration }));
        assert_eq!(status, 200, "{registered}");
        let instance = registered["instance"].as_str().expect("an instance");
        (token, format!("{user}/{instance}"))
    }

    fn send(&self, token: &str, to: &str, data: Value) -> (u16, Value) {
        self.hullo.ask_as(token, "POST", "/contacts", &json!({ "to": to, "data": data }))
    }
}

fn registration(name: &str) -> String {
    format!("{name}:APA91b{}", "x".repeat(40))
}

#[test]
fn a_client_of_the_reference_rings_and_is_rung() {
    let scene = Scene::new();
    let (alice, alices) = scene.device(ALICE, &registration("alice"), &[]);
    let (_, bobs) = scene.device(BOB, &registration("bob"), &[]);

    let sent = scene.send(&alice, BOB, invite(INVITE));
    scene.send(&alice, BOB, cancel(INVITE));

    assert_eq!(sent, (200, json!({ "count": 1 })));
    let (project, message) = scene.firebase.message(0);
    assert_eq!(project, "first", "tokens that name no project are of the first");
    assert_eq!(message["token"], registration("bob"));
    let data = &message["data"];
    assert_eq!((&data["From"], &data["To"]), (&json!(alices), &json!(bobs)));
    assert_eq!((&data["method"], &data["TTL"]), (&json!("INVITE"), &json!("45000")), "all text");
    assert_eq!(data["offer"].as_str().map(str::len), Some(3_000), "the offer is in it");
    assert_eq!(message["android"]["priority"], "HIGH");
    assert_eq!(message["apns"]["headers"]["apns-priority"], "10");
    assert_eq!(message["webpush"]["headers"]["Urgency"], "high");
    let (_, second) = scene.firebase.message(1);
    assert_eq!(second["android"]["collapse_key"], message["android"]["collapse_key"]);
    assert_eq!(scene.firebase.exchanges(), 1, "one access token serves all");
}

#[test]
fn an_address_with_an_instance_reaches_one_device_and_names_it_once() {
    let scene = Scene::new();
    let (alice, _) = scene.device(ALICE, &registration("alice"), &[]);
    let (_, desk) = scene.device(BOB, &registration("desk"), &[]);
    let (_, phone) = scene.device(BOB, &registration("phone"), &[]);

    let one = scene.send(&alice, &phone, invite(INVITE));

    assert_eq!(one, (200, json!({ "count": 1 })));
    assert_eq!(scene.firebase.message(0).1["data"]["To"], phone);
    assert_ne!(desk, phone);
}

#[test]
fn projects_are_namespaces_and_their_apps_are_told_what_they_need() {
    let scene = Scene::new();
    let (alice, _) = scene.device(ALICE, &registration("alice"), &[]);
    let (bob, _) = scene.device(BOB, &registration("bob"), &["--namespace", "acme"]);

    scene.send(&alice, BOB, invite(INVITE));
    let (_, account) = scene.hullo.ask_as(&bob, "GET", "/contacts", &Value::Null);

    assert_eq!(scene.firebase.message(0).0, "second");
    assert_eq!(account["namespace"], "acme");
    assert_eq!(unveil("acme", &account["config"]), r#"{"projectId":"second"}"#);
    assert_eq!(unveil("acme", &account["vapidkey"]), "the key of second");
    let (_, account) = scene.hullo.ask_as(&alice, "GET", "/contacts", &Value::Null);
    assert_eq!(account.get("namespace"), None);
}

#[test]
fn documented_errors_are_understood() {
    let scene = Scene::new();
    let (alice, _) = scene.device(ALICE, &registration("alice"), &[]);
    let (_, _) = scene.device(BOB, &registration("bob"), &[]);
    let mut ids = (1..).map(|n| format!("{n:016x}"));
    let mut ring = || {
        let id = ids.next().expect("numbers do not end");
        let (status, answer) = scene.send(&alice, BOB, invite(&id));
        scene.send(&alice, BOB, cancel(&id));
        (status, answer["contacts"][0]["error"].clone())
    };

    scene.firebase.answer_next(400, "INVALID_ARGUMENT", None);
    assert_eq!(ring(), (404, json!("refused")));
    scene.firebase.answer_next(503, "UNAVAILABLE", Some(1));
    assert_eq!(ring().0, 200, "again within the ring");
    scene.firebase.answer_next(429, "QUOTA_EXCEEDED", Some(3_600));
    assert_eq!(ring(), (404, json!("busy")));
    scene.firebase.void_tokens();
    assert_eq!(ring().0, 200, "a fresh access token");
    scene.firebase.answer_next(404, "UNREGISTERED", None);
    assert_eq!(ring(), (404, json!("gone")));
    let count = scene.firebase.count();
    assert_eq!(ring(), (404, Value::Null), "and is not asked any more");
    assert_eq!(scene.firebase.count(), count);
}

#[test]
fn an_access_token_is_used_until_it_ends() {
    let scene = Scene::new();
    scene.firebase.let_tokens_last(30);
    let (alice, _) = scene.device(ALICE, &registration("alice"), &[]);
    let (_, _) = scene.device(BOB, &registration("bob"), &[]);

    scene.send(&alice, BOB, invite(INVITE));
    scene.send(&alice, BOB, cancel(INVITE));

    assert_eq!(scene.firebase.exchanges(), 2, "one that ends within a minute serves nobody else");
    assert_eq!(scene.firebase.refusals(), [""; 0]);
}

#[test]
fn the_faults_of_the_reference_are_gone() {
    let scene = Scene::new();
    let (alice, address) = scene.device(ALICE, &registration("alice"), &[]);
    let ask = |method: &str, body: Value| scene.hullo.ask_as(&alice, method, "/contacts", &body);
    let whoami = || ask("GET", Value::Null).1["instance"].clone();
    let instance = json!(address.split('/').nth(1));
    assert_eq!(whoami(), instance);

    for (method, body) in [
        ("PUT", json!("a string")),
        ("PUT", json!([1])),
        ("PUT", json!({})),
        ("PUT", json!({ "contact": 7 })),
        ("POST", json!("a string")),
        ("POST", json!({ "to": BOB, "data": "a string" })),
        ("POST", json!({ "to": BOB, "data": [1] })),
    ] {
        let (status, refusal) = ask(method, body.clone());
        assert_eq!((status, &refusal["error"]), (400, &json!("malformed")), "{method} {body}");
        assert_eq!(whoami(), instance, "still logged in after {method} {body}");
    }
    assert_eq!(ask("DELETE", Value::Null).0, 204);
    assert_eq!(whoami(), Value::Null, "logged out by its own word");
    let contact = json!({ "contact": registration("alice") });
    assert_eq!(ask("PUT", contact).1["instance"], instance);
    assert_eq!(ask("PUT", json!({ "contact": null })).0, 204);
    assert_eq!(whoami(), Value::Null, "and by that of its own API");
}

#[test]
fn a_registration_token_that_nothing_could_be_sent_to_is_refused_at_once() {
    let bare = Hullo::start(&[]);
    let scene = Scene::new();
    let phone = json!({ "contact": registration("phone") });
    let wakes = json!({ "contact": "live", "wake": registration("phone") });
    let (anybody, stray) =
        (bare.token(ALICE, &[]), scene.hullo.token(ALICE, &["--namespace", "nobody-has-it"]));

    for (hullo, token, lacks) in [
        (&bare, &anybody, "has no Firebase project."),
        (&scene.hullo, &stray, "has no Firebase project nobody-has-it"),
    ] {
        for contact in [&phone, &wakes] {
            let (status, refusal) = hullo.ask_as(token, "PUT", "/contacts", contact);

            assert_eq!((status, &refusal["error"]), (400, &json!("unknown-contact")), "{refusal}");
            let message = refusal["message"].as_str().expect("a sentence");
            assert!(message.contains(lacks) && message.contains("--fcm-projects"), "{message}");
        }
        let (_, account) = hullo.ask_as(token, "GET", "/contacts", &Value::Null);
        assert_eq!(account.get("instance"), None, "it has not become a contact by that");
    }
}

/// What a client of the reference does with what it is told: RC4 by the namespace.
fn unveil(name: &str, value: &Value) -> String {
    use base64::Engine as _;
    let veiled = value.as_str().expect("a text");
    let veiled = base64::engine::general_purpose::STANDARD.decode(veiled).expect("base64");
    let mut s: Vec<usize> = (0..256).collect();
    let mut j = 0;
    for i in 0..256 {
        j = (j + s[i] + usize::from(name.as_bytes()[i % name.len()])) % 256;
        s.swap(i, j);
    }
    let (mut i, mut j) = (0, 0);
    let plain = veiled.iter().map(|byte| {
        i = (i + 1) % 256;
        j = (j + s[i]) % 256;
        s.swap(i, j);
        byte ^ u8::try_from(s[(s[i] + s[j]) % 256]).expect("below 256")
    });
    String::from_utf8(plain.collect()).expect("text")
}
