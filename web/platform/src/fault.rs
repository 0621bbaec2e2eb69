//! What the browser refused to do, as a value.

use wasm_bindgen::{JsCast, JsValue};

/// What the browser refused to do, and the reason it gave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {name} {why}")]
pub struct Fault {
    /// What was asked, as the start of a sentence.
    pub what: &'static str,
    /// The name of the exception, such as `NotAllowedError`; empty when there was none.
    pub name: String,
    /// What the browser says about it. For logs, not for people.
    pub why: String,
}

impl Fault {
    /// A refusal of our own making.
    #[must_use]
    pub fn new(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, name: String::new(), why: why.into() }
    }

    /// JSON that is not what it should be. In what way is not told: the words for all ways are kilobytes on each phone.
    pub(crate) fn json(what: &'static str) -> Self {
        Self::new(what, "it is no JSON of that kind")
    }

    /// Takes apart what was thrown.
    pub(crate) fn thrown(what: &'static str) -> impl Fn(JsValue) -> Self {
        move |thrown| {
            if let Some(exception) = thrown.dyn_ref::<web_sys::DomException>() {
                return Self { what, name: exception.name(), why: exception.message() };
            }
            if let Some(error) = thrown.dyn_ref::<js_sys::Error>() {
                return Self { what, name: error.name().into(), why: error.message().into() };
            }
            Self { what, name: String::new(), why: format!("{thrown:?}") }
        }
    }
}
