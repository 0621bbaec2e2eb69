//! The flags of the way in: TLS, proxies, and how many may come.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use serde::{Deserialize, Serialize};

use super::proxies::Proxies;
use crate::config::values::{list, number, seconds, switch};
use crate::connections::Limits;
use crate::rate::Rate;

/// How connections come in.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = "Connections")]
pub struct ListenerFlags {
    /// The certificate and its chain, in PEM form; read anew when it changes
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The key that goes with it, in PEM form
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Make a certificate, keep it in the data directory, and print its fingerprint
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub tls_self_signed: Option<String>,
    /// Automatic certificates; not there yet
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub acme: Option<String>,
    /// Names that this server has, for its own certificate
    #[arg(long, value_name = "LIST")]
    pub domain: Option<String>,
    /// Addresses of proxies whose word about their clients is believed, such as 10.0.0.0/8,::1
    #[arg(long, value_name = "LIST")]
    pub trusted_proxies: Option<String>,
    /// The header in which they give it [default: x-forwarded-for]
    #[arg(long, value_name = "x-forwarded-for|forwarded")]
    pub forwarded_header: Option<String>,
    /// Clients that are connected at once: live sockets and PeerJS clients [default: 10000]
    #[arg(long, value_name = "NUMBER")]
    pub limit_connections: Option<String>,
    /// The same of one user [default: 100]
    #[arg(long, value_name = "NUMBER")]
    pub limit_connections_per_user: Option<String>,
    /// The same from one address, or one IPv6 network of 64 bits [default: 500]
    #[arg(long, value_name = "NUMBER")]
    pub limit_connections_per_address: Option<String>,
    /// Messages of one client in a second; twice as many may come at once [default: no limit]
    #[arg(long, value_name = "NUMBER")]
    pub limit_messages_per_second: Option<String>,
    /// The largest message of a client, in bytes: a frame, or what PeerJS posts instead of one [default: 262144]
    #[arg(long, value_name = "BYTES")]
    pub limit_message_bytes: Option<String>,
    /// Connections that speak HTTP at once [default: 20000]
    #[arg(long, value_name = "NUMBER")]
    pub limit_http_connections: Option<String>,
    /// The same of one address, or one IPv6 network of 64 bits [default: 1000]
    #[arg(long, value_name = "NUMBER")]
    pub limit_http_connections_per_address: Option<String>,
    /// How long the head of a request may take, and its body, in seconds [default: 15]
    #[arg(long, value_name = "SECONDS")]
    pub limit_head_seconds: Option<String>,
}

