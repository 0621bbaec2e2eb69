//! Draws the wrapper.

use platform::dom::{Element, classes, el, typed_address};
use platform::page;
use ui::wrapper::{Action, Calling, Farewell, Form, Gesture, View};
use web_sys::wasm_bindgen::JsCast;

use super::{gesture, invite, on_frame, on_no_frame};

/// The frame.
pub(super) const FRAME: &str = "conference";

/// The whole page.
pub(super) fn page(view: &View) -> Vec<Element> {
    let over = el("div", &[("class", "over")])
        .with(chips(view))
        .all(view.form.as_ref().map(invite_form))
        .all(view.callings.iter().map(calling));
    let main = el("main", &[("class", "call")])
        .with(el("h1", &[("class", "spoken")]).with(view.title.clone()))
        .all(view.frame.as_deref().map(frame))
        .with(over)
        .all(view.farewell.as_ref().map(last_words));
    vec![main]
}

/// The conference app. Another query is another conference, and another frame.
fn frame(query: &[(&str, String)]) -> Element {
    let pairs = query.iter().map(|(name, value)| format!("{name}={}", page::encode(value)));
    let source = format!("conference?{}", pairs.collect::<Vec<_>>().join("&"));
    let frame = el(
        "iframe",
        &[
            ("id", FRAME),
            ("title", "Conference"),
            (
                "allow",
                "camera; microphone; display-capture; autoplay; fullscreen; picture-in-picture; screen-wake-lock",
            ),
        ],
    );
    frame
        .key(source.clone())
        .set("src", source)
        .care(0, |frame| {
            if let Some(frame) = frame.dyn_ref() {
                on_frame(frame);
            }
        })
        .farewell(on_no_frame)
}

/// What belongs to a conference that is going on: the note and the way to invite.
fn chips(view: &View) -> Element {
    let note = view.note.map(|note| el("p", &[("class", "chip")]).with(note));
    let invite = view.invite.as_ref().map(|Action { label, gesture: meant }| {
        let meant = meant.clone();
        el("button", &[("type", "button"), ("class", "button")])
            .set("aria-expanded", view.form.is_some().to_string())
            .on("click", move |_| gesture(meant.clone()))
            .with(*label)
    });
    el("div", &[("class", "chips")]).with(el("div", &[("role", "status")]).all(note)).all(invite)
}

fn invite_form(form: &Form) -> Element {
    let address = el(
        "input",
        &[
            ("id", "invite-address"),
            ("type", "text"),
            ("inputmode", "email"),
            ("autocomplete", "off"),
            ("autocapitalize", "none"),
            ("spellcheck", "false"),
            ("aria-describedby", "invite-problem"),
        ],
    )
    .set("aria-invalid", form.problem.is_some().to_string())
    .on("input", |_| gesture(Gesture::Edit))
    .care(0, |_| page::focus("invite-address"));
    let problem = el("p", &[("id", "invite-problem"), ("class", "problem"), ("role", "alert")])
        .all(form.problem.clone());
    el("form", &[("class", "invite card"), ("aria-label", "Invite"), ("novalidate", "")])
        .on("submit", |event| {
            event.prevent_default();
            invite(typed_address("invite-address"));
        })
        .on_key(|event| {
            if event.key() == "Escape" {
                gesture(Gesture::ToggleInvite);
            }
        })
        .with(
            el("div", &[("class", "field")])
                .with(el("label", &[("for", "invite-address")]).with("Address"))
                .with(address)
                .with(problem),
        )
        .with(el("button", &[("type", "submit"), ("class", "button primary")]).with("Call"))
}

/// One invite: whom, how it stands, what can be done.
fn calling(Calling { id, is_large, ring }: &Calling) -> Element {
    let id = *id;
    let buttons = ring.buttons.iter().enumerate().map(|(at, button)| {
        let is_primary = !ring.is_waiting && at == 0;
        let meant = button.gesture;
        el("button", &[("type", "button")])
            .key(button.label)
            .set("class", classes("button", &[(ring.is_waiting, "bad"), (is_primary, "primary")]))
            .on("click", move |_| gesture(Gesture::Ring(id, meant)))
            .with(button.label)
    });
    el("section", &[])
        .key(id.to_string())
        .set("class", classes("calling", &[(*is_large, "large")]))
        .set("aria-label", ring.label.clone())
        .with(el("h2", &[]).with(ring.label.clone()))
        .with(el("p", &[("role", "status")]).with(ring.status.clone()))
        .with(el("div", &[("class", "row")]).all(buttons))
}

fn last_words(farewell: &Farewell) -> Element {
    el("section", &[("class", "farewell")])
        .set("aria-label", farewell.title)
        .with(el("h2", &[]).with(farewell.title))
        .with(el("p", &[("role", "status")]).with(farewell.text))
        .with(
            el("a", &[("class", "button primary"), ("href", "./"), ("target", "_top")])
                .with("Back to Hullo"),
        )
}
