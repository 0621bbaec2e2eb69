//! Listening to events for as long as somebody wants to hear them.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget};

/// Listens to one kind of event until dropped.
#[must_use = "a listener that is dropped hears nothing"]
pub struct Listener {
    target: EventTarget,
    kind: &'static str,
    closure: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Hears events called `kind` at `target`.
    pub fn new(
        target: &EventTarget,
        kind: &'static str,
        hear: impl FnMut(Event) + 'static,
    ) -> Self {
        let closure = Closure::<dyn FnMut(Event)>::new(hear);
        target
            .add_event_listener_with_callback(kind, closure.as_ref().unchecked_ref())
            .expect("a function can always listen");
        Self { target: target.clone(), kind, closure }
    }

    /// Hears events called `kind` at the window.
    pub fn window(kind: &'static str, hear: impl FnMut(Event) + 'static) -> Self {
        Self::new(&crate::page::window(), kind, hear)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.target
            .remove_event_listener_with_callback(self.kind, self.closure.as_ref().unchecked_ref())
            .expect("a listener can always be removed");
    }
}
