//! The bodies of `/contacts` and `/session`.

use serde::{Deserialize, Serialize};

use crate::{Address, InstanceId, Timestamp, UserId};

/// Answer to `GET /session`, and part of that to `GET /contacts`: whose token it is, and which device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The user.
    pub email: UserId,
    /// The device, once it has a contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// The rest of the answer to `GET /contacts`: what a device needs to be woken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wakeable {
    /// The Firebase project that the device's app was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What an app of that project is configured by: JSON, encoded as docs/protocol.md says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// What a browser subscribes to push messages by: an uncompressed point of P-256, URL-safe base64. Beside `config`,
    /// that of the project, encoded likewise.
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

/// Answer to `GET /contacts/shown/ID`: who shows an invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ringing {
    /// The devices, each once.
    pub devices: Vec<Address>,
}

/// A device that a message did not reach, in the answer to `POST /contacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// Which.
    pub instance: InstanceId,
    /// `gone`, `busy`, `full`, `refused`, `too-many` or `too-many-rings`.
    pub error: String,
}

/// Who rings a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ring {
    /// Whoever has the address.
    #[default]
    Everybody,
    /// Those whom the user called or answered.
    Known,
}

/// Answer to `GET /contacts/rules`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Who rings, of those who are not blocked.
    pub ring: Ring,
    /// Nothing of theirs arrives.
    pub blocked: Vec<UserId>,
}

/// Body of `PUT /contacts/rules`; what is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRules {
    /// Who rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<Ring>,
    /// To be blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub block: Vec<UserId>,
    /// To be blocked no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unblock: Vec<UserId>,
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
    #[serde(default)]
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
#[serde(rename_all = "lowercase", try_from = "EitherLogin")]
pub enum Login {
    /// With an access token, which becomes this browser's.
    Token(String),
    /// With the code of a log-in link, which is exchanged for a token of this browser's own.
    Code(String),
}

/// Both ways, of which one is to be given.
#[derive(Deserialize)]
struct EitherLogin {
    token: Option<String>,
    code: Option<String>,
}

impl TryFrom<EitherLogin> for Login {
    type Error = &'static str;

    fn try_from(login: EitherLogin) -> Result<Self, Self::Error> {
        match (login.token, login.code) {
            (Some(token), None) => Ok(Self::Token(token)),
            (None, Some(code)) => Ok(Self::Code(code)),
            (None, None) | (Some(_), Some(_)) => Err("give either a token or a code"),
        }
    }
}

/// The body of every refusal. One of `POST /contacts` may have `contacts` beside it, of [`Undelivered`].
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
    /// Whether its token is bound to its key, so that a copy of the token is of no use.
    #[serde(default)]
    pub is_bound: bool,
}
