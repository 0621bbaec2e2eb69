//! What a node asks of its driver and tells its application.

use std::collections::BTreeMap;
use std::time::Duration;

use node::{
    Command, Config, Error, Event, Input, Life, Listing, Misuse, Node, Output, Path, Resource,
};
use serde_json::{Value, json};
use trust::{Bounds, Claim, Keys, Trust};
use wire::{Dice, InviteId, LinkId, NodeId, Seed, Time, Timestamp};

#[test]
fn two_that_are_linked_see_each_other_and_what_each_has_written() {
    let mut pair = Pair::new();
    pair.create(0, "users/0000000000000001");
    pair.create(1, "users/0000000000000002");

    pair.link();

    for who in [0, 1] {
        assert!(pair.nodes[who].nodes().eq([name(0), name(1)]));
        let users = pair.nodes[who].list(&path("users"), Listing::default());
        let paths: Vec<Path> = users.iter().map(|entry| entry.path.clone()).collect();
        assert_eq!(paths, [path("users/0000000000000001"), path("users/0000000000000002")]);
    }
    let arrived = pair.events[0].iter().position(|event| *event == Event::Arrived(name(1)));
    let created = pair.events[0].iter().position(
        |event| matches!(event, Event::Created { by, path: at, .. } if *by == name(1) && *at == path("users/0000000000000002")),
    );
    assert!(arrived.is_some() && arrived < created, "{:?}", pair.events[0]);
}

#[test]
fn link_records_are_not_the_applications_affair() {
    let mut pair = Pair::linked();
    pair.pass(2);

    let touch = Command::Delete { path: path("links/0000000000000001") };
    assert_eq!(pair.tell(0, Input::Do(touch)), Err(Error::Misuse(Misuse::Reserved)));
    let is_arrival = |event: &Event| matches!(event, Event::Arrived(_));
    assert!(pair.events[0].iter().all(is_arrival), "{:?}", pair.events[0]);
}

#[test]
fn what_is_there_is_loaded_and_then_only_what_is_subscribed_to_is_told() {
    let mut pair = Pair::linked();
    for (at, text) in [("shared/board/a", "first"), ("shared/board", "the board")] {
        let value = json!({ "text": text });
        let create = Command::Create { path: path(at), value, life: Life::Lasting };
        pair.tell(0, Input::Do(create)).unwrap();
    }
    pair.events[1].clear();

    pair.tell(1, Input::Do(Command::Subscribe { path: path("shared/board") })).unwrap();
    for at in ["shared/board/b", "shared/boards"] {
        let create = Command::Create { path: path(at), value: json!({}), life: Life::Lasting };
        pair.tell(0, Input::Do(create)).unwrap();
    }
    let board = path("shared/board");
    pair.tell(1, Input::Do(Command::Unsubscribe { path: board.clone() })).unwrap();
    pair.tell(0, Input::Do(Command::Clear { path: board.clone() })).unwrap();

    let resource = |at: &str, text: &str| Resource {
        path: path(at),
        value: json!({ "text": text }),
        by: name(0),
    };
    let resources =
        vec![resource("shared/board/a", "first"), resource("shared/board", "the board")];
    let created = Event::Created { path: path("shared/board/b"), value: json!({}), by: name(0) };
    assert_eq!(pair.events[1], [Event::Loaded { path: board.clone(), resources }, created]);
    assert_eq!(pair.nodes[1].list(&board, Listing::default()), []);
    assert!(pair.nodes[1].get(&board).is_some());
    let again = pair.tell(1, Input::Do(Command::Unsubscribe { path: board }));
    assert_eq!(again, Err(Error::Misuse(Misuse::NotSubscribed)));
}

#[test]
fn a_node_is_ready_once_when_it_has_what_others_had_or_nobody_came() {
    let mut pair = Pair::linked();
    assert_eq!((pair.ready, pair.now.since_origin().as_secs()), ([1, 1], 1));

    pair.pass(5);
    pair.unlink();
    pair.link();
    assert_eq!(pair.ready, [1, 1]);

    let mut alone = Pair::new();
    alone.pass(2);
    assert_eq!(alone.ready, [0, 0]);
    alone.pass(2);
    assert_eq!(alone.ready, [1, 1]);
    assert!(alone.nodes.iter().all(Node::is_ready));
}

