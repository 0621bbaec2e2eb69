//! The page `/conference`: drives [`room::Room`] and [`ui::stage`] with the wrapper, cameras, and other browsers.
//!
//! ```text
//!   wrapper ──add, message, remove──▶ ┌──────┐ ──send, leave──▶ wrapper             port
//!   own links ──up, received────────▶ │ Room │ ──dial, send, hang──▶ own links      links
//!   media ────described, flowing────▶ └──┬───┘ ──open, apply, close──▶ media        pipes
//!                                        │ events, people, lines
//!   devices ──opened, refused───────▶ ┌──▼────┐ ──open, mute──▶ devices             devices
//!   person ───gestures──────────────▶ │ Stage │ ──view──▶ screen                    draw
//!                                     └───────┘
//! ```

mod devices;
mod draw;
mod links;
mod pipes;
mod videos;

use std::cell::RefCell;
use std::time::Duration;

use platform::dom::Screen;
use platform::page::{self, AwakeScreen};
use platform::peer::Payload;
use platform::port::Port;
use platform::sound::{self, Tune};
use platform::time::{Ticker, sleep};
use platform::{Listener, Timer, dice, media, now, today};
use room::{Command, Input, MediaId, Output, Report, Room};
use trust::{Claim, Proof};
use ui::stage::{
    Effect, Event, Gesture, Parameters, Sense, Sound, Source, Stage, Start, Trouble, View,
};
use wire::wrapper::{Down, Up};

use crate::{broken, seat, tab};
use devices::Devices;
use links::Links;
use pipes::Pipes;
use videos::Videos;

/// How often loudness and the clock are looked at. Guess: speaking shows within a syllable or two.
const TICK: Duration = Duration::from_millis(250);

thread_local! {
    /// The one conference of this page. Everything that is heard arrives in a turn of its own, so it is never
    /// borrowed twice.
    static SHELL: RefCell<Option<Shell>> = const { RefCell::new(None) };
}

struct Shell {
    room: Room,
    stage: Stage,
    screen: Screen<View>,
    port: Port<Up>,
    links: Links,
    pipes: Pipes,
    devices: Devices,
    videos: Videos,
    /// Who is here, as the tab keeps it.
    people: Option<String>,
    timer: Option<Timer>,
    awake: Option<AwakeScreen>,
    /// Until the page goes away: what it knows by then is what the next one begins with.
    ticker: Option<Ticker>,
    _listeners: Vec<Listener>,
}

/// Starts the page.
pub fn start() {
    broken::watch();
    let query = page::query();
    let parameter = |name| page::parameter(&query, name);
    let start = Start::read(Parameters {
        path: parameter("data.path"),
        me: parameter("data.self").or_else(|| parameter("id")),
        name: parameter("data.displayname"),
        topic: parameter("topic"),
    });
    match start {
        Ok(start) => open(start),
        Err(why) => draw::refusal(why),
    }
}

fn open(start: Start) {
    let Some(trust) = seat::find(start.me, &start.conference) else {
        return draw::refusal(Start::lost());
    };
    let config = room::Config::default();
    let room = Room::new(config, now(), today(), trust, &start.name, dice::seed());
    let stage = Stage::new(now(), start.topic, tab::had_people(start.me));
    let shell = Shell {
        room,
        stage,
        screen: Screen::new(draw::page),
        port: Port::to_parent(&page::origin(), |word, payload| {
            with(move |shell| shell.on_wrapper(word, payload));
        }),
        links: Links::default(),
        pipes: Pipes::default(),
        devices: Devices::default(),
        videos: Videos::default(),
        people: None,
        timer: None,
        awake: Some(AwakeScreen::new()),
        ticker: Some(Ticker::every(TICK, || with(Shell::on_tick))),
        _listeners: listeners(),
    };
    SHELL.set(Some(shell));
    // The devices are asked for first: they take the longest.
    with(|shell| {
        // Without a wrapper around it the page still shows one's own picture.
        shell.port.say(&Up::Ready, None).ok();
    });
}

