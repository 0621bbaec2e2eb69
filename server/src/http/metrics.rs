//! `/metrics`, on a listener of its own or with a token: numbers of the whole server are the operator's business.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::App;
use super::auth::bearer;
use crate::error::ApiError;
use crate::telemetry::{METRICS_TYPE, Metrics};

/// `GET /metrics` on the public listener: only with the token that the operator set.
pub(crate) async fn metrics(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // Without a token there is nothing here.
    let expected = app.metrics_token.as_ref().ok_or(ApiError::NotFound)?;
    let given = bearer(&headers).ok_or(ApiError::NotLoggedIn)?;
    // Hashes are compared, so that the time it takes tells nothing of the token.
    if given.hash() != expected.hash() {
        return Err(ApiError::NotLoggedIn);
    }
    Ok(page(&app.metrics))
}

/// Serves the metrics alone on `socket`, until it is aborted.
pub(crate) async fn serve(socket: TcpListener, metrics: Metrics) {
    let router = Router::new().route("/metrics", get(|| async move { page(&metrics) }));
    if let Err(error) = axum::serve(socket, router).await {
        tracing::error!(%error, "Metrics are served no longer");
    }
}

fn page(metrics: &Metrics) -> Response {
    ([(header::CONTENT_TYPE, METRICS_TYPE)], metrics.text()).into_response()
}
