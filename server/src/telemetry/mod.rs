//! What an operator can see of a running server: metrics, logs, traces.

mod metrics;
mod settings;

pub(crate) use metrics::{Metrics, TEXT as METRICS_TYPE};
pub use settings::TelemetryFlags;
pub(crate) use settings::TelemetrySettings;
