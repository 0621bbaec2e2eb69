//! The conference page: pictures, call controls, conversation, people.
//!
//! [`Stage`] knows what the person has opened and chosen on this screen; the [`Room`] knows the conference. Both
//! together are a [`View`].
//!
//! ```text
//!   gesture ───▶ ┌───────┐ ──▶ Effect: open a camera, say something, move the focus
//!   devices ───▶ │ Stage │
//!   room::Event▶ └───┬───┘
//!                    ▼ view(&Room)
//!      header   title, who, how long, notices
//!      stage    tiles in slots         ┐
//!      footer   Call controls, More    ├ View
//!      side     Messages, Participants ┘
//! ```
//!
//! **Invariant:** the call goes on without any device; what is missing is said with cause, effect and remedy.

mod device;
pub mod keys;
mod start;
pub mod text;
mod tiles;
mod view;
mod words;

use std::collections::VecDeque;
use std::time::Duration;

use room::Room;
use wire::{Map, NodeId, Time};

pub use device::{Device, Trouble};
pub use start::{Parameters, Start};
pub use view::{
    Choice, Layout, Line, More, Notice, Pick, Seat, Slot, Source, Tile, Tool, ToolId, View,
};

/// How loud somebody must be to count as speaking, in decibels below full scale. After Element Call.
const SPEAKING_LEVEL: f32 = -50.0;

/// How long somebody counts as speaking after the last loud moment. Guess: a pause between words.
const SPEAKING_LASTS: Duration = Duration::from_millis(700);

/// The most people whose loudness is watched. As many as a room shows.
const SPEAKERS_MAX: usize = 64;

/// Which of the two devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// The microphone.
    Microphone,
    /// The camera.
    Camera,
}

/// What the person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// Presses `Microphone`.
    ToggleMicrophone,
    /// Presses `Camera`.
    ToggleCamera,
    /// Presses `Share screen`, or `Stop sharing`.
    ToggleScreen,
    /// Presses `Chat`.
    ToggleChat,
    /// Presses `People`.
    TogglePeople,
    /// Presses `Remove` beside somebody, or `Yes, remove`.
    Remove(NodeId),
    /// Presses `More`.
    ToggleMore,
    /// Presses `Leave`.
    Leave,
    /// Holds or releases the key that opens a muted microphone.
    HoldToSpeak(bool),
    /// Changes the message that is being written.
    Typed(String),
    /// Sends the message.
    Send(String),
    /// Chooses a device by its id.
    Pick(Sense, String),
    /// Presses `Try again` below a device's trouble.
    TryAgain,
    /// Presses `Turn on sound`, which any press does.
    TurnOnSound,
    /// Presses `Dismiss`.
    Dismiss,
    /// Presses `Full screen`.
    FullScreen,
    /// Switches shortcuts of a single key on or off.
    ToggleSingleKeys,
    /// Switches sounds on or off.
    ToggleSounds,
    /// Presses Escape: closes what is open.
    Escape,
    /// Goes to the call controls.
    FocusTools,
    /// Goes along the call controls: backwards, forwards, first, last.
    Along(Along),
    /// Gives the focus to one of the call controls.
    FocusedTool(ToolId),
}

/// A step along the call controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// To the one before, around the end.
    Back,
    /// To the one after, around the end.
    On,
    /// To the first.
    First,
    /// To the last.
    Last,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A device is open.
    Opened(Sense),
    /// A device could not be opened, or is gone.
    Refused(Sense, Trouble),
    /// The open microphone sends nothing, by the system's will; or again something.
    Silent(bool),
    /// The devices that can be chosen, and which are in use.
    Devices {
        /// Cameras.
        cameras: Vec<Choice>,
        /// Microphones.
        microphones: Vec<Choice>,
    },
    /// A screen is captured.
    ScreenOpened,
    /// No screen was picked, or sharing was stopped in the browser.
    ScreenClosed,
    /// This browser cannot share a screen.
    ScreenUnsupported,
    /// How loud somebody is, in decibels below full scale.
    Level(NodeId, f32),
    /// The browser holds sound back until the person touches the page; or no longer.
    Hushed(bool),
    /// The window lost the keyboard.
    Blurred,
    /// Something in the conference.
    Room(room::Event),
}

