//! Every page in every state, for everybody: checked by axe in light, dark and forced colours, and pictured.

use tests::{Look, Page, Screen};

use crate::house::{ALICE, BOB, House, lists, say};
use crate::on_both_screens;

on_both_screens!(the_call_app_is_for_everybody, the_call_is_for_everybody);

fn the_call_app_is_for_everybody(screen: Screen) {
    let house = House::new(screen);
    let stranger = house.stranger();
    let page = stranger.open(&house.server.origin);
    page.find("textbox", "Access token");
    check(&page, screen, "logged-out");

    let (alice, bob) = (house.guest(ALICE), house.guest(BOB));
    check(&alice.app, screen, "logged-in");
    let hers = alice.dials(BOB);
    hers.reads("Ringing");
    bob.is_rung_by(ALICE);
    check(&hers, screen, "ringing-out");
    check(&bob.app, screen, "ringing-in");
    bob.app.press("Decline");
    hers.reads("declined");
    check(&hers, screen, "declined");
    hers.press("Try again");
    bob.is_rung_by(ALICE);
    hers.press("Cancel");
    bob.app.reads("Missed call");
    check(&bob.app, screen, "missed");
}

fn the_call_is_for_everybody(screen: Screen) {
    let house = House::new(screen);
    let talk = house.call();
    talk.hers.sees(1);
    check(&talk.hers, screen, "in-call");
    say(&talk.his, "Look, a link: https://example.com/");
    say(&talk.hers, "Seen.");
    talk.hers.reads("a link");
    check(&talk.hers, screen, "chat");
    lists(&talk.hers, &[ALICE, BOB]);
    check(&talk.hers, screen, "people");
    talk.hers.press("More");
    check(&talk.hers, screen, "more");
    talk.hers.press("More");
    talk.hers.press("Invite");
    talk.hers.find("textbox", "Address");
    check(&talk.hers, screen, "invite");
    talk.his.press("Leave");
    talk.hers.reads("Everyone else has left.");
    check(&talk.hers, screen, "alone-again");
}

/// The texts that stand in a column too narrow to read, letter below letter. What is a pixel wide is for screen readers.
const SQUEEZED: &str =
    "[...document.querySelectorAll('p, li, label, h1, h2, button')].filter((one) => {
    const width = one.getBoundingClientRect().width;
    return one.checkVisibility() && one.innerText.trim().length > 8 && width > 1 && width < 60;
}).map((one) => one.innerText).join(' | ')";

/// Checks a state in all colours and keeps pictures of it.
pub(crate) fn check(page: &Page, screen: Screen, state: &str) {
    let squeezed = page.evaluate(SQUEEZED).expect("it runs");
    assert_eq!(squeezed, "", "`{state}` squeezes texts");
    let size = match screen {
        Screen::Desktop => "1280x800",
        Screen::Phone => "390x844",
    };
    for (look, colours) in [(Look::Light, "light"), (Look::Dark, "dark"), (Look::Forced, "forced")]
    {
        page.show_as(look);
        page.screenshot(&format!("{state}-{size}-{colours}"));
        page.assert_accessible(&format!("`{state}` on {size} in {colours}"));
    }
}
