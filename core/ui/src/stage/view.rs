//! Everything that a renderer of the conference page needs, decided already.

use room::{Person, Room, What};
use wire::{Time, Timestamp};

use crate::stage::text::{Part, colour, initials, parts, short};
use crate::stage::{Along, Screen, Sense, Side, Stage, tiles, words};

/// The element that takes the message.
pub(super) const MESSAGE: &str = "message";

/// The element that holds more controls.
pub(super) const MORE: &str = "more";

/// The conference page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// What the call is about, or with whom it is.
    pub title: String,
    /// How many people there are.
    pub people_count: String,
    /// How long it lasts, such as `3:07`; empty while nobody else came.
    pub clock: String,
    /// How the pictures are laid out.
    pub layout: Layout,
    /// The pictures, in an order that never changes while they are there.
    pub tiles: Vec<Tile>,
    /// A word below our own picture while we are alone; empty otherwise.
    pub alone: &'static str,
    /// The call controls.
    pub tools: Vec<Tool>,
    /// What needs attention.
    pub notices: Vec<Notice>,
    /// What is open beside the pictures.
    pub side: Option<Side>,
    /// The conversation.
    pub lines: Vec<Line>,
    /// What stands there when nobody has written anything.
    pub no_lines: &'static str,
    /// What is written and not sent yet, for a field that is drawn anew.
    pub draft: String,
    /// Who is typing; empty when nobody is.
    pub typing: String,
    /// The participants.
    pub seats: Vec<Seat>,
    /// The controls behind `More`; `None` when they are closed.
    pub more: Option<More>,
    /// What is read aloud to who cannot see it. It is said when it changes.
    pub announcement: String,
    /// What stands instead of everything once we left.
    pub farewell: Option<&'static str>,
}

/// How the pictures are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Our own picture, large.
    Alone,
    /// The other fills the stage, we are in a corner.
    Pair,
    /// All the same size.
    Grid,
    /// A shared screen is large, the people are in a strip.
    Spotlight,
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Stays with the picture for as long as it is there.
    pub key: String,
    /// What it shows.
    pub source: Source,
    /// The accessible name: the participant's name, or whose screen it is.
    pub name: String,
    /// The name as it is written on the picture.
    pub caption: String,
    /// Words about its state: muted, camera off, speaking, reconnecting, connecting, not verified.
    pub states: Vec<&'static str>,
    /// Where it is.
    pub slot: Slot,
    /// Whether the picture shows; otherwise the initials do.
    pub has_picture: bool,
    /// One or two letters.
    pub initials: String,
    /// One of eight colours behind the initials.
    pub colour: u8,
    /// Whether the person is speaking.
    pub is_speaking: bool,
    /// Whether the person is muted.
    pub is_muted: bool,
    /// Whether it is shown as in a mirror, as people know their own face.
    pub is_mirrored: bool,
    /// Whether its sound must not be played here: it is our own.
    pub is_silent: bool,
    /// Whether all of it must be seen, rather than the space filled.
    pub is_fitted: bool,
}

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Our own camera.
    Own,
    /// A stream of somebody else.
    Remote(room::StreamId),
}

/// Where a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// All of the stage.
    Full,
    /// In a corner above the others.
    Inset,
    /// One of many.
    Cell,
    /// In the strip beside what is large.
    Strip,
}

/// One of the call controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Which one.
    pub id: ToolId,
    /// Its name, which never changes.
    pub name: &'static str,
    /// What it does now, as a tooltip, with its key.
    pub hint: String,
    /// Whether it is on; `None` when it is not a switch.
    pub is_pressed: Option<bool>,
    /// A number at its corner; empty when there is none.
    pub badge: String,
    /// Whether it needs attention: its device is in trouble.
    pub is_troubled: bool,
    /// Whether Tab stops here; the arrows go on from here.
    pub is_stop: bool,
}

/// The call controls, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToolId {
    /// Opens or mutes the microphone.
    Microphone,
    /// Switches the camera on or off.
    Camera,
    /// Shares a screen, or no longer.
    Screen,
    /// Opens or closes the conversation.
    Chat,
    /// Opens or closes the list of people.
    People,
    /// Opens or closes more controls.
    More,
    /// Leaves the call.
    Leave,
}

impl ToolId {
    /// All, in their order.
    pub const ALL: [Self; 7] = [
        Self::Microphone,
        Self::Camera,
        Self::Screen,
        Self::Chat,
        Self::People,
        Self::More,
        Self::Leave,
    ];

    /// The id of its element.
    #[must_use]
    pub fn element(self) -> &'static str {
        match self {
            Self::Microphone => "tool-microphone",
            Self::Camera => "tool-camera",
            Self::Screen => "tool-screen",
            Self::Chat => "tool-chat",
            Self::People => "tool-people",
            Self::More => "tool-more",
            Self::Leave => "tool-leave",
        }
    }

    pub(super) fn step(self, along: Along) -> Self {
        let all = Self::ALL;
        let at = all.iter().position(|tool| *tool == self).expect("every control is listed");
        let to = match along {
            Along::Back => at + all.len() - 1,
            Along::On => at + 1,
            Along::First => 0,
            Along::Last => all.len() - 1,
        };
        all[to % all.len()]
    }
}

