//! `/contacts`: how a device is reached, and messages to others.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use broker::{Capabilities, Device, Failure, Parcel, Policy, PushId, Unsent};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wire::contacts::{Account, Registered, Ringing, Send, Sent, Shown, Undelivered, Wakeable};
use wire::{Address, InviteId, Timestamp};

use super::auth::Session;
use super::body::Body;
use super::{App, device};
use crate::error::ApiError;
use crate::push::PushContact;
use crate::push::veil::veil;
use crate::session::Origin;
use crate::store;
use crate::store::relations::Welcome;

/// The contact of a device that is reached by its live socket.
pub(crate) const LIVE: &str = "live";
/// How long a contact lasts without a refresh. The reference's 270 days.
const CONTACT_LASTS_MS: u64 = 270 * 24 * 60 * 60 * 1_000;

/// The answer to `GET /contacts`.
#[derive(Serialize)]
pub(crate) struct Whoami {
    #[serde(flatten)]
    account: Account,
    #[serde(flatten)]
    wakeable: Wakeable,
}

/// `GET /contacts`: who am I?
pub(crate) async fn whoami(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Whoami>, ApiError> {
    let account = session.account();
    let namespace = match session.origin {
        Origin::Account { .. } => app.store.namespace(&session.token).await?,
        Origin::Session { .. } => None,
    };
    let project = namespace.as_deref().and_then(|name| app.carriers.project(name));
    let Some((config, key)) = project.and_then(|project| project.told.as_ref()) else {
        let vapidkey = Some(app.carriers.web.vapid().public_key());
        return Ok(Json(Whoami {
            account,
            wakeable: Wakeable { namespace, vapidkey, config: None },
        }));
    };
    let veiled = |text: &str| namespace.as_deref().map(|name| veil(name, text));
    let (config, vapidkey) = (veiled(&config.to_string()), veiled(key));
    Ok(Json(Whoami { account, wakeable: Wakeable { namespace, config, vapidkey } }))
}

/// The body of `PUT /contacts`, as [`wire::contacts::Contact`]. With `null` in place of the contact, clients of the reference
/// log out; one that is missing is a mistake, which costs nobody their log-in.
#[derive(Deserialize)]
pub(crate) struct Wish {
    #[serde(deserialize_with = "Option::deserialize")]
    contact: Option<String>,
    wake: Option<String>,
}

/// `PUT /contacts`: this is how I am reached.
pub(crate) async fn register(
    State(app): State<App>,
    session: Session,
    Body(wish): Body<Wish>,
) -> Result<Response, ApiError> {
    let Wish { contact: Some(contact), wake } = wish else {
        return Ok(forget(&app, &session).await?.into_response());
    };
    let wakes = wake.as_deref().filter(|wake| !wake.is_empty());
    // Everything is looked at before anything changes.
    for contact in wakes.into_iter().chain((contact != LIVE).then_some(contact.as_str())) {
        check_wake(&app, &session, contact).await?;
    }
    if wake.is_some() {
        has_device(&session)?;
    }
    let registered = if contact == LIVE {
        register_live(&app, &session).await?
    } else {
        register_push(&app, &session, &contact).await?
    };
    if wake.is_some() {
        app.store.set_wake(&session.token, wakes).await?;
    }
    let registered = registered.ok_or(ApiError::NotLoggedIn)?;
    Ok(Json(registered).into_response())
}

/// Registers a push subscription or a Firebase token as the contact, as clients of the reference do.
async fn register_push(
    app: &App,
    session: &Session,
    contact: &str,
) -> Result<Option<Registered>, ApiError> {
    app.store.set_wake(&session.token, Some(contact)).await?;
    let instance = session.token.instance(&session.user, contact);
    let expires = lasts();
    let known = app.store.set_contact(&session.token, contact, instance, expires).await?;
    Ok(known.then_some(Registered { instance, expires }))
}

/// Whether a device can be woken by this.
async fn check_wake(app: &App, session: &Session, wake: &str) -> Result<(), ApiError> {
    has_device(session)?;
    let contact = PushContact::parse(wake, app.carriers.web.guard())
        .map_err(|error| ApiError::UnknownContact(error.to_string()))?;
    match contact {
        PushContact::Web { .. } => Ok(()),
        PushContact::Fcm { .. } => has_project(app, session).await,
    }
}

fn has_device(session: &Session) -> Result<(), ApiError> {
    match session.origin {
        Origin::Account { .. } => Ok(()),
        Origin::Session { .. } => Err(ApiError::UnknownContact(
            "a session of another service has no device that could be woken".to_owned(),
        )),
    }
}

/// Whether there is a Firebase project for the registration token of this device. Without one nothing could ever be sent
/// to it, which would come out only when somebody rings.
async fn has_project(app: &App, session: &Session) -> Result<(), ApiError> {
    let namespace = app.store.namespace(&session.token).await?;
    if app.carriers.has_project(namespace.as_deref()) {
        return Ok(());
    }
    let lacks = match namespace {
        Some(name) => format!("no Firebase project {name}, which the access token names"),
        None => "no Firebase project".to_owned(),
    };
    Err(ApiError::UnknownContact(format!(
        "it is a Firebase registration token, and this server has {lacks}. Register a push subscription by the vapidkey of \
         GET /contacts, or have the operator name the project with --fcm-projects"
    )))
}

/// Until when a contact lasts that is registered now.
fn lasts() -> Timestamp {
    Timestamp(u64::try_from(store::now()).unwrap_or(0) + CONTACT_LASTS_MS)
}

/// `POST /contacts/shown`: a service worker has shown a push.
pub(crate) async fn shown(
    State(app): State<App>,
    session: Session,
    Body(Shown { id }): Body<Shown>,
) -> Result<StatusCode, ApiError> {
    let device = session.device().ok_or(ApiError::NoContact)?;
    let push: PushId = id.parse().map_err(|_| ApiError::UnknownPush)?;
    if app.switchboard.shown(device, push).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::UnknownPush)
    }
}

