//! The WebSocket of PeerJS: the handshake, and the way out of the HTTP library.
//!
//! Once it is agreed that bytes are frames, the connection leaves the HTTP library, whose buffers and task are much more
//! than an idle client is worth, and goes to the thread of the switchboard. A plain TCP socket is taken out of its
//! wrappings; anything else (TLS, HTTP/2) goes as it is.

use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::super::App;
use super::accept_key;
use super::identity::{Refusal, Wish, admit};
use crate::error::ApiError;
use crate::switchboard::{Newcomer, Refused, Wire};

/// What a client writes into its address.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    key: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    token: String,
}

/// `GET /peerjs`: a WebSocket. A client that may not come in is told so over the WebSocket, for browsers do not show
/// what an HTTP answer says.
pub(super) async fn connect(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let response = match handshake(&parts) {
        Ok(response) => response,
        Err(error) => return error.into_response(),
    };
    let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return ApiError::NotWebSocket.into_response();
    };
    let newcomer = check(&app, &parts, &asked).await;
    let newcomer = newcomer.map_err(Refused::from);
    tokio::spawn(leave_http(app, upgrade, newcomer));
    response
}

async fn check(app: &App, parts: &Parts, asked: &Asked) -> Result<Newcomer, Refusal> {
    if asked.key.is_empty() || asked.id.is_empty() || asked.token.is_empty() {
        return Err(Refusal::Incomplete);
    }
    if *asked.key != *app.peerjs.key {
        return Err(Refusal::Key);
    }
    admit(app, parts, Wish { id: &asked.id, token: &asked.token }).await
}

/// What agrees to the WebSocket (RFC 6455 §4.2).
fn handshake(parts: &Parts) -> Result<Response, ApiError> {
    let headers = &parts.headers;
    let is_socket = parts.method == Method::GET
        && has_word(headers, header::CONNECTION, "upgrade")
        && has_word(headers, header::UPGRADE, "websocket")
        && has_word(headers, header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| is_socket);
    let key = key.ok_or(ApiError::NotWebSocket)?;
    let accept = accept_key(key.as_bytes()).parse().expect("base64 makes a header");
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

fn has_word(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(word))
}

async fn leave_http(app: App, upgrade: OnUpgrade, newcomer: Result<Newcomer, Refused>) {
    let vouched = newcomer.as_ref().ok().and_then(|newcomer| newcomer.vouched.clone());
    match upgrade.await.map_err(anyhow::Error::from).and_then(unwrap) {
        Ok((wire, sent)) => {
            app.switchboard.join(newcomer, wire, sent).await;
            app.note_vouched(vouched.as_ref()).await;
        }
        Err(error) => tracing::debug!(%error, "A client went before its WebSocket was there"),
    }
}

/// The connection itself, and what has come over it already.
fn unwrap(upgraded: Upgraded) -> anyhow::Result<(Wire, Vec<u8>)> {
    match downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => {
            // The switchboard's thread watches it from here on.
            let stream = parts.io.into_inner().into_std()?;
            Ok((Wire::Tcp(stream), parts.read_buf.to_vec()))
        }
        Err(upgraded) => Ok((Wire::Other(Box::new(TokioIo::new(upgraded))), Vec::new())),
    }
}
