//! Draws the call app.

mod entry;

use platform::dom::{Element, el, typed, typed_address};
use platform::page;
use ui::dial::{
    Button, Card, DeviceView, Gesture, LoggedIn, NoticeView, Page, Recent, RulesView, WakingView,
};
use web_sys::wasm_bindgen::JsCast;

use super::{Shown, gesture, on_wrapper};

/// The whole page.
pub(super) fn page(shown: &Shown) -> Vec<Element> {
    let (opening, main, who, cards) = match &shown.view.page {
        Page::Opening { note } => (*note, Vec::new(), Vec::new(), &[][..]),
        Page::LoggedOut(page) => (None, entry::page(page), Vec::new(), &[][..]),
        Page::LoggedIn(page) => (None, dialling(page), who(&page.address), &*page.cards),
    };
    let is_covered = !cards.is_empty() || shown.wrapper.is_some();
    let app = el("div", &[("class", "app")])
        .flag("inert", is_covered)
        .with(
            el("header", &[("class", "bar")])
                .with(el("p", &[("class", "brand")]).with("Hullo"))
                .all(who),
        )
        .with(el("main", &[("class", "page")]).with(note(opening).key("opening")).all(main));
    let frame = shown.wrapper.as_deref().map(wrapper_frame);
    let incoming = (!cards.is_empty()).then(|| incoming(cards));
    [Some(app), frame, incoming].into_iter().flatten().collect()
}

/// A note that comes and goes, and is read out when it comes.
fn note(text: Option<&'static str>) -> Element {
    note_text(text.map(str::to_owned))
}

fn note_text(text: Option<String>) -> Element {
    el("div", &[("role", "status"), ("class", "live")])
        .all(text.map(|text| el("p", &[("class", "notice")]).with(text)))
}

fn who(address: &str) -> Vec<Element> {
    vec![
        el("p", &[("class", "who quiet")])
            .with(el("span", &[("class", "spoken")]).with("Logged in as "))
            .with(address.to_owned()),
        el("button", &[("type", "button"), ("class", "button plain")])
            .on("click", |_| gesture(Gesture::LogOut))
            .with("Log out"),
    ]
}

fn problem(text: &Option<String>) -> Element {
    el("p", &[("class", "problem"), ("role", "alert")]).all(text.clone())
}

fn dialling(page: &LoggedIn) -> Vec<Element> {
    let heading = el("h1", &[]).with("Call somebody");
    let notices = el("div", &[("role", "log"), ("aria-label", "Notices"), ("class", "live stack")])
        .all(page.notices.iter().map(note_line));
    let sound = page.sound.as_ref();
    let sound = sound.map(|chip| el("div", &[]).with(button(chip, "button plain")));
    let ring_here = page.ring_here.as_deref();
    let ring_here = ring_here.map(|chip| el("div", &[]).with(button(chip, "button plain")));
    let recent = (!page.recent.is_empty()).then(|| recent_list(&page.recent));
    let waking = page.waking.as_deref().map(waking);
    let always = [heading, note(page.note), notices].into_iter();
    let rules = page.rules.as_deref().map(rules);
    let devices = [devices(page.devices.as_deref())];
    let first = always.chain(ring_here).chain(sound).chain([dial_form(page)]).chain(recent);
    first.chain(waking).chain(rules).chain(devices).collect()
}

fn waking(view: &WakingView) -> Element {
    let button = view.button.as_ref().map(|chip| button(chip, "button plain"));
    el("div", &[("class", "stack")])
        .key("waking")
        .with(el("p", &[("class", "quiet"), ("role", "status")]).with(view.text))
        .all(button)
}

