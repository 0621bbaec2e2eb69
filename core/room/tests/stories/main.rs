//! Conferences of two and three rooms over real nodes, told as people see them.

mod call;

use std::time::Duration;

use room::{Command, Config, Error, Event, Kind, Parting, Reason};

use call::Call;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

#[test]
fn two_people_who_are_connected_see_each_other() {
    let mut call = Call::of(2);

    call.connect(ALICE, BOB);

    assert_eq!(call.names(ALICE), ["alice@example.com", "bob@example.com"]);
    assert_eq!(call.names(BOB), ["alice@example.com", "bob@example.com"]);
    assert!(call.events(ALICE).iter().any(|event| matches!(event, Event::Joined { .. })));
}

#[test]
fn a_name_is_verified_once_somebody_vouches_for_it() {
    let mut call = Call::of(3);
    call.connect(ALICE, CAROL);
    call.connect(CAROL, BOB);
    let before = call.person(CAROL, BOB).is_verified;

    // Bob claims a name that is not his; the server knows better, and tells Alice.
    call.connect_as(ALICE, BOB, BOB, Some("robert@example.com"));

    assert!(!before);
    for who in [ALICE, CAROL] {
        let bob = call.person(who, BOB);
        assert_eq!((bob.name.as_str(), bob.is_verified), ("robert@example.com", true));
    }
}

#[test]
fn nobody_is_vouched_for_who_has_not_proved_who_it_is() {
    let mut call = Call::of(3);
    call.connect_as(ALICE, BOB, BOB, Some("bob@example.com"));
    call.connect(ALICE, CAROL);

    // Eve is invited by Alice, and says in her answer that she is Bob's node.
    call.connect_as(ALICE, CAROL, BOB, Some("eve@example.com"));
    call.pass(Duration::from_secs(10));

    for who in [ALICE, CAROL] {
        assert_eq!(call.person(who, BOB).name, "bob@example.com", "at {who}");
    }
}

#[test]
fn three_people_read_one_conversation() {
    let mut call = Call::of(3);
    call.connect(ALICE, BOB);
    call.connect(BOB, CAROL);

    for (who, text) in [(ALICE, "one"), (CAROL, "two"), (BOB, "three"), (ALICE, "four")] {
        call.tell(who, Command::Say(text.to_owned()));
    }

    for who in [ALICE, BOB, CAROL] {
        assert_eq!(call.texts(who), ["one", "two", "three", "four"], "at {who}");
    }
}

#[test]
fn what_is_said_at_one_moment_stands_in_one_order() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.say_at_once(&[(ALICE, "a"), (BOB, "b"), (ALICE, "c")]);

    assert_eq!(call.texts(ALICE), call.texts(BOB));
    assert_eq!(call.texts(ALICE).len(), 3);
}

#[test]
fn one_s_own_line_stands_at_once_and_only_once() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.say_at_once(&[(ALICE, "hello")]);
    let alone = call.texts(ALICE);
    call.settle();

    assert_eq!(alone, ["hello"]);
    assert_eq!(call.texts(ALICE), ["hello"]);
    assert_eq!(call.events(ALICE).iter().filter(|e| matches!(e, Event::Said { .. })).count(), 0);
    assert_eq!(call.events(BOB).iter().filter(|e| matches!(e, Event::Said { .. })).count(), 1);
}

#[test]
fn who_comes_late_reads_what_was_said_and_hears_no_bell() {
    let mut call = Call::of(3);
    call.connect(ALICE, BOB);
    call.tell(ALICE, Command::Say("before".to_owned()));
    call.pass(Duration::from_secs(60));
    call.seat(CAROL);

    call.connect(BOB, CAROL);

    assert_eq!(call.texts(CAROL), ["before"]);
    assert!(!call.events(CAROL).iter().any(|event| matches!(event, Event::Said { .. })));
}

#[test]
fn who_is_loaded_again_and_again_sees_and_is_seen_at_once() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    for time in 0..4 {
        let before = call.incoming(ALICE, BOB, Kind::Camera);
        call.cut(ALICE, BOB);
        call.seat(BOB);
        call.connect(ALICE, BOB);

        assert!(call.watches(BOB, ALICE, Kind::Camera), "Bob sees Alice, time {time}");
        assert!(call.watches(ALICE, BOB, Kind::Camera), "Alice sees Bob, time {time}");
        let now = call.incoming(ALICE, BOB, Kind::Camera);
        assert_ne!(now, before, "the picture of before stands still, time {time}");
    }
}

#[test]
fn who_is_removed_is_gone_at_once_and_told() {
    let mut call = Call::of(3);
    call.connect(ALICE, BOB);
    call.connect(ALICE, CAROL);
    assert!(call.watches(CAROL, BOB, Kind::Camera));

    call.tell(ALICE, Command::PutOut(call.id(BOB)));

    for who in [ALICE, CAROL] {
        assert_eq!(call.names(who), ["alice@example.com", "carol@example.com"], "at {who}");
        assert_eq!(call.incoming(who, BOB, Kind::Camera), None, "at {who}");
        let is_told = |event: &Event| matches!(event, Event::Left { how: Parting::PutOut, .. });
        assert_eq!(call.events(who).iter().filter(|event| is_told(event)).count(), 1, "at {who}");
    }
    assert!(call.events(BOB).contains(&Event::TurnedAway(Reason::PutOut)));
}

