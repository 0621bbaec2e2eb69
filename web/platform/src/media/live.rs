//! Devices one by one: each track that is captured here is owned, and the devices to choose from are listed.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DisplayMediaStreamConstraints, MediaDeviceInfo, MediaStream, MediaStreamConstraints,
};

use super::{Refusal, Sort, Stream, Track, devices, object};
use crate::{Fault, Listener};

/// A captured track, released when dropped.
#[derive(Debug)]
pub struct Live {
    track: Track,
}

impl Live {
    /// The track.
    #[must_use]
    pub fn track(&self) -> &Track {
        &self.track
    }

    /// The browser's name for the device behind the track; `None` when there is no device.
    #[must_use]
    pub fn device(&self) -> Option<String> {
        let settings = self.track.raw().get_settings();
        Reflect::get(&settings, &"deviceId".into()).ok()?.as_string()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.track.stop();
    }
}

/// Which device to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// None.
    No,
    /// The one that the browser would take.
    Any,
    /// The one with this id, if it is there.
    Device(String),
}

impl Wanted {
    /// What the browser is asked; `None` for nothing.
    fn constraints(&self, ideals: &[(&str, JsValue)]) -> Option<JsValue> {
        let ideal = |value: &JsValue| object(&[("ideal", value.clone())]);
        let id = match self {
            Self::No => return None,
            Self::Any => None,
            Self::Device(id) => Some(("deviceId", JsValue::from(id))),
        };
        let fields: Vec<(&str, JsValue)> =
            ideals.iter().cloned().chain(id).map(|(name, value)| (name, ideal(&value))).collect();
        Some(object(&fields))
    }
}

/// Opens a microphone, a camera, or both. The person may be asked first.
///
/// # Errors
///
/// When not all that was wanted can be had; then nothing is open.
pub async fn open(microphone: &Wanted, camera: &Wanted) -> Result<Vec<Live>, Refusal> {
    let constraints = MediaStreamConstraints::new();
    let sound = [
        ("echoCancellation", true.into()),
        ("noiseSuppression", true.into()),
        ("autoGainControl", true.into()),
    ];
    if let Some(sound) = microphone.constraints(&sound) {
        constraints.set_audio(&sound);
    }
    // Small enough for every phone to encode for several others at once.
    let picture = [
        ("width", 640.0.into()),
        ("height", 360.0.into()),
        ("frameRate", 30.0.into()),
        ("facingMode", "user".into()),
    ];
    if let Some(picture) = camera.constraints(&picture) {
        constraints.set_video(&picture);
    }
    let asked = devices()?.get_user_media_with_constraints(&constraints);
    tracks("Opening camera or microphone", asked).await
}

/// Lets the person pick a screen, a window or a tab.
///
/// # Errors
///
/// When the person picked none, or the browser cannot.
pub async fn open_screen() -> Result<Vec<Live>, Refusal> {
    if !can_share_screen() {
        return Err(Refusal::Unsupported);
    }
    let constraints = DisplayMediaStreamConstraints::new();
    constraints.set_video(&object(&[("frameRate", object(&[("max", 15.0.into())]))]));
    constraints.set_audio(&JsValue::TRUE);
    let asked = devices()?.get_display_media_with_constraints(&constraints);
    tracks("Opening a screen", asked).await
}

/// Whether this browser can share a screen at all. Those of phones cannot.
#[must_use]
pub fn can_share_screen() -> bool {
    devices()
        .is_ok_and(|devices| Reflect::has(&devices, &"getDisplayMedia".into()).unwrap_or(false))
}

/// A device to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether it is a microphone or a camera.
    pub sort: Sort,
    /// The browser's name for it.
    pub id: String,
    /// The name for people; empty until the person has allowed one.
    pub name: String,
}

/// The microphones and cameras of this computer.
pub async fn found() -> Vec<Found> {
    let Ok(devices) = devices() else { return Vec::new() };
    let Ok(asked) = devices.enumerate_devices() else { return Vec::new() };
    let Ok(list) = JsFuture::from(Promise::from(JsValue::from(asked))).await else {
        return Vec::new();
    };
    Array::from(&list)
        .iter()
        .filter_map(|info| {
            let info: MediaDeviceInfo = info.unchecked_into();
            let sort = match info.kind() {
                web_sys::MediaDeviceKind::Audioinput => Sort::Audio,
                web_sys::MediaDeviceKind::Videoinput => Sort::Video,
                // Loudspeakers, and whatever a later browser may find.
                web_sys::MediaDeviceKind::Audiooutput | _ => return None,
            };
            Some(Found { sort, id: info.device_id(), name: info.label() })
        })
        .collect()
}

/// Hears that a device was plugged in or out.
///
/// # Errors
///
/// When the browser shows this page no devices.
pub fn on_change(mut hear: impl FnMut() + 'static) -> Result<Listener, Refusal> {
    let devices = devices()?;
    Ok(Listener::new(&devices, "devicechange", move |_| hear()))
}

async fn tracks<T>(
    what: &'static str,
    asked: Result<Promise<T>, JsValue>,
) -> Result<Vec<Live>, Refusal> {
    let fault = Fault::thrown(what);
    let asked: Promise = asked.map_err(&fault)?.unchecked_into();
    let stream = JsFuture::from(asked).await.map_err(&fault)?;
    let stream = Stream::new(stream.unchecked_into::<MediaStream>());
    Ok(stream.tracks().into_iter().map(|track| Live { track }).collect())
}
