//! Named streams: who publishes, who watches, and one media connection for each pair of them.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use wire::{Malformed, Map, NodeId, Set, Time, object};

use crate::Flows;

/// What a stream shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A person: camera and microphone.
    Camera,
    /// What a person shares: a screen, a window or a tab, with its sound if it has any.
    Screen,
}

/// One stream of one participant, `camera-<node>` or `screen-<node>` in paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// What it shows.
    pub kind: Kind,
    /// Who publishes it.
    pub publisher: NodeId,
}

impl StreamId {
    /// Where its publisher is named.
    pub(crate) fn publisher_path(self) -> String {
        format!("streams/{self}/publisher")
    }

    /// Where `subscriber` asks for it.
    pub(crate) fn subscriber_path(self, subscriber: NodeId) -> String {
        format!("streams/{self}/subscribers/{subscriber}")
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Camera => "camera",
            Kind::Screen => "screen",
        };
        write!(f, "{kind}-{}", self.publisher)
    }
}

impl FromStr for StreamId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (kind, publisher) = match text.split_once('-') {
            Some(("camera", node)) => (Kind::Camera, node),
            Some(("screen", node)) => (Kind::Screen, node),
            Some(_) | None => {
                return Err(Malformed { word: "stream", problem: "is neither camera nor screen" });
            }
        };
        Ok(Self { kind, publisher: publisher.parse()? })
    }
}

/// What a path below `streams/` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The publisher of a stream.
    Publisher(StreamId),
    /// One subscriber of a stream.
    Subscriber(StreamId, NodeId),
}

impl Place {
    /// Reads a path; `None` when it names neither.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let (stream, rest) = path.strip_prefix("streams/")?.split_once('/')?;
        let stream = stream.parse().ok()?;
        if rest == "publisher" {
            return Some(Self::Publisher(stream));
        }
        let subscriber = rest.strip_prefix("subscribers/")?.parse().ok()?;
        Some(Self::Subscriber(stream, subscriber))
    }
}

/// One media connection, numbered by us; never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaId(pub u64);

/// Which end of a media connection we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We send and always make the offer.
    Publisher,
    /// We receive and always answer.
    Subscriber,
}

/// What to do with a media connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media {
    /// Make one. A publisher makes the offer at once.
    Open {
        /// Its number from now on.
        media: MediaId,
        /// Which stream goes over it.
        stream: StreamId,
        /// Who is at the other end.
        peer: NodeId,
        /// Which end we are.
        role: Role,
    },
    /// Take the description of the other end. A subscriber makes the answer at once.
    Apply {
        /// Which one.
        media: MediaId,
        /// What the other end described, unread.
        description: String,
    },
    /// Take a candidate of the other end. Comes after [`Media::Apply`] only.
    Candidate {
        /// Which one.
        media: MediaId,
        /// What the other end found, unread.
        candidate: String,
    },
    /// Close it and forget its number.
    Close {
        /// Which one.
        media: MediaId,
    },
}

/// What happened to a media connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Our offer or answer is made.
    Described(String),
    /// We found a candidate.
    Candidate(String),
    /// Media can flow.
    Flowing,
    /// Nothing is heard from the other end; it may come back by itself.
    Stalled,
    /// It is broken, or could not be made.
    Failed,
}

/// What one end of a pair tells the other, by notice.
#[derive(Debug)]
struct Notice {
    /// Which subscription it belongs to, so that what is late is not mistaken.
    attempt: u64,
    said: Said,
}

#[derive(Debug)]
enum Said {
    Description(String),
    Candidate(String),
    /// The publisher's end is gone: subscribe again.
    Again,
}

impl Notice {
    fn read(data: &Value) -> Option<Self> {
        let attempt = data.get("attempt")?.as_u64()?;
        let text = |key| data.get(key).and_then(Value::as_str).map(str::to_owned);
        let said = match (text("description"), text("candidate")) {
            (Some(description), _) => Said::Description(description),
            (None, Some(candidate)) => Said::Candidate(candidate),
            (None, None) => data.get("again").map(|_| Said::Again)?,
        };
        Some(Self { attempt, said })
    }

    fn to_value(&self) -> Value {
        let said = match &self.said {
            Said::Description(text) => ("description", text.as_str().into()),
            Said::Candidate(text) => ("candidate", text.as_str().into()),
            Said::Again => ("again", json!({})),
        };
        object([("attempt", self.attempt.into()), said])
    }
}

/// What the streams want done.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    Put { path: String, value: Value },
    Delete { path: String },
    Notify { to: NodeId, path: String, data: Value },
    Media(Media),
}

