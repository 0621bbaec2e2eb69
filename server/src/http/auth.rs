//! Who asks: the token of a request, and whose it is.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use broker::Device;
use wire::contacts::Account;
use wire::{InstanceId, Timestamp, UserId};

use super::App;
use super::contacts::LIVE;
use super::origin::{Page, host, is_loopback, page, text};
use crate::error::ApiError;
use crate::proof::{self, Flaw, Full, Proven};
use crate::secret::Secret;
use crate::session::{Identity, Origin, Refusal};
use crate::store;

/// The cookie on loopback, where there may be no TLS.
const COOKIE_PLAIN: &str = "hullo";
/// The cookie everywhere else. The prefix makes browsers insist on Secure, this host, and the whole path.
const COOKIE_HOST: &str = "__Host-hullo";
/// The header with a proof of possession (RFC 9449 §4.1).
const PROOF: &str = "dpop";
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

    /// Whether it proved the key that its token is bound to.
    pub(crate) fn is_proven(&self) -> bool {
        matches!(self.origin, Origin::Account { key: Some(_), .. })
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
    let ask = Ask { app, parts };
    if let Some((scheme, token)) = authorization(&parts.headers) {
        return ask.whose(token, Way::Header(scheme)).await;
    }
    let own = app.session_cookie.as_deref();
    let Some(cookie) = cookie(&parts.headers, is_loopback(parts), own) else {
        return ask.whose(token.ok_or(ApiError::NotLoggedIn)?, Way::Address).await;
    };
    if !reads && !page.is_trusted() {
        return Err(ApiError::ForeignOrigin);
    }
    match (ask.whose(cookie, Way::Cookie).await, token) {
        // The cookie may be left over from before, and the page knows better.
        (Err(ApiError::NotLoggedIn), Some(token)) => ask.whose(token, Way::Address).await,
        // The cookie is the app's, and this page has not its key but perhaps a token of its own.
        (Err(ApiError::ProofNeeded), Some(token)) => match ask.whose(token, Way::Address).await {
            Err(ApiError::NotLoggedIn) => Err(ApiError::ProofNeeded),
            session => session,
        },
        (session, _) => session,
    }
}

/// How a token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Header(Scheme),
    /// Pages cannot read it, so that their proofs do not name it.
    Cookie,
    /// In the query, where PeerJS puts it.
    Address,
}

/// How the header `Authorization` presents a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// RFC 6750: whoever has it.
    Bearer,
    /// RFC 9449: with a proof.
    Dpop,
}

/// A request that presents a token.
struct Ask<'a> {
    app: &'a App,
    parts: &'a Parts,
}

impl Ask<'_> {
    async fn whose(&self, token: Secret, way: Way) -> Result<Session, ApiError> {
        let session = verify(self.app, token).await?;
        if !matches!(session.origin, Origin::Account { .. }) {
            // Another judge binds its sessions, or does not.
            return Ok(session);
        }
        let proof = match way {
            // RFC 9449 §7.2: one that is bound is not taken as a bearer token, whatever stands beside it.
            Way::Header(Scheme::Bearer) => None,
            Way::Header(Scheme::Dpop) => Some(proof(self.parts)?.ok_or(ApiError::ProofNeeded)?),
            Way::Cookie | Way::Address => proof(self.parts)?,
        };
        let names = (way == Way::Header(Scheme::Dpop)).then_some(&session.token);
        let proven = match &proof {
            Some(proof) => Some(prove(self.parts, proof, names)?),
            None => None,
        };
        possess(self.app, session, proven).await
    }
}

/// The proof of possession that comes with a request: in a header, or, since browsers give WebSockets none, in the query.
fn proof(parts: &Parts) -> Result<Option<String>, ApiError> {
    let mut headers = parts.headers.get_all(PROOF).iter();
    if let Some(proof) = headers.next() {
        if headers.next().is_some() {
            return Err(ApiError::ProofRefused(Flaw::Several));
        }
        let proof = proof.to_str().map_err(|_| ApiError::ProofRefused(Flaw::Malformed))?;
        return Ok(Some(proof.to_owned()));
    }
    if !parts.headers.contains_key(header::UPGRADE) {
        return Ok(None);
    }
    let query = parts.uri.query().unwrap_or_default();
    let pair = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "proof");
    Ok(pair.map(|(_, proof)| proof.into_owned()))
}

/// What a proof proves for this request; `token` when it must name it.
fn prove(parts: &Parts, proof: &str, token: Option<&Secret>) -> Result<Proven, ApiError> {
    let request = proof::Request {
        method: parts.method.as_str(),
        host: host(parts).unwrap_or_default(),
        path: parts.uri.path(),
        token,
        now: seconds(),
    };
    proof::check(proof, &request).map_err(ApiError::ProofRefused)
}

/// The session, if whoever presents its token may: the token is bound to no key, or to the one that is proven. The first
/// proof binds it.
pub(super) async fn possess(
    app: &App,
    mut session: Session,
    proven: Option<Proven>,
) -> Result<Session, ApiError> {
    let Origin::Account { key: bound, .. } = &mut session.origin else { return Ok(session) };
    let key = match (&*bound, &proven) {
        (None, None) => return Ok(session),
        (Some(_), None) => return Err(ApiError::ProofNeeded),
        (Some(key), Some(_)) => Some(key.clone()),
        (None, Some(proven)) => app.store.bind(&session.token, &proven.key).await?,
    };
    let (Some(key), Some(proven)) = (key, proven) else { return Err(ApiError::NotLoggedIn) };
    if key != proven.key {
        return Err(ApiError::BoundElsewhere);
    }
    *bound = Some(key);
    match app.proofs.use_up(&proven, seconds()) {
        Ok(Ok(())) => Ok(session),
        Ok(Err(flaw)) => Err(ApiError::ProofRefused(flaw)),
        Err(Full { seconds }) => Err(ApiError::TooMany { seconds }),
    }
}

/// The present, in seconds since the Unix epoch.
fn seconds() -> u64 {
    u64::try_from(store::now() / 1_000).unwrap_or(0)
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
            // A browser that lost its key still gets rid of its cookie.
            Err(ApiError::NotLoggedIn | ApiError::ProofNeeded | ApiError::BoundElsewhere) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// How the page that logs in was opened, which decides on its cookie.
pub(crate) struct LoginPage {
    secure: bool,
    /// The key that the page proved to have.
    pub(super) proven: Option<Proven>,
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
        let proof = proof(parts)?;
        let proven = proof.map(|proof| prove(parts, &proof, None)).transpose()?;
        Ok(Self { secure, proven })
    }
}

impl LoginPage {
    /// The page at `url`, where people reach this server.
    pub(crate) fn at(url: &str) -> Self {
        Self { secure: url.starts_with("https:"), proven: None }
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

/// The bearer token in the header `Authorization`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Secret> {
    authorization(headers).and_then(|(scheme, token)| (scheme == Scheme::Bearer).then_some(token))
}

/// The token in the header `Authorization`.
fn authorization(headers: &HeaderMap) -> Option<(Scheme, Secret)> {
    let (scheme, token) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    let scheme = match scheme {
        scheme if scheme.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        scheme if scheme.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return None,
    };
    Some((scheme, Secret::presented(token.trim())))
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
