//! The page itself: its title, its address, its window.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, VisibilityState, Window};

use crate::time::Ticker;
use crate::{Fault, Listener};

/// Up to this many CSS pixels a call opens inside the page. Guess: the width below which tabs are hard to find.
const PHONE_WIDTH_MAX: &str = "(max-width: 599px)";

pub(crate) fn window() -> Window {
    web_sys::window().expect("this runs in a page")
}

/// The document of this page.
#[must_use]
pub fn document() -> Document {
    window().document().expect("a page has a document")
}

/// Scheme, host and port of this page.
#[must_use]
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Where this installation lives: origin and base path, no slash at the end.
#[must_use]
pub fn base() -> String {
    let path = window().location().pathname().unwrap_or_default();
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    format!("{}{directory}", origin())
}

/// The path of this page, without query and fragment.
#[must_use]
pub fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// The part of the address after `?`, without it.
#[must_use]
pub fn query() -> String {
    let query = window().location().search().unwrap_or_default();
    query.trim_start_matches('?').to_owned()
}

/// The part of the address after `#`, without it.
#[must_use]
pub fn fragment() -> String {
    let fragment = window().location().hash().unwrap_or_default();
    fragment.trim_start_matches('#').to_owned()
}

/// Removes the fragment from the address bar and from the history, so that a secret in it is not kept or shared.
pub fn forget_fragment() {
    let location = window().location();
    let path = location.pathname().unwrap_or_default();
    let query = location.search().unwrap_or_default();
    if let Ok(history) = window().history() {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("{path}{query}"))).ok();
    }
}

/// The value of `name` in `name=value&…`, decoded; `None` when it is not there or not text.
#[must_use]
pub fn parameter(pairs: &str, name: &str) -> Option<String> {
    let value = pairs.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then_some(value)
    })?;
    js_sys::decode_uri_component(&value.replace('+', " ")).ok().map(Into::into)
}

/// `text` as part of an address.
#[must_use]
pub fn encode(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Opens `url` in a tab of its own; false when the browser blocks it. To be called in a gesture of the person.
#[must_use]
pub fn open_tab(url: &str) -> bool {
    matches!(window().open_with_url_and_target(url, "_blank"), Ok(Some(_)))
}

/// Closes this tab, if a page of ours opened it.
pub fn close_tab() {
    window().close().ok();
}

/// Goes to `url` in this tab.
pub fn go(url: &str) {
    window().location().assign(url).ok();
}

/// Loads this page again.
pub fn reload() {
    window().location().reload().ok();
}

/// Whether this page is shown inside another one.
#[must_use]
pub fn is_framed() -> bool {
    !matches!(window().parent(), Ok(Some(parent)) if parent == window())
}

/// Whether the window is as narrow as a phone's.
#[must_use]
pub fn is_narrow() -> bool {
    matches!(window().match_media(PHONE_WIDTH_MAX), Ok(Some(query)) if query.matches())
}

/// Whether the person sees this page now.
#[must_use]
pub fn is_visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// Sets the title of the page.
pub fn set_title(title: &str) {
    document().set_title(title);
}

/// Whether the keyboard focus is on or in an element that `selector` names.
#[must_use]
pub fn has_focus_in(selector: &str) -> bool {
    let focused = document().active_element();
    focused.is_some_and(|focused| matches!(focused.closest(selector), Ok(Some(_))))
}

/// Moves the keyboard focus to the element with `id`, when there is one.
pub fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        // By name, for elements of pictures have it too. One that takes no focus leaves it where it is.
        call(&element, "focus", &[]).ok();
    }
}

/// Folds the `details` with `id`, when it is unfolded.
pub fn fold(id: &str) {
    if let Some(details) = document().get_element_by_id(id) {
        details.remove_attribute("open").ok();
    }
}

/// Writes a line into the browser's console.
pub fn complain(line: &str) {
    web_sys::console::error_1(&line.into());
}

