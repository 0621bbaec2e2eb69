//! A data channel: ordered, reliable messages to the other side of a connection.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast;
use web_sys::{MessageEvent, RtcDataChannel, RtcDataChannelState, RtcDataChannelType};

use crate::{Fault, Listener};

/// The largest message that is taken, in bytes. What every browser can send (RFC 8841 §6.1 leaves it to them).
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// What is sent or received: text or bytes, kept apart all the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// What a channel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It can be used now.
    Opened,
    /// A message came.
    Message(Payload),
    /// Next to nothing waits to be sent any more.
    Drained,
    /// It is over, from either side.
    Closed,
}

/// Fewer bytes than this that wait to be sent are next to nothing: what a slow uplink takes in a moment.
const LITTLE: u32 = 16 * 1024;

/// A data channel, closed when dropped.
pub struct Channel {
    inner: RtcDataChannel,
    listeners: Vec<Listener>,
}

impl Channel {
    pub(super) fn new(inner: RtcDataChannel) -> Self {
        inner.set_binary_type(RtcDataChannelType::Arraybuffer);
        inner.set_buffered_amount_low_threshold(LITTLE);
        Self { inner, listeners: Vec::new() }
    }

    /// Hears what the channel says from now on. To be called at once, in the event that gave the channel: what was
    /// said before is lost. A channel that is open already says so first. That it is open is said once: browsers tell
    /// it again of a channel that the other side opened.
    pub fn listen(&mut self, mut hear: impl FnMut(Heard) + 'static) {
        let mut is_told = false;
        let hear = Rc::new(RefCell::new(move |heard| {
            if heard != Heard::Opened || !std::mem::replace(&mut is_told, true) {
                hear(heard);
            }
        }));
        let on = |kind, tell: fn(&web_sys::Event) -> Option<Heard>| {
            let hear = Rc::clone(&hear);
            Listener::new(&self.inner, kind, move |event| {
                if let Some(heard) = tell(&event) {
                    (hear.borrow_mut())(heard);
                }
            })
        };
        self.listeners = vec![
            on("open", |_| Some(Heard::Opened)),
            on("message", |event| payload(event.unchecked_ref()).map(Heard::Message)),
            on("bufferedamountlow", |_| Some(Heard::Drained)),
            on("close", |_| Some(Heard::Closed)),
        ];
        if self.is_open() {
            // Not at once: whoever listens may still be holding what it would change.
            let hear = Rc::downgrade(&hear);
            crate::spawn(async move {
                if let Some(hear) = hear.upgrade() {
                    (hear.borrow_mut())(Heard::Opened);
                }
            });
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// When the channel is not open or its buffer is full.
    pub fn send(&self, payload: &Payload) -> Result<(), Fault> {
        match payload {
            Payload::Text(text) => self.inner.send_with_str(text),
            Payload::Bytes(bytes) => self.inner.send_with_u8_array(bytes),
        }
        .map_err(Fault::thrown("Sending over a data channel"))
    }

    /// The name both sides see.
    #[must_use]
    pub fn label(&self) -> String {
        self.inner.label()
    }

    /// Whether messages can be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.inner.ready_state() == RtcDataChannelState::Open
    }

    /// Whether next to nothing waits to be sent; if not, [`Heard::Drained`] tells when.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.waiting() <= LITTLE
    }

    /// How many bytes wait to be sent.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.inner.buffered_amount()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.listeners.clear();
        self.inner.close();
    }
}

/// Reads a message; `None` when it is too long or of a type that nobody here sends.
fn payload(event: &MessageEvent) -> Option<Payload> {
    let data = event.data();
    if let Some(text) = data.as_string() {
        return (text.len() <= MESSAGE_BYTES_MAX).then_some(Payload::Text(text));
    }
    let buffer: ArrayBuffer = data.dyn_into().ok()?;
    let bytes = Uint8Array::new(&buffer).to_vec();
    (bytes.len() <= MESSAGE_BYTES_MAX).then_some(Payload::Bytes(bytes))
}
