//! Who is at the other end, when a proxy that is trusted says so.

use std::net::{IpAddr, Ipv6Addr};

use anyhow::{Context as _, bail};
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;

use super::Peer;
use crate::config::values::list;
use crate::error::ApiError;
use crate::http::App;

/// The proxies that are believed, and the header that they write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    trusted: Vec<IpNet>,
    header: Header,
}

/// The header in which a proxy says for whom it asks. One of them only: the other passes through it unread, and whoever
/// asks could have written it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Header {
    /// `X-Forwarded-For`, what nearly all proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Addresses that count as one: an IPv4 address, or the 64 bits of an IPv6 address that one household has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self(ip.into()),
            IpAddr::V6(ip) => {
                let upper = u128::from(ip) >> 64 << 64;
                Self(Ipv6Addr::from(upper).into())
            }
        }
    }
}

/// The address of whoever asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote(pub(crate) IpAddr);

impl FromRequestParts<App> for Remote {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Ok(Self::of(parts, &app.proxies))
    }
}

impl Remote {
    /// Whose request it is.
    pub(crate) fn of(parts: &Parts, proxies: &Proxies) -> Self {
        let Some(Peer(from)) = parts.extensions.get::<Peer>() else {
            return Self(Ipv6Addr::UNSPECIFIED.into());
        };
        Self(proxies.client(from.ip().to_canonical(), &parts.headers))
    }
}

impl Proxies {
    /// Reads the values of `--trusted-proxies` and `--forwarded-header`.
    ///
    /// # Errors
    ///
    /// When one is no range of addresses, or no header that we read.
    pub(crate) fn settle(ranges: Option<&str>, header: Option<&str>) -> anyhow::Result<Self> {
        let range = |text: &str| {
            text.parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .with_context(|| {
                    format!("{text:?} is no range of addresses. Give --trusted-proxies such as 10.0.0.0/8,::1")
                })
        };
        let trusted: Vec<_> = list(ranges).map(range).collect::<Result<_, _>>()?;
        let header = match header.map(str::to_ascii_lowercase).as_deref() {
            Some(_) if trusted.is_empty() => bail!(
                "--forwarded-header is read of proxies that are trusted. Name them with --trusted-proxies"
            ),
            None | Some("x-forwarded-for") => Header::XForwardedFor,
            Some("forwarded") => Header::Forwarded,
            Some(other) => {
                bail!(
                    "{other:?} is not read here. Give --forwarded-header x-forwarded-for or forwarded"
                )
            }
        };
        Ok(Self { trusted, header })
    }

    /// Whether `ip` is one of them.
    pub(crate) fn has(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(&ip))
    }

    /// The first address from the right that is none of them. What stands further left, anybody may have written.
    fn client(&self, from: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = from;
        let name = match self.header {
            Header::XForwardedFor => "x-forwarded-for",
            Header::Forwarded => "forwarded",
        };
        let lines: Vec<_> = headers.get_all(name).iter().collect();
        let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        for hop in hops {
            if !self.has(client) {
                break;
            }
            let address = match self.header {
                Header::XForwardedFor => address(hop),
                Header::Forwarded => forwarded_for(hop).and_then(address),
            };
            // A proxy that hides its client is the client, as far as we can tell.
            let Some(address) = address else { break };
            client = address;
        }
        client
    }
}

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<&str> {
    let value = element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    })?;
    Some(value.trim_matches('"'))
}

/// An address, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        // One colon parts a port; several are an IPv6 address.
        None => {
            text.split_once(':').filter(|(_, port)| !port.contains(':')).map_or(text, |(ip, _)| ip)
        }
    };
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_the_first_from_the_right_that_is_no_trusted_proxy() {
        let proxies = Proxies::settle(Some("10.0.0.0/8, fd00::/8"), None).unwrap();
        for (from, lines, client) in [
            ("10.0.0.1", &["203.0.113.7"][..], "203.0.113.7"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.7:4711, 10.0.0.2"], "203.0.113.7"),
            ("::ffff:10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("10.0.0.1", &["2001:db8::1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // Whoever is no proxy is not believed.
            ("203.0.113.9", &["1.1.1.1"], "203.0.113.9"),
        ] {
            assert_eq!(client_of(&proxies, "x-forwarded-for", from, lines), client, "{lines:?}");
        }
    }

    #[test]
    fn only_the_header_that_the_proxy_writes_is_read() {
        let standard = Proxies::settle(Some("10.0.0.1"), Some("Forwarded")).unwrap();
        let line = "for=1.1.1.1, For=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.1";

        assert_eq!(client_of(&standard, "forwarded", "10.0.0.1", &[line]), "2001:db8::1");
        assert_eq!(client_of(&standard, "x-forwarded-for", "10.0.0.1", &["1.1.1.1"]), "10.0.0.1");
        assert_eq!(client_of(&standard, "forwarded", "10.0.0.1", &["for=_hidden"]), "10.0.0.1");
    }

    #[test]
    fn a_household_is_one_network() {
        let network = |text: &str| Network::of(text.parse().unwrap());

        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("203.0.113.1"), network("203.0.113.2"));
        assert_eq!(network("::ffff:203.0.113.1"), network("203.0.113.1"));
    }

    #[test]
    fn what_is_no_range_is_named() {
        let error = Proxies::settle(Some("everybody"), None).unwrap_err().to_string();

        assert!(error.contains("10.0.0.0/8"), "{error}");
        assert!(Proxies::settle(None, Some("forwarded")).is_err());
        assert!(Proxies::settle(Some("::1"), Some("x-real-ip")).is_err());
    }

    fn client_of(proxies: &Proxies, name: &'static str, from: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, line.parse().expect("a header"));
        }
        let from: IpAddr = from.parse().expect("an address");
        proxies.client(from.to_canonical(), &headers).to_string()
    }
}
