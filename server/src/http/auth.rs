//! Who asks, and from which page.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use broker::Device;
use wire::contacts::Account;
use wire::{InstanceId, UserId};

use super::App;
use crate::error::ApiError;
use crate::secret::Secret;

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
    pub(crate) instance: Option<InstanceId>,
    pub(crate) minted_by_code: bool,
}

impl Session {
    /// The device as it is when it has a contact.
    pub(crate) fn device(&self) -> Option<Device> {
        Some(Device { user: self.user.clone(), instance: self.instance? })
    }

    pub(crate) fn account(&self) -> Account {
        Account { email: self.user.clone(), instance: self.instance }
    }
}

/// Takes the bearer token, else the cookie. A cookie is sent by browsers whoever asks, so a write or a live socket
/// that comes with a cookie must come from a page of ours.
impl FromRequestParts<App> for Session {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = if let Some(token) = bearer(&parts.headers) {
            token
        } else {
            let token = cookie(&parts.headers, is_loopback(parts)).ok_or(ApiError::NotLoggedIn)?;
            let reads = parts.method == Method::GET || parts.method == Method::HEAD;
            let upgrades = parts.headers.contains_key(header::UPGRADE);
            if (!reads || upgrades) && !is_same_origin(parts) {
                return Err(ApiError::ForeignOrigin);
            }
            token
        };
        let owner = app.store.owner(&token).await?.ok_or(ApiError::NotLoggedIn)?;
        Ok(Self {
            token,
            user: owner.user,
            instance: owner.instance,
            minted_by_code: owner.minted_by_code,
        })
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

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let origin = text(&parts.headers, header::ORIGIN);
        let loopback = is_loopback(parts);
        if origin.is_some() && !is_same_origin(parts) {
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

fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let (scheme, token) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::presented(token.trim()))
}

fn cookie(headers: &HeaderMap, loopback: bool) -> Option<Secret> {
    let find = |name: &str| {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name && !value.is_empty()).then(|| value.to_owned()))
    };
    // Off the machine the plain name is not believed: a neighbouring site could have set it.
    let value = find(COOKIE_HOST).or_else(|| loopback.then(|| find(COOKIE_PLAIN)).flatten())?;
    Some(Secret::presented(&value))
}

/// Whether the browser says that a page of this server asks.
fn is_same_origin(parts: &Parts) -> bool {
    if let Some(site) = text(&parts.headers, "sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = text(&parts.headers, header::ORIGIN) else { return false };
    let asking = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    asking.is_some_and(|asking| host(parts).is_some_and(|host| asking.eq_ignore_ascii_case(host)))
}

/// Whether the request was made to this machine by name.
fn is_loopback(parts: &Parts) -> bool {
    let Some(host) = host(parts) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The host and port that the client asked for.
pub(crate) fn host(parts: &Parts) -> Option<&str> {
    parts
        .uri
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .or_else(|| text(&parts.headers, header::HOST))
}

/// A header as text.
pub(crate) fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn loopback_is_known_by_its_names() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "127.1.2.3", "[::1]:8080"] {
            assert!(is_loopback(&asked(&[("host", host)])), "{host}");
        }
        for host in ["example.com", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.1:80"]
        {
            assert!(!is_loopback(&asked(&[("host", host)])), "{host}");
        }
    }

    #[test]
    fn a_page_is_ours_when_its_origin_is_the_host_that_was_asked() {
        let host = ("host", "calls.example.com");

        assert!(is_same_origin(&asked(&[host, ("origin", "https://calls.example.com")])));
        assert!(!is_same_origin(&asked(&[host, ("origin", "https://calls.example.com.evil.org")])));
        assert!(!is_same_origin(&asked(&[host, ("origin", "null")])));
        assert!(!is_same_origin(&asked(&[host])));
        assert!(is_same_origin(&asked(&[host, ("sec-fetch-site", "same-origin")])));
        assert!(!is_same_origin(&asked(&[host, ("sec-fetch-site", "same-site")])));
    }

    #[test]
    fn the_plain_cookie_counts_on_loopback_only() {
        let parts = asked(&[("cookie", "a=b; hullo=t1")]);

        assert_eq!(cookie(&parts.headers, true), Some(Secret::presented("t1")));
        assert_eq!(cookie(&parts.headers, false), None);
    }

    fn asked(headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }
}
