//! A third person is rung from within the call.

use tests::{Page, Screen};

use crate::house::{ALICE, BOB, CAROL, House, lists, open_chat, say};
use crate::looks::check;
use crate::on_both_screens;

on_both_screens!(the_caller_rings_a_third, the_callee_rings_a_third, the_host_removes_a_third,);

fn the_caller_rings_a_third(screen: Screen) {
    let house = House::new(screen);
    let carol = house.newcomer(CAROL);
    let talk = house.call();

    invite(&talk.hers, CAROL);

    let theirs = carol.answers(ALICE);
    all_meet(&talk.hers, &talk.his, &theirs);
}

fn the_callee_rings_a_third(screen: Screen) {
    let house = House::new(screen);
    let carol = house.newcomer(CAROL);
    let talk = house.call();

    invite(&talk.his, CAROL);

    let theirs = carol.answers(BOB);
    all_meet(&talk.hers, &talk.his, &theirs);
    // She has not invited her, and knows all the same that she is here.
    invite(&talk.hers, CAROL);
    talk.hers.reads(&format!("{CAROL} is in this call already."));
}

fn the_host_removes_a_third(screen: Screen) {
    let house = House::new(screen);
    let carol = house.newcomer(CAROL);
    let talk = house.call();
    invite(&talk.his, CAROL);
    let theirs = carol.answers(BOB);
    all_meet(&talk.hers, &talk.his, &theirs);

    talk.hers.press("People");
    talk.hers.press(&format!("Remove {CAROL}"));
    talk.hers.press(&format!("Yes, remove {CAROL}"));

    theirs.reads("You were removed from the call");
    check(&theirs, screen, "removed");
    for page in [&talk.hers, &talk.his] {
        lists(page, &[ALICE, BOB]);
        page.sees_and_hears(1);
        open_chat(page);
        page.reads(&format!("{CAROL} was removed from the call."));
        page.reads("Three of us");
        page.forgets("At last");
    }
}

/// Rings somebody from within the call.
pub(crate) fn invite(page: &Page, user: &str) {
    page.press("Invite");
    page.fill("Address", user);
    page.press("Call");
}

/// All three see and hear two others, are in one roster, and read what each says.
pub(crate) fn all_meet(hers: &Page, his: &Page, theirs: &Page) {
    for page in [hers, his, theirs] {
        page.sees_and_hears(2);
        lists(page, &[ALICE, BOB, CAROL]);
    }
    say(hers, "Three of us");
    say(theirs, "At last");
    for page in [hers, his, theirs] {
        open_chat(page);
        page.reads("Three of us");
        page.reads("At last");
    }
}
