//! Our camera, microphone and screen: opened, owned, released.

use platform::Listener;
use platform::media::live::{self, Live, Wanted};
use platform::media::{Meter, Refusal, Sort, Stream, Track};
use ui::stage::{Choice, Event, Sense, Trouble};

use super::{Shell, with};

/// What is open.
#[derive(Default)]
pub(super) struct Devices {
    microphone: Option<Held>,
    meter: Option<Meter>,
    camera: Option<Held>,
    preview: Option<Stream>,
    screen: Vec<Held>,
}

/// A captured track, and what is heard of it.
struct Held {
    _listeners: Vec<Listener>,
    live: Live,
}

impl Devices {
    /// Our own picture.
    pub(super) fn preview(&self) -> Option<Stream> {
        self.preview.clone()
    }

    /// How loud we are ourselves; `None` while we are muted or it cannot be known.
    pub(super) fn loudness(&self) -> Option<f32> {
        self.meter.as_ref().map(Meter::level)
    }

    /// The tracks of the screen.
    pub(super) fn screen(&self) -> Vec<Track> {
        self.screen.iter().map(|held| held.live.track().clone()).collect()
    }

    /// Lets the microphone through, or not.
    pub(super) fn set_microphone(&self, is_on: bool) {
        if let Some(held) = &self.microphone {
            held.live.track().set_enabled(is_on);
        }
    }

    pub(super) fn close_microphone(&mut self) {
        self.meter = None;
        self.microphone = None;
    }

    pub(super) fn close_camera(&mut self) {
        self.preview = None;
        self.camera = None;
    }

    pub(super) fn close_screen(&mut self) {
        self.screen.clear();
    }

    fn keep(&mut self, live: Live) {
        match live.track().sort() {
            Sort::Audio => {
                self.meter = alone(live.track()).and_then(|stream| Meter::new(&stream).ok());
                self.microphone = Some(Held::device(live, Sense::Microphone));
            }
            Sort::Video => {
                self.preview = alone(live.track());
                self.camera = Some(Held::device(live, Sense::Camera));
            }
        }
    }

    fn uses(&self, id: &str) -> bool {
        [&self.microphone, &self.camera]
            .into_iter()
            .flatten()
            .any(|held| held.live.device().as_deref() == Some(id))
    }
}

impl Held {
    fn device(live: Live, sense: Sense) -> Self {
        let track = live.track();
        let ended = track.on_ended(move || with(|shell| shell.lose(sense, Trouble::Absent)));
        let mut listeners = vec![ended];
        if sense == Sense::Microphone {
            let muted = track.clone();
            listeners.extend(track.on_mute(move || {
                let is_silent = muted.is_muted();
                with(|shell| shell.event(Event::Silent(is_silent)));
            }));
        }
        Self { _listeners: listeners, live }
    }

    fn screen(live: Live) -> Self {
        let track = live.track();
        // Text must stay sharp; people scroll more than they play films.
        track.set_hint(match track.sort() {
            Sort::Audio => "music",
            Sort::Video => "detail",
        });
        let ended = match track.sort() {
            Sort::Audio => Vec::new(),
            Sort::Video => {
                vec![track.on_ended(|| with(|shell| shell.event(Event::ScreenClosed)))]
            }
        };
        Self { _listeners: ended, live }
    }
}

impl Shell {
    fn on_opened(&mut self, opened: Vec<Live>) {
        for live in opened {
            let track = live.track().clone();
            self.devices.keep(live);
            let sense = match track.sort() {
                Sort::Audio => {
                    self.pipes.set_audio(Some(track));
                    Sense::Microphone
                }
                Sort::Video => {
                    self.pipes.set_video(Some(track));
                    Sense::Camera
                }
            };
            self.event(Event::Opened(sense));
        }
        list();
    }
}

/// What to ask the browser for.
pub(super) fn wanted(is_wanted: bool, picked: Option<&str>) -> Wanted {
    match (is_wanted, picked) {
        (false, _) => Wanted::No,
        (true, None) => Wanted::Any,
        (true, Some(id)) => Wanted::Device(id.to_owned()),
    }
}

/// Opens microphone and camera, and tells what came of it. Both at once, so that the person is asked once; when that
/// fails each on its own, so that one can be missing.
pub(super) fn open(microphone: Wanted, camera: Wanted) {
    platform::spawn(async move {
        match live::open(&microphone, &camera).await {
            Ok(opened) => with(|shell| shell.on_opened(opened)),
            Err(_) if microphone != Wanted::No && camera != Wanted::No => {
                let sound = live::open(&microphone, &Wanted::No).await;
                told(Sense::Microphone, sound);
                let picture = live::open(&Wanted::No, &camera).await;
                told(Sense::Camera, picture);
            }
            Err(refusal) if microphone != Wanted::No => told(Sense::Microphone, Err(refusal)),
            Err(refusal) => told(Sense::Camera, Err(refusal)),
        }
    });
}

fn told(sense: Sense, opened: Result<Vec<Live>, Refusal>) {
    with(|shell| match opened {
        Ok(opened) => shell.on_opened(opened),
        Err(refusal) => shell.on_refused(sense, &refusal),
    });
}

/// Lets the person pick a screen, and tells what came of it.
pub(super) fn open_screen() {
    platform::spawn(async move {
        let opened = live::open_screen().await;
        with(|shell| match opened {
            Ok(opened) => {
                shell.devices.screen = opened.into_iter().map(Held::screen).collect();
                shell.event(Event::ScreenOpened);
            }
            Err(Refusal::Unsupported) => shell.event(Event::ScreenUnsupported),
            Err(Refusal::Denied | Refusal::Absent | Refusal::Busy) => {
                shell.event(Event::ScreenClosed);
            }
        });
    });
}

/// Lists the devices that can be chosen.
pub(super) fn list() {
    platform::spawn(async move {
        let found = live::found().await;
        with(|shell| {
            let choices = |sort| {
                found
                    .iter()
                    .filter(|device| device.sort == sort && !device.id.is_empty())
                    .map(|device| Choice {
                        id: device.id.clone(),
                        name: device.name.clone(),
                        is_picked: shell.devices.uses(&device.id),
                    })
                    .collect()
            };
            let (cameras, microphones) = (choices(Sort::Video), choices(Sort::Audio));
            shell.event(Event::Devices { cameras, microphones });
        });
    });
}

/// A stream of one track.
fn alone(track: &Track) -> Option<Stream> {
    let stream = Stream::empty().ok()?;
    stream.add(track);
    Some(stream)
}