fn listeners() -> Vec<Listener> {
    let mut listeners = vec![
        page::on_leave(|| {
            with(|shell| {
                // Whoever is told that we leave does not look for us, if this page is loaded again.
                shell.keep_people();
                shell.ticker = None;
                shell.command(Command::Leave);
            });
        }),
        Listener::window("blur", |_| with(|shell| shell.event(Event::Blurred))),
    ];
    // Any of these is what a browser waits for before it lets a page make sounds.
    for kind in ["click", "keydown", "pointerup"] {
        listeners.push(Listener::window(kind, |_| with(|shell| shell.videos.retry())));
    }
    listeners.extend(draw::listeners());
    if let Ok(listener) = media::live::on_change(devices::list) {
        listeners.push(listener);
    }
    listeners
}

/// Does something with the conference, and then everything that follows from it.
fn with(act: impl FnOnce(&mut Shell)) {
    SHELL.with_borrow_mut(|shell| {
        if let Some(shell) = shell {
            act(shell);
            shell.settle();
        }
    });
}

/// What the person does.
fn gesture(gesture: Gesture) {
    with(|shell| shell.stage.on_gesture(gesture));
}

impl Shell {
    fn event(&mut self, event: Event) {
        self.stage.on_event(now(), event);
    }

    fn tell(&mut self, input: Input) {
        // What is refused is a peer's fault or comes after leaving; neither is the person's to mend.
        self.room.handle(now(), input).ok();
    }

    fn command(&mut self, command: Command) {
        self.tell(Input::Do(command));
    }

    fn report(&mut self, media: MediaId, report: Report) {
        self.tell(Input::Media { media, report });
    }

    fn on_wrapper(&mut self, word: Down, payload: Option<Payload>) {
        match word {
            Down::Add { id, user, invite, binding } => {
                let claim = Claim { user, proof: Proof::Server };
                let binding = binding.unwrap_or_default().into_bytes();
                let (link, old) = self.links.add(id);
                if let Some(old) = old {
                    self.tell(Input::Down { link: old });
                }
                self.tell(Input::Up { link, peer: id, binding, claim, invite });
            }
            Down::Remove { id } => {
                if let Some(link) = self.links.remove(id) {
                    self.tell(Input::Down { link });
                }
            }
            Down::Flushed { id } => {
                if let Some(link) = self.links.to(id) {
                    self.tell(Input::Flushed { link });
                }
            }
            Down::Message { id } => {
                // Text is the hello of the wrappers among themselves; ours are bytes.
                if let (Some(link), Some(Payload::Bytes(frame))) = (self.links.to(id), payload) {
                    self.tell(Input::Received { link, frame });
                }
            }
        }
    }

    fn on_tick(&mut self) {
        let me = self.room.me();
        let own = self.devices.loudness().map(|level| (me, level));
        for (node, level) in self.pipes.loudness().into_iter().chain(own) {
            self.event(Event::Level(node, level));
        }
        self.keep_people();
    }

    /// Lets the tab know who is here, when they are others than before.
    fn keep_people(&mut self) {
        let people = tab::lines(&self.room.people());
        if self.people.as_ref() != Some(&people) {
            tab::keep_people(self.room.me(), &people);
            self.people = Some(people);
        }
    }

    /// Carries everything to its end, then draws.
    fn settle(&mut self) {
        loop {
            if let Some(output) = self.room.poll() {
                self.on_output(output);
            } else if let Some(effect) = self.stage.poll() {
                self.on_effect(effect);
            } else {
                break;
            }
        }
        self.timer = self
            .room
            .timeout()
            .map(|moment| Timer::at(moment, || with(|shell| shell.tell(Input::Timeout))));
        self.screen.show(self.stage.view(now(), &self.room));
        self.show();
    }