/// What the page has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open devices: which, and whether a certain one. Each is answered by `Opened` or `Refused`.
    Open {
        /// The microphone too.
        microphone: bool,
        /// The camera too.
        camera: bool,
    },
    /// Release the camera.
    CloseCamera,
    /// Let the microphone through or not, and tell the room.
    SetMicrophone(bool),
    /// Tell the room that the camera is on or off.
    SetCamera(bool),
    /// Let the person pick a screen.
    OpenScreen,
    /// Release the screen and tell the room.
    CloseScreen,
    /// Tell the room that a screen is captured.
    StartScreen,
    /// Write a message.
    Say(String),
    /// Tell the room about typing.
    Typing(bool),
    /// Tell the room to put somebody out.
    PutOut(NodeId),
    /// Leave the room and say so to the wrapper.
    Leave,
    /// Leave the room, which we were removed from, and say that to the wrapper.
    GiveUp,
    /// Fill the screen, or no longer.
    FullScreen,
    /// Give the focus to the element with this id, once it is drawn.
    Focus(&'static str),
    /// Play a sound.
    Sound(Sound),
}

/// A short sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Somebody came.
    Joined,
    /// Somebody went.
    Left,
    /// Somebody wrote.
    Message,
}

/// What is open beside the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The conversation.
    Chat,
    /// The people.
    People,
}

/// What the person has opened and chosen on the conference page.
#[derive(Debug)]
pub struct Stage {
    topic: Option<String>,
    /// Since when anybody else is here.
    since: Time,
    side: Option<Side>,
    is_more_open: bool,
    /// Whom to remove, if that is meant.
    removing: Option<NodeId>,
    turned_away: Option<room::Reason>,
    microphone: Device,
    camera: Device,
    is_silent: bool,
    is_hushed: bool,
    is_held: bool,
    cameras: Vec<Choice>,
    microphones: Vec<Choice>,
    screen: Screen,
    screen_note: bool,
    unread: usize,
    /// What is written and not sent: it outlasts the field.
    draft: String,
    speaking: Map<NodeId, Time>,
    has_single_keys: bool,
    has_sounds: bool,
    tool: ToolId,
    announcement: String,
    /// Why nobody else is here, whenever that is so.
    alone: &'static str,
    has_met: bool,
    has_left: bool,
    effects: VecDeque<Effect>,
}

/// Whether we share a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Screen {
    Closed,
    Asking,
    Open,
}

impl Stage {
    /// The page as it opens: it asks for both devices at once. `is_back` when others were here before it was loaded again.
    #[must_use]
    pub fn new(now: Time, topic: Option<String>, is_back: bool) -> Self {
        Self {
            topic,
            since: now,
            side: None,
            is_more_open: false,
            removing: None,
            turned_away: None,
            microphone: Device::asking(),
            camera: Device::asking(),
            is_silent: false,
            is_hushed: false,
            is_held: false,
            cameras: Vec::new(),
            microphones: Vec::new(),
            screen: Screen::Closed,
            screen_note: false,
            unread: 0,
            draft: String::new(),
            speaking: Map::new(),
            has_single_keys: true,
            has_sounds: true,
            tool: ToolId::Microphone,
            announcement: String::new(),
            alone: if is_back { words::LOOKING } else { words::ALONE },
            has_met: false,
            has_left: false,
            effects: VecDeque::from([Effect::Open { microphone: true, camera: true }]),
        }
    }

    /// What to do next, until `None`.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Whether shortcuts of a single key are on.
    #[must_use]
    pub fn has_single_keys(&self) -> bool {
        self.has_single_keys
    }

    /// The device the person chose; `None` leaves it to the browser.
    #[must_use]
    pub fn picked(&self, sense: Sense) -> Option<&str> {
        self.device(sense).picked.as_deref()
    }

    /// Whether the microphone shall be heard and is there.
    #[must_use]
    pub fn is_microphone_on(&self) -> bool {
        self.microphone.is_on() || self.is_held && self.microphone.is_open()
    }

