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
    /// What a browser subscribes to push messages by: an uncompressed point of P-256, URL-safe base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vapidkey: Option<String>,
}

/// Body of `PUT /contacts`: how this device is reached. `"live"` is the live socket; everything else is as `wake`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The contact.
    pub contact: String,
    /// How it is woken while its pages are closed: the JSON of a push subscription, or a Firebase registration token.
    /// When absent, that stays as it is; when empty, it is not woken any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake: Option<String>,
}

/// Body of `POST /contacts/shown`: a message that woke this device has been shown to its person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The number that the message came with.
    pub id: String,
}

/// A device that a message did not reach, in the answer to `POST /contacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// Which.
    pub instance: InstanceId,
    /// `gone`, `busy`, `refused` or `too-many-rings`.
    pub error: String,
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
    /// Which devices a message did not reach, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Undelivered>,
}
