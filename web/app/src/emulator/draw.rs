//! Draws [`ui::emulator::View`]: the network, who sees what, what happened, and one participant.

mod graph;
mod one;

use platform::dom::{Element, classes, el, typed};
use platform::page;
use ui::emulator::{Deed, Gesture, Links, Row, Settings, Shape, Tone, Tool, View};

use super::{gesture, parsed};

/// The whole page.
pub(super) fn body(view: &View) -> Vec<Element> {
    let network = el("section", &[("class", "network"), ("aria-label", "Network")])
        .with(graph::draw(view))
        .with(toolbar(view));
    let reports = el("div", &[("class", "reports")]).with(rows(view)).with(deeds(view));
    let one = el("section", &[("class", "one"), ("aria-label", "Participant")]);
    let main = el("main", &[("class", "lab-main")])
        .with(network)
        .with(one.with(one::draw(view)))
        .with(reports);
    vec![el("div", &[("class", "lab")]).with(header(view)).with(main)]
}

fn header(view: &View) -> Element {
    let tone = match view.tone {
        Tone::Settled => "verdict settled",
        Tone::Busy => "verdict busy",
        Tone::Parted => "verdict parted",
    };
    let verdict = el("p", &[("role", "status")]).set("class", tone).with(view.verdict.clone());
    el("header", &[("class", "lab-bar")])
        .with(el("h1", &[("class", "brand")]).with("Emulator"))
        .with(verdict)
        .with(el("p", &[("class", "summary quiet")]).with(view.summary.clone()))
        .with(
            el("button", &[("type", "button"), ("class", "button plain small")])
                .on("click", |_| gesture(Gesture::ResetCounters))
                .with("Count anew"),
        )
        .with(fresh(view.settings))
}

/// What a new network is to be like.
fn fresh(settings: Settings) -> Element {
    let field = |id: &'static str, name: &'static str, inner: Element| {
        el("div", &[("class", "field")])
            .key(id)
            .with(el("label", &[]).set("for", id).with(name))
            .with(inner)
    };
    let number = |id: &'static str, most: &'static str, value: String| {
        el("input", &[("type", "number"), ("min", "1")])
            .set("id", id)
            .set("max", most)
            .set("value", value)
    };
    let option = |value: String, text: String, is_picked: bool| {
        el("option", &[]).set("value", value).flag("selected", is_picked).with(text)
    };
    let shapes = Shape::ALL
        .map(|shape| option(shape.to_string(), format!("a {shape}"), shape == settings.shape));
    let links =
        [(Links::Own, "own", "nodes add their own"), (Links::Invited, "invited", "invites only")]
            .map(|(links, value, text)| {
                option(value.to_owned(), text.to_owned(), links == settings.links)
            });
    let form = el("form", &[("class", "fresh-form card")])
        .on("submit", |event| {
            event.prevent_default();
            page::fold("fresh");
            gesture(Gesture::Start(chosen_settings()));
        })
        .with(field("nodes", "How many", number("nodes", "30", settings.participants.to_string())))
        .with(field("shape", "Invites", el("select", &[("id", "shape")]).all(shapes)))
        .with(field("links", "Links", el("select", &[("id", "links")]).all(links)))
        .with(field("seed", "Seed", number("seed", "999999999", settings.seed.to_string())))
        .with(el("button", &[("type", "submit"), ("class", "button primary")]).with("Start"));
    el("details", &[("class", "fresh"), ("id", "fresh")])
        .with(el("summary", &[("class", "button plain small")]).with("New network"))
        .with(form)
}

fn chosen_settings() -> Settings {
    let default = Settings::default();
    let word = |id| Some(typed(id));
    Settings {
        participants: parsed(word("nodes")).unwrap_or(default.participants),
        shape: parsed(word("shape")).unwrap_or(default.shape),
        links: if typed("links") == "invited" { Links::Invited } else { Links::Own },
        seed: parsed(word("seed")).unwrap_or(default.seed),
    }
}

fn toolbar(view: &View) -> Element {
    let hint = view
        .tools
        .iter()
        .find(|_| view.is_linking)
        .map(|_| "Press the participant to link it with, or to cut it off from.");
    el("div", &[("class", "lab-tools")])
        .with(
            el("div", &[("class", "row"), ("role", "group"), ("aria-label", "Network controls")])
                .all(view.tools.iter().map(tool)),
        )
        .with(
            el("p", &[("class", "quiet hint"), ("role", "status")]).with(hint.unwrap_or_default()),
        )
}

fn tool(tool: &Tool) -> Element {
    let meant = tool.gesture.clone();
    let button = el("button", &[("type", "button"), ("class", "button switch")])
        .key(tool.name)
        .set("aria-label", tool.name)
        .set("title", tool.hint)
        .flag("disabled", !tool.is_enabled)
        .on("click", move |_| gesture(meant.clone()))
        .with(tool.text.clone());
    match tool.is_pressed {
        Some(is_pressed) => button.set("aria-pressed", if is_pressed { "true" } else { "false" }),
        None => button,
    }
}

fn rows(view: &View) -> Element {
    let head = ["Participant", "State", "Sees", "Messages", "Links", "Sent"];
    let head = head.map(|name| el("th", &[("scope", "col")]).key(name).with(name));
    let table = el("table", &[("class", "rows")])
        .with(el("thead", &[]).with(el("tr", &[]).all(head)))
        .with(el("tbody", &[]).all(view.rows.iter().map(row)));
    el("section", &[("class", "report"), ("aria-labelledby", "who")])
        .with(el("h2", &[("id", "who")]).with("Who sees what"))
        .with(scroll("Who sees what, in numbers").with(table))
}

fn scroll(name: &'static str) -> Element {
    el("div", &[("class", "scroll"), ("role", "region"), ("tabindex", "0")]).set("aria-label", name)
}

fn row(row: &Row) -> Element {
    let letter = match row.colour {
        Some(colour) => el("span", &[]).set("class", format!("letter letter-{colour}")),
        None => el("span", &[("class", "quiet")]),
    };
    let cell = |text: &str| el("td", &[]).with(text.to_owned());
    let sees = classes("sees", &[(!row.is_right, "wrong")]);
    let seat = row.seat;
    el("tr", &[])
        .key(row.seat.0.to_string())
        .on("click", move |_| gesture(Gesture::Choose(seat)))
        .with(el("th", &[("scope", "row")]).with(row.name.clone()))
        .with(el("td", &[]).with(letter.with(row.state.clone())))
        .with(el("td", &[]).set("class", sees).with(row.sees.clone()))
        .with(cell(&row.messages))
        .with(cell(&row.links))
        .with(cell(&row.sent))
}

fn deeds(view: &View) -> Element {
    let list = el("ol", &[("class", "deeds")]).all(view.deeds.iter().map(deed));
    el("section", &[("class", "report"), ("aria-labelledby", "deeds")])
        .with(el("h2", &[("id", "deeds")]).with("What happened"))
        .with(scroll("What happened, the last first").with(list))
}

fn deed(deed: &Deed) -> Element {
    el("li", &[])
        .key(deed.key.to_string())
        .with(el("span", &[]).with(deed.text.clone()))
        .with(el("span", &[("class", "quiet took")]).with(deed.took.clone()))
}
