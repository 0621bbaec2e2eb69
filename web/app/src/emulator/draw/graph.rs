//! The picture of the network: participants around a circle, and the links between them.

use platform::dom::{Element, classes, el};
use platform::page;
use ui::emulator::{Gesture, Health, Lens, Participant, SIDE, Stroke, View};
use web_sys::KeyboardEvent;

use super::gesture;

/// Draws it.
pub(super) fn draw(view: &View) -> Element {
    let wall = view.is_split.then(|| {
        let middle = SIDE / 2;
        el("path", &[("class", "wall")]).set("d", format!("M{middle} 60V{}", SIDE - 60))
    });
    let seats: Vec<_> = view.participants.iter().map(|one| one.seat).collect();
    let at = view.participants.iter().position(|one| one.is_chosen);
    let names = view.participants.iter().map(name);
    el("svg", &[("class", "graph"), ("role", "group")])
        .set("viewBox", format!("0 0 {SIDE} {SIDE}"))
        .set("aria-label", view.lens_name.clone())
        .on_key(move |event| {
            let Some(step) = step(event) else { return };
            event.prevent_default();
            let count = seats.len().max(1);
            let next = at.map_or(0, |at| (at + count).wrapping_add_signed(step) % count);
            if let Some(seat) = seats.get(next) {
                gesture(Gesture::Choose(*seat));
                page::focus(&id(seat.0));
            }
        })
        .all(wall)
        .all(view.strokes.iter().map(|stroke| link(stroke, view.lens)))
        .all(names)
        .all(view.participants.iter().enumerate().map(|(at, one)| participant(view, at, one)))
}

fn step(event: &KeyboardEvent) -> Option<isize> {
    match event.key().as_str() {
        "ArrowRight" | "ArrowDown" => Some(1),
        "ArrowLeft" | "ArrowUp" => Some(-1),
        _ => None,
    }
}

fn id(seat: u32) -> String {
    format!("seat-{seat}")
}

/// A line, and a wider one that can be hit. By keyboard links are cut where they are listed.
fn link(stroke: &Stroke, lens: Lens) -> Element {
    let (one, other) = stroke.ends;
    let class = classes("link", &[(stroke.is_half, "half"), (stroke.is_busy, "busy")]);
    let line = el("path", &[("class", "line")]).set("d", stroke.path.clone());
    let whole = el("g", &[]).key(format!("{}-{}", one.0, other.0)).set("class", class);
    if lens == Lens::Map {
        return whole.with(line);
    }
    let hit = el("path", &[("class", "hit")]).set("d", stroke.path.clone());
    whole
        .set("role", "button")
        .set("tabindex", "-1")
        .set("aria-label", stroke.label.clone())
        .on("click", move |_| gesture(Gesture::Cut(one, other)))
        .with(line)
        .with(hit)
}

fn name(one: &Participant) -> Element {
    let (x, y) = one.dot.name_at;
    el("text", &[("class", "name"), ("aria-hidden", "true"), ("dominant-baseline", "central")])
        .key(id(one.seat.0))
        .set("x", x.to_string())
        .set("y", y.to_string())
        .set("text-anchor", one.dot.anchor)
        .with(one.name.clone())
}

fn participant(view: &View, at: usize, one: &Participant) -> Element {
    let seat = one.seat;
    let (x, y) = one.dot.at;
    let health = match one.health {
        Health::Running => "",
        Health::Frozen => " frozen",
        Health::Crashed => " crashed",
    };
    let class = format!("peer letter-{}{health}", one.colour);
    let is_stop = one.is_chosen || at == 0 && view.chosen.is_none();
    let circle = |class: &'static str, radius: &'static str| {
        el("circle", &[]).set("class", class).set("r", radius)
    };
    el("g", &[("role", "button")])
        .key(id(seat.0))
        .set("id", id(seat.0))
        .set("class", classes(&class, &[(one.is_chosen, "chosen")]))
        .set("transform", format!("translate({x} {y})"))
        .set("tabindex", if is_stop { "0" } else { "-1" })
        .set("aria-label", one.label.clone())
        .set("aria-pressed", if one.is_chosen { "true" } else { "false" })
        .on("click", move |_| gesture(Gesture::Press(seat)))
        .on_key(move |event| {
            if matches!(event.key().as_str(), "Enter" | " ") {
                event.prevent_default();
                gesture(Gesture::Press(seat));
            }
        })
        .with(circle("halo", "47"))
        .with(circle("disc-face", "36"))
        .with(
            el(
                "text",
                &[("class", "sign"), ("dominant-baseline", "central"), ("text-anchor", "middle")],
            )
            .with(one.sign.clone()),
        )
}
