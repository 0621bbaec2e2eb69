//! `/session/device`: what this device can do, and whether it is the one that rings.

use axum::Json;
use axum::extract::State;
use broker::{Capabilities, Device, Input, Standing};
use serde::{Deserialize, Serialize};

use super::App;
use super::auth::Session;
use super::body::Body;
use crate::error::ApiError;
use crate::store::devices;

/// What capabilities are, for those who wrote them otherwise.
pub(super) const WORDS: &str =
    "capabilities are at most 16 words of up to 32 lower-case letters, digits and hyphens";

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// The policy of the user.
    policy: &'static str,
    /// Whether the user has nominated this device.
    nominated: bool,
    /// What this device declared.
    capabilities: Vec<String>,
}

/// What is to change; what is not given stays.
#[derive(Debug, Deserialize)]
pub(crate) struct Change {
    nominated: Option<bool>,
    capabilities: Option<Vec<String>>,
}

/// `GET /session/device`: how does this device stand?
pub(crate) async fn show(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Shown>, ApiError> {
    let device = device(&session);
    let standing = standing(&app, &device).await?;
    Ok(Json(shown(&device, &standing)))
}

/// `PUT /session/device`: this device can do that, or is to be the one that rings.
pub(crate) async fn change(
    State(app): State<App>,
    session: Session,
    Body(change): Body<Change>,
) -> Result<Json<Shown>, ApiError> {
    let device = device(&session);
    // Checked before anything changes.
    let able = change.capabilities.map(|words| {
        Capabilities::new(words.iter().map(String::as_str))
            .ok_or_else(|| ApiError::Malformed(WORDS.to_owned()))
    });
    if let Some(able) = able.transpose()? {
        app.store.declare(&device, &able).await?;
    }
    if let Some(is) = change.nominated {
        app.store.nominate(&device, is).await?;
    }
    let standing = standing(&app, &device).await?;
    let answer = shown(&device, &standing);
    app.switchboard.tell(Input::Stands { device, standing }).await;
    Ok(Json(answer))
}

pub(super) fn device(session: &Session) -> Device {
    Device { user: session.user.clone(), instance: session.live_instance() }
}

/// What is known of a device.
pub(super) async fn standing(app: &App, device: &Device) -> Result<Standing, ApiError> {
    Ok(app.store.standing(device, app.peerjs.policy).await?)
}

fn shown(device: &Device, standing: &Standing) -> Shown {
    Shown {
        policy: devices::word(standing.policy),
        nominated: standing.nominated == Some(device.instance),
        capabilities: standing.capabilities.words().map(str::to_owned).collect(),
    }
}
