//! Frames of the live socket, `/live`: JSON text, one object each.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
        /// Whether this server tells who is reachable: [`FromPage::Watch`].
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        presence: bool,
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
    /// The socket closes: the session has ended, here or elsewhere, or was revoked, unless a reason says otherwise.
    Goodbye {
        /// [`OTHER_DEVICE`], [`PROOF_NEEDED`], or one that is not known yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Whether users are reachable who are watched: at once, and whenever it changes.
    Presence {
        /// Who.
        of: Vec<Seen>,
    },
    /// The last frame of the page was refused; the socket stays.
    Error {
        /// A word for programs, as in answers over HTTP.
        error: String,
        /// A sentence for people.
        message: String,
    },
    /// Answer to [`FromPage::Ping`].
    Pong,
}

/// The session is good, but its user has another device that rings, and no more than one may.
pub const OTHER_DEVICE: &str = "other-device";

/// The token was bound to a key elsewhere, and this socket came without a proof of it.
pub const PROOF_NEEDED: &str = "proof-needed";

/// A user who is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Who.
    pub user: UserId,
    /// Whether they are reachable and show it to whoever watches.
    pub reachable: bool,
}

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", try_from = "PageFields")]
pub enum FromPage {
    /// The push has been shown to the person.
    Ack {
        /// Which push.
        id: String,
    },
    /// Is the server there?
    Ping,
    /// Tell me whether these are reachable, now and whenever it changes.
    Watch {
        /// Who.
        users: Vec<UserId>,
    },
    /// I do not want to know about these any more.
    Unwatch {
        /// Who.
        users: Vec<UserId>,
    },
}

/// What a page says, before its fields are held against its type. Read flat, so that an error knows its place.
#[derive(Deserialize)]
struct PageFields {
    r#type: PageType,
    id: Option<String>,
    users: Option<Vec<UserId>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PageType {
    Ack,
    Ping,
    Watch,
    Unwatch,
}

impl TryFrom<PageFields> for FromPage {
    type Error = &'static str;

    fn try_from(fields: PageFields) -> Result<Self, Self::Error> {
        let PageFields { r#type, id, users } = fields;
        let users = users.ok_or("a watch and an unwatch have users");
        Ok(match r#type {
            PageType::Ack => Self::Ack { id: id.ok_or("an ack has an id")? },
            PageType::Ping => Self::Ping,
            PageType::Watch => Self::Watch { users: users? },
            PageType::Unwatch => Self::Unwatch { users: users? },
        })
    }
}

impl TryFrom<Fields> for FromServer {
    type Error = Malformed;

    fn try_from(fields: Fields) -> Result<Self, Malformed> {
        let mut fields = fields.called("frame");
        Ok(match fields.shape("type") {
            "welcome" => Self::Welcome {
                email: fields.name("email")?,
                instance: fields.name("instance")?,
                presence: fields.maybe("presence") == Some(Value::Bool(true)),
            },
            "push" => {
                let data = fields.maybe("data").and_then(Fields::of);
                let data = data.ok_or(fields.malformed("brings nothing"))?;
                Self::Push { id: fields.text("id")?, data: data.try_into()? }
            }
            "receipt" => {
                Self::Receipt { invite: fields.name("ReqId")?, from: fields.name("from")? }
            }
            "goodbye" => Self::Goodbye { reason: fields.maybe_text("reason")? },
            "presence" => {
                let Some(Value::Array(of)) = fields.maybe("of") else {
                    return Err(fields.malformed("is about nobody"));
                };
                Self::Presence { of: of.into_iter().map(seen).collect::<Result<_, _>>()? }
            }
            "error" => {
                Self::Error { error: fields.text("error")?, message: fields.text("message")? }
            }
            "pong" => Self::Pong,
            _ => return Err(fields.malformed("is of a type that the server does not say")),
        })
    }
}

fn seen(value: Value) -> Result<Seen, Malformed> {
    let malformed = Malformed { word: "frame", problem: "is about what is no user" };
    let mut fields = Fields::of(value).ok_or(malformed)?.called("frame");
    let reachable = fields.maybe("reachable") == Some(Value::Bool(true));
    Ok(Seen { user: fields.name("user")?, reachable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_of_the_server_survives_json() {
        let instance: InstanceId = "cef96349".parse().unwrap();
        let from: Address = "bob@home.com/5c7c87a2".parse().unwrap();
        let user: UserId = "alice@office.com".parse().unwrap();
        for frame in [
            FromServer::Welcome { email: user.clone(), instance, presence: false },
            FromServer::Welcome { email: user.clone(), instance, presence: true },
            FromServer::Receipt { invite: InviteId(1), from },
            FromServer::Goodbye { reason: None },
            FromServer::Goodbye { reason: Some(OTHER_DEVICE.to_owned()) },
            FromServer::Presence { of: vec![Seen { user, reachable: true }] },
            FromServer::Error { error: "full".to_owned(), message: "Too many".to_owned() },
            FromServer::Pong,
        ] {
            let text = serde_json::to_string(&frame).unwrap();

            assert_eq!(serde_json::from_str::<FromServer>(&text).unwrap(), frame, "{text}");
        }
    }
}