#[test]
fn what_the_rules_do_not_let_us_write_is_refused() {
    let mut pair = Pair::linked();
    let create =
        |at: &str, life| Input::Do(Command::Create { path: path(at), value: json!({}), life });

    for (at, life) in [
        ("users/0000000000000002", Life::Ephemeral),
        ("users/0000000000000001", Life::Lasting),
        ("nowhere", Life::Lasting),
    ] {
        assert_eq!(pair.tell(0, create(at, life)), Err(Error::Misuse(Misuse::NotOurs)), "{at}");
    }
}

#[test]
fn a_notice_goes_to_all_or_to_one() {
    let mut pair = Pair::linked();

    for to in [None, Some(name(1)), Some(name(0))] {
        let notify = Command::Notify { path: path("typing"), data: json!({ "on": true }), to };
        pair.tell(0, Input::Do(notify)).unwrap();
    }

    let notice = Event::Notice { path: path("typing"), data: json!({ "on": true }), from: name(0) };
    let count = |who: usize| pair.events[who].iter().filter(|event| **event == notice).count();
    assert_eq!((count(0), count(1)), (1, 2));
}

#[test]
fn a_notice_to_nobody_comes_back() {
    let mut pair = Pair::linked();

    let to = Some(NodeId(9));
    let notify = Command::Notify { path: path("typing"), data: json!({}), to };
    pair.tell(0, Input::Do(notify)).unwrap();
    pair.pass(6);

    let undelivered = Event::Undelivered { path: path("typing"), to: NodeId(9) };
    assert!(pair.events[0].contains(&undelivered));
}

#[test]
fn a_notice_that_somebody_says_again_is_not_heard_again_however_late() {
    let mut pair = Pair::linked();
    let numbers = 0..400;
    for number in numbers.clone() {
        pair.notify(0, json!({ "number": number }), Some(name(1)));
    }
    pair.pass(1);
    let letters: Vec<Vec<u8>> = pair
        .sent
        .iter()
        .filter(|(from, frame)| *from == 0 && frame[0] == UNICAST)
        .map(|(_, frame)| frame.clone())
        .collect();
    assert!(letters.len() >= numbers.len());

    for frame in letters {
        pair.tell(1, Input::Received { link: pair.link, frame }).unwrap();
    }

    let heard = pair.events[1].iter().filter(|event| matches!(event, Event::Notice { .. }));
    assert_eq!(heard.count(), numbers.len());
}

#[test]
fn whoever_is_loaded_anew_with_its_calendar_put_back_is_heard() {
    let mut pair = Pair::new();
    let soon = Timestamp(NOON.0 + 30_000);
    for clock in [soon, NOON] {
        pair.nodes[1] = node_at(1, clock);
        pair.link();
        for to in [None, Some(name(0))] {
            pair.notify(1, json!({ "at": clock.0 }), to);
        }
        pair.pass(2);
        pair.unlink();
    }

    let heard = pair.events[0].iter().filter(|event| matches!(event, Event::Notice { .. }));
    assert_eq!(heard.count(), 4, "{:?}", pair.events[0]);
}

#[test]
fn leaving_takes_along_what_is_ephemeral_and_ends_everything() {
    let mut pair = Pair::linked();
    pair.create(0, "users/0000000000000001");
    let said = Command::Add { path: path("messages"), value: json!({}), life: Life::Lasting };
    pair.tell(0, Input::Do(said)).unwrap();

    pair.tell(0, Input::Do(Command::Leave)).unwrap();

    assert_eq!(pair.events[0].last(), Some(&Event::Closed));
    assert_eq!(pair.events[1].last(), Some(&Event::Gone(name(0))));
    assert_eq!(pair.nodes[1].get(&path("users/0000000000000001")), None);
    assert_eq!(pair.nodes[1].list(&path("messages"), Listing::default()).len(), 1);
    assert_eq!(pair.tell(0, Input::Timeout), Err(Error::Misuse(Misuse::Left)));
    assert_eq!(pair.nodes[0].timeout(), None);
    assert!(pair.hung.contains(&(0, LinkId(1))));
}

#[test]
fn a_lost_link_that_is_soon_replaced_makes_nobody_leave() {
    let mut pair = Pair::linked();

    pair.unlink();
    pair.pass(2);
    pair.link();
    pair.pass(10);

    assert!(!pair.events[0].contains(&Event::Gone(name(1))));
}

