//! One client and its place: offers, absence, takeovers, who may speak.

use broker::{Config, Ending, Error, Input, Line, Proof, Refusal, Standing};
use wire::peerjs::Kind;

use super::*;

#[test]
fn an_offer_arrives_with_the_source_that_the_server_knows() {
    let mut town = Town::open();
    town.join(1, "alice");
    town.join(2, "bob");

    town.say(1, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["1 OPEN", "2 OPEN", "2 OFFER alice>bob"]);
}

#[test]
fn the_same_token_has_its_place_back_at_once_and_hears_what_waited() {
    let mut town = Town::open();
    town.join(1, "alice");
    town.join(2, "bob");
    town.part(2, Ending::Lost);
    town.say(1, Kind::Offer, "bob");
    town.say(1, Kind::Candidate, "bob");
    town.heard();

    town.join(3, "bob");

    assert_eq!(town.heard(), ["3 OPEN", "3 OFFER alice>bob", "3 CANDIDATE alice>bob"]);
}

#[test]
fn a_half_open_socket_is_superseded_by_the_same_token_and_never_by_another() {
    let mut town = Town::open();
    town.join(1, "bob");

    let thief = town.join_as(2, guest("bob"), 666, Line::Socket, Standing::default());
    town.join(3, "bob");

    assert_eq!(thief, Err(Error::Refused(Refusal::IdTaken)));
    assert_eq!(town.heard(), ["1 OPEN", "1 ends: Superseded", "3 OPEN"]);
}

#[test]
fn a_place_is_kept_for_one_who_broke_off_and_free_when_one_closed() {
    let mut town = Town::open();
    let other = |town: &mut Town, socket| {
        town.join_as(socket, guest("bob"), 666, Line::Socket, Standing::default())
    };
    town.join(1, "bob");
    town.part(1, Ending::Lost);
    assert_eq!(other(&mut town, 2), Err(Error::Refused(Refusal::IdTaken)));
    town.pass(10);
    assert_eq!(other(&mut town, 3), Ok(()), "the grace is over");

    town.part(3, Ending::PageGone);
    town.join(4, "bob");

    assert_eq!(town.heard(), ["1 OPEN", "3 OPEN", "4 OPEN"]);
}

#[test]
fn partners_hear_that_one_is_gone_after_the_grace_and_not_before() {
    let mut town = Town::talking();
    town.part(2, Ending::Lost);
    town.pass(9);
    assert_eq!(town.heard(), [""; 0]);

    town.pass(1);

    assert_eq!(town.heard(), ["1 LEAVE bob>alice"]);
}

#[test]
fn a_blink_is_not_told() {
    let mut town = Town::talking();
    town.part(2, Ending::Lost);
    town.pass(9);

    town.join(3, "bob");
    town.pass(60);

    assert_eq!(town.heard(), ["3 OPEN"]);
}

#[test]
fn who_says_leave_is_believed_at_once() {
    let mut town = Town::talking();

    town.part(2, Ending::Left);

    assert_eq!(town.heard(), ["2 ends: Left", "1 LEAVE bob>alice"]);
    assert_eq!(town.join_as(3, guest("bob"), 666, Line::Socket, Standing::default()), Ok(()));
}

#[test]
fn who_disconnects_on_purpose_keeps_its_calls_and_ends_what_rings() {
    let mut town = Town::talking();
    town.join(3, "carol");
    town.say(2, Kind::Offer, "carol");
    town.heard();

    town.part(2, Ending::Disconnected);
    town.pass(10);

    assert_eq!(town.heard(), ["3 LEAVE bob>carol"]);
}

#[test]
fn who_waits_in_vain_hears_it_once_for_an_offer_and_its_candidates() {
    let mut town = Town::open();
    town.join(1, "alice");
    town.say(1, Kind::Offer, "nobody");
    town.pass(4);
    town.say(1, Kind::Candidate, "nobody");
    town.heard();

    town.pass(1);
    town.say(1, Kind::Candidate, "nobody");
    town.pass(10);

    assert_eq!(town.heard(), ["1 EXPIRE nobody>alice"]);
    assert_eq!(town.broker.load().letters_bytes, 0);
}

