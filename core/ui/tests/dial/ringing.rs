//! Calling, and being called.

use std::time::Duration;

use call::State;
use ui::dial::{Effect, Event, Gesture};
use ui::wake::Opening;
use wire::InviteId;
use wire::invite::{CancelReason, Message, RejectReason};

use super::*;

#[test]
fn a_call_opens_a_wrapper_and_is_remembered() {
    let mut page = Screen::logged_in_as_ann();

    page.does(call("bob@x.org", " Lunch "));

    let to = address("bob@x.org");
    assert_eq!(
        page.effects(),
        [
            Effect::OpenWrapper { to, topic: Some("Lunch".to_owned()) },
            Effect::SaveRecent(vec!["bob@x.org called 0".to_owned()]),
        ]
    );
    assert_eq!(page.logged_in().recent[0].gesture, call("bob@x.org", ""));
}

#[test]
fn what_cannot_be_called_is_explained_until_it_is_edited() {
    for (address, topic, words) in [
        ("", "", "Type whom"),
        ("bob smith", "", "no spaces"),
        ("ann@x.org", "", "your own address"),
        ("bob@x.org", &"x".repeat(201) as &str, "topic is longer"),
    ] {
        let mut page = Screen::logged_in_as_ann();

        page.does(call(address, topic));
        assert!(page.logged_in().problem.unwrap().contains(words), "{address:?}");
        assert_eq!(page.effects(), [], "nothing is opened");

        page.does(Gesture::Edit);
        assert_eq!(page.logged_in().problem, None);
    }
}

#[test]
fn an_invite_rings_and_is_acknowledged() {
    let mut page = Screen::logged_in_as_ann();

    page.rung_by("bob@x.org", 1);

    assert_eq!(page.effects(), [Effect::Ack { id: "push".to_owned() }, Effect::Ring { on: true }]);
    let card = page.card();
    assert_eq!(card.label, "Incoming call from bob@x.org");
    assert_eq!((card.answer.label, card.decline.label), ("Answer", "Decline"));
    assert_eq!(card.topic.as_deref(), Some("Lunch"));
    assert_eq!(page.dial.view().title, "bob is calling – Hullo");
}

#[test]
fn answering_hands_the_ringing_call_to_a_wrapper() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);
    page.effects();

    page.does(page.card().answer.gesture);

    let effects = page.effects();
    let [Effect::TakeCall { call }, Effect::SaveRecent(_), Effect::Ring { on: false }] =
        effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(call.state(), State::Ringing { devices: 1 });
    assert_eq!(page.logged_in().cards, []);
    page.rung_by("bob@x.org", 1);
    assert_eq!(page.logged_in().cards, [], "a doubled INVITE does not ring again");
}

#[test]
fn declining_is_sent_and_leaves_no_notice() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);
    page.effects();

    page.does(page.card().decline.gesture);

    let decline = Effect::Send {
        to: address("bob@x.org/00000001"),
        message: Message::Decline { id: InviteId(1) },
    };
    let kept = Effect::SaveRecent(vec!["bob@x.org declined 0".to_owned()]);
    assert_eq!(page.effects(), [decline.clone(), kept, Effect::Ring { on: false }]);
    assert_eq!((page.logged_in().cards, page.logged_in().notices), (vec![], vec![]));

    page.wait(Duration::from_secs(2));
    assert_eq!(page.effects(), [decline], "repeated until it is confirmed");
    page.hears("bob@x.org", cancel(1, CancelReason::Declined, Some(ME)));
    page.wait(Duration::from_secs(60));
    assert_eq!(page.effects(), [Effect::Ack { id: "push".to_owned() }], "no more of it");
}

#[test]
fn a_caller_who_gives_up_is_missed_and_can_be_called_back() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);
    page.hears("bob@x.org", cancel(1, CancelReason::Cancel, None));
    page.effects();

    assert_eq!(page.notice().text, "Missed call from bob@x.org");
    assert_eq!(page.dial.view().title, "(1) Hullo");
    page.does(page.notice().action.unwrap().gesture);

    let to = address("bob@x.org");
    assert_eq!(page.effects()[0], Effect::OpenWrapper { to, topic: None });
    assert_eq!(page.logged_in().notices, []);
}

#[test]
fn nobody_answers_here_and_the_caller_is_told() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);
    page.effects();

    page.wait(Duration::from_secs(45));

    let message = Message::Reject { id: InviteId(1), reason: RejectReason::Timeout };
    let to = address("bob@x.org/00000001");
    let kept = Effect::SaveRecent(vec!["bob@x.org missed 45000".to_owned()]);
    assert_eq!(page.effects(), [Effect::Send { to, message }, kept, Effect::Ring { on: false }]);
    assert_eq!(page.notice().text, "Missed call from bob@x.org");
}

#[test]
fn missed_calls_of_one_person_are_counted_in_one_notice() {
    let mut page = Screen::logged_in_as_ann();

    for id in 1..=3 {
        page.rung_by("bob@x.org", id);
        page.hears("bob@x.org", cancel(id, CancelReason::Cancel, None));
    }

    assert_eq!(page.notice().text, "3 missed calls from bob@x.org");
    page.does(page.notice().dismiss.gesture);
    assert_eq!(page.logged_in().notices, []);
}

