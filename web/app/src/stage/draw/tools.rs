//! The call controls, and what is behind `More`.

use platform::dom::{Element, choose, classes, el, value_at};
use ui::stage::{Along, Gesture, More, Pick, Tool, ToolId, View};
use web_sys::KeyboardEvent;

use super::super::gesture;
use super::icon::{self, Icon};

/// Draws the footer.
pub(super) fn draw(view: &View) -> Element {
    let tools =
        el("div", &[("class", "tools"), ("role", "toolbar"), ("aria-label", "Call controls")])
            .on_key(on_key)
            .all(view.tools.iter().map(tool));
    el("footer", &[("class", "foot")]).all(view.more.as_ref().map(more)).with(tools)
}

fn tool(tool: &Tool) -> Element {
    let id = tool.id;
    let class = ["tool ", id.element()].concat();
    let badge = el("span", &[("class", "badge"), ("aria-hidden", "true")])
        .flag("hidden", tool.badge.is_empty())
        .with(tool.badge.clone());
    let button = el("button", &[("type", "button")])
        .key(id.element())
        .set("id", id.element())
        .set("class", classes(&class, &[(tool.is_troubled, "troubled")]))
        .set("aria-label", tool.name)
        .set("title", tool.hint.clone())
        .set("tabindex", if tool.is_stop { "0" } else { "-1" })
        .on("click", move |_| gesture(meaning(id)))
        .on("focus", move |_| gesture(Gesture::FocusedTool(id)))
        .with(icon::draw(shape(id, tool.is_pressed)))
        .with(badge);
    match tool.is_pressed {
        Some(is_pressed) => pressed(button, is_pressed),
        None => button,
    }
}

fn pressed(button: Element, is_pressed: bool) -> Element {
    button.set("aria-pressed", if is_pressed { "true" } else { "false" })
}

fn meaning(id: ToolId) -> Gesture {
    match id {
        ToolId::Microphone => Gesture::ToggleMicrophone,
        ToolId::Camera => Gesture::ToggleCamera,
        ToolId::Screen => Gesture::ToggleScreen,
        ToolId::Chat => Gesture::ToggleChat,
        ToolId::People => Gesture::TogglePeople,
        ToolId::More => Gesture::ToggleMore,
        ToolId::Leave => Gesture::Leave,
    }
}

fn shape(id: ToolId, is_pressed: Option<bool>) -> Icon {
    match (id, is_pressed) {
        (ToolId::Microphone, Some(true)) => Icon::Microphone,
        (ToolId::Microphone, _) => Icon::MicrophoneOff,
        (ToolId::Camera, Some(true)) => Icon::Camera,
        (ToolId::Camera, _) => Icon::CameraOff,
        (ToolId::Screen, _) => Icon::Screen,
        (ToolId::Chat, _) => Icon::Chat,
        (ToolId::People, _) => Icon::People,
        (ToolId::More, _) => Icon::More,
        (ToolId::Leave, _) => Icon::Leave,
    }
}

fn on_key(event: &KeyboardEvent) {
    let along = match event.key().as_str() {
        "ArrowLeft" => Along::Back,
        "ArrowRight" => Along::On,
        "Home" => Along::First,
        "End" => Along::Last,
        _ => return,
    };
    event.prevent_default();
    gesture(Gesture::Along(along));
}

fn more(more: &More) -> Element {
    let keys = more.keys.iter().map(|(key, meaning)| {
        let key = el("dt", &[]).with(el("kbd", &[]).with(*key));
        el("div", &[]).with(key).with(el("dd", &[]).with(*meaning))
    });
    let full_screen = el("button", &[("type", "button"), ("class", "button")])
        .on("click", |_| gesture(Gesture::FullScreen))
        .with("Full screen");
    let sounds = switch("Sounds", more.has_sounds, Gesture::ToggleSounds);
    let single_keys =
        switch("Single-key shortcuts", more.has_single_keys, Gesture::ToggleSingleKeys);
    el(
        "div",
        &[
            ("class", "more"),
            ("id", "more"),
            ("role", "dialog"),
            ("aria-label", "More"),
            ("tabindex", "-1"),
        ],
    )
    .all(more.picks.iter().map(pick))
    .with(el("div", &[("class", "row")]).with(full_screen).with(sounds).with(single_keys))
    .with(el("h2", &[]).with("Shortcuts"))
    .with(el("dl", &[("class", "keys")]).all(keys))
}

fn switch(name: &'static str, is_on: bool, meant: Gesture) -> Element {
    let switch = el("button", &[("type", "button"), ("class", "button switch")])
        .key(name)
        .on("click", move |_| gesture(meant.clone()))
        .with(name);
    pressed(switch, is_on)
}

fn pick(pick: &Pick) -> Element {
    let sense = pick.sense;
    let picked = pick.choices.iter().position(|choice| choice.is_picked).unwrap_or_default();
    let choices = pick
        .choices
        .iter()
        .map(|choice| el("option", &[]).set("value", choice.id.clone()).with(choice.name.clone()));
    let list = el("select", &[])
        .on("change", move |event| gesture(Gesture::Pick(sense, value_at(event))))
        .care(picked, move |list| choose(list, picked))
        .all(choices);
    el("label", &[("class", "pick")])
        .key(pick.name)
        .with(el("span", &[]).with(pick.name))
        .with(list)
}
