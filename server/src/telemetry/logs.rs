//! Where logs and traces go: standard error, and a collector when there is one.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{
    LogExporter, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::settings::{LogFormat, Otlp, TelemetrySettings};

/// How long an export may take.
const EXPORT: Duration = Duration::from_secs(5);

/// What the exporter itself is built on. It must not export what it says about its exports.
const EXPORTERS: [&str; 6] = ["hyper", "hyper_util", "h2", "reqwest", "rustls", "opentelemetry"];

/// The crates of this program.
const OURS: [&str; 4] = ["hullo", "server", "broker", "wire"];

/// Sends what is still waiting when it is finished.
#[must_use]
#[derive(Default)]
pub struct Logs(Option<(SdkTracerProvider, SdkLoggerProvider)>);

impl Logs {
    /// Writes logs from here on: to standard error, at `info` and above unless `RUST_LOG` says otherwise, and to the
    /// collector.
    ///
    /// # Errors
    ///
    /// When the collector's address or headers cannot be used.
    pub(crate) fn start(settings: &TelemetrySettings) -> anyhow::Result<Self> {
        let format = match settings.log_format {
            LogFormat::Human => tracing_subscriber::fmt::layer()
                .with_ansi(std::io::stderr().is_terminal())
                .with_writer(std::io::stderr)
                .with_filter(filter().and(filter_fn(is_discreet)))
                .boxed(),
            LogFormat::Json => tracing_subscriber::fmt::layer()
                .json()
                .with_writer(std::io::stderr)
                .with_filter(filter().and(filter_fn(is_discreet)))
                .boxed(),
        };
        let registry = tracing_subscriber::registry().with(format);
        let Some(otlp) = &settings.otlp else {
            registry.try_init().context("Logs go somewhere else already")?;
            return Ok(Self(None));
        };
        let (traces, logs) = (traces(otlp)?, records(otlp)?);
        let spans = tracing_opentelemetry::layer()
            .with_tracer(traces.tracer("hullo"))
            .with_location(false)
            .with_threads(false)
            .with_filter(exported()?.and(filter_fn(is_discreet)));
        let bridge = OpenTelemetryTracingBridge::new(&logs)
            .with_filter(exported()?.and(filter_fn(is_discreet)));
        registry.with(spans).with(bridge).try_init().context("Logs go somewhere else already")?;
        Ok(Self(Some((traces, logs))))
    }

    /// Sends what is still waiting, within a bounded time.
    pub async fn finish(self) {
        let Some((traces, logs)) = self.0 else { return };
        let sent = tokio::task::spawn_blocking(move || {
            // A collector that is away was said to be so by the exporter.
            traces.shutdown_with_timeout(EXPORT).ok();
            logs.shutdown_with_timeout(EXPORT).ok();
        });
        sent.await.ok();
    }
}

/// Whether something may be logged, however much `RUST_LOG` asks for. Ours never tells anything about a person. Libraries
/// at `trace` tell each packet, which is all that people say; the one of WebSockets does at `debug`, too.
fn is_discreet(event: &Metadata<'_>) -> bool {
    let target = event.target();
    if OURS.iter().any(|name| target.split("::").next() == Some(name)) {
        return true;
    }
    let most = if target.contains("tungstenite") { Level::INFO } else { Level::DEBUG };
    *event.level() <= most
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"))
}

fn exported() -> anyhow::Result<EnvFilter> {
    EXPORTERS.iter().try_fold(filter(), |filter, name| {
        Ok(filter.add_directive(format!("{name}=off").parse().context("a target")?))
    })
}

fn traces(otlp: &Otlp) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", otlp.endpoint))
        .with_timeout(EXPORT)
        .with_headers(headers(otlp))
        .build()
        .context("Traces cannot be exported. Check --otlp-endpoint")?;
    let provider = SdkTracerProvider::builder();
    Ok(provider.with_batch_exporter(exporter).with_resource(resource()).build())
}

fn records(otlp: &Otlp) -> anyhow::Result<SdkLoggerProvider> {
    let exporter = LogExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/logs", otlp.endpoint))
        .with_timeout(EXPORT)
        .with_headers(headers(otlp))
        .build()
        .context("Logs cannot be exported. Check --otlp-endpoint")?;
    let provider = SdkLoggerProvider::builder();
    Ok(provider.with_batch_exporter(exporter).with_resource(resource()).build())
}

fn headers(otlp: &Otlp) -> HashMap<String, String> {
    otlp.headers.iter().cloned().collect()
}

/// Who it is that logs.
fn resource() -> Resource {
    Resource::builder()
        .with_service_name("hullo")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}
