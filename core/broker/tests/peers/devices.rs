//! Users with several devices, each with a policy.

use broker::{Capabilities, Ending, Error, Input, Line, Peer, Policy, Refusal, SocketId, Standing};
use wire::InstanceId;
use wire::peerjs::Kind;

use super::*;

#[test]
fn a_guest_never_has_a_users_name() {
    let mut town = Town::open();
    town.join(1, "alice");

    town.user("alice");
    let again = town.join_as(2, guest("alice"), 1, Line::Socket, Standing::default());

    assert_eq!(town.heard(), ["1 OPEN", "1 ends: NameTaken"]);
    assert_eq!(again, Err(Error::Refused(Refusal::NameOfUser)));
}

#[test]
fn an_offer_to_a_user_rings_everywhere_and_the_first_answer_wins() {
    let mut town = Town::ringing(Policy::All);
    assert_eq!(town.heard(), ["2 OFFER alice>bob", "3 OFFER alice>bob"]);

    town.say(3, Kind::Candidate, "alice");
    town.say(1, Kind::Candidate, "bob");
    town.say(2, Kind::Answer, "alice");
    town.say(3, Kind::Answer, "alice");
    town.say(3, Kind::Candidate, "alice");
    town.say(1, Kind::Candidate, "bob");
    town.say(2, Kind::Candidate, "alice");

    assert_eq!(
        town.heard(),
        [
            "2 CANDIDATE alice>bob",
            "3 CANDIDATE alice>bob",
            "3 LEAVE alice>bob",
            "1 ANSWER bob>alice",
            "2 CANDIDATE alice>bob",
            "1 CANDIDATE bob>alice",
        ]
    );
}

#[test]
fn what_the_winner_said_before_its_answer_follows_it() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Candidate, "alice");
    town.heard();

    town.say(2, Kind::Answer, "alice");

    assert_eq!(town.heard(), ["3 LEAVE alice>bob", "1 ANSWER bob>alice", "1 CANDIDATE bob>alice"]);
}

#[test]
fn a_caller_that_gives_up_stops_every_device() {
    let mut town = Town::ringing(Policy::All);
    town.heard();

    town.say(1, Kind::Leave, "bob");

    assert_eq!(town.heard(), ["2 LEAVE alice>bob", "3 LEAVE alice>bob"]);
}

#[test]
fn the_caller_hears_of_a_decline_when_the_last_device_declines() {
    let mut town = Town::ringing(Policy::All);
    town.heard();

    town.say(2, Kind::Leave, "alice");
    assert_eq!(town.heard(), [""; 0]);
    town.say(3, Kind::Leave, "alice");

    assert_eq!(town.heard(), ["1 LEAVE bob>alice"]);
}

#[test]
fn a_second_connection_of_the_same_call_goes_where_the_first_went() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.heard();

    town.say(1, Kind::Offer, "bob");
    assert_eq!(town.heard(), ["2 OFFER alice>bob"]);
    town.pass(11);
    town.say(1, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["2 OFFER alice>bob", "3 OFFER alice>bob"], "a new call");
}

#[test]
fn a_loser_that_talks_with_the_caller_already_is_not_cut_off() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.pass(11);
    town.say_about(1, Kind::Offer, "bob", "second");
    town.heard();

    town.say_about(3, Kind::Answer, "alice", "second");

    assert_eq!(town.heard(), ["1 ANSWER bob>alice"]);
}

#[test]
fn one_device_of_a_user_that_goes_does_not_end_the_call_with_another() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.heard();

    town.part(3, Ending::Left);
    assert_eq!(town.heard(), ["3 ends: Left"]);
    town.part(2, Ending::Left);

    assert_eq!(town.heard(), ["2 ends: Left", "1 LEAVE bob>alice"]);
}

