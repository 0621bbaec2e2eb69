//! All pages of this browser at this origin, talking to one another.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::{Fault, Listener};

/// Speaks to and hears the other pages until dropped. A page does not hear itself.
pub struct Station<T> {
    inner: BroadcastChannel,
    _listener: Listener,
    words: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned + 'static> Station<T> {
    /// Joins the channel `name`. What cannot be read as a `T` comes from another version of the app and is passed over.
    ///
    /// # Errors
    ///
    /// When the browser has no such channels.
    pub fn new(name: &str, mut hear: impl FnMut(T) + 'static) -> Result<Self, Fault> {
        let inner =
            BroadcastChannel::new(name).map_err(Fault::thrown("Joining the other pages"))?;
        let listener = Listener::new(&inner, "message", move |event| {
            let event: &MessageEvent = event.unchecked_ref();
            let said = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
            if let Some(said) = said {
                hear(said);
            }
        });
        Ok(Self { inner, _listener: listener, words: PhantomData })
    }

    /// Tells all other pages.
    pub fn say(&self, what: &T) {
        if let Ok(text) = serde_json::to_string(what) {
            self.inner.post_message(&text.into()).ok();
        }
    }
}

impl<T> Drop for Station<T> {
    fn drop(&mut self) {
        self.inner.close();
    }
}
