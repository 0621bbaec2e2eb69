//! Rooms over real nodes, the wires between them, and browsers that connect whatever they are told to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use room::{
    Command, Config, Error, Event, Input, Kind, Media, MediaId, Output, Person, Report, Role, Room,
    StreamId, What,
};
use trust::{Bounds, Claim, Keys, Proof, Trust};
use wire::{Dice, InviteId, LinkId, NodeId, Seed, Time, Timestamp, UserId};

/// When the conferences begin: 21 November 2026. Numbers of writes and notices follow the calendar.
const FOUNDED: Timestamp = Timestamp(1_795_219_200_000);

/// Rooms, wires between them, and browsers that connect whatever they are told to.
pub(crate) struct Call {
    now: Time,
    rooms: Vec<Seated>,
    dice: Dice,
}

pub(crate) struct Seated {
    room: Room,
    is_here: bool,
    next_link: u64,
    /// Open links: who is at the other end, and under which number there.
    wires: BTreeMap<LinkId, (usize, LinkId)>,
    /// Links of the network's own that wait for an answer, by the peer.
    dialled: BTreeMap<LinkId, usize>,
    media: BTreeMap<MediaId, (StreamId, Role)>,
    flowing: BTreeSet<MediaId>,
    events: Vec<Event>,
}

impl Call {
    /// So many people, none of them connected. Media always comes about.
    pub(crate) fn of(count: usize) -> Self {
        let mut call = Self { now: Time::ZERO, rooms: Vec::new(), dice: Dice::new(Seed::story(7)) };
        for who in 0..count {
            let room = call.new_room(who);
            call.rooms.push(room);
        }
        call.settle();
        call
    }

    /// Gives a person a fresh seat, as if it had come just now.
    pub(crate) fn seat(&mut self, who: usize) {
        self.rooms[who] = self.new_room(who);
        self.settle();
    }

    fn new_room(&mut self, who: usize) -> Seated {
        let name = ["alice@example.com", "bob@example.com", "carol@example.com"][who];
        // Each came a little later than the one before, by clocks that agree.
        let clock = FOUNDED.0 + who as u64 + self.now.since_origin().as_millis() as u64;
        let founder = Trust::found(seed(0), Claim::default(), Bounds::default(), FOUNDED);
        let trust = match who {
            0 => founder,
            _ => Trust::apply(seed(who), founder.conference().clone()),
        };
        let room =
            Room::new(Config::default(), self.now, Timestamp(clock), trust, name, self.dice.seed());
        Seated {
            room,
            is_here: true,
            next_link: 1,
            wires: BTreeMap::new(),
            dialled: BTreeMap::new(),
            media: BTreeMap::new(),
            flowing: BTreeSet::new(),
            events: Vec::new(),
        }
    }

    /// Joins two by a link, as wrappers do.
    pub(crate) fn connect(&mut self, one: usize, other: usize) {
        self.connect_as(one, other, other, None);
    }

    /// Joins two by a link; to the first it is said that at the other end is `said`, a device of `user`.
    pub(crate) fn connect_as(&mut self, one: usize, other: usize, said: usize, user: Option<&str>) {
        let here = self.number(one);
        let there = self.number(other);
        self.rooms[one].wires.insert(here, (other, there));
        self.rooms[other].wires.insert(there, (one, here));
        let user = user.map(|user| user.parse().expect("a user"));
        self.input(one, up(here, said, user));
        self.input(other, up(there, one, None));
        self.settle();
        // Those who have no link to one another find a way, and make one.
        self.pass(Duration::from_secs(1));
    }

    fn number(&mut self, who: usize) -> LinkId {
        let link = LinkId(self.rooms[who].next_link);
        self.rooms[who].next_link += 1;
        link
    }

    /// Breaks every link between two. Their media goes on.
    pub(crate) fn cut(&mut self, one: usize, other: usize) {
        for (who, peer) in [(one, other), (other, one)] {
            let links: Vec<LinkId> = self.rooms[who]
                .wires
                .iter()
                .filter(|(_, (end, _))| *end == peer)
                .map(|(link, _)| *link)
                .collect();
            for link in links {
                self.rooms[who].wires.remove(&link);
                self.input(who, Input::Down { link });
            }
        }
        self.settle();
    }

