//! Who a PeerJS request is. This is the one place that decides it.

use std::sync::Arc;

use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use broker::{Device, Peer, Proof, Standing};
use sha2::{Digest as _, Sha256};
use wire::UserId;
use wire::peerjs::PeerId;

use super::super::App;
use super::super::auth::{self, Session};
use crate::connections::{Kind, Seat, Who};
use crate::error::ApiError;
use crate::listener::Remote;
use crate::secret::Secret;
use crate::session::Origin;
use crate::switchboard::{Expected, Newcomer, Refused};

/// Who somebody is.
pub(super) enum Identity {
    /// Nobody in particular.
    Guest,
    /// A user, by a session that was checked.
    User(Box<Session>),
}

/// Why somebody may not come in.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A part of the address is missing, in PeerServer's words, which clients may look for.
    Incomplete,
    /// The key is another server's.
    Key,
    /// There is no session, and guests may not come.
    NotLoggedIn,
    /// The session is of a user with another name.
    OtherName(UserId),
    /// The name cannot be anybody's.
    Name(wire::Malformed),
    /// Guests' names begin otherwise.
    Prefix(Arc<str>),
    /// Anything else that may befall a request.
    Other(ApiError),
}

impl Refusal {
    /// The word in metrics; `None` if it is counted already.
    fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Incomplete => "peerjs-incomplete",
            Self::Key => "peerjs-key",
            Self::NotLoggedIn => "peerjs-not-logged-in",
            Self::OtherName(_) => "peerjs-other-name",
            Self::Name(_) => "peerjs-name",
            Self::Prefix(_) => "peerjs-guest-prefix",
            // Where there was no place for it.
            Self::Other(ApiError::Full(_)) => return None,
            Self::Other(error) => error.word(),
        })
    }

    /// A sentence for people.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Incomplete => "No id, token, or key supplied to websocket server".to_owned(),
            Self::Key => "Invalid key provided".to_owned(),
            Self::NotLoggedIn => {
                "This server takes only users who are logged in. Log in, then connect again"
                    .to_owned()
            }
            Self::OtherName(user) => format!(
                "You are logged in as {user}, so your id is {user}. Connect without an id, or with this one"
            ),
            Self::Name(problem) => format!("This id cannot be used: the {problem}"),
            Self::Prefix(prefix) => format!(
                "On this server, ids of clients that are not logged in begin with {prefix}. Connect without an id, or with \
                 one that does"
            ),
            Self::Other(error) => error.message(),
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { taken: false, reason: refusal.reason(), message: refusal.message() }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::NotLoggedIn => ApiError::NotLoggedIn.into_response(),
            Self::Other(error) => error.into_response(),
            Self::Incomplete | Self::Key | Self::OtherName(_) | Self::Name(_) | Self::Prefix(_) => {
                ApiError::Malformed(self.message()).into_response()
            }
        }
    }
}

/// Who a request is: by bearer token, by cookie, or by the `token` that PeerJS puts into its address, in this order. Who
/// presents nothing that is good is a guest, where guests may come.
pub(super) async fn identify(
    app: &App,
    parts: &Parts,
    token: Option<&str>,
) -> Result<Identity, Refusal> {
    let token = token.map(Secret::presented);
    let mut session = auth::identify(parts, app, token.clone()).await;
    if app.peerjs.open && matches!(session, Err(ApiError::ProofNeeded)) {
        // Browsers send the cookie of the web app by themselves, and PeerJS has not its key: judged as without it.
        let mut parts = parts.clone();
        parts.headers.remove(header::COOKIE);
        session = auth::identify(&parts, app, token).await;
    }
    match session {
        Ok(session) => Ok(Identity::User(Box::new(session))),
        Err(ApiError::NotLoggedIn) if app.peerjs.open => Ok(Identity::Guest),
        // Nothing is believed that came with the request; as a guest it can do no harm.
        Err(ApiError::ForeignOrigin) if app.peerjs.open => Ok(Identity::Guest),
        Err(ApiError::NotLoggedIn) => Err(Refusal::NotLoggedIn),
        Err(error) => Err(Refusal::Other(error)),
    }
}

/// What a client wants to be, and what it will be known by again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    pub(super) id: &'a str,
    pub(super) token: &'a str,
}

/// Lets a client be what it wishes, if it may and there is room.
pub(super) async fn admit(app: &App, parts: &Parts, wish: Wish<'_>) -> Result<Newcomer, Refusal> {
    if wish.id.is_empty() || wish.token.is_empty() {
        return Err(Refusal::Incomplete);
    }
    let proof = prove(wish.token);
    let Remote(from) = Remote::of(parts, &app.proxies);
    match identify(app, parts, Some(wish.token)).await? {
        Identity::Guest => {
            let name: PeerId = wish.id.parse().map_err(Refusal::Name)?;
            if !wish.id.starts_with(&*app.peerjs.guest_prefix) {
                return Err(Refusal::Prefix(app.peerjs.guest_prefix.clone()));
            }
            let who = Who {
                kind: Kind::PeerJs,
                name: wish.id.to_owned(),
                user: None,
                token: None,
                is_proven: false,
                is_asked_about: false,
                until: None,
                from,
            };
            let peer = Peer::Guest(name);
            let seat = enter(app, who, &peer, proof).await?;
            let standing = Standing::default();
            Ok(Newcomer { peer, proof, standing, seat, vouched: None })
        }
        Identity::User(session) => {
            if wish.id != session.user.as_str() {
                return Err(Refusal::OtherName(session.user));
            }
            let device = Device { user: session.user.clone(), instance: session.live_instance() };
            let is_vouched_for = matches!(session.origin, Origin::Session { .. });
            let who = Who {
                kind: Kind::PeerJs,
                name: device.to_string(),
                is_proven: session.is_proven(),
                user: Some(session.user),
                token: Some(session.token),
                is_asked_about: is_vouched_for,
                until: session.until,
                from,
            };
            let peer = Peer::Device(device.clone());
            let seat = enter(app, who, &peer, proof).await?;
            let standing =
                app.store.standing(&device, app.peerjs.policy).await.map_err(ApiError::from)?;
            let vouched = is_vouched_for.then_some(device.user);
            Ok(Newcomer { peer, proof, standing, seat, vouched })
        }
    }
}

async fn enter(app: &App, who: Who, peer: &Peer, proof: Proof) -> Result<Seat, ApiError> {
    let returns = app.switchboard.expects(Expected::Peer(peer.clone(), proof));
    Ok(app.connections.enter(who, returns).await?)
}

/// What the broker keeps of a client's token.
pub(super) fn prove(token: &str) -> Proof {
    let digest = Sha256::digest(token.as_bytes());
    let half = digest.first_chunk().expect("a digest has 32 bytes");
    Proof(u128::from_be_bytes(*half))
}
