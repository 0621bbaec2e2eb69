//! What waits is bounded.

use broker::{Config, Input, SocketId};
use wire::peerjs::Kind;

use super::*;

#[test]
fn what_a_slow_reader_does_not_take_waits_within_limits_and_is_told() {
    let mut town = Town::with(Config { open: true, letters_max: 2, ..Config::default() });
    town.join(1, "alice");
    town.join(2, "bob");
    town.tell(Input::Stalled { socket: SocketId(2) }).unwrap();
    town.heard();

    for _ in 0..3 {
        town.say(1, Kind::Offer, "bob");
    }
    assert_eq!(town.heard(), ["1 EXPIRE bob>alice"]);
    town.tell(Input::Flowing { socket: SocketId(2) }).unwrap();

    assert_eq!(town.heard(), ["2 OFFER alice>bob", "2 OFFER alice>bob"]);
}

#[test]
fn a_million_destinations_stay_within_bounds_and_are_all_told() {
    let mut town = Town::open();
    for sender in 0..70 {
        town.join(sender, &format!("sender{sender}"));
    }
    town.heard();
    let limits = Config::default();
    let mut expired = 0;

    for destination in 0..1_000_000_u64 {
        town.say(destination % 70, Kind::Offer, &format!("nobody{destination}"));
        assert!(town.broker.load().letters_bytes <= limits.letters_bytes_max_total);
        expired += town.heard().len();
    }
    town.pass(5);
    expired += town.heard().len();

    assert_eq!(expired, 1_000_000);
    assert_eq!(town.broker.load().letters_bytes, 0);
}

#[test]
fn no_one_sender_fills_the_space_of_all() {
    let mut town = Town::open();
    town.join(1, "flood");
    town.join(2, "alice");
    for destination in 0..100_000 {
        town.say(1, Kind::Offer, &format!("nobody{destination}"));
    }
    town.heard();

    town.say(2, Kind::Offer, "bob");
    town.join(3, "bob");

    assert_eq!(town.heard(), ["3 OPEN", "3 OFFER alice>bob"]);
}
