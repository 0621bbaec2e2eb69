//! Draws [`ui::stage::View`]: header, pictures, call controls, side.

mod icon;
mod side;
mod tile;
mod tools;

use platform::Listener;
use platform::dom::{Element, classes, draw_once, el};
use ui::stage::keys::{self, Focus, Key};
use ui::stage::{Gesture, Layout, Notice, View};
use web_sys::KeyboardEvent;
use web_sys::wasm_bindgen::JsCast;

use super::{gesture, with};

/// Says why there is no call.
pub(super) fn refusal(why: String) {
    draw_once(vec![
        el("main", &[("class", "refusal")])
            .with(el("h1", &[]).with("This is not a call"))
            .with(el("p", &[]).with(why)),
    ]);
}

/// Listens to the keys of the page.
pub(super) fn listeners() -> [Listener; 2] {
    let up = |event: &KeyboardEvent| {
        if let Some(meant) = keys::released(&key(event)) {
            gesture(meant);
        }
    };
    [
        Listener::window("keydown", |event| event.dyn_ref().map(on_key_down).unwrap_or_default()),
        Listener::window("keyup", move |event| event.dyn_ref().map(up).unwrap_or_default()),
    ]
}

/// The whole page.
pub(super) fn page(view: &View) -> Vec<Element> {
    vec![match view.farewell {
        Some(farewell) => el("main", &[("class", "refusal")]).with(el("h1", &[]).with(farewell)),
        None => call(view),
    }]
}

fn call(view: &View) -> Element {
    let scene = el("main", &[("class", "scene"), ("aria-label", "Pictures")])
        .with(tiles(view))
        .with(el("p", &[("class", "alone"), ("role", "status")]).with(view.alone))
        .with(
            el("div", &[("class", "notices"), ("role", "status")])
                .all(view.notices.iter().map(notice)),
        );
    el("div", &[])
        .set("class", classes("call", &[(view.side.is_some(), "with-side")]))
        .with(header(view))
        .with(scene)
        .all(side::draw(view))
        .with(tools::draw(view))
        .with(
            el("p", &[("class", "spoken"), ("aria-live", "polite")])
                .with(view.announcement.clone()),
        )
}

fn header(view: &View) -> Element {
    el("header", &[("class", "head")])
        .with(el("h1", &[]).with(view.title.clone()))
        .with(el("span", &[("class", "quiet")]).with(view.people_count.clone()))
        .with(el("span", &[("class", "quiet clock")]).with(view.clock.clone()))
}

fn tiles(view: &View) -> Element {
    let layout = match view.layout {
        Layout::Alone => "alone",
        Layout::Pair => "pair",
        Layout::Grid => "grid",
        Layout::Spotlight => "spotlight",
    };
    let count = view.tiles.len().min(9);
    el("div", &[])
        .set("class", format!("tiles {layout} count-{count}"))
        .all(view.tiles.iter().map(tile::draw))
}

fn notice(notice: &Notice) -> Element {
    let remedy = notice.remedy.clone().map(|(name, meant)| {
        el("button", &[("type", "button"), ("class", "button")])
            .on("click", move |_| gesture(meant.clone()))
            .with(name)
    });
    let dismiss = notice.can_dismiss.then(|| {
        el("button", &[("type", "button"), ("class", "button plain")])
            .on("click", |_| gesture(Gesture::Dismiss))
            .with("Dismiss")
    });
    el("div", &[("class", "notice")])
        .key(notice.text.clone())
        .with(el("p", &[]).with(notice.text.clone()))
        .with(el("div", &[("class", "row")]).all(remedy).all(dismiss))
}

fn on_key_down(event: &KeyboardEvent) {
    let key = key(event);
    let mut meant = None;
    with(|shell| meant = keys::pressed(&key, shell.stage.has_single_keys()));
    if let Some(meant) = meant {
        // Escape closes more than what is ours, so the browser hears it too.
        if meant != Gesture::Escape {
            event.prevent_default();
        }
        gesture(meant);
    }
}

fn key(event: &KeyboardEvent) -> Key {
    Key {
        key: event.key(),
        code: event.code(),
        has_control: event.ctrl_key() || event.meta_key(),
        has_shift: event.shift_key(),
        has_alt: event.alt_key(),
        is_repeated: event.repeat(),
        focus: focus(event),
    }
}

fn focus(event: &KeyboardEvent) -> Focus {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    match element.map(|element| element.tag_name().to_ascii_lowercase()).as_deref() {
        Some("textarea" | "input" | "select") => Focus::Text,
        Some("button" | "a" | "summary") => Focus::Control,
        Some(_) | None => Focus::Elsewhere,
    }
}
