//! JSON bodies, with our own words for what is wrong with them.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

use super::{App, json, origin};
use crate::error::ApiError;

/// A body of JSON, at most as large as the router allows.
pub(crate) struct Body<T>(pub(crate) T);

/// A body of any kind, at most as large as the router allows, that comes in time.
pub(crate) struct Whole(pub(crate) Bytes);

impl FromRequest<App> for Whole {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let read = tokio::time::timeout(app.patience, Bytes::from_request(request, app)).await;
        read.map_err(|_| ApiError::TooSlow)?.map(Self).map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::TooLarge
            } else {
                ApiError::Malformed("the body ended early".to_owned())
            }
        })
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let kind = origin::text(request.headers(), header::CONTENT_TYPE).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::NotJson);
        }
        let Whole(bytes) = Whole::from_request(request, app).await?;
        json::object(&bytes).map(Self).map_err(ApiError::Malformed)
    }
}