fn rules(view: &RulesView) -> Element {
    let lines = view.blocked.iter().map(|blocked| {
        let unblock = el("button", &[("type", "button"), ("class", "button plain")])
            .set("aria-label", blocked.label.clone())
            .with("Unblock");
        el("li", &[("class", "row")])
            .key(blocked.address.clone())
            .with(el("span", &[("class", "address")]).with(blocked.address.clone()))
            .with(press(unblock, &blocked.gesture))
    });
    let blocked = (!view.blocked.is_empty()).then(|| {
        el("div", &[("class", "stack")]).with(el("h2", &[("id", "blocked")]).with("Blocked")).with(
            el("ul", &[("class", "blocked"), ("role", "list"), ("aria-labelledby", "blocked")])
                .all(lines),
        )
    });
    el("div", &[("class", "stack")])
        .key("rules")
        .with(el("p", &[("class", "quiet"), ("role", "status")]).with(view.text))
        .with(button(&view.change, "button plain"))
        .all(blocked)
}

fn dial_form(page: &LoggedIn) -> Element {
    let address = el(
        "input",
        &[
            ("id", "address"),
            ("type", "text"),
            ("inputmode", "email"),
            ("autocomplete", "off"),
            ("autocapitalize", "none"),
            ("spellcheck", "false"),
            ("placeholder", "bob@example.com"),
            ("aria-describedby", "address-problem"),
        ],
    )
    .set("aria-invalid", page.problem.is_some().to_string())
    .on("input", |_| gesture(Gesture::Edit));
    let topic = el(
        "input",
        &[
            ("id", "topic"),
            ("type", "text"),
            ("autocomplete", "off"),
            ("placeholder", "May stay empty"),
        ],
    );
    el("form", &[("class", "card"), ("novalidate", "")])
        .key("dial")
        .on("submit", |event| {
            event.prevent_default();
            gesture(Gesture::Call { address: typed_address("address"), topic: typed("topic") });
        })
        .with(
            el("div", &[("class", "field")])
                .with(el("label", &[("for", "address")]).with("Address"))
                .with(address)
                .with(problem(&page.problem).set("id", "address-problem")),
        )
        .with(
            el("div", &[("class", "field")])
                .with(el("label", &[("for", "topic")]).with("Topic"))
                .with(topic),
        )
        .with(el("button", &[("type", "submit"), ("class", "button primary")]).with("Call"))
}

fn recent_list(recent: &[Recent]) -> Element {
    let lines = recent.iter().map(|Recent { address, fate, presence, gesture: meant, block }| {
        let name = el("span", &[("class", "address")]).with(address.clone());
        let line = el("button", &[("type", "button"), ("class", "button")]).with(name);
        let presence = presence.map(|text| el("span", &[("class", "quiet")]).with(text));
        let block = block.as_ref().map(|offer| {
            let block = el("button", &[("type", "button"), ("class", "block quiet")]);
            press(block.set("aria-label", offer.label.clone()).with("Block"), &offer.gesture)
        });
        let fate = fate.map(|(word, at)| {
            let text = format!("{word}, {}", platform::time::moment(at));
            el("p", &[("class", "quiet")]).with(text)
        });
        let who = el("div", &[("class", "who")]).with(press(line, meant)).all(fate);
        el("li", &[]).key(address.clone()).with(who).all(presence).all(block)
    });
    el("section", &[("class", "stack"), ("aria-labelledby", "recent")])
        .with(el("h2", &[("id", "recent")]).with("Recent"))
        .with(
            el("ul", &[("class", "recent"), ("role", "list"), ("aria-labelledby", "recent")])
                .all(lines),
        )
}

