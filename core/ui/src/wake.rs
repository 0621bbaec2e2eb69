//! What a device shows whose pages are closed: one notification for each invite, renewed as the call proceeds.
//!
//! The service worker has no page and may be stopped between any two messages, so there is no state here: what a
//! notification stands for lies in its [`Notification::data`].

use serde::{Deserialize, Serialize};
use wire::invite::CancelReason;
use wire::{Address, InviteId, Sure, Timestamp};

use crate::dial::recent::{Line, Outcome};

/// What a push asks of the service worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wake {
    /// To acknowledge it by, once it is shown; `None` when there is nothing to acknowledge.
    pub ack: Option<String>,
    /// What to show. Browsers insist that every push shows something.
    pub show: Notification,
    /// What the next page puts into its list `Recent`: [`Event::Noted`](crate::dial::Event::Noted).
    pub note: Option<String>,
}

/// A notification of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// One of the same tag takes its place.
    pub tag: String,
    /// The line that people read.
    pub title: String,
    /// What more there is to say.
    pub body: String,
    /// Whether it stays until the person does something, and sounds again when it replaces another.
    pub is_ringing: bool,
    /// Buttons: the word for the program, the word for the person. Some systems show none.
    pub buttons: Vec<(&'static str, &'static str)>,
    /// What it stands for, for [`on_click`].
    pub data: String,
}

/// What a click asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Click {
    /// Open the call app, or go to it, with this behind the `#`.
    Open {
        /// For [`opening`].
        fragment: String,
    },
    /// Say no, without a page.
    Decline {
        /// To whom.
        to: Address,
        /// To what.
        invite: InviteId,
        /// What takes the place of the notification.
        show: Notification,
        /// As in [`Wake`].
        note: String,
    },
}

/// What the call app was opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// To answer this call at once.
    Answer(InviteId),
    /// To show this call.
    Ring(InviteId),
    /// To call this address back.
    CallBack(Address),
}

/// What a notification stands for.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Data {
    Ringing { invite: InviteId, from: Address },
    Missed { from: Address },
    Nothing,
}

/// What comes as a push: as over the live socket, and without descriptions, for which there is no room.
#[derive(Deserialize)]
struct Push {
    id: String,
    data: Letter,
}

#[derive(Deserialize)]
struct Letter {
    #[serde(rename = "From")]
    from: Address,
    method: String,
    #[serde(rename = "ReqId")]
    invite: InviteId,
    topic: Option<String>,
    reason: Option<CancelReason>,
}

const ANSWER: &str = "answer";
const DECLINE: &str = "decline";
const CALL_BACK: &str = "call-back";

/// What to do about a push that comes `now`. Its text may be anything.
#[must_use]
pub fn on_push(text: &str, now: Timestamp) -> Wake {
    let Ok(Push { id, data: letter }) = serde_json::from_str(text) else {
        let title = "Something arrived that this version of Hullo does not understand".to_owned();
        let body = "Open Hullo to bring it up to date.".to_owned();
        let show = quiet("unknown".to_owned(), title, body, Data::Nothing);
        return Wake { ack: None, show, note: None };
    };
    let is_invite = letter.method == "INVITE";
    let outcome = match (letter.method.as_str(), letter.reason) {
        ("CANCEL", Some(CancelReason::Accepted)) => Some(Outcome::Called),
        ("CANCEL", Some(CancelReason::Declined)) => Some(Outcome::Declined),
        ("CANCEL", Some(CancelReason::Cancel) | None) => Some(Outcome::Missed),
        _ => None,
    };
    let note = outcome.map(|outcome| note(&letter.from, outcome, now));
    Wake { ack: is_invite.then_some(id), show: notification(letter), note }
}

fn note(from: &Address, outcome: Outcome, now: Timestamp) -> String {
    Line::new(from.user.to_string(), outcome, now).text()
}

fn notification(letter: Letter) -> Notification {
    let Letter { from, method, invite, topic, reason } = letter;
    let (tag, who) = (invite.to_string(), from.user.to_string());
    match (method.as_str(), reason) {
        ("INVITE", _) => Notification {
            tag,
            title: format!("{who} is calling"),
            body: topic.unwrap_or_default(),
            is_ringing: true,
            buttons: vec![(ANSWER, "Answer"), (DECLINE, "Decline")],
            data: data(&Data::Ringing { invite, from }),
        },
        ("CANCEL", Some(CancelReason::Accepted)) => {
            let body = "You answered on another device.".to_owned();
            quiet(tag, format!("{who} called"), body, Data::Nothing)
        }
        ("CANCEL", Some(CancelReason::Declined)) => {
            let body = "You declined on another device.".to_owned();
            quiet(tag, format!("{who} called"), body, Data::Nothing)
        }
        ("CANCEL", Some(CancelReason::Cancel) | None) => {
            let title = format!("Missed call from {who}");
            let mut missed = quiet(tag, title, String::new(), Data::Missed { from });
            missed.buttons = vec![(CALL_BACK, "Call back")];
            missed
        }
        // An answer to a call of ours, whose page was closed meanwhile.
        _ => {
            let title = format!("{who} answered your call");
            let body = "The call was closed on this device. Call again to talk.".to_owned();
            let mut late = quiet(tag, title, body, Data::Missed { from });
            late.buttons = vec![(CALL_BACK, "Call again")];
            late
        }
    }
}

