//! A tab, used as a person uses it: find by role and name, press, write, look.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::cdp::{Target, Wire};
use crate::control::Control;
use crate::person::Look;
use crate::record::Record;
use crate::wait::{PATIENCE, eventually, try_within, within};

/// The tab.
#[derive(Clone)]
pub struct Page {
    wire: Wire,
    /// Whose it is, for messages.
    who: String,
    session: String,
    target: String,
}

/// All text that a person can read, frames included.
const TEXT: &str = "(function read(view) {
    const frames = [...view.document.querySelectorAll('iframe')].filter((frame) => frame.contentWindow);
    const text = view.document.body ? view.document.body.innerText : '';
    return [text, ...frames.map((frame) => read(frame.contentWindow))].join('\\n');
})(window)";

/// Whether nothing lies over the middle of an element, in its frame or over its frame.
const IS_OPEN: &str = "function () {
    const box = this.getBoundingClientRect();
    let [x, y, view, goal] = [box.x + box.width / 2, box.y + box.height / 2, this.ownerDocument.defaultView, this];
    for (;;) {
        const top = view.document.elementFromPoint(x, y);
        if (!top || !goal.contains(top)) return false;
        if (!view.frameElement) return true;
        goal = view.frameElement;
        const frame = goal.getBoundingClientRect();
        [x, y, view] = [x + frame.x + goal.clientLeft, y + frame.y + goal.clientTop, view.parent];
    }
}";

impl Page {
    pub(crate) fn new(wire: Wire, who: &str, target: Target) -> Self {
        Self { wire, who: who.to_owned(), session: target.session, target: target.id }
    }

