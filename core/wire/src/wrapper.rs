//! The `postMessage` protocol between the wrapper, which keeps the data channels, and the conference app in its frame.
//!
//! ```text
//!   wrapper                              conference app
//!     │ ◀──────────────────────── ready    │  loaded and listening
//!     │ add {id, user} ───────────────▶    │  a data channel to that node is open
//!     │ message {id, data} ───────────▶    │  came over it
//!     │ ◀────────────── send {id, data}    │  goes out over it
//!     │ remove {id} ──────────────────▶    │  it is closed
//!     │ ◀──────────────────────── leave    │  the person left
//! ```
//!
//! `data` is a string or an `ArrayBuffer` and passes as it is, so it is not part of these types: the platform layer
//! carries it beside them.

use serde::{Deserialize, Serialize};

use crate::{NodeId, UserId};

/// What the wrapper says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Down {
    /// A data channel to that node is open.
    Add {
        /// The other node.
        id: NodeId,
        /// Who the server said that is; absent when nobody vouched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
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
}

/// What the conference app says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Up {
    /// It is loaded and listens.
    Ready,
    /// Send over the channel to that node; `data` beside it.
    Send {
        /// The other node.
        id: NodeId,
    },
    /// The person left the conference: close the channels and the window.
    Leave,
}

/// The first frame on a fresh data channel, from both sides: who is at this end. JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Hello {
    /// `{"type":"SYN","sender":"<node>"}`
    #[serde(rename = "SYN")]
    Syn {
        /// The node at this end. Must be the one that the invite or the accept named.
        sender: NodeId,
    },
}
