//! How PeerJS clients are served, by the operator's wish.

use std::time::Duration;

use anyhow::{Context as _, bail};
use broker::{Policy, Showing};
use serde::{Deserialize, Serialize};

use super::values::{number, switch};
use crate::http::peerjs::Manner;
use crate::store::devices;
use crate::switchboard::Limits;

/// How PeerJS clients are served. Where PeerServer has a flag for the same, it takes the same values.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = "PeerJS")]
pub struct PeerJsFlags {
    /// Let clients in who are not logged in, as PeerServer does; they never get a user's id
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub peerjs_open: Option<String>,
    /// Key that clients give, and the first part of their paths [default: peerjs]
    #[arg(long, value_name = "KEY")]
    pub peerjs_key: Option<String>,
    /// Let anybody list the ids of all clients
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub peerjs_discovery: Option<String>,
    /// How long a message waits for somebody who is not here [default: 5000]
    #[arg(long, value_name = "MILLISECONDS")]
    pub peerjs_expire_timeout: Option<String>,
    /// After how much silence a client is gone [default: 60000]
    #[arg(long, value_name = "MILLISECONDS")]
    pub peerjs_alive_timeout: Option<String>,
    /// Clients that may be connected at once [default: 10000]
    #[arg(long, value_name = "NUMBER")]
    pub peerjs_concurrent_limit: Option<String>,
    /// Which devices of a user ring: all, those that declared what the call needs, or one that the user nominates
    /// [default: all]
    #[arg(long, value_name = "all|capable|nominated")]
    pub device_policy: Option<String>,
    /// How long a client whose connection broke keeps its place, before others hear that it is gone [default: 10000]
    #[arg(long, value_name = "MILLISECONDS")]
    pub peerjs_reconnect_timeout: Option<String>,
    /// What the ids of clients who are not logged in begin with, so that they are never taken for a user's [default: nothing]
    #[arg(long, value_name = "TEXT")]
    pub peerjs_guest_prefix: Option<String>,
}

/// How PeerJS clients are served, checked.
#[derive(Clone, Debug)]
pub(crate) struct PeerJsSettings {
    key: String,
    open: bool,
    discovery: bool,
    expire_timeout: Duration,
    alive_timeout: Duration,
    concurrent_limit: usize,
    reconnect_timeout: Duration,
    guest_prefix: String,
    device_policy: Policy,
}

impl PeerJsSettings {
    /// Checks the flags.
    ///
    /// # Errors
    ///
    /// When one cannot be honoured.
    pub(super) fn settle(raw: &PeerJsFlags) -> anyhow::Result<Self> {
        let key = raw.peerjs_key.clone().unwrap_or_else(|| "peerjs".to_owned());
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if key.is_empty() || key.len() > 64 || !key.bytes().all(plain) {
            bail!(
                "{key:?} is no key for PeerJS. Give --peerjs-key up to 64 letters, digits, -, ., _ and ~"
            );
        }
        let device_policy = match raw.device_policy.as_deref() {
            None => Policy::All,
            Some(word) => devices::policy(word).with_context(|| {
                format!(
                    "{word:?} is no device policy. Give --device-policy all, capable or nominated"
                )
            })?,
        };
        Ok(Self {
            key,
            device_policy,
            open: switch("peerjs-open", raw.peerjs_open.as_deref())?,
            discovery: switch("peerjs-discovery", raw.peerjs_discovery.as_deref())?,
            expire_timeout: millis("peerjs-expire-timeout", &raw.peerjs_expire_timeout, 5_000)?,
            alive_timeout: millis("peerjs-alive-timeout", &raw.peerjs_alive_timeout, 60_000)?,
            concurrent_limit: number(
                "peerjs-concurrent-limit",
                raw.peerjs_concurrent_limit.as_deref(),
                10_000,
                [1, 10_000_000],
            )?,
            reconnect_timeout: millis(
                "peerjs-reconnect-timeout",
                &raw.peerjs_reconnect_timeout,
                10_000,
            )?,
            guest_prefix: guest_prefix(raw.peerjs_guest_prefix.as_deref().unwrap_or_default())?,
        })
    }

    /// Whether clients who are not logged in may come by any id at all.
    pub(crate) fn lets_guests_choose(&self) -> bool {
        self.open && self.guest_prefix.is_empty()
    }

    /// What the routes must know.
    pub(crate) fn manner(&self) -> Manner {
        Manner {
            key: self.key.as_str().into(),
            open: self.open,
            discovery: self.discovery,
            policy: self.device_policy,
            guest_prefix: self.guest_prefix.as_str().into(),
        }
    }

    /// What the broker must know.
    pub(crate) fn broker(&self, showing: Showing, is_judged_elsewhere: bool) -> broker::Config {
        broker::Config {
            // The users of another judge are not known before they come.
            open: self.open || is_judged_elsewhere,
            showing,
            letter: self.expire_timeout,
            peer_grace: self.reconnect_timeout,
            lines_max: self.concurrent_limit,
            ..broker::Config::default()
        }
    }

    /// What the lines must know.
    pub(crate) fn lines(&self) -> Limits {
        Limits {
            silence: self.alive_timeout,
            // Two pings may be lost.
            ping: self.alive_timeout / 3,
            ..Limits::default()
        }
    }
}

fn guest_prefix(text: &str) -> anyhow::Result<String> {
    // Of what unmodified clients may choose as an id, and so that an id fits behind it.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if text.len() > 64 || !text.bytes().all(plain) {
        bail!(
            "{text:?} cannot begin the id of a PeerJS client. Give --peerjs-guest-prefix up to 64 letters, digits, - and _, \
             such as guest-"
        );
    }
    Ok(text.to_owned())
}

/// As PeerServer's flags of these names take it, up to a day.
fn millis(flag: &str, text: &Option<String>, otherwise: u64) -> anyhow::Result<Duration> {
    number(flag, text.as_deref(), otherwise, [1, 86_400_000]).map(Duration::from_millis)
}
