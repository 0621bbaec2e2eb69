//! What this browser remembers between pages and visits.
//!
//! A browser may refuse to remember, in private windows or when it is full: then reading finds nothing and writing says
//! so, and the page goes on without.

use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::Storage;

use crate::page::window;

/// What was written under `key`, or `None` when there is nothing or it cannot be read.
#[must_use]
pub fn read<T: DeserializeOwned>(key: &str) -> Option<T> {
    let text = store()?.get_item(key).ok()??;
    serde_json::from_str(&text).ok()
}

/// Like [`read`], and forgets it.
#[must_use]
pub fn take<T: DeserializeOwned>(key: &str) -> Option<T> {
    let value = read(key);
    remove(key);
    value
}

/// Writes `value` under `key`; false when the browser does not remember.
pub fn write(key: &str, value: &impl Serialize) -> bool {
    let (Some(store), Ok(text)) = (store(), serde_json::to_string(value)) else {
        return false;
    };
    store.set_item(key, &text).is_ok()
}

/// Forgets what is under `key`.
pub fn remove(key: &str) {
    if let Some(store) = store() {
        store.remove_item(key).ok();
    }
}

/// The text that was written under `key` in this tab, by a page of this origin, since the tab was opened.
#[must_use]
pub fn read_in_tab(key: &str) -> Option<String> {
    tab()?.get_item(key).ok()?
}

/// Writes a text under `key` for the pages of this origin in this tab; false when the browser does not remember.
pub fn write_in_tab(key: &str, text: &str) -> bool {
    tab().is_some_and(|tab| tab.set_item(key, text).is_ok())
}

/// Forgets what is under `key` in this tab.
pub fn remove_in_tab(key: &str) {
    if let Some(store) = tab() {
        store.remove_item(key).ok();
    }
}

fn store() -> Option<Storage> {
    window().local_storage().ok()?
}

fn tab() -> Option<Storage> {
    window().session_storage().ok()?
}
