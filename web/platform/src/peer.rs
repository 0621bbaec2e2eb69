//! A connection to another browser, and its data channels.
//!
//! Descriptions and candidates pass as JSON text, opaque to everybody above:
//! `{"type":"offer","sdp":"…"}`, and what `RTCIceCandidate.toJSON()` gives.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Array, JSON, Promise};
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    RtcBundlePolicy, RtcConfiguration, RtcDataChannelEvent, RtcIceGatheringState,
    RtcPeerConnection, RtcPeerConnectionIceEvent, RtcPeerConnectionState, RtcRtpSender,
    RtcRtpTransceiverDirection, RtcRtpTransceiverInit, RtcSdpType, RtcSessionDescriptionInit,
    RtcTrackEvent,
};

use crate::media::{Sort, Stream, Track};
pub use crate::peer::channel::{Channel, Heard, MESSAGE_BYTES_MAX, Payload};
use crate::time::sleep;
use crate::{Fault, Listener, Timer};

mod channel;

/// How long a complete description waits for candidates. Guess: local ones take milliseconds, a silent STUN server
/// would take far longer than a caller's patience.
pub const GATHERING: Duration = Duration::from_millis(1_500);

/// How long a connection outlives its channel. Guess: two round trips of a long path.
const PARTING: Duration = Duration::from_millis(300);

/// What happens to a connection.
pub enum Happened {
    /// A candidate of ours, as JSON, to be carried to the other side; `None` when that was the last.
    Candidate(Option<String>),
    /// How the connection stands now.
    State(State),
    /// The other side opened a channel.
    Channel(Channel),
    /// The other side sends a track, as part of a stream when it says so.
    Track(Track, Option<Stream>),
    /// Tracks were added or removed: offer again.
    NegotiationNeeded,
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No path yet.
    Connecting,
    /// There is a path.
    Connected,
    /// The path is lost for the moment; the browser looks for it.
    Disconnected,
    /// The path is lost for good.
    Failed,
    /// Closed by us.
    Closed,
}

/// A session description: JSON on every carrier.
#[derive(Serialize, Deserialize)]
struct Description {
    #[serde(rename = "type")]
    kind: Kind,
    sdp: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Offer,
    Answer,
}

/// A connection to another browser, closed when dropped.
pub struct Connection {
    inner: RtcPeerConnection,
    _listeners: [Listener; 5],
}

impl Connection {
    /// A connection that uses no servers of others; `hear` is told what happens.
    ///
    /// # Errors
    ///
    /// When the browser has no peer connections, or too many are open.
    pub fn new(hear: impl FnMut(Happened) + 'static) -> Result<Self, Fault> {
        let configuration = RtcConfiguration::new();
        configuration.set_ice_servers(&Array::new());
        configuration.set_bundle_policy(RtcBundlePolicy::MaxBundle);
        let inner = RtcPeerConnection::new_with_configuration(&configuration)
            .map_err(Fault::thrown("Opening a peer connection"))?;
        let listeners = listen(&inner, hear);
        Ok(Self { inner, _listeners: listeners })
    }

    /// Opens an ordered, reliable channel.
    #[must_use]
    pub fn channel(&self, label: &str) -> Channel {
        Channel::new(self.inner.create_data_channel(label))
    }

