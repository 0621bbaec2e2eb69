//! Several devices of one person, and devices that are refused or absent.

use tests::{Browser, Devices, Screen};

use crate::house::{ALICE, BOB, House, open_chat, say};
use crate::on_both_screens;

on_both_screens!(
    all_browsers_of_a_person_ring_and_one_answers,
    a_call_declined_on_one_browser_stops_ringing_on_the_other,
    a_refused_camera_and_microphone_leave_the_rest_of_the_call,
    without_any_device_one_still_sees_hears_and_writes,
);

fn all_browsers_of_a_person_ring_and_one_answers(screen: Screen) {
    let house = House::new(screen);
    let alice = house.guest(ALICE);
    let (desk, couch) = (house.guest(BOB), house.guest(BOB));
    let hers = alice.dials(BOB);
    hers.reads("Ringing on 2 devices");
    couch.is_rung_by(ALICE);

    let his = desk.answers(ALICE);

    couch.is_rung_no_more_by(ALICE);
    couch.app.reads("nswered");
    couch.app.reads("another device");
    his.sees_and_hears(1);
    hers.sees_and_hears(1);
}

fn a_call_declined_on_one_browser_stops_ringing_on_the_other(screen: Screen) {
    let house = House::new(screen);
    let alice = house.guest(ALICE);
    let (desk, couch) = (house.guest(BOB), house.guest(BOB));
    let hers = alice.dials(BOB);
    desk.is_rung_by(ALICE);
    couch.is_rung_by(ALICE);

    desk.app.press("Decline");

    couch.is_rung_no_more_by(ALICE);
    couch.app.reads("another device");
    hers.reads("declined the call");
}

fn a_refused_camera_and_microphone_leave_the_rest_of_the_call(screen: Screen) {
    let house = House::new(screen);
    let (alice, bob) = (house.guest(ALICE), house.guest(BOB));
    alice.person.refuse_devices(&house.server.origin);

    let hers = alice.dials(BOB);
    let his = bob.answers(ALICE);

    hers.reads("Your browser blocks the camera and the microphone for this site.");
    hers.find("button", "Try again");
    hers.sees_and_hears(1);
    his.find("group", ALICE);
    his.reads("camera off");
    say(&hers, "I can only write");
    open_chat(&his);
    his.reads("I can only write");
}

fn without_any_device_one_still_sees_hears_and_writes(screen: Screen) {
    let house = House::new(screen);
    let bare = Browser::start(Devices::None).expect("a second browser starts");
    let (alice, bob) = (house.guest(ALICE), house.guest_at(&bare, BOB));

    let hers = alice.dials(BOB);
    let his = bob.answers(ALICE);

    his.reads("No camera and no microphone found.");
    his.sees_and_hears(1);
    hers.reads("camera off");
    say(&his, "Nothing plugged in here");
    open_chat(&hers);
    hers.reads("Nothing plugged in here");
}