#[test]
fn answered_on_another_device_is_said_and_goes_by_itself() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);

    page.hears("bob@x.org", cancel(1, CancelReason::Accepted, Some("ann@x.org/00000099")));

    assert!(page.notice().text.starts_with("Answered on another device"));
    assert_eq!(page.notice().action, None);
    page.wait(Duration::from_secs(8));
    assert_eq!(page.logged_in().notices, []);
}

#[test]
fn declined_on_another_device_can_be_called_back() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);

    page.hears("bob@x.org", cancel(1, CancelReason::Declined, Some("ann@x.org/00000099")));

    assert!(page.notice().text.starts_with("Declined on another device"));
    assert_eq!(page.notice().action.unwrap().label, "Call back");
}

#[test]
fn what_was_done_in_another_window_of_this_browser_needs_no_words() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);
    page.rung_by("cid@x.org", 2);
    page.rung_by("dan@x.org", 3);

    page.told(Event::Taken(InviteId(1)));
    page.hears("cid@x.org", cancel(2, CancelReason::Accepted, Some(ME)));
    page.hears("dan@x.org", cancel(3, CancelReason::Declined, Some(ME)));

    assert_eq!((page.logged_in().cards, page.logged_in().notices), (vec![], vec![]));
    assert_eq!(page.effects().last(), Some(&Effect::Ring { on: false }));
}

#[test]
fn several_can_ring_at_once_and_each_is_answered_alone() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);
    page.rung_by("cid@x.org", 2);
    assert_eq!(page.dial.view().title, "bob, cid are calling – Hullo");

    page.does(Gesture::Answer(InviteId(1)));

    assert_eq!(page.card().address, "cid@x.org");
    let last = page.effects().pop();
    assert!(!matches!(last, Some(Effect::Ring { on: false })), "Cid still rings");
}

#[test]
fn to_more_than_four_at_once_this_device_is_busy() {
    let mut page = Screen::logged_in_as_ann();
    for id in 1..=4 {
        page.rung_by("bob@x.org", id);
    }
    page.effects();

    page.rung_by("cid@x.org", 5);

    let message = Message::Reject { id: InviteId(5), reason: RejectReason::Busy };
    let to = address("cid@x.org/00000001");
    assert_eq!(page.effects(), [Effect::Send { to, message }]);
    assert_eq!(page.logged_in().cards.len(), 4);
}

#[test]
fn a_cancel_that_overtakes_its_invite_keeps_it_from_ringing() {
    let mut page = Screen::logged_in_as_ann();

    page.hears("bob@x.org", cancel(1, CancelReason::Cancel, None));
    page.effects();
    page.rung_by("bob@x.org", 1);

    assert_eq!(page.logged_in().cards, []);
    assert_eq!(page.effects(), [], "nobody rings, so nothing is acknowledged");
}

#[test]
fn a_stranger_cannot_cancel_somebody_elses_call() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);

    page.hears("eve@x.org", cancel(1, CancelReason::Cancel, None));

    assert_eq!(page.card().address, "bob@x.org");
}

#[test]
fn silence_stops_the_noise_until_somebody_else_calls() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);
    page.effects();

    page.does(Gesture::Silence);
    assert_eq!(page.effects(), [Effect::Ring { on: false }]);
    assert_eq!(page.card().address, "bob@x.org", "it can still be answered");

    page.rung_by("cid@x.org", 2);
    assert!(page.effects().contains(&Effect::Ring { on: true }));
}

#[test]
fn ringing_that_the_browser_blocks_is_offered_as_a_button() {
    let mut page = Screen::logged_in_as_ann();
    page.told(Event::SoundBlocked);

    page.does(page.logged_in().sound.unwrap().gesture);
    assert_eq!(page.effects(), [Effect::TurnOnSound]);
    page.told(Event::SoundReady);

    assert_eq!(page.logged_in().sound, None);
}

#[test]
fn our_own_invite_and_letters_for_others_do_not_ring() {
    let mut page = Screen::logged_in_as_ann();

    page.push(ME, ME, Message::Invite(invite(1)));
    page.push("bob@x.org/00000001", "cid@x.org/00000001", Message::Invite(invite(2)));

    assert_eq!(page.logged_in().cards, []);
    assert_eq!(page.effects(), []);
}

#[test]
fn a_press_on_what_is_gone_does_nothing() {
    let mut page = Screen::logged_in_as_ann();

    for gesture in [
        Gesture::Answer(InviteId(9)),
        Gesture::Decline(InviteId(9)),
        Gesture::CallBack(9),
        Gesture::Dismiss(9),
    ] {
        page.does(gesture);
    }

    assert_eq!(page.effects(), []);
}

#[test]
fn a_call_that_was_answered_on_its_notification_is_answered_when_it_is_here() {
    let mut page = Screen::logged_in_as_ann();

    page.told(Event::Opened(Opening::Answer(InviteId(1))));
    assert_eq!(page.effects(), [], "it is not here yet");
    page.rung_by("bob@x.org", 1);

    let effects = page.effects();
    assert!(effects.iter().any(|effect| matches!(effect, Effect::TakeCall { .. })), "{effects:?}");
}
