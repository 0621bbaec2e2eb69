//! A page that is loaded again in a call is back in it, as who it was, and nobody has to answer again.

use tests::Screen;

use crate::group::{all_meet, invite};
use crate::house::{ALICE, BOB, CAROL, House, lists, open_chat, say};
use crate::looks::check;
use crate::on_both_screens;

on_both_screens!(who_loads_the_page_again_is_back_and_what_it_said_stays, yesterdays_call_is_over);

// On a phone the call is inside the call app, which is loaded again with it.
fn who_loads_the_page_again_is_back_and_what_it_said_stays(screen: Screen) {
    let house = House::new(screen);
    let talk = house.call();
    say(&talk.his, "Written before");
    open_chat(&talk.hers);
    talk.hers.reads("Written before");

    // The second time is no harder than the first.
    for _ in 0..3 {
        talk.his.reload();
        for (page, other) in [(&talk.his, ALICE), (&talk.hers, BOB)] {
            page.find("group", other);
            page.sees_and_hears(1);
            lists(page, &[ALICE, BOB]);
        }
    }
    open_chat(&talk.his);
    talk.his.reads("Written before");
    say(&talk.his, "Written after");
    open_chat(&talk.hers);
    talk.hers.reads("Written after");
    talk.hers.reads("Written before");
}

fn yesterdays_call_is_over(screen: Screen) {
    let house = House::new(screen);
    let talk = house.call();
    let kept = talk.his.evaluate("JSON.stringify({ ...sessionStorage })").expect("a tab tells");
    let url = talk.his.url();
    talk.his.close();
    let later = talk.bob.person.open(&house.server.origin);
    // A browser brings tabs back with all that they remember.
    let remember = format!(
        "Object.assign(sessionStorage, JSON.parse({kept}),
           {{ 'hullo.window.seen': (Date.now() - 600_001).toString(16) }}) && 0"
    );
    later.evaluate(&remember).expect("a tab remembers");

    later.go(&url);

    match screen {
        Screen::Desktop => later.reads("There is no call here any more"),
        Screen::Phone => drop(later.find("button", "Call")),
    }
}

#[test]
fn who_loads_the_page_again_is_back_also_when_the_one_who_invited_it_has_left() {
    let house = House::new(Screen::Desktop);
    let carol = house.newcomer(CAROL);
    let talk = house.call();
    invite(&talk.his, CAROL);
    let theirs = carol.answers(BOB);
    all_meet(&talk.hers, &talk.his, &theirs);
    talk.his.press("Leave");
    lists(&theirs, &[ALICE, CAROL]);

    theirs.reload();

    for (page, other) in [(&theirs, ALICE), (&talk.hers, CAROL)] {
        page.find("group", other);
        page.sees_and_hears(1);
        lists(page, &[ALICE, CAROL]);
    }
    open_chat(&theirs);
    theirs.reads("At last");
}

#[test]
fn a_copy_of_the_tab_sends_back_to_it_and_leaves_the_call_alone() {
    let house = House::new(Screen::Desktop);
    let talk = house.call();
    // A browser that doubles a tab doubles what the tab remembers.
    let kept = talk.his.evaluate("JSON.stringify({ ...sessionStorage })").expect("a tab tells");
    let copy = talk.bob.person.open(&house.server.origin);
    copy.evaluate(&format!("Object.assign(sessionStorage, JSON.parse({kept})) && 0"))
        .expect("a tab remembers");

    copy.go(&talk.his.url());

    copy.reads("This call is open in another tab");
    check(&copy, Screen::Desktop, "copied-tab");
    say(&talk.his, "Written after");
    open_chat(&talk.hers);
    talk.hers.reads("Written after");
    for (page, other) in [(&talk.his, ALICE), (&talk.hers, BOB)] {
        page.find("group", other);
        page.sees_and_hears(1);
        lists(page, &[ALICE, BOB]);
    }
    // Nor does it stand in the way when that tab comes back.
    talk.his.reload();
    talk.his.find("group", ALICE);
    talk.his.sees_and_hears(1);
    // What it remembered it has forgotten, so the copy does not take the call over later.
    talk.his.close();
    copy.reload();
    copy.reads("There is no call here any more");
}
