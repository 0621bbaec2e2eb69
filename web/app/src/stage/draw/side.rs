//! The side: the conversation, or the people.

use platform::dom::{Child, Element, classes, clear, el, typed, value_at};
use platform::time::time_of_day;
use ui::stage::text::Part;
use ui::stage::{Gesture, Line, Seat, Side, View};

use super::super::gesture;
use super::icon::{self, Icon};

/// The field in which one writes.
const MESSAGE: &str = "message";

/// Draws what is open beside the pictures, if anything is.
pub(super) fn draw(view: &View) -> Option<Element> {
    match view.side {
        Some(Side::Chat) => Some(chat(view)),
        Some(Side::People) => Some(people(view)),
        None => None,
    }
}

fn chat(view: &View) -> Element {
    let none = view.lines.is_empty().then_some(view.no_lines).filter(|text| !text.is_empty());
    let none = none.map(|text| el("p", &[("class", "quiet none")]).with(text));
    let log = el(
        "div",
        &[("class", "log"), ("role", "log"), ("aria-label", "Messages"), ("tabindex", "0")],
    )
    // After a new line, down to it.
    .care(view.lines.len(), |log| log.set_scroll_top(log.scroll_height()))
    .all(view.lines.iter().map(line));
    el("aside", &[("class", "side"), ("aria-label", "Chat")])
        .with(head("Chat", Gesture::ToggleChat))
        .all(none)
        .with(log)
        .with(el("p", &[("class", "typing quiet")]).with(view.typing.clone()))
        .with(compose(view.draft.clone()))
}

fn head(title: &'static str, close: Gesture) -> Element {
    let close = el(
        "button",
        &[("type", "button"), ("class", "button plain close"), ("aria-label", "Close")],
    )
    .on("click", move |_| gesture(close.clone()))
    .with(icon::draw(Icon::Close));
    el("div", &[("class", "side-head")]).with(el("h2", &[]).with(title)).with(close)
}

fn line(line: &Line) -> Element {
    let key = format!("{} {} {}", line.key.at.0, line.key.node, line.name);
    let parts = line.parts.iter().map(part);
    if line.is_note {
        return el("p", &[("class", "note quiet")]).key(key).all(parts);
    }
    let name = line.name.clone();
    let name = (!name.is_empty()).then(|| el("bdi", &[("class", "by")]).with(name));
    el("div", &[])
        .key(key)
        .set("class", classes("line", &[(line.is_own, "own")]))
        .all(name)
        .with(el("p", &[("class", "bubble"), ("dir", "auto")]).all(parts))
        .with(el("span", &[("class", "at quiet")]).with(time_of_day(line.at)))
}

fn part(part: &Part) -> Child {
    match part {
        Part::Text(text) => text.clone().into(),
        Part::Link(link) => el("a", &[("target", "_blank"), ("rel", "noopener noreferrer")])
            .set("href", link.clone())
            .with(link.clone())
            .into(),
    }
}

fn send() {
    gesture(Gesture::Send(typed(MESSAGE)));
    clear(MESSAGE);
}

fn compose(draft: String) -> Element {
    let field = el(
        "textarea",
        &[
            ("id", MESSAGE),
            ("rows", "1"),
            ("maxlength", "4000"),
            ("aria-label", "Message"),
            ("placeholder", "Write to everyone"),
        ],
    )
    .on_key(|event| {
        // While a word is composed, Enter belongs to the keyboard of the language.
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
            event.prevent_default();
            send();
        }
    })
    .on("input", |event| gesture(Gesture::Typed(value_at(event))))
    // Counts as long as nobody has typed here.
    .with(draft);
    let button = el(
        "button",
        &[
            ("type", "submit"),
            ("class", "button primary send"),
            ("aria-label", "Send"),
            ("title", "Send (Enter)"),
        ],
    );
    el("form", &[("class", "compose")])
        .on("submit", |event| {
            event.prevent_default();
            send();
        })
        .with(field)
        .with(button.with(icon::draw(Icon::Send)))
}

fn people(view: &View) -> Element {
    let seats = el("ul", &[("class", "seats"), ("aria-label", "Participants"), ("role", "list")])
        .all(view.seats.iter().map(seat));
    el("aside", &[("class", "side"), ("aria-label", "People")])
        .with(head("People", Gesture::TogglePeople))
        .with(seats)
}

fn seat(seat: &Seat) -> Element {
    let disc = el("span", &[("aria-hidden", "true")])
        .set("class", format!("disc colour-{}", seat.colour))
        .with(seat.initials.clone());
    let who = el("span", &[("class", "who")])
        .with(el("bdi", &[]).with(seat.name.clone()))
        .with(el("span", &[("class", "quiet")]).with(seat.state.clone()));
    let key = seat.key;
    let remove = seat.remove.iter().map(|(text, label)| {
        el("button", &[("type", "button"), ("class", "button plain")])
            .set("aria-label", label.clone())
            .on("click", move |_| gesture(Gesture::Remove(key)))
            .with(*text)
    });
    el("li", &[("class", "seat")]).key(key.to_string()).with(disc).with(who).all(remove)
}
