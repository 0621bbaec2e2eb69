//! Conferences of two and three rooms over real nodes, told as people see them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use room::{
    Command, Config, Error, Event, Input, Invited, Kind, Media, MediaId, Output, Person, Report,
    Role, Room, StreamId, What,
};
use trust::{Bounds, Claim, Keys, Trust};
use wire::{Dice, InviteId, LinkId, NodeId, Seed, Time, Timestamp};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

#[test]
fn two_people_who_are_connected_see_each_other() {
    let mut call = Call::of(2);

    call.connect(ALICE, BOB);

    assert_eq!(call.names(ALICE), ["alice@example.com", "bob@example.com"]);
    assert_eq!(call.names(BOB), ["alice@example.com", "bob@example.com"]);
    assert!(call.events(ALICE).iter().any(|event| matches!(event, Event::Joined { .. })));
}

#[test]
fn a_name_is_verified_once_somebody_vouches_for_it() {
    let mut call = Call::of(3);
    call.connect(ALICE, BOB);
    call.connect(ALICE, CAROL);
    let before = call.person(CAROL, BOB).is_verified;

    // Bob claimed a name that is not his; the server knows better, and Alice was told.
    call.vouch(ALICE, BOB, "robert@example.com");

    let bob = call.person(CAROL, BOB);
    assert!(!before);
    assert_eq!((bob.name.as_str(), bob.is_verified), ("robert@example.com", true));
}

#[test]
fn three_people_read_one_conversation() {
    let mut call = Call::of(3);
    call.connect(ALICE, BOB);
    call.connect(BOB, CAROL);

    for (who, text) in [(ALICE, "one"), (CAROL, "two"), (BOB, "three"), (ALICE, "four")] {
        call.tell(who, Command::Say(text.to_owned()));
    }

    for who in [ALICE, BOB, CAROL] {
        assert_eq!(call.texts(who), ["one", "two", "three", "four"], "at {who}");
    }
}

#[test]
fn what_is_said_at_one_moment_stands_in_one_order() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.say_at_once(&[(ALICE, "a"), (BOB, "b"), (ALICE, "c")]);

    assert_eq!(call.texts(ALICE), call.texts(BOB));
    assert_eq!(call.texts(ALICE).len(), 3);
}

#[test]
fn one_s_own_line_stands_at_once_and_only_once() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.say_at_once(&[(ALICE, "hello")]);
    let alone = call.texts(ALICE);
    call.settle();

    assert_eq!(alone, ["hello"]);
    assert_eq!(call.texts(ALICE), ["hello"]);
    assert_eq!(call.events(ALICE).iter().filter(|e| matches!(e, Event::Said { .. })).count(), 0);
    assert_eq!(call.events(BOB).iter().filter(|e| matches!(e, Event::Said { .. })).count(), 1);
}

#[test]
fn who_comes_late_reads_what_was_said_and_hears_no_bell() {
    let mut call = Call::of(3);
    call.connect(ALICE, BOB);
    call.tell(ALICE, Command::Say("before".to_owned()));
    call.pass(Duration::from_secs(60));
    call.seat(CAROL);

    call.connect(BOB, CAROL);

    assert_eq!(call.texts(CAROL), ["before"]);
    assert!(!call.events(CAROL).iter().any(|event| matches!(event, Event::Said { .. })));
}

#[test]
fn nothing_and_too_much_are_not_said() {
    let mut call = Call::of(1);

    let nothing = call.try_tell(ALICE, Command::Say(" \n".to_owned()));
    let too_much = call.try_tell(ALICE, Command::Say("x".repeat(4_001)));

    assert_eq!(nothing, Err(Error::Empty));
    assert!(matches!(too_much, Err(Error::Limit(_))));
    assert_eq!(call.texts(ALICE), [""; 0]);
}

#[test]
fn typing_shows_and_expires() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.tell(ALICE, Command::Typing(true));
    let while_typing = call.person(BOB, ALICE).is_typing;
    call.pass(Config::default().typing_lasts);

    assert!(while_typing);
    assert!(!call.person(BOB, ALICE).is_typing);
}

#[test]
fn typing_ends_with_the_message() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);
    call.tell(ALICE, Command::Typing(true));

    call.tell(ALICE, Command::Say("done".to_owned()));

    assert!(!call.person(BOB, ALICE).is_typing);
}

