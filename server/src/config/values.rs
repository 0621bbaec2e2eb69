//! Text to values, with errors that name the flag and what it takes.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Url;

use crate::secret::Secret;

/// Whether a switch is on; `false` when it is not given.
pub(crate) fn switch(flag: &str, text: Option<&str>) -> anyhow::Result<bool> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => bail!("{other:?} is neither true nor false. Give --{flag} one of these"),
    }
}

/// A number from `least` to `most`; `otherwise` when it is not given.
pub(crate) fn number<N>(
    flag: &str,
    text: Option<&str>,
    otherwise: N,
    [least, most]: [N; 2],
) -> anyhow::Result<N>
where
    N: FromStr + PartialOrd + std::fmt::Display,
{
    let Some(text) = text else { return Ok(otherwise) };
    match text.trim().parse() {
        Ok(number) if number >= least && number <= most => Ok(number),
        Ok(_) | Err(_) => {
            bail!("{text:?} cannot be. Give --{flag} a number from {least} to {most}")
        }
    }
}

/// A number of seconds; `otherwise` when it is not given.
pub(crate) fn seconds(
    flag: &str,
    text: Option<&str>,
    otherwise: u64,
    range: [u64; 2],
) -> anyhow::Result<Duration> {
    number(flag, text, otherwise, range).map(Duration::from_secs)
}

/// A secret that is given as it is, or in a file.
pub(crate) fn secret(
    flag: &str,
    text: Option<&str>,
    file: Option<&Path>,
) -> anyhow::Result<Option<Secret>> {
    match (text, file) {
        (Some(_), Some(_)) => {
            bail!("--{flag} is given twice. Leave it, or --{flag}-file, out")
        }
        (Some(text), None) => Ok(Some(Secret::presented(text))),
        (None, Some(file)) => {
            let shown = file.display();
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("{shown} cannot be read. Check --{flag}-file"))?;
            Ok(Some(Secret::presented(text.trim())))
        }
        (None, None) => Ok(None),
    }
}

/// An address to listen on: an IP address, or a name that has some, and a port. Of several it is the first that this
/// machine can listen on, and one of IPv4 rather than of IPv6, which examples and proxies mean by `localhost`.
pub(crate) fn listen(flag: &str, text: &str, port: u16) -> anyhow::Result<SocketAddr> {
    let mut found: Vec<_> = text.to_socket_addrs().into_iter().flatten().collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    let is_ours = |address: &&SocketAddr| TcpListener::bind((address.ip(), 0)).is_ok();
    let first = if found.len() > 1 { found.iter().find(is_ours) } else { None };
    first.or(found.first()).copied().with_context(|| {
        format!(
            "{text:?} is no address to listen on. Give --{flag} an IP address or a name of this machine, and a port, such as \
             127.0.0.1:{port}"
        )
    })
}

/// An address that secrets may be sent to.
pub(crate) fn address(flag: &str, text: &str) -> anyhow::Result<Url> {
    let url: Url = text.parse().with_context(|| {
        format!("{text:?} is no address. Give --{flag} one like https://id.example.com/x")
    })?;
    if !["https", "http"].contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        bail!("{text:?} is no address on the web. Give --{flag} one that begins with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        bail!("--{flag} holds a password, which addresses give away. Leave it out");
    }
    Ok(url)
}

/// The parts between commas, without those that are empty.
pub(crate) fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_out_of_its_range_is_answered_with_the_range() {
        let error = number("limit-connections", Some("0"), 5, [1, 9]).unwrap_err().to_string();

        assert!(error.contains("--limit-connections a number from 1 to 9"), "{error}");
        assert_eq!(number("x", Some("7"), 5, [1, 9]).unwrap(), 7);
        assert_eq!(number("x", None, 5, [1, 9]).unwrap(), 5);
    }

    #[test]
    fn a_list_has_no_empty_parts() {
        assert_eq!(list(Some(" a, ,b,")).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(list(None).count(), 0);
    }

    #[test]
    fn a_switch_is_on_or_off() {
        assert!(switch("demo", Some("true")).unwrap());
        assert!(!switch("demo", None).unwrap());
        assert!(switch("demo", Some("yes")).is_err());
    }
}
