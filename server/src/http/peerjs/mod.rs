//! The face that PeerJS clients see: what PeerServer's routes did, said with reasons.
//!
//! ```text
//!   GET  peerjs?key&id&token         WebSocket, whatever the key       socket.rs
//!   GET  KEY/id                      who am I?                         here
//!   GET  KEY/peers                   who is here, where allowed        here
//!   GET  KEY/peers/ID                is that one reachable?            here
//!   POST KEY/ID/TOKEN/id             a stream instead of a WebSocket   xhr.rs
//!   POST KEY/ID/TOKEN/offer, …       and what goes the other way       xhr.rs
//! ```
//!
//! Who a request is, is decided in `identity.rs` alone. What is said to clients is in `words.rs`.

mod cors;
mod identity;
mod socket;
pub(crate) mod words;
mod xhr;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use broker::Policy;
use serde::Deserialize;
use wire::peerjs::PeerId;

use super::{App, presence};
use crate::error::ApiError;
pub(crate) use cors::reflect;
use identity::{Identity, identify};

/// How the operator wants the face to be.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// The key that clients give; the first segment of their paths.
    pub(crate) key: Arc<str>,
    /// Whether guests may come, under names that they choose.
    pub(crate) open: bool,
    /// Whether anybody may list who is here.
    pub(crate) discovery: bool,
    /// Which devices of a user ring, unless the user has a policy of its own.
    pub(crate) policy: Policy,
    /// What the names of guests begin with.
    pub(crate) guest_prefix: Arc<str>,
}

/// The routes, below `base`.
pub(crate) fn routes(base: &str, manner: &Manner, message_bytes_max: usize) -> Router<App> {
    let key = &manner.key;
    let at = |path: &str| format!("{base}{path}");
    let under = |path: &str| format!("{base}{key}/{path}");
    Router::new()
        .route(&at("peerjs"), axum::routing::any(socket::connect))
        .route(&under("id"), get(id))
        .route(&under("id/"), get(id))
        .route(&under("peers"), get(peers))
        .route(&under("peers/"), get(peers))
        .route(&under("peers/{id}"), get(peer))
        .route(&under("{id}/{token}/id"), post(xhr::stream))
        .route(&under("{id}/{token}/{verb}"), post(xhr::say))
        .layer(DefaultBodyLimit::max(message_bytes_max))
        // Here, so that the question that a browser asks before is no wrong method yet.
        .method_not_allowed_fallback(|| async { ApiError::WrongMethod })
        .layer(middleware::from_fn(cors::allow))
}

/// What clients of PeerServer look for at its root.
pub(crate) fn banner() -> Response {
    axum::Json(serde_json::json!({
        "name": "PeerJS Server",
        "description": "A server side element to broker connections between PeerJS clients.",
        "website": "https://peerjs.com/",
    }))
    .into_response()
}

/// The token that a client may give in its address.
#[derive(Debug, Default, Deserialize)]
struct Given {
    token: Option<String>,
}

/// Who am I? A user's name, or a fresh one for a guest, which is not kept for it: it is long enough to be its own.
async fn id(State(app): State<App>, Query(given): Query<Given>, parts: Parts) -> Response {
    let name = match identify(&app, &parts, given.token.as_deref()).await {
        Ok(Identity::User(session)) => session.user.to_string(),
        Ok(Identity::Guest) => match random_name() {
            Ok(name) => format!("{}{name}", app.peerjs.guest_prefix),
            Err(error) => return error.into_response(),
        },
        Err(refusal) => return refusal.into_response(),
    };
    // Browsers show it as text; PeerServer says text/html, which would let a name bring its own page.
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], name).into_response()
}

/// A random UUID (RFC 9562 §5.4), as PeerServer gives them.
fn random_name() -> Result<String, ApiError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("The system gives no random numbers: {error}"))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(groups.join("-"))
}

/// Who is here.
async fn peers(State(app): State<App>) -> Response {
    if !app.peerjs.discovery {
        // The text that clients of PeerServer know.
        return (StatusCode::UNAUTHORIZED, "Unauthorized").into_response();
    }
    match app.switchboard.peers().await {
        Ok(names) => {
            let names: Vec<&str> = names.iter().map(PeerId::as_str).collect();
            axum::Json(names).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// Is that one reachable? As far as whoever asks may know.
async fn peer(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(given): Query<Given>,
    parts: Parts,
) -> Response {
    let user = match identify(&app, &parts, given.token.as_deref()).await {
        Ok(Identity::User(session)) => Some(session.user),
        Ok(Identity::Guest) => None,
        Err(refusal) => return refusal.into_response(),
    };
    let name = match id.parse::<PeerId>() {
        Ok(name) => name,
        Err(problem) => return ApiError::Malformed(format!("the {problem}")).into_response(),
    };
    match presence::see(&app, user, vec![name]).await {
        Ok(seen) => {
            let reachable = seen.first() == Some(&true);
            axum::Json(serde_json::json!({ "id": id, "reachable": reachable })).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// The key that a WebSocket client is answered with (RFC 6455 §4.2.2).
fn accept_key(key: &[u8]) -> String {
    use sha1::{Digest as _, Sha1};
    let digest = Sha1::new()
        .chain_update(key)
        .chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
        .finalize();
    base64::engine::general_purpose::STANDARD.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_answered_as_in_the_rfc() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_random_name_is_a_uuid_and_never_the_same() {
        let one = random_name().unwrap();

        let groups: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert_eq!(&one[14..15], "4");
        assert!("89ab".contains(&one[19..20]));
        assert_ne!(one, random_name().unwrap());
    }
}
