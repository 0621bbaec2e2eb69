//! A counter at which scripts ask: those of this page, and those in frames of the same origin.
//!
//! Whoever asks makes a `MessageChannel`, keeps one port, and posts the other to the window: `{hullo: "<what>", of:
//! "<whom>"}`. From then on both sides speak text over the ports. Texts longer than [`TEXT_BYTES_MAX`] are passed over.

use std::rc::Rc;

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, MessagePort};

use crate::{Listener, page};

/// The longest text that is heard, in bytes.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// The end of a port that is ours, closed when dropped.
pub struct Caller {
    port: MessagePort,
    _listener: Listener,
}

impl Caller {
    /// Says something.
    pub fn say(&self, text: &str) {
        // Whoever has gone does not hear it.
        self.port.post_message(&text.into()).ok();
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.port.close();
    }
}

/// A port that somebody brought, before it is listened to.
pub struct Port {
    inner: MessagePort,
    /// Whom it is to be about.
    pub of: String,
}

impl Port {
    /// Hears what comes over it from now on.
    pub fn listen(self, mut hear: impl FnMut(String) + 'static) -> Caller {
        let listener = Listener::new(&self.inner, "message", move |event| {
            let event: &MessageEvent = event.unchecked_ref();
            let text = event.data().as_string().filter(|text| text.len() <= TEXT_BYTES_MAX);
            if let Some(text) = text {
                hear(text);
            }
        });
        self.inner.start();
        Caller { port: self.inner, _listener: listener }
    }
}

/// Opens the counter for those who ask for `what`.
pub fn open(what: &'static str, come: impl Fn(Port) + 'static) -> Listener {
    let origin = page::origin();
    let come = Rc::new(come);
    Listener::window("message", move |event| {
        let event: &MessageEvent = event.unchecked_ref();
        if event.origin() != origin {
            return;
        }
        if let Some(port) = brought(event, what) {
            come(port);
        }
    })
}

fn brought(event: &MessageEvent, what: &str) -> Option<Port> {
    let data: Object = event.data().dyn_into().ok()?;
    let word = |name: &str| Reflect::get(&data, &JsValue::from(name)).ok()?.as_string();
    if word("hullo")? != what {
        return None;
    }
    let inner: MessagePort = event.ports().get(0).dyn_into().ok()?;
    Some(Port { inner, of: word("of")? })
}
