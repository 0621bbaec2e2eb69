//! Every refusal of the HTTP interface: status, a word for programs, a sentence for people.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use wire::contacts::{Refusal, Undelivered};
use wire::{Address, UserId};

use crate::connections::Full;
use crate::proof::Flaw;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) enum ApiError {
    NotLoggedIn,
    /// The token is bound to a key, and nothing proves that the key is there.
    ProofNeeded,
    /// A proof that is no good.
    ProofRefused(Flaw),
    /// The token is bound to another key than the one that is proved.
    BoundElsewhere,
    Malformed(String),
    UnknownUser(UserId),
    NotReachable(Address),
    /// Its devices can be woken, but were not.
    NotDelivered(Address, Vec<Undelivered>),
    TooManyRings(Address),
    /// They let only those ring whom they know.
    Stranger(Address),
    UnknownPush,
    NotCapable(Address),
    PresenceOff,
    WatchesTooMany,
    QueueFull(Address),
    NoContact,
    UnknownContact(String),
    ForeignOrigin,
    InsecureOrigin,
    NotFound,
    WrongMethod,
    TooLarge,
    TooSlow,
    NotJson,
    NotWebSocket,
    TooMany {
        seconds: u64,
    },
    Full(Full),
    SessionsUnavailable,
    Stopping,
    Broken,
}

