//! Everything that a renderer of the emulator needs, decided already.

use std::time::Duration;

use room::What;
use wire::Time;

use super::agree::{Noted, Standing};
use super::api::{Gesture, Lens, PARTICIPANTS_MAX, SeatId, Settings, Tab};
use super::graph::{Dot, Stroke};
use super::seat::{Health, Seat};
use super::story::Story;
use super::{Emulator, words};

/// For how long a link counts as busy after something went over it: long enough to be seen.
pub(super) const BUSY: Duration = Duration::from_millis(400);

/// The emulator page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// How it stands, in one line.
    pub verdict: String,
    /// What kind of line that is.
    pub tone: Tone,
    /// How many participants and links there are, and what they have said.
    pub summary: String,
    /// What can be done to all.
    pub tools: Vec<Tool>,
    /// Whether pressing a participant links it.
    pub is_linking: bool,
    /// What the graph shows.
    pub lens: Lens,
    /// What the graph shows, in words: its accessible name.
    pub lens_name: String,
    /// Whether a wall stands in the middle.
    pub is_split: bool,
    /// The participants in the graph.
    pub participants: Vec<Participant>,
    /// The links in the graph.
    pub strokes: Vec<Stroke>,
    /// Who sees what.
    pub rows: Vec<Row>,
    /// What happened, the last first.
    pub deeds: Vec<Deed>,
    /// The chosen participant.
    pub chosen: Option<Chosen>,
    /// What stands in its place when there is none.
    pub nobody: &'static str,
    /// What it started with.
    pub settings: Settings,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All see the same.
    Settled,
    /// Something is on its way.
    Busy,
    /// There are parts without a link between them.
    Parted,
}

/// Something that can be done to all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Which.
    pub id: ToolId,
    /// Its accessible name.
    pub name: &'static str,
    /// What stands on it.
    pub text: String,
    /// What it does, in a sentence.
    pub hint: &'static str,
    /// Whether it is pressed; `None` when it is no toggle.
    pub is_pressed: Option<bool>,
    /// Whether it can be pressed.
    pub is_enabled: bool,
    /// What pressing it means.
    pub gesture: Gesture,
}

/// Which tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolId {
    /// The chosen participant invites another.
    Add,
    /// Link the chosen participant.
    Link,
    /// Split, or heal.
    Wall,
    /// The story.
    Story,
    /// What the chosen participant knows.
    Map,
}

/// One participant in the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Who.
    pub seat: SeatId,
    /// The name.
    pub name: String,
    /// The accessible name: with what matters about it.
    pub label: String,
    /// Where.
    pub dot: Dot,
    /// What stands in it: its letter, or a sign for what is wrong with it.
    pub sign: String,
    /// How it is.
    pub health: Health,
    /// Which of few colours its letter has.
    pub colour: usize,
    /// Whether it is the chosen one.
    pub is_chosen: bool,
}

/// One participant at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who.
    pub seat: SeatId,
    /// The name.
    pub name: String,
    /// Its letter, or what is wrong with it.
    pub state: String,
    /// Which of few colours its letter has; `None` when it does not run.
    pub colour: Option<usize>,
    /// How many people it lists, of how many it should.
    pub sees: String,
    /// Whether that is as it should be.
    pub is_right: bool,
    /// How many messages it shows.
    pub messages: String,
    /// How many links it has.
    pub links: String,
    /// What it sent.
    pub sent: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Tells it from others.
    pub key: u64,
    /// What.
    pub text: String,
    /// How long it took until all agreed again.
    pub took: String,
}

/// The chosen participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Who.
    pub seat: SeatId,
    /// The name.
    pub name: String,
    /// How it is, and what it is called in the network.
    pub state: String,
    /// What can be done to it.
    pub tools: Vec<(&'static str, Gesture)>,
    /// What is shown of it.
    pub tab: Tab,
    /// Whom it lists.
    pub people: Vec<(String, String)>,
    /// What it reads.
    pub lines: Vec<Line>,
    /// What stands there when it reads nothing.
    pub no_lines: &'static str,
    /// Whether one can write as it.
    pub can_write: bool,
    /// The others, and its links to them.
    pub neighbours: Vec<Neighbour>,
    /// Numbers about it.
    pub facts: Vec<(&'static str, String)>,
}

/// One line that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Tells it from others.
    pub key: String,
    /// Who wrote it; empty for a note.
    pub by: String,
    /// What it says.
    pub text: String,
    /// Whether the chosen one wrote it.
    pub is_own: bool,
}

/// Another participant, and the link to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Who.
    pub seat: SeatId,
    /// The name.
    pub name: String,
    /// How the link stands.
    pub state: &'static str,
    /// What was sent over it.
    pub sent: String,
    /// What came over it.
    pub heard: String,
    /// What can be done: its text, its accessible name, its meaning.
    pub tool: Option<(&'static str, String, Gesture)>,
}

