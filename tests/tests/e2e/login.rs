//! Logging in, staying so, logging out.

use tests::Screen;

use crate::house::{ALICE, CAROL, House};
use crate::on_both_screens;

on_both_screens!(
    a_link_logs_a_browser_in_and_it_stays_so,
    a_token_logs_in_and_out_again,
    a_dead_link_says_what_to_do
);

fn a_link_logs_a_browser_in_and_it_stays_so(screen: Screen) {
    let house = House::new(screen);
    let alice = house.guest(ALICE);
    assert!(!alice.app.url().contains("code="), "the link's code does not stay in the address");

    alice.app.reload();

    alice.app.find("textbox", "Address");
    alice.app.reads(ALICE);
    alice.person.assert_calm(&house.server.origin);
}

fn a_token_logs_in_and_out_again(screen: Screen) {
    let house = House::new(screen);
    let carol = house.newcomer(CAROL);
    carol.app.reads(CAROL);

    carol.app.press("Log out");

    carol.app.find("textbox", "Access token");
    carol.app.reload();
    carol.app.find("textbox", "Access token");
}

fn a_dead_link_says_what_to_do(screen: Screen) {
    let house = House::new(screen);
    let stranger = house.stranger();

    let page = stranger.open(&format!("{}/#code=0123456789abcdefghijkl", house.server.origin));

    page.find("textbox", "Access token");
    page.reads("not valid any more");
}
