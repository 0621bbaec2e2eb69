//! The call app on one page: what a person does, what happens, and what they see.

use std::time::Duration;

use call::State;
use ui::dial::{
    Card, Config, Dial, Effect, Event, Gesture, Input, LoggedIn, LoginProblem, NoticeView, Page,
    ProviderProblem, Waking,
};
use ui::wake::Opening;
use wire::contacts::{Account, ChangeRules, LoggedIn as Device, Ring, Rules, Ways};
use wire::invite::{CancelReason, Invite, Letter, Message, RejectReason};
use wire::live::Seen;
use wire::{Address, InviteId, NodeId, Time, Timestamp, UserId};

#[test]
fn a_new_visitor_is_asked_for_a_token_and_stays_until_it_is_right() {
    let mut page = Screen::new();
    page.told(Event::NotLoggedIn);

    page.does(Gesture::LogIn { token: "  secret ".to_owned() });
    assert_eq!(page.effects(), [Effect::LogIn { token: "secret".to_owned() }]);
    assert!(page.logged_out().is_busy);
    page.told(Event::LoginFailed(LoginProblem::WrongToken));
    assert!(page.logged_out().problem.unwrap().contains("not known here"));

    page.told(Event::LoggedIn(account("ann@x.org")));
    assert_eq!(page.logged_in().address, "ann@x.org");
}

#[test]
fn an_empty_token_is_not_sent() {
    let mut page = Screen::new();
    page.told(Event::NotLoggedIn);

    page.does(Gesture::LogIn { token: " ".to_owned() });

    assert_eq!(page.effects(), []);
    assert!(page.logged_out().problem.unwrap().contains("Paste your access token"));
}

#[test]
fn every_login_problem_has_its_words() {
    for (problem, words) in [
        (LoginProblem::WrongToken, "ask for a new one"),
        (LoginProblem::DeadLink, "link is not valid"),
        (LoginProblem::Offline, "cannot be reached"),
        (LoginProblem::Refused("Wait a minute.".to_owned()), "Wait a minute."),
        (
            LoginProblem::Provider(ProviderProblem::read("unknown").unwrap()),
            "no user of this server",
        ),
        (LoginProblem::Provider(ProviderProblem::read("unnamed").unwrap()), "not confirmed there"),
    ] {
        let mut page = Screen::new();

        page.told(Event::LoginFailed(problem));

        let shown = page.logged_out();
        assert!(shown.trouble.or(shown.problem).unwrap().contains(words));
    }
}

#[test]
fn logging_in_is_asked_for_once() {
    let mut page = Screen::new();
    page.told(Event::NotLoggedIn);

    for _ in 0..2 {
        page.does(Gesture::LogIn { token: "secret".to_owned() });
    }

    assert_eq!(page.effects().len(), 1);
}

#[test]
fn a_dead_link_does_not_end_the_session_that_is_there() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);

    page.told(Event::LoginFailed(LoginProblem::DeadLink));

    assert!(page.logged_in().problem.unwrap().contains("link is not valid"));
    assert_eq!(page.card().address, "bob@x.org");
}