impl Emulator {
    /// What is on the screen.
    #[must_use]
    pub fn view(&self, now: Time) -> View {
        let agreement = self.agreement();
        let is_settled = self.watch.is_settled;
        let dots = self.dots();
        let strokes = self.strokes(now, &dots);
        let tone = if is_settled {
            Tone::Settled
        } else if agreement.parts > 1 && agreement.holds {
            Tone::Parted
        } else {
            Tone::Busy
        };
        let pairs = || self.seats.iter().zip(&agreement.standings);
        let lens_name = match (self.lens, self.chosen) {
            (Lens::Map, Some(seat)) => format!("The network as {} knows it", self.name(seat)),
            (Lens::Map, None) | (Lens::Links, _) => "The network".to_owned(),
        };
        View {
            verdict: words::verdict(&agreement, is_settled, self.is_split),
            tone,
            summary: self.summary(),
            tools: self.tools(),
            is_linking: self.is_linking,
            lens: self.lens,
            lens_name,
            is_split: self.is_split,
            participants: pairs()
                .zip(dots)
                .map(|((seat, at), dot)| self.participant(seat, at, dot))
                .collect(),
            strokes,
            rows: pairs().map(|(seat, standing)| self.row(seat, standing)).collect(),
            deeds: self.watch.deeds.iter().rev().map(|noted| deed(now, noted)).collect(),
            chosen: self.chosen.and_then(|seat| self.seat(seat)).map(|seat| self.chosen(seat)),
            nobody: words::NOBODY,
            settings: self.settings,
        }
    }

    fn summary(&self) -> String {
        let sent = self.seats.iter().map(|seat| seat.traffic().0);
        let sent = sent.fold(super::Traffic::default(), super::Traffic::plus);
        let links = self.links().len();
        format!(
            "{} participants, {links} links, {} messages, {}",
            self.seats.len(),
            sent.messages,
            words::bytes(sent.bytes)
        )
    }

    fn tools(&self) -> Vec<Tool> {
        let chosen = self.chosen.is_some();
        let tool = |id, name, hint, is_pressed, is_enabled, gesture| Tool {
            id,
            name,
            text: name.to_owned(),
            hint,
            is_pressed,
            is_enabled,
            gesture,
        };
        let has_room = self.seats.len() < PARTICIPANTS_MAX;
        let wall = if self.is_split { Gesture::Heal } else { Gesture::Split };
        let mut tools = vec![
            tool(
                ToolId::Add,
                "Add",
                "The chosen participant invites another",
                None,
                has_room,
                Gesture::Add,
            ),
            tool(
                ToolId::Link,
                "Link",
                "Then press another participant: it is connected with the chosen one, or cut off from it",
                Some(self.is_linking),
                chosen,
                Gesture::ToggleLinking,
            ),
            tool(
                ToolId::Wall,
                "Split",
                "No link between the two halves holds, until this is pressed again",
                Some(self.is_split),
                self.seats.len() > 1,
                wall,
            ),
            tool(
                ToolId::Map,
                "Its map",
                "Show the links that the chosen participant knows of",
                Some(self.lens == Lens::Map),
                chosen,
                Gesture::Show(if self.lens == Lens::Map { Lens::Links } else { Lens::Map }),
            ),
            tool(
                ToolId::Story,
                "Story",
                "Cuts, a partition, a frozen participant and two crashes, one after the other",
                Some(self.story.is_some()),
                self.seats.len() > 1,
                Gesture::ToggleStory,
            ),
        ];
        if let (Some(story), Some(tool)) = (&self.story, tools.last_mut()) {
            tool.text = format!("Story {}/{}", story.chapter, Story::count());
        }
        tools
    }

    fn participant(&self, seat: &Seat, standing: &Standing, dot: Dot) -> Participant {
        let (sign, what) = match (seat.health(), standing.letter) {
            (Health::Frozen, _) => ("‖".to_owned(), "frozen".to_owned()),
            (Health::Crashed, _) => ("×".to_owned(), "crashed".to_owned()),
            (Health::Running, letter) => {
                let letter = letter.map(String::from).unwrap_or_default();
                (letter.clone(), format!("state {letter}, sees {}", standing.sees))
            }
        };
        Participant {
            seat: seat.id,
            name: seat.name.clone(),
            label: format!("{}, {what}", seat.name),
            dot,
            sign,
            health: seat.health(),
            colour: colour(standing),
            is_chosen: self.chosen == Some(seat.id),
        }
    }

    fn row(&self, seat: &Seat, standing: &Standing) -> Row {
        let (state, sees) = match seat.health() {
            Health::Running => {
                let letter = standing.letter.map(String::from).unwrap_or_default();
                (letter, format!("{} of {}", standing.sees, standing.there))
            }
            Health::Frozen => ("frozen".to_owned(), String::new()),
            Health::Crashed => ("crashed".to_owned(), String::new()),
        };
        let said = seat.room.lines().filter(|line| matches!(line.what, What::Said { .. })).count();
        let open = self.seats.iter().filter(|peer| seat.has_open_link_to(peer.id)).count();
        Row {
            seat: seat.id,
            name: seat.name.clone(),
            state,
            colour: seat.is_running().then(|| colour(standing)),
            sees,
            is_right: standing.is_right || !seat.is_running(),
            messages: said.to_string(),
            links: open.to_string(),
            sent: words::bytes(seat.traffic().0.bytes),
        }
    }