/// How connections come in, checked.
#[derive(Clone, Debug)]
pub(crate) struct ListenerSettings {
    pub(crate) tls: TlsSettings,
    pub(crate) proxies: Proxies,
    pub(crate) clients: Limits,
    pub(crate) rate: Rate,
    pub(crate) message_bytes_max: usize,
    pub(super) connections_max: usize,
    pub(super) connections_per_address_max: usize,
    pub(super) head_timeout: Duration,
}

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub(crate) enum TlsSettings {
    /// There is none.
    Off,
    /// From files.
    Given {
        /// The certificate and its chain.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// We make it.
    SelfSigned {
        /// The names it is for.
        names: Vec<String>,
    },
}

impl ListenerSettings {
    /// How long a head or a body may take.
    pub(crate) fn head_timeout(&self) -> Duration {
        self.head_timeout
    }

    /// How many connections there may be, those that speak HTTP and those that have left it.
    pub(crate) fn connections_max(&self) -> usize {
        self.connections_max.saturating_add(self.clients.all)
    }

    /// Checks the flags.
    ///
    /// # Errors
    ///
    /// When one cannot be honoured, alone or beside the others.
    pub(crate) fn settle(raw: &ListenerFlags, listen: SocketAddr) -> anyhow::Result<Self> {
        if let Some(none) = list(raw.domain.as_deref()).find(|name| !is_name(name)) {
            bail!(
                "{none:?} is no domain name. Give --domain names such as calls.example.com, with commas between them"
            );
        }
        Ok(Self {
            tls: tls(raw, listen)?,
            proxies: Proxies::settle(
                raw.trusted_proxies.as_deref(),
                raw.forwarded_header.as_deref(),
            )?,
            clients: Limits {
                all: limit("limit-connections", &raw.limit_connections, 10_000)?,
                per_user: limit(
                    "limit-connections-per-user",
                    &raw.limit_connections_per_user,
                    100,
                )?,
                per_address: limit(
                    "limit-connections-per-address",
                    &raw.limit_connections_per_address,
                    500,
                )?,
            },
            rate: Rate(rate(raw.limit_messages_per_second.as_deref())?),
            message_bytes_max: number(
                "limit-message-bytes",
                raw.limit_message_bytes.as_deref(),
                256 * 1024,
                [1_024, 16 * 1024 * 1024],
            )?,
            connections_max: limit("limit-http-connections", &raw.limit_http_connections, 20_000)?,
            connections_per_address_max: limit(
                "limit-http-connections-per-address",
                &raw.limit_http_connections_per_address,
                1_000,
            )?,
            head_timeout: seconds(
                "limit-head-seconds",
                raw.limit_head_seconds.as_deref(),
                15,
                [1, 600],
            )?,
        })
    }
}

fn rate(text: Option<&str>) -> anyhow::Result<Option<u32>> {
    let number = number("limit-messages-per-second", text, 0, [1, 1_000_000])?;
    Ok((number > 0).then_some(number))
}

fn limit(flag: &str, text: &Option<String>, otherwise: usize) -> anyhow::Result<usize> {
    number(flag, text.as_deref(), otherwise, [1, 10_000_000])
}

fn tls(raw: &ListenerFlags, listen: SocketAddr) -> anyhow::Result<TlsSettings> {
    if switch("acme", raw.acme.as_deref())? {
        bail!(
            "Automatic certificates are not there yet. Give --tls-cert and --tls-key, which are read anew when they \
             change, or --tls-self-signed, or let a proxy such as Caddy get them"
        );
    }
    let is_self_signed = switch("tls-self-signed", raw.tls_self_signed.as_deref())?;
    match (&raw.tls_cert, &raw.tls_key) {
        (Some(_), _) | (_, Some(_)) if is_self_signed => bail!(
            "--tls-self-signed makes a certificate where one is given. Leave it out, or --tls-cert and --tls-key"
        ),
        (Some(cert), Some(key)) => Ok(TlsSettings::Given { cert: cert.clone(), key: key.clone() }),
        (Some(_), None) => bail!("A certificate is of use with its key only. Give --tls-key too"),
        (None, Some(_)) => bail!("A key is of use with its certificate only. Give --tls-cert too"),
        (None, None) if is_self_signed => {
            Ok(TlsSettings::SelfSigned { names: names(raw.domain.as_deref(), listen) })
        }
        (None, None) => Ok(TlsSettings::Off),
    }
}

/// Whether a certificate can be for it: an IP address, or a name of letters, digits and hyphens with dots between them
/// (RFC 1123 §2.1), perhaps with `*` as its first part (RFC 9525 §6.3).
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_part = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(plain)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let name = text.strip_prefix("*.").unwrap_or(text);
    text.parse::<IpAddr>().is_ok() || (text.len() <= 253 && name.split('.').all(is_part))
}

/// The names by which the server can be asked for.
fn names(domain: Option<&str>, listen: SocketAddr) -> Vec<String> {
    let mut names: Vec<_> = list(domain).map(str::to_owned).collect();
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let own = listen.ip().to_string();
    if !listen.ip().is_unspecified() && !names.contains(&own) {
        names.push(own);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_honoured_is_an_error_with_a_remedy() {
        for (flags, part) in [
            (&[("acme", "true")][..], "not there yet"),
            (&[("tls_cert", "a.pem")], "Give --tls-key too"),
            (&[("tls_key", "a.pem")], "Give --tls-cert too"),
            (&[("tls_cert", "a"), ("tls_key", "b"), ("tls_self_signed", "true")], "Leave it out"),
            (&[("limit_http_connections", "none")], "a number from 1"),
            (&[("domain", "a b")], "such as calls.example.com"),
            (&[("domain", "calls.lan, https://calls.lan")], "such as calls.example.com"),
            (&[("domain", "calls..lan")], "such as calls.example.com"),
        ] {
            let error = settle(flags).unwrap_err().to_string();
            assert!(error.contains(part), "{flags:?}: {error}");
        }
    }

    #[test]
    fn a_certificate_of_our_own_is_for_the_address_that_is_listened_on() {
        let names = "calls.lan,*.calls.lan,::2";
        let settings = settle(&[("tls_self_signed", "true"), ("domain", names)]).unwrap();

        let TlsSettings::SelfSigned { names } = settings.tls else { panic!("another certificate") };
        let told = ["calls.lan", "*.calls.lan", "::2"];
        let own = ["localhost", "127.0.0.1", "::1", "192.0.2.1"];
        assert_eq!(names, [&told[..], &own].concat());
    }

    fn settle(flags: &[(&str, &str)]) -> anyhow::Result<ListenerSettings> {
        let flags: serde_json::Map<_, _> =
            flags.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
        let flags = serde_json::from_value(flags.into()).expect("these are flags");
        ListenerSettings::settle(&flags, "192.0.2.1:443".parse().expect("an address"))
    }
}
