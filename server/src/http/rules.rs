//! `/contacts/rules`: who rings this user.

use axum::Json;
use axum::extract::State;
use broker::Input;
use wire::contacts::{ChangeRules, Rules};

use super::App;
use super::auth::Session;
use super::body::Body;
use super::device::{device, standing};
use crate::error::ApiError;

/// Users that one user may block. Guess: more than a person meets.
const BLOCKED_MAX: usize = 1_000;

/// `GET /contacts/rules`: who rings me?
pub(crate) async fn show(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Rules>, ApiError> {
    Ok(Json(app.store.rules(&session.user).await?))
}

/// `PUT /contacts/rules`: only these are to.
pub(crate) async fn change(
    State(app): State<App>,
    session: Session,
    Body(change): Body<ChangeRules>,
) -> Result<Json<Rules>, ApiError> {
    let ChangeRules { ring, block, unblock } = change;
    let user = &session.user;
    let blocked = app.store.rules(user).await?.blocked.len();
    if blocked + block.len() > BLOCKED_MAX {
        return Err(ApiError::Malformed(format!(
            "at most {BLOCKED_MAX} users can be blocked. Take some from the list first"
        )));
    }
    if block.contains(user) {
        return Err(ApiError::Malformed("nobody can block themselves".to_owned()));
    }
    if let Some(ring) = ring {
        app.store.set_ring(user, ring).await?;
    }
    for (others, is) in [(unblock, false), (block, true)] {
        for other in others.iter().take(BLOCKED_MAX) {
            app.store.block(user, other, is).await?;
        }
    }
    let rules = app.store.rules(user).await?;
    // Who is blocked sees from now on nobody here.
    let device = device(&session);
    let standing = standing(&app, &device).await?;
    app.switchboard.tell(Input::Stands { device, standing }).await;
    Ok(Json(rules))
}
