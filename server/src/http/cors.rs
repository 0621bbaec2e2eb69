//! What pages of named origins may read (the Fetch Standard, "CORS protocol"). Pages of other origins get no such word.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::origin::text;

/// How long browsers remember what they may, in seconds: as long as any of them does.
const REMEMBERED: &str = "7200";

/// Answers the questions that browsers ask beforehand, and marks what may be read.
pub(super) async fn allow(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let named = origin.filter(|origin| origin.to_str().is_ok_and(|text| app.origins.has(text)));
    let Some(origin) = named else {
        let mut response = next.run(request).await;
        if !app.origins.is_empty() {
            response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
        }
        return response;
    };
    let wished = header::ACCESS_CONTROL_REQUEST_METHOD;
    let mut response =
        if request.method() == Method::OPTIONS && request.headers().contains_key(wished) {
            preflight(request.headers())
        } else {
            next.run(request).await
        };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, PUT, POST, DELETE");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
    let wished = text(asked, header::ACCESS_CONTROL_REQUEST_HEADERS);
    if let Some(wished) = wished.and_then(|wished| wished.parse().ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wished);
    }
    response
}
