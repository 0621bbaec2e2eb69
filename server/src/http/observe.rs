//! What the operator sees of each request: a span with a name of its own, a count, and no more than that.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderName;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::App;
use crate::error::{ApiError, Refused};

/// The header that names a request, so that a person's complaint and a line of the log find each other.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Sees a request to its answer. A panic stays with the request that caused it.
///
/// The route is told and never the path, which holds ids and tokens of PeerJS clients.
pub(super) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = app.request_id();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        id,
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.route = route,
        http.response.status_code = Empty,
        refused = Empty,
    );
    let answer = async {
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answer.unwrap_or_else(|_| {
            tracing::error!("A request panicked");
            ApiError::Broken.into_response()
        })
    };
    let mut response = answer.instrument(span.clone()).await;
    let status = response.status();
    let took = began.elapsed();
    app.metrics.request(status, took);
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if let Some(Refused(word)) = response.extensions().get() {
        app.metrics.refused(word);
        span.record("refused", word);
    }
    span.in_scope(|| tracing::debug!(millis = took.as_millis(), "Answered"));
    let name = id.parse().expect("an id is hexadecimal digits");
    response.headers_mut().insert(REQUEST_ID, name);
    response
}
