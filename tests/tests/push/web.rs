//! Standard Web Push: what the service gets, and what becomes of what it answers.

use serde_json::json;

use crate::harness::{ALICE, BOB, INVITE, Scene, cancel, invite};

#[test]
fn an_invite_comes_sealed_signed_and_urgent_and_its_cancel_takes_its_place() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));

    let sent = scene.send(&alice, BOB, invite(INVITE));
    scene.send(&alice, BOB, cancel(INVITE));

    assert_eq!(sent, (200, json!({ "count": 1 })));
    let first = scene.service.push(&bob.subscription, 0);
    assert!((40..=45).contains(&first.ttl), "what is left of the ring: {}", first.ttl);
    assert_eq!(first.urgency.as_deref(), Some("high"));
    let letter = scene.opened(&bob, 0);
    assert_eq!(letter["type"], "push");
    assert_eq!(
        letter["data"],
        json!({
            "From": alice.address, "To": bob.address, "method": "INVITE", "ReqId": INVITE,
            "TTL": 45_000, "topic": "Lunch",
        }),
        "descriptions stay behind"
    );
    let second = scene.service.push(&bob.subscription, 1);
    assert_eq!(scene.opened(&bob, 1)["data"]["method"], "CANCEL");
    assert!(first.topic.is_some() && first.topic == second.topic);
}

#[test]
fn every_device_is_woken_and_one_alone_by_its_address() {
    let scene = Scene::new();
    let alice = scene.sleeper(ALICE);
    let bobs = [scene.sleeper(BOB), scene.sleeper(BOB), scene.sleeper(BOB)];

    let all = scene.send(&alice, BOB, invite(INVITE));
    let one = scene.send(&alice, &bobs[1].address, invite("000000000000002f"));

    assert_eq!((all.1, one.1), (json!({ "count": 3 }), json!({ "count": 1 })));
    for (bob, pushes) in bobs.iter().zip([1, 2, 1]) {
        assert_eq!(scene.opened(bob, 0)["data"]["To"], bob.address);
        assert_eq!(scene.service.count(&bob.subscription), pushes);
    }
}

#[test]
fn a_page_that_takes_a_call_up_again_wakes_nobody() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));
    let mut again = invite("000000000000002f");
    again["Location"] =
        json!(format!("https://x.org/conference?data.path=sessions/c1&again={INVITE}"));

    let (status, refusal) = scene.send(&alice, &bob.address, again);
    scene.send(&alice, BOB, invite(INVITE));

    assert_eq!((status, &refusal["error"]), (404, &json!("not-reachable")));
    assert_eq!(
        scene.opened(&bob, 0)["data"]["ReqId"],
        INVITE,
        "the first that arrives is the other"
    );
}

#[test]
fn all_devices_are_woken_at_once() {
    let scene = Scene::new();
    let alice = scene.sleeper(ALICE);
    let bobs: Vec<_> = (0..24).map(|_| scene.sleeper(BOB)).collect();
    scene.service.wait_for(bobs.len());

    let sent = scene.send(&alice, BOB, invite(INVITE));

    assert_eq!(sent, (200, json!({ "count": bobs.len() })));
    assert_eq!(scene.service.refusals(), [""; 0]);
}

#[test]
fn who_is_gone_is_forgotten_and_the_sender_hears_which_it_was() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));
    scene.service.forget(&bob.subscription);

    let (status, refusal) = scene.send(&alice, BOB, invite(INVITE));
    let (_, again) = scene.send(&alice, BOB, invite(INVITE));

    assert_eq!((status, &refusal["error"]), (404, &json!("not-reachable")));
    let instance = bob.address.split('/').nth(1);
    assert_eq!(refusal["contacts"], json!([{ "instance": instance, "error": "gone" }]));
    assert_eq!(again.get("contacts"), None, "it is not asked again");
    assert_eq!(scene.service.connections(), 1);
}

#[test]
fn a_subscription_that_the_service_never_heard_of_is_forgotten_too() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));
    scene.service.answer_next(404, None);

    let (status, refusal) = scene.send(&alice, BOB, invite(INVITE));
    let (_, again) = scene.send(&alice, BOB, invite(INVITE));

    assert_eq!((status, &refusal["contacts"][0]["error"]), (404, &json!("gone")));
    assert_eq!(again.get("contacts"), None, "it is not asked again");
    assert_eq!(scene.service.connections(), 1);
    drop(bob);
}

#[test]
fn a_service_that_is_busy_is_asked_again_when_it_said() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));
    scene.service.answer_next(429, Some(1));
    scene.service.answer_next(503, Some(2));

    let sent = scene.send(&alice, BOB, invite(INVITE));

    assert_eq!(sent, (200, json!({ "count": 1 })));
    assert_eq!(scene.service.connections(), 3);
    let ttl = scene.service.push(&bob.subscription, 0).ttl;
    assert!(ttl <= 42, "some of the ring is over: {ttl}");
}

#[test]
fn a_service_that_is_busy_for_longer_than_it_rings_is_given_up() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));
    scene.service.answer_next(429, Some(3_600));

    let (status, refusal) = scene.send(&alice, BOB, invite(INVITE));

    assert_eq!((status, &refusal["contacts"][0]["error"]), (404, &json!("busy")));
    assert_eq!(scene.service.connections(), 1);
    assert_eq!(scene.send(&alice, BOB, invite(INVITE)).0, 200, "it is not forgotten");
    drop(bob);
}

#[test]
fn who_asks_not_to_be_woken_any_more_is_not() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));

    let off = json!({ "contact": "live", "wake": "" });
    assert_eq!(scene.hullo.ask_as(&bob.token, "PUT", "/contacts", &off).0, 200);

    assert_eq!(scene.send(&alice, BOB, invite(INVITE)).0, 404);
    assert_eq!(scene.service.connections(), 0);
}

#[test]
fn what_no_service_worker_could_show_wakes_nobody() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));

    let (status, refusal) = scene.send(&alice, BOB, json!({ "method": "HELLO" }));

    assert_eq!((status, &refusal["contacts"][0]["error"]), (404, &json!("refused")));
    assert_eq!(scene.service.count(&bob.subscription), 0);
}