    /// Somebody is gone without a word; the browsers of the others notice after seven seconds, as Chromium does.
    pub(crate) fn vanish(&mut self, who: usize) {
        self.rooms[who].is_here = false;
        self.pass(Duration::from_secs(7));
        for other in 0..self.rooms.len() {
            let from_there = |(stream, role): &(StreamId, Role)| {
                *role == Role::Subscriber && stream.publisher == node(who)
            };
            let media = &self.rooms[other].media;
            let lost = media.iter().filter(|(_, end)| from_there(end)).map(|(media, _)| *media);
            for media in lost.collect::<Vec<_>>() {
                self.input(other, Input::Media { media, report: Report::Stalled });
            }
        }
        self.settle();
    }

    /// One end of a media connection breaks.
    pub(crate) fn break_media(&mut self, who: usize, media: MediaId) {
        self.rooms[who].flowing.remove(&media);
        self.input(who, Input::Media { media, report: Report::Failed });
        self.settle();
    }

    /// Noise arrives on the first link.
    pub(crate) fn garble(&mut self, who: usize, length: usize) {
        let Some(&link) = self.rooms[who].wires.keys().next() else { return };
        let frame = (0..length).map(|_| self.dice.below(256) as u8).collect();
        self.rooms[who].room.handle(self.now, Input::Received { link, frame }).ok();
        self.settle();
    }

    pub(crate) fn tell(&mut self, who: usize, command: Command) {
        self.try_tell(who, command).expect("nothing speaks against it");
    }

    pub(crate) fn try_tell(&mut self, who: usize, command: Command) -> Result<(), Error> {
        let told = self.rooms[who].room.handle(self.now, Input::Do(command));
        self.settle();
        told
    }

    /// Several speak before anything reaches anybody.
    pub(crate) fn say_at_once(&mut self, said: &[(usize, &str)]) {
        for (who, text) in said {
            let said = Input::Do(Command::Say((*text).to_owned()));
            self.rooms[*who].room.handle(self.now, said).expect("a short text is said");
        }
        if said.len() > 1 {
            self.settle();
        }
    }