impl ApiError {
    /// The word for programs.
    pub(crate) fn word(&self) -> &'static str {
        self.row().1
    }

    /// The sentence for people.
    pub(crate) fn message(&self) -> String {
        self.row().2
    }

    /// The table. `docs/protocol.md` repeats it for authors of clients.
    #[expect(clippy::too_many_lines, reason = "a table: every row has the same shape")]
    fn row(&self) -> (StatusCode, &'static str, String) {
        use StatusCode as S;
        let said = |status, word, sentence: &str| (status, word, sentence.to_owned());
        match self {
            Self::NotLoggedIn => said(
                S::UNAUTHORIZED,
                "not-logged-in",
                "You are not logged in, or your access was revoked. Log in again.",
            ),
            Self::ProofNeeded => said(
                S::UNAUTHORIZED,
                "proof-needed",
                "This token is bound to the key of one install, and the request does not prove that it has that key. Log in \
                 here with a link or a token of its own, or send a proof with the request (RFC 9449).",
            ),
            Self::ProofRefused(flaw @ (Flaw::Late(_) | Flaw::Early(_))) => (
                S::UNAUTHORIZED,
                "proof-stale",
                format!(
                    "The proof of the key is not of now: {flaw}. Set the clock of this device, or reckon with the time in the \
                     header Date of this answer."
                ),
            ),
            // Mostly it is neither the page's fault nor that of the person who reads it.
            Self::ProofRefused(Flaw::Address { named, here }) => (
                S::UNAUTHORIZED,
                "proof-refused",
                format!(
                    "The proof of the key is for {named}, but the request came to this server as {here}. A proxy in front \
                     has to pass Host, with its port, and the path on unchanged: tell the operator, who gives --base-path \
                     where there is a path before ours. A client of your own names in htu what it asks for, without the \
                     query."
                ),
            ),
            Self::ProofRefused(flaw) => (
                S::UNAUTHORIZED,
                "proof-refused",
                format!(
                    "The proof of the key is no good: {flaw}. Make a fresh one for each request."
                ),
            ),
            Self::BoundElsewhere => said(
                S::UNAUTHORIZED,
                "bound-elsewhere",
                "This token is bound to the key of another install. Log in here with a link or a token of its own.",
            ),
            Self::Malformed(what) => (
                S::BAD_REQUEST,
                "malformed",
                format!("The server does not understand the request: {what}."),
            ),
            Self::UnknownUser(user) => (
                S::NOT_FOUND,
                "unknown-user",
                format!("Nobody here has the address {user}. Check the spelling."),
            ),
            Self::NotReachable(to) => (
                S::NOT_FOUND,
                "not-reachable",
                format!("{to} is not logged in anywhere right now. Try again later."),
            ),
            Self::NotCapable(to) => (
                S::NOT_FOUND,
                "not-capable",
                format!("No device of {to} that is here can take this. Try another kind of call."),
            ),
            Self::PresenceOff => said(
                S::FORBIDDEN,
                "presence-off",
                "This server does not tell who is reachable. Ring them instead.",
            ),
            Self::WatchesTooMany => said(
                S::TOO_MANY_REQUESTS,
                "watches-too-many",
                "This connection watches as many users as one may. Watch fewer.",
            ),
            Self::QueueFull(to) => (
                S::TOO_MANY_REQUESTS,
                "queue-full",
                format!("Too many messages wait for {to} already. Try again in a minute."),
            ),
            Self::NoContact => said(
                S::FORBIDDEN,
                "no-contact",
                "This device cannot be answered, so it cannot send. Open /live or register a contact first.",
            ),
            Self::UnknownContact(what) => (
                S::BAD_REQUEST,
                "unknown-contact",
                format!("This device cannot be reached so: {what}."),
            ),
            Self::NotDelivered(to, _) => (
                S::NOT_FOUND,
                "not-reachable",
                format!("No device of {to} could be woken. Try again later."),
            ),
            Self::TooManyRings(to) => (
                S::TOO_MANY_REQUESTS,
                "too-many-rings",
                format!("You are calling {to} already, more than once. Wait until that is over."),
            ),
            Self::Stranger(to) => (
                S::FORBIDDEN,
                "stranger",
                format!(
                    "{to} takes calls only from people whom they have called or answered before. Ask them to call you."
                ),
            ),
            Self::UnknownPush => said(
                S::NOT_FOUND,
                "unknown-push",
                "No message of that number waits to be shown on this device.",
            ),
            Self::ForeignOrigin => said(
                S::FORBIDDEN,
                "foreign-origin",
                "The request came from a page of another site, or does not say from which. Use the app of this server.",
            ),
            Self::InsecureOrigin => said(
                S::FORBIDDEN,
                "insecure-origin",
                "Over plain http, browsers keep no log-in and open no camera. Open this page over https, or on localhost.",
            ),
            Self::NotFound => said(S::NOT_FOUND, "not-found", "There is nothing at this address."),
            Self::WrongMethod => said(
                S::METHOD_NOT_ALLOWED,
                "wrong-method",
                "This address does not take that method. The header Allow lists those it does.",
            ),
            Self::TooLarge => said(
                S::PAYLOAD_TOO_LARGE,
                "too-large",
                "The message is larger than this server takes. Send less at once.",
            ),
            Self::TooSlow => said(
                S::REQUEST_TIMEOUT,
                "too-slow",
                "The body of the request did not arrive in time. Send it again.",
            ),
            Self::NotJson => said(
                S::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "The body must be JSON, with the header Content-Type: application/json.",
            ),
            Self::NotWebSocket => said(
                S::UPGRADE_REQUIRED,
                "not-websocket",
                "This address speaks WebSocket only. Connect with a WebSocket client.",
            ),
            Self::TooMany { seconds } => (
                S::TOO_MANY_REQUESTS,
                "too-many",
                format!("This device sends too many messages. Try again in {seconds} s."),
            ),
            Self::Full(Full::All) => said(
                S::SERVICE_UNAVAILABLE,
                "full",
                "The server takes no more connections. Try again in a few seconds.",
            ),
            Self::Full(Full::User) => said(
                S::TOO_MANY_REQUESTS,
                "too-many-of-user",
                "This user has as many connections as one may have. Close some first.",
            ),
            Self::Full(Full::Address) => said(
                S::TOO_MANY_REQUESTS,
                "too-many-of-address",
                "Too many connections come from this network address. Close some first.",
            ),
            Self::SessionsUnavailable => said(
                S::SERVICE_UNAVAILABLE,
                "sessions-unavailable",
                "The session service cannot be reached, so nobody new can be let in. Try again in a moment.",
            ),
            Self::Stopping => said(
                S::SERVICE_UNAVAILABLE,
                "stopping",
                "The server is stopping. Try again in a moment.",
            ),
            Self::Broken => said(
                S::INTERNAL_SERVER_ERROR,
                "broken",
                "Something broke in the server; its log says what. Try again, or tell the operator.",
            ),
        }
    }
}

/// The body of a refusal.
#[derive(Serialize)]
struct Body {
    #[serde(flatten)]
    refusal: Refusal,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<Undelivered>,
}

/// The word of a refusal, in the extensions of its response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused(pub(crate) &'static str);