/// What the tree shows at this moment.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// Streams of others, and since when their publishers are there: whoever is loaded again is there since later.
    pub(crate) published: Map<StreamId, u64>,
    /// Who asks for ours, and in which attempt.
    pub(crate) asked: Map<(StreamId, NodeId), u64>,
    /// Whose entries would be seen if they existed.
    pub(crate) present: Set<NodeId>,
}

/// A stream and one who watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    stream: StreamId,
    subscriber: NodeId,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Opening { until: Time },
    Flowing,
    Stalled { until: Time },
}

/// The media connection of one pair.
#[derive(Debug)]
struct Connection {
    media: MediaId,
    attempt: u64,
    /// Since when the publisher is there, if that is the other end.
    since: u64,
    flow: Flow,
    /// Whether media ever flowed.
    flowed: bool,
    /// Whether the other end's description was applied; candidates wait for it.
    applied: bool,
    waiting: Vec<String>,
    /// How often in a row it did not come about.
    tries: u32,
    /// Until when it is kept although the other end's entry is out of view.
    kept_until: Option<Time>,
}

/// An attempt that the publisher's end has given up.
#[derive(Clone, Copy, Debug)]
struct Spent {
    attempt: u64,
    /// Whether the subscriber was asked to try again. Once is enough: if the notice is lost, it loses patience.
    told: bool,
}

/// All pairs in which we are one end.
///
/// **Invariant:** a pair has at most one connection, and every number is opened once and closed once.
///
/// **Invariant:** no attempt has the number of one before, also of one before we were loaded again.
#[derive(Debug)]
pub(crate) struct Streams {
    me: NodeId,
    bounds: Flows,
    next_media: u64,
    next_attempt: u64,
    pairs: Map<Pair, Connection>,
    /// The last attempt that a publisher's end served and gave up, so that it asks for a new one.
    spent: Map<Pair, Spent>,
    effects: VecDeque<Effect>,
}

