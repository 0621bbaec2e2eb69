//! Which pictures there are, and where each of them goes.

use room::{Kind, Person, Room, StreamId};
use wire::Time;

use crate::stage::Stage;
use crate::stage::text::{colour, initials, short};
use crate::stage::view::{Layout, Slot, Source, Tile};

/// The pictures and their layout.
pub(super) fn arrange(
    stage: &Stage,
    now: Time,
    room: &Room,
    people: &[Person],
) -> (Layout, Vec<Tile>) {
    let screens: Vec<StreamId> = room.screens().collect();
    let layout = match (screens.len(), people.len()) {
        (1.., _) => Layout::Spotlight,
        (0, 0 | 1) => Layout::Alone,
        (0, 2) => Layout::Pair,
        (0, 3..) => Layout::Grid,
    };
    let mut tiles = Vec::new();
    for (index, stream) in screens.into_iter().enumerate() {
        let name = people
            .iter()
            .find(|person| person.node == stream.publisher)
            .map_or("Somebody", |person| &person.name);
        // One screen is large; when several are shared, the others wait in the strip.
        let slot = if index == 0 { Slot::Full } else { Slot::Strip };
        tiles.push(screen(stream, name, slot, room.is_flowing(stream)));
    }
    for person in people {
        let slot = match (layout, person.is_me) {
            (Layout::Alone, _) | (Layout::Pair, false) => Slot::Full,
            (Layout::Pair, true) => Slot::Inset,
            (Layout::Grid, _) => Slot::Cell,
            (Layout::Spotlight, _) => Slot::Strip,
        };
        tiles.push(face(stage, now, room, person, slot));
    }
    (layout, tiles)
}

/// Words about a participant's state.
pub(super) fn states(person: &Person, is_speaking: bool) -> Vec<&'static str> {
    [
        (person.is_reconnecting, "reconnecting"),
        (!person.microphone, "muted"),
        (!person.camera, "camera off"),
        (is_speaking && person.microphone, "speaking"),
        (!person.is_verified, "not verified"),
    ]
    .into_iter()
    .filter_map(|(applies, word)| applies.then_some(word))
    .collect()
}

fn face(stage: &Stage, now: Time, room: &Room, person: &Person, slot: Slot) -> Tile {
    let stream = StreamId { kind: Kind::Camera, publisher: person.node };
    let is_flowing = person.is_me || room.is_flowing(stream);
    let is_speaking = person.microphone && stage.is_speaking(now, person.node);
    let mut states = states(person, is_speaking);
    if !is_flowing && !person.is_reconnecting {
        states.insert(0, "connecting");
    }
    Tile {
        key: stream.to_string(),
        source: if person.is_me { Source::Own } else { Source::Remote(stream) },
        name: person.name.clone(),
        caption: if person.is_me { "You".to_owned() } else { short(&person.name).to_owned() },
        states,
        slot,
        has_picture: person.camera && is_flowing,
        initials: initials(&person.name),
        colour: colour(&person.name),
        is_speaking,
        is_muted: !person.microphone,
        is_mirrored: person.is_me,
        is_silent: person.is_me,
        is_fitted: false,
    }
}

fn screen(stream: StreamId, name: &str, slot: Slot, is_flowing: bool) -> Tile {
    Tile {
        key: stream.to_string(),
        source: Source::Remote(stream),
        name: format!("Screen of {name}"),
        caption: format!("Screen of {}", short(name)),
        states: if is_flowing { Vec::new() } else { vec!["connecting"] },
        slot,
        has_picture: is_flowing,
        initials: initials(name),
        colour: colour(name),
        is_speaking: false,
        is_muted: false,
        is_mirrored: false,
        is_silent: false,
        is_fitted: true,
    }
}
