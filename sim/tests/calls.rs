//! Some hundreds of calls, in good and bad weather.

use std::collections::BTreeMap;

use call::State;
use sim::{Weather, calls};

#[test]
fn in_fair_weather_every_call_ends_as_the_people_decided() {
    let ends = tell_all(0..400, &Weather::fair());

    for end in ["Connected", "Declined", "Busy", "NoAnswer", "Cancelled", "NotReachable", "Failed"]
    {
        assert!(ends.contains_key(end), "no story ends with {end}: {ends:?}");
    }
}

#[test]
fn in_a_storm_every_call_ends_and_at_most_one_device_is_connected() {
    let ends = tell_all(0..600, &Weather::storm());

    for end in ["Connected", "Declined", "NoAnswer", "Cancelled", "NotReachable", "Offline"] {
        assert!(ends.contains_key(end), "no story ends with {end}: {ends:?}");
    }
    assert!(ends["Connected"] > 100, "a storm is not the end of the world: {ends:?}");
}

#[test]
fn when_everything_is_doubled_and_reordered_nothing_else_changes() {
    let weather = Weather { doubled_permille: 1_000, lost_permille: 0, ..Weather::storm() };

    tell_all(0..200, &weather);
}

#[test]
fn when_half_of_everything_is_lost_every_call_still_ends() {
    tell_all(0..200, &Weather { lost_permille: 500, ..Weather::storm() });
}

#[test]
fn one_seed_is_one_story() {
    assert_eq!(calls::tell(5, Weather::storm()), calls::tell(5, Weather::storm()));
    assert_ne!(calls::tell(5, Weather::storm()), calls::tell(6, Weather::storm()));
}

/// Tells the stories and counts how they end for the caller.
fn tell_all(numbers: std::ops::Range<u64>, weather: &Weather) -> BTreeMap<String, u32> {
    let mut ends = BTreeMap::new();
    for number in numbers {
        match calls::tell(number, weather.clone()) {
            Ok(told) => {
                let end = match told.caller {
                    State::Ended(end) => format!("{end:?}"),
                    state @ (State::Starting
                    | State::Calling
                    | State::Ringing { .. }
                    | State::Connecting
                    | State::Connected) => state.name().to_owned(),
                };
                *ends.entry(end).or_default() += 1;
            }
            Err(broken) => panic!("{broken}"),
        }
    }
    ends
}
