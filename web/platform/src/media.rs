//! Camera, microphone, screen: what is captured and what is shown.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlVideoElement, MediaDevices, MediaStream, MediaStreamTrack};

pub use level::Meter;
pub(crate) use level::context as audio_context;

use crate::page::window;
use crate::{Fault, Listener};

mod level;
pub mod live;

/// Why there is no picture or sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The person or a policy said no.
    Denied,
    /// There is no such device.
    Absent,
    /// Another program holds the device, or the system does not give it.
    Busy,
    /// The page may not ask at all: not a secure context, or not allowed in this frame.
    Unsupported,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault.name.as_str() {
            "NotAllowedError" | "SecurityError" => Self::Denied,
            "NotFoundError" | "OverconstrainedError" => Self::Absent,
            "NotReadableError" | "AbortError" => Self::Busy,
            _ => Self::Unsupported,
        }
    }
}

/// Whether a track is heard or seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Heard.
    Audio,
    /// Seen.
    Video,
}

/// Tracks that belong together, ours or those of the other side. A handle: clones name the same stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    inner: MediaStream,
}

impl Stream {
    pub(crate) fn new(inner: MediaStream) -> Self {
        Self { inner }
    }

    pub(crate) fn raw(&self) -> &MediaStream {
        &self.inner
    }

    /// A stream without tracks.
    ///
    /// # Errors
    ///
    /// When the browser has no media streams.
    pub fn empty() -> Result<Self, Fault> {
        MediaStream::new().map(Self::new).map_err(Fault::thrown("Making a stream"))
    }

    /// The name that the other side sees too.
    #[must_use]
    pub fn id(&self) -> String {
        self.inner.id()
    }

    /// Takes `track` in; again is harmless.
    pub fn add(&self, track: &Track) {
        self.inner.add_track(&track.inner);
    }

    /// Puts `track` out.
    pub fn remove(&self, track: &Track) {
        self.inner.remove_track(&track.inner);
    }

    /// All tracks.
    #[must_use]
    pub fn tracks(&self) -> Vec<Track> {
        self.inner.get_tracks().iter().map(|track| Track::new(track.unchecked_into())).collect()
    }

    /// The first track that is heard or seen.
    #[must_use]
    pub fn track(&self, sort: Sort) -> Option<Track> {
        self.tracks().into_iter().find(|track| track.sort() == sort)
    }
}

/// A source of sound or pictures. A handle: clones name the same track.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    inner: MediaStreamTrack,
}

impl Track {
    pub(crate) fn new(inner: MediaStreamTrack) -> Self {
        Self { inner }
    }

    pub(crate) fn raw(&self) -> &MediaStreamTrack {
        &self.inner
    }

    /// The name of the track.
    #[must_use]
    pub fn id(&self) -> String {
        self.inner.id()
    }

    /// Whether it is heard or seen.
    #[must_use]
    pub fn sort(&self) -> Sort {
        if self.inner.kind() == "audio" { Sort::Audio } else { Sort::Video }
    }

    /// Silences or darkens the track, or lets it through again.
    pub fn set_enabled(&self, enabled: bool) {
        self.inner.set_enabled(enabled);
    }

    /// Whether the source gives nothing at the moment: unplugged, or silenced by the system.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.inner.muted()
    }

    /// Releases the device or the screen behind the track.
    pub fn stop(&self) {
        self.inner.stop();
    }

    /// Tells the encoder what matters: `detail` and `text` keep it sharp, `motion` keeps it smooth.
    pub fn set_hint(&self, hint: &str) {
        js_sys::Reflect::set(&self.inner, &"contentHint".into(), &hint.into()).ok();
    }

    /// Hears that the source is gone for good, by itself: unplugged, or sharing was stopped in the browser.
    pub fn on_ended(&self, mut hear: impl FnMut() + 'static) -> Listener {
        Listener::new(&self.inner, "ended", move |_| hear())
    }

    /// Hears that the source fell silent or came back.
    pub fn on_mute(&self, hear: impl FnMut() + 'static) -> [Listener; 2] {
        let hear = std::rc::Rc::new(std::cell::RefCell::new(hear));
        ["mute", "unmute"].map(|kind| {
            let hear = std::rc::Rc::clone(&hear);
            Listener::new(&self.inner, kind, move |_| (hear.borrow_mut())())
        })
    }
}

/// How an element plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Played {
    /// With its sound, or with none because it has none.
    Loud,
    /// Without its sound: the browser holds it back until the person touches the page.
    Muted,
    /// Not at all.
    Not,
}

/// Starts `video`, with its sound unless `is_silent`; without it where the browser insists.
pub async fn play(video: HtmlVideoElement, is_silent: bool) -> Played {
    // Set as a property: the attribute only speaks about the moment the element was made.
    video.set_muted(is_silent);
    if started(&video).await {
        return Played::Loud;
    }
    video.set_muted(true);
    if started(&video).await { Played::Muted } else { Played::Not }
}

async fn started(video: &HtmlVideoElement) -> bool {
    match video.play() {
        Ok(playing) => match JsFuture::from(playing).await {
            Ok(_) => true,
            // A new source came meanwhile and plays in its own time.
            Err(thrown) => Fault::thrown("Playing")(thrown).name == "AbortError",
        },
        Err(_) => false,
    }
}

/// Puts `stream` into `video`, or nothing; true when that is a change.
pub fn put(video: &HtmlVideoElement, stream: Option<&Stream>) -> bool {
    let wanted = stream.map(Stream::raw);
    let is_other = video.src_object().as_ref() != wanted;
    if is_other {
        video.set_src_object(wanted);
    }
    is_other
}

fn devices() -> Result<MediaDevices, Refusal> {
    // Outside a secure context the property is missing, and the binding would hand out something that is not there.
    let navigator = window().navigator();
    match js_sys::Reflect::get(&navigator, &"mediaDevices".into()) {
        Ok(devices) if !devices.is_undefined() => Ok(devices.unchecked_into()),
        Ok(_) | Err(_) => Err(Refusal::Unsupported),
    }
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in fields {
        js_sys::Reflect::set(&object, &(*name).into(), value).ok();
    }
    object.into()
}
