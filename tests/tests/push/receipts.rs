//! What truly rings: receipts of service workers, and the further tries without one.

use serde_json::{Value, json};
use tests::within;

use crate::harness::{ALICE, BOB, Device, INVITE, Scene, invite};

#[test]
fn a_sender_without_a_live_socket_asks_who_rings() {
    let scene = Scene::new();
    let (alice, bob, phone) = (scene.sleeper(ALICE), scene.sleeper(BOB), scene.sleeper(BOB));
    scene.send(&alice, BOB, invite(INVITE));
    let push = scene.opened(&bob, 0)["id"].clone();
    assert_eq!(who_shows(&scene, &alice), json!([]));

    let stolen =
        scene.hullo.ask_as(&phone.token, "POST", "/contacts/shown", &json!({ "id": push }));
    let shown = scene.hullo.ask_as(&bob.token, "POST", "/contacts/shown", &json!({ "id": push }));
    let twice = scene.hullo.ask_as(&bob.token, "POST", "/contacts/shown", &json!({ "id": push }));

    assert_eq!((stolen.0, shown.0, twice.0), (404, 204, 404), "once, and by its own device");
    assert_eq!(who_shows(&scene, &alice), json!([bob.address]));
    assert_eq!(who_shows(&scene, &bob), json!([]), "it is nobody else's affair");
}

#[test]
fn without_a_receipt_it_is_sent_again_and_with_one_it_is_not() {
    let scene = Scene::new();
    let (alice, bob, phone) = (scene.sleeper(ALICE), scene.sleeper(BOB), scene.sleeper(BOB));
    scene.send(&alice, BOB, invite(INVITE));
    let push = scene.opened(&phone, 0)["id"].clone();
    scene.hullo.ask_as(&phone.token, "POST", "/contacts/shown", &json!({ "id": push }));

    // After 8 s, and 16 s after that.
    let ttls = [0, 1, 2].map(|number| {
        let patience = std::time::Duration::from_secs(40);
        within(patience, "another try", || {
            (scene.service.count(&bob.subscription) > number).then_some(())
        });
        scene.service.push(&bob.subscription, number).ttl
    });

    assert!(ttls[0] > ttls[1] && ttls[1] > ttls[2], "each has less of the ring: {ttls:?}");
    assert_eq!(scene.service.count(&phone.subscription), 1, "whoever shows it is left alone");
}

fn who_shows(scene: &Scene, device: &Device) -> Value {
    let path = format!("/contacts/shown/{INVITE}");
    let (status, answer) = scene.hullo.ask_as(&device.token, "GET", &path, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    answer["devices"].clone()
}
