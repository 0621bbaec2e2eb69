//! One picture with its name and state.

use leptos::html::Video;
use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;
use ui::stage::{Slot, Source, Tile, View};

use super::super::with;
use super::icon::{self, Icon};

/// Draws the picture. The element stays as long as the key does; everything about it changes in place.
pub(super) fn draw(view: RwSignal<View>, first: Tile) -> AnyView {
    let (source, is_silent, key) = (first.source, first.is_silent, first.key.clone());
    let tile = Memo::new(move |last: Option<&Tile>| {
        let now = view.with(|view| view.tiles.iter().find(|tile| tile.key == key).cloned());
        // Between leaving the view and leaving the page it looks as it did.
        now.or_else(|| last.cloned()).unwrap_or_else(|| first.clone())
    });
    let class = Memo::new(move |_| tile.with(class));
    let element = NodeRef::<Video>::new();
    element.on_load(move |element| {
        // In a turn of its own: the shell may be drawing just now.
        platform::spawn(async move {
            with(|shell| shell.videos.add(source, element, is_silent));
        });
    });
    on_cleanup(move || {
        platform::spawn(async move { with(|shell| shell.videos.remove(source)) });
    });
    view! {
        <div class=move || class.get() role="group" aria-label=move || tile.with(|tile| tile.name.clone())>
            <video node_ref=element autoplay playsinline prop:muted=is_silent></video>
            <div class="face" aria-hidden="true">
                <span class=move || tile.with(|tile| format!("disc colour-{}", tile.colour))>
                    {move || tile.with(|tile| tile.initials.clone())}
                </span>
            </div>
            {plate(tile)}
        </div>
    }
    .into_any()
}

/// The name and the words about the state.
fn plate(tile: Memo<Tile>) -> impl IntoView {
    let is_muted = Memo::new(move |_| tile.with(|tile| tile.is_muted));
    let states = Memo::new(move |_| tile.with(|tile| tile.states.join(", ")));
    let glyph = move || is_muted.get().then(|| icon::draw(Icon::MicrophoneOff));
    view! {
        <p class="plate">
            <span class="glyph" class:off=move || is_muted.get() aria-hidden="true">{glyph}</span>
            <bdi class="caption">{move || tile.with(|tile| tile.caption.clone())}</bdi>
            <span class="states">{move || states.get()}</span>
        </p>
    }
}

fn class(tile: &Tile) -> String {
    let slot = match tile.slot {
        Slot::Full => "full",
        Slot::Inset => "inset",
        Slot::Cell => "cell",
        Slot::Strip => "strip",
    };
    let mut class = format!("tile {slot}");
    for (applies, word) in [
        (tile.source == Source::Own, "own"),
        (tile.has_picture, "seen"),
        (tile.is_speaking, "speaking"),
        (tile.is_mirrored, "mirrored"),
        (tile.is_fitted, "fitted"),
    ] {
        if applies {
            class.push(' ');
            class.push_str(word);
        }
    }
    class
}
