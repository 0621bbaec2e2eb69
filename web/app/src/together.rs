//! What the pages of one browser share: a channel to speak on, and what one leaves for another.

use call::Call;
use platform::broadcast::Station;
use platform::storage;
use serde::{Deserialize, Serialize};
use wire::InviteId;
use wire::invite::Letter;
use wire::live::FromServer;

/// What pages tell one another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Word {
    /// A push came over my socket; yours may not be open yet. The text is that of the server, which every page reads
    /// already.
    Push(String),
    /// I took this call: stop ringing.
    Taken(InviteId),
    /// The list `Recent` is this now, the latest first.
    Recent(Vec<String>),
    /// I told the server that this browser is here.
    Registered,
}

impl Word {
    /// That a push came.
    pub(crate) fn push(id: &str, letter: &Letter) -> Self {
        let push = FromServer::Push { id: id.to_owned(), data: letter.clone() };
        Self::Push(serde_json::to_string(&push).unwrap_or_default())
    }

    /// The push and what to acknowledge it by; `None` when this word is about something else.
    pub(crate) fn into_push(self) -> Option<(String, Letter)> {
        let Self::Push(text) = self else { return None };
        match serde_json::from_str(&text) {
            Ok(FromServer::Push { id, data }) => Some((id, data)),
            Ok(
                FromServer::Welcome { .. }
                | FromServer::Receipt { .. }
                | FromServer::Goodbye { .. }
                | FromServer::Presence { .. }
                | FromServer::Error { .. }
                | FromServer::Pong,
            )
            | Err(_) => None,
        }
    }
}

/// What a wrapper that runs inside the call page says to it: take me away.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Always so.
    pub(crate) done: bool,
}

/// The channel between the pages; `None` in a browser without one, where each page hears its own socket only.
pub(crate) fn station(hear: impl FnMut(Word) + 'static) -> Option<Station<Word>> {
    Station::new("hullo", hear).ok()
}

/// Leaves a ringing call for the wrapper that answers it; false when the browser does not remember.
pub(crate) fn leave_call(call: &Call) -> bool {
    call.hand_over().is_some_and(|ringing| storage::write(&call_key(call.id()), &ringing))
}

/// Takes the call that was left; once.
pub(crate) fn take_call(invite: InviteId) -> Option<Call> {
    storage::take(&call_key(invite)).map(|ringing| Call::resume(call::Config::default(), ringing))
}

fn call_key(invite: InviteId) -> String {
    format!("hullo.call.{invite}")
}

const RECENT: &str = "hullo.recent";

/// The list `Recent`, the latest first.
pub(crate) fn recent() -> Vec<String> {
    storage::read(RECENT).unwrap_or_default()
}

/// Remembers the list `Recent`. A browser that does not remember shows none next time.
pub(crate) fn save_recent(list: &[String]) {
    storage::write(RECENT, &list);
}
