//! Being rung while every page is closed: through a push service, by the real service worker.

use tests::push::{PushService, Subscription};
use tests::{Person, Screen, eventually};

use crate::house::{ALICE, BOB, Guest, House};
use crate::looks::check;
use crate::on_both_screens;

on_both_screens!(
    a_closed_browser_rings_and_its_person_declines_without_opening_it,
    a_closed_browser_rings_and_its_person_answers,
    a_call_that_was_given_up_leaves_a_missed_one_in_its_place,
    who_logs_out_is_rung_no_more,
    who_turns_it_off_is_rung_only_while_a_page_is_open,
    a_browser_that_renews_its_subscription_is_rung_by_the_new_one,
    who_is_blocked_rings_no_more_until_unblocked,
);

/// What the service worker left for the next page.
const NOTES: &str = "caches.open('hullo-notes').then(async (notes) =>
    Promise.all((await notes.keys()).map(async (key) => (await notes.match(key)).text())))";

const SWITCH: &str = "Ring when this page is closed";

fn a_closed_browser_rings_and_its_person_declines_without_opening_it(screen: Screen) {
    let scene = Scene::new(screen);
    let alice = scene.house.guest(ALICE);
    let worker = scene.bob.worker(&scene.house.server.origin);
    worker.stop();

    let hers = alice.dials(BOB);
    hers.reads("Calling");
    worker.deliver(&scene.opened(0));

    hers.reads("Ringing");
    let shown = worker.shows("alice@example.com is calling");
    assert_eq!(shown.buttons, ["Answer", "Decline"]);
    worker.press(&shown, "decline");
    hers.reads("declined the call");
    assert!(worker.notifications().iter().all(|one| one.title != shown.title));
    assert_eq!(scene.bob.tabs(&scene.house.server.origin), 0, "the page is closed all the while");
}

fn a_closed_browser_rings_and_its_person_answers(screen: Screen) {
    let scene = Scene::new(screen);
    let alice = scene.house.guest(ALICE);
    let worker = scene.bob.worker(&scene.house.server.origin);
    let hers = alice.dials(BOB);
    worker.deliver(&scene.opened(0));
    hers.reads("Ringing");
    let shown = worker.shows("alice@example.com is calling");

    let address = worker.press(&shown, "answer").opened();
    let app = scene.bob.open(&address);

    // Nobody pressed anything in that page, so the browser gives it no tab, and the call is inside of it.
    app.sees_and_hears(1);
    hers.sees_and_hears(1);
}

