//! Media connections: one for each stream and each who watches it.

use platform::media::{Sort, Stream, Track};
use platform::peer::{Connection, Happened, Sender, State};
use room::{Kind, Media, MediaId, Report, Role, StreamId};
use wire::{Map, NodeId};

use super::with;

/// All media connections, and what we send over them.
#[derive(Default)]
pub(super) struct Pipes {
    pipes: Map<MediaId, Pipe>,
    audio: Option<Track>,
    video: Option<Track>,
    screen: Vec<Track>,
}

struct Pipe {
    connection: Connection,
    stream: StreamId,
    role: Role,
    /// What we send, by sort; empty when we receive.
    senders: Vec<(Sort, Sender)>,
    /// What we receive.
    incoming: Option<Stream>,
}

impl Pipes {
    /// Does what the room wants done.
    pub(super) fn on_media(&mut self, media: Media) {
        match media {
            Media::Open { media, stream, role, peer: _ } => self.open(media, stream, role),
            Media::Apply { media, description } => {
                let Some(pipe) = self.pipes.get(&media) else { return };
                match pipe.role {
                    Role::Publisher => taken(media, pipe.connection.apply(&description)),
                    Role::Subscriber => described(media, pipe.connection.answer(&description)),
                }
            }
            Media::Candidate { media, candidate } => {
                let Some(pipe) = self.pipes.get(&media) else { return };
                let added = pipe.connection.add_candidate(Some(&candidate));
                platform::spawn(async move {
                    // A candidate that this browser cannot use is one path less, no more.
                    added.await.ok();
                });
            }
            Media::Close { media } => drop(self.pipes.remove(&media)),
        }
    }

    /// What comes in over a connection; `None` until the other end said what it sends.
    pub(super) fn incoming(&self, media: MediaId) -> Option<Stream> {
        self.pipes.get(&media)?.incoming.clone()
    }

    /// Sends this microphone to everyone, or none.
    pub(super) fn set_audio(&mut self, track: Option<Track>) {
        self.audio = track;
        self.replace(Sort::Audio, self.audio.as_ref());
    }

    /// Sends this camera to everyone, or none.
    pub(super) fn set_video(&mut self, track: Option<Track>) {
        self.video = track;
        self.replace(Sort::Video, self.video.as_ref());
    }

    /// What the screen consists of, for everyone who will ask for it.
    pub(super) fn set_screen(&mut self, tracks: Vec<Track>) {
        self.screen = tracks;
    }

    /// How loud everyone is whose microphone reaches us.
    pub(super) fn loudness(&self) -> Vec<(NodeId, f32)> {
        self.pipes
            .values()
            .filter(|pipe| pipe.role == Role::Subscriber && pipe.stream.kind == Kind::Camera)
            .filter_map(|pipe| Some((pipe.stream.publisher, pipe.connection.loudness()?)))
            .collect()
    }

    fn open(&mut self, media: MediaId, stream: StreamId, role: Role) {
        let Ok(connection) = Connection::new(move |happened| hear(media, happened)) else {
            failed(media);
            return;
        };
        let mut senders = Vec::new();
        if role == Role::Publisher {
            // The tracks may come later, or never; what is prepared needs no second offer.
            let tracks = match stream.kind {
                Kind::Camera => {
                    vec![(Sort::Audio, self.audio.clone()), (Sort::Video, self.video.clone())]
                }
                Kind::Screen => {
                    self.screen.iter().map(|track| (track.sort(), Some(track.clone()))).collect()
                }
            };
            let Ok(together) = Stream::empty() else {
                failed(media);
                return;
            };
            for (sort, track) in tracks {
                if let Ok(sender) = connection.prepare(sort, &together) {
                    change(&sender, track.as_ref());
                    senders.push((sort, sender));
                }
            }
            described(media, connection.offer());
        }
        let incoming = None;
        self.pipes.insert(media, Pipe { connection, stream, role, senders, incoming });
    }

    fn replace(&self, sort: Sort, track: Option<&Track>) {
        for pipe in self.pipes.values().filter(|pipe| pipe.stream.kind == Kind::Camera) {
            for (_, sender) in pipe.senders.iter().filter(|(other, _)| *other == sort) {
                change(sender, track);
            }
        }
    }

    fn receive(&mut self, media: MediaId, stream: Option<Stream>) {
        if let Some(pipe) = self.pipes.get_mut(&media)
            && stream.is_some()
        {
            pipe.incoming = stream;
        }
    }
}

fn hear(media: MediaId, happened: Happened) {
    let report = match happened {
        Happened::Candidate(Some(candidate)) => Report::Candidate(candidate),
        Happened::Track(_, stream) => {
            return with(|shell| shell.pipes.receive(media, stream));
        }
        Happened::State(State::Connected) => Report::Flowing,
        Happened::State(State::Disconnected) => Report::Stalled,
        Happened::State(State::Failed) => Report::Failed,
        // The end of candidates needs no telling, and offers are made when the room says so.
        Happened::State(State::Connecting | State::Closed)
        | Happened::Candidate(None)
        | Happened::Channel(_)
        | Happened::NegotiationNeeded => return,
    };
    with(|shell| shell.report(media, report));
}

fn change(sender: &Sender, track: Option<&Track>) {
    let replaced = sender.replace(track);
    platform::spawn(async move {
        // Refused only by a connection that is closed meanwhile.
        replaced.await.ok();
    });
}

fn described(
    media: MediaId,
    made: impl Future<Output = Result<String, platform::Fault>> + 'static,
) {
    platform::spawn(async move {
        let report = made.await.map_or(Report::Failed, Report::Described);
        with(|shell| shell.report(media, report));
    });
}

fn taken(media: MediaId, taken: impl Future<Output = Result<(), platform::Fault>> + 'static) {
    platform::spawn(async move {
        if taken.await.is_err() {
            with(|shell| shell.report(media, Report::Failed));
        }
    });
}

/// Tells in a turn of its own that a connection could not be made.
fn failed(media: MediaId) {
    platform::spawn(async move { with(|shell| shell.report(media, Report::Failed)) });
}
