//! Camera, microphone, screen: what is captured and what is shown.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DisplayMediaStreamConstraints, HtmlVideoElement, MediaDevices, MediaStream,
    MediaStreamConstraints, MediaStreamTrack, MediaStreamTrackState,
};

pub use level::Meter;
pub(crate) use level::context as audio_context;

use crate::page::window;
use crate::{Fault, Listener};

mod level;
pub mod live;

/// What to capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The microphone, with the browser's echo, noise and gain control.
    pub audio: bool,
    /// The camera, in 720p at 30 pictures a second if it can.
    pub video: bool,
}

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

/// What is captured here; every track of it stops when dropped.
pub struct Capture {
    stream: Stream,
}

impl Capture {
    /// Asks for the camera, the microphone, or both. The person may be asked first.
    ///
    /// # Errors
    ///
    /// When not all that was wished for can be had.
    pub async fn open(wish: Wish) -> Result<Self, Refusal> {
        let constraints = MediaStreamConstraints::new();
        if wish.audio {
            constraints.set_audio(&object(&[
                ("echoCancellation", true.into()),
                ("noiseSuppression", true.into()),
                ("autoGainControl", true.into()),
            ]));
        }
        if wish.video {
            let ideal = |number: f64| object(&[("ideal", number.into())]);
            constraints.set_video(&object(&[
                ("width", ideal(1280.0)),
                ("height", ideal(720.0)),
                ("frameRate", ideal(30.0)),
                ("facingMode", "user".into()),
            ]));
        }
        let asked = devices()?.get_user_media_with_constraints(&constraints);
        Self::wait("Opening camera or microphone", asked).await
    }

    /// Asks for a screen, window or tab; the browser shows its picker.
    ///
    /// # Errors
    ///
    /// When the person picked none, or the browser cannot.
    pub async fn screen() -> Result<Self, Refusal> {
        let constraints = DisplayMediaStreamConstraints::new();
        constraints.set_video(&object(&[("frameRate", object(&[("max", 15.0.into())]))]));
        constraints.set_audio(&JsValue::TRUE);
        let asked = devices()?.get_display_media_with_constraints(&constraints);
        Self::wait("Opening a screen", asked).await
    }

    async fn wait<T>(
        what: &'static str,
        asked: Result<Promise<T>, JsValue>,
    ) -> Result<Self, Refusal> {
        let fault = Fault::thrown(what);
        let asked: Promise = asked.map_err(&fault)?.unchecked_into();
        let stream = JsFuture::from(asked).await.map_err(&fault)?;
        Ok(Self { stream: Stream::new(stream.unchecked_into()) })
    }

    /// What is captured, to be shown or sent.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        &self.stream
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        for track in self.stream.tracks() {
            track.inner.stop();
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

    /// Whether the source is gone for good.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.inner.ready_state() == MediaStreamTrackState::Ended
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

/// Shows `stream` in `video`, or nothing, and plays it. The same stream again changes nothing.
pub fn show(video: &HtmlVideoElement, stream: Option<&Stream>) {
    let wanted = stream.map(Stream::raw);
    if video.src_object().as_ref() != wanted {
        video.set_src_object(wanted);
    }
    if wanted.is_some()
        && let Ok(playing) = video.play()
    {
        // A browser that refuses to start with sound starts after the next gesture: the element is `autoplay`.
        crate::spawn(async move {
            JsFuture::from(playing).await.ok();
        });
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