fn a_call_that_was_given_up_leaves_a_missed_one_in_its_place(screen: Screen) {
    let scene = Scene::new(screen);
    let alice = scene.house.guest(ALICE);
    let worker = scene.bob.worker(&scene.house.server.origin);
    let hers = alice.dials(BOB);
    worker.deliver(&scene.opened(0));
    hers.reads("Ringing");
    let ringing = worker.shows("alice@example.com is calling");

    hers.press("Cancel");
    worker.deliver(&scene.opened(1));

    let missed = worker.shows("Missed call from alice@example.com");
    assert_eq!(missed.tag, ringing.tag);
    assert_eq!(worker.notifications().len(), 1, "it took the place of the other");
    let topics = [0, 1].map(|number| scene.service.push(&scene.subscription, number).topic);
    assert_eq!(topics[0], topics[1], "and would have before it was delivered");
    assert!(worker.press(&missed, "").opened().ends_with("#back=alice@example.com"));
    // The next page has it in its list, and takes the note of the worker for it.
    let beside = scene.bob.open(&format!("{}/healthz", scene.house.server.origin));
    let notes = || beside.evaluate(NOTES).expect("it runs").to_string();
    assert!(notes().starts_with(r#"["alice@example.com missed "#), "{}", notes());
    let app = scene.bob.open(&scene.house.server.origin);
    app.find("list", "Recent");
    app.reads("Missed, ");
    app.find("button", "Block alice@example.com");
    eventually("the note is taken", || (notes() == "[]").then_some(()));
}

fn who_logs_out_is_rung_no_more(screen: Screen) {
    let scene = Scene::new(screen);
    let alice = scene.house.guest(ALICE);
    let app = scene.bob.open(&scene.house.server.origin);
    app.reads("also rings when this page is closed");

    app.press("Log out");
    app.find("textbox", "Access token");
    let hers = alice.dials(BOB);

    hers.reads("not logged in");
    assert_eq!(scene.service.count(&scene.subscription), 0);
}

fn who_turns_it_off_is_rung_only_while_a_page_is_open(screen: Screen) {
    let scene = Scene::new(screen);
    let alice = scene.house.guest(ALICE);
    let app = scene.bob.open(&scene.house.server.origin);

    app.press("Ring only while this page is open");

    app.find("button", SWITCH);
    let hers = alice.dials(BOB);
    app.find("alertdialog", "Incoming call from alice@example.com");
    hers.press("Cancel");
    app.loses("alertdialog", "Incoming call from alice@example.com");
    assert_eq!(scene.service.count(&scene.subscription), 0);
    app.reload();
    app.find("button", SWITCH);
}

fn a_browser_that_renews_its_subscription_is_rung_by_the_new_one(screen: Screen) {
    let scene = Scene::new(screen);
    let alice = scene.house.guest(ALICE);
    let worker = scene.bob.worker(&scene.house.server.origin);
    let renewed = scene.service.subscribe(&scene.key);

    worker.renew(&renewed.json());

    let hers = alice.dials(BOB);
    let push = scene.service.push(&renewed, 0);
    worker.deliver(&renewed.open(&push.body).expect("it is sealed for the new one"));
    hers.reads("Ringing");
    worker.shows("alice@example.com is calling");
    assert_eq!(scene.service.count(&scene.subscription), 0);
}

fn who_is_blocked_rings_no_more_until_unblocked(screen: Screen) {
    let house = House::new(screen);
    let (alice, bob) = (house.guest(ALICE), house.guest(BOB));
    let hers = alice.dials(BOB);
    bob.is_rung_by(ALICE);

    bob.app.press("Decline and block");

    hers.reads("declined the call");
    bob.app.find("button", "Unblock alice@example.com");
    check(&bob.app, screen, "blocked");
    hers.press("Try again");
    hers.reads("not logged in anywhere");
    bob.app.press("Unblock alice@example.com");
    bob.app.loses("button", "Unblock alice@example.com");
    hers.press("Try again");
    bob.is_rung_by(ALICE);
    // Who stands in the list of recent calls can be blocked when nobody rings.
    bob.app.press("Decline");
    bob.is_rung_no_more_by(ALICE);
    bob.dials(ALICE).press("Cancel");
    bob.app.find("button", "Block alice@example.com");
    check(&bob.app, screen, "recent");
    bob.app.press("Block alice@example.com");
    bob.app.find("button", "Unblock alice@example.com");
    bob.app.loses("button", "Block alice@example.com");
}

/// Bob has turned on ringing, and closed every page.
struct Scene {
    house: House,
    service: PushService,
    subscription: Subscription,
    /// What the server is known by.
    key: String,
    bob: Person,
}

impl Scene {
    fn new(screen: Screen) -> Self {
        let service = PushService::start();
        let house = House::with(screen, &service);
        let Guest { person: bob, app } = house.guest(BOB);
        let bearer = format!("Bearer {}", house.server.new_token(BOB));
        let (_, told) = house.server.ask("/contacts", &[("authorization", &bearer)]);
        let told: serde_json::Value =
            serde_json::from_str(&told).expect("the server tells its key");
        let key = told["vapidkey"].as_str().expect("a text").to_owned();
        let subscription = service.subscribe(&key);
        bob.subscribe(&house.server.origin, &subscription.json());
        app.close();

        let app = bob.open(&house.server.origin);
        app.find("button", SWITCH);
        check(&app, screen, "waking-off");
        app.press(SWITCH);
        app.reads("also rings when this page is closed");
        check(&app, screen, "waking-on");
        app.close();
        Self { house, service, subscription, key, bob }
    }

    /// What came for the browser, as it would hand it to the service worker.
    fn opened(&self, number: usize) -> String {
        let push = self.service.push(&self.subscription, number);
        self.subscription.open(&push.body).expect("it is sealed for this browser")
    }
}
