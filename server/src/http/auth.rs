//! Who asks: the token of a request, and whose it is.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use broker::Device;
use wire::contacts::Account;
use wire::{InstanceId, Timestamp, UserId};

use super::App;
use super::contacts::LIVE;
use super::origin::{Page, is_loopback, page, text};
use crate::error::ApiError;
use crate::secret::Secret;
use crate::session::{Identity, Origin, Refusal};

/// The cookie on loopback, where there may be no TLS.
const COOKIE_PLAIN: &str = "hullo";
/// The cookie everywhere else. The prefix makes browsers insist on Secure, this host, and the whole path.
const COOKIE_HOST: &str = "__Host-hullo";
/// How long a browser keeps its log-in without being used: a year, in seconds.
const COOKIE_SECONDS: u32 = 365 * 24 * 60 * 60;

/// A request whose token is good.
pub(crate) struct Session {
    pub(crate) token: Secret,
    pub(crate) user: UserId,
    pub(crate) origin: Origin,
    /// When it ends by itself.
    pub(crate) until: Option<Timestamp>,
}

impl Session {
    /// The device as it is when it has a contact. A session of another judge always has one: its live socket.
    pub(crate) fn device(&self) -> Option<Device> {
        let instance = match &self.origin {
            Origin::Account { instance, .. } => (*instance)?,
            Origin::Session { .. } => self.live_instance(),
        };
        Some(Device { user: self.user.clone(), instance })
    }

    /// The instance of the device when it is reached by its live socket. It stays when a named session renews its token.
    pub(crate) fn live_instance(&self) -> InstanceId {
        match &self.origin {
            Origin::Session { session: Some(name) } => {
                Secret::presented(name).instance(&self.user, LIVE)
            }
            Origin::Session { session: None } | Origin::Account { .. } => {
                self.token.instance(&self.user, LIVE)
            }
        }
    }

    /// Whether the token goes when its browser logs out.
    pub(crate) fn is_minted_by_code(&self) -> bool {
        matches!(self.origin, Origin::Account { minted_by_code: true, .. })
    }

    pub(crate) fn account(&self) -> Account {
        let instance = self.device().map(|device| device.instance);
        Account { email: self.user.clone(), instance }
    }
}

/// Takes the bearer token, else the cookie.
impl FromRequestParts<App> for Session {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        identify(parts, app, None).await
    }
}

/// Whose a request is, by its bearer token, else by its cookie, else by `token`, which the address holds.
///
/// A cookie is sent by browsers whoever asks, so a write or a socket that comes with one must come from a page of ours,
/// or of an origin that the operator named. A socket or a PeerJS stream that any page of another origin opens is nobody's,
/// whatever it presents.
pub(crate) async fn identify(
    parts: &Parts,
    app: &App,
    token: Option<Secret>,
) -> Result<Session, ApiError> {
    let upgrades = parts.headers.contains_key(header::UPGRADE);
    let reads = (parts.method == Method::GET || parts.method == Method::HEAD) && !upgrades;
    let page = page(parts, &app.origins);
    if (upgrades || token.is_some()) && page == Page::Foreign {
        return Err(ApiError::ForeignOrigin);
    }
    if let Some(bearer) = bearer(&parts.headers) {
        return verify(app, bearer).await;
    }
    let own = app.session_cookie.as_deref();
    let Some(cookie) = cookie(&parts.headers, is_loopback(parts), own) else {
        return verify(app, token.ok_or(ApiError::NotLoggedIn)?).await;
    };
    if !reads && !page.is_trusted() {
        return Err(ApiError::ForeignOrigin);
    }
    match (verify(app, cookie).await, token) {
        // The cookie may be left over from before, and the page knows better.
        (Err(ApiError::NotLoggedIn), Some(token)) => verify(app, token).await,
        (session, _) => session,
    }
}

/// Whose a token is.
pub(crate) async fn verify(app: &App, token: Secret) -> Result<Session, ApiError> {
    match app.verifier.verify(&token).await? {
        Ok(Identity { user, origin, until }) => Ok(Session { token, user, origin, until }),
        Err(Refusal::Refused(_)) => Err(ApiError::NotLoggedIn),
        Err(Refusal::Unavailable) => Err(ApiError::SessionsUnavailable),
    }
}

impl OptionalFromRequestParts<App> for Session {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, ApiError> {
        match <Self as FromRequestParts<App>>::from_request_parts(parts, app).await {
            Ok(session) => Ok(Some(session)),
            Err(ApiError::NotLoggedIn) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// How the page that logs in was opened, which decides on its cookie.
pub(crate) struct LoginPage {
    secure: bool,
}

/// Refuses pages of other sites, and pages that browsers would keep no cookie and open no camera for.
impl FromRequestParts<App> for LoginPage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let origin = text(&parts.headers, header::ORIGIN);
        let loopback = is_loopback(parts);
        if origin.is_some() && !page(parts, &app.origins).is_trusted() {
            return Err(ApiError::ForeignOrigin);
        }
        if origin.is_some_and(|origin| origin.starts_with("http://")) && !loopback {
            return Err(ApiError::InsecureOrigin);
        }
        // A page behind a proxy with TLS says so by its origin.
        let secure = !loopback || origin.is_some_and(|origin| origin.starts_with("https://"));
        Ok(Self { secure })
    }
}

impl LoginPage {
    /// The page at `url`, where people reach this server.
    pub(crate) fn at(url: &str) -> Self {
        Self { secure: url.starts_with("https:") }
    }

    /// The header that logs the browser in.
    pub(crate) fn set_cookie(&self, token: &Secret) -> String {
        self.write(token.reveal(), COOKIE_SECONDS)
    }

    /// The header that makes the browser forget.
    pub(crate) fn clear_cookie(&self) -> String {
        self.write("", 0)
    }

    fn write(&self, value: &str, seconds: u32) -> String {
        let (name, secure) =
            if self.secure { (COOKIE_HOST, "; Secure") } else { (COOKIE_PLAIN, "") };
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }
}

/// The token in the header `Authorization`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let (scheme, token) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::presented(token.trim()))
}

/// What a cookie holds.
pub(super) fn cookie_named(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name && !value.is_empty()).then(|| value.to_owned()))
}

/// The token in a cookie: of ours, else of the operator's.
fn cookie(headers: &HeaderMap, loopback: bool, own: Option<&str>) -> Option<Secret> {
    let find = |name: &str| cookie_named(headers, name);
    // Off the machine the plain name is not believed: a neighbouring site could have set it.
    let value = find(COOKIE_HOST)
        .or_else(|| loopback.then(|| find(COOKIE_PLAIN)).flatten())
        .or_else(|| find(own?))?;
    Some(Secret::presented(&value))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_plain_cookie_counts_on_loopback_only() {
        let headers = holding("a=b; hullo=t1");

        assert_eq!(cookie(&headers, true, None), Some(Secret::presented("t1")));
        assert_eq!(cookie(&headers, false, None), None);
    }

    #[test]
    fn the_operators_cookie_counts_by_its_name_after_ours() {
        let headers = holding("sid=t2; __Host-hullo=t1");

        assert_eq!(cookie(&headers, false, Some("sid")), Some(Secret::presented("t1")));
        assert_eq!(cookie(&holding("sid=t2"), false, Some("sid")), Some(Secret::presented("t2")));
        assert_eq!(cookie(&holding("sid=t2"), false, None), None);
    }

    fn holding(cookie: &'static str) -> HeaderMap {
        [(header::COOKIE, HeaderValue::from_static(cookie))].into_iter().collect()
    }
}
