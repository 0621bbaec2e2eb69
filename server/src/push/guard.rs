//! Which addresses a push may be sent to: a subscription comes from a browser, so its endpoint is anybody's text.
//!
//! Only known push services are asked, over TLS, without redirects, and never at an address inside the operator's own
//! network, whatever a name resolves to at that moment.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The push services of the browsers. A leading dot stands for any name below.
const KNOWN: [&str; 6] = [
    "fcm.googleapis.com",
    "jmt17.google.com",
    ".push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
    ".wns.windows.com",
];

/// The longest endpoint. Measured: Windows' are about 500 bytes.
const ENDPOINT_BYTES_MAX: usize = 1_024;

/// Why an endpoint is not asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It is not the address of anything on the web.
    #[error(
        "the endpoint of the subscription is not an https address without user, password and fragment"
    )]
    NotAnAddress,
    /// Nobody said that this is a push service.
    #[error(
        "{0} is not a push service that this server knows. Its operator can allow it with --push-services {0}"
    )]
    Unknown(String),
}

/// Which push services are asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// Origins that the operator named: whatever their scheme and address.
    named: Vec<String>,
}

impl Guard {
    /// The known services, and those at these origins.
    pub(crate) fn new(named: Vec<String>) -> Self {
        Self { named }
    }

    /// The address of `endpoint`, if pushes are sent there.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub(crate) fn check(&self, endpoint: &str) -> Result<Url, Refusal> {
        if endpoint.len() > ENDPOINT_BYTES_MAX {
            return Err(Refusal::NotAnAddress);
        }
        let url = Url::parse(endpoint).map_err(|_| Refusal::NotAnAddress)?;
        let is_plain =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !is_plain {
            return Err(Refusal::NotAnAddress);
        }
        let origin = url.origin().ascii_serialization();
        if self.named.contains(&origin) {
            return Ok(url);
        }
        let Some(host) = url.domain() else { return Err(Refusal::Unknown(origin)) };
        if url.scheme() != "https" || url.port().is_some() {
            return Err(Refusal::NotAnAddress);
        }
        let is_known = KNOWN.iter().any(|known| match known.strip_prefix('.') {
            Some(_) => host.len() > known.len() && host.ends_with(known),
            None => host == *known,
        });
        if is_known { Ok(url) } else { Err(Refusal::Unknown(origin)) }
    }

    /// Whether the operator named the origin of `url`, so that its address is the operator's affair.
    pub(crate) fn is_named(&self, url: &Url) -> bool {
        self.named.contains(&url.origin().ascii_serialization())
    }
}

/// Asks for the addresses of a name.
pub(crate) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// The system's way to find addresses.
pub(crate) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    })
}

/// Finds the addresses of push services, and gives none that lies inside. What it gives is what is connected to, so that a
/// name gains nothing by answering otherwise a moment later.
pub(crate) struct Outside(pub(crate) Lookup);

impl Resolve for Outside {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.0.clone();
        Box::pin(async move {
            let mut found = lookup(name.as_str().to_owned()).await?;
            found.retain(|address| is_outside(address.ip()));
            if found.is_empty() {
                return Err(format!("{} has no address on the Internet", name.as_str()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is on the Internet, and not inside somebody's network (IANA's special-purpose registries).
pub(crate) fn is_outside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_outside_v4(address),
        IpAddr::V6(address) => is_outside_v6(address),
    }
}

fn is_outside_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = a == 192 && b == 0 && c == 0;
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    let is_reserved = a == 0 || a >= 240;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || is_shared
        || is_protocol
        || is_benchmark
        || is_reserved)
}

fn is_outside_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Addresses that carry one of the other kind: mapped, compatible, translated (RFC 6052), 6to4.
    let carried = match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            Some((segments[6], segments[7]))
        }
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    if let Some((high, low)) = carried {
        let bits = u32::from(high) << 16 | u32::from(low);
        return is_outside_v4(Ipv4Addr::from_bits(bits));
    }
    // Global unicast, less what is set apart for documentation, benchmarks and Teredo.
    let is_global = segments[0] & 0xe000 == 0x2000;
    let is_special = segments[0] == 0x2001 && (segments[1] < 0x200 || segments[1] == 0xdb8)
        || segments[0] == 0x3fff;
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_of_the_browsers_are_asked() {
        let guard = Guard::default();

        for endpoint in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/x",
            "https://web.push.apple.com/x",
            "https://db5p.notify.windows.com/w/?token=x",
        ] {
            assert!(guard.check(endpoint).is_ok(), "{endpoint}");
        }
    }

    #[test]
    fn nobody_else_is() {
        let guard = Guard::default();

        for endpoint in [
            "http://fcm.googleapis.com/x",
            "https://fcm.googleapis.com:8443/x",
            "https://user@fcm.googleapis.com/x",
            "https://fcm.googleapis.com@127.0.0.1/x",
            "https://fcm.googleapis.com.evil.org/x",
            "https://push.apple.com/x",
            "https://evilpush.apple.com.org/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://169.254.169.254/latest/meta-data",
            "https://2130706433/x",
            "https://0x7f000001/x",
            "https://0177.0.0.1/x",
            "https://127.1/x",
            "https://%31%32%37.0.0.1/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://[::ffff:a9fe:a9fe]/x",
            "https://localhost/x",
            "https://localhost./x",
            "https://fcm.googleapis.com./x",
            "https://web.push.apple.com./x",
            "https://fcm.googleapis.com:80/x",
            "https://fcm.googleapis.com:@127.0.0.1/x",
            "https://fcm.googleapis.com#@127.0.0.1/x",
            "https://127.0.0.1/x#.push.apple.com",
            "file:///etc/passwd",
            "data:text/plain,x",
            "",
        ] {
            assert!(guard.check(endpoint).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn whom_the_operator_names_is_asked_wherever_it_is() {
        let guard = Guard::new(vec!["http://127.0.0.1:9001".to_owned()]);

        assert!(guard.check("http://127.0.0.1:9001/x").is_ok());
        assert!(guard.check("http://127.0.0.1:9002/x").is_err());
    }

    #[test]
    fn only_addresses_on_the_internet_are_outside() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_outside(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["142.250.1.1", "2a00:1450:4001:80b::200a", "::ffff:142.250.1.1"] {
            assert!(is_outside(outside.parse().unwrap()), "{outside}");
        }
    }
}
