//! Elements as plain values, and the body of the page kept as they say.
//!
//! ```text
//!   view ──draw──▶ elements ──compare──▶ what stands on the page
//!                                        only what differs is touched
//! ```
//!
//! An element stays as long as one with the same key, tag and fixed attributes is drawn at the same place in the tree: what
//! is typed into it, its focus and its scroll position stay with it. Brothers that are alike need keys, or they
//! take the first that fits.
//!
//! **Invariant:** text is text, never HTML.
//!
//! **Invariant:** what happens on the page while it is drawn finds nothing of the page's state borrowed, because drawing
//! has a turn of its own.

mod body;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{JsString, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, KeyboardEvent};

use body::Drawn;

/// A text that costs nothing when it stands in the program.
pub type Text = Cow<'static, str>;

/// What is done when something happens to an element.
type Act = Rc<dyn Fn(&Event)>;

/// What is done with an element when it stands on the page.
type Care = Box<dyn FnOnce(&web_sys::Element)>;

/// What is done when an element is gone.
type Farewell = Box<dyn FnOnce()>;

/// An element to be drawn.
pub struct Element {
    tag: &'static str,
    fixed: &'static [(&'static str, &'static str)],
    key: Text,
    attributes: Vec<(&'static str, Text)>,
    acts: Vec<(&'static str, Act)>,
    care: Option<(usize, Care)>,
    farewell: Option<Farewell>,
    children: Vec<Child>,
}

/// What may stand in an element.
pub enum Child {
    /// Text.
    Text(Text),
    /// Another element.
    Element(Element),
}

/// An element with the attributes that it has for ever.
#[must_use]
pub fn el(tag: &'static str, fixed: &'static [(&'static str, &'static str)]) -> Element {
    Element {
        tag,
        fixed,
        key: Text::Borrowed(""),
        attributes: Vec::new(),
        acts: Vec::new(),
        care: None,
        farewell: None,
        children: Vec::new(),
    }
}

impl Element {
    /// Tells it from its brothers.
    #[must_use]
    pub fn key(mut self, key: impl Into<Text>) -> Self {
        self.key = key.into();
        self
    }

    /// Gives it an attribute whose value may change.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Gives it an attribute that has no value, or not.
    #[must_use]
    pub fn flag(self, name: &'static str, is_set: bool) -> Self {
        if is_set { self.set(name, "") } else { self }
    }

    /// Does something when an event called `kind` comes to it.
    #[must_use]
    pub fn on(mut self, kind: &'static str, act: impl Fn(&Event) + 'static) -> Self {
        self.acts.push((kind, Rc::new(act)));
        self
    }

    /// Does something when a key goes down in it.
    #[must_use]
    pub fn on_key(self, act: impl Fn(&KeyboardEvent) + 'static) -> Self {
        self.on("keydown", move |event| {
            if let Some(event) = event.dyn_ref() {
                act(event);
            }
        })
    }

    /// Does something once it stands on the page, and again whenever `stamp` is another.
    #[must_use]
    pub fn care(mut self, stamp: usize, act: impl FnOnce(&web_sys::Element) + 'static) -> Self {
        self.care = Some((stamp, Box::new(act)));
        self
    }

    /// Does something when it is gone.
    #[must_use]
    pub fn farewell(mut self, act: impl FnOnce() + 'static) -> Self {
        self.farewell = Some(Box::new(act));
        self
    }

    /// Puts a text or an element at its end. An empty text is nothing.
    #[must_use]
    pub fn with(mut self, child: impl Into<Child>) -> Self {
        let child = child.into();
        if !matches!(&child, Child::Text(text) if text.is_empty()) {
            self.children.push(child);
        }
        self
    }

    /// Puts several at its end, or what may be there.
    #[must_use]
    pub fn all<C: Into<Child>>(mut self, children: impl IntoIterator<Item = C>) -> Self {
        for child in children {
            self = self.with(child);
        }
        self
    }
}

impl From<&'static str> for Child {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Child {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Element> for Child {
    fn from(element: Element) -> Self {
        Self::Element(element)
    }
}

/// The names of classes: `always`, and of the others those that apply.
#[must_use]
pub fn classes(always: &str, others: &[(bool, &str)]) -> String {
    let mut classes = always.to_owned();
    for (_, class) in others.iter().filter(|(applies, _)| *applies) {
        classes.push(' ');
        classes.push_str(class);
    }
    classes
}

/// The body of the page, drawn from a view. A page has one for as long as it lives.
pub struct Screen<V> {
    inner: Rc<Inner<V>>,
}

struct Inner<V> {
    draw: fn(&V) -> Vec<Element>,
    view: RefCell<Option<V>>,
    /// Whether a turn for drawing is arranged.
    is_due: Cell<bool>,
    drawn: RefCell<Vec<Drawn>>,
}

impl<V: PartialEq + 'static> Screen<V> {
    /// A screen on which nothing is shown yet.
    pub fn new(draw: fn(&V) -> Vec<Element>) -> Self {
        let (view, drawn) = (RefCell::new(None), RefCell::new(Vec::new()));
        Self { inner: Rc::new(Inner { draw, view, is_due: Cell::new(false), drawn }) }
    }

    /// Shows `view` as soon as whoever calls is done.
    pub fn show(&self, view: V) {
        if self.inner.view.borrow().as_ref() == Some(&view) {
            return;
        }
        self.inner.view.replace(Some(view));
        if !self.inner.is_due.replace(true) {
            let inner = Rc::clone(&self.inner);
            crate::spawn(async move { inner.draw() });
        }
    }
}

impl<V> Inner<V> {
    fn draw(&self) {
        self.is_due.set(false);
        let elements = self.view.borrow().as_ref().map(self.draw).unwrap_or_default();
        body::draw(&self.drawn, elements);
    }
}

/// Draws what never changes.
pub fn draw_once(elements: Vec<Element>) {
    body::draw(&RefCell::default(), elements);
}

/// What stands in the field with `id`.
#[must_use]
pub fn typed(id: &str) -> String {
    let field = crate::page::document().get_element_by_id(id);
    field.map(|field| value(&field)).unwrap_or_default()
}

/// What stands there as an address: one of mail in small letters, of whatever script.
#[must_use]
pub fn typed_address(id: &str) -> String {
    let text = typed(id);
    if text.contains('@') { JsString::from(text).to_lower_case().into() } else { text }
}

/// Empties the field with `id`.
pub fn clear(id: &str) {
    if let Some(field) = crate::page::document().get_element_by_id(id) {
        put(&field, "value", &"".into());
    }
}

/// What stands in the field, or is chosen in the list, that an event came from.
#[must_use]
pub fn value_at(event: &Event) -> String {
    event.target().map(|target| value(&target)).unwrap_or_default()
}

/// Chooses an entry of a list.
pub fn choose(list: &web_sys::Element, at: usize) {
    put(list, "selectedIndex", &(at as f64).into());
}

/// By name, for inputs, areas and lists each have a property of this name.
fn value(field: &JsValue) -> String {
    Reflect::get(field, &"value".into())
        .ok()
        .and_then(|value| value.as_string())
        .unwrap_or_default()
}

fn put(field: &JsValue, name: &str, value: &JsValue) {
    Reflect::set(field, &name.into(), value).expect("fields let their properties be set");
}
