//! Every name and sentence of the emulator.

use std::time::Duration;

use super::agree::Agreement;
use super::api::Shape;

/// What participants are called: short, for they stand around a circle.
pub(super) const NAMES: [&str; 32] = [
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ida", "Jon", "Kim", "Leo", "Mia",
    "Ned", "Ola", "Pia", "Quin", "Ria", "Sam", "Tom", "Una", "Val", "Wim", "Xia", "Yara", "Zoe",
    "Abe", "Bea", "Carl", "Dora", "Emil", "Fay",
];

pub(super) const HELLO: &str = "Hello, all.";
pub(super) const APART: &str = "Is anybody on the other side?";
pub(super) const MEANWHILE: &str = "Somebody sleeps, we go on.";
pub(super) const SPLIT: &str = "The network was split in two";
pub(super) const STORY_ENDS: &str = "The story ends";
pub(super) const NO_LINES: &str = "Nobody has written anything yet.";
pub(super) const NOBODY: &str = "There is no participant. Add one, or start a new network.";

pub(super) fn started(count: usize, shape: Shape) -> String {
    let people =
        if count == 1 { "1 participant".to_owned() } else { format!("{count} participants") };
    format!("{people} joined, as a {shape} of invites")
}

pub(super) fn invited(one: &str, other: &str) -> String {
    format!("{one} invited {other}")
}

pub(super) fn connected(one: &str, other: &str) -> String {
    format!("{one} and {other} were connected")
}

pub(super) fn cut(one: &str, other: &str) -> String {
    format!("The link {one} – {other} was cut")
}

pub(super) fn relinked(one: &str, other: &str) -> String {
    format!("{one} and {other} linked themselves again")
}

pub(super) fn healed(invites: usize) -> String {
    match invites {
        0 => "Links hold again".to_owned(),
        1 => "Links hold again, and one invite connected the parts".to_owned(),
        _ => format!("Links hold again, and {invites} invites connected the parts"),
    }
}

pub(super) fn froze(name: &str) -> String {
    format!("{name} froze")
}

pub(super) fn thawed(name: &str) -> String {
    format!("{name} thawed")
}

pub(super) fn crashed(name: &str) -> String {
    format!("{name} crashed")
}

pub(super) fn returned(name: &str) -> String {
    format!("{name} joined again")
}

pub(super) fn left(name: &str) -> String {
    format!("{name} left")
}

pub(super) fn removed(name: &str) -> String {
    format!("What was left of {name} was taken away")
}

pub(super) fn said(name: &str) -> String {
    format!("{name} wrote")
}

pub(super) fn joined(name: &str) -> String {
    format!("{name} came")
}

pub(super) fn went(name: &str, how: room::Parting) -> String {
    let went = match how {
        room::Parting::Left => "left",
        room::Parting::Lost => "was lost",
        room::Parting::PutOut => "was put out",
    };
    format!("{name} {went}")
}

/// How it stands, in one line.
pub(super) fn verdict(agreement: &Agreement, is_settled: bool, is_split: bool) -> String {
    let Agreement { running, parts, holds, .. } = agreement;
    match (running, parts) {
        (0, _) => "Nobody runs.".to_owned(),
        (1, _) => "One participant, alone.".to_owned(),
        (_, 1) if is_settled => format!("All {running} see the same."),
        (_, 1) => "Not all see the same yet.".to_owned(),
        (_, parts) if *holds && (is_split || is_settled) => {
            format!("{parts} parts, and within each all see the same.")
        }
        (_, parts) if *holds => format!("{parts} parts without a link between them."),
        (_, parts) => format!("{parts} parts, and not all see the same yet."),
    }
}

/// A span as one reads it on a stop watch.
pub(super) fn span(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// A number of bytes.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..100_000 => format!("{:.1} KB", count as f64 / 1_000.0),
        100_000..1_000_000 => format!("{} KB", count / 1_000),
        _ => format!("{:.1} MB", count as f64 / 1_000_000.0),
    }
}