#[test]
fn while_the_server_is_away_the_page_says_so_before_and_after_login() {
    let mut page = Screen::new();
    page.told(Event::ServerAway);
    let Page::Opening { note: Some(_) } = page.dial.view().page else { panic!("it says why") };

    page.told(Event::LoggedIn(account("ann@x.org")));
    assert_eq!(page.logged_in().note, None);
    page.told(Event::ServerAway);
    assert!(page.logged_in().note.unwrap().contains("The server is away"));
    page.told(Event::ServerBack { presence: false });
    assert_eq!(page.logged_in().note, None);
}

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
fn the_last_ten_addresses_are_remembered_each_once() {
    let mut page = Screen::logged_in_as_ann();
    page.told(Event::Recent((0..20).map(|n| format!("n{n}@x.org")).collect()));

    page.does(call("n3@x.org", ""));

    let recent: Vec<String> =
        page.logged_in().recent.into_iter().map(|recent| recent.address).collect();
    assert_eq!(recent.len(), 10);
    assert_eq!(recent[..4], ["n3@x.org", "n0@x.org", "n1@x.org", "n2@x.org"]);
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
fn a_link_by_mail_is_asked_for_once_and_told_alike_for_everybody() {
    let mut page = Screen::new();
    page.told(Event::NotLoggedIn);
    assert_eq!(page.logged_out().mail, None, "nobody said that links are mailed");
    page.told(Event::Ways(Ways { mail: true, openid: Some("Example".to_owned()) }));
    let link = |address: &str| Gesture::MailLink { address: address.to_owned() };

    page.does(link("bob"));
    assert!(page.logged_out().mail.unwrap().problem.unwrap().contains("your mail address"));
    page.does(link(" bob@x.org "));
    page.does(link("bob@x.org"));
    assert_eq!(page.effects(), [Effect::MailLink { address: "bob@x.org".to_owned() }]);
    assert!(page.logged_out().mail.unwrap().is_busy);
    page.told(Event::MailTaken);

    let mail = page.logged_out().mail.unwrap();
    assert!(mail.sent.unwrap().starts_with("If bob@x.org may log in here"));
    assert_eq!((mail.is_busy, mail.problem), (false, None));
    assert_eq!(page.logged_out().provider.unwrap(), "Log in with Example");
}

#[test]
fn a_person_sees_where_they_are_logged_in_and_ends_it_there() {
    let mut page = Screen::logged_in_as_ann();
    let device = |id: &str, is_this, last_used| Device {
        id: id.to_owned(),
        device: "Firefox on Linux".to_owned(),
        created: Timestamp(1_795_219_200_000),
        last_used,
        is_this,
        is_bound: is_this,
    };

    page.does(Gesture::ShowDevices);
    assert_eq!(page.effects(), [Effect::ListDevices]);
    let used = Some(Timestamp(1_795_305_600_000));
    page.told(Event::Devices(vec![
        device("a", false, None),
        device("b", true, used),
        device("c", false, used),
    ]));

    let shown = page.logged_in().devices.unwrap();
    let about: Vec<_> = shown.iter().map(|device| device.about.as_str()).collect();
    assert_eq!(
        about,
        [
            "This device, since 2026-11-21, bound to its key",
            "Since 2026-11-21, last used 2026-11-22",
            "Since 2026-11-21, never used"
        ]
    );
    assert_eq!(shown[0].log_out, None, "this one has a button of its own");
    page.does(shown[1].log_out.clone().unwrap().gesture);
    assert_eq!(page.effects(), [Effect::EndDevice { id: "c".to_owned() }]);
    page.told(Event::LoggedOut { asked: true });
    page.told(Event::Devices(vec![device("a", false, None)]));
    page.told(Event::LoggedIn(account("cid@x.org")));
    assert_eq!(page.logged_in().devices, None, "not the list of somebody else");
}

#[test]
fn logging_out_leaves_nothing_behind() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);
    page.effects();

    page.does(Gesture::LogOut);
    assert_eq!(page.effects(), [Effect::LogOut]);
    page.told(Event::LogoutFailed);
    assert!(page.logged_in().problem.unwrap().contains("still logged in"));
    page.told(Event::LoggedOut { asked: true });

    assert_eq!(page.effects(), [Effect::Ring { on: false }]);
    assert_eq!((page.logged_out().problem, page.logged_out().trouble), (None, None));
    assert_eq!(page.dial.timeout(), None);
}

#[test]
fn being_logged_out_from_elsewhere_is_explained() {
    let mut page = Screen::logged_in_as_ann();

    page.told(Event::LoggedOut { asked: false });

    assert!(page.logged_out().trouble.unwrap().contains("from another place"));
}

#[test]
fn another_persons_login_does_not_see_the_first_ones_calls() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);

    page.told(Event::LoggedIn(account("cid@x.org")));

    assert_eq!(page.logged_in().cards, []);
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