/// `GET /contacts/shown/ID`: which devices show this invite of mine?
pub(crate) async fn who_shows(
    State(app): State<App>,
    session: Session,
    Path(invite): Path<String>,
) -> Result<Json<Ringing>, ApiError> {
    let device = session.device().ok_or(ApiError::NoContact)?;
    let invite: InviteId = invite.parse().map_err(|_| ApiError::NotFound)?;
    let devices = app.switchboard.who_shows(device, invite).await?;
    Ok(Json(Ringing { devices: devices.into_iter().map(Address::from).collect() }))
}

/// Registers the live socket as the contact of the device; `None` when its token is gone. Sessions of another judge need
/// no row: their live socket is their contact for as long as they are good.
pub(crate) async fn register_live(
    app: &App,
    session: &Session,
) -> Result<Option<Registered>, ApiError> {
    let instance = session.live_instance();
    let lasts = lasts();
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
    let method = data.get("method").and_then(Value::as_str).unwrap_or_default();
    let (rings, answers, ends) = (method == "INVITE", method == "ACCEPT", method == "CANCEL");
    let (welcome, is_known) = app.store.welcome(&to.user, &from.user).await?;
    let is_own = from.user == to.user;
    let is_blocked = welcome == Welcome::Blocked && !is_own;
    match welcome {
        _ if is_own => {}
        Welcome::Known | Welcome::Stranger { may_ring: true } => {}
        Welcome::Stranger { may_ring: false } if !rings => {}
        Welcome::Stranger { may_ring: false } => return Err(ApiError::Stranger(to)),
        // Who was blocked while it rang ends it: the other devices would ring on.
        Welcome::Blocked if ends => {}
        // As if nobody were there: whoever is blocked need not know.
        Welcome::Blocked => return Err(ApiError::NotReachable(to)),
    }
    let acquaints = (rings || answers) && !is_known && !is_own;
    let sender = from.user.clone();
    // A page that takes a call up again looks for a page that is open, not for a person.
    let asleep = if takes_up_again(&data) { Vec::new() } else { app.store.asleep(&to).await? };
    let device = |instance| Device { user: to.user.clone(), instance };
    let asleep = asleep.into_iter().map(device).collect();
    let parcel = Parcel { only_ends: is_blocked, ..parcel(data)? };
    let asleep = able(&app, &to, &parcel, asleep).await?;
    let (outcome, failed) = app.switchboard.send(from, to.clone(), parcel, asleep).await?;
    match outcome {
        _ if is_blocked => Err(ApiError::NotReachable(to)),
        Ok(count) => {
            if acquaints {
                app.store.know(&sender, &to.user).await?;
            }
            Ok(Json(Sent { count }))
        }
        Err(Unsent::NotReachable) if !failed.is_empty() => {
            Err(ApiError::NotDelivered(to, failed.into_iter().map(undelivered).collect()))
        }
        Err(Unsent::Full) => Err(ApiError::QueueFull(to)),
        Err(Unsent::NotCapable) => Err(ApiError::NotCapable(to)),
        Err(Unsent::TooManyRings) => Err(ApiError::TooManyRings(to)),
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
    forget(&app, &session).await
}

async fn forget(app: &App, session: &Session) -> Result<StatusCode, ApiError> {
    app.store.clear_contact(&session.token).await?;
    if let Some(device) = session.device() {
        app.switchboard.dismiss(device.into()).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a message is an INVITE to go on with a call that broke.
fn takes_up_again(data: &Map<String, Value>) -> bool {
    let location = data.get("Location").and_then(Value::as_str);
    location.is_some_and(|location| wire::invite::again(location).is_some())
}

/// The members of the message without the sender and receiver that only the server writes, and what the broker must
/// know of it. Methods that we do not know pass through.
fn parcel(mut data: Map<String, Value>) -> Result<Parcel, ApiError> {
    data.remove("From");
    data.remove("To");
    let ttl = data.get("TTL").and_then(Value::as_u64).map(Duration::from_millis);
    let is_invite = data.get("method").is_some_and(|method| method == "INVITE");
    let is_cancel = data.get("method").is_some_and(|method| method == "CANCEL");
    let about: Option<InviteId> =
        data.get("ReqId").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let needs = needs(data.get("needs"))?;
    let object = Value::Object(data).to_string();
    let members = object.trim_start_matches('{');
    let members = members.strip_suffix('}').unwrap_or(members);
    let (invite, ends) = (about.filter(|_| is_invite), about.filter(|_| is_cancel));
    Ok(Parcel { text: members.into(), ttl, invite, ends, only_ends: false, needs })
}

/// What a device needs to take an invite.
fn needs(words: Option<&Value>) -> Result<Capabilities, ApiError> {
    let Some(words) = words else { return Ok(Capabilities::default()) };
    let words = words.as_array().and_then(|words| words.iter().map(Value::as_str).collect());
    let words: Option<Vec<&str>> = words;
    words.and_then(Capabilities::new).ok_or_else(|| ApiError::Malformed(device::WORDS.to_owned()))
}

/// Those of the devices asleep that may be woken: for an invite to a user, those that can take it. Of those that are here,
/// the broker knows.
async fn able(
    app: &App,
    to: &Address,
    parcel: &Parcel,
    asleep: Vec<Device>,
) -> Result<Vec<Device>, ApiError> {
    let needs_nothing = parcel.needs.words().next().is_none();
    if parcel.invite.is_none() || to.instance.is_some() || needs_nothing {
        return Ok(asleep);
    }
    let mut able = Vec::new();
    for device in asleep {
        let standing = device::standing(app, &device).await?;
        if standing.policy != Policy::Capable || standing.capabilities.include(&parcel.needs) {
            able.push(device);
        }
    }
    Ok(able)
}

fn undelivered((device, why): (Device, Failure)) -> Undelivered {
    let why = match why {
        Failure::Gone => "gone",
        Failure::Busy => "busy",
        Failure::Full => "full",
        Failure::Refused => "refused",
        Failure::TooManyRings => "too-many-rings",
        Failure::TooMany => "too-many",
    };
    Undelivered { instance: device.instance, error: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_sender_is_dropped_and_the_rest_kept() {
        let parcel =
            parcel(map(r#"{"method":"X","From":"eve@x","To":"bob@x","a":{"b":{}}}"#)).unwrap();

        assert_eq!(parcel.text.as_ref(), r#""a":{"b":{}},"method":"X""#);
        assert_eq!(parcel.invite, None);
    }

    #[test]
    fn an_invite_asks_for_a_receipt_and_lasts_as_long_as_it_rings() {
        let parcel =
            parcel(map(r#"{"method":"INVITE","ReqId":"000000000000001f","TTL":45000}"#)).unwrap();

        assert_eq!(parcel.invite, Some(InviteId(0x1f)));
        assert_eq!(parcel.ttl, Some(Duration::from_secs(45)));
    }

    #[test]
    fn an_empty_message_is_a_message() {
        assert_eq!(parcel(Map::new()).unwrap().text.as_ref(), "");
    }

    #[test]
    fn what_an_invite_needs_is_words_or_a_mistake() {
        let needs = |words: &str| parcel(map(&format!(r#"{{"method":"INVITE","needs":{words}}}"#)));

        assert_eq!(needs(r#"["video"]"#).unwrap().needs, Capabilities::new(["video"]).unwrap());
        for wrong in [r#""video""#, r#"["Video"]"#, "[7]", "{}"] {
            assert!(matches!(needs(wrong), Err(ApiError::Malformed(_))), "{wrong}");
        }
    }

    fn map(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }
}
