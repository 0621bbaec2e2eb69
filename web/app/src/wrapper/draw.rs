//! Draws the wrapper.

use leptos::html;
use leptos::prelude::*;
use platform::page;
use ui::wrapper::{Calling, Farewell, Form, Gesture, View};

use super::{gesture, on_frame, on_no_frame};

/// The whole page.
pub(super) fn page(view: RwSignal<View>) -> impl IntoView {
    Effect::new(move || page::set_title(&view.read().title));
    let title = Memo::new(move |_| view.read().title.clone());
    let callings = Memo::new(move |_| view.read().callings.clone());
    let farewell = Memo::new(move |_| view.read().farewell.clone());
    view! {
        <main class="call">
            <h1 class="spoken">{title}</h1>
            {frame(view)}
            <div class="over">
                {chips(view)}
                {move || callings.get().into_iter().map(calling).collect::<Vec<_>>()}
            </div>
            {move || farewell.get().map(last_words)}
        </main>
    }
}

/// The conference app. It is made once: drawing it again would load it again.
fn frame(view: RwSignal<View>) -> impl IntoView {
    let query = Memo::new(move |_| view.read().frame.clone());
    let node = NodeRef::<html::Iframe>::new();
    Effect::new(move || match node.get() {
        Some(frame) => on_frame(&frame),
        None => on_no_frame(),
    });
    let source = |query: Vec<(&str, String)>| {
        let pairs = query.iter().map(|(name, value)| format!("{name}={}", page::encode(value)));
        format!("conference?{}", pairs.collect::<Vec<_>>().join("&"))
    };
    move || {
        query.get().map(|query| {
            view! {
                <iframe
                    node_ref=node
                    title="Conference"
                    allow="camera; microphone; display-capture; autoplay; fullscreen; picture-in-picture; screen-wake-lock"
                    src=source(query)
                ></iframe>
            }
        })
    }
}

/// What belongs to a conference that is going on: the note and the way to invite.
fn chips(view: RwSignal<View>) -> impl IntoView {
    let note = Memo::new(move |_| view.read().note);
    let invite = Memo::new(move |_| view.read().invite.clone());
    let form = Memo::new(move |_| view.read().form.clone());
    let is_open = Memo::new(move |_| form.read().is_some());
    view! {
        <div class="chips">
            <div role="status">{move || note.get().map(|note| view! { <p class="chip">{note}</p> })}</div>
            {move || {
                invite.get().map(|action| {
                    let label = action.label;
                    view! {
                        <button
                            type="button"
                            class="button"
                            aria-expanded=move || is_open.get().to_string()
                            on:click=move |_| gesture(action.gesture.clone())
                        >
                            {label}
                        </button>
                    }
                })
            }}
        </div>
        {move || is_open.get().then(|| invite_form(form))}
    }
}

fn invite_form(form: Memo<Option<Form>>) -> impl IntoView {
    let address = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(input) = address.get() {
            // Focus is a courtesy.
            input.focus().ok();
        }
    });
    let problem = Memo::new(move |_| form.read().as_ref().and_then(|form| form.problem.clone()));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed = address.get_untracked().map(|input| input.value()).unwrap_or_default();
        gesture(Gesture::Invite { address: typed });
    };
    view! {
        <form class="invite card" aria-label="Invite" novalidate on:submit=submit>
            <div class="field">
                <label for="invite-address">"Address"</label>
                <input
                    id="invite-address"
                    node_ref=address
                    type="text"
                    inputmode="email"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby="invite-problem"
                    aria-invalid=move || problem.read().is_some().to_string()
                    on:input=move |_| gesture(Gesture::Edit)
                />
                <p id="invite-problem" class="problem" role="alert">{problem}</p>
            </div>
            <button type="submit" class="button primary">"Call"</button>
        </form>
    }
}

/// One invite: whom, how it stands, what can be done.
fn calling(Calling { id, is_large, ring }: Calling) -> impl IntoView {
    let buttons = ring.buttons.into_iter().enumerate().map(move |(at, button)| {
        view! {
            <button
                type="button"
                class="button"
                class:bad=ring.is_waiting
                class:primary=!ring.is_waiting && at == 0
                on:click=move |_| gesture(Gesture::Ring(id, button.gesture))
            >
                {button.label}
            </button>
        }
    });
    let label = ring.label.clone();
    view! {
        <section class="calling" class:large=is_large aria-label=label>
            <h2>{ring.label}</h2>
            <p role="status">{ring.status}</p>
            <div class="row">{buttons.collect::<Vec<_>>()}</div>
        </section>
    }
}

fn last_words(farewell: Farewell) -> impl IntoView {
    view! {
        <section class="farewell" aria-label=farewell.title>
            <h2>{farewell.title}</h2>
            <p role="status">{farewell.text}</p>
            <a class="button primary" href="./" target="_top">"Back to Hullo"</a>
        </section>
    }
}