    /// Puts the streams into the elements that are there for them.
    fn show(&mut self) {
        let (room, pipes, devices) = (&self.room, &self.pipes, &self.devices);
        self.videos.show(|source| match source {
            Source::Own => devices.preview(),
            Source::Remote(stream) => pipes.incoming(room.incoming(stream)?),
        });
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Send { link, frame } => match self.links.peer(link) {
                Some(id) => {
                    // A window that is gone closes its channels, and the wrapper would have told.
                    self.port.say(&Up::Send { id }, Some(&Payload::Bytes(frame))).ok();
                }
                None => self.links.send(link, frame),
            },
            Output::Flush { link } => match self.links.peer(link) {
                Some(id) => {
                    self.port.say(&Up::Flush { id }, None).ok();
                }
                None => self.links.flush(link),
            },
            Output::Dial { link, peer } => self.links.dial(link, peer),
            Output::Answer { link, peer, offer } => self.links.answer(link, peer, &offer),
            Output::Apply { link, answer } => self.links.apply(link, &answer),
            Output::Hang { link } => self.links.hang(link),
            Output::Seek { peer: id, user } => {
                // Without a wrapper there is no other way.
                self.port.say(&Up::Seek { id, user }, None).ok();
            }
            Output::Media(media) => self.pipes.on_media(media),
            // No application asks for the store here.
            Output::Store(_) => {}
            Output::Event(event) => {
                if event == room::Event::Admitted
                    && let Some(seat) = self.room.seat()
                {
                    seat::keep_seat(self.room.me(), &seat);
                }
                self.event(Event::Room(event));
            }
        }
    }

    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Open { microphone, camera } => {
                let wanted =
                    |is_wanted, sense| devices::wanted(is_wanted, self.stage.picked(sense));
                devices::open(wanted(microphone, Sense::Microphone), wanted(camera, Sense::Camera));
            }
            Effect::CloseCamera => {
                self.devices.close_camera();
                self.pipes.set_video(None);
            }
            Effect::SetMicrophone(is_on) => {
                self.devices.set_microphone(is_on);
                self.command(Command::SetMicrophone(is_on));
            }
            Effect::SetCamera(is_on) => self.command(Command::SetCamera(is_on)),
            Effect::OpenScreen => devices::open_screen(),
            Effect::StartScreen => {
                self.pipes.set_screen(self.devices.screen());
                self.command(Command::StartScreen);
            }
            Effect::CloseScreen => {
                self.command(Command::StopScreen);
                self.devices.close_screen();
                self.pipes.set_screen(Vec::new());
            }
            Effect::Say(text) => self.command(Command::Say(text)),
            Effect::PutOut(node) => self.command(Command::PutOut(node)),
            Effect::Typing(is_typing) => self.command(Command::Typing(is_typing)),
            Effect::Leave => self.leave(&Up::Leave),
            Effect::GiveUp => self.leave(&Up::Removed),
            Effect::FullScreen => page::toggle_full_screen(),
            Effect::Focus(id) => platform::spawn(async move {
                // Not before it is drawn.
                sleep(Duration::ZERO).await;
                page::focus(id);
            }),
            Effect::Sound(sound) => sound::play(match sound {
                Sound::Joined => Tune::Join,
                Sound::Left => Tune::Leave,
                Sound::Message => Tune::Message,
            }),
        }
    }

    fn leave(&mut self, word: &Up) {
        self.command(Command::Leave);
        // The farewells go out before the wrapper is told to close the channels.
        while let Some(output) = self.room.poll() {
            self.on_output(output);
        }
        self.devices = Devices::default();
        self.awake = None;
        self.port.say(word, None).ok();
    }

    fn on_refused(&mut self, sense: Sense, refusal: &media::Refusal) {
        let trouble = match refusal {
            media::Refusal::Denied => Trouble::Blocked,
            media::Refusal::Absent => Trouble::Absent,
            media::Refusal::Busy => Trouble::Busy,
            media::Refusal::Unsupported => Trouble::Unsupported,
        };
        self.lose(sense, trouble);
    }

    /// A device is not there, or no longer.
    fn lose(&mut self, sense: Sense, trouble: Trouble) {
        match sense {
            Sense::Microphone => {
                self.devices.close_microphone();
                self.pipes.set_audio(None);
            }
            Sense::Camera => {
                self.devices.close_camera();
                self.pipes.set_video(None);
            }
        }
        self.event(Event::Refused(sense, trouble));
    }
}
