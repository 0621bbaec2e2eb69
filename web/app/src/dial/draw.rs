//! Draws the call app.

use leptos::html;
use leptos::prelude::*;
use platform::page;
use ui::dial::{Button, Card, Gesture, LoggedIn, LoggedOut, NoticeView, Page, Recent};

use super::{Screen, gesture, on_wrapper};

/// The whole page.
pub(super) fn page(screen: Screen) -> impl IntoView {
    let Screen { view, wrapper } = screen;
    let opening = Memo::new(move |_| match &view.read().page {
        Page::Opening { note } => *note,
        Page::LoggedOut(_) | Page::LoggedIn(_) => None,
    });
    let logged_out = Memo::new(move |_| match &view.read().page {
        Page::LoggedOut(page) => Some(page.clone()),
        Page::Opening { .. } | Page::LoggedIn(_) => None,
    });
    let logged_in = Memo::new(move |_| match &view.read().page {
        Page::LoggedIn(page) => Some(page.clone()),
        Page::Opening { .. } | Page::LoggedOut(_) => None,
    });
    let cards = Memo::new(move |_| logged_in.read().as_ref().map(|page| page.cards.clone()));
    let cards = Memo::new(move |_| cards.get().unwrap_or_default());
    let is_covered = move || !cards.read().is_empty() || wrapper.read().is_some();
    // Only what changes is drawn again, so that what is being typed stays.
    let is_out = Memo::new(move |_| logged_out.read().is_some());
    let is_in = Memo::new(move |_| logged_in.read().is_some());
    title(screen, cards);
    view! {
        <div class="app" inert=is_covered>
            <header class="bar">
                <p class="brand">"Hullo"</p>
                {move || is_in.get().then(|| who(logged_in))}
            </header>
            <main class="page">
                <div role="status">{move || opening.get().map(|note| view! { <p class="notice">{note}</p> })}</div>
                {move || is_out.get().then(|| login(logged_out))}
                {move || is_in.get().then(|| dialling(logged_in))}
            </main>
        </div>
        {move || wrapper.get().map(wrapper_frame)}
        {move || (!cards.read().is_empty()).then(|| incoming(cards))}
    }
}

/// The title of the tab: it blinks while somebody calls.
fn title(screen: Screen, cards: Memo<Vec<Card>>) {
    let title = Memo::new(move |_| screen.view.read().title.clone());
    let blinking = StoredValue::new_local(None);
    Effect::new(move || {
        let title = title.get();
        blinking.set_value(None);
        if cards.read().is_empty() {
            page::set_title(&title);
        } else {
            blinking.set_value(Some(page::Blink::new(title)));
        }
    });
}

fn who(logged_in: Memo<Option<LoggedIn>>) -> impl IntoView {
    let address = move || logged_in.read().as_ref().map(|page| page.address.clone());
    view! {
        <p class="who quiet"><span class="spoken">"Logged in as "</span>{address}</p>
        <button type="button" class="button plain" on:click=move |_| gesture(Gesture::LogOut)>
            "Log out"
        </button>
    }
}

fn login(logged_out: Memo<Option<LoggedOut>>) -> impl IntoView {
    let token = NodeRef::<html::Input>::new();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        gesture(Gesture::LogIn { token: typed(token) });
    };
    let problem = move || logged_out.read().as_ref().and_then(|page| page.problem.clone());
    let hint = move || logged_out.read().as_ref().map(|page| page.hint);
    let is_busy = move || logged_out.read().as_ref().is_some_and(|page| page.is_busy);
    view! {
        <div class="lead">
            <h1>"Log in"</h1>
            <p class="quiet" id="token-hint">{hint}</p>
        </div>
        <form class="card" novalidate on:submit=submit>
            <div class="field">
                <label for="token">"Access token"</label>
                <input
                    id="token"
                    node_ref=token
                    type="text"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby="token-hint token-problem"
                />
                <p id="token-problem" class="problem" role="alert">{problem}</p>
            </div>
            <button type="submit" class="button primary" aria-disabled=move || is_busy().to_string()>
                "Log in"
            </button>
        </form>
    }
}

