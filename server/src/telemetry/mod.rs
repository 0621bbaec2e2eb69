//! What an operator can see of a running server: metrics, logs, traces.

mod logs;
mod metrics;
mod settings;

pub use logs::Logs;
pub(crate) use metrics::{Label, MESSAGES, Metrics, TEXT as METRICS_TYPE};
pub(crate) use settings::TelemetrySettings;
pub use settings::{LogFormat, TelemetryFlags};
