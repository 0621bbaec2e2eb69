//! Logging in and out, and the devices of one user.

use std::time::Duration;

use ui::dial::{Effect, Event, Gesture, Input, LoginProblem, Page, ProviderProblem, Waking};
use wire::contacts::{LoggedIn as Device, Ways};
use wire::{Time, Timestamp};

use super::*;

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
