//! Frames of the live socket, `/live`: JSON text, one object each.

use serde::{Deserialize, Serialize};

use crate::invite::Letter;
use crate::{Address, InstanceId, InviteId, UserId};

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FromServer {
    /// The socket is open and this device can be reached on it.
    Welcome {
        /// Whose device this is.
        email: UserId,
        /// The device, as others address it.
        instance: InstanceId,
    },
    /// A message for this device.
    Push {
        /// To acknowledge it by.
        id: String,
        /// What it says.
        data: Letter,
    },
    /// A device shows the invite that was sent to it: it rings.
    Receipt {
        /// Which invite.
        #[serde(rename = "ReqId")]
        invite: InviteId,
        /// Which device.
        from: Address,
    },
    /// The session has ended: logged out here or elsewhere, or revoked. The socket closes.
    Goodbye,
    /// Answer to [`FromPage::Ping`].
    Pong,
}

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FromPage {
    /// The push has been shown to the person.
    Ack {
        /// Which push.
        id: String,
    },
    /// Is the server there?
    Ping,
}