impl Streams {
    /// For `me`, there since `since`: the first attempt has that number.
    pub(crate) fn new(me: NodeId, bounds: Flows, since: u64) -> Self {
        Self {
            me,
            bounds,
            next_media: 1,
            next_attempt: since,
            pairs: Map::new(),
            spent: Map::new(),
            effects: VecDeque::new(),
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.pairs.values().filter_map(Connection::deadline).min()
    }

    /// The connection that brings `stream` to us.
    pub(crate) fn incoming(&self, stream: StreamId) -> Option<MediaId> {
        let pair = Pair { stream, subscriber: self.me };
        self.pairs.get(&pair).map(|connection| connection.media)
    }

    /// Whether `stream` reaches us at this moment.
    pub(crate) fn is_flowing(&self, stream: StreamId) -> bool {
        let pair = Pair { stream, subscriber: self.me };
        self.pairs.get(&pair).is_some_and(|connection| connection.flow == Flow::Flowing)
    }

    /// Streams that come to us, or will.
    pub(crate) fn watched(&self) -> impl Iterator<Item = StreamId> {
        self.pairs.keys().map(|pair| pair.stream).filter(|stream| stream.publisher != self.me)
    }

    /// Whether the link to `node` is away while its picture goes on.
    pub(crate) fn keeps(&self, node: NodeId) -> bool {
        self.pairs.iter().any(|(pair, connection)| {
            pair.stream.publisher == node && connection.kept_until.is_some()
        })
    }

    /// Whether the picture of `node` was there and is being mended.
    pub(crate) fn mends(&self, node: NodeId) -> bool {
        let pair =
            Pair { stream: StreamId { kind: Kind::Camera, publisher: node }, subscriber: self.me };
        self.pairs.get(&pair).is_some_and(|connection| {
            connection.flowed && connection.flow != Flow::Flowing || connection.kept_until.is_some()
        })
    }

    /// Makes the pairs fit to what the tree shows.
    pub(crate) fn on_scene(&mut self, now: Time, scene: &Scene) {
        let gone = |me: NodeId, pair: &Pair| {
            if pair.stream.publisher == me {
                !scene.asked.contains_key(&(pair.stream, pair.subscriber))
            } else {
                !scene.published.contains_key(&pair.stream)
            }
        };
        let pairs: Vec<Pair> = self.pairs.keys().copied().collect();
        for pair in pairs {
            if gone(self.me, &pair) {
                self.on_out_of_view(now, pair, scene.present.contains(&pair.peer(self.me)));
            } else if let Some(connection) = self.pairs.get_mut(&pair) {
                connection.kept_until = None;
            }
        }
        for (&stream, &since) in &scene.published {
            let pair = Pair { stream, subscriber: self.me };
            match self.pairs.get(&pair) {
                None => self.subscribe(now, pair, since, 0, false),
                // Its page was loaded again, and knows nothing of what we have.
                Some(connection) if connection.since != since => {
                    let flowed = connection.flowed;
                    self.close(pair);
                    self.subscribe(now, pair, since, 0, flowed);
                }
                Some(_) => {}
            }
        }
        for (&(stream, subscriber), &attempt) in &scene.asked {
            self.on_asked(now, Pair { stream, subscriber }, attempt);
        }
    }

    /// What the other end told us by notice.
    pub(crate) fn on_notice(&mut self, now: Time, place: Place, from: NodeId, data: Value) {
        let pair = match place {
            Place::Publisher(stream) => Pair { stream, subscriber: from },
            Place::Subscriber(stream, subscriber) => Pair { stream, subscriber },
        };
        // Only the two ends of a pair have anything to say about it, and only to each other.
        if pair.peer(self.me) != from || !pair.involves(self.me) {
            return;
        }
        let Some(notice) = Notice::read(&data) else { return };
        let Some(connection) = self.pairs.get_mut(&pair) else { return };
        if connection.attempt != notice.attempt {
            return; // Late: that connection is closed.
        }
        let media = connection.media;
        match notice.said {
            Said::Description(description) => {
                if connection.applied || description.len() > self.bounds.description_bytes_max {
                    return; // A description is applied once; a repeated one changes nothing.
                }
                connection.applied = true;
                let waiting = std::mem::take(&mut connection.waiting);
                self.effects.push_back(Effect::Media(Media::Apply { media, description }));
                for candidate in waiting {
                    self.effects.push_back(Effect::Media(Media::Candidate { media, candidate }));
                }
            }
            Said::Candidate(candidate) => {
                if candidate.len() > self.bounds.candidate_bytes_max {
                    return;
                }
                if connection.applied {
                    self.effects.push_back(Effect::Media(Media::Candidate { media, candidate }));
                } else if connection.waiting.len() < self.bounds.candidates_max {
                    connection.waiting.push(candidate);
                }
            }
            // Only a subscriber can be asked to subscribe.
            Said::Again if pair.subscriber == self.me => {
                let Connection { since, tries, flowed, .. } = *connection;
                self.close(pair);
                self.subscribe(now, pair, since, tries, flowed);
            }
            Said::Again => {}
        }
    }

    /// What our own end reports. Reports about closed connections are late and mean nothing.
    pub(crate) fn on_report(&mut self, now: Time, media: MediaId, report: Report) {
        let found = self.pairs.iter_mut().find(|(_, connection)| connection.media == media);
        let Some((&pair, connection)) = found else { return };
        match report {
            Report::Described(description) => self.tell(pair, Said::Description(description)),
            Report::Candidate(candidate) => self.tell(pair, Said::Candidate(candidate)),
            Report::Flowing => {
                connection.flow = Flow::Flowing;
                connection.flowed = true;
                connection.tries = 0;
            }
            Report::Stalled => {
                if connection.flow == Flow::Flowing {
                    connection.flow = Flow::Stalled { until: now + self.bounds.stall };
                }
                if connection.kept_until.is_some() {
                    self.close(pair); // Neither the link nor the picture is left.
                }
            }
            Report::Failed => self.on_failed(now, pair),
        }
    }

    /// Gives up what took too long.
    pub(crate) fn on_timeout(&mut self, now: Time) {
        let due: Vec<Pair> = self
            .pairs
            .iter()
            .filter(|(_, connection)| connection.deadline().is_some_and(|at| at <= now))
            .map(|(pair, _)| *pair)
            .collect();
        for pair in due {
            self.on_failed(now, pair);
        }
    }

    /// Closes everything: we leave.
    pub(crate) fn close_all(&mut self) {
        let pairs: Vec<Pair> = self.pairs.keys().copied().collect();
        for pair in pairs {
            self.close(pair);
            if pair.subscriber == self.me {
                let path = pair.stream.subscriber_path(self.me);
                self.effects.push_back(Effect::Delete { path });
            }
        }
    }

    fn on_out_of_view(&mut self, now: Time, pair: Pair, is_present: bool) {
        let Some(connection) = self.pairs.get_mut(&pair) else { return };
        // The entry was taken away on purpose, or there is no picture to keep.
        if is_present || connection.flow != Flow::Flowing {
            self.close(pair);
            if pair.subscriber == self.me {
                let path = pair.stream.subscriber_path(self.me);
                self.effects.push_back(Effect::Delete { path });
            }
        } else if connection.kept_until.is_none() {
            connection.kept_until = Some(now + self.bounds.grace);
        }
    }

    fn on_asked(&mut self, now: Time, pair: Pair, attempt: u64) {
        if let Some(connection) = self.pairs.get(&pair) {
            if connection.attempt == attempt {
                return;
            }
            self.close(pair);
        }
        if self.pairs.len() >= self.bounds.pairs_max {
            return;
        }
        if let Some(spent) = self.spent.get_mut(&pair)
            && spent.attempt == attempt
        {
            if !std::mem::replace(&mut spent.told, true) {
                self.tell_attempt(pair, attempt, Said::Again);
            }
            return;
        }
        let until = now + self.bounds.open * 4; // The subscriber is the one to lose patience.
        self.open(pair, attempt, 0, until, 0, false);
    }

    fn on_failed(&mut self, now: Time, pair: Pair) {
        let Some(connection) = self.pairs.get(&pair) else { return };
        let Connection { attempt, since, tries, flowed, .. } = *connection;
        let is_kept = connection.kept_until.is_some();
        self.close(pair);
        if pair.stream.publisher == self.me {
            self.on_asked(now, pair, attempt); // It is spent now, so this asks for another.
        } else if is_kept {
            let path = pair.stream.subscriber_path(self.me);
            self.effects.push_back(Effect::Delete { path });
        } else {
            self.subscribe(now, pair, since, tries + 1, flowed);
        }
    }

    fn subscribe(&mut self, now: Time, pair: Pair, since: u64, tries: u32, flowed: bool) {
        if self.pairs.len() >= self.bounds.pairs_max {
            return;
        }
        let attempt = self.next_attempt;
        self.next_attempt += 1;
        let path = pair.stream.subscriber_path(self.me);
        self.effects.push_back(Effect::Put { path, value: object([("attempt", attempt.into())]) });
        // Two, four, eight, at most sixteen times as patient as at first.
        let until = now + self.bounds.open * (1 << tries.min(4));
        self.open(pair, attempt, since, until, tries, flowed);
    }

    fn open(
        &mut self,
        pair: Pair,
        attempt: u64,
        since: u64,
        until: Time,
        tries: u32,
        flowed: bool,
    ) {
        let media = MediaId(self.next_media);
        self.next_media += 1;
        let (peer, role) = if pair.stream.publisher == self.me {
            (pair.subscriber, Role::Publisher)
        } else {
            (pair.stream.publisher, Role::Subscriber)
        };
        let flow = Flow::Opening { until };
        let (applied, waiting, kept_until) = (false, Vec::new(), None);
        let connection =
            Connection { media, attempt, since, flow, flowed, applied, waiting, tries, kept_until };
        let replaced = self.pairs.insert(pair, connection);
        debug_assert!(replaced.is_none(), "a pair has at most one connection");
        self.effects.push_back(Effect::Media(Media::Open {
            media,
            stream: pair.stream,
            peer,
            role,
        }));
    }

    fn close(&mut self, pair: Pair) {
        let Some(connection) = self.pairs.remove(&pair) else { return };
        self.effects.push_back(Effect::Media(Media::Close { media: connection.media }));
        if pair.stream.publisher == self.me {
            if self.spent.len() >= self.bounds.pairs_max {
                self.spent.pop_first();
            }
            let (attempt, told) = (connection.attempt, false);
            self.spent.insert(pair, Spent { attempt, told });
        }
    }

    fn tell(&mut self, pair: Pair, said: Said) {
        if let Some(connection) = self.pairs.get(&pair) {
            self.tell_attempt(pair, connection.attempt, said);
        }
    }

    fn tell_attempt(&mut self, pair: Pair, attempt: u64, said: Said) {
        let path = if pair.stream.publisher == self.me {
            pair.stream.subscriber_path(pair.subscriber)
        } else {
            pair.stream.publisher_path()
        };
        let data = Notice { attempt, said }.to_value();
        self.effects.push_back(Effect::Notify { to: pair.peer(self.me), path, data });
    }
}

impl Connection {
    fn deadline(&self) -> Option<Time> {
        match self.flow {
            Flow::Opening { until } | Flow::Stalled { until } => Some(until),
            Flow::Flowing => self.kept_until,
        }
    }
}

impl Pair {
    fn involves(&self, me: NodeId) -> bool {
        self.stream.publisher == me || self.subscriber == me
    }

    fn peer(&self, me: NodeId) -> NodeId {
        if self.stream.publisher == me { self.subscriber } else { self.stream.publisher }
    }
}

#[cfg(test)]
mod tests;
