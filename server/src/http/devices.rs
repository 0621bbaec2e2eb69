//! `/session/devices`: where I am logged in, and nowhere else.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use wire::contacts::LoggedIn;

use super::App;
use super::auth::Session;
use crate::error::ApiError;
use crate::store::ID_DIGITS;

/// `GET /session/devices`: the devices of this user, the oldest first. Another judge's sessions are its own business.
pub(crate) async fn list(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Vec<LoggedIn>>, ApiError> {
    let own = session.token.hash();
    let tokens = app.store.tokens(Some(&session.user)).await?;
    let shown = tokens.into_iter().map(|token| LoggedIn {
        is_this: own.starts_with(&token.id),
        is_bound: token.is_bound,
        id: token.id,
        device: token.device,
        created: token.created,
        last_used: token.last_used,
    });
    Ok(Json(shown.collect()))
}

/// `DELETE /session/devices/{id}`: log that device out. Its sockets end within two seconds.
pub(crate) async fn revoke(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    if id.len() != ID_DIGITS || !app.store.revoke_of(&session.user, &id).await? {
        return Err(ApiError::NotFound);
    }
    Ok(StatusCode::NO_CONTENT)
}
