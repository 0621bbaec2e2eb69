//! What a tab keeps of the call that it is in, for when it is loaded again.

use platform::{storage, today};
use room::Person;
use wire::{NodeId, UserId};

/// Under what it keeps the window, and when that was there last: milliseconds of the calendar, in hexadecimal.
const WINDOW: &str = "hullo.window";
const SEEN: &str = "hullo.window.seen";

/// For how long after that a call is come back to. Guess: whoever comes later, as when a browser brings yesterday's tabs
/// back, does not mean to open their camera.
const KEPT_MS: u64 = 10 * 60 * 1_000;

/// How many people are kept: to be looked for by whoever comes back, and not to be invited while they are here.
const PEOPLE_MAX: usize = 32;

/// The window of the call that this tab was in a short while ago, and who was there.
pub(crate) fn window() -> Option<String> {
    let seen = u64::from_str_radix(&storage::read_in_tab(SEEN)?, 16).ok()?;
    if today().0.wrapping_sub(seen) >= KEPT_MS {
        storage::remove_in_tab(WINDOW);
    }
    let window = storage::read_in_tab(WINDOW)?;
    let people = window.split('\n').nth(1).and_then(|me| storage::read_in_tab(&people_of(me)));
    Some(window + &people.unwrap_or_default())
}

/// Keeps the window, or that there is no call.
pub(crate) fn keep_window(window: Option<&str>) {
    match window {
        Some(text) => drop(storage::write_in_tab(WINDOW, text)),
        None => storage::remove_in_tab(WINDOW),
    }
}

/// The window is there. To be said every minute, and last of all.
pub(crate) fn see_window() {
    storage::write_in_tab(SEEN, &format!("{:x}", today().0));
}

/// Keeps who is in the conference besides `me`, as lines of the window.
pub(crate) fn keep_people(me: NodeId, people: &[Person]) {
    let mut lines = String::new();
    for person in
        people.iter().filter(|person| person.is_verified && !person.is_me).take(PEOPLE_MAX)
    {
        lines += &format!("\n{} {}", person.name, person.node);
    }
    storage::write_in_tab(&people_of(&me.to_string()), &lines);
}

/// Whether others were in the conference with `me` when that was last kept.
pub(crate) fn had_people(me: NodeId) -> bool {
    storage::read_in_tab(&people_of(&me.to_string())).is_some_and(|lines| !lines.is_empty())
}

/// The users of those who are in the conference with `me`.
pub(crate) fn users(me: NodeId) -> Vec<UserId> {
    let lines = storage::read_in_tab(&people_of(&me.to_string())).unwrap_or_default();
    let users = lines.split('\n').filter_map(|line| line.rsplit_once(' ')?.0.parse().ok());
    users.collect()
}

fn people_of(me: &str) -> String {
    format!("hullo.people.{me}")
}
