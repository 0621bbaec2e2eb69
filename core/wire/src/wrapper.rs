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
//!     │ ◀──────────────────────── leave    │  the person left
//! ```
//!
//! `data` is a string or an `ArrayBuffer` and passes as it is, so it is not part of these types: the platform layer
//! carries it beside them.

use serde::{Deserialize, Serialize};

use crate::{InviteId, Malformed, NodeId, UserId};

/// What the wrapper says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", try_from = "Flat")]
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
#[serde(tag = "type", rename_all = "lowercase", try_from = "Flat")]
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
    /// The person left the conference: close the channels and the window.
    Leave,
}

/// The first frame on a fresh data channel, from both sides: who is at this end. JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", from = "FlatHello")]
pub enum Hello {
    /// `{"type":"SYN","sender":"<node>"}`
    #[serde(rename = "SYN")]
    Syn {
        /// The node at this end. Must be the one that the invite or the accept named.
        sender: NodeId,
    },
}

/// How a word is read: all fields of all types in one struct, for the same reason as in [`invite`](crate::invite).
#[derive(Deserialize)]
struct Flat {
    r#type: Type,
    id: Option<NodeId>,
    user: Option<UserId>,
    invite: Option<InviteId>,
    binding: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    Add,
    Remove,
    Message,
    Ready,
    Send,
    Flush,
    Flushed,
    Leave,
}

/// What a word may lack.
const NODE: Malformed = Malformed { word: "word", problem: "names no node" };

/// Not a word for this direction.
const ASTRAY: Malformed = Malformed { word: "word", problem: "is one of the other side" };

impl TryFrom<Flat> for Down {
    type Error = Malformed;

    fn try_from(flat: Flat) -> Result<Self, Malformed> {
        let id = flat.id.ok_or(NODE)?;
        match flat.r#type {
            Type::Add => {
                let Flat { user, invite, binding, .. } = flat;
                Ok(Self::Add { id, user, invite, binding })
            }
            Type::Remove => Ok(Self::Remove { id }),
            Type::Message => Ok(Self::Message { id }),
            Type::Flushed => Ok(Self::Flushed { id }),
            Type::Ready | Type::Send | Type::Flush | Type::Leave => Err(ASTRAY),
        }
    }
}

impl TryFrom<Flat> for Up {
    type Error = Malformed;

    fn try_from(flat: Flat) -> Result<Self, Malformed> {
        match flat.r#type {
            Type::Ready => Ok(Self::Ready),
            Type::Send => Ok(Self::Send { id: flat.id.ok_or(NODE)? }),
            Type::Leave => Ok(Self::Leave),
            Type::Flush => Ok(Self::Flush { id: flat.id.ok_or(NODE)? }),
            Type::Add | Type::Remove | Type::Message | Type::Flushed => Err(ASTRAY),
        }
    }
}

/// How a hello is read.
#[derive(Deserialize)]
struct FlatHello {
    r#type: HelloType,
    sender: NodeId,
}

#[derive(Deserialize)]
enum HelloType {
    #[serde(rename = "SYN")]
    Syn,
}

impl From<FlatHello> for Hello {
    fn from(flat: FlatHello) -> Self {
        match flat.r#type {
            HelloType::Syn => Self::Syn { sender: flat.sender },
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
        for word in [Up::Ready, Up::Send { id }, Up::Flush { id }, Up::Leave] {
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
