//! The side: the conversation, or the people.

use leptos::ev;
use leptos::html::{Div, Textarea};
use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;
use platform::time::time_of_day;
use ui::stage::text::Part;
use ui::stage::{Gesture, Line, Seat, Side, View};

use super::super::gesture;
use super::icon::{self, Icon};

/// Draws what is open beside the pictures, if anything is.
pub(super) fn draw(view: RwSignal<View>) -> impl IntoView {
    let side = Memo::new(move |_| view.with(|view| view.side));
    move || match side.get() {
        Some(Side::Chat) => Some(chat(view)),
        Some(Side::People) => Some(people(view)),
        None => None,
    }
}

fn chat(view: RwSignal<View>) -> AnyView {
    let log = NodeRef::<Div>::new();
    let count = Memo::new(move |_| view.with(|view| view.lines.len()));
    Effect::new(move |_| {
        count.track();
        if let Some(log) = log.get() {
            // After the new line is drawn, down to it.
            request_animation_frame(move || log.set_scroll_top(log.scroll_height()));
        }
    });
    let none = move || {
        let text = view.with(|view| if view.lines.is_empty() { view.no_lines } else { "" });
        (!text.is_empty()).then(|| view! { <p class="quiet none">{text}</p> })
    };
    view! {
        <aside class="side" aria-label="Chat">
            <div class="side-head">
                <h2>"Chat"</h2>
                {close(Gesture::ToggleChat)}
            </div>
            {none}
            <div class="log" role="log" aria-label="Messages" tabindex="0" node_ref=log>
                <For
                    each=move || view.with(|view| view.lines.clone())
                    key=|line| (line.key, line.name.clone())
                    children=line
                />
            </div>
            <p class="typing quiet">{move || view.with(|view| view.typing.clone())}</p>
            {compose()}
        </aside>
    }
    .into_any()
}

fn line(line: Line) -> AnyView {
    let parts = line.parts.into_iter().map(|part| match part {
        Part::Text(text) => text.into_any(),
        Part::Link(link) => {
            let href = link.clone();
            view! {
                <a href=href target="_blank" rel="noopener noreferrer">{link}</a>
            }
            .into_any()
        }
    });
    let parts = parts.collect_view();
    if line.is_note {
        return view! { <p class="note quiet">{parts}</p> }.into_any();
    }
    let name = (!line.name.is_empty()).then(|| view! { <bdi class="by">{line.name}</bdi> });
    view! {
        <div class="line" class:own=line.is_own>
            {name}
            <p class="bubble" dir="auto">{parts}</p>
            <span class="at quiet">{time_of_day(line.at)}</span>
        </div>
    }
    .into_any()
}

fn compose() -> impl IntoView {
    let field = NodeRef::<Textarea>::new();
    let send = move || {
        if let Some(field) = field.get_untracked() {
            gesture(Gesture::Send(field.value()));
            field.set_value("");
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        // While a word is composed, Enter belongs to the keyboard of the language.
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
            event.prevent_default();
            send();
        }
    };
    view! {
        <form
            class="compose"
            on:submit=move |event| {
                event.prevent_default();
                send();
            }
        >
            <textarea
                id="message"
                node_ref=field
                rows="1"
                maxlength="4000"
                aria-label="Message"
                placeholder="Write to everyone"
                on:keydown=on_key
                on:input=|event| gesture(Gesture::Typed(!event_target_value(&event).is_empty()))
            ></textarea>
            <button type="submit" class="button primary send" aria-label="Send" title="Send (Enter)">
                {icon::draw(Icon::Send)}
            </button>
        </form>
    }
}

fn people(view: RwSignal<View>) -> AnyView {
    view! {
        <aside class="side" aria-label="People">
            <div class="side-head">
                <h2>"People"</h2>
                {close(Gesture::TogglePeople)}
            </div>
            <ul class="seats" aria-label="Participants" role="list">
                <For
                    each=move || view.with(|view| view.seats.clone())
                    key=|seat| seat.key
                    children=move |seat| draw_seat(view, seat)
                />
            </ul>
        </aside>
    }
    .into_any()
}

fn draw_seat(view: RwSignal<View>, first: Seat) -> impl IntoView {
    let key = first.key;
    let seat = Memo::new(move |last: Option<&Seat>| {
        let now = view.with(|view| view.seats.iter().find(|seat| seat.key == key).cloned());
        now.or_else(|| last.cloned()).unwrap_or_else(|| first.clone())
    });
    view! {
        <li class="seat">
            <span
                class=move || seat.with(|seat| format!("disc colour-{}", seat.colour))
                aria-hidden="true"
            >
                {move || seat.with(|seat| seat.initials.clone())}
            </span>
            <span class="who">
                <bdi>{move || seat.with(|seat| seat.name.clone())}</bdi>
                <span class="quiet">{move || seat.with(|seat| seat.state.clone())}</span>
            </span>
        </li>
    }
}

fn close(meant: Gesture) -> impl IntoView {
    view! {
        <button
            type="button"
            class="button plain close"
            aria-label="Close"
            on:click=move |_| gesture(meant.clone())
        >
            {icon::draw(Icon::Close)}
        </button>
    }
}
