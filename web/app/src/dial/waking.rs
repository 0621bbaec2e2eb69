//! Turning on ringing while every page is closed.

use platform::http::{self, Method};
use platform::push::{self, Worker};
use ui::dial::{Event, Waking};
use wire::contacts::{Account, Contact};

use super::event;

/// The service worker, relative to the page.
const WORKER: &str = "worker.js";

/// Where contacts are, relative to the page.
const CONTACTS: &str = "contacts";

/// Finds out how it is, and tells the server of the subscription that there is: it may be another than yesterday.
pub(super) fn look() {
    platform::spawn(async { event(Event::Waking(found().await)) });
}

/// Asks the person and the browser for it. Only in the turn of a gesture.
pub(super) fn turn_on() {
    let asked = push::ask_permission();
    platform::spawn(async move {
        let waking = if asked.await { subscribed().await } else { Waking::Blocked };
        event(Event::Waking(waking));
    });
}

async fn found() -> Waking {
    if !push::is_supported() {
        return Waking::Unsupported;
    }
    match push::permission() {
        None => return Waking::Off,
        Some(false) => return Waking::Blocked,
        Some(true) => {}
    }
    let Ok(worker) = push::start_worker(WORKER).await else { return Waking::Unsupported };
    match worker.subscription().await {
        Ok(Some(subscription)) => told(subscription).await,
        Ok(None) | Err(_) => Waking::Off,
    }
}

async fn subscribed() -> Waking {
    let Ok(worker) = push::start_worker(WORKER).await else { return Waking::Unsupported };
    match subscription(&worker).await {
        Some(subscription) => told(subscription).await,
        None => Waking::Failed,
    }
}

async fn subscription(worker: &Worker) -> Option<String> {
    let answer = http::ask(Method::Get, CONTACTS).await.ok()?;
    let Account { vapidkey, .. } = answer.json()?;
    worker.subscribe(&vapidkey?).await.ok()
}

async fn told(subscription: String) -> Waking {
    let contact = Contact { contact: "live".to_owned(), wake: Some(subscription) };
    match http::ask_with(Method::Put, CONTACTS, &contact).await {
        Ok(answer) if answer.is_ok() => Waking::On,
        Ok(_) | Err(_) => Waking::Failed,
    }
}