#[test]
fn whoever_has_lost_all_links_asks_for_others_before_they_are_gone() {
    let sought = Event::Parted { from: name(1) };
    let mut pair = Pair::linked();

    pair.unlink();
    pair.pass(2);

    assert!(pair.events[0].contains(&sought) && !pair.events[0].contains(&Event::Gone(name(1))));
    pair.link();
    pair.pass(60);
    assert_eq!(pair.events[0].iter().filter(|event| **event == sought).count(), 1);
}

#[test]
fn whoever_is_lost_is_sought_by_another_way_and_whoever_left_is_not() {
    let sought = Event::Parted { from: name(1) };
    let mut pair = Pair::linked();
    pair.unlink();
    pair.pass(200);
    let seeks = pair.events[0].iter().filter(|event| **event == sought).count();
    assert_eq!(seeks, 8, "every twenty seconds, and every forty later");
    let others = pair.events[1].iter().filter(|event| matches!(event, Event::Parted { .. }));
    assert_eq!(others.count(), 8, "both know the way");
    pair.link();
    pair.pass(60);
    assert_eq!(pair.events[0].iter().filter(|event| **event == sought).count(), seeks);

    let mut pair = Pair::linked();
    pair.tell(0, Input::Do(Command::Leave)).unwrap();
    for _ in 0..60 {
        pair.now = pair.now + Duration::from_secs(1);
        pair.nodes[1].handle(pair.now, Input::Timeout).unwrap();
        while let Some(output) = pair.nodes[1].poll() {
            assert!(!matches!(output, Output::Event(Event::Parted { .. })));
        }
    }
}

#[test]
fn whoever_stays_away_goes_and_comes_back_with_all_that_was_there() {
    let mut pair = Pair::linked();
    pair.create(1, "users/0000000000000002");

    pair.unlink();
    pair.pass(5);
    assert_eq!(pair.nodes[0].get(&path("users/0000000000000002")), None);
    pair.link();

    assert_eq!(pair.nodes[0].get(&path("users/0000000000000002")), Some(json!({})));
    let mut told = pair.events[0]
        .iter()
        .filter(|event| !matches!(event, Event::Arrived(_) | Event::Parted { .. }));
    assert!(matches!(told.next(), Some(Event::Created { .. })));
    assert_eq!(told.next(), Some(&Event::Gone(name(1))));
    assert!(matches!(told.next(), Some(Event::Deleted { by, .. }) if *by == name(1)));
    assert!(matches!(told.next(), Some(Event::Created { .. })));
    assert_eq!(told.next(), None);
}

#[test]
fn the_lower_of_two_strangers_dials() {
    let mut three = Three::in_a_row();

    three.pass(1);
    let (link, peer) = three.dialled.expect("node 1 sees node 3 behind node 2");
    assert_eq!(peer, name(2));
    three.describe(0, link, "the offer");
    let (link, offer) = three.asked.clone().expect("node 3 is asked for an answer");
    assert_eq!(offer, "the offer");
    three.describe(2, link, "the answer");

    assert_eq!(three.applied.as_deref(), Some("the answer"));
}

#[test]
fn dialling_that_fails_is_tried_again_ever_more_slowly() {
    let mut three = Three::in_a_row();
    let mut dials = Vec::new();

    for _ in 0..400 {
        three.pass(1);
        if let Some((link, _)) = three.dialled.take() {
            dials.push(three.now);
            three.undescribe(0, link);
        }
    }

    assert_eq!(dials.len(), Config::default().tries_max as usize);
    let pauses: Vec<Duration> = dials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[0] < Duration::from_secs(3), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(46)), "{pauses:?}");
    assert!(*pauses.last().unwrap() >= Duration::from_secs(16), "{pauses:?}");
}

#[test]
fn an_answer_that_was_not_asked_for_changes_nothing() {
    let mut pair = Pair::linked();

    let strange = Input::Described { link: LinkId(77), description: "?".to_owned() };
    assert_eq!(pair.tell(0, strange), Err(Error::Misuse(Misuse::UnknownLink)));
    let unasked = up(0, LinkId(node::FIRST_OWN_LINK.0 + 5), 1);
    assert_eq!(pair.tell(0, unasked), Err(Error::Misuse(Misuse::UnknownLink)));

    assert!(pair.nodes[0].nodes().eq([name(0), name(1)]));
}

