//! A page and the frame inside it, talking to each other and to nobody else.
//!
//! A message is an object with the fields of a word and, beside them, `data`: text or bytes that pass as they are.
//! It is sent to one named origin, and taken only from that origin and from the very window it was agreed with.
//! Payloads longer than [`MESSAGE_BYTES_MAX`] are passed over.

use std::marker::PhantomData;

use js_sys::{Array, ArrayBuffer, JSON, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlIFrameElement, MessageEvent, Window};

use crate::page::window;
use crate::peer::{MESSAGE_BYTES_MAX, Payload};
use crate::{Fault, Listener};

/// The window at the other end.
enum Other {
    /// The page around this one.
    Parent,
    /// The page in a frame of ours. The window is asked for anew each time: navigation keeps it, removal ends it.
    Frame(HtmlIFrameElement),
}

impl Other {
    fn window(&self) -> Option<Window> {
        match self {
            Self::Parent => window().parent().ok().flatten(),
            Self::Frame(frame) => frame.content_window(),
        }
    }
}

/// One end of the wire between a page and its frame: says `Out`, hears until dropped.
pub struct Port<Out> {
    other: Other,
    origin: String,
    _listener: Listener,
    words: PhantomData<Out>,
}

impl<Out: Serialize> Port<Out> {
    /// The wire to the page in `frame`, which must be of `origin`.
    pub fn to_frame<In: DeserializeOwned>(
        frame: &HtmlIFrameElement,
        origin: &str,
        hear: impl FnMut(In, Option<Payload>) + 'static,
    ) -> Self {
        let ends = || Other::Frame(frame.clone());
        Self::new(ends(), ends(), origin, hear)
    }

    /// The wire to the page around this one, which must be of `origin`.
    pub fn to_parent<In: DeserializeOwned>(
        origin: &str,
        hear: impl FnMut(In, Option<Payload>) + 'static,
    ) -> Self {
        Self::new(Other::Parent, Other::Parent, origin, hear)
    }

    fn new<In: DeserializeOwned>(
        other: Other,
        same: Other,
        origin: &str,
        mut hear: impl FnMut(In, Option<Payload>) + 'static,
    ) -> Self {
        let expected = origin.to_owned();
        let listener = Listener::window("message", move |event| {
            let event: &MessageEvent = event.unchecked_ref();
            let is_from_there = event.origin() == expected
                && event.source().is_some_and(|source| {
                    same.window().is_some_and(|window| Object::is(&source, &window))
                });
            if is_from_there && let Some((word, payload)) = take_apart(&event.data()) {
                hear(word, payload);
            }
        });
        Self { other, origin: origin.to_owned(), _listener: listener, words: PhantomData }
    }

    /// Says `word`, with `payload` beside it.
    ///
    /// # Errors
    ///
    /// When there is no window at the other end any more.
    pub fn say(&self, word: &Out, payload: Option<&Payload>) -> Result<(), Fault> {
        let what = "Speaking to the other window";
        let fault = Fault::thrown(what);
        let text = serde_json::to_string(word).map_err(|_| Fault::json(what))?;
        let message = JSON::parse(&text).map_err(&fault)?;
        let moved = Array::new();
        if let Some(payload) = payload {
            let data: JsValue = match payload {
                Payload::Text(text) => text.into(),
                Payload::Bytes(bytes) => {
                    let buffer = Uint8Array::from(bytes.as_slice()).buffer();
                    moved.push(&buffer);
                    buffer.into()
                }
            };
            Reflect::set(&message, &"data".into(), &data).map_err(&fault)?;
        }
        let window = self.other.window().ok_or_else(|| Fault::new(what, "it is gone"))?;
        window.post_message_with_transfer(&message, &self.origin, &moved).map_err(&fault)
    }
}

/// The word and what lies beside it; `None` when it is no word, or too long.
fn take_apart<In: DeserializeOwned>(message: &JsValue) -> Option<(In, Option<Payload>)> {
    let message: &Object = message.dyn_ref()?;
    let data = Reflect::get(message, &"data".into()).ok()?;
    Reflect::delete_property(message, &"data".into()).ok()?;
    let payload = if let Some(text) = data.as_string() {
        Some(Payload::Text(text))
    } else {
        let buffer: Option<ArrayBuffer> = data.dyn_into().ok();
        buffer.map(|buffer| Payload::Bytes(Uint8Array::new(&buffer).to_vec()))
    };
    let is_long = match &payload {
        Some(Payload::Text(text)) => text.len() > MESSAGE_BYTES_MAX,
        Some(Payload::Bytes(bytes)) => bytes.len() > MESSAGE_BYTES_MAX,
        None => false,
    };
    let text: String = JSON::stringify(message).ok()?.into();
    let word = serde_json::from_str(&text).ok()?;
    (!is_long).then_some((word, payload))
}
