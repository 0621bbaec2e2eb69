//! Calls that come to nothing, each with its words on both sides.

use std::time::Duration;

use tests::Screen;

use crate::house::{ALICE, BOB, House};
use crate::on_both_screens;

on_both_screens!(
    a_declined_call_says_so,
    a_cancelled_call_is_a_missed_one,
    an_unknown_address_is_named,
    who_is_logged_in_nowhere_cannot_be_rung,
    what_is_no_address_is_not_called,
);

/// The ring time and what a busy machine adds.
const RING: Duration = Duration::from_secs(70);

fn a_declined_call_says_so(screen: Screen) {
    let house = House::new(screen);
    let (alice, bob) = (house.guest(ALICE), house.guest(BOB));
    let hers = alice.dials(BOB);
    bob.is_rung_by(ALICE);

    bob.app.press("Decline");

    bob.is_rung_no_more_by(ALICE);
    hers.reads("declined the call");
    hers.find("button", "Try again");
    hers.find("button", "Close");
    hers.press("Try again");
    bob.is_rung_by(ALICE);
}

fn a_cancelled_call_is_a_missed_one(screen: Screen) {
    let house = House::new(screen);
    let (alice, bob) = (house.guest(ALICE), house.guest(BOB));
    let hers = alice.dials(BOB);
    bob.is_rung_by(ALICE);

    hers.press("Cancel");

    bob.is_rung_no_more_by(ALICE);
    bob.app.reads("Missed call from");
    bob.app.find("button", "Call back");
    // Whoever cancels has nothing to read about it.
    match screen {
        Screen::Desktop => hers.closes(),
        Screen::Phone => hers.loses("region", &format!("Calling {BOB}")),
    }
}

#[test]
fn nobody_answers_in_time() {
    // Both screens ring at once: that takes long enough.
    let stories = [Screen::Desktop, Screen::Phone].map(|screen| {
        let house = House::new(screen);
        let (alice, bob) = (house.guest(ALICE), house.guest(BOB));
        let hers = alice.dials(BOB);
        bob.is_rung_by(ALICE);
        (house, alice, bob, hers)
    });

    for (_house, _alice, bob, hers) in &stories {
        hers.reads_within(RING, "No answer.");
        hers.find("button", "Try again");
        bob.is_rung_no_more_by(ALICE);
        bob.app.reads("Missed call from");
    }
}

fn an_unknown_address_is_named(screen: Screen) {
    let house = House::new(screen);
    let alice = house.guest(ALICE);

    let hers = alice.dials("bbo@example.com");

    hers.reads("Nobody here has the address bbo@example.com");
    hers.press("Close");
    alice.app.find("textbox", "Address");
}

fn who_is_logged_in_nowhere_cannot_be_rung(screen: Screen) {
    let house = House::new(screen);
    let alice = house.guest(ALICE);

    let hers = alice.dials(BOB);

    hers.reads("not logged in anywhere right now");
    hers.find("button", "Try again");
    hers.press("Close");
    alice.app.find("textbox", "Address");
}

fn what_is_no_address_is_not_called(screen: Screen) {
    let house = House::new(screen);
    let alice = house.guest(ALICE);

    alice.app.fill("Address", "bob smith");
    alice.app.press("Call");

    alice.app.reads("no spaces");
    assert_eq!(alice.person.tabs("/wrapper"), 0);
}