#[test]
fn altered_frames_never_harm() {
    let mut dice = Dice::new(Seed::story(3));
    for round in 0..300 {
        let mut pair = Pair::new();
        pair.create(0, "users/0000000000000001");
        pair.create(1, "users/0000000000000002");
        pair.spoil = Some(Dice::new(Seed::story(round)));

        pair.link();
        for _ in 0..dice.below(20) {
            let who = dice.below(2) as usize;
            let add = Command::Add {
                path: path("shared/m"),
                value: json!({ "n": 1 }),
                life: Life::Lasting,
            };
            // A node whose link was hung up still writes for itself.
            pair.tell(who, Input::Do(add)).unwrap();
        }

        let weight = pair.nodes[0].weight();
        assert!(weight.entries < 100, "{weight:?} in round {round}");
    }
}

/// A path in which 1 and 2, written out, stand for the names of the first two nodes.
fn path(text: &str) -> Path {
    let named = |text: String, who: usize| {
        text.replace(&format!("{:016}", who + 1), &name(who).to_string())
    };
    (0..2).fold(text.to_owned(), named).parse().expect("tests name paths well")
}

/// With what a frame to one begins.
const UNICAST: u8 = 2;

const NOON: Timestamp = Timestamp(1_793_000_000_000);

/// The seeds of nodes whose names rise.
fn seeds() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = (0..5).map(Seed::story).collect();
    seeds.sort_by_key(|seed| Keys::new(*seed).public().node());
    seeds
}

fn name(who: usize) -> NodeId {
    Keys::new(seeds()[who]).public().node()
}

/// The first founds the conference that the others want to take part in.
fn node(who: usize) -> Node {
    node_at(who, NOON)
}

/// The same, whose calendar says `clock` as it begins.
fn node_at(who: usize, clock: Timestamp) -> Node {
    let founder = Trust::found(seeds()[0], Claim::default(), Bounds::default(), NOON);
    let trust = match who {
        0 => founder,
        _ => Trust::apply(seeds()[who], founder.conference().clone()),
    };
    let seed = Seed::story(who as u64);
    let mut node = Node::new(Config::default(), Time::ZERO, clock, trust, seed);
    for list in ["users", "messages"] {
        let subscribe = Command::Subscribe { path: path(list) };
        node.handle(Time::ZERO, Input::Do(subscribe)).expect("anybody may subscribe");
        let loaded = Event::Loaded { path: path(list), resources: Vec::new() };
        assert_eq!(node.poll(), Some(Output::Event(loaded)));
    }
    node
}

/// A link to `peer`, invited by whoever has the lower number.
fn up(me: usize, link: LinkId, peer: usize) -> Input {
    let invite = (me < peer).then_some(InviteId(peer as u64));
    Input::Up { link, peer: name(peer), binding: Vec::new(), claim: Claim::default(), invite }
}

/// Nodes 1 and 2, and a link that carries at once.
struct Pair {
    now: Time,
    nodes: [Node; 2],
    link: LinkId,
    events: [Vec<Event>; 2],
    /// How often each was told that all is here.
    ready: [u32; 2],
    hung: Vec<(usize, LinkId)>,
    /// All frames, by who sent them.
    sent: Vec<(usize, Vec<u8>)>,
    /// Alters one byte of every tenth frame.
    spoil: Option<Dice>,
}

impl Pair {
    fn new() -> Self {
        Self {
            now: Time::ZERO,
            nodes: [node(0), node(1)],
            link: LinkId(0),
            events: [Vec::new(), Vec::new()],
            ready: [0, 0],
            hung: Vec::new(),
            sent: Vec::new(),
            spoil: None,
        }
    }

    fn linked() -> Self {
        let mut pair = Self::new();
        pair.link();
        pair
    }

    fn link(&mut self) {
        self.link = LinkId(self.link.0 + 1);
        let link = self.link;
        // Both ends are open before either reads.
        self.nodes[1].handle(self.now, up(1, link, 0)).expect("a link opens");
        self.tell(0, up(0, link, 1)).expect("a link opens");
        self.pass(1);
    }

    fn unlink(&mut self) {
        for who in [0, 1] {
            self.tell(who, Input::Down { link: self.link }).expect("a link closes");
        }
    }

    fn create(&mut self, who: usize, at: &str) {
        let create = Command::Create { path: path(at), value: json!({}), life: Life::Ephemeral };
        self.tell(who, Input::Do(create)).expect("there is nothing yet");
        self.events[who].clear();
    }

