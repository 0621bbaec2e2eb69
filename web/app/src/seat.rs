//! What a tab remembers of its place in a conference: the keys and the seat, for this tab and this origin alone.

use platform::storage;
use serde::{Deserialize, Serialize};
use trust::{Seat, Trust};
use wire::{ConferenceId, NodeId, Seed};

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    seed: [u8; 32],
    seat: Option<Vec<u8>>,
}

/// Keeps what it takes to be `me`; false when the browser does not remember.
pub(crate) fn keep(me: NodeId, seed: Seed, seat: Option<&Seat>) -> bool {
    let kept = Kept { seed: seed.0, seat: seat.map(Seat::to_bytes) };
    storage::write_in_tab(&key(me), &kept)
}

/// Keeps a seat that was given to `me` later.
pub(crate) fn keep_seat(me: NodeId, seat: &Seat) {
    if let Some(kept) = storage::read_in_tab::<Kept>(&key(me)) {
        // Where it is not remembered, a page that is loaded again has to be invited again.
        storage::write_in_tab(&key(me), &Kept { seat: Some(seat.to_bytes()), ..kept });
    }
}

/// Who `me` is in `conference`; `None` when this tab knows nothing about it.
pub(crate) fn find(me: NodeId, conference: &ConferenceId) -> Option<Trust> {
    let kept: Kept = storage::read_in_tab(&key(me))?;
    let seed = Seed(kept.seed);
    let seat = kept.seat.as_deref().and_then(Seat::from_bytes);
    let resumed = seat.and_then(|seat| Trust::resume(seed, seat));
    let trust = resumed.unwrap_or_else(|| Trust::apply(seed, conference.clone()));
    (trust.me() == me && trust.conference() == conference).then_some(trust)
}

fn key(me: NodeId) -> String {
    format!("hullo.seat.{me}")
}