    /// Takes in what the person does.
    pub fn on_gesture(&mut self, gesture: Gesture) {
        if self.has_left {
            return; // The page is about to close.
        }
        match gesture {
            Gesture::ToggleMicrophone => self.toggle_microphone(),
            Gesture::ToggleCamera => self.toggle_camera(),
            Gesture::ToggleScreen => self.toggle_screen(),
            Gesture::ToggleChat => self.toggle_side(Side::Chat),
            Gesture::TogglePeople => self.toggle_side(Side::People),
            Gesture::Remove(node) => self.remove(node),
            Gesture::ToggleMore => self.toggle_more(),
            Gesture::Leave => {
                self.has_left = true;
                self.effects.push_back(Effect::Leave);
            }
            Gesture::HoldToSpeak(is_held) => self.hold_to_speak(is_held),
            Gesture::Typed(text) => {
                self.effects.push_back(Effect::Typing(!text.is_empty()));
                self.draft = text;
            }
            Gesture::Send(text) => {
                self.draft.clear();
                if !text.trim().is_empty() {
                    self.effects.push_back(Effect::Say(text));
                }
            }
            Gesture::Pick(sense, id) => self.pick(sense, id),
            Gesture::TryAgain => self.try_again(),
            // The press itself is what the browser waits for.
            Gesture::TurnOnSound => {}
            Gesture::Dismiss => self.dismiss(),
            Gesture::FullScreen => self.effects.push_back(Effect::FullScreen),
            Gesture::ToggleSingleKeys => self.has_single_keys = !self.has_single_keys,
            Gesture::ToggleSounds => self.has_sounds = !self.has_sounds,
            Gesture::Escape => self.escape(),
            Gesture::FocusTools => self.effects.push_back(Effect::Focus(self.tool.element())),
            Gesture::Along(along) => {
                self.tool = self.tool.step(along);
                self.effects.push_back(Effect::Focus(self.tool.element()));
            }
            Gesture::FocusedTool(tool) => self.tool = tool,
        }
    }

    /// Takes in what happens.
    pub fn on_event(&mut self, now: Time, event: Event) {
        match event {
            Event::Opened(sense) => self.on_opened(sense),
            Event::Refused(sense, trouble) => {
                self.device_mut(sense).refuse(trouble);
                self.tell_room(sense);
            }
            Event::Silent(is_silent) => self.is_silent = is_silent,
            Event::Devices { cameras, microphones } => {
                self.cameras = cameras;
                self.microphones = microphones;
            }
            Event::ScreenOpened => {
                self.screen = Screen::Open;
                self.effects.push_back(Effect::StartScreen);
                self.announce(words::SHARING);
            }
            Event::ScreenClosed => self.close_screen(),
            Event::ScreenUnsupported => {
                self.screen = Screen::Closed;
                self.screen_note = true;
            }
            Event::Level(node, level) => {
                let has_room =
                    self.speaking.len() < SPEAKERS_MAX || self.speaking.contains_key(&node);
                if level > SPEAKING_LEVEL && has_room {
                    self.speaking.insert(node, now + SPEAKING_LASTS);
                }
            }
            Event::Hushed(is_hushed) => self.is_hushed = is_hushed,
            Event::Blurred => self.hold_to_speak(false),
            Event::Room(event) => self.on_room(now, event),
        }
        self.speaking.retain(|_, until| *until > now);
    }

    /// What the screen looks like.
    #[must_use]
    pub fn view(&self, now: Time, room: &Room) -> View {
        view::view(self, now, room)
    }

    fn on_room(&mut self, now: Time, event: room::Event) {
        match event {
            room::Event::Joined { name, .. } => {
                if !std::mem::replace(&mut self.has_met, true) {
                    self.since = now;
                }
                self.turned_away = None;
                self.announce(&words::joined(&name));
                self.sound(Sound::Joined);
            }
            room::Event::Left { name, how, .. } => {
                self.alone = words::alone(how);
                self.announce(&words::left(&name, how));
                self.sound(Sound::Left);
            }
            room::Event::Said { name } => {
                if self.side != Some(Side::Chat) {
                    self.unread += 1;
                    self.announce(&words::wrote(&name));
                }
                self.sound(Sound::Message);
            }
            // It is the page that keeps the seat.
            room::Event::Admitted => {}
            room::Event::TurnedAway(reason) => {
                self.turned_away = Some(reason);
                if reason == room::Reason::PutOut && self.has_met && !self.has_left {
                    self.has_left = true;
                    self.effects.push_back(Effect::GiveUp);
                }
                self.announce(words::turned_away(reason));
            }
            room::Event::ScreenStarted { name, .. } => self.announce(&words::shares(&name)),
            room::Event::ScreenStopped { name, .. } => self.announce(&words::shares_no_more(&name)),
        }
    }

    fn toggle_microphone(&mut self) {
        self.is_held = false;
        if self.microphone.toggle() {
            self.effects.push_back(Effect::Open { microphone: true, camera: false });
        }
        self.tell_room(Sense::Microphone);
    }