    /// Goes to an address and waits until it has loaded.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub fn go(&self, address: &str) {
        let gone =
            self.call("Page.navigate", json!({ "url": address })).expect("a tab takes an address");
        assert!(gone["errorText"].is_null(), "{address}: {}", gone["errorText"]);
        self.loaded();
    }

    /// Has it believe that it is in front, as each of several windows on a desk would be. Not before the page runs: a
    /// waiting one crashes on it.
    pub(crate) fn face(&self) {
        let focus = json!({ "enabled": true });
        self.call("Emulation.setFocusEmulationEnabled", focus).expect("a tab takes the focus");
    }

    /// Loads it again.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn reload(&self) {
        // The mark tells the new document from the old one.
        self.evaluate("void (window.hulloOld = true)").expect("a page takes a mark");
        self.call("Page.reload", json!({})).expect("a tab can be loaded again");
        eventually("the page to be new", || {
            self.evaluate("!window.hulloOld").ok().filter(|new| new == true)
        });
        self.loaded();
    }

    fn loaded(&self) {
        eventually("the page to have loaded", || {
            self.evaluate("document.readyState").ok().filter(|state| state == "complete")
        });
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        self.evaluate("location.href")
            .ok()
            .and_then(|url| url.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> String {
        self.evaluate("document.title")
            .ok()
            .and_then(|url| url.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// The thing of that role and name, once it is there.
    ///
    /// # Panics
    /// When it does not come; says what is there instead.
    #[track_caller]
    pub fn find(&self, role: &str, name: &str) -> Control {
        self.find_within(PATIENCE, role, name)
    }

    /// The same with other patience.
    ///
    /// # Panics
    /// When it does not come in time.
    #[track_caller]
    pub fn find_within(&self, patience: Duration, role: &str, name: &str) -> Control {
        if let Some(found) = try_within(patience, || self.look(role, name)) {
            return found;
        }
        panic!("{} sees no {role} `{name}` but:\n{}", self.who, self.inventory())
    }

    /// Waits until there is no such thing any more.
    ///
    /// # Panics
    /// When it stays.
    #[track_caller]
    pub fn loses(&self, role: &str, name: &str) {
        let gone = try_within(PATIENCE, || self.look(role, name).is_none().then_some(()));
        assert!(
            gone.is_some(),
            "{} still sees the {role} `{name}`:\n{}",
            self.who,
            self.inventory()
        );
    }

    /// What is there of that role and name now. Inner frames come first: they lie on top.
    #[must_use]
    pub fn look(&self, role: &str, name: &str) -> Option<Control> {
        self.controls().into_iter().find(|control| control.is(role, name))
    }

    /// Everything of a role.
    #[must_use]
    pub fn all(&self, role: &str) -> Vec<Control> {
        self.controls().into_iter().filter(|control| control.role == role).collect()
    }

    /// Presses a button, once it is there and takes it.
    ///
    /// # Panics
    /// When it cannot be pressed.
    #[track_caller]
    pub fn press(&self, name: &str) {
        self.click("button", name);
    }

    /// Presses anything, with the mouse and where it lies, so that what is covered is not pressed by magic.
    ///
    /// # Panics
    /// When it cannot be pressed.
    #[track_caller]
    pub fn click(&self, role: &str, name: &str) {
        self.click_one(role, name, |control| control.name == name);
    }

    /// The same with whatever is called something that begins so: what follows may change meanwhile.
    ///
    /// # Panics
    /// When it cannot be pressed.
    #[track_caller]
    pub fn click_what_begins(&self, role: &str, beginning: &str) {
        self.click_one(role, beginning, |control| control.name.starts_with(beginning));
    }

    #[track_caller]
    fn click_one(&self, role: &str, name: &str, is_it: impl Fn(&Control) -> bool) {
        let pressed = try_within(PATIENCE, || {
            let mut controls = self.controls().into_iter();
            let control = controls
                .find(|control| control.role == role && !control.disabled && is_it(control))?;
            self.click_element(control.element).ok()
        });
        assert!(
            pressed.is_some(),
            "{} cannot press the {role} `{name}`; there is:\n{}",
            self.who,
            self.inventory()
        );
    }

    /// Writes into a field, in place of what it holds.
    ///
    /// # Panics
    /// When there is no such field.
    #[track_caller]
    pub fn fill(&self, name: &str, text: &str) {
        self.click("textbox", name);
        self.evaluate(
            "(function deep(view) { const at = view.document.activeElement;
               at && at.contentWindow ? deep(at.contentWindow) : at && at.select && at.select(); })(window)",
        )
        .expect("the field's text can be selected");
        self.write(text);
    }

    /// Types where the caret is.
    ///
    /// # Panics
    /// When the tab has gone.
    pub fn write(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).expect("a tab takes text");
    }

    /// Presses a key that writes nothing, where the focus is: `ArrowRight`, `Enter`…
    ///
    /// # Panics
    /// When the tab has gone.
    pub fn key(&self, key: &str) {
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": key });
            self.call("Input.dispatchKeyEvent", event).expect("a tab takes keys");
        }
    }

    /// Waits until the page says this, in any of its frames.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn reads(&self, words: &str) {
        self.reads_within(PATIENCE, words);
    }

    /// The same with other patience.
    ///
    /// # Panics
    /// When it does not say so in time.
    #[track_caller]
    pub fn reads_within(&self, patience: Duration, words: &str) {
        let read = try_within(patience, || self.text().contains(words).then_some(()));
        assert!(read.is_some(), "{} does not read `{words}` but:\n{}", self.who, self.text());
    }

    /// Waits until the page no longer says this.
    ///
    /// # Panics
    /// When it goes on saying so.
    #[track_caller]
    pub fn forgets(&self, words: &str) {
        let gone = try_within(PATIENCE, || (!self.text().contains(words)).then_some(()));
        assert!(gone.is_some(), "{} still reads `{words}` in:\n{}", self.who, self.text());
    }

    /// All its visible text.
    #[must_use]
    pub fn text(&self) -> String {
        self.evaluate(TEXT)
            .ok()
            .and_then(|text| text.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Closes the tab.
    ///
    /// # Panics
    /// When it stays open.
    pub fn close(&self) {
        let tab = json!({ "targetId": self.target });
        self.wire.call("", "Target.closeTarget", tab).expect("a tab can be closed");
        self.closes();
    }

    /// Whether its address begins so.
    pub(crate) fn starts_at(&self, beginning: &str) -> bool {
        self.url().starts_with(beginning)
    }

    /// Waits until the tab is closed.
    ///
    /// # Panics
    /// When it stays open.
    #[track_caller]
    pub fn closes(&self) {
        within(PATIENCE, "the tab to close", || {
            self.call("Runtime.evaluate", json!({ "expression": "1" })).is_err().then_some(())
        });
    }

    /// Ends its process as a crash would: nothing in it is told, and nobody else is.
    pub fn crash(&self) {
        self.wire.tell(&self.session, "Page.crash", json!({}));
    }

    /// What it has said and asked for so far.
    #[must_use]
    pub fn record(&self) -> Record {
        self.wire.record(&self.session)
    }

    /// Shows it as a system with those colours would.
    ///
    /// # Panics
    /// When the tab has gone.
    pub fn show_as(&self, look: Look) {
        let (scheme, forced) = match look {
            Look::Light => ("light", "none"),
            Look::Dark => ("dark", "none"),
            Look::Forced => ("dark", "active"),
        };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "forced-colors", "value": forced },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]});
        self.call("Emulation.setEmulatedMedia", features).expect("a tab takes colours");
    }

    /// Keeps a picture as `<target>/screenshots/<name>.png`.
    ///
    /// # Panics
    /// When it cannot be taken or written.
    pub fn screenshot(&self, name: &str) {
        self.try_screenshot(name).expect("a tab can be pictured");
    }

    fn try_screenshot(&self, name: &str) -> Result<()> {
        let folder = crate::target_dir().join("screenshots");
        fs::create_dir_all(&folder)?;
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" }))?;
        let data = BASE64.decode(shot["data"].as_str().context("a picture is text in base64")?)?;
        fs::write(folder.join(format!("{name}.png")), data)?;
        Ok(())
    }

    /// Evaluates an expression in the page; waits for a promise.
    ///
    /// # Errors
    /// When it throws or the tab has gone.
    pub fn evaluate(&self, expression: &str) -> Result<Value> {
        self.evaluate_in(None, expression)
    }

    /// The same in another world of the page, by its number.
    pub(crate) fn evaluate_in(&self, world: Option<i64>, expression: &str) -> Result<Value> {
        let mut params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        if let Some(world) = world {
            params["contextId"] = world.into();
        }
        let mut result = self.call("Runtime.evaluate", params)?;
        if let Some(thrown) = result.get("exceptionDetails") {
            bail!("thrown: {} {}", thrown["text"], thrown["exception"]["description"]);
        }
        Ok(result["result"]["value"].take())
    }

    pub(crate) fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.wire.call(&self.session, method, params)
    }

    /// Numbers of its frames, innermost first.
    pub(crate) fn frames(&self) -> Vec<String> {
        fn collect(tree: &Value, into: &mut Vec<String>) {
            for child in tree["childFrames"].as_array().into_iter().flatten() {
                collect(child, into);
            }
            into.extend(tree["frame"]["id"].as_str().map(str::to_owned));
        }
        let mut frames = Vec::new();
        if let Ok(tree) = self.call("Page.getFrameTree", json!({})) {
            collect(&tree["frameTree"], &mut frames);
        }
        frames
    }

    /// Everything that assistive technology is shown, innermost frames first.
    fn controls(&self) -> Vec<Control> {
        let trees = self.frames().into_iter().filter_map(|frame| {
            self.call("Accessibility.getFullAXTree", json!({ "frameId": frame })).ok()
        });
        trees
            .flat_map(|tree| {
                tree["nodes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Control::read)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    fn click_element(&self, element: i64) -> Result<()> {
        let node = json!({ "backendNodeId": element });
        self.call("DOM.scrollIntoViewIfNeeded", node.clone())?;
        let object = self.call("DOM.resolveNode", node.clone())?;
        let open = json!({
            "objectId": object["object"]["objectId"], "functionDeclaration": IS_OPEN, "returnByValue": true,
        });
        if self.call("Runtime.callFunctionOn", open)?["result"]["value"] != true {
            bail!("something lies over it");
        }
        let (x, y) = self.middle_of(&node)?;
        let mouse = |kind: &str| {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event)
        };
        mouse("mouseMoved")?;
        // What comes and goes above it moves it; whoever presses looks again.
        if self.middle_of(&node)? != (x, y) {
            bail!("it moves");
        }
        mouse("mousePressed")?;
        // The press may close the tab, which then answers no more.
        mouse("mouseReleased").ok();
        Ok(())
    }

    /// Where on the page the middle of a node is.
    fn middle_of(&self, node: &Value) -> Result<(f64, f64)> {
        let quads = self.call("DOM.getContentQuads", node.clone())?;
        let corner: Vec<f64> = quads["quads"][0]
            .as_array()
            .context("it has no place")?
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        let [left, top, .., right, bottom, _, _] = corner[..] else {
            bail!("a quad has four corners")
        };
        Ok((f64::midpoint(left, right), f64::midpoint(top, bottom)))
    }

    /// A list of what is there, for messages.
    fn inventory(&self) -> String {
        let worth = |control: &Control| {
            !control.name.is_empty()
                && !["StaticText", "InlineTextBox", "RootWebArea"].contains(&control.role.as_str())
        };
        let lines = self
            .controls()
            .into_iter()
            .filter(worth)
            .map(|control| format!("  {} `{}`", control.role, control.name));
        format!(
            "{}\ntext: {}\n{:#?}",
            lines.collect::<Vec<_>>().join("\n"),
            self.text(),
            self.record().complaints
        )
    }

    /// Tells what it shows, after a test has failed.
    pub(crate) fn confess(&self) {
        eprintln!("--- {} at {}\n{}", self.who, self.url(), self.inventory());
        self.try_screenshot(&format!(
            "failed-{}-{}",
            self.who,
            &self.target[..6.min(self.target.len())]
        ))
        .ok();
    }
}
