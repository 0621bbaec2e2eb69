//! Draws the call app.

use leptos::html;
use leptos::prelude::*;
use platform::page;
use ui::dial::{Button, Card, Gesture, LoggedIn, LoggedOut, NoticeView, Page, Recent, View};

use super::{Screen, gesture, on_wrapper};

/// A text that may be absent. One type for all of them: each type of signal costs the wasm its own code.
type Text = Memo<Option<String>>;

/// The whole page.
pub(super) fn page(screen: Screen) -> impl IntoView {
    let Screen { view, wrapper } = screen;
    let logged_out = move |read: fn(&LoggedOut) -> Option<String>| -> Text {
        Memo::new(move |_| match &view.read().page {
            Page::LoggedOut(page) => read(page),
            Page::Opening { .. } | Page::LoggedIn(_) => None,
        })
    };
    let logged_in = move |read: fn(&LoggedIn) -> Option<String>| -> Text {
        Memo::new(move |_| match &view.read().page {
            Page::LoggedIn(page) => read(page),
            Page::Opening { .. } | Page::LoggedOut(_) => None,
        })
    };
    let opening: Text = Memo::new(move |_| match &view.read().page {
        Page::Opening { note } => note.map(str::to_owned),
        Page::LoggedOut(_) | Page::LoggedIn(_) => None,
    });
    let cards = Memo::new(move |_| match &view.read().page {
        Page::LoggedIn(page) => page.cards.clone(),
        Page::Opening { .. } | Page::LoggedOut(_) => Vec::new(),
    });
    // Only what changes is drawn again, so that what is being typed stays.
    let hint = logged_out(|page| Some(page.hint.to_owned()));
    let address = logged_in(|page| Some(page.address.clone()));
    let is_covered = move || !cards.read().is_empty() || wrapper.read().is_some();
    title(screen, cards);
    view! {
        <div class="app" inert=is_covered>
            <header class="bar">
                <p class="brand">"Hullo"</p>
                {move || address.get().map(who)}
            </header>
            <main class="page">
                {note(opening)}
                {move || {
                    hint.get().map(|hint| {
                        let problem = logged_out(|page| page.problem.clone());
                        let is_busy = logged_out(|page| page.is_busy.then(String::new));
                        login(hint, problem, is_busy)
                    })
                }}
                {move || {
                    address.read().is_some().then(|| {
                        let problem = logged_in(|page| page.problem.clone());
                        dialling(view, logged_in(|page| page.note.map(str::to_owned)), problem)
                    })
                }}
            </main>
        </div>
        {move || wrapper.get().map(wrapper_frame)}
        {move || Some(cards.get()).filter(|cards| !cards.is_empty()).map(incoming)}
    }
}

/// A note that comes and goes, and is read out when it comes.
fn note(text: Text) -> impl IntoView {
    view! {
        <div role="status" class="live">
            {move || text.get().map(|text| view! { <p class="notice">{text}</p> })}
        </div>
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

fn who(address: String) -> impl IntoView {
    view! {
        <p class="who quiet"><span class="spoken">"Logged in as "</span>{address}</p>
        <button type="button" class="button plain" on:click=move |_| gesture(Gesture::LogOut)>
            "Log out"
        </button>
    }
}

fn login(hint: String, problem: Text, is_busy: Text) -> impl IntoView {
    let token = NodeRef::<html::Input>::new();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        gesture(Gesture::LogIn { token: typed(token) });
    };
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
            <button
                type="submit"
                class="button primary"
                aria-disabled=move || is_busy.read().is_some().to_string()
            >
                "Log in"
            </button>
        </form>
    }
}

fn dialling(view: RwSignal<View>, away: Text, problem: Text) -> impl IntoView {
    let (address, topic) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        gesture(Gesture::Call { address: typed(address), topic: typed(topic) });
    };
    view! {
        <h1>"Call somebody"</h1>
        {note(away)}
        {move || match &view.read().page {
            Page::LoggedIn(page) => Some(news(page)),
            Page::Opening { .. } | Page::LoggedOut(_) => None,
        }}
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
                    aria-invalid=move || problem.read().is_some().to_string()
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
        {move || match &view.read().page {
            Page::LoggedIn(page) if !page.recent.is_empty() => {
                Some(recent_list(page.recent.clone()))
            }
            Page::LoggedIn(_) | Page::Opening { .. } | Page::LoggedOut(_) => None,
        }}
    }
}

/// What happened meanwhile, and the chip that turns on ringing.
fn news(page: &LoggedIn) -> impl IntoView + use<> {
    let notices: Vec<_> = page.notices.iter().cloned().map(note_line).collect();
    view! {
        <div role="log" aria-label="Notices" class="live stack">{notices}</div>
        {page.sound.clone().map(|chip| view! { <div>{button(chip, "button plain")}</div> })}
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
fn incoming(cards: Vec<Card>) -> impl IntoView {
    let silence = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            gesture(Gesture::Silence);
        }
    };
    let cards: Vec<_> = cards.into_iter().map(card_view).collect();
    view! { <div class="incoming" on:keydown=silence>{cards}</div> }
}

fn card_view(card: Card) -> impl IntoView {
    let answer = NodeRef::<html::Button>::new();
    Effect::new(move || {
        // Somebody on the way to Decline is not pulled back by the next call.
        if let Some(button) = answer.get()
            && !page::has_focus_in(".incoming")
        {
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