#[test]
fn an_answer_goes_to_the_device_that_called() {
    let mut town = Town::open();
    for (socket, instance) in [(1, 1), (2, 2)] {
        town.device(socket, "alice@x", instance, Standing::default()).unwrap();
    }
    town.join(3, "bob");
    town.say_about(1, Kind::Offer, "bob", "of the first");
    town.say_about(2, Kind::Offer, "bob", "of the second");
    town.heard();

    town.say_about(3, Kind::Answer, "alice@x", "of the first");
    town.say_about(3, Kind::Candidate, "alice@x", "of the second");
    town.say_about(3, Kind::Candidate, "alice@x", "of the first");

    let heard = ["1 ANSWER bob>alice@x", "2 CANDIDATE bob>alice@x", "1 CANDIDATE bob>alice@x"];
    assert_eq!(town.heard(), heard);
}

#[test]
fn an_offer_that_none_of_several_devices_takes_in_time_is_told() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.pass(11);
    for socket in [2, 3] {
        town.tell(Input::Stalled { socket: SocketId(socket) }).unwrap();
    }
    town.heard();

    town.say_about(1, Kind::Offer, "bob", "in vain");
    town.say_about(1, Kind::Candidate, "bob", "in vain");
    town.pass(5);
    assert_eq!(town.heard(), ["1 EXPIRE bob>alice"], "once, not for each device");

    town.say_about(1, Kind::Offer, "bob", "in time");
    town.tell(Input::Flowing { socket: SocketId(3) }).unwrap();
    town.pass(5);
    assert_eq!(town.heard(), ["3 OFFER alice>bob"], "one has it, so nothing is told");
}

#[test]
fn what_belongs_to_an_offer_follows_it_to_whichever_device_comes() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.pass(11);
    town.part(3, Ending::PageGone);
    town.part(2, Ending::Lost);
    town.heard();
    town.say_about(1, Kind::Offer, "bob", "second");
    town.say_about(1, Kind::Candidate, "bob", "second");

    town.device(4, "bob", 2, Standing::default()).unwrap();

    assert_eq!(town.heard(), ["4 OPEN", "4 OFFER alice>bob", "4 CANDIDATE alice>bob"]);
}

#[test]
fn only_devices_that_can_take_a_call_ring_where_that_is_asked() {
    let mut town = Town::open();
    town.user("bob");
    town.join(1, "alice");
    let standing = |words: &[&str]| Standing {
        policy: Policy::Capable,
        capabilities: Capabilities::new(words.iter().copied()).unwrap(),
        ..Standing::default()
    };
    town.device(2, "bob", 1, standing(&["audio"])).unwrap();
    town.device(3, "bob", 2, standing(&["audio", "video"])).unwrap();
    town.heard();

    town.needs = Capabilities::new(["video"]).unwrap();
    town.say(1, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["3 OFFER alice>bob"]);
}

#[test]
fn where_one_device_is_registered_a_second_is_refused_in_so_many_words() {
    let mut town = Town::open();
    let nominated = Standing { policy: Policy::Nominated, ..Standing::default() };
    town.device(1, "bob", 1, nominated.clone()).unwrap();

    let second = town.device(2, "bob", 2, nominated.clone()).unwrap_err();
    assert!(second.to_string().contains("only one device per user may be registered"), "{second}");
    town.part(1, Ending::PageGone);
    assert_eq!(town.device(3, "bob", 2, nominated), Ok(()), "the place is free");
}

#[test]
fn a_nominated_device_keeps_the_others_out_and_a_newer_page_of_it_takes_over() {
    let mut town = Town::open();
    let nominated = Standing {
        policy: Policy::Nominated,
        nominated: Some(InstanceId(1)),
        ..Standing::default()
    };

    let other = town.device(1, "bob", 2, nominated.clone());
    town.device(2, "bob", 1, nominated.clone()).unwrap();
    let page = Peer::Device(device("bob", 1));
    town.join_as(3, page, 77, Line::Socket, nominated).unwrap();

    assert_eq!(other, Err(Error::Refused(Refusal::NotNominated)));
    assert_eq!(town.heard(), ["2 OPEN", "2 ends: Superseded", "3 OPEN"]);
}