/// Where the person is logged in; closed until they ask.
fn devices(devices: Option<&[DeviceView]>) -> Element {
    let Some(devices) = devices else {
        return el("div", &[]).key("devices").with(
            el("button", &[("type", "button"), ("class", "button plain")])
                .on("click", |_| gesture(Gesture::ShowDevices))
                .with("Where you are logged in"),
        );
    };
    let lines = devices.iter().map(|device| {
        let about = el("div", &[("class", "address")])
            .with(el("p", &[]).with(device.name.clone()))
            .with(el("p", &[("class", "quiet")]).with(device.about.clone()));
        let end = device.log_out.as_ref().map(|meant| {
            button(meant, "button plain")
                .set("aria-label", format!("{}: {}", meant.label, device.name))
        });
        el("li", &[]).key(device.id.clone()).with(about).all(end)
    });
    el("section", &[("class", "stack"), ("aria-labelledby", "devices")])
        .key("devices")
        .with(el("h2", &[("id", "devices")]).with("Where you are logged in"))
        .with(
            el(
                "ul",
                &[("class", "recent devices"), ("role", "list"), ("aria-labelledby", "devices")],
            )
            .all(lines),
        )
        .with(
            el("div", &[]).with(
                el("button", &[("type", "button"), ("class", "button plain")])
                    .on("click", |_| gesture(Gesture::HideDevices))
                    .with("Hide"),
            ),
        )
}

fn note_line(notice: &NoticeView) -> Element {
    el("div", &[("class", "notice")])
        .key(notice.id.to_string())
        .with(el("p", &[]).with(notice.text.clone()))
        .with(
            el("div", &[("class", "row")])
                .all(notice.action.as_ref().map(|action| button(action, "button primary")))
                .with(button(&notice.dismiss, "button plain")),
        )
}

/// Everybody who rings. Escape ends the noise, not the call.
fn incoming(cards: &[Card]) -> Element {
    el("div", &[("class", "incoming")])
        .on_key(|event| {
            if event.key() == "Escape" {
                gesture(Gesture::Silence);
            }
        })
        .all(cards.iter().map(|card| card_view(card, cards.len())))
}

fn card_view(card: &Card, count: usize) -> Element {
    // When a card comes or goes, the focus goes to one that is there.
    let answer = button(&card.answer, "button good").care(count, |answer| {
        // Somebody on the way to Decline is not pulled back by the next call.
        if !page::has_focus_in(".incoming")
            && let Some(answer) = answer.dyn_ref::<web_sys::HtmlElement>()
        {
            // Focus is a courtesy; a reader is told by the role as well.
            answer.focus().ok();
        }
    });
    let (who, about) = (format!("who-{}", card.id), format!("about-{}", card.id));
    let topic = card.topic.as_ref().map(|topic| el("p", &[]).with(topic.clone()));
    el("section", &[("class", "card"), ("role", "alertdialog"), ("aria-modal", "true")])
        .key(who.clone())
        .set("aria-label", card.label.clone())
        .set("aria-describedby", format!("{who} {about}"))
        .with(el("div", &[("class", "disc"), ("aria-hidden", "true")]).with(card.initials.clone()))
        .with(el("h2", &[]).set("id", who).with(format!("{} is calling", card.name)))
        .with(
            el("div", &[("class", "stack")])
                .set("id", about)
                .with(el("p", &[("class", "quiet")]).with(card.address.clone()))
                .all(topic),
        )
        .with(el("div", &[("class", "row")]).with(button(&card.decline, "button bad")).with(answer))
        .with(button(&card.block, "button plain"))
}

/// The wrapper inside this page.
fn wrapper_frame(url: &str) -> Element {
    let frame = el(
        "iframe",
        &[
            ("class", "call-frame"),
            ("title", "Call"),
            (
                "allow",
                "camera; microphone; display-capture; autoplay; fullscreen; picture-in-picture; screen-wake-lock",
            ),
        ],
    );
    frame.key(url.to_owned()).set("src", url.to_owned()).care(0, |frame| {
        if let Some(frame) = frame.dyn_ref() {
            on_wrapper(frame);
        }
    })
}

fn button(button: &Button, class: &'static str) -> Element {
    let drawn = el("button", &[("type", "button")]).set("class", class).with(button.label);
    press(drawn, &button.gesture)
}

fn press(element: Element, meant: &Gesture) -> Element {
    let meant = meant.clone();
    element.on("click", move |_| gesture(meant.clone()))
}
