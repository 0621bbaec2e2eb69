//! A call from the first key to the last word.

use tests::{Screen, eventually};

use crate::house::{ALICE, BOB, House, lists, open_chat, say};
use crate::on_both_screens;

on_both_screens!(
    two_people_see_hear_and_write_to_each_other,
    the_caller_reads_how_the_call_stands,
    the_controls_work_and_are_told_to_the_other,
    keys_work_from_the_first_moment,
    who_leaves_is_gone_for_the_other,
);

fn two_people_see_hear_and_write_to_each_other(screen: Screen) {
    let house = House::new(screen);

    let talk = house.call();

    talk.hers.sees_and_hears(1);
    talk.his.sees_and_hears(1);
    lists(&talk.hers, &[ALICE, BOB]);
    lists(&talk.his, &[ALICE, BOB]);
    say(&talk.hers, "Can you hear me?");
    open_chat(&talk.his);
    talk.his.reads("Can you hear me?");
    say(&talk.his, "Loud and <b>clear</b>");
    talk.hers.reads("Loud and <b>clear</b>");
    for guest in [&talk.alice, &talk.bob] {
        guest.person.assert_calm(&house.server.origin);
    }
    let answered = match screen {
        Screen::Desktop => talk.bob.app.answered_at(),
        Screen::Phone => talk.his.answered_at(),
    };
    let waited = [&talk.his, &talk.hers].map(|page| page.pictured_at() - answered);
    println!(
        "Answer to first remote frame on {screen:?}: callee {:.0} ms, caller {:.0} ms",
        waited[0], waited[1]
    );
    assert!(waited[0] < 10_000.0, "the callee waited {waited:?} ms for a picture");
}

fn the_caller_reads_how_the_call_stands(screen: Screen) {
    let house = House::new(screen);
    let (alice, bob) = (house.guest(ALICE), house.guest(BOB));

    let hers = alice.dials(BOB);

    hers.find("region", &format!("Calling {BOB}"));
    hers.find("button", "Cancel");
    hers.reads("Ringing");
    eventually("her own picture", || {
        let own = hers.evaluate("[...document.querySelectorAll('iframe')].some(function shows(frame) {
            const inner = frame.contentDocument;
            return inner && ([...inner.querySelectorAll('video')].some((video) => video.videoWidth > 0 && video.clientWidth > 200)
                || [...inner.querySelectorAll('iframe')].some(shows));
        })");
        own.ok().filter(|shown| shown == true)
    });
    bob.is_rung_by(ALICE);
    assert!(
        eventually("a title that rings", || Some(bob.app.title())
            .filter(|title| title.contains("calling")))
        .contains("alice")
    );
    let his = bob.answers(ALICE);
    his.find("group", ALICE);
    hers.loses("region", &format!("Calling {BOB}"));
}

fn the_controls_work_and_are_told_to_the_other(screen: Screen) {
    let house = House::new(screen);
    let talk = house.call();
    talk.hers.sees(1);
    assert_eq!(talk.his.find("button", "Microphone").pressed, Some(true));

    talk.his.press("Microphone");
    eventually("a muted microphone", || {
        (talk.his.find("button", "Microphone").pressed == Some(false)).then_some(())
    });
    talk.hers.reads("muted");
    talk.his.press("Microphone");
    talk.hers.forgets("muted");
    talk.hers.hears();

    talk.his.press("Camera");
    talk.hers.reads("camera off");
    talk.his.press("Camera");
    talk.hers.forgets("camera off");
    talk.hers.sees(1);

    open_chat(&talk.his);
    talk.his.fill("Message", "I am still writ");
    talk.his.press("People");
    talk.his.press("Chat");
    talk.hers.press("Chat");
    talk.hers.reads("is typing");
    talk.his.press("Send");
    talk.hers.forgets("is typing");
    talk.hers.reads("I am still writ");
}

fn keys_work_from_the_first_moment(screen: Screen) {
    let house = House::new(screen);
    let talk = house.call();
    talk.hers.sees(1);
    let turns = |name: &str, key: &str, on: bool| {
        talk.hers.key(key);
        eventually(&format!("{name} turned by {key}"), || {
            (talk.hers.find("button", name).pressed == Some(on)).then_some(())
        });
    };

    // Nobody has pressed anything in the conference yet.
    turns("Microphone", "m", false);
    talk.hers.press("Camera");
    turns("Camera", "v", true);

    // Whoever is here is not called; the keyboard comes back to where it was.
    talk.hers.press("Invite");
    talk.hers.fill("Address", BOB);
    talk.hers.press("Call");
    talk.hers.reads(&format!("{BOB} is in this call already."));
    talk.hers.key("Escape");
    talk.hers.loses("textbox", "Address");
    turns("Microphone", "m", true);
}

fn who_leaves_is_gone_for_the_other(screen: Screen) {
    let house = House::new(screen);
    let talk = house.call();

    talk.his.press("Leave");

    talk.hers.loses("group", BOB);
    talk.hers.reads("Everyone else has left.");
    talk.hers.reads(&format!("{BOB} left the call."));
    match screen {
        Screen::Desktop => talk.his.closes(),
        Screen::Phone => talk.his.loses("toolbar", "Call controls"),
    }
    // The page is as before: he can be called again.
    talk.bob.app.find("textbox", "Address");
    talk.hers.press("Leave");
    talk.alice.app.find("textbox", "Address");
}
