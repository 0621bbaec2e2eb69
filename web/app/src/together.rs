//! What the pages of one browser share: a channel to speak on, and what one leaves for another.

use call::Call;
use platform::broadcast::Station;
use platform::storage;
use serde::{Deserialize, Serialize};
use wire::InviteId;
use wire::invite::Letter;

/// What pages tell one another.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Word {
    /// A push came over my socket. Yours may not be open yet.
    Push {
        /// To acknowledge it by.
        id: String,
        /// What it says.
        letter: Box<Letter>,
    },
    /// I took this call: stop ringing.
    Taken {
        /// Which.
        invite: InviteId,
    },
    /// The recent addresses are these now.
    Recent {
        /// The latest first.
        addresses: Vec<String>,
    },
}

/// The channel between the pages; `None` in a browser without one, where each page hears its own socket only.
pub(crate) fn station(hear: impl FnMut(Word) + 'static) -> Option<Station<Word>> {
    Station::new("hullo", hear).ok()
}

/// Leaves a ringing call for the wrapper that answers it; false when the browser does not remember.
pub(crate) fn leave_call(call: &Call) -> bool {
    storage::write(&call_key(call.id()), call)
}

/// Takes the call that was left; once.
pub(crate) fn take_call(invite: InviteId) -> Option<Call> {
    storage::take(&call_key(invite))
}

fn call_key(invite: InviteId) -> String {
    format!("hullo.call.{invite}")
}

const RECENT: &str = "hullo.recent";

/// The addresses that were called last, the latest first.
pub(crate) fn recent() -> Vec<String> {
    storage::read(RECENT).unwrap_or_default()
}

/// Remembers the addresses that were called last. A browser that does not remember shows none next time.
pub(crate) fn save_recent(addresses: &[String]) {
    storage::write(RECENT, &addresses);
}