#[test]
fn a_second_offer_waits_its_own_time() {
    let mut town = Town::open();
    town.join(1, "alice");
    town.say(1, Kind::Offer, "bob");
    town.pass(4);
    town.say(1, Kind::Offer, "bob");
    town.say(1, Kind::Candidate, "bob");
    town.pass(2);
    assert_eq!(town.heard(), ["1 OPEN", "1 EXPIRE bob>alice"]);

    town.join(2, "bob");

    assert_eq!(town.heard(), ["2 OPEN", "2 OFFER alice>bob", "2 CANDIDATE alice>bob"]);
}

#[test]
fn nobody_can_come_by_a_name_that_is_no_users_where_guests_may_not() {
    let mut town = Town::with(Config::default());
    town.user("alice");
    town.user("bob");
    town.device(1, "alice", 1, Standing::default()).unwrap();
    town.say(1, Kind::Offer, "carol");
    town.say(1, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["1 OPEN", "1 EXPIRE carol>alice"], "bob may yet come");
}

#[test]
fn who_is_blocked_begins_no_call_and_hears_what_whoever_calls_nobody_hears() {
    let mut town = Town::open();
    let hidden_from = ["alice".parse().expect("a user")].into_iter().collect();
    let blocks = || Standing { hidden_from, ..Standing::default() };
    town.device(1, "alice", 1, Standing::default()).unwrap();
    town.device(2, "bob", 1, blocks()).unwrap();
    town.heard();

    town.say(1, Kind::Offer, "bob");
    town.say(1, Kind::Candidate, "bob");
    town.pass(5);
    assert_eq!(town.heard(), ["1 EXPIRE bob>alice"]);

    // Nor does what waited arrive when another device of his comes.
    town.say(1, Kind::Offer, "bob");
    let hidden_from = ["alice".parse().expect("a user")].into_iter().collect();
    town.device(3, "bob", 2, Standing { hidden_from, ..Standing::default() }).unwrap();
    town.pass(5);
    assert_eq!(town.heard(), ["3 OPEN", "1 EXPIRE bob>alice"]);

    // He may call her all the same, and she may answer.
    town.say_about(2, Kind::Offer, "alice", "his");
    town.say_about(1, Kind::Answer, "bob", "his");
    town.say_about(1, Kind::Candidate, "bob", "his");
    assert_eq!(town.heard(), ["1 OFFER bob>alice", "2 ANSWER alice>bob", "2 CANDIDATE alice>bob"]);
}

#[test]
fn a_stream_and_a_socket_of_one_client_are_one_peer_that_opens_once() {
    let mut town = Town::open();
    let fresh = Line::Stream { fresh: true };
    town.join_as(1, guest("bob"), 7, fresh, Standing::default()).unwrap();
    town.join_as(2, guest("bob"), 7, Line::Socket, Standing::default()).unwrap();
    assert_eq!(town.heard(), ["1 OPEN", "1 ends: Superseded"]);

    town.join_as(3, guest("bob"), 7, fresh, Standing::default()).unwrap();
    town.say(2, Kind::Offer, "bob");
    assert_eq!(town.heard(), ["2 OFFER bob>bob"], "the stream is there in case the socket breaks");
    town.part(2, Ending::Lost);
    town.say(3, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["3 OPEN", "3 OFFER bob>bob"]);
}

#[test]
fn a_request_speaks_for_a_peer_only_with_its_token() {
    let mut town = Town::open();
    town.join(1, "alice");
    let post = |proof, name: &str| Input::Posted {
        name: id(name),
        proof: Proof(proof),
        signal: Some(signal(Kind::Offer, "alice")),
    };
    town.heard();

    assert_eq!(town.tell(post(666, "alice")), Err(Error::Unproven));
    assert_eq!(town.tell(post(1, "bob")), Err(Error::Unproven));
    assert_eq!(town.tell(post(1, "alice")), Ok(()));

    assert_eq!(town.heard(), ["1 OFFER alice>alice"]);
}
