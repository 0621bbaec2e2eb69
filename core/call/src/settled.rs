//! Which invites a device has heard the end of, so that a late or repeated INVITE does not ring.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wire::InviteId;

/// How many invites are remembered. Guess: more than arrive within one ring time.
const REMEMBERED_MAX: usize = 64;

/// The last invites that are settled for this device: answered, declined, missed, or cancelled before they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled(VecDeque<InviteId>);

impl Settled {
    /// Remembers that `id` is settled; the oldest is forgotten when there are too many.
    pub fn note(&mut self, id: InviteId) {
        if self.has(id) {
            return;
        }
        if self.0.len() == REMEMBERED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(id);
    }

    /// Whether an INVITE with this id must not ring any more.
    #[must_use]
    pub fn has(&self, id: InviteId) -> bool {
        self.0.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first_and_only_when_there_are_too_many() {
        let mut settled = Settled::default();

        for id in 0..=REMEMBERED_MAX as u64 {
            settled.note(InviteId(id));
            settled.note(InviteId(id));
        }

        assert!(!settled.has(InviteId(0)));
        assert!((1..=REMEMBERED_MAX as u64).all(|id| settled.has(InviteId(id))));
    }
}