#[test]
fn devices_are_seen_to_go_on_and_off() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.tell(ALICE, Command::SetMicrophone(true));
    call.tell(ALICE, Command::SetCamera(true));
    let on = call.person(BOB, ALICE);
    call.tell(ALICE, Command::SetMicrophone(false));

    assert!(on.microphone && on.camera);
    assert!(!call.person(BOB, ALICE).microphone);
}

#[test]
fn every_picture_reaches_everyone() {
    let mut call = Call::of(3);

    call.connect(ALICE, BOB);
    call.connect(ALICE, CAROL);

    for watcher in [ALICE, BOB, CAROL] {
        for publisher in [ALICE, BOB, CAROL] {
            let flows = call.watches(watcher, publisher, Kind::Camera);
            assert_eq!(flows, watcher != publisher, "{publisher} at {watcher}");
        }
    }
}

#[test]
fn a_screen_is_shared_and_put_away() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.tell(ALICE, Command::StartScreen);
    let shared = call.watches(BOB, ALICE, Kind::Screen);
    call.tell(ALICE, Command::StopScreen);

    assert!(shared);
    assert!(!call.watches(BOB, ALICE, Kind::Screen));
    assert_eq!(call.room(BOB).screens().count(), 0);
    assert!(call.watches(BOB, ALICE, Kind::Camera));
    let bell =
        |event: &Event| matches!(event, Event::ScreenStarted { .. } | Event::ScreenStopped { .. });
    assert_eq!(call.events(BOB).into_iter().filter(bell).count(), 2);
}

#[test]
fn a_screen_can_be_shared_a_second_time() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);
    call.tell(ALICE, Command::StartScreen);
    call.tell(ALICE, Command::StopScreen);

    call.tell(ALICE, Command::StartScreen);

    assert!(call.watches(BOB, ALICE, Kind::Screen));
}

#[test]
fn who_leaves_is_gone_at_once_and_on_purpose() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.tell(BOB, Command::Leave);

    assert_eq!(call.names(ALICE), ["alice@example.com"]);
    assert!(!call.watches(ALICE, BOB, Kind::Camera));
    assert!(
        call.events(ALICE).iter().any(|event| matches!(event, Event::Left { is_lost: false, .. }))
    );
    assert!(matches!(call.try_tell(BOB, Command::StartScreen), Err(Error::Left)));
}

#[test]
fn who_vanishes_is_gone_within_fifteen_seconds() {
    let mut call = Call::of(3);
    call.connect(ALICE, BOB);
    call.connect(ALICE, CAROL);
    call.pass(Duration::from_secs(20));

    call.vanish(BOB);
    call.pass(Duration::from_secs(8));

    for who in [ALICE, CAROL] {
        assert_eq!(call.names(who), ["alice@example.com", "carol@example.com"], "at {who}");
        assert!(!call.watches(who, BOB, Kind::Camera));
    }
    assert!(
        call.events(ALICE).iter().any(|event| matches!(event, Event::Left { is_lost: true, .. }))
    );
}

#[test]
fn a_picture_goes_on_while_the_link_is_away_for_a_moment() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    call.cut(ALICE, BOB);
    call.pass(Duration::from_secs(9));
    let meanwhile =
        (call.person(ALICE, BOB).is_reconnecting, call.watches(ALICE, BOB, Kind::Camera));
    call.connect(ALICE, BOB);
    call.pass(Duration::from_secs(30));

    assert_eq!(meanwhile, (true, true));
    assert!(!call.person(ALICE, BOB).is_reconnecting);
    assert!(call.watches(ALICE, BOB, Kind::Camera));
    assert!(!call.events(ALICE).iter().any(|event| matches!(event, Event::Left { .. })));
}

#[test]
fn a_picture_that_breaks_is_made_anew() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);
    let broken = call.incoming(BOB, ALICE, Kind::Camera).unwrap();

    call.break_media(BOB, broken);

    assert_ne!(call.incoming(BOB, ALICE, Kind::Camera), Some(broken));
    assert!(call.watches(BOB, ALICE, Kind::Camera));
}

#[test]
fn a_broken_frame_harms_nobody() {
    let mut call = Call::of(2);
    call.connect(ALICE, BOB);

    for length in 0..64 {
        call.garble(ALICE, length);
    }
    call.pass(Duration::from_secs(30));

    assert_eq!(call.names(ALICE)[0], "alice@example.com");
}

