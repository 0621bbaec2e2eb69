//! The service worker: shows what wakes this device, and does what a click on it asks for.
//!
//! It lives for one event at a time and remembers nothing; what a notification stands for lies in the notification.
//! `web/pages/worker.js` hands each event over, since a browser wants the listeners before any module is loaded.

use platform::http::{self, Method};
use platform::push::Worker;
use platform::{notes, today, worker};
use ui::wake::{self, Click, Notification, Wake};
use wasm_bindgen::prelude::wasm_bindgen;
use wire::contacts::{Contact, Send, Shown, Wakeable};

fn main() {}

/// A push came: its text, which may be anything.
#[wasm_bindgen]
pub async fn push(text: String) {
    let Wake { ack, show: what, note } = wake::on_push(&text, today());
    show(&what).await;
    if let Some(id) = ack {
        // The caller then hears that it rings; if this is lost, it is sent again.
        http::ask_with(Method::Post, "contacts/shown", &Shown { id }).await.ok();
    }
    if let Some(note) = note {
        notes::leave(&note).await;
    }
}

/// A notification was clicked: on the button `action`, or (empty) anywhere else.
#[wasm_bindgen]
pub async fn click(action: String, data: String) {
    match wake::on_click(&action, &data, today()) {
        Click::Open { fragment } => worker::open(&fragment).await.unwrap_or_else(complain),
        Click::Decline { to, invite, show: what, note } => {
            let message = [("method", "DECLINE".to_owned()), ("ReqId", invite.to_string())];
            let message = message.into_iter().map(|(name, text)| (name.to_owned(), text.into()));
            // If it is lost, the caller hears nothing, as when nobody is there.
            let letter = Send { to, data: message.collect() };
            http::ask_with(Method::Post, "contacts", &letter).await.ok();
            show(&what).await;
            notes::leave(&note).await;
        }
    }
}

/// The browser gave up the subscription, or has another by now. If this fails, the next page that is opened does it.
#[wasm_bindgen]
pub async fn renew() {
    let Ok(answer) = http::ask(Method::Get, "contacts").await else { return };
    let Some(key) = answer.json().and_then(|Wakeable { vapidkey, .. }| vapidkey) else { return };
    match Worker::here().subscribe(&key).await {
        Ok(subscription) => {
            let contact = Contact { contact: "live".to_owned(), wake: Some(subscription) };
            http::ask_with(Method::Put, "contacts", &contact)
                .await
                .map(drop)
                .unwrap_or_else(complain);
        }
        Err(fault) => complain(fault),
    }
}

async fn show(what: &Notification) {
    worker::show(&worker::Options {
        tag: &what.tag,
        title: &what.title,
        body: &what.body,
        stays: what.is_ringing,
        buttons: &what.buttons,
        data: &what.data,
    })
    .await
    .unwrap_or_else(complain);
}

fn complain(fault: platform::Fault) {
    platform::page::complain(&fault.to_string());
}