    fn chosen(&self, seat: &Seat) -> Chosen {
        let (state, tools) = match seat.health() {
            Health::Running => (
                "runs",
                vec![
                    ("Freeze", Gesture::Freeze(seat.id)),
                    ("Crash", Gesture::Crash(seat.id)),
                    ("Leave", Gesture::Leave(seat.id)),
                ],
            ),
            Health::Frozen => (
                "frozen",
                vec![("Thaw", Gesture::Thaw(seat.id)), ("Crash", Gesture::Crash(seat.id))],
            ),
            Health::Crashed => (
                "crashed",
                vec![("Bring back", Gesture::Return(seat.id)), ("Remove", Gesture::Leave(seat.id))],
            ),
        };
        let people = seat.room.people().into_iter().map(|person| {
            let state = if person.is_me {
                "itself"
            } else if person.is_typing {
                "types"
            } else {
                ""
            };
            (person.name, state.to_owned())
        });
        Chosen {
            seat: seat.id,
            name: seat.name.clone(),
            state: format!("{state}, node {}", seat.node()),
            tools,
            tab: self.tab,
            people: people.collect(),
            lines: seat.room.lines().map(line).collect(),
            no_lines: words::NO_LINES,
            can_write: seat.is_running(),
            neighbours: self
                .seats
                .iter()
                .filter(|peer| peer.id != seat.id)
                .map(|peer| self.neighbour(seat, peer))
                .collect(),
            facts: facts(seat),
        }
    }

    fn neighbour(&self, seat: &Seat, peer: &Seat) -> Neighbour {
        let none = super::Traffic::default();
        let (sent, heard) =
            seat.wires_to(peer.id).fold((none, none), |(sent, heard), (_, wire)| {
                (sent.plus(wire.sent), heard.plus(wire.heard))
            });
        let is_linked = self.are_linked(seat.id, peer.id);
        let is_open = seat.has_open_link_to(peer.id);
        let trusts = seat.room.node().trusted().contains(&peer.node());
        let state = match (is_open, trusts, is_linked) {
            (true, true, _) => "open",
            (true, false, _) => "silent",
            (false, _, true) => "opening",
            (false, _, false) => "–",
        };
        let both_run = seat.is_running() && peer.is_running();
        let (one, other) = (seat.id, peer.id);
        let tool = if is_linked {
            Some(("Cut", format!("Cut {} – {}", seat.name, peer.name), Gesture::Cut(one, other)))
        } else if both_run && !self.are_apart(one, other) {
            let name = format!("Connect {} – {}", seat.name, peer.name);
            Some(("Connect", name, Gesture::Connect(one, other)))
        } else {
            None
        };
        let count = |traffic: super::Traffic| match traffic.messages {
            0 => String::new(),
            messages => format!("{messages} / {}", words::bytes(traffic.bytes)),
        };
        Neighbour {
            seat: peer.id,
            name: peer.name.clone(),
            state,
            sent: count(sent),
            heard: count(heard),
            tool,
        }
    }
}

fn facts(seat: &Seat) -> Vec<(&'static str, String)> {
    let node = seat.room.node();
    let weight = node.weight();
    let (sent, heard) = seat.traffic();
    let count = |traffic: super::Traffic| {
        format!("{} messages, {}", traffic.messages, words::bytes(traffic.bytes))
    };
    vec![
        ("Digest", format!("{:08x}", node.digest())),
        ("Holds", format!("{} entries of {} authors", weight.entries, weight.authors)),
        ("Size", words::bytes(weight.bytes as u64)),
        ("Knows", format!("{} nodes, {} links", node.nodes().count(), node.links().count())),
        ("Sent", count(sent)),
        ("Received", count(heard)),
    ]
}

fn line(line: room::Line) -> Line {
    let key = format!("{} {}", line.id.at.0, line.id.node);
    match line.what {
        What::Said { name, text, is_own } => Line { key, by: name, text, is_own },
        What::Joined { name } => {
            Line { key, by: String::new(), text: words::joined(&name), is_own: false }
        }
        What::Left { name, how } => {
            Line { key, by: String::new(), text: words::went(&name, how), is_own: false }
        }
    }
}

fn deed(now: Time, noted: &Noted) -> Deed {
    let took = match noted.took {
        Some(took) => format!("agreed in {}", words::span(took)),
        None => format!("{} …", words::span(now - noted.at)),
    };
    Deed { key: noted.number, text: noted.text.clone(), took }
}

/// Four colours: the letters A, B and C, and all others.
fn colour(standing: &Standing) -> usize {
    match standing.letter {
        Some('A') => 0,
        Some('B') => 1,
        Some('C') => 2,
        Some(_) | None => 3,
    }
}