    /// Makes an offer and starts looking for candidates, which follow as [`Happened::Candidate`].
    pub fn offer(&self) -> impl Future<Output = Result<String, Fault>> + 'static {
        let inner = self.inner.clone();
        async move {
            settle("Making an offer", inner.create_offer(), |offer| {
                inner.set_local_description(offer.unchecked_ref())
            })
            .await?;
            local_description(&inner)
        }
    }

    /// Takes an offer and makes the answer to it; candidates follow as [`Happened::Candidate`].
    pub fn answer(&self, offer: &str) -> impl Future<Output = Result<String, Fault>> + 'static {
        let (inner, offer) = (self.inner.clone(), read_description(offer));
        async move {
            let taken = inner.set_remote_description(&offer?);
            JsFuture::from(taken).await.map_err(Fault::thrown("Taking an offer"))?;
            settle("Making an answer", inner.create_answer(), |answer| {
                inner.set_local_description(answer.unchecked_ref())
            })
            .await?;
            local_description(&inner)
        }
    }

    /// Waits until all candidates are found, at most [`GATHERING`], and gives the description with them inside.
    pub fn complete(&self) -> impl Future<Output = Result<String, Fault>> + 'static {
        let inner = self.inner.clone();
        async move {
            gathered(&inner).await;
            local_description(&inner)
        }
    }

    /// An offer with all candidates inside, for a carrier that takes one message.
    pub fn complete_offer(&self) -> impl Future<Output = Result<String, Fault>> + 'static {
        let (offer, complete) = (self.offer(), self.complete());
        async move {
            offer.await?;
            complete.await
        }
    }

    /// The answer to `offer` with all candidates inside.
    pub fn complete_answer(
        &self,
        offer: &str,
    ) -> impl Future<Output = Result<String, Fault>> + 'static {
        let (answer, complete) = (self.answer(offer), self.complete());
        async move {
            answer.await?;
            complete.await
        }
    }

    /// Takes the answer to our offer.
    pub fn apply(&self, answer: &str) -> impl Future<Output = Result<(), Fault>> + 'static {
        let (inner, answer) = (self.inner.clone(), read_description(answer));
        async move {
            let taken = inner.set_remote_description(&answer?);
            JsFuture::from(taken).await.map_err(Fault::thrown("Taking an answer"))?;
            Ok(())
        }
    }

    /// Takes a candidate of the other side, as JSON; `None` says that there are no more. Only after a description of
    /// the other side was taken.
    pub fn add_candidate(
        &self,
        candidate: Option<&str>,
    ) -> impl Future<Output = Result<(), Fault>> + 'static {
        let fault = Fault::thrown("Taking a candidate");
        let parsed = candidate.map(JSON::parse).transpose().map_err(&fault);
        let inner = self.inner.clone();
        async move {
            let candidate = parsed?;
            let candidate = candidate.as_ref().map(|value| value.unchecked_ref());
            let added = inner.add_ice_candidate_with_opt_rtc_ice_candidate_init(candidate);
            JsFuture::from(added).await.map_err(fault)?;
            Ok(())
        }
    }

    /// The fingerprints of both ends, the same text at both ends, which nobody in between can have alike without being
    /// noticed (RFC 8827 §6.5); `None` before both descriptions are known.
    #[must_use]
    pub fn binding(&self) -> Option<String> {
        let ours = fingerprint(&self.inner.local_description()?.sdp())?;
        let theirs = fingerprint(&self.inner.remote_description()?.sdp())?;
        let (first, second) = if ours < theirs { (ours, theirs) } else { (theirs, ours) };
        Some(format!("{first} {second}"))
    }

    /// Prepares to send something of `sort` as part of `stream`: the track comes later, by [`Sender::replace`], without
    /// a new offer.
    ///
    /// # Errors
    ///
    /// When the connection is closed.
    pub fn prepare(&self, sort: Sort, stream: &Stream) -> Result<Sender, Fault> {
        let init = RtcRtpTransceiverInit::new();
        init.set_direction(RtcRtpTransceiverDirection::Sendonly);
        init.set_streams(&Array::of1(stream.raw()));
        if self.state() == State::Closed {
            return Err(Fault::new("Preparing to send", "the connection is closed"));
        }
        let kind = match sort {
            Sort::Audio => "audio",
            Sort::Video => "video",
        };
        let transceiver = self.inner.add_transceiver_with_str_and_init(kind, &init);
        Ok(Sender { connection: self.inner.clone(), inner: transceiver.sender() })
    }

    /// How loud the sound that comes in is now, in decibels below full scale; `None` when none comes.
    ///
    /// Needs no audio output, so it works before the person has touched the page.
    #[must_use]
    pub fn loudness(&self) -> Option<f32> {
        let receivers = self.inner.get_receivers();
        receivers.iter().filter_map(|receiver| loudness(&receiver)).reduce(f32::max)
    }

    /// How the connection stands.
    #[must_use]
    pub fn state(&self) -> State {
        state(&self.inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.inner.close();
    }
}

/// A track on its way to the other side.
pub struct Sender {
    connection: RtcPeerConnection,
    inner: RtcRtpSender,
}

impl Sender {
    /// Sends another track of the same kind instead, or nothing, without a new offer.
    pub fn replace(
        &self,
        track: Option<&Track>,
    ) -> impl Future<Output = Result<(), Fault>> + 'static {
        let replaced = self.inner.replace_track(track.map(Track::raw));
        async move {
            JsFuture::from(replaced).await.map_err(Fault::thrown("Replacing a track"))?;
            Ok(())
        }
    }

    /// Stops sending; a new offer tells the other side.
    pub fn remove(self) {
        if self.connection.connection_state() != RtcPeerConnectionState::Closed {
            self.connection.remove_track(&self.inner);
        }
    }
}

/// Closes `channel`, lets what was sent over it arrive, and then closes `connection`, which would cut it short.
pub async fn part(connection: Connection, channel: Option<Channel>) {
    drop(channel);
    sleep(PARTING).await;
    drop(connection);
}

/// The fingerprint of a description, in upper case (RFC 8122 §5 leaves the case open).
fn fingerprint(sdp: &str) -> Option<String> {
    let line = sdp.lines().find_map(|line| line.strip_prefix("a=fingerprint:"))?;
    Some(line.trim().to_ascii_uppercase())
}