/// Puts an alert at the end of the page, of class `class`, with a link that loads the page again. Works without any of
/// the program's state.
pub fn append_alert(class: &str, text: &str, link: &str) {
    let build = || -> Result<(), JsValue> {
        let document = document();
        let alert = document.create_element("p")?;
        alert.set_class_name(class);
        alert.set_attribute("role", "alert")?;
        alert.set_text_content(Some(text));
        let again = document.create_element("a")?;
        again.set_attribute("href", "")?;
        again.set_text_content(Some(link));
        alert.append_child(&again)?;
        let body = document.body().ok_or(JsValue::NULL)?;
        body.append_child(&alert)?;
        Ok(())
    };
    // Where even this fails there is nobody left to tell.
    build().ok();
}

/// Fills the screen with this page, or no longer. To be called in a gesture of the person.
pub fn toggle_full_screen() {
    let document = document();
    if document.fullscreen_element().is_some() {
        document.exit_fullscreen();
    } else if let Some(root) = document.document_element() {
        // A browser that refuses leaves everything as it is.
        root.request_fullscreen().ok();
    }
}

/// Hears that the page goes away.
pub fn on_leave(mut hear: impl FnMut() + 'static) -> Listener {
    Listener::window("pagehide", move |_| hear())
}

/// Alternates the title between `one` and what it was, once a second, until dropped.
#[must_use = "a title that is dropped stops blinking"]
pub struct Blink {
    calm: String,
    _ticker: Ticker,
}

impl Blink {
    /// Starts with `urgent`.
    pub fn new(urgent: String) -> Self {
        let calm = document().title();
        set_title(&urgent);
        let (mut lit, other) = (true, calm.clone());
        let ticker = Ticker::every(Duration::from_secs(1), move || {
            lit = !lit;
            set_title(if lit { &urgent } else { &other });
        });
        Self { calm, _ticker: ticker }
    }
}

impl Drop for Blink {
    fn drop(&mut self) {
        set_title(&self.calm);
    }
}

/// Keeps the screen on until dropped, where the browser can. It is asked again whenever the page is shown again,
/// because hiding a page releases it.
#[must_use = "a screen lock that is dropped lets the screen sleep"]
pub struct AwakeScreen {
    held: Rc<RefCell<Option<JsValue>>>,
    _again: Listener,
}

impl AwakeScreen {
    /// Asks for it.
    pub fn new() -> Self {
        let held = Rc::new(RefCell::new(None));
        let ask = {
            let held = Rc::downgrade(&held);
            move || {
                let held = held.clone();
                crate::spawn(async move {
                    let lock = request_screen_lock().await;
                    match (held.upgrade(), lock) {
                        (Some(held), Ok(lock)) => drop(held.replace(Some(lock))),
                        // Dropped meanwhile.
                        (None, Ok(lock)) => release_screen_lock(&lock),
                        // The battery is low, or the browser has no such thing: the screen sleeps as it likes.
                        (_, Err(_)) => {}
                    }
                });
            }
        };
        ask();
        let again = Listener::new(&document(), "visibilitychange", move |_| {
            if is_visible() {
                ask();
            }
        });
        Self { held, _again: again }
    }
}

impl Default for AwakeScreen {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for AwakeScreen {
    fn drop(&mut self) {
        if let Some(lock) = self.held.take() {
            release_screen_lock(&lock);
        }
    }
}

/// `navigator.wakeLock.request("screen")`, by name because the bindings still call it unstable.
async fn request_screen_lock() -> Result<JsValue, Fault> {
    let fault = Fault::thrown("Keeping the screen on");
    let navigator = window().navigator();
    let keeper = js_sys::Reflect::get(&navigator, &"wakeLock".into()).map_err(&fault)?;
    let promise = call(&keeper, "request", &["screen".into()]).map_err(&fault)?;
    JsFuture::from(js_sys::Promise::resolve(&promise)).await.map_err(&fault)
}

fn release_screen_lock(lock: &JsValue) {
    // Released already is as good.
    call(lock, "release", &[]).ok();
}

fn call(of: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: js_sys::Function = js_sys::Reflect::get(of, &method.into())?.dyn_into()?;
    js_sys::Reflect::apply(&method, of, &arguments.iter().collect::<js_sys::Array>())
}