    fn toggle_camera(&mut self) {
        if self.camera.is_open() && self.camera.is_wanted {
            self.camera = Device::closed(self.camera.picked.take());
            self.effects.push_back(Effect::CloseCamera);
        } else if self.camera.toggle() {
            self.effects.push_back(Effect::Open { microphone: false, camera: true });
        }
        self.tell_room(Sense::Camera);
    }

    fn toggle_screen(&mut self) {
        match self.screen {
            Screen::Closed => {
                self.screen = Screen::Asking;
                self.screen_note = false;
                self.effects.push_back(Effect::OpenScreen);
            }
            // The browser's picker is open; it will tell.
            Screen::Asking => {}
            Screen::Open => self.close_screen(),
        }
    }

    fn close_screen(&mut self) {
        if self.screen == Screen::Open {
            self.effects.push_back(Effect::CloseScreen);
            self.announce(words::NOT_SHARING);
        }
        self.screen = Screen::Closed;
    }

    fn toggle_side(&mut self, side: Side) {
        self.side = (self.side != Some(side)).then_some(side);
        self.is_more_open = false;
        self.removing = None;
        if self.side == Some(Side::Chat) {
            self.unread = 0;
            self.effects.push_back(Effect::Focus(view::MESSAGE));
        }
    }

    fn toggle_more(&mut self) {
        self.is_more_open = !self.is_more_open;
        let focus = if self.is_more_open { view::MORE } else { ToolId::More.element() };
        self.effects.push_back(Effect::Focus(focus));
    }

    /// It cannot be taken back, so it is asked for twice.
    fn remove(&mut self, node: NodeId) {
        if self.removing.replace(node) == Some(node) {
            self.removing = None;
            self.effects.push_back(Effect::PutOut(node));
        }
    }

    fn escape(&mut self) {
        if self.is_more_open {
            self.toggle_more();
        } else if self.removing.take().is_some() {
            // The side stays.
        } else if let Some(side) = self.side.take() {
            let tool = match side {
                Side::Chat => ToolId::Chat,
                Side::People => ToolId::People,
            };
            self.effects.push_back(Effect::Focus(tool.element()));
        }
    }

    fn hold_to_speak(&mut self, is_held: bool) {
        let is_held = is_held && !self.microphone.is_wanted;
        if self.is_held != is_held {
            self.is_held = is_held;
            self.tell_room(Sense::Microphone);
        }
    }

    fn pick(&mut self, sense: Sense, id: String) {
        let device = self.device_mut(sense);
        device.picked = Some(id);
        // What is off stays off; the choice counts when it is switched on.
        if device.is_wanted {
            device.ask();
            self.effects.push_back(Effect::Open {
                microphone: sense == Sense::Microphone,
                camera: sense == Sense::Camera,
            });
        }
    }

    fn try_again(&mut self) {
        let microphone = self.microphone.try_again();
        let camera = self.camera.try_again();
        if microphone || camera {
            self.effects.push_back(Effect::Open { microphone, camera });
        }
    }

    fn dismiss(&mut self) {
        self.microphone.dismiss();
        self.camera.dismiss();
        self.screen_note = false;
        self.is_silent = false;
    }

    fn on_opened(&mut self, sense: Sense) {
        let device = self.device_mut(sense);
        device.open();
        // Switched off while the browser was still asking.
        if sense == Sense::Camera && !device.is_wanted {
            self.camera = Device::closed(self.camera.picked.take());
            self.effects.push_back(Effect::CloseCamera);
        }
        self.tell_room(sense);
    }

    fn tell_room(&mut self, sense: Sense) {
        self.effects.push_back(match sense {
            Sense::Microphone => Effect::SetMicrophone(self.is_microphone_on()),
            Sense::Camera => Effect::SetCamera(self.camera.is_on()),
        });
    }

    fn announce(&mut self, text: &str) {
        text.clone_into(&mut self.announcement);
    }

    fn sound(&mut self, sound: Sound) {
        if self.has_sounds {
            self.effects.push_back(Effect::Sound(sound));
        }
    }

    fn device(&self, sense: Sense) -> &Device {
        match sense {
            Sense::Microphone => &self.microphone,
            Sense::Camera => &self.camera,
        }
    }

    fn device_mut(&mut self, sense: Sense) -> &mut Device {
        match sense {
            Sense::Microphone => &mut self.microphone,
            Sense::Camera => &mut self.camera,
        }
    }
}

#[cfg(test)]
mod tests;
