//! `/contacts`: how a device is reached, and messages to others.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use broker::{Parcel, Unsent};
use serde_json::{Map, Value};
use wire::contacts::{Account, Contact, Registered, Send, Sent};
use wire::{InviteId, Timestamp};

use super::App;
use super::auth::Session;
use super::body::Body;
use crate::error::ApiError;
use crate::session::Origin;
use crate::store;

/// The contact of a device that is reached by its live socket.
pub(crate) const LIVE: &str = "live";
/// How long a contact lasts without a refresh. The reference's 270 days.
const CONTACT_LASTS_MS: u64 = 270 * 24 * 60 * 60 * 1_000;

/// `GET /contacts`: who am I?
pub(crate) async fn whoami(session: Session) -> Json<Account> {
    Json(session.account())
}

/// `PUT /contacts`: this is how I am reached.
pub(crate) async fn register(
    State(app): State<App>,
    session: Session,
    Body(contact): Body<Contact>,
) -> Result<Json<Registered>, ApiError> {
    if contact.contact != LIVE {
        return Err(ApiError::UnknownContact);
    }
    register_live(&app, &session).await?.map(Json).ok_or(ApiError::NotLoggedIn)
}

/// Registers the live socket as the contact of the device; `None` when its token is gone. Sessions of another judge need
/// no row: their live socket is their contact for as long as they are good.
pub(crate) async fn register_live(
    app: &App,
    session: &Session,
) -> Result<Option<Registered>, ApiError> {
    let instance = session.live_instance();
    let now = u64::try_from(store::now()).unwrap_or(0);
    let lasts = Timestamp(now + CONTACT_LASTS_MS);
    match session.origin {
        Origin::Account { .. } => {
            let known = app.store.set_contact(&session.token, LIVE, instance, lasts).await?;
            Ok(known.then_some(Registered { instance, expires: lasts }))
        }
        Origin::Session { .. } => {
            let expires = session.until.unwrap_or(lasts);
            Ok(Some(Registered { instance, expires }))
        }
    }
}

/// `POST /contacts`: deliver this.
pub(crate) async fn send(
    State(app): State<App>,
    session: Session,
    Body(Send { to, data }): Body<Send>,
) -> Result<Json<Sent>, ApiError> {
    let from = session.device().ok_or(ApiError::NoContact)?;
    match app.switchboard.send(from, to.clone(), parcel(data)).await? {
        Ok(count) => Ok(Json(Sent { count })),
        Err(Unsent::Full) => Err(ApiError::QueueFull(to)),
        Err(Unsent::TooMany { again_in }) => {
            Err(ApiError::TooMany { seconds: again_in.as_secs() + 1 })
        }
        Err(Unsent::NotReachable) if app.store.has_user(&to.user).await? => {
            Err(ApiError::NotReachable(to))
        }
        // Whom another judge knows, we cannot tell.
        Err(Unsent::NotReachable) if app.verifier.asks() => Err(ApiError::NotReachable(to)),
        Err(Unsent::NotReachable) => Err(ApiError::UnknownUser(to.user)),
    }
}

/// `DELETE /contacts`: nobody reaches this device any more.
pub(crate) async fn log_out(
    State(app): State<App>,
    session: Session,
) -> Result<StatusCode, ApiError> {
    app.store.clear_contact(&session.token).await?;
    if let Some(device) = session.device() {
        app.switchboard.dismiss(device.into()).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The members of the message without the sender and receiver that only the server writes, and what the broker must
/// know of it. Methods that we do not know pass through.
fn parcel(mut data: Map<String, Value>) -> Parcel {
    data.remove("From");
    data.remove("To");
    let ttl = data.get("TTL").and_then(Value::as_u64).map(Duration::from_millis);
    let is_invite = data.get("method").is_some_and(|method| method == "INVITE");
    let invite: Option<InviteId> =
        data.get("ReqId").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let object = Value::Object(data).to_string();
    let members = object.trim_start_matches('{');
    let members = members.strip_suffix('}').unwrap_or(members);
    Parcel { text: members.into(), ttl, invite: invite.filter(|_| is_invite) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_sender_is_dropped_and_the_rest_kept() {
        let parcel = parcel(map(r#"{"method":"X","From":"eve@x","To":"bob@x","a":{"b":{}}}"#));

        assert_eq!(parcel.text.as_ref(), r#""a":{"b":{}},"method":"X""#);
        assert_eq!(parcel.invite, None);
    }

    #[test]
    fn an_invite_asks_for_a_receipt_and_lasts_as_long_as_it_rings() {
        let parcel = parcel(map(r#"{"method":"INVITE","ReqId":"000000000000001f","TTL":45000}"#));

        assert_eq!(parcel.invite, Some(InviteId(0x1f)));
        assert_eq!(parcel.ttl, Some(Duration::from_secs(45)));
    }

    #[test]
    fn an_empty_message_is_a_message() {
        assert_eq!(parcel(Map::new()).text.as_ref(), "");
    }

    fn map(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }
}
