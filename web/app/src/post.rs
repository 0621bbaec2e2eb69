//! Posting letters through the server.

use call::Unsent;
use platform::http::{self, LastWords, Method};
use wire::Address;
use wire::contacts::{Refusal, Send, Sent};
use wire::invite::Message;

/// Where letters are posted, relative to every page.
const CONTACTS: &str = "contacts";

/// Posts `message` and says to how many devices it went.
pub(crate) async fn post(to: Address, message: Message) -> Result<u32, Unsent> {
    let letter = letter(to, &message).ok_or(Unsent::Refused)?;
    let Ok(answer) = http::ask_with(Method::Post, CONTACTS, &letter).await else {
        return Err(Unsent::Offline);
    };
    if let (true, Some(Sent { count })) = (answer.is_ok(), answer.json()) {
        return Ok(count);
    }
    let refusal = answer.json().map(|Refusal { error, .. }| error);
    Err(match refusal.as_deref() {
        Some("unknown-user") => Unsent::UnknownUser,
        Some("not-reachable") => Unsent::NotReachable,
        // A server that is going down, or something in between that is not ours.
        None if answer.status >= 500 => Unsent::Offline,
        Some(_) | None => Unsent::Refused,
    })
}

/// Gets ready for [`post_last`].
pub(crate) fn last_words() -> LastWords {
    LastWords::ready(CONTACTS)
}

/// Posts `message` while the page goes away.
pub(crate) fn post_last(words: &LastWords, to: Address, message: &Message) {
    if let Some(letter) = letter(to, message) {
        // Nobody is left to be told.
        words.post(&letter).ok();
    }
}

fn letter(to: Address, message: &Message) -> Option<Send> {
    match serde_json::to_value(message) {
        Ok(serde_json::Value::Object(data)) => Some(Send { to, data }),
        Ok(_) | Err(_) => None,
    }
}
