//! The server, or the connection between two, goes away in the middle of a call, and comes back.

use tests::Screen;

use crate::group::invite;
use crate::house::{ALICE, BOB, CAROL, House, lists, open_chat, say};
use crate::on_both_screens;
use crate::six::{break_links, has_links};

on_both_screens!(a_killed_server_does_not_end_a_call, a_connection_that_breaks_is_made_anew);

const NOTE: &str = "The server cannot be reached";

fn a_killed_server_does_not_end_a_call(screen: Screen) {
    let mut house = House::new(screen);
    let carol = house.newcomer(CAROL);
    let talk = house.call();
    talk.hers.sees_and_hears(1);

    house.server.kill();

    for page in [&talk.hers, &talk.his] {
        page.reads(NOTE);
        page.sees_and_hears(1);
    }
    say(&talk.hers, "Nobody between us");
    open_chat(&talk.his);
    talk.his.reads("Nobody between us");

    house.server.restart();

    for page in [&talk.hers, &talk.his] {
        page.forgets(NOTE);
    }
    // It is really back: somebody can be rung, who has found it again too.
    carol.app.forgets("The server is away");
    invite(&talk.hers, CAROL);
    let theirs = carol.answers(ALICE);
    theirs.sees(2);
    lists(&theirs, &[ALICE, BOB, CAROL]);
    assert!(house.server.stop(), "asked to stop, it goes in peace");
}

fn a_connection_that_breaks_is_made_anew(screen: Screen) {
    let house = House::new(screen);
    let talk = house.call();
    talk.hers.sees_and_hears(1);
    say(&talk.his, "Before the break");

    assert!(break_links(&talk.hers, 0) > 0, "there is a connection to break");

    // Its own links are closed under her page, which is not told; his hears of it.
    for page in [&talk.hers, &talk.his] {
        has_links(page, 1);
        page.sees_and_hears(1);
        lists(page, &[ALICE, BOB]);
    }
    say(&talk.hers, "After the break");
    open_chat(&talk.his);
    talk.his.reads("After the break");
    talk.his.reads("Before the break");
}
