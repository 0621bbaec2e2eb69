//! All ways to wake a device, behind one door.

use super::fcm::{Fcm, Project};
use super::web::WebPush;
use super::{Outcome, Push, PushContact};

/// What can be used here.
pub(crate) struct Carriers {
    pub(crate) web: WebPush,
    /// The operator's Firebase projects. The first is that of tokens that name none.
    pub(crate) fcm: Vec<Fcm>,
}

impl Carriers {
    /// Hands a push over, once. A registration token is one of the project that `namespace` names.
    pub(crate) async fn send(
        &self,
        contact: &PushContact,
        namespace: Option<&str>,
        push: &Push<'_>,
    ) -> Outcome {
        let sent = match (contact, self.fcm(namespace)) {
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

    /// The project that a token names, if the operator has it.
    pub(crate) fn project(&self, namespace: &str) -> Option<&Project> {
        self.fcm(Some(namespace)).map(|fcm| &fcm.project)
    }

    /// Whether a device whose token names this project, or none, can be sent anything by Firebase.
    pub(crate) fn has_project(&self, namespace: Option<&str>) -> bool {
        self.fcm(namespace).is_some()
    }

    fn fcm(&self, namespace: Option<&str>) -> Option<&Fcm> {
        match namespace {
            Some(name) => self.fcm.iter().find(|fcm| fcm.project.namespace == name),
            None => self.fcm.first(),
        }
    }
}