/// Rooms, wires between them, and browsers that connect whatever they are told to.
struct Call {
    now: Time,
    rooms: Vec<Seated>,
    dice: Dice,
}

struct Seated {
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
    fn of(count: usize) -> Self {
        let mut call = Self { now: Time::ZERO, rooms: Vec::new(), dice: Dice::new(Seed::story(7)) };
        for who in 0..count {
            let room = call.new_room(who);
            call.rooms.push(room);
        }
        call.settle();
        call
    }

    /// Gives a person a fresh seat, as if it had come just now.
    fn seat(&mut self, who: usize) {
        self.rooms[who] = self.new_room(who);
        self.settle();
    }

    fn new_room(&mut self, who: usize) -> Seated {
        let name = ["alice@example.com", "bob@example.com", "carol@example.com"][who];
        // Each came a little later than the one before, by clocks that agree.
        let clock = 1_000_000 + who as u64 + self.now.since_origin().as_millis() as u64;
        let founder = Trust::found(seed(0), Claim::default(), Bounds::default(), Timestamp(1));
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
    fn connect(&mut self, one: usize, other: usize) {
        let here = self.number(one);
        let there = self.number(other);
        self.rooms[one].wires.insert(here, (other, there));
        self.rooms[other].wires.insert(there, (one, here));
        self.input(one, up(here, other));
        self.input(other, up(there, one));
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
    fn cut(&mut self, one: usize, other: usize) {
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
    fn vanish(&mut self, who: usize) {
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
    fn break_media(&mut self, who: usize, media: MediaId) {
        self.rooms[who].flowing.remove(&media);
        self.input(who, Input::Media { media, report: Report::Failed });
        self.settle();
    }

    /// Noise arrives on the first link.
    fn garble(&mut self, who: usize, length: usize) {
        let Some(&link) = self.rooms[who].wires.keys().next() else { return };
        let frame = (0..length).map(|_| self.dice.below(256) as u8).collect();
        self.rooms[who].room.handle(self.now, Input::Received { link, frame }).ok();
        self.settle();
    }

    fn tell(&mut self, who: usize, command: Command) {
        self.try_tell(who, command).expect("nothing speaks against it");
    }

    fn try_tell(&mut self, who: usize, command: Command) -> Result<(), Error> {
        let told = self.rooms[who].room.handle(self.now, Input::Do(command));
        self.settle();
        told
    }

    fn vouch(&mut self, who: usize, whom: usize, user: &str) {
        let user = user.parse().expect("a user");
        self.tell(who, Command::Vouch { node: node(whom), user });
    }

    /// Several speak before anything reaches anybody.
    fn say_at_once(&mut self, said: &[(usize, &str)]) {
        for (who, text) in said {
            let said = Input::Do(Command::Say((*text).to_owned()));
            self.rooms[*who].room.handle(self.now, said).expect("a short text is said");
        }
        if said.len() > 1 {
            self.settle();
        }
    }

    /// Lets time go by, deadline by deadline.
    fn pass(&mut self, span: Duration) {
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
    fn settle(&mut self) {
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
                self.input(who, up(link, peer));
                self.input(peer, up(there, who));
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

    fn room(&self, who: usize) -> &Room {
        &self.rooms[who].room
    }

    fn events(&self, who: usize) -> Vec<Event> {
        self.rooms[who].events.clone()
    }

    fn names(&self, who: usize) -> Vec<String> {
        self.room(who).people().into_iter().map(|person| person.name).collect()
    }

    fn person(&self, at: usize, who: usize) -> Person {
        let people = self.room(at).people();
        people.into_iter().find(|person| person.node == node(who)).expect("is here")
    }

    fn texts(&self, who: usize) -> Vec<String> {
        let said = |what| match what {
            What::Said { text, .. } => Some(text),
            What::Joined { .. } | What::Left { .. } => None,
        };
        self.room(who).lines().filter_map(|line| said(line.what)).collect()
    }

    fn incoming(&self, at: usize, who: usize, kind: Kind) -> Option<MediaId> {
        self.room(at).incoming(StreamId { kind, publisher: node(who) })
    }

    /// Whether the stream is open at both ends.
    fn watches(&self, at: usize, who: usize, kind: Kind) -> bool {
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
fn up(link: LinkId, peer: usize) -> Input {
    let invited = Invited { invite: InviteId(peer as u64), claim: Claim::default() };
    Input::Up { link, peer: node(peer), binding: Vec::new(), invited: Some(invited) }
}
