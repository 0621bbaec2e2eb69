//! `/presence`: is somebody reachable? And `/session/presence`: who may know that of me.

use axum::Json;
use axum::extract::{RawQuery, State};
use broker::{Audience, Input, Showing};
use serde::{Deserialize, Serialize};
use wire::UserId;
use wire::live::Seen;
use wire::peerjs::PeerId;

use super::App;
use super::auth::Session;
use super::body::Body;
use super::device::{device, standing};
use crate::error::ApiError;

/// How many one may ask about at once. Guess: a page of contacts.
const ASKED_MAX: usize = 64;

/// How many one may list. Guess: more than anybody rings in a year.
const LISTED_MAX: usize = 256;

/// Who may know whether a user is reachable.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// Whom the operator lets know.
    policy: &'static str,
    /// Whom the user has listed; `None` when they have no list.
    shown_to: Option<Vec<UserId>>,
}

/// What is to change.
#[derive(Debug, Deserialize)]
pub(crate) struct Change {
    shown_to: Option<Vec<UserId>>,
}

/// `GET /presence?of=…`: are these reachable?
pub(crate) async fn ask(
    State(app): State<App>,
    session: Session,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<Seen>>, ApiError> {
    let query = query.unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes());
    let users: Result<Vec<UserId>, _> =
        pairs.filter(|(key, _)| key == "of").map(|(_, user)| user.parse()).collect();
    let users = users.map_err(|problem| ApiError::Malformed(format!("the {problem}")))?;
    if users.is_empty() || users.len() > ASKED_MAX {
        return Err(ApiError::Malformed(format!(
            "ask about 1 to {ASKED_MAX} users, each as a parameter of=USER"
        )));
    }
    let names = users.iter().map(PeerId::from).collect();
    let seen = see(&app, Some(session.user), names).await?;
    let seen = users.into_iter().zip(seen).map(|(user, reachable)| Seen { user, reachable });
    Ok(Json(seen.collect()))
}

/// Whether these are reachable, as far as `user` may know.
pub(super) async fn see(
    app: &App,
    user: Option<UserId>,
    names: Vec<PeerId>,
) -> Result<Vec<bool>, ApiError> {
    if app.showing == Showing::Nobody {
        return Err(ApiError::PresenceOff);
    }
    app.switchboard.see(user, names).await
}

/// `GET /session/presence`: who may know that I am reachable?
pub(crate) async fn show(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Shown>, ApiError> {
    let standing = standing(&app, &device(&session)).await?;
    Ok(Json(shown(&app, standing.audience.as_ref())))
}

/// `PUT /session/presence`: these may know that I am reachable.
pub(crate) async fn change(
    State(app): State<App>,
    session: Session,
    Body(change): Body<Change>,
) -> Result<Json<Shown>, ApiError> {
    if change.shown_to.as_ref().is_some_and(|users| users.len() > LISTED_MAX) {
        let problem = format!("the list has more than {LISTED_MAX} users");
        return Err(ApiError::Malformed(problem));
    }
    let audience: Option<Audience> = change.shown_to.map(|users| users.into_iter().collect());
    app.store.show_to(&session.user, audience.as_ref()).await?;
    let device = device(&session);
    let standing = standing(&app, &device).await?;
    let answer = shown(&app, standing.audience.as_ref());
    // Whoever watches hears of it at once.
    app.switchboard.tell(Input::Stands { device, standing }).await;
    Ok(Json(answer))
}

/// Why the broker lets nobody watch.
pub(super) fn refusal(error: &broker::Error) -> ApiError {
    match error {
        broker::Error::Refused(_) => ApiError::PresenceOff,
        broker::Error::Limit(_)
        | broker::Error::Misuse(_)
        | broker::Error::PeerMisbehaved(_)
        | broker::Error::Unproven => ApiError::WatchesTooMany,
    }
}

fn shown(app: &App, audience: Option<&Audience>) -> Shown {
    let policy = match app.showing {
        Showing::Nobody => "nobody",
        Showing::Listed => "listed",
        Showing::Everybody => "anyone",
    };
    Shown { policy, shown_to: audience.map(|audience| audience.users().cloned().collect()) }
}
