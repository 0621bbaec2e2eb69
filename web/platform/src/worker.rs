//! What a service worker can do: show notifications, and bring pages to the front.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    ClientQueryOptions, ClientType, NotificationOptions, ServiceWorkerGlobalScope, WindowClient,
};

use crate::Fault;

/// A notification of the system.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// One of the same tag takes its place.
    pub tag: &'a str,
    /// The line that people read.
    pub title: &'a str,
    /// What more there is to say.
    pub body: &'a str,
    /// Whether it stays until the person does something, and makes itself heard.
    pub stays: bool,
    /// Buttons: a word for the program, a word for the person.
    pub buttons: &'a [(&'static str, &'static str)],
    /// What the click hands back.
    pub data: &'a str,
}

/// Shows a notification.
///
/// # Errors
///
/// When the person does not allow any.
pub async fn show(options: &Options<'_>) -> Result<(), Fault> {
    let fault = Fault::thrown("Showing a notification");
    let shown = NotificationOptions::new();
    shown.set_tag(options.tag);
    shown.set_body(options.body);
    shown.set_require_interaction(options.stays);
    shown.set_data(&options.data.into());
    // What replaces a ringing one is quiet.
    let set = |target: &JsValue, name: &str, value: JsValue| {
        Reflect::set(target, &name.into(), &value).map(drop).map_err(&fault)
    };
    set(&shown, "renotify", options.stays.into())?;
    set(&shown, "silent", (!options.stays).into())?;
    let buttons = Array::new();
    for (action, title) in options.buttons {
        let button = Object::new();
        set(&button, "action", (*action).into())?;
        set(&button, "title", (*title).into())?;
        buttons.push(&button);
    }
    set(&shown, "actions", buttons.into())?;
    let registration = scope().registration();
    let shown =
        registration.show_notification_with_options(options.title, &shown).map_err(&fault)?;
    JsFuture::from(shown).await.map(drop).map_err(&fault)
}

/// Brings the page at the root of this app to the front, with `fragment` behind the `#`; opens it when there is none.
///
/// # Errors
///
/// When the browser opens no windows now.
pub async fn open(fragment: &str) -> Result<(), Fault> {
    let fault = Fault::thrown("Opening the app");
    let clients = scope().clients();
    let root = scope().registration().scope();
    let wanted = if fragment.is_empty() { root.clone() } else { format!("{root}#{fragment}") };

    let query = ClientQueryOptions::new();
    query.set_type(ClientType::Window);
    query.set_include_uncontrolled(true);
    let found = JsFuture::from(clients.match_all_with_options(&query)).await.map_err(&fault)?;
    let pages = Array::from(&found).into_iter().map(JsCast::unchecked_into::<WindowClient>);
    let is_root = |page: &WindowClient| page.url().split('#').next() == Some(root.as_str());
    for page in pages.filter(is_root).collect::<Vec<_>>() {
        // A page that this worker does not control yet cannot be navigated; a new one is opened then.
        // Without a fragment there is nothing to do there, and going would load it anew, with the call that is in it.
        let there = fragment.is_empty()
            || match page.navigate(&wanted) {
                Ok(going) => JsFuture::from(going).await.is_ok(),
                Err(_) => false,
            };
        if there {
            if let Ok(focused) = page.focus() {
                JsFuture::from(focused).await.ok();
            }
            return Ok(());
        }
    }
    JsFuture::from(clients.open_window(&wanted)).await.map(drop).map_err(&fault)
}

fn scope() -> ServiceWorkerGlobalScope {
    js_sys::global().unchecked_into()
}
