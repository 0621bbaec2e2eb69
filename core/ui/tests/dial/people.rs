//! The list of people: who was called and who called, who is reachable, who may ring.

use std::time::Duration;

use ui::dial::{Effect, Event, Gesture};
use wire::contacts::{ChangeRules, Ring, Rules};
use wire::invite::{CancelReason, Message};
use wire::live::Seen;
use wire::{InviteId, Time, Timestamp, UserId};

use super::*;

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
