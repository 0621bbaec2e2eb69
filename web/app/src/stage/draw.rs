//! Draws [`ui::stage::View`]: header, pictures, call controls, side.

mod icon;
mod side;
mod tile;
mod tools;

use leptos::ev;
use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;
use ui::stage::keys::{self, Focus, Key};
use ui::stage::{Gesture, Layout, Notice, View};
use web_sys::KeyboardEvent;
use web_sys::wasm_bindgen::JsCast;

use super::{gesture, with};

/// Draws the page, and listens to its keys.
pub(super) fn mount(view: RwSignal<View>) {
    mount_to_body(move || page(view));
}

/// Says why there is no call.
pub(super) fn mount_refusal(why: String) {
    mount_to_body(move || {
        view! {
            <main class="refusal">
                <h1>"This is not a call"</h1>
                <p>{why}</p>
            </main>
        }
    });
}

fn page(view: RwSignal<View>) -> impl IntoView {
    let down = window_event_listener(ev::keydown, on_key_down);
    let up = window_event_listener(ev::keyup, |event| {
        if let Some(meant) = keys::released(&key(&event)) {
            gesture(meant);
        }
    });
    on_cleanup(move || {
        down.remove();
        up.remove();
    });
    let farewell = Memo::new(move |_| view.with(|view| view.farewell));
    move || match farewell.get() {
        Some(farewell) => view! { <main class="refusal"><h1>{farewell}</h1></main> }.into_any(),
        None => call(view),
    }
}

fn call(view: RwSignal<View>) -> AnyView {
    let has_side = Memo::new(move |_| view.with(|view| view.side.is_some()));
    view! {
        <div class="call" class:with-side=move || has_side.get()>
            {header(view)}
            <main class="scene" aria-label="Pictures">
                {tiles(view)}
                <p class="alone" role="status">{move || view.with(|view| view.alone)}</p>
                {notices(view)}
            </main>
            {side::draw(view)}
            {tools::draw(view)}
            <p class="spoken" aria-live="polite">
                {move || view.with(|view| view.announcement.clone())}
            </p>
        </div>
    }
    .into_any()
}

fn header(view: RwSignal<View>) -> impl IntoView {
    let title = Memo::new(move |_| view.with(|view| view.title.clone()));
    let count = Memo::new(move |_| view.with(|view| view.people_count.clone()));
    let clock = Memo::new(move |_| view.with(|view| view.clock.clone()));
    view! {
        <header class="head">
            <h1>{move || title.get()}</h1>
            <span class="quiet">{move || count.get()}</span>
            <span class="quiet clock">{move || clock.get()}</span>
        </header>
    }
}

fn tiles(view: RwSignal<View>) -> impl IntoView {
    let layout = Memo::new(move |_| view.with(|view| (view.layout, view.tiles.len().min(9))));
    let class = move || {
        let (layout, count) = layout.get();
        let layout = match layout {
            Layout::Alone => "alone",
            Layout::Pair => "pair",
            Layout::Grid => "grid",
            Layout::Spotlight => "spotlight",
        };
        format!("tiles {layout} count-{count}")
    };
    view! {
        <div class=class>
            <For
                each=move || view.with(|view| view.tiles.clone())
                key=|tile| tile.key.clone()
                children=move |tile| tile::draw(view, tile)
            />
        </div>
    }
}

fn notices(view: RwSignal<View>) -> impl IntoView {
    view! {
        <div class="notices" role="status">
            <For
                each=move || view.with(|view| view.notices.clone())
                key=|notice| (notice.key, notice.text.clone())
                children=notice
            />
        </div>
    }
}

fn notice(notice: Notice) -> impl IntoView {
    let remedy = notice.remedy.map(|(name, meant)| {
        view! {
            <button type="button" class="button" on:click=move |_| gesture(meant.clone())>
                {name}
            </button>
        }
    });
    let dismiss = notice.can_dismiss.then(|| {
        view! {
            <button type="button" class="button plain" on:click=|_| gesture(Gesture::Dismiss)>
                "Dismiss"
            </button>
        }
    });
    view! {
        <div class="notice">
            <p>{notice.text}</p>
            <div class="row">{remedy} {dismiss}</div>
        </div>
    }
}

fn on_key_down(event: KeyboardEvent) {
    let key = key(&event);
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
        Some("textarea" | "input") => Focus::Text,
        Some("button" | "select" | "a" | "summary") => Focus::Control,
        Some(_) | None => Focus::Elsewhere,
    }
}