fn quiet(tag: String, title: String, body: String, what: Data) -> Notification {
    let (buttons, data) = (Vec::new(), data(&what));
    Notification { tag, title, body, is_ringing: false, buttons, data }
}

fn data(what: &Data) -> String {
    serde_json::to_string(what).sure("plain data is written as text")
}

/// What a click on a notification asks for: on the button `action`, or (empty) anywhere else.
#[must_use]
pub fn on_click(action: &str, data: &str, now: Timestamp) -> Click {
    let open = |fragment: String| Click::Open { fragment };
    match (serde_json::from_str(data), action) {
        (Ok(Data::Ringing { invite, from }), DECLINE) => {
            let title = format!("{} called", from.user);
            let body = "You declined.".to_owned();
            let show = quiet(invite.to_string(), title, body, Data::Nothing);
            let note = note(&from, Outcome::Declined, now);
            Click::Decline { to: from, invite, show, note }
        }
        (Ok(Data::Ringing { invite, .. }), ANSWER) => open(format!("answer={invite}")),
        (Ok(Data::Ringing { invite, .. }), _) => open(format!("ring={invite}")),
        (Ok(Data::Missed { from }), _) => open(format!("back={}", from.user)),
        (Ok(Data::Nothing) | Err(_), _) => open(String::new()),
    }
}

/// What the page was opened for, by what stands behind its `#`. `parameter` finds the text of a name there.
pub fn opening(parameter: impl Fn(&str) -> Option<String>) -> Option<Opening> {
    let invite = |name| parameter(name).and_then(|id| id.parse().ok());
    if let Some(invite) = invite("answer") {
        return Some(Opening::Answer(invite));
    }
    if let Some(invite) = invite("ring") {
        return Some(Opening::Ring(invite));
    }
    parameter("back").and_then(|user| user.parse().ok()).map(Opening::CallBack)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_219_200_000);

    fn push(members: &str) -> Wake {
        let text = format!(
            r#"{{"type":"push","id":"00000000000000aa","data":{{"From":"alice@x.org/cef96349","To":"bob@x.org/5c7c87a2","ReqId":"000000000000001f",{members}}}}}"#
        );
        on_push(&text, NOW)
    }

    #[test]
    fn an_invite_rings_under_the_name_of_the_caller() {
        let Wake { ack, show, note } = push(r#""method":"INVITE","topic":"Lunch""#);

        assert_eq!(ack.as_deref(), Some("00000000000000aa"));
        assert_eq!(note, None, "it rings yet");
        assert_eq!((show.title.as_str(), show.body.as_str()), ("alice@x.org is calling", "Lunch"));
        assert!(show.is_ringing);
        assert_eq!(show.buttons, [("answer", "Answer"), ("decline", "Decline")]);
    }

    #[test]
    fn what_becomes_of_it_takes_its_place() {
        let ringing = push(r#""method":"INVITE""#).show;

        for (members, title, outcome) in [
            (r#""method":"CANCEL","reason":"cancel""#, "Missed call from alice@x.org", "missed"),
            (r#""method":"CANCEL","reason":"accepted""#, "alice@x.org called", "called"),
            (r#""method":"CANCEL","reason":"declined""#, "alice@x.org called", "declined"),
        ] {
            let Wake { ack, show, note } = push(members);
            assert_eq!(note.unwrap(), format!("alice@x.org {outcome} 1795219200000"));
            assert_eq!((show.tag.as_str(), show.title.as_str()), (ringing.tag.as_str(), title));
            assert!(!show.is_ringing && ack.is_none());
        }
    }

    #[test]
    fn a_click_answers_declines_or_shows_the_call() {
        let data = push(r#""method":"INVITE""#).show.data;

        let opened = |action| match on_click(action, &data, NOW) {
            Click::Open { fragment } => fragment,
            Click::Decline { .. } => panic!("that declines"),
        };
        assert_eq!(opened("answer"), "answer=000000000000001f");
        assert_eq!(opened(""), "ring=000000000000001f");
        let Click::Decline { to, invite, show, note } = on_click("decline", &data, NOW) else {
            panic!("declining opens nothing")
        };
        assert_eq!(note, "alice@x.org declined 1795219200000");
        assert_eq!(to.to_string(), "alice@x.org/cef96349");
        assert_eq!(invite, InviteId(0x1f));
        assert!(!show.is_ringing);
    }

    #[test]
    fn a_missed_call_is_called_back_on_any_device() {
        let data = push(r#""method":"CANCEL","reason":"cancel""#).show.data;

        let Click::Open { fragment } = on_click("", &data, NOW) else { panic!("it opens the app") };

        assert_eq!(fragment, "back=alice@x.org");
        let found = opening(|name| (name == "back").then(|| "alice@x.org".to_owned()));
        assert_eq!(found, Some(Opening::CallBack("alice@x.org".parse().unwrap())));
    }

    #[test]
    fn whatever_comes_something_is_shown() {
        for text in ["", "{}", "[1]", "null", "\u{0}", r#"{"id":"x","data":{"method":"INVITE"}}"#] {
            let Wake { ack, show, note } = on_push(text, NOW);
            assert!(
                ack.is_none() && note.is_none() && !show.title.is_empty() && !show.is_ringing,
                "{text}"
            );
        }
        assert_eq!(on_click("answer", "junk", NOW), Click::Open { fragment: String::new() });
    }
}
