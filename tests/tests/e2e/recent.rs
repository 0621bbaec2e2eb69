//! The list `Recent`: who called in vain stands there too; and a page that stays open says each day that it is there.

use tests::push::PushService;
use tests::{Page, Screen, eventually};

use crate::house::{ALICE, BOB, CAROL, House};
use crate::looks::check;
use crate::on_both_screens;

on_both_screens!(
    who_was_missed_or_declined_stands_in_the_list_and_is_blocked_there,
    a_page_that_stays_open_registers_once_each_day,
);

fn who_was_missed_or_declined_stands_in_the_list_and_is_blocked_there(screen: Screen) {
    let house = House::new(screen);
    let (alice, carol, bob) = (house.guest(ALICE), house.newcomer(CAROL), house.guest(BOB));
    let hers = alice.dials(BOB);
    bob.is_rung_by(ALICE);
    bob.app.press("Decline");
    hers.reads("declined the call");
    let theirs = carol.dials(BOB);
    bob.is_rung_by(CAROL);
    theirs.press("Cancel");
    bob.app.reads("Missed call from carol@example.com");
    bob.app.press("Dismiss");

    bob.app.find("list", "Recent");
    bob.app.reads("Declined, ");
    bob.app.reads("Missed, ");
    check(&bob.app, screen, "recent-in-vain");
    // A page that is loaded later reads the same.
    bob.app.reload();
    bob.app.reads("Declined, ");
    bob.app.reads("Missed, ");
    bob.app.press("Block carol@example.com");
    bob.app.find("button", "Unblock carol@example.com");

    carol.dials(BOB).reads("not logged in anywhere");
    // Whom one calls back was not missed any more.
    let his = bob.dials(ALICE);
    alice.is_rung_by(BOB);
    his.press("Cancel");
    bob.app.forgets("Declined, ");
    bob.app.reads("Missed, ");
}

fn a_page_that_stays_open_registers_once_each_day(screen: Screen) {
    let service = PushService::start();
    let house = House::with(screen, &service);
    let bob = house.guest(BOB);
    let other = bob.person.open(&house.server.origin);
    other.find("textbox", "Address");
    for page in [&bob.app, &other] {
        // That is known when it has registered for this visit.
        page.find("button", "Ring when this page is closed");
        page.evaluate(CLOCK).expect("it runs");
    }

    // Half a day later nothing is due; a whole day later it is, in one page for both.
    pass(&other, 12);
    pass(&bob.app, 24);
    registered(&bob.app, 1);
    eventually("word of it at the other page", || {
        let heard = other.evaluate("window.heard").expect("it runs");
        heard.as_str().is_some_and(|heard| heard.contains("Registered")).then_some(())
    });
    pass(&bob.app, 0);
    pass(&other, 13);
    pass(&bob.app, 23);
    pass(&other, 11);
    registered(&other, 1);
    registered(&bob.app, 1);
}

/// Counts what the page registers, listens to what the other one says, and lets hours pass as told.
const CLOCK: &str = "(() => {
    window.registered = 0;
    const ask = window.fetch;
    window.fetch = async (url, how) => {
        const answer = await ask(url, how);
        window.registered += how?.method === 'PUT' && String(url).endsWith('contacts') && answer.ok;
        return answer;
    };
    new BroadcastChannel('hullo').onmessage = (event) => (window.heard = JSON.stringify(event.data));
    const clock = performance.now.bind(performance);
    let passed = 0;
    performance.now = () => clock() + passed;
    window.pass = (hours) => (passed += hours * 3_600_000);
})()";

/// Hours pass, and the page looks at its clock: browsers hold timers back, so each turn does.
fn pass(page: &Page, hours: u32) {
    page.evaluate(&format!("window.pass({hours})")).expect("it runs");
    page.fill("Topic", "");
    page.fill("Address", "somebody");
}

/// It has registered so often by now.
fn registered(page: &Page, times: u64) {
    eventually("it registers", || {
        let count = page.evaluate("window.registered").expect("it runs").as_u64()?;
        assert!(count <= times, "{count} times");
        (count == times).then_some(())
    });
}
