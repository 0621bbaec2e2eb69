//! A page that is loaded again in a call is back in it, as who it was, and nobody has to answer again.

use tests::Screen;

use crate::house::{ALICE, BOB, House, lists, open_chat, say};

#[test]
fn who_loads_the_page_again_is_back_and_what_it_said_stays() {
    // On a phone the call is inside the call app, which is loaded again with it and begins anew.
    let house = House::new(Screen::Desktop);
    let talk = house.call();
    say(&talk.his, "Written before");
    open_chat(&talk.hers);
    talk.hers.reads("Written before");

    talk.his.reload();

    for (page, other) in [(&talk.his, ALICE), (&talk.hers, BOB)] {
        page.find("group", other);
        page.sees_and_hears(1);
        lists(page, &[ALICE, BOB]);
    }
    open_chat(&talk.his);
    talk.his.reads("Written before");
    say(&talk.his, "Written after");
    open_chat(&talk.hers);
    talk.hers.reads("Written after");
    talk.hers.reads("Written before");
}
