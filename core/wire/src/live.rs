//! Frames of the live socket, `/live`: JSON text, one object each.

use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::invite::Letter;
use crate::{Address, InstanceId, InviteId, Malformed, UserId};

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", try_from = "Fields")]
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

impl TryFrom<Fields> for FromServer {
    type Error = Malformed;

    fn try_from(fields: Fields) -> Result<Self, Malformed> {
        let mut fields = fields.called("frame");
        Ok(match fields.shape("type") {
            "welcome" => {
                Self::Welcome { email: fields.name("email")?, instance: fields.name("instance")? }
            }
            "push" => {
                let data = fields.maybe("data").and_then(Fields::of);
                let data = data.ok_or(fields.malformed("brings nothing"))?;
                Self::Push { id: fields.text("id")?, data: data.try_into()? }
            }
            "receipt" => {
                Self::Receipt { invite: fields.name("ReqId")?, from: fields.name("from")? }
            }
            "goodbye" => Self::Goodbye,
            "pong" => Self::Pong,
            _ => return Err(fields.malformed("is of a type that the server does not say")),
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