#[test]
fn ringing_while_the_page_is_closed_is_turned_on_once() {
    let mut page = Screen::logged_in_as_ann();
    page.told(Event::Waking(Waking::Off));
    let button = page.logged_in().waking.unwrap().button.unwrap();

    page.does(button.gesture.clone());
    page.does(button.gesture);

    assert_eq!(page.effects(), [Effect::TurnOnWaking]);
    page.told(Event::Waking(Waking::On));
    let button = page.logged_in().waking.unwrap().button.unwrap();
    page.does(button.gesture);
    assert_eq!(page.effects(), [Effect::TurnOffWaking]);
}

#[test]
fn a_caller_who_is_blocked_is_declined_and_stands_in_the_list_until_unblocked() {
    let mut page = Screen::logged_in_as_ann();
    page.rung_by("bob@x.org", 1);
    page.effects();
    let bob: UserId = "bob@x.org".parse().unwrap();

    page.does(Gesture::Block(InviteId(1)));

    let effects = page.effects();
    let change = ChangeRules { block: vec![bob.clone()], ..ChangeRules::default() };
    assert!(effects.contains(&Effect::ChangeRules(change)), "{effects:?}");
    let declines =
        |effect: &Effect| matches!(effect, Effect::Send { message: Message::Decline { .. }, .. });
    assert!(effects.iter().any(declines), "{effects:?}");
    page.told(Event::Rules(Rules { ring: Ring::Everybody, blocked: vec![bob.clone()] }));
    let rules = page.logged_in().rules.unwrap();
    assert_eq!(rules.blocked[0].label, "Unblock bob@x.org");
    page.does(rules.blocked[0].gesture.clone());
    let change = ChangeRules { unblock: vec![bob], ..ChangeRules::default() };
    assert_eq!(page.effects(), [Effect::ChangeRules(change)]);
}

#[test]
fn whom_one_talked_to_can_be_blocked_later() {
    let mut page = Screen::logged_in_as_ann();
    page.does(call("bob@x.org", ""));
    page.effects();
    assert_eq!(page.logged_in().recent[0].block, None, "nobody knows yet who is blocked");
    page.told(Event::Rules(Rules::default()));
    let block = page.logged_in().recent.remove(0).block.unwrap();
    assert_eq!(block.label, "Block bob@x.org");

    page.does(block.gesture);

    let bob: UserId = "bob@x.org".parse().unwrap();
    let change = ChangeRules { block: vec![bob.clone()], ..ChangeRules::default() };
    assert_eq!(page.effects(), [Effect::ChangeRules(change)]);
    page.told(Event::Rules(Rules { ring: Ring::Everybody, blocked: vec![bob] }));
    assert_eq!(page.logged_in().recent[0].block, None, "he stands below");
}

#[test]
fn who_may_ring_is_changed_and_what_was_not_taken_is_said() {
    let mut page = Screen::logged_in_as_ann();
    page.told(Event::Rules(Rules::default()));
    let rules = page.logged_in().rules.unwrap();

    page.does(rules.change.gesture);

    let change = ChangeRules { ring: Some(Ring::Known), ..ChangeRules::default() };
    assert_eq!(page.effects(), [Effect::ChangeRules(change)]);
    page.told(Event::RulesFailed);
    assert!(page.logged_in().problem.unwrap().contains("as before"));
}

#[test]
fn a_device_that_does_not_ring_says_so_and_can_be_made_the_one_that_does() {
    let mut page = Screen::logged_in_as_ann();
    page.told(Event::OtherRings);

    assert!(page.logged_in().note.unwrap().contains("another of your devices"));
    page.does(page.logged_in().ring_here.unwrap().gesture);
    assert_eq!(page.effects(), [Effect::RingHere]);
    page.told(Event::RingHereFailed);
    assert!(page.logged_in().problem.unwrap().contains("still ring on your other device"));
    page.told(Event::ServerBack { presence: false });

    assert_eq!((page.logged_in().note, page.logged_in().ring_here), (None, None));
}