#[expect(clippy::wildcard_enum_match_arm, reason = "one refusal lists devices")]
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, word, message) = self.row();
        let contacts = match &self {
            Self::NotDelivered(_, contacts) => contacts.clone(),
            _ => Vec::new(),
        };
        let refusal = Refusal { error: word.to_owned(), message };
        let mut response = (status, Json(Body { refusal, contacts })).into_response();
        // Places are counted where they are given.
        if !matches!(self, Self::Full(_)) {
            response.extensions_mut().insert(Refused(word));
        }
        match self {
            Self::NotLoggedIn => insert(&mut response, "www-authenticate", "Bearer"),
            Self::ProofNeeded | Self::BoundElsewhere => {
                insert(
                    &mut response,
                    "www-authenticate",
                    r#"DPoP algs="ES256", error="invalid_token""#,
                );
            }
            Self::ProofRefused(_) => {
                let challenge = r#"DPoP algs="ES256", error="invalid_dpop_proof""#;
                insert(&mut response, "www-authenticate", challenge);
            }
            Self::NotWebSocket => insert(&mut response, "upgrade", "websocket"),
            Self::TooMany { seconds } => insert(&mut response, "retry-after", &seconds.to_string()),
            Self::QueueFull(_) | Self::TooManyRings(_) => {
                insert(&mut response, "retry-after", "60");
            }
            Self::Full(_) => insert(&mut response, "retry-after", "5"),
            Self::SessionsUnavailable => insert(&mut response, "retry-after", "5"),
            Self::Malformed(_)
            | Self::UnknownUser(_)
            | Self::NotReachable(_)
            | Self::NotCapable(_)
            | Self::PresenceOff
            | Self::WatchesTooMany
            | Self::NoContact
            | Self::UnknownContact(_)
            | Self::NotDelivered(..)
            | Self::UnknownPush
            | Self::Stranger(_)
            | Self::ForeignOrigin
            | Self::InsecureOrigin
            | Self::NotFound
            | Self::WrongMethod
            | Self::TooLarge
            | Self::TooSlow
            | Self::NotJson
            | Self::Stopping
            | Self::Broken => {}
        }
        response
    }
}

fn insert(response: &mut Response, name: &'static str, value: &str) {
    let value = value.parse().expect("these values are visible ASCII");
    response.headers_mut().insert(name, value);
}

impl From<Full> for ApiError {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

/// Whatever is not the client's doing is logged here, and told without details.
impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        tracing::error!(error = format!("{error:#}"), "A request failed");
        Self::Broken
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_of_clients_find_every_refusal_in_the_docs() {
        let docs = include_str!("../../docs/protocol.md");
        let openapi = include_str!("../../docs/openapi.json");
        let openapi: serde_json::Value = serde_json::from_str(openapi).unwrap();
        let words = &openapi["components"]["schemas"]["Refusal"]["properties"]["error"]["enum"];
        let words = words.as_array().unwrap();
        let user: UserId = "bob@example.com".parse().unwrap();
        let to = Address::of(user.clone());

        for error in [
            ApiError::NotLoggedIn,
            ApiError::ProofNeeded,
            ApiError::ProofRefused(Flaw::Signature),
            ApiError::ProofRefused(Flaw::Late(400)),
            ApiError::BoundElsewhere,
            ApiError::Malformed("x".to_owned()),
            ApiError::UnknownUser(user),
            ApiError::NotReachable(to.clone()),
            ApiError::NotCapable(to.clone()),
            ApiError::PresenceOff,
            ApiError::WatchesTooMany,
            ApiError::QueueFull(to.clone()),
            ApiError::NotDelivered(to.clone(), Vec::new()),
            ApiError::TooManyRings(to.clone()),
            ApiError::Stranger(to),
            ApiError::UnknownPush,
            ApiError::NoContact,
            ApiError::UnknownContact("x".to_owned()),
            ApiError::ForeignOrigin,
            ApiError::InsecureOrigin,
            ApiError::NotFound,
            ApiError::WrongMethod,
            ApiError::TooLarge,
            ApiError::TooSlow,
            ApiError::NotJson,
            ApiError::NotWebSocket,
            ApiError::TooMany { seconds: 1 },
            ApiError::Full(Full::All),
            ApiError::Full(Full::User),
            ApiError::Full(Full::Address),
            ApiError::SessionsUnavailable,
            ApiError::Stopping,
            ApiError::Broken,
        ] {
            let (status, word, _) = error.row();
            let line = format!("| {} | `{word}` |", status.as_u16());
            assert!(docs.contains(&line), "no line {line}");
            assert!(words.contains(&word.into()), "{word} is missing in docs/openapi.json");
        }
    }
}