fn dialling(logged_in: Memo<Option<LoggedIn>>) -> impl IntoView {
    let part = move |read: fn(&LoggedIn) -> Option<String>| {
        move || logged_in.read().as_ref().and_then(read)
    };
    let note = part(|page| page.note.map(str::to_owned));
    let problem = part(|page| page.problem.clone());
    let sound = Memo::new(move |_| logged_in.read().as_ref().and_then(|page| page.sound.clone()));
    let notices = move || logged_in.get().map(|page| page.notices).unwrap_or_default();
    let recent = Memo::new(move |_| logged_in.read().as_ref().map(|page| page.recent.clone()));

    let (address, topic) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        gesture(Gesture::Call { address: typed(address), topic: typed(topic) });
    };
    view! {
        <h1>"Call somebody"</h1>
        <div role="status">
            {move || note().map(|note| view! { <p class="notice bad">{note}</p> })}
        </div>
        {move || sound.get().map(|chip| view! { <div>{button(chip, "button plain")}</div> })}
        <div role="log" aria-label="Notices" class="stack">
            <For each=notices key=|notice| notice.id let:notice>{note_line(notice)}</For>
        </div>
        <form class="card" novalidate on:submit=submit>
            <div class="field">
                <label for="address">"Address"</label>
                <input
                    id="address"
                    node_ref=address
                    type="text"
                    inputmode="email"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    placeholder="bob@example.com"
                    aria-describedby="address-problem"
                    aria-invalid=move || problem().is_some().to_string()
                    on:input=move |_| gesture(Gesture::Edit)
                />
                <p id="address-problem" class="problem" role="alert">{problem}</p>
            </div>
            <div class="field">
                <label for="topic">"Topic"</label>
                <input id="topic" node_ref=topic type="text" autocomplete="off" placeholder="May stay empty"/>
            </div>
            <button type="submit" class="button primary">"Call"</button>
        </form>
        {move || recent.get().filter(|recent| !recent.is_empty()).map(recent_list)}
    }
}

fn recent_list(recent: Vec<Recent>) -> impl IntoView {
    let lines = recent.into_iter().map(|Recent { address, gesture: pressed }| {
        view! {
            <li>
                <button type="button" class="button" on:click=move |_| gesture(pressed.clone())>
                    <span class="address">{address}</span>
                </button>
            </li>
        }
    });
    view! {
        <section class="stack" aria-labelledby="recent">
            <h2 id="recent">"Recent"</h2>
            <ul class="recent" role="list" aria-labelledby="recent">{lines.collect::<Vec<_>>()}</ul>
        </section>
    }
}

fn note_line(notice: NoticeView) -> impl IntoView {
    view! {
        <div class="notice">
            <p>{notice.text}</p>
            <div class="row">
                {notice.action.map(|action| button(action, "button primary"))}
                {button(notice.dismiss, "button plain")}
            </div>
        </div>
    }
}

/// Everybody who rings. Escape ends the noise, not the call.
fn incoming(cards: Memo<Vec<Card>>) -> impl IntoView {
    let silence = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            gesture(Gesture::Silence);
        }
    };
    view! {
        <div class="incoming" on:keydown=silence>
            <For each=move || cards.get() key=|card| card.id let:card>{card_view(card)}</For>
        </div>
    }
}

fn card_view(card: Card) -> impl IntoView {
    let answer = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(button) = answer.get() {
            // Focus is a courtesy; a reader is told by the role as well.
            button.focus().ok();
        }
    });
    let (who, about) = (format!("who-{}", card.id), format!("about-{}", card.id));
    let described = format!("{who} {about}");
    let pressed = card.answer.gesture;
    view! {
        <section
            class="card"
            role="alertdialog"
            aria-modal="true"
            aria-label=card.label
            aria-describedby=described
        >
            <div class="disc" aria-hidden="true">{card.initials}</div>
            <h2 id=who>{card.name}" is calling"</h2>
            <div id=about class="stack">
                <p class="quiet">{card.address}</p>
                {card.topic.map(|topic| view! { <p>{topic}</p> })}
            </div>
            <div class="row">
                {button(card.decline, "button bad")}
                <button
                    type="button"
                    class="button good"
                    node_ref=answer
                    on:click=move |_| gesture(pressed.clone())
                >
                    {card.answer.label}
                </button>
            </div>
        </section>
    }
}

/// The wrapper inside this page.
fn wrapper_frame(url: String) -> impl IntoView {
    let node = NodeRef::<html::Iframe>::new();
    Effect::new(move || {
        if let Some(frame) = node.get() {
            on_wrapper(&frame);
        }
    });
    view! {
        <iframe
            class="call-frame"
            node_ref=node
            title="Call"
            allow="camera; microphone; display-capture; autoplay; fullscreen; picture-in-picture; screen-wake-lock"
            src=url
        ></iframe>
    }
}

fn button(Button { label, gesture: pressed }: Button, class: &'static str) -> impl IntoView {
    view! {
        <button type="button" class=class on:click=move |_| gesture(pressed.clone())>
            {label}
        </button>
    }
}

/// What stands in a field.
fn typed(field: NodeRef<html::Input>) -> String {
    field.get_untracked().map(|input| input.value()).unwrap_or_default()
}
