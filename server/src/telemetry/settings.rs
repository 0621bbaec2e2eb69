//! The flags of logs, traces and metrics.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::config::values::{list, listen};
use crate::secret::Secret;

/// What the operator sees.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = "Operation")]
pub struct TelemetryFlags {
    /// How to write logs [default: human]
    #[arg(long, value_name = "human|json")]
    pub log_format: Option<String>,
    /// Send logs and traces to this collector too, by OTLP over HTTP, such as http://127.0.0.1:4318
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Headers for the collector, such as authorization=Bearer x
    #[arg(long, value_name = "NAME=VALUE,…")]
    pub otlp_headers: Option<String>,
    /// Serve /metrics at this address of their own, over plain http
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<String>,
    /// Serve /metrics beside everything else to whoever has this bearer token
    #[arg(long, value_name = "TEXT")]
    pub metrics_token: Option<String>,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// For machines: one JSON object a line.
    Json,
}

/// A collector, and what it wants to be told.
#[derive(Clone)]
pub(crate) struct Otlp {
    /// Without a slash at the end.
    pub(super) endpoint: String,
    pub(super) headers: Vec<(String, String)>,
}

impl std::fmt::Debug for Otlp {
    // Headers hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Otlp").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What the operator sees, checked.
#[derive(Clone, Debug)]
pub(crate) struct TelemetrySettings {
    pub(crate) log_format: LogFormat,
    pub(crate) otlp: Option<Otlp>,
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
        let log_format = match raw.log_format.as_deref() {
            None | Some("human") => LogFormat::Human,
            Some("json") => LogFormat::Json,
            Some(other) => bail!("{other:?} is no log format. Give --log-format human or json"),
        };
        let metrics_listen =
            raw.metrics_listen.as_deref().map(|text| listen("metrics-listen", text, 9090));
        let metrics_token = raw.metrics_token.as_deref().map(Secret::presented);
        Ok(Self {
            log_format,
            otlp: otlp(raw)?,
            metrics_listen: metrics_listen.transpose()?,
            metrics_token,
        })
    }
}

fn otlp(raw: &TelemetryFlags) -> anyhow::Result<Option<Otlp>> {
    let Some(endpoint) = raw.otlp_endpoint.as_deref() else {
        if raw.otlp_headers.is_some() {
            bail!("--otlp-headers are for a collector. Give --otlp-endpoint too");
        }
        return Ok(None);
    };
    let url =
        reqwest::Url::parse(endpoint).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    if url.is_none_or(|url| !url.has_host()) {
        bail!(
            "{endpoint:?} is no collector's address. Give --otlp-endpoint such as http://127.0.0.1:4318"
        );
    }
    let header = |text: &str| {
        let (name, value) = text.split_once('=').with_context(|| {
            "A header has a name and a value. Give --otlp-headers such as authorization=Bearer x"
        })?;
        let (name, value) = (name.trim(), value.trim());
        let is_header = name.parse::<axum::http::HeaderName>().is_ok()
            && value.parse::<axum::http::HeaderValue>().is_ok();
        if !is_header {
            bail!("The header {name:?} cannot be sent. Check --otlp-headers");
        }
        Ok((name.to_owned(), value.to_owned()))
    };
    let headers = list(raw.otlp_headers.as_deref()).map(header).collect::<anyhow::Result<_>>()?;
    Ok(Some(Otlp { endpoint: endpoint.trim_end_matches('/').to_owned(), headers }))
}