    /// Lets time go by, deadline by deadline.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let due = self.rooms.iter().filter(|seated| seated.is_here);
            let due = due.filter_map(|seated| seated.room.timeout()).min();
            match due {
                Some(due) if due <= end => self.now = self.now.max(due),
                Some(_) | None => break,
            }
            for who in 0..self.rooms.len() {
                if self.rooms[who].is_here {
                    self.input(who, Input::Timeout);
                    let next = self.rooms[who].room.timeout();
                    assert!(next.is_none_or(|next| next > self.now), "time goes on");
                }
            }
            self.settle();
        }
        self.now = end;
    }

    fn input(&mut self, who: usize, input: Input) {
        if self.rooms[who].is_here {
            self.rooms[who].room.handle(self.now, input).ok();
        }
    }

    /// Carries what everyone says until nobody says anything.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut is_quiet = true;
            for who in 0..self.rooms.len() {
                while let Some(output) = self.rooms[who].room.poll() {
                    is_quiet = false;
                    self.carry(who, output);
                }
            }
            if is_quiet {
                return;
            }
        }
        panic!("they talk without end");
    }

    fn carry(&mut self, who: usize, output: Output) {
        match output {
            Output::Send { link, frame } => {
                if let Some((peer, link)) = self.rooms[who].wires.get(&link).copied() {
                    self.input(peer, Input::Received { link, frame });
                }
            }
            Output::Flush { link } => self.input(who, Input::Flushed { link }),
            // There is no other way here.
            Output::Seek { .. } => {}
            Output::Dial { link, peer } => {
                self.rooms[who].dialled.insert(link, index(peer));
                self.input(
                    who,
                    Input::Described { link, description: format!("{who}/{}", link.0) },
                );
            }
            Output::Answer { link, peer, offer } => {
                let there =
                    LinkId(offer.split_once('/').expect("who/link").1.parse().expect("a number"));
                let peer = index(peer);
                self.rooms[who].wires.insert(link, (peer, there));
                self.rooms[peer].wires.insert(there, (who, link));
                self.input(who, Input::Described { link, description: "answer".to_owned() });
            }
            Output::Apply { link, .. } => {
                let (peer, there) = self.rooms[who].wires[&link];
                self.input(who, up(link, peer, None));
                self.input(peer, up(there, who, None));
            }
            Output::Hang { link } => {
                if let Some((peer, there)) = self.rooms[who].wires.remove(&link) {
                    self.rooms[peer].wires.remove(&there);
                    self.input(peer, Input::Down { link: there });
                }
            }
            Output::Media(media) => self.on_media(who, media),
            Output::Event(event) => self.rooms[who].events.push(event),
            Output::Store(event) => panic!("nobody asked for the store, and was told {event:?}"),
        }
    }

    /// A browser that can always connect.
    fn on_media(&mut self, who: usize, command: Media) {
        let described = |text: &str| Report::Described(text.to_owned());
        match command {
            Media::Open { media, stream, peer, role } => {
                assert_ne!(peer, node(who), "nobody watches itself");
                assert!(self.rooms[who].media.insert(media, (stream, role)).is_none(), "once");
                if role == Role::Publisher {
                    self.input(who, Input::Media { media, report: described("offer") });
                    let report = Report::Candidate("candidate".to_owned());
                    self.input(who, Input::Media { media, report });
                }
            }
            Media::Apply { media, description } => {
                let (_, role) = self.rooms[who].media[&media];
                match role {
                    Role::Publisher => assert_eq!(description, "answer"),
                    Role::Subscriber => {
                        assert_eq!(description, "offer");
                        self.input(who, Input::Media { media, report: described("answer") });
                    }
                }
                self.rooms[who].flowing.insert(media);
                self.input(who, Input::Media { media, report: Report::Flowing });
            }
            Media::Candidate { media, .. } => {
                assert!(self.rooms[who].media.contains_key(&media), "only while it is open");
            }
            Media::Close { media } => {
                assert!(self.rooms[who].media.remove(&media).is_some(), "closed once");
                self.rooms[who].flowing.remove(&media);
            }
        }
    }

    pub(crate) fn room(&self, who: usize) -> &Room {
        &self.rooms[who].room
    }

    pub(crate) fn events(&self, who: usize) -> Vec<Event> {
        self.rooms[who].events.clone()
    }

    pub(crate) fn names(&self, who: usize) -> Vec<String> {
        self.room(who).people().into_iter().map(|person| person.name).collect()
    }

    pub(crate) fn id(&self, who: usize) -> NodeId {
        self.room(who).me()
    }

    pub(crate) fn person(&self, at: usize, who: usize) -> Person {
        let people = self.room(at).people();
        people.into_iter().find(|person| person.node == node(who)).expect("is here")
    }

    pub(crate) fn texts(&self, who: usize) -> Vec<String> {
        let said = |what| match what {
            What::Said { text, .. } => Some(text),
            What::Joined { .. } | What::Left { .. } => None,
        };
        self.room(who).lines().filter_map(|line| said(line.what)).collect()
    }

    pub(crate) fn incoming(&self, at: usize, who: usize, kind: Kind) -> Option<MediaId> {
        self.room(at).incoming(StreamId { kind, publisher: node(who) })
    }

    /// Whether the stream is open at both ends.
    pub(crate) fn watches(&self, at: usize, who: usize, kind: Kind) -> bool {
        self.incoming(at, who, kind).is_some_and(|media| self.rooms[at].flowing.contains(&media))
    }
}

/// The seeds of three people whose names rise.
fn seed(who: usize) -> Seed {
    let mut seeds: Vec<Seed> = (0..3).map(Seed::story).collect();
    seeds.sort_by_key(|seed| Keys::new(*seed).public().node());
    seeds[who]
}

fn node(who: usize) -> NodeId {
    Keys::new(seed(who)).public().node()
}

fn index(node: NodeId) -> usize {
    (0..3).find(|who| self::node(*who) == node).expect("one of three")
}

/// A link to somebody who is invited, unless it is in already.
fn up(link: LinkId, peer: usize, user: Option<UserId>) -> Input {
    let (binding, claim) = (Vec::new(), Claim { user, proof: Proof::Server });
    Input::Up { link, peer: node(peer), binding, claim, invite: Some(InviteId(peer as u64)) }
}
