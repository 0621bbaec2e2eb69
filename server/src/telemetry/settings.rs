//! The flags of logs, traces and metrics.

use std::net::SocketAddr;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// What the operator sees.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = "Operation")]
pub struct TelemetryFlags {
    /// Serve /metrics at this address of their own, over plain http
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<String>,
    /// Serve /metrics beside everything else to whoever has this bearer token
    #[arg(long, value_name = "TEXT")]
    pub metrics_token: Option<String>,
}

/// What the operator sees, checked.
#[derive(Clone, Debug)]
pub(crate) struct TelemetrySettings {
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) metrics_token: Option<Secret>,
}

impl TelemetrySettings {
    /// Checks the flags.
    ///
    /// # Errors
    ///
    /// When one cannot be honoured.
    pub(crate) fn settle(raw: &TelemetryFlags) -> anyhow::Result<Self> {
        let metrics_listen = raw.metrics_listen.as_deref().map(|text| {
            text.parse().with_context(|| {
                format!("{text:?} is no address to listen on. Give --metrics-listen such as 127.0.0.1:9090")
            })
        });
        let metrics_token = raw.metrics_token.as_deref().map(Secret::presented);
        Ok(Self { metrics_listen: metrics_listen.transpose()?, metrics_token })
    }
}
