//! One picture with its name and state.

use platform::dom::{Element, classes, el};
use ui::stage::{Slot, Source, Tile};
use web_sys::HtmlVideoElement;
use web_sys::wasm_bindgen::JsCast;

use super::super::with;
use super::icon::{self, Icon};

/// Draws the picture. The element stays as long as the key does; everything about it changes in place.
pub(super) fn draw(tile: &Tile) -> Element {
    let (source, is_silent) = (tile.source, tile.is_silent);
    let video = el("video", &[("autoplay", ""), ("playsinline", "")])
        .care(0, move |element| {
            if let Some(element) = element.dyn_ref::<HtmlVideoElement>().cloned() {
                element.set_muted(is_silent);
                with(|shell| shell.videos.add(source, element, is_silent));
            }
        })
        .farewell(move || with(|shell| shell.videos.remove(source)));
    let disc = el("span", &[])
        .set("class", format!("disc colour-{}", tile.colour))
        .with(tile.initials.clone());
    el("div", &[("role", "group")])
        .key(tile.key.clone())
        .set("class", class(tile))
        .set("aria-label", tile.name.clone())
        .with(video)
        .with(el("div", &[("class", "face"), ("aria-hidden", "true")]).with(disc))
        .with(plate(tile))
}

/// The name and the words about the state.
fn plate(tile: &Tile) -> Element {
    let glyph = tile.is_muted.then(|| icon::draw(Icon::MicrophoneOff));
    let glyph = el("span", &[("aria-hidden", "true")])
        .set("class", classes("glyph", &[(tile.is_muted, "off")]))
        .all(glyph);
    el("p", &[("class", "plate")])
        .with(glyph)
        .with(el("bdi", &[("class", "caption")]).with(tile.caption.clone()))
        .with(el("span", &[("class", "states")]).with(tile.states.join(", ")))
}

fn class(tile: &Tile) -> String {
    let slot = match tile.slot {
        Slot::Full => "tile full",
        Slot::Inset => "tile inset",
        Slot::Cell => "tile cell",
        Slot::Strip => "tile strip",
    };
    let others = [
        (tile.source == Source::Own, "own"),
        (tile.has_picture, "seen"),
        (tile.is_speaking, "speaking"),
        (tile.is_mirrored, "mirrored"),
        (tile.is_fitted, "fitted"),
    ];
    classes(slot, &others)
}