/// Something that needs attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Stays with it for as long as it is there.
    pub key: &'static str,
    /// Cause, effect, remedy.
    pub text: String,
    /// The button that may mend it, and what it does.
    pub remedy: Option<(&'static str, crate::stage::Gesture)>,
    /// Whether it can be put away.
    pub can_dismiss: bool,
}

/// A line of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Stays with the line.
    pub key: room::LineId,
    /// Whose it is, unless the line before is of the same person; empty for notes.
    pub name: String,
    /// When it was written.
    pub at: Timestamp,
    /// What it says, links found.
    pub parts: Vec<Part>,
    /// Whether we wrote it.
    pub is_own: bool,
    /// Whether it tells who came or went.
    pub is_note: bool,
}

/// A participant in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Stays with the participant.
    pub key: wire::NodeId,
    /// The name, with `(you)` behind ours.
    pub name: String,
    /// Words about its state, in one line; empty when there is nothing to say.
    pub state: String,
    /// One or two letters.
    pub initials: String,
    /// One of eight colours behind the initials.
    pub colour: u8,
    /// The button that removes the person: what it says, and all of it for those who do not see beside whom it is.
    pub remove: Option<(&'static str, String)>,
}

/// The controls behind `More`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct More {
    /// The device lists, those that have anything to choose from.
    pub picks: Vec<Pick>,
    /// Whether sounds are on.
    pub has_sounds: bool,
    /// Whether shortcuts of a single key are on.
    pub has_single_keys: bool,
    /// The shortcuts: key and meaning.
    pub keys: &'static [(&'static str, &'static str)],
}

/// A list of devices to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Which device it is for.
    pub sense: Sense,
    /// Its name.
    pub name: &'static str,
    /// The devices.
    pub choices: Vec<Choice>,
}

/// A device to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The browser's name for it.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// Whether it is in use.
    pub is_picked: bool,
}

pub(super) fn view(stage: &Stage, now: Time, room: &Room) -> View {
    let people = room.people();
    let others = people.iter().filter(|person| !person.is_me).count();
    let (layout, tiles) = tiles::arrange(stage, now, room, &people);
    let typists: Vec<String> =
        people.iter().filter(|person| person.is_typing).map(|person| person.name.clone()).collect();
    View {
        title: stage.topic.clone().unwrap_or_else(|| title(&people)),
        people_count: words::people(people.len()),
        clock: if others > 0 { clock(now, stage.since) } else { String::new() },
        layout,
        tiles,
        alone: if others == 0 { stage.alone } else { "" },
        tools: ToolId::ALL.into_iter().map(|id| tool(stage, id)).collect(),
        notices: notices(stage),
        side: stage.side,
        lines: lines(room),
        no_lines: words::NO_LINES,
        draft: stage.draft.clone(),
        typing: words::typing(&typists),
        seats: people
            .iter()
            .map(|person| {
                let may = room.node().is_founder() && !person.is_me;
                let is_meant = stage.removing == Some(person.node);
                seat(person, stage.is_speaking(now, person.node), may.then_some(is_meant))
            })
            .collect(),
        more: stage.is_more_open.then(|| more(stage)),
        announcement: stage.announcement.clone(),
        farewell: stage.has_left.then_some(match stage.turned_away {
            Some(room::Reason::PutOut) => words::REMOVED,
            Some(room::Reason::Stranger | room::Reason::Full) | None => words::LEFT,
        }),
    }
}

impl Stage {
    pub(super) fn is_speaking(&self, now: Time, node: wire::NodeId) -> bool {
        self.speaking.get(&node).is_some_and(|until| *until > now)
    }
}

fn title(people: &[Person]) -> String {
    let names: Vec<&str> =
        people.iter().filter(|person| !person.is_me).map(|person| short(&person.name)).collect();
    match names.as_slice() {
        [] => "Call".to_owned(),
        [one] => (*one).to_owned(),
        [firsts @ .., last] => format!("{} and {last}", firsts.join(", ")),
    }
}

