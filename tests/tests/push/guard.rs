//! Subscriptions are anybody's text: no address inside the operator's network is asked for one.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use tests::Hullo;
use tests::push::PushService;

use crate::harness::{ALICE, BOB, INVITE, Scene, invite};

#[test]
fn endpoints_inside_are_refused_and_nobody_there_is_connected_to() {
    let (v4, v6) = (Trap::set("127.0.0.1:0"), Trap::set("[::1]:0"));
    let hullo = Hullo::start(&[]);
    let token = hullo.token(BOB, &[]);
    let service = PushService::start();
    let keys = service.subscribe("x").json()["keys"].clone();
    let (four, six) = (v4.port, v6.port);

    for endpoint in [
        format!("http://127.0.0.1:{four}/x"),
        format!("https://127.0.0.1:{four}/x"),
        format!("https://localhost:{four}/x"),
        format!("https://[::1]:{six}/x"),
        format!("https://[::ffff:127.0.0.1]:{four}/x"),
        format!("https://[::ffff:7f00:1]:{four}/x"),
        format!("https://2130706433:{four}/x"),
        format!("https://0x7f.1:{four}/x"),
        format!("https://0:{four}/x"),
        format!("https://fcm.googleapis.com@127.0.0.1:{four}/x"),
        format!("https://fcm.googleapis.com:{four}/x"),
        format!("https://fcm.googleapis.com.127.0.0.1.nip.io:{four}/x"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[fd00:ec2::254]/latest".to_owned(),
        "https://10.0.0.1/x".to_owned(),
        "https://router.local/x".to_owned(),
        "ftp://fcm.googleapis.com/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        service.origin() + "/x",
    ] {
        let wake = json!({ "endpoint": endpoint, "keys": keys }).to_string();
        let (status, refusal) =
            hullo.ask_as(&token, "PUT", "/contacts", &json!({ "contact": "live", "wake": wake }));
        let word = refusal["error"].clone();
        assert_eq!((status, word), (400, json!("unknown-contact")), "{endpoint}: {refusal}");
        let (status, _) = hullo.ask_as(&token, "PUT", "/contacts", &json!({ "contact": wake }));
        assert_eq!(status, 400, "{endpoint} as the contact itself");
    }

    assert_eq!((v4.count(), v6.count(), service.connections()), (0, 0, 0));
}

#[test]
fn a_service_that_sends_elsewhere_is_not_followed() {
    let trap = Trap::set("127.0.0.1:0");
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));
    scene.service.redirect_next(&format!("http://127.0.0.1:{}/inside", trap.port));

    let (status, refusal) = scene.send(&alice, BOB, invite(INVITE));

    assert_eq!((status, &refusal["contacts"][0]["error"]), (404, &json!("refused")));
    assert_eq!(trap.count(), 0);
    drop(bob);
}

#[test]
fn a_service_that_the_operator_strikes_off_is_asked_no_more() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));
    let Scene { hullo, service } = scene;

    let hullo = hullo.restart(&[]);

    let to = json!({ "to": BOB, "data": invite(INVITE) });
    let (status, _) = hullo.ask_as(&alice.token, "POST", "/contacts", &to);
    assert_eq!((status, service.connections()), (404, 0));
    drop(bob);
}

/// A listener that counts who connects.
struct Trap {
    port: u16,
    caught: Arc<AtomicUsize>,
}

impl Trap {
    fn set(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let caught: Arc<AtomicUsize> = Arc::default();
        let counted = caught.clone();
        thread::spawn(move || {
            for _ in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, caught }
    }

    fn count(&self) -> usize {
        self.caught.load(Ordering::SeqCst)
    }
}
