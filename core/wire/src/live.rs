//! Frames of the live socket, `/live`: JSON text, one object each.

use serde::{Deserialize, Serialize};

use crate::invite::Letter;
use crate::{Address, InstanceId, InviteId, Malformed, UserId};

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", try_from = "Flat")]
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

/// How a frame of the server is read: all fields of all types in one struct, for the same reason as in
/// [`invite`](crate::invite).
#[derive(Deserialize)]
struct Flat {
    r#type: Type,
    email: Option<UserId>,
    instance: Option<InstanceId>,
    id: Option<String>,
    data: Option<Letter>,
    #[serde(rename = "ReqId")]
    invite: Option<InviteId>,
    from: Option<Address>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    Welcome,
    Push,
    Receipt,
    Goodbye,
    Pong,
}

impl TryFrom<Flat> for FromServer {
    type Error = Malformed;

    fn try_from(flat: Flat) -> Result<Self, Malformed> {
        let lacking = || Malformed { word: "frame", problem: "lacks a field that its type needs" };
        Ok(match flat.r#type {
            Type::Welcome => Self::Welcome {
                email: flat.email.ok_or_else(lacking)?,
                instance: flat.instance.ok_or_else(lacking)?,
            },
            Type::Push => Self::Push {
                id: flat.id.ok_or_else(lacking)?,
                data: flat.data.ok_or_else(lacking)?,
            },
            Type::Receipt => Self::Receipt {
                invite: flat.invite.ok_or_else(lacking)?,
                from: flat.from.ok_or_else(lacking)?,
            },
            Type::Goodbye => Self::Goodbye,
            Type::Pong => Self::Pong,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_of_the_server_survives_json() {
        let instance: InstanceId = "cef96349".parse().unwrap();
        let from: Address = "bob@home.com/5c7c87a2".parse().unwrap();
        for frame in [
            FromServer::Welcome { email: "alice@office.com".parse().unwrap(), instance },
            FromServer::Receipt { invite: InviteId(1), from },
            FromServer::Goodbye,
            FromServer::Pong,
        ] {
            let text = serde_json::to_string(&frame).unwrap();

            assert_eq!(serde_json::from_str::<FromServer>(&text).unwrap(), frame, "{text}");
        }
    }
}