#[test]
fn this_device_is_registered_at_the_log_in_and_once_each_day() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let mut page = Screen::logged_in_as_ann();
    assert_eq!(page.dial.timeout(), Some(Time::at(DAY)));

    page.wait(DAY - Duration::from_millis(1));
    page.dial.handle(page.now, Input::Timeout);
    assert_eq!(page.effects(), [], "a timer may be early");
    page.wait(Duration::from_millis(1));
    page.dial.handle(page.now, Input::Timeout);
    assert_eq!(page.effects(), [Effect::Register], "once, however often it is told the time");
    // Late, as after a sleep of three days: once, and a day after that.
    page.now = page.now + 3 * DAY;
    page.dial.handle(page.now, Input::Timeout);
    assert_eq!(page.effects(), [Effect::Register]);
    assert_eq!(page.dial.timeout(), Some(page.now + DAY));

    // Of several pages of one browser the first does it for all.
    page.wait(DAY / 2);
    page.told(Event::Registered);
    page.wait(DAY - Duration::from_millis(1));
    assert_eq!(page.effects(), []);
    page.wait(Duration::from_millis(1));
    assert_eq!(page.effects(), [Effect::Register]);

    page.told(Event::LoggedOut { asked: true });
    page.told(Event::Registered);
    assert_eq!(page.dial.timeout(), None, "nobody is here");
}

#[test]
fn who_called_in_vain_stands_in_the_list_and_can_be_blocked_there() {
    let mut page = Screen::logged_in_as_ann();
    page.told(Event::Rules(Rules::default()));
    page.now = Time::at(Duration::from_secs(60));
    page.rung_by("bob@x.org", 1);
    page.does(Gesture::Decline(InviteId(1)));
    page.rung_by("cid@x.org", 2);
    let cancel = Message::Cancel { id: InviteId(2), reason: CancelReason::Cancel, by: None };
    page.hears("cid@x.org", cancel);
    page.rung_by("dan@x.org", 3);
    let by = Some(address("ann@x.org/0000000b"));
    let cancel = Message::Cancel { id: InviteId(3), reason: CancelReason::Declined, by };
    page.hears("dan@x.org", cancel);

    let at = Timestamp(60_000);
    let list = page.logged_in().recent;
    let told: Vec<_> = list.iter().map(|line| (line.address.as_str(), line.fate)).collect();
    let [missed, declined] = ["Missed", "Declined"].map(|word| Some((word, at)));
    let expected = [("dan@x.org", declined), ("cid@x.org", missed), ("bob@x.org", declined)];
    assert_eq!(told, expected);
    let kept = ["dan@x.org declined 60000", "cid@x.org missed 60000", "bob@x.org declined 60000"];
    let kept = kept.map(str::to_owned).to_vec();
    assert!(page.effects().contains(&Effect::SaveRecent(kept.clone())));

    page.does(list[1].block.clone().unwrap().gesture);
    let change = ChangeRules { block: vec![address("cid@x.org").user], ..ChangeRules::default() };
    assert_eq!(page.effects(), [Effect::ChangeRules(change)]);
    // Who is called back was not missed any more, and the next page reads what was kept.
    page.does(call("cid@x.org", ""));
    assert_eq!(page.logged_in().recent[0].fate, None);
    let mut next = Screen::logged_in_as_ann();
    next.told(Event::Recent(kept));
    assert_eq!(next.logged_in().recent[1].fate, missed);
}

#[test]
fn what_was_missed_while_no_page_was_open_stands_in_the_list_where_its_time_belongs() {
    let mut page = Screen::logged_in_as_ann();
    let kept = ["bob@x.org called 5000", "cid@x.org called 2000", "old@x.org"];
    page.told(Event::Recent(kept.map(str::to_owned).to_vec()));

    let notes = ["dan@x.org missed 3000", "cid@x.org declined 4000", "bob@x.org missed 1000"];
    page.told(Event::Noted(notes.map(str::to_owned).to_vec()));

    let list = page.logged_in().recent;
    let told: Vec<_> = list.iter().map(|line| (line.address.as_str(), line.fate)).collect();
    let expected = [
        ("bob@x.org", None),
        ("cid@x.org", Some(("Declined", Timestamp(4_000)))),
        ("dan@x.org", Some(("Missed", Timestamp(3_000)))),
        ("old@x.org", None),
    ];
    assert_eq!(told, expected);
    assert_eq!(page.effects().len(), 1, "kept");
    page.told(Event::Noted(notes.map(str::to_owned).to_vec()));
    assert_eq!(page.effects(), [], "that is known");
}

