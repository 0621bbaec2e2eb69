//! Whoever rings too often, or is not wanted, wakes nobody.

use serde_json::json;

use crate::harness::{ALICE, BOB, INVITE, Scene, cancel, invite};

#[test]
fn who_is_blocked_finds_nobody_there() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));
    let block = json!({ "block": [ALICE] });
    let (status, rules) = scene.hullo.ask_as(&bob.token, "PUT", "/contacts/rules", &block);
    assert_eq!((status, rules), (200, json!({ "ring": "everybody", "blocked": [ALICE] })));

    let (status, refusal) = scene.send(&alice, BOB, invite(INVITE));

    assert_eq!((status, &refusal["error"]), (404, &json!("not-reachable")));
    assert_eq!(scene.service.connections(), 0);
    scene.hullo.ask_as(&bob.token, "PUT", "/contacts/rules", &json!({ "unblock": [ALICE] }));
    assert_eq!(scene.send(&alice, BOB, invite(INVITE)).0, 200);
}

#[test]
fn strangers_do_not_ring_where_only_those_known_may() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));
    scene.hullo.ask_as(&bob.token, "PUT", "/contacts/rules", &json!({ "ring": "known" }));

    let (status, refusal) = scene.send(&alice, BOB, invite(INVITE));
    assert_eq!((status, &refusal["error"]), (403, &json!("stranger")));

    // Bob calls her, and so knows her from then on.
    assert_eq!(scene.send(&bob, ALICE, invite("000000000000002f")).0, 200);
    assert_eq!(scene.send(&alice, BOB, invite(INVITE)).0, 200);
}

#[test]
fn one_who_rings_without_end_wakes_only_so_often_and_others_still_do() {
    let scene = Scene::new();
    let (mallory, carol) = (scene.sleeper("mallory@example.com"), scene.sleeper(ALICE));
    let bob = scene.sleeper(BOB);

    let mut refused = None;
    for n in 0..60 {
        let id = format!("{n:016x}");
        let (status, refusal) = scene.send(&mallory, BOB, invite(&id));
        scene.send(&mallory, BOB, cancel(&id));
        if status != 200 {
            refused = Some((status, refusal));
            break;
        }
    }

    let (status, refusal) = refused.expect("sixty in a row are too many");
    assert_eq!((status, &refusal["contacts"][0]["error"]), (404, &json!("too-many")));
    assert!(scene.service.count(&bob.subscription) <= 2 * 21);
    assert_eq!(scene.send(&carol, BOB, invite(INVITE)).0, 200);
}

#[test]
fn one_invite_that_is_repeated_wakes_once() {
    let scene = Scene::new();
    let (alice, bob) = (scene.sleeper(ALICE), scene.sleeper(BOB));

    for _ in 0..10 {
        assert_eq!(scene.send(&alice, BOB, invite(INVITE)), (200, json!({ "count": 1 })));
    }

    assert_eq!(scene.service.count(&bob.subscription), 1);
}
