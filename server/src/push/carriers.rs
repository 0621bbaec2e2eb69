//! All ways to wake a device, behind one door.

use super::fcm::Fcm;
use super::web::WebPush;
use super::{Outcome, Push, PushContact};

/// What can be used here.
pub(crate) struct Carriers {
    pub(crate) web: WebPush,
    /// The operator's Firebase project, if any.
    pub(crate) fcm: Option<Fcm>,
}

impl Carriers {
    /// Hands a push over, once.
    pub(crate) async fn send(&self, contact: &PushContact, push: &Push<'_>) -> Outcome {
        let sent = match (contact, &self.fcm) {
            (PushContact::Web { endpoint, recipient }, _) => {
                self.web.send(endpoint, recipient, push).await
            }
            (PushContact::Fcm { token }, Some(fcm)) => fcm.send(token, push).await,
            (PushContact::Fcm { .. }, None) => Ok(Outcome::Refused),
        };
        sent.unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "A push was not sent");
            Outcome::Later(None)
        })
    }
}
