//! How PeerJS clients are served, by the operator's wish.

use std::time::Duration;

use anyhow::bail;
use serde::{Deserialize, Serialize};

use super::values::{number, switch};
use crate::http::peerjs::Manner;
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
    /// The largest message, in bytes [default: 262144]
    #[arg(long, value_name = "BYTES")]
    pub peerjs_message_max: Option<String>,
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
    message_max: usize,
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
        Ok(Self {
            key,
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
            message_max: number(
                "peerjs-message-max",
                raw.peerjs_message_max.as_deref(),
                256 * 1024,
                [1_024, 16 * 1024 * 1024],
            )?,
        })
    }

    /// What the routes must know.
    pub(crate) fn manner(&self) -> Manner {
        Manner { key: self.key.as_str().into(), open: self.open, discovery: self.discovery }
    }

    /// What the broker must know.
    pub(crate) fn broker(&self) -> broker::Config {
        broker::Config {
            open: self.open,
            letter: self.expire_timeout,
            lines_max: self.concurrent_limit,
            ..broker::Config::default()
        }
    }

    /// What the lines must know.
    pub(crate) fn lines(&self) -> Limits {
        Limits {
            message_bytes_max: self.message_max,
            silence: self.alive_timeout,
            // Two pings may be lost.
            ping: self.alive_timeout / 3,
            ..Limits::default()
        }
    }
}

/// As PeerServer's flags of these names take it, up to a day.
fn millis(flag: &str, text: &Option<String>, otherwise: u64) -> anyhow::Result<Duration> {
    number(flag, text.as_deref(), otherwise, [1, 86_400_000]).map(Duration::from_millis)
}
