//! Waking devices whose page is closed: messages that go through a push service.
//!
//! ```text
//!   Push {text, left, kind, topic} ──▶ Carriers ──▶ web: sealed for the subscription, signed by this server's key
//!                                              └──▶ fcm: by the account of one of the operator's Firebase projects
//!                     Outcome ◀── taken · gone: forget the contact · later · refused
//! ```
//!
//! **Invariant:** a push is worth sending only while it rings: no attempt begins after `left`.
//! **Invariant:** no address inside the operator's network is asked, unless the operator named it.

mod carriers;
mod fcm;
mod guard;
pub(crate) mod key;
mod seal;
mod settings;
mod subscription;
mod vapid;
pub(crate) mod veil;
pub(crate) mod waker;
mod web;

use std::sync::Arc;
use std::time::Duration;

use crate::store::Store;
pub(crate) use carriers::Carriers;
pub use settings::PushFlags;
pub(crate) use settings::PushSettings;
pub(crate) use subscription::PushContact;
pub(crate) use vapid::Vapid;
pub(crate) use web::WebPush;

/// Gets ready to wake devices.
///
/// # Errors
///
/// When the key of this server can neither be read nor made.
pub(crate) async fn start(settings: &PushSettings, store: &Store) -> anyhow::Result<Arc<Carriers>> {
    let vapid = key::find_or_make(store, settings.contact.clone()).await?;
    let web = WebPush::new(vapid, settings.guard.clone(), guard::system())?;
    Ok(Arc::new(Carriers { web, fcm: settings.fcm()? }))
}

/// A message on its way to one device.
#[derive(Clone, Debug)]
pub(crate) struct Push<'a> {
    /// JSON text of the message.
    pub(crate) text: &'a str,
    /// For how long it is worth delivering.
    pub(crate) left: Duration,
    /// Whether a person waits for it: an invite, and what ends one.
    pub(crate) is_urgent: bool,
    /// Messages of one topic replace each other while the push service has not delivered them: an invite's number.
    pub(crate) topic: Option<&'a str>,
}

/// What a push service made of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It will deliver it.
    Taken,
    /// There is no such device any more: the contact is to be forgotten.
    Gone,
    /// Not now; again after so long, when it said.
    Later(Option<Duration>),
    /// Never, for reasons that are ours or the operator's.
    Refused,
}
