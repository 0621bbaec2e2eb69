//! The `postMessage` protocol between the wrapper, which keeps the data channels, and the conference app in its frame.
//!
//! ```text
//!   wrapper                              conference app
//!     │ ◀──────────────────────── ready    │  loaded and listening
//!     │ add {id, user, …} ────────────▶    │  a data channel to that node is open
//!     │ message {id, data} ───────────▶    │  came over it
//!     │ ◀────────────── send {id, data}    │  goes out over it
//!     │ ◀───────────────────── flush {id}  │  say when next to nothing of that waits any more
//!     │ flushed {id} ─────────────────▶    │  that is so now
//!     │ remove {id} ──────────────────▶    │  it is closed
//!     │ ◀─────────────── seek {id, user}   │  no message reaches that node: open a channel anew
//!     │ ◀──────────────────────── leave    │  the person left
//!     │ ◀────────────────────── removed    │  the person was removed by whoever founded the conference
//! ```
//!
//! `data` is a string or an `ArrayBuffer` and passes as it is, so it is not part of these types: the platform layer
//! carries it beside them.

use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::{InviteId, Malformed, NodeId, UserId};

/// What the wrapper says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", try_from = "Fields")]
pub enum Down {
    /// A data channel to that node is open.
    Add {
        /// The other node.
        id: NodeId,
        /// Who the server said that is; absent when nobody vouched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        /// By which invite of ours it comes; absent when we came by one of theirs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite: Option<InviteId>,
        /// The fingerprints of both ends of the channel, the same text at both; absent when they are not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        binding: Option<String>,
    },
    /// The channel to that node is closed.
    Remove {
        /// The other node.
        id: NodeId,
    },
    /// Something came over the channel; `data` beside it.
    Message {
        /// The other node.
        id: NodeId,
    },
    /// Next to nothing waits to be sent over the channel. The answer to a [`Up::Flush`].
    Flushed {
        /// The other node.
        id: NodeId,
    },
}

/// What the conference app says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", try_from = "Fields")]
pub enum Up {
    /// It is loaded and listens.
    Ready,
    /// Send over the channel to that node; `data` beside it.
    Send {
        /// The other node.
        id: NodeId,
    },
    /// Say when next to nothing of what was sent over the channel to that node waits any more.
    Flush {
        /// The other node.
        id: NodeId,
    },
    /// No message reaches that node any more, and it did not say that it leaves: open a channel to it anew, if you can.
    Seek {
        /// The other node.
        id: NodeId,
        /// Whose node that is, as far as is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
    },
    /// The person left the conference: close the channels and the window.
    Leave,
    /// The person was removed from the conference: close the channels, and say so.
    Removed,
}

/// The first frame on a fresh data channel, from both sides: who is at this end. JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", try_from = "Fields")]
pub enum Hello {
    /// `{"type":"SYN","sender":"<node>"}`
    #[serde(rename = "SYN")]
    Syn {
        /// The node at this end. Must be the one that the invite or the accept named.
        sender: NodeId,
    },
}

/// A word for the other direction, or none at all.
const ASTRAY: &str = "is none that this side says";

impl TryFrom<Fields> for Down {
    type Error = Malformed;

    fn try_from(fields: Fields) -> Result<Self, Malformed> {
        let mut fields = fields.called("word");
        let id = fields.name("id")?;
        Ok(match fields.shape("type") {
            "add" => {
                let (user, invite) = (fields.maybe_name("user")?, fields.maybe_name("invite")?);
                Self::Add { id, user, invite, binding: fields.maybe_text("binding")? }
            }
            "remove" => Self::Remove { id },
            "message" => Self::Message { id },
            "flushed" => Self::Flushed { id },
            _ => return Err(fields.malformed(ASTRAY)),
        })
    }
}

impl TryFrom<Fields> for Up {
    type Error = Malformed;

    fn try_from(fields: Fields) -> Result<Self, Malformed> {
        let mut fields = fields.called("word");
        Ok(match fields.shape("type") {
            "ready" => Self::Ready,
            "leave" => Self::Leave,
            "removed" => Self::Removed,
            "send" => Self::Send { id: fields.name("id")? },
            "flush" => Self::Flush { id: fields.name("id")? },
            "seek" => Self::Seek { id: fields.name("id")?, user: fields.maybe_name("user")? },
            _ => return Err(fields.malformed(ASTRAY)),
        })
    }
}

impl TryFrom<Fields> for Hello {
    type Error = Malformed;

    fn try_from(fields: Fields) -> Result<Self, Malformed> {
        let mut fields = fields.called("hello");
        match fields.shape("type") {
            "SYN" => Ok(Self::Syn { sender: fields.name("sender")? }),
            _ => Err(fields.malformed("is no greeting")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_survives_json() {
        let id = NodeId(7);
        let user = Some("bob@home.com".parse().unwrap());
        let (invite, binding) = (Some(InviteId(3)), Some("sha-256 0A".to_owned()));
        let add = Down::Add { id, user, invite, binding };
        let down = [add, Down::Remove { id }, Down::Message { id }, Down::Flushed { id }];
        for word in down {
            let text = serde_json::to_string(&word).unwrap();
            assert_eq!(serde_json::from_str::<Down>(&text).unwrap(), word, "{text}");
        }
        for word in [Up::Ready, Up::Send { id }, Up::Flush { id }, Up::Leave, Up::Removed] {
            let text = serde_json::to_string(&word).unwrap();
            assert_eq!(serde_json::from_str::<Up>(&text).unwrap(), word, "{text}");
        }
    }

    #[test]
    fn a_hello_is_that_of_the_reference() {
        let text = r#"{"type":"SYN","sender":"0000000000000007"}"#;

        let hello: Hello = serde_json::from_str(text).unwrap();

        assert_eq!(hello, Hello::Syn { sender: NodeId(7) });
        assert_eq!(serde_json::to_string(&hello).unwrap(), text);
    }

    #[test]
    fn a_word_of_the_other_side_is_refused() {
        let text = serde_json::to_string(&Up::Ready).unwrap();

        assert!(serde_json::from_str::<Down>(&text).is_err());
    }
}
