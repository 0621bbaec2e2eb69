//! From which page a request comes, as the browser tells it.

use anyhow::bail;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::config::values::list;

/// Pages that may use this server beside its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(Vec<String>);

/// The page that a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// None, as far as one can tell: a program, or a browser that says nothing.
    Unsaid,
    /// One of this server.
    Own,
    /// One of an origin that the operator named.
    Named,
    /// Any other.
    Foreign,
}

impl Page {
    /// Whether it may use what browsers send along by themselves.
    pub(crate) fn is_trusted(self) -> bool {
        match self {
            Self::Own | Self::Named => true,
            Self::Unsaid | Self::Foreign => false,
        }
    }
}

impl Origins {
    /// Reads the value of `--origins`.
    ///
    /// # Errors
    ///
    /// When one of them is no origin.
    pub(crate) fn settle(text: Option<&str>) -> anyhow::Result<Self> {
        list(text).map(origin).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `origin`, as a browser wrote it, is one of them.
    pub(crate) fn has(&self, origin: &str) -> bool {
        self.0.iter().any(|named| named == origin)
    }
}

/// An origin as browsers write it (RFC 6454 §6.2): in lower case, without a port that goes without saying.
fn origin(text: &str) -> anyhow::Result<String> {
    let parsed = reqwest::Url::parse(text).ok().filter(|url| {
        url.has_host()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
    });
    let Some(url) = parsed else {
        bail!(
            "{text:?} is no origin. Give --origins a scheme and a host each, such as https://app.example.com, with \
             commas between them"
        );
    };
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    Ok(format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default()))
}

/// From which page a request comes.
pub(crate) fn page(parts: &Parts, origins: &Origins) -> Page {
    let origin = text(&parts.headers, header::ORIGIN);
    let site = text(&parts.headers, "sec-fetch-site");
    if site == Some("same-origin") {
        return Page::Own;
    }
    if origin.is_some_and(|origin| origins.has(origin)) {
        return Page::Named;
    }
    match (site, origin) {
        (Some(_), _) => Page::Foreign,
        (None, Some(origin)) if is_own(origin, parts) => Page::Own,
        (None, Some(_)) => Page::Foreign,
        // An origin that is no text is one that we do not know.
        (None, None) if parts.headers.contains_key(header::ORIGIN) => Page::Foreign,
        (None, None) => Page::Unsaid,
    }
}

/// Whether an origin has the host and the port that were asked.
fn is_own(origin: &str, parts: &Parts) -> bool {
    let asking = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    asking.is_some_and(|asking| host(parts).is_some_and(|host| asking.eq_ignore_ascii_case(host)))
}

/// Whether the request was made to this machine by name.
pub(crate) fn is_loopback(parts: &Parts) -> bool {
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
        for (header, expected) in [
            (("origin", "https://calls.example.com"), Page::Own),
            (("origin", "https://calls.example.com.evil.org"), Page::Foreign),
            (("origin", "https://evil.org"), Page::Foreign),
            (("origin", "null"), Page::Foreign),
            (("origin", "https://app.example.com"), Page::Named),
            (("origin", "http://app.example.com"), Page::Foreign),
            (("sec-fetch-site", "same-origin"), Page::Own),
            (("sec-fetch-site", "same-site"), Page::Foreign),
            (("sec-fetch-site", "none"), Page::Foreign),
            (("accept", "*/*"), Page::Unsaid),
        ] {
            assert_eq!(page(&asked(&[host, header]), &named()), expected, "{header:?}");
        }
    }

    #[test]
    fn a_browser_that_says_cross_site_is_believed_beside_a_named_origin() {
        let headers = [("sec-fetch-site", "cross-site"), ("origin", "https://app.example.com")];

        assert_eq!(page(&asked(&headers), &named()), Page::Named);
    }

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        assert_eq!(origin("HTTPS://App.Example.com:443/").unwrap(), "https://app.example.com");
        assert_eq!(origin("http://localhost:3000").unwrap(), "http://localhost:3000");
        for extension in ["chrome-extension://abcdefghijklmnop", "moz-extension://0a1b-2c3d"] {
            assert_eq!(origin(extension).unwrap(), extension);
        }
        assert!(origin("app.example.com").is_err());
        assert!(origin("https://app.example.com/path").is_err());
        assert!(origin("*").is_err());
    }

    fn named() -> Origins {
        Origins::settle(Some("https://app.example.com")).unwrap()
    }

    fn asked(headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }
}