fn listen(inner: &RtcPeerConnection, hear: impl FnMut(Happened) + 'static) -> [Listener; 5] {
    let hear = Rc::new(RefCell::new(hear));
    let on = |kind, tell: fn(&web_sys::Event, &RtcPeerConnection) -> Option<Happened>| {
        let (hear, connection) = (Rc::clone(&hear), inner.clone());
        Listener::new(inner, kind, move |event| {
            if let Some(happened) = tell(&event, &connection) {
                (hear.borrow_mut())(happened);
            }
        })
    };
    [
        on("icecandidate", |event, _| {
            let event: &RtcPeerConnectionIceEvent = event.unchecked_ref();
            let candidate = event.candidate().map(|candidate| candidate.to_json());
            let text = |json: js_sys::Object| JSON::stringify(&json).map(String::from).ok();
            // An empty candidate ends one generation; the null one that follows ends them all.
            Some(Happened::Candidate(candidate.and_then(text)))
        }),
        on("connectionstatechange", |_, connection| Some(Happened::State(state(connection)))),
        on("datachannel", |event, _| {
            let event: &RtcDataChannelEvent = event.unchecked_ref();
            Some(Happened::Channel(Channel::new(event.channel())))
        }),
        on("track", |event, _| {
            let event: &RtcTrackEvent = event.unchecked_ref();
            let stream = event.streams().get(0).dyn_into().ok().map(Stream::new);
            Some(Happened::Track(Track::new(event.track()), stream))
        }),
        on("negotiationneeded", |_, _| Some(Happened::NegotiationNeeded)),
    ]
}

/// The level of the newest packet, by name because the bindings lack it (W3C WebRTC §5.3).
#[expect(clippy::cast_possible_truncation, reason = "a level needs no more digits")]
fn loudness(receiver: &JsValue) -> Option<f32> {
    let sources = js_sys::Reflect::get(receiver, &"getSynchronizationSources".into()).ok()?;
    let sources = sources.dyn_ref::<js_sys::Function>()?.call0(receiver).ok()?;
    let source = Array::from(&sources).get(0);
    if !source.is_object() {
        return None;
    }
    let level = js_sys::Reflect::get(&source, &"audioLevel".into()).ok()?.as_f64()?;
    Some((20.0 * level.max(1e-5).log10()) as f32)
}

fn state(inner: &RtcPeerConnection) -> State {
    match inner.connection_state() {
        RtcPeerConnectionState::Connected => State::Connected,
        RtcPeerConnectionState::Disconnected => State::Disconnected,
        RtcPeerConnectionState::Failed => State::Failed,
        RtcPeerConnectionState::Closed => State::Closed,
        // Whatever a later browser may invent is on the way there.
        RtcPeerConnectionState::New | RtcPeerConnectionState::Connecting | _ => State::Connecting,
    }
}

/// Waits for `made` and then for what `then` starts with it.
async fn settle(
    what: &'static str,
    made: Promise,
    then: impl FnOnce(JsValue) -> Promise,
) -> Result<(), Fault> {
    let value = JsFuture::from(made).await.map_err(Fault::thrown(what))?;
    JsFuture::from(then(value)).await.map_err(Fault::thrown(what))?;
    Ok(())
}

/// Done when every candidate is found or [`GATHERING`] is over.
async fn gathered(inner: &RtcPeerConnection) {
    if inner.ice_gathering_state() == RtcIceGatheringState::Complete {
        return;
    }
    let kept = Rc::new(RefCell::new(None));
    let promise = Promise::new(&mut |resolve, _| {
        let done = Rc::new(move || {
            resolve.call0(&JsValue::UNDEFINED).ok();
        });
        let connection = inner.clone();
        let late = Rc::clone(&done);
        let listener = Listener::new(inner, "icegatheringstatechange", move |_| {
            if connection.ice_gathering_state() == RtcIceGatheringState::Complete {
                done();
            }
        });
        kept.replace(Some((listener, Timer::after(GATHERING, move || late()))));
    });
    JsFuture::from(promise).await.ok();
}

fn local_description(inner: &RtcPeerConnection) -> Result<String, Fault> {
    let what = "Reading our own description";
    let description = inner.local_description().ok_or_else(|| Fault::new(what, "there is none"))?;
    let kind = match description.type_() {
        RtcSdpType::Offer => Kind::Offer,
        RtcSdpType::Answer => Kind::Answer,
        RtcSdpType::Pranswer | RtcSdpType::Rollback | _ => {
            return Err(Fault::new(what, "it is neither offer nor answer"));
        }
    };
    serde_json::to_string(&Description { kind, sdp: description.sdp() })
        .map_err(|_| Fault::json(what))
}

fn read_description(text: &str) -> Result<RtcSessionDescriptionInit, Fault> {
    let description: Description =
        serde_json::from_str(text).map_err(|_| Fault::json("Reading a description"))?;
    let init = RtcSessionDescriptionInit::new(match description.kind {
        Kind::Offer => RtcSdpType::Offer,
        Kind::Answer => RtcSdpType::Answer,
    });
    init.set_sdp(&description.sdp);
    Ok(init)
}
