//! The call controls, and what is behind `More`.

use leptos::ev;
use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;
use ui::stage::{Along, Gesture, More, Pick, Tool, ToolId, View};

use super::super::gesture;
use super::icon::{self, Icon};

/// Draws the footer.
pub(super) fn draw(view: RwSignal<View>) -> impl IntoView {
    let more = Memo::new(move |_| view.with(|view| view.more.clone()));
    let tools = ToolId::ALL.map(|id| tool(view, id));
    view! {
        <footer class="foot">
            {move || more.get().map(draw_more)}
            <div class="tools" role="toolbar" aria-label="Call controls" on:keydown=on_key>
                {tools.into_iter().collect_view()}
            </div>
        </footer>
    }
}

fn tool(view: RwSignal<View>, id: ToolId) -> AnyView {
    let tool = Memo::new(move |last: Option<&Tool>| {
        let now = view.with(|view| view.tools.iter().find(|tool| tool.id == id).cloned());
        now.or_else(|| last.cloned()).expect("the view lists every control")
    });
    let is_on = Memo::new(move |_| tool.with(|tool| tool.is_pressed));
    let pressed = move || is_on.get().map(|is_on| if is_on { "true" } else { "false" });
    let is_stop = move || if tool.with(|tool| tool.is_stop) { "0" } else { "-1" };
    let badge = Memo::new(move |_| tool.with(|tool| tool.badge.clone()));
    view! {
        <button
            type="button"
            id=id.element()
            class=format!("tool {}", id.element())
            class:troubled=move || tool.with(|tool| tool.is_troubled)
            aria-label=move || tool.with(|tool| tool.name)
            title=move || tool.with(|tool| tool.hint.clone())
            aria-pressed=pressed
            tabindex=is_stop
            on:click=move |_| gesture(meaning(id))
            on:focus=move |_| gesture(Gesture::FocusedTool(id))
        >
            {move || icon::draw(shape(id, is_on.get()))}
            <span class="badge" aria-hidden="true" hidden=move || badge.get().is_empty()>
                {move || badge.get()}
            </span>
        </button>
    }
    .into_any()
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

fn on_key(event: ev::KeyboardEvent) {
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

fn draw_more(more: More) -> impl IntoView {
    let pressed = |is_on: bool| if is_on { "true" } else { "false" };
    let keys = more.keys.iter().map(|(key, meaning)| {
        view! { <div><dt><kbd>{*key}</kbd></dt><dd>{*meaning}</dd></div> }
    });
    view! {
        <div class="more" id="more" role="dialog" aria-label="More" tabindex="-1">
            {more.picks.into_iter().map(pick).collect_view()}
            <div class="row">
                <button type="button" class="button" on:click=|_| gesture(Gesture::FullScreen)>
                    "Full screen"
                </button>
                <button
                    type="button"
                    class="button switch"
                    aria-pressed=pressed(more.has_sounds)
                    on:click=|_| gesture(Gesture::ToggleSounds)
                >
                    "Sounds"
                </button>
                <button
                    type="button"
                    class="button switch"
                    aria-pressed=pressed(more.has_single_keys)
                    on:click=|_| gesture(Gesture::ToggleSingleKeys)
                >
                    "Single-key shortcuts"
                </button>
            </div>
            <h2>"Shortcuts"</h2>
            <dl class="keys">{keys.collect_view()}</dl>
        </div>
    }
}

fn pick(pick: Pick) -> impl IntoView {
    let sense = pick.sense;
    let choices = pick.choices.into_iter().map(|choice| {
        view! { <option value=choice.id selected=choice.is_picked>{choice.name}</option> }
    });
    let choices = choices.collect_view();
    view! {
        <label class="pick">
            <span>{pick.name}</span>
            <select on:change=move |event| gesture(Gesture::Pick(sense, event_target_value(&event)))>
                {choices}
            </select>
        </label>
    }
}