    fn notify(&mut self, who: usize, data: Value, to: Option<NodeId>) {
        let notify = Command::Notify { path: path("typing"), data, to };
        self.tell(who, Input::Do(notify)).expect("it is an object");
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.now = self.now + Duration::from_millis(100);
            for who in [0, 1] {
                // One that has left refuses, as it should.
                self.tell(who, Input::Timeout).ok();
            }
        }
    }

    /// Lets one take an input in, and carries frames until both are silent.
    fn tell(&mut self, who: usize, input: Input) -> Result<(), Error> {
        let result = self.nodes[who].handle(self.now, input);
        let mut quiet = 0;
        let mut me = who;
        while quiet < 2 {
            quiet += 1;
            while let Some(output) = self.nodes[me].poll() {
                match output {
                    Output::Send { link, mut frame } => {
                        quiet = 0;
                        self.sent.push((me, frame.clone()));
                        if let Some(dice) = &mut self.spoil
                            && dice.below(10) == 0
                        {
                            let at = dice.below(frame.len() as u64) as usize;
                            frame[at] ^= 1 << dice.below(8);
                        }
                        let received = Input::Received { link, frame };
                        let taken = self.nodes[1 - me].handle(self.now, received);
                        assert!(self.spoil.is_some() || taken.is_ok(), "{taken:?}");
                    }
                    Output::Event(Event::Ready) => self.ready[me] += 1,
                    Output::Event(event) => self.events[me].push(event),
                    Output::Hang { link } => self.hung.push((me, link)),
                    Output::Flush { link } => {
                        let flushed = self.nodes[me].handle(self.now, Input::Flushed { link });
                        assert_eq!(flushed, Ok(()));
                    }
                    Output::Dial { .. } | Output::Answer { .. } | Output::Apply { .. } => {}
                }
            }
            me = 1 - me;
        }
        result
    }
}

/// Nodes 1, 2 and 3, linked in a row.
struct Three {
    now: Time,
    nodes: Vec<Node>,
    ends: BTreeMap<(usize, LinkId), usize>,
    dialled: Option<(LinkId, NodeId)>,
    asked: Option<(LinkId, String)>,
    applied: Option<String>,
}

impl Three {
    fn in_a_row() -> Self {
        let mut three = Self {
            now: Time::ZERO,
            nodes: (0..3).map(node).collect(),
            ends: BTreeMap::new(),
            dialled: None,
            asked: None,
            applied: None,
        };
        for (link, one, other) in [(1, 0, 1), (2, 1, 2)] {
            let link = LinkId(link);
            for (me, peer) in [(one, other), (other, one)] {
                three.ends.insert((me, link), peer);
                three.nodes[me].handle(three.now, up(me, link, peer)).expect("a link opens");
            }
        }
        three.carry();
        three
    }

    fn describe(&mut self, who: usize, link: LinkId, description: &str) {
        let described = Input::Described { link, description: description.to_owned() };
        self.nodes[who].handle(self.now, described).expect("it was asked for");
        self.carry();
    }

    fn undescribe(&mut self, who: usize, link: LinkId) {
        self.nodes[who].handle(self.now, Input::Undescribed { link }).expect("it was asked for");
        self.carry();
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.now = self.now + Duration::from_millis(100);
            for node in &mut self.nodes {
                node.handle(self.now, Input::Timeout).expect("time passes");
            }
            self.carry();
        }
    }

    fn carry(&mut self) {
        let mut me = 0;
        let mut quiet = 0;
        while quiet < self.nodes.len() {
            quiet += 1;
            while let Some(output) = self.nodes[me].poll() {
                match output {
                    Output::Send { link, frame } => {
                        quiet = 0;
                        let peer = self.ends[&(me, link)];
                        let received = Input::Received { link, frame };
                        self.nodes[peer].handle(self.now, received).expect("frames are good");
                    }
                    Output::Dial { link, peer } => self.dialled = Some((link, peer)),
                    Output::Answer { link, offer, .. } => self.asked = Some((link, offer)),
                    Output::Apply { answer, .. } => self.applied = Some(answer),
                    Output::Flush { link } => {
                        let flushed = self.nodes[me].handle(self.now, Input::Flushed { link });
                        assert_eq!(flushed, Ok(()));
                    }
                    Output::Hang { .. } | Output::Event(_) => {}
                }
            }
            me = (me + 1) % self.nodes.len();
        }
    }
}