/// Minutes and seconds, and hours when there are any.
fn clock(now: Time, since: Time) -> String {
    let seconds = (now - since).as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

fn tool(stage: &Stage, id: ToolId) -> Tool {
    let is_sharing = stage.screen == Screen::Open;
    let (name, hint, is_pressed) = match id {
        ToolId::Microphone => {
            let is_on = stage.is_microphone_on();
            let hint = if is_on {
                "You are heard. Mute (M)"
            } else {
                "You are muted. Speak (M, or hold Space)"
            };
            ("Microphone", hint, Some(is_on))
        }
        ToolId::Camera => {
            let is_on = stage.camera.is_on();
            let hint =
                if is_on { "You are seen. Camera off (V)" } else { "Camera is off. Camera on (V)" };
            ("Camera", hint, Some(is_on))
        }
        ToolId::Screen => {
            let hint =
                if is_sharing { "Stop sharing (S)" } else { "Show your screen to the others (S)" };
            ("Share screen", hint, Some(is_sharing))
        }
        ToolId::Chat => ("Chat", "Messages (C)", Some(stage.side == Some(Side::Chat))),
        ToolId::People => ("People", "Who is here (P)", Some(stage.side == Some(Side::People))),
        ToolId::More => ("More", "Devices, full screen, shortcuts (?)", Some(stage.is_more_open)),
        ToolId::Leave => ("Leave", "Leave the call (Ctrl+Shift+L)", None),
    };
    let badge = match (id, stage.unread) {
        (ToolId::Chat, 1..=9) => stage.unread.to_string(),
        (ToolId::Chat, 10..) => "9+".to_owned(),
        (_, _) => String::new(),
    };
    let hint = match (id, stage.unread) {
        (ToolId::Chat, 1) => "1 new message (C)".to_owned(),
        (ToolId::Chat, 2..) => format!("{} new messages (C)", stage.unread),
        (_, _) => hint.to_owned(),
    };
    let is_troubled = match id {
        ToolId::Microphone => stage.microphone.trouble().is_some(),
        ToolId::Camera => stage.camera.trouble().is_some(),
        ToolId::Screen | ToolId::Chat | ToolId::People | ToolId::More | ToolId::Leave => false,
    };
    Tool { id, name, hint, is_pressed, badge, is_troubled, is_stop: stage.tool == id }
}

fn notices(stage: &Stage) -> Vec<Notice> {
    use crate::stage::Gesture;
    let mut notices = Vec::new();
    let (camera, microphone) = (stage.camera.trouble(), stage.microphone.trouble());
    if let Some(text) = words::trouble(camera, microphone) {
        let remedy = Some(("Try again", Gesture::TryAgain));
        notices.push(Notice { key: "device", text, remedy, can_dismiss: true });
    }
    if let Some(reason) = stage.turned_away {
        let text = words::turned_away(reason).to_owned();
        notices.push(Notice { key: "turned-away", text, remedy: None, can_dismiss: false });
    }
    if stage.is_hushed {
        let text = words::HUSHED.to_owned();
        let remedy = Some(("Turn on sound", Gesture::TurnOnSound));
        notices.push(Notice { key: "hushed", text, remedy, can_dismiss: false });
    }
    if stage.is_silent && stage.microphone.is_on() {
        let text = words::SILENT.to_owned();
        notices.push(Notice { key: "silent", text, remedy: None, can_dismiss: true });
    }
    if stage.screen_note {
        let text = words::CANNOT_SHARE.to_owned();
        notices.push(Notice { key: "screen", text, remedy: None, can_dismiss: true });
    }
    if stage.screen == Screen::Open {
        let text = words::SHARING.to_owned();
        let remedy = Some(("Stop sharing", Gesture::ToggleScreen));
        notices.push(Notice { key: "sharing", text, remedy, can_dismiss: false });
    }
    notices
}

fn lines(room: &Room) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut writer = None;
    for line in room.lines() {
        let (key, at) = (line.id, line.id.at);
        let note = |text: String| Line {
            key,
            name: String::new(),
            at,
            parts: vec![Part::Text(text)],
            is_own: false,
            is_note: true,
        };
        let (line, by) = match line.what {
            What::Said { name, text, is_own } => {
                let name = if is_own { "You".to_owned() } else { name };
                let name = if writer == Some(key.node) { String::new() } else { name };
                let parts = parts(&text);
                (Line { key, name, at, parts, is_own, is_note: false }, Some(key.node))
            }
            What::Joined { name } => (note(words::joined(&name)), None),
            What::Left { name, how } => (note(words::left(&name, how)), None),
        };
        writer = by;
        lines.push(line);
    }
    lines
}

fn seat(person: &Person, is_speaking: bool, is_removing: Option<bool>) -> Seat {
    let name = if person.is_me { format!("{} (you)", person.name) } else { person.name.clone() };
    let mut states = tiles::states(person, is_speaking);
    if person.is_typing {
        states.push("typing");
    }
    if is_removing == Some(true) {
        states.push(words::REMOVING);
    }
    Seat {
        key: person.node,
        name,
        state: states.join(", "),
        initials: initials(&person.name),
        colour: colour(&person.name),
        remove: is_removing.map(|is_meant| words::remove(&person.name, is_meant)),
    }
}

fn more(stage: &Stage) -> More {
    let pick = |sense, name, choices: &Vec<Choice>| {
        (!choices.is_empty()).then(|| Pick { sense, name, choices: choices.clone() })
    };
    let picks = [
        pick(Sense::Camera, "Camera to use", &stage.cameras),
        pick(Sense::Microphone, "Microphone to use", &stage.microphones),
    ];
    More {
        picks: picks.into_iter().flatten().collect(),
        has_sounds: stage.has_sounds,
        has_single_keys: stage.has_single_keys,
        keys: crate::stage::keys::EXPLAINED,
    }
}
