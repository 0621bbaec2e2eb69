//! The chosen participant: people and conversation, links, and its copy of the store.

use platform::dom::{Element, classes, clear, el, typed};
use ui::emulator::{Chosen, Gesture, Line, Neighbour, SeatId, Tab, View};

use super::gesture;

/// The field in which one writes.
const MESSAGE: &str = "message";

/// Draws it, or what stands in its place.
pub(super) fn draw(view: &View) -> Element {
    match &view.chosen {
        Some(one) => chosen(one),
        None => el("p", &[("class", "quiet nobody")]).with(view.nobody),
    }
}

fn chosen(one: &Chosen) -> Element {
    let tools = one.tools.iter().map(|(name, meant)| {
        let meant = meant.clone();
        el("button", &[("type", "button"), ("class", "button small")])
            .key(*name)
            .on("click", move |_| gesture(meant.clone()))
            .with(*name)
    });
    let head = el("div", &[("class", "one-head")])
        .with(el("h2", &[]).with(one.name.clone()))
        .with(el("p", &[("class", "quiet")]).with(one.state.clone()))
        .with(el("div", &[("class", "row")]).all(tools));
    let tab = |tab: Tab, name: &'static str| {
        el("button", &[("type", "button"), ("class", "button small switch")])
            .key(name)
            .set("aria-pressed", if one.tab == tab { "true" } else { "false" })
            .on("click", move |_| gesture(Gesture::Open(tab)))
            .with(name)
    };
    let tabs = el("div", &[("class", "row tabs"), ("role", "group"), ("aria-label", "Show")])
        .with(tab(Tab::Talk, "Talk"))
        .with(tab(Tab::Links, "Links"))
        .with(tab(Tab::Store, "Store"));
    let panel = match one.tab {
        Tab::Talk => talk(one),
        Tab::Links => links(one),
        Tab::Store => store(one),
    };
    el("div", &[("class", "one-body"), ("role", "group")])
        .key(one.seat.0.to_string())
        .set("aria-label", one.name.clone())
        .with(head)
        .with(tabs)
        .with(panel)
}

fn talk(one: &Chosen) -> Element {
    let people = one.people.iter().map(|(name, state)| {
        let state =
            (!state.is_empty()).then(|| el("span", &[("class", "quiet")]).with(state.clone()));
        el("li", &[]).with(el("bdi", &[]).with(name.clone())).all(state)
    });
    let people = el("ul", &[("class", "people"), ("aria-label", "Participants"), ("role", "list")])
        .all(people);
    let none = one.lines.is_empty().then_some(one.no_lines);
    let none = none.map(|text| el("p", &[("class", "quiet")]).with(text));
    let log = el(
        "div",
        &[("class", "lab-log"), ("role", "log"), ("aria-label", "Messages"), ("tabindex", "0")],
    )
    .care(one.lines.len(), |log| log.set_scroll_top(log.scroll_height()))
    .all(none)
    .all(one.lines.iter().map(line));
    el("div", &[("class", "panel talk")])
        .with(people)
        .with(log)
        .with(compose(one.seat, one.can_write))
}

fn line(line: &Line) -> Element {
    let note = line.by.is_empty();
    let by = (!note).then(|| el("bdi", &[("class", "by")]).with(line.by.clone()));
    el("p", &[("dir", "auto")])
        .key(line.key.clone())
        .set("class", classes("said", &[(line.is_own, "own"), (note, "quiet")]))
        .all(by)
        .with(line.text.clone())
}

fn compose(seat: SeatId, can_write: bool) -> Element {
    el("form", &[("class", "compose")])
        .on("submit", move |event| {
            event.prevent_default();
            gesture(Gesture::Say(seat, typed(MESSAGE)));
            clear(MESSAGE);
        })
        .with(
            el(
                "input",
                &[
                    ("id", MESSAGE),
                    ("type", "text"),
                    ("autocomplete", "off"),
                    ("maxlength", "4000"),
                    ("aria-label", "Message"),
                    ("placeholder", "Write to everyone"),
                ],
            )
            .flag("disabled", !can_write),
        )
        .with(
            el("button", &[("type", "submit"), ("class", "button primary")])
                .flag("disabled", !can_write)
                .with("Send"),
        )
}

fn links(one: &Chosen) -> Element {
    let facts = one.facts.iter().map(|(name, value)| {
        el("div", &[])
            .key(*name)
            .with(el("dt", &[("class", "quiet")]).with(*name))
            .with(el("dd", &[]).with(value.clone()))
    });
    let head = ["With", "Link", "Sent", "Received"]
        .map(|name| el("th", &[("scope", "col")]).key(name).with(name));
    let table = el("table", &[("class", "rows links")])
        .with(el("thead", &[]).with(el("tr", &[]).all(head).with(el("td", &[]))))
        .with(el("tbody", &[]).all(one.neighbours.iter().map(neighbour)));
    el(
        "div",
        &[
            ("class", "panel scroll"),
            ("role", "region"),
            ("aria-label", "Its links"),
            ("tabindex", "0"),
        ],
    )
    .with(el("dl", &[("class", "facts")]).all(facts))
    .with(table)
}

fn neighbour(other: &Neighbour) -> Element {
    let cell = |text: &str| el("td", &[]).with(text.to_owned());
    let tool = other.tool.clone().map(|(text, name, meant)| {
        el("button", &[("type", "button"), ("class", "button small")])
            .set("aria-label", name)
            .on("click", move |_| gesture(meant.clone()))
            .with(text)
    });
    el("tr", &[])
        .key(other.seat.0.to_string())
        .with(el("th", &[("scope", "row")]).with(other.name.clone()))
        .with(cell(other.state))
        .with(cell(&other.sent))
        .with(cell(&other.heard))
        .with(el("td", &[]).all(tool))
}

/// An element of its own, which asks for the store as any application would: `web/pages/store-view.js`.
fn store(one: &Chosen) -> Element {
    let view = el("store-view", &[]).key(one.seat.0.to_string()).set("of", one.name.clone());
    el("div", &[("class", "panel store")]).with(view)
}