#[test]
fn nothing_and_too_much_are_not_said() {
    let mut call = Call::of(1);

    let nothing = call.try_tell(ALICE, Command::Say(" \n".to_owned()));
    let too_much = call.try_tell(ALICE, Command::Say("x".repeat(4_001)));

    assert_eq!(nothing, Err(Error::Empty));
    assert!(matches!(too_much, Err(Error::Limit(_))));
    assert_eq!(call.texts(ALICE), [""; 0]);
}

#[test]
fn typing_shows_and_expires() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.tell(ALICE, Command::Typing(true));
    let while_typing = call.person(BOB, ALICE).is_typing;
    call.pass(Config::default().talk.typing_lasts);

    assert!(while_typing);
    assert!(!call.person(BOB, ALICE).is_typing);
}

#[test]
fn typing_ends_with_the_message() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);
    call.tell(ALICE, Command::Typing(true));

    call.tell(ALICE, Command::Say("done".to_owned()));

    assert!(!call.person(BOB, ALICE).is_typing);
}

#[test]
fn devices_are_seen_to_go_on_and_off() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.tell(ALICE, Command::SetMicrophone(true));
    call.tell(ALICE, Command::SetCamera(true));
    let on = call.person(BOB, ALICE);
    call.tell(ALICE, Command::SetMicrophone(false));

    assert!(on.microphone && on.camera);
    assert!(!call.person(BOB, ALICE).microphone);
}

#[test]
fn every_picture_reaches_everyone() {
    let mut call = Call::of(3);

    call.connect(ALICE, BOB);
    call.connect(ALICE, CAROL);

    for watcher in [ALICE, BOB, CAROL] {
        for publisher in [ALICE, BOB, CAROL] {
            let flows = call.watches(watcher, publisher, Kind::Camera);
            assert_eq!(flows, watcher != publisher, "{publisher} at {watcher}");
        }
    }
}

#[test]
fn a_screen_is_shared_and_put_away() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.tell(ALICE, Command::StartScreen);
    let shared = call.watches(BOB, ALICE, Kind::Screen);
    call.tell(ALICE, Command::StopScreen);

    assert!(shared);
    assert!(!call.watches(BOB, ALICE, Kind::Screen));
    assert_eq!(call.room(BOB).screens().count(), 0);
    assert!(call.watches(BOB, ALICE, Kind::Camera));
    let bell =
        |event: &Event| matches!(event, Event::ScreenStarted { .. } | Event::ScreenStopped { .. });
    assert_eq!(call.events(BOB).into_iter().filter(bell).count(), 2);
}

#[test]
fn a_screen_can_be_shared_a_second_time() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);
    call.tell(ALICE, Command::StartScreen);
    call.tell(ALICE, Command::StopScreen);

    call.tell(ALICE, Command::StartScreen);

    assert!(call.watches(BOB, ALICE, Kind::Screen));
}

#[test]
fn who_leaves_is_gone_at_once_and_on_purpose() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.tell(BOB, Command::Leave);

    assert_eq!(call.names(ALICE), ["alice@example.com"]);
    assert!(!call.watches(ALICE, BOB, Kind::Camera));
    assert!(
        call.events(ALICE)
            .iter()
            .any(|event| matches!(event, Event::Left { how: Parting::Left, .. }))
    );
    assert!(matches!(call.try_tell(BOB, Command::StartScreen), Err(Error::Left)));
}

#[test]
fn who_vanishes_is_gone_within_fifteen_seconds() {
    let mut call = Call::of(3);
    call.connect(ALICE, BOB);
    call.connect(ALICE, CAROL);
    call.pass(Duration::from_secs(20));

    call.vanish(BOB);
    call.pass(Duration::from_secs(8));

    for who in [ALICE, CAROL] {
        assert_eq!(call.names(who), ["alice@example.com", "carol@example.com"], "at {who}");
        assert!(!call.watches(who, BOB, Kind::Camera));
    }
    assert!(
        call.events(ALICE)
            .iter()
            .any(|event| matches!(event, Event::Left { how: Parting::Lost, .. }))
    );
}

#[test]
fn a_picture_goes_on_while_the_link_is_away_for_a_moment() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.cut(ALICE, BOB);
    call.pass(Duration::from_secs(9));
    let meanwhile =
        (call.person(ALICE, BOB).is_reconnecting, call.watches(ALICE, BOB, Kind::Camera));
    call.connect(ALICE, BOB);
    call.pass(Duration::from_secs(30));

    assert_eq!(meanwhile, (true, true));
    assert!(!call.person(ALICE, BOB).is_reconnecting);
    assert!(call.watches(ALICE, BOB, Kind::Camera));
    assert!(!call.events(ALICE).iter().any(|event| matches!(event, Event::Left { .. })));
}

#[test]
fn a_picture_that_breaks_is_made_anew() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);
    let broken = call.incoming(BOB, ALICE, Kind::Camera).unwrap();

    call.break_media(BOB, broken);

    assert_ne!(call.incoming(BOB, ALICE, Kind::Camera), Some(broken));
    assert!(call.watches(BOB, ALICE, Kind::Camera));
}

#[test]
fn a_broken_frame_harms_nobody() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    for length in 0..64 {
        call.garble(ALICE, length);
    }
    call.pass(Duration::from_secs(30));

    assert_eq!(call.names(ALICE)[0], "alice@example.com");
}
