//! Turning on ringing while every page is closed.

use platform::http::{self, Method};
use platform::push::{self, Worker};
use platform::spawn;
use ui::dial::{Event, Waking};
use wire::InviteId;
use wire::contacts::{Contact, Wakeable};

use super::event;

/// The service worker, relative to the page.
const WORKER: &str = "worker.js";

/// Where contacts are, relative to the page.
const CONTACTS: &str = "contacts";

/// Finds out how it is, and tells the server that this device is here, with the subscription that there is: it may be
/// another than yesterday.
pub(super) fn register() {
    spawn(async {
        let waking = found().await;
        if waking != Waking::On {
            let contact = Contact { contact: "live".to_owned(), wake: None };
            // The next day it is said again.
            http::ask_with(Method::Put, CONTACTS, &contact).await.ok();
        }
        event(Event::Waking(waking));
    });
}

/// A page shows this call, so no notification need.
pub(super) fn hush(invite: InviteId) {
    if push::is_supported() && push::permission() == Some(true) {
        spawn(async move {
            if let Ok(worker) = push::start_worker(WORKER).await {
                worker.hush(&invite.to_string()).await;
            }
        });
    }
}

/// Whoever logs out is not rung here any more, and neither is whoever logs in next unless they wish.
pub(super) fn forget() {
    if push::is_supported() && push::permission() == Some(true) {
        spawn(async {
            if let Ok(worker) = push::start_worker(WORKER).await {
                worker.unsubscribe().await;
            }
        });
    }
}

/// Asks the person and the browser for it. Only in the turn of a gesture.
pub(super) fn turn_on() {
    let asked = push::ask_permission();
    spawn(async move {
        let waking = if asked.await { subscribed().await } else { Waking::Blocked };
        event(Event::Waking(waking));
    });
}

/// Gives it up again.
pub(super) fn turn_off() {
    spawn(async {
        // The server first: it could still send to a browser that has forgotten it, and not the other way round.
        let contact = Contact { contact: "live".to_owned(), wake: Some(String::new()) };
        let told = http::ask_with(Method::Put, CONTACTS, &contact).await;
        if told.is_ok_and(|answer| answer.is_ok())
            && let Ok(worker) = push::start_worker(WORKER).await
        {
            worker.unsubscribe().await;
        }
        event(Event::Waking(found().await));
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
        // The same one again, unless the key of the server is another by now.
        Ok(Some(_)) => match subscription(&worker).await {
            Some(subscription) => told(subscription).await,
            None => Waking::Failed,
        },
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
    // A token of an app that is reached by Firebase is of no use to a browser.
    let Wakeable { namespace: None, vapidkey: Some(key), .. } = answer.json()? else { return None };
    worker.subscribe(&key).await.ok()
}

async fn told(subscription: String) -> Waking {
    let contact = Contact { contact: "live".to_owned(), wake: Some(subscription) };
    match http::ask_with(Method::Put, CONTACTS, &contact).await {
        Ok(answer) if answer.is_ok() => Waking::On,
        Ok(_) | Err(_) => Waking::Failed,
    }
}
