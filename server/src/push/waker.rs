//! Does what the broker says about sleeping devices: hands each message to the push service, and reports.

use std::sync::Arc;
use std::time::Duration;

use broker::{Device, Input, PushId, Woken};
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, mpsc};

use super::{Carriers, Outcome, Push, PushContact};
use crate::store::Store;
use crate::switchboard::Switchboard;

/// Pushes under way at once; the others wait. Guess: what a small machine has files for.
const AT_ONCE: usize = 256;

/// Messages that wait for the waker. The broker answers for what is lost when they are too many.
pub(crate) const WAKES_MAX: usize = 4_096;

/// A message on its way to one device.
#[derive(Debug)]
pub(crate) struct Wake {
    pub(crate) push: PushId,
    pub(crate) from: Device,
    pub(crate) to: Device,
    /// The members of the message, as JSON without the braces.
    pub(crate) text: Arc<str>,
    pub(crate) left: Duration,
    pub(crate) about: Option<wire::InviteId>,
}

/// Wakes until nobody can ask for it any more.
pub(crate) async fn run(
    mut wakes: mpsc::Receiver<Wake>,
    carriers: Arc<Carriers>,
    store: Store,
    switchboard: Switchboard,
) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(wake) = wakes.recv().await {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (carriers, store) = (carriers.clone(), store.clone());
        let switchboard = switchboard.clone();
        tokio::spawn(async move {
            let push = wake.push;
            let outcome = wake_one(&carriers, &store, wake).await;
            switchboard.tell(Input::Woken { push, outcome }).await;
            drop(place);
        });
    }
}

async fn wake_one(carriers: &Carriers, store: &Store, wake: Wake) -> Woken {
    let Wake { push, from, to, text, left, about } = wake;
    let (contact, namespace) = match store.wake_of(&to).await {
        Ok(Some(found)) => found,
        Ok(None) => return Woken::Gone,
        Err(error) => {
            tracing::error!(%error, "The accounts cannot be read");
            return Woken::Later(None);
        }
    };
    let parsed = PushContact::parse(&contact, carriers.web.guard());
    let Ok(parsed) = parsed else { return Woken::Refused };
    let data = letter(&from, &to, &text);
    // What else comes while every page is closed is of no use to the service worker, and browsers insist that whatever
    // comes is shown.
    let is_told = |method: &str| ["INVITE", "CANCEL", "ACCEPT"].contains(&method);
    let method = data.get("method").and_then(Value::as_str).unwrap_or_default();
    if matches!(parsed, PushContact::Web { .. }) && !is_told(method) {
        return Woken::Refused;
    }
    let topic = about.map(|invite| invite.to_string());
    let words = match &parsed {
        PushContact::Web { .. } => envelope(push, data),
        // Clients of the reference read the message itself.
        PushContact::Fcm { .. } => Value::Object(data),
    };
    let push = Push {
        text: &words.to_string(),
        left,
        is_urgent: about.is_some(),
        topic: topic.as_deref(),
    };
    match carriers.send(&parsed, namespace.as_deref(), &push).await {
        Outcome::Taken => Woken::Taken,
        Outcome::Later(after) => Woken::Later(after),
        Outcome::Refused => Woken::Refused,
        Outcome::Gone => {
            if let Err(error) = store.forget_wake(&to, &contact).await {
                tracing::error!(%error, "A dead contact could not be forgotten");
            }
            Woken::Gone
        }
    }
}

/// The message as it is delivered.
fn letter(from: &Device, to: &Device, members: &str) -> Map<String, Value> {
    let mut data: Map<String, Value> =
        serde_json::from_str(&format!("{{{members}}}")).unwrap_or_default();
    data.insert("From".to_owned(), from.to_string().into());
    data.insert("To".to_owned(), to.to_string().into());
    data
}

/// What the service worker gets: as over the live socket, without what does not fit. Descriptions are long and of no use
/// to it: the page that it opens has the message from the live socket.
fn envelope(push: PushId, mut data: Map<String, Value>) -> Value {
    data.retain(|name, value| {
        let is_needed = ["From", "To", "method", "ReqId", "topic", "reason", "by", "TTL"];
        is_needed.contains(&name.as_str()) && value.to_string().len() <= 1_024
    });
    serde_json::json!({ "type": "push", "id": push.to_string(), "data": data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_that_wakes_is_short_whatever_is_in_it() {
        let device =
            |user: &str| Device { user: user.parse().unwrap(), instance: wire::InstanceId(7) };
        let members = format!(
            r#""method":"INVITE","ReqId":"000000000000001f","topic":"Lunch","offer":"{}","x":"{}""#,
            "o".repeat(10_000),
            "y".repeat(10_000)
        );

        let data = letter(&device("alice@x.org"), &device("bob@x.org"), &members);
        let words = envelope(PushId(1), data);

        assert!(words.to_string().len() < 300, "{words}");
        assert_eq!(words["data"]["From"], "alice@x.org/00000007");
        assert_eq!(words["data"]["topic"], "Lunch");
    }
}