#[test]
fn the_list_shows_who_is_reachable_where_the_server_tells() {
    let mut page = Screen::logged_in_as_ann();
    page.told(Event::Recent(vec!["bob@x.org/00000001".to_owned(), "cid@x.org".to_owned()]));
    assert_eq!(page.effects(), [], "nobody tells");

    page.told(Event::ServerBack { presence: true });
    let user = |name: &str| address(name).user;
    assert_eq!(page.effects(), [Effect::Watch(vec![user("bob@x.org"), user("cid@x.org")])]);
    let seen = |reachable| Event::Seen(vec![Seen { user: user("bob@x.org"), reachable }]);
    page.told(seen(true));
    let shown = |page: &Screen| {
        page.logged_in().recent.iter().map(|line| line.presence).collect::<Vec<_>>()
    };
    assert_eq!(shown(&page), [Some("Reachable"), None]);
    page.told(seen(false));
    assert_eq!(shown(&page), [None, None]);
    page.told(seen(true));
    page.told(Event::ServerAway);
    assert_eq!(shown(&page), [None, None], "nobody knows any more");
}

/// This device.
const ME: &str = "ann@x.org/0000000a";

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn account(user: &str) -> Account {
    Account { email: user.parse().expect("a user"), instance: None }
}

fn call(address: &str, topic: &str) -> Gesture {
    Gesture::Call { address: address.to_owned(), topic: topic.to_owned() }
}

fn invite(id: u64) -> Invite {
    Invite {
        id: InviteId(id),
        node: NodeId(1),
        location: "https://x.org/conference?data.path=sessions/c".to_owned(),
        topic: Some("Lunch".to_owned()),
        offer: "offer".to_owned(),
        ttl_ms: 45_000,
    }
}

fn cancel(id: u64, reason: CancelReason, by: Option<&str>) -> Message {
    Message::Cancel { id: InviteId(id), reason, by: by.map(address) }
}

/// The page and its clock.
struct Screen {
    now: Time,
    dial: Dial,
}

impl Screen {
    fn new() -> Self {
        Self { now: Time::ZERO, dial: Dial::new(Config::default()) }
    }

    fn logged_in_as_ann() -> Self {
        let mut page = Self::new();
        page.told(Event::LoggedIn(account("ann@x.org")));
        assert_eq!(page.effects(), [Effect::Register]);
        page
    }

    fn told(&mut self, event: Event) {
        self.dial.handle(self.now, event);
    }

    fn does(&mut self, gesture: Gesture) {
        self.dial.handle(self.now, gesture);
    }

    fn push(&mut self, from: &str, to: &str, message: Message) {
        let letter = Letter { from: address(from), to: address(to), message };
        self.told(Event::Push { id: "push".to_owned(), letter });
    }

    /// A message from the first device of `user`.
    fn hears(&mut self, user: &str, message: Message) {
        self.push(&format!("{user}/00000001"), ME, message);
    }

    fn rung_by(&mut self, user: &str, id: u64) {
        self.hears(user, Message::Invite(invite(id)));
    }

    fn wait(&mut self, span: Duration) {
        let last = self.now + span;
        while let Some(at) = self.dial.timeout()
            && at <= last
        {
            self.now = at;
            self.dial.handle(at, Input::Timeout);
            assert!(self.dial.timeout().is_none_or(|next| next > at), "it makes progress");
        }
        self.now = last;
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.dial.poll()).collect()
    }

    fn logged_in(&self) -> LoggedIn {
        let Page::LoggedIn(page) = self.dial.view().page else { panic!("logged in") };
        page
    }

    fn logged_out(&self) -> ui::dial::LoggedOut {
        let Page::LoggedOut(page) = self.dial.view().page else { panic!("logged out") };
        page
    }

    fn card(&self) -> Card {
        let [card] = self.logged_in().cards.try_into().expect("one card");
        card
    }

    fn notice(&self) -> NoticeView {
        let [notice] = self.logged_in().notices.try_into().expect("one notice");
        notice
    }
}
