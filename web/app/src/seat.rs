//! What a tab remembers of its place in a conference: the keys and the seat, for this tab and this origin alone.
//!
//! As text: the seed in hexadecimal, and after a point the seat, once there is one.

use platform::storage;
use trust::{Seat, Trust};
use wire::{ConferenceId, NodeId, Seed};

/// Keeps what it takes to be `me`; false when the browser does not remember.
pub(crate) fn keep(me: NodeId, seed: Seed, seat: Option<&Seat>) -> bool {
    let seat = seat.map(Seat::to_bytes).unwrap_or_default();
    storage::write_in_tab(&key(me), &format!("{}.{}", to_hex(&seed.0), to_hex(&seat)))
}

/// Keeps a seat that was given to `me` later. Where that is not remembered, a page that is loaded again has to be
/// invited again.
pub(crate) fn keep_seat(me: NodeId, seat: &Seat) {
    if let Some((seed, _)) = read(me) {
        keep(me, seed, Some(seat));
    }
}

/// Who `me` is in `conference`; `None` when this tab knows nothing about it.
pub(crate) fn find(me: NodeId, conference: &ConferenceId) -> Option<Trust> {
    let (seed, seat) = read(me)?;
    let resumed = seat.and_then(|seat| Trust::resume(seed, seat));
    let trust = resumed.unwrap_or_else(|| Trust::apply(seed, conference.clone()));
    (trust.me() == me && trust.conference() == conference).then_some(trust)
}

fn read(me: NodeId) -> Option<(Seed, Option<Seat>)> {
    let text = storage::read_in_tab(&key(me))?;
    let (seed, seat) = text.split_once('.')?;
    let seed = Seed(of_hex(seed)?.try_into().ok()?);
    Some((seed, of_hex(seat).and_then(|seat| Seat::from_bytes(&seat))))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

fn key(me: NodeId) -> String {
    format!("hullo.seat.{me}")
}
