//! The bodies of `/contacts` and `/session`.

use serde::{Deserialize, Serialize};

use crate::{Address, InstanceId, Timestamp, UserId};

/// Answer to `GET /contacts` and `GET /session`: whose token it is, and which device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The user.
    pub email: UserId,
    /// The device, once it has a contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// Body of `PUT /contacts`: how this device is reached. `"live"` is the live socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The contact.
    pub contact: String,
}

/// Answer to `PUT /contacts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The device, as others address it.
    pub instance: InstanceId,
    /// When the contact must have been refreshed.
    pub expires: Timestamp,
}

/// Body of `POST /contacts`: a message for a user or for one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Send {
    /// Whom it is for.
    pub to: Address,
    /// What to deliver. The server adds `From` and `To`.
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// Answer to `POST /contacts`: to how many devices it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// At least one.
    pub count: u32,
}

/// Body of `POST /session`: one of the two ways to log a browser in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Login {
    /// With an access token, which becomes this browser's.
    Token(String),
    /// With the code of a log-in link, which is exchanged for a token of this browser's own.
    Code(String),
}

/// The body of every refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A stable word for programs, for example `not-reachable`. The table is in docs/protocol.md.
    pub error: String,
    /// A sentence for people: what happened, and what to do.
    pub message: String,
}

/// Answer to `GET /session/ways`: how one can log in beside a token and a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// Whether the server mails log-in links.
    pub mail: bool,
    /// What people call the OpenID Connect provider, if there is one. Its page is `session/openid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<String>,
}

/// Body of `POST /session/mail`: whom to mail a log-in link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailLink {
    /// A mail address, which is the name of the user.
    pub email: String,
}

/// A member of the answer to `GET /session/devices`: one place where the user is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedIn {
    /// Names it in `DELETE /session/devices/{id}`.
    pub id: String,
    /// What people call the device.
    pub device: String,
    /// When it was logged in.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
    /// Whether it is the one that asks.
    pub is_this: bool,
}
