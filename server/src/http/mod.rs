//! The HTTP interface: routes, and what every answer has in common.

mod auth;
mod body;
mod contacts;
mod cors;
mod device;
mod devices;
mod files;
mod json;
pub(crate) mod live;
mod login;
pub(crate) mod metrics;
mod observe;
pub(crate) mod origin;
pub(crate) mod peerjs;
mod presence;
mod rules;
mod session;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::response::{Redirect, Response};
use axum::routing::{delete, get, post};
use broker::Showing;
use tokio::sync::watch;
use wire::UserId;

use crate::connections::Connections;
use crate::error::ApiError;
use crate::listener::Proxies;
use crate::login::Ways;
use crate::proof::Seen;
use crate::push::Carriers;
use crate::rate::Rate;
use crate::secret::Secret;
use crate::session::Verifier;
use crate::store::Store;
use crate::switchboard::Switchboard;
use crate::telemetry::Metrics;
use crate::web::File;
use origin::Origins;

/// The largest body, in bytes. An offer is under 3 KB; the bound of one description is 16 KiB.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What the routes share. Cheap to clone, for each layer of each request does.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// What is in it.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) switchboard: Switchboard,
    /// The ways to wake devices whose pages are closed.
    pub(crate) carriers: Arc<Carriers>,
    pub(crate) verifier: Verifier,
    pub(crate) ways: Ways,
    /// The operator's own cookie.
    pub(crate) session_cookie: Option<Arc<str>>,
    pub(crate) connections: Connections,
    pub(crate) metrics: Metrics,
    /// What shows the metrics on the public listener.
    pub(crate) metrics_token: Option<Secret>,
    pub(crate) proxies: Arc<Proxies>,
    /// Pages that may use this server beside its own.
    pub(crate) origins: Arc<Origins>,
    pub(crate) files: &'static [File],
    /// The path of everything; begins and ends with a slash.
    pub(crate) base_path: Arc<str>,
    pub(crate) rhythm: live::Rhythm,
    /// How long a body may take.
    pub(crate) patience: Duration,
    /// How fast one client may speak.
    pub(crate) rate: Rate,
    /// The largest message of one client, in bytes.
    pub(crate) message_bytes_max: usize,
    /// Who may know whether somebody is reachable.
    pub(crate) showing: Showing,
    /// The name of the next request.
    pub(crate) requests: AtomicU64,
    /// Proofs of possession that were used lately.
    pub(crate) proofs: Seen,
    pub(crate) peerjs: peerjs::Manner,
    /// True once the server is stopping. Whoever holds it keeps the server from ending, within reason.
    pub(crate) stop: watch::Receiver<bool>,
}

impl App {
    /// Notes that another judge vouches for `user`, so that no guest has their name from now on. Not before they are in: a
    /// guest by that name then makes room at once, and nobody hears that they were gone in between.
    pub(crate) async fn note_vouched(&self, user: Option<&UserId>) {
        let Some(user) = user else { return };
        if let Err(error) = self.store.note_vouched(user).await {
            tracing::warn!(%user, %error, "A user could not be noted, so a guest may take their name when they leave");
        }
    }
}

impl From<Shared> for App {
    fn from(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// A name for a request that no other has: drawn at the start, then counted on.
    fn request_id(&self) -> String {
        format!("{:016x}", self.requests.fetch_add(1, Ordering::Relaxed))
    }
}

/// All routes.
pub(crate) fn router(app: App) -> Router {
    let base = app.base_path.clone();
    let at = |path: &str| format!("{base}{path}");
    let contacts = get(contacts::whoami)
        .put(contacts::register)
        .post(contacts::send)
        .delete(contacts::log_out);
    let session = get(session::whoami).post(session::log_in).delete(session::log_out);

    let mut router = Router::new()
        .route(&at("healthz"), get(health))
        .route(&at("metrics"), get(metrics::metrics))
        .route(&at("openapi.json"), get(openapi))
        .route(&at("contacts"), contacts.clone())
        .route(&at("contacts/"), contacts)
        .route(&at("contacts/shown"), post(contacts::shown))
        .route(&at("contacts/shown/{invite}"), get(contacts::who_shows))
        .route(&at("contacts/rules"), get(rules::show).put(rules::change))
        .route(&at("session"), session)
        .route(&at("session/logout"), post(session::log_out_by_issuer))
        .route(&at("session/ways"), get(login::ways))
        .route(&at("session/mail"), post(login::send_link))
        .route(&at("session/openid"), get(login::leave))
        .route(&at(crate::login::BACK), get(login::come_back))
        .route(&at("session/devices"), get(devices::list))
        .route(&at("session/devices/{id}"), delete(devices::revoke))
        .route(&at("session/device"), get(device::show).put(device::change))
        .route(&at("session/presence"), get(presence::show).put(presence::change))
        .route(&at("presence"), get(presence::ask))
        .route(&at("live"), get(live::live))
        .method_not_allowed_fallback(|| async { ApiError::WrongMethod })
        .fallback(files::file);
    if let Some(bare) = base.strip_suffix('/').filter(|bare| !bare.is_empty()) {
        let whole = base.to_string();
        router = router.route(bare, get(|| async move { Redirect::permanent(&whole) }));
    }
    router
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .merge(peerjs::routes(&base, &app.peerjs, app.message_bytes_max))
        .layer(middleware::from_fn_with_state(app.clone(), cors::allow))
        .layer(middleware::map_response(secure))
        .layer(middleware::from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}

/// `GET /healthz`: whether to send people here.
async fn health(State(app): State<App>) -> Result<&'static str, ApiError> {
    if *app.stop.borrow() {
        return Err(ApiError::Stopping);
    }
    app.store.ping().await?;
    Ok("ok")
}

/// What is described in `docs/protocol.md`, for programs.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");

/// `GET /openapi.json`
async fn openapi() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

/// Headers of every answer. Pages bring their own policy; everything else may do nothing.
async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut add = |name, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::REFERRER_POLICY, "no-referrer");
    add(header::CACHE_CONTROL, "no-store");
    add(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    let own = "permissions-policy".parse().expect("a valid name");
    add(own, "camera=(self), microphone=(self), display-capture=(self), geolocation=()");
    let own = "cross-origin-resource-policy".parse().expect("a valid name");
    add(own, "same-origin");
    response
}
