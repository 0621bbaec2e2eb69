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

/// How many people are kept, so that they are not called while they are here. Guess: more than anybody calls by mistake.
const PEOPLE_MAX: usize = 32;

/// How many of them are looked for by whoever comes back: one is enough, and some may have left.
const LOOKED_FOR: usize = 8;

/// The window of the call that this tab was in a short while ago, and who was there.
pub(crate) fn window() -> Option<String> {
    let seen = u64::from_str_radix(&storage::read_in_tab(SEEN)?, 16).ok()?;
    if today().0.wrapping_sub(seen) >= KEPT_MS {
        storage::remove_in_tab(WINDOW);
    }
    let window = storage::read_in_tab(WINDOW)?;
    let people = window.split('\n').nth(1).and_then(|me| storage::read_in_tab(&people_of(me)));
    let mut whole = window;
    for line in people.unwrap_or_default().split('\n').skip(1).take(LOOKED_FOR) {
        whole.push('\n');
        whole += line;
    }
    Some(whole)
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

/// These people, but not ourselves, as lines of the window.
pub(crate) fn lines(people: &[Person]) -> String {
    let known = people.iter().filter(|person| person.is_verified && !person.is_me);
    known.take(PEOPLE_MAX).map(|person| format!("\n{} {}", person.name, person.node)).collect()
}

/// Keeps who is in the conference with `me`.
pub(crate) fn keep_people(me: NodeId, lines: &str) {
    storage::write_in_tab(&people_of(&me.to_string()), lines);
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
