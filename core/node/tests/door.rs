//! Who is let in, who is not, and what becomes of what they said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use node::{
    Command, Config, Error, Event, Input, Life, Listing, Misuse, Node, Output, Path, Reason,
};
use serde_json::json;
use trust::{Admission, Bounds, Certificate, Claim, Purpose, Trust};
use wire::{InviteId, LinkId, NodeId, Seed, Time, Timestamp};

const NOON: Timestamp = Timestamp(1_793_000_000_000);

#[test]
fn a_stranger_at_the_door_learns_nothing_and_is_sent_away() {
    let mut hall = Hall::of(2);
    hall.link(0, 1, true);
    hall.say(0, "among us");

    hall.link(0, 2, false);
    hall.pass(10);

    assert_eq!(hall.turned_away(2), [(hall.name(0), Reason::Stranger)]);
    assert!(hall.is_hung(0, 2), "the link is closed");
    assert_eq!(hall.lines(2), 0);
    let present: Vec<NodeId> = hall.nodes[0].nodes().collect();
    assert!(!present.contains(&hall.name(2)), "{present:?}");
    // What it was told, each second anew, is who is there and what our roll comes to.
    assert!(hall.bytes_to(2) < 9 * 100, "{}", hall.bytes_to(2));
}

#[test]
fn whoever_came_by_a_long_row_of_invites_proves_it_to_all() {
    let mut hall = Hall::in_a_row(400);

    hall.link(0, 1, false);
    hall.pass(10);

    assert!(hall.nodes[0].neighbours().contains(&hall.name(1)));
    assert!(hall.nodes[1].neighbours().contains(&hall.name(0)));
}

#[test]
fn whoever_relays_the_words_of_two_others_is_found_out_by_the_channel() {
    for is_told in [true, false] {
        let mut hall = Hall::of(2);
        // In the middle sits somebody with a channel to each; whom they mean to speak to is as it was.
        let (mine, theirs) = (b"A B".to_vec(), if is_told { b"A B" } else { b"C B" }.to_vec());
        hall.link_bound(0, 1, true, [mine, theirs]);
        hall.pass(10);

        let is_in = hall.nodes[0].neighbours().contains(&hall.name(1));
        assert_eq!(is_in, is_told, "with the same channel: {is_told}");
        assert_eq!(hall.is_hung(0, 1), !is_told);
    }
}

#[test]
fn an_invite_lets_in_one_and_no_other() {
    let mut hall = Hall::of(3);
    hall.link_by(0, 1, 7);
    hall.link_by(0, 2, 7);
    hall.pass(10);

    assert_eq!(hall.turned_away(2), [(hall.name(0), Reason::Full)]);
    assert_eq!(hall.turned_away(1), []);
}

#[test]
fn whoever_is_put_out_goes_with_all_it_let_in_and_nothing_is_seen_of_what_they_said() {
    let mut hall = Hall::of(5);
    for (one, other) in [(0, 1), (1, 2), (0, 3)] {
        hall.link(one, other, true);
        hall.pass(2);
    }
    for who in [0, 1, 2, 3] {
        hall.say(who, "hello");
    }
    hall.pass(2);
    assert_eq!([0, 1, 2, 3].map(|who| hall.lines(who)), [4; 4]);

    let out = hall.name(1);
    assert_eq!(
        hall.tell(3, Input::Do(Command::PutOut(out))),
        Err(Error::Misuse(Misuse::NotFounder))
    );
    hall.tell(0, Input::Do(Command::PutOut(out))).expect("the founder may");
    hall.pass(1);

    // All hear of it at once, they too.
    assert_eq!(hall.turned_away(1), [(out, Reason::PutOut)]);
    assert_eq!(hall.turned_away(2).len(), 1);
    assert_eq!([0, 3].map(|who| hall.lines(who)), [2; 2]);
    let gone = |who: usize| hall.deleted[&who].len();
    assert_eq!([0, 3].map(gone), [2; 2], "they are told to applications as deletions");
    for who in [0, 3] {
        let here: BTreeSet<NodeId> = hall.nodes[who].nodes().collect();
        assert_eq!(here, BTreeSet::from([hall.name(0), hall.name(3)]));
    }
    // One who comes later sees neither.
    hall.link(3, 4, true);
    hall.pass(4);
    assert_eq!(hall.lines(4), 2);
    // And they do not come back, by whatever way.
    hall.link(3, 1, true);
    hall.link(0, 2, true);
    hall.pass(10);
    assert!(hall.turned_away(1).contains(&(hall.name(3), Reason::PutOut)));
    assert!(hall.turned_away(2).contains(&(hall.name(0), Reason::PutOut)));
    assert_eq!(hall.lines(4), 2);
    assert_eq!(hall.nodes[0].digest(), hall.nodes[3].digest(), "they keep the same");
}

#[test]
fn whoever_was_put_out_is_not_looked_for_and_whoever_was_lost_is() {
    for is_put_out in [true, false] {
        let mut hall = Hall::of(3);
        hall.link(0, 1, true);
        hall.link(0, 2, true);
        hall.pass(2);

        let out = hall.name(1);
        if is_put_out {
            hall.tell(0, Input::Do(Command::PutOut(out))).expect("the founder may");
        } else {
            hall.cut(0, 1);
        }
        hall.pass(60);

        let sought = |who: usize| hall.events[who].contains(&Event::Parted { from: out });
        assert_eq!([0, 2].map(sought), [!is_put_out; 2], "put out: {is_put_out}");
    }
}

#[test]
fn nobody_says_to_all_what_another_said_once_or_never() {
    let mut hall = Hall::of(3);
    hall.link(0, 1, true);
    hall.link(1, 2, true);
    hall.pass(4);
    hall.heard_by = Some(2);
    hall.notify(0, "shared/typing");
    assert_eq!(hall.notices(2), 1);
    let said = hall.frames.clone();
    let notice = said.iter().find(|frame| frame.windows(6).any(|word| word == b"typing"));
    let notice = notice.expect("it passed over the link").clone();

    // The neighbour says it again under other numbers, and with other words.
    let link = hall.link_between(1, 2);
    for number in 1..100 {
        let mut again = notice.clone();
        // The number of the cast follows the kind of frame and its author.
        again[9] = again[9] & 0x80 | number;
        hall.nodes[2].handle(hall.now, Input::Received { link, frame: again }).ok();
        let mut altered = notice.clone();
        let at = altered.windows(6).position(|word| word == b"typing").expect("it is there");
        (altered[9], altered[at]) = (altered[9] & 0x80 | number, b'T');
        hall.nodes[2].handle(hall.now, Input::Received { link, frame: altered }).ok();
        hall.drain(2);
    }

    assert_eq!(hall.notices(2), 1);
}

#[test]
fn what_is_private_is_kept_by_all_and_read_by_one() {
    let mut hall = Hall::of(4);
    for (one, other) in [(0, 1), (0, 2)] {
        hall.link(one, other, true);
        hall.pass(2);
    }
    let list = path(&format!("private/{}", hall.name(2)));
    hall.tell(2, Input::Do(Command::Subscribe { path: list.clone() })).expect("anybody may");
    let secret = json!({ "text": "for your eyes only" });
    let life = Life::Lasting;
    let add = |path, value| Input::Do(Command::Add { path, value, life });
    hall.tell(1, add(list.clone(), secret.clone())).expect("anybody may");
    // One who comes when its author is gone has it too.
    hall.tell(1, Input::Do(Command::Leave)).expect("one may always leave");
    hall.link(0, 3, true);
    hall.pass(4);

    let told = hall.events[2].iter().find_map(|event| {
        let Event::Created { value, .. } = event else { return None };
        Some(value.clone())
    });
    assert_eq!(told, Some(secret.clone()));
    for (who, is_reader) in [(0, false), (2, true), (3, false)] {
        let listed = hall.nodes[who].list(&list, Listing::default());
        assert_eq!(listed.len(), 1, "{who}");
        assert_eq!(listed[0].value() == secret, is_reader, "{who}: {:?}", listed[0].json);
        assert!(is_reader || !listed[0].json.contains("eyes"));
        let value = hall.nodes[who].get(&listed[0].path);
        assert_eq!(value == Some(secret.clone()), is_reader, "{who}");
    }
    let nobody = add(path("private/0000000000000001"), secret);
    assert_eq!(hall.tell(0, nobody), Err(Error::Misuse(Misuse::NoAddressee)));
}

#[test]
fn whoever_has_missed_who_came_asks_when_it_is_told_what_they_said() {
    let mut hall = Hall::of(3);
    hall.link(0, 1, true);
    hall.pass(2);
    hall.deaf = Some(1);
    hall.link(0, 2, true);
    hall.say(2, "hello");
    hall.pass(1);
    hall.deaf = None;
    assert_eq!((hall.lines(0), hall.lines(1)), (1, 0));

    // Two beats until what differs is compared, and what it takes to ask and be told.
    hall.pass(3);

    assert_eq!(hall.lines(1), 1);
}

#[test]
fn a_large_roll_is_told_once_and_no_faster_than_the_link_takes_it() {
    const MEMBERS: u64 = 1_500;
    let mut hall = Hall::among(2, MEMBERS);
    hall.is_slow = true;

    hall.link(0, 1, true);
    hall.pass(4);

    // However long the link takes it, and however often the newcomer says that it waits.
    let window = Config::default().mesh.window_bytes;
    assert!((window..2 * window).contains(&hall.bytes_to(1)), "{}", hall.bytes_to(1));
    assert!(!hall.nodes[0].neighbours().contains(&hall.name(1)));

    hall.is_slow = false;
    hall.flush();
    hall.pass(1);

    assert!(hall.nodes[0].neighbours().contains(&hall.name(1)));
    assert!(hall.nodes[1].neighbours().contains(&hall.name(0)));
    let once = MEMBERS as usize * 200;
    assert!((once / 2..once).contains(&hall.bytes_to(1)), "{}", hall.bytes_to(1));
}

/// Nodes and the links between them, which carry at once.
struct Hall {
    now: Time,
    nodes: Vec<Node>,
    /// Whose link leads to whom, under which number; each number is used once.
    ends: BTreeMap<LinkId, (usize, usize)>,
    hung: BTreeSet<(usize, usize)>,
    events: Vec<Vec<Event>>,
    /// How many lines each saw go.
    deleted: BTreeMap<usize, Vec<Path>>,
    bytes: BTreeMap<usize, usize>,
    /// Whose frames are kept.
    heard_by: Option<usize>,
    frames: Vec<Vec<u8>>,
    invites: u64,
    /// To whom nothing comes that is said to all.
    deaf: Option<usize>,
    /// Whether links do not take what is sent, and who waits for that.
    is_slow: bool,
    waiting: BTreeSet<(usize, LinkId)>,
}

impl Hall {
    /// A founder, `size` − 1 who would like to take part, and one more, who knows the name of the conference.
    fn of(size: usize) -> Self {
        Self::among(size, 0)
    }

    /// The same, and the founder has let in so many others before.
    fn among(size: usize, others: u64) -> Self {
        let bounds = Bounds { members_max: u16::MAX, invites_max: u16::MAX, ..Bounds::default() };
        let bounds = if others == 0 { Bounds::default() } else { bounds };
        let mut founder = Trust::found(Seed::story(0), Claim::default(), bounds, NOON);
        for other in 0..others {
            let guest = Trust::apply(Seed::story(10_000 + other), founder.conference().clone());
            let invite = InviteId(10_000 + other);
            founder.admit(NOON, guest.keys(), Claim::default(), invite).expect("there is room");
        }
        let conference = founder.conference().clone();
        let apply = |who: u64| Trust::apply(Seed::story(who), conference.clone());
        Self::with(std::iter::once(founder).chain((1..=size as u64).map(apply)))
    }

    /// The last of so many of whom each invited the next, and the founder, who has invited somebody else since.
    fn in_a_row(count: u64) -> Self {
        let bounds = Bounds { members_max: u16::MAX, ..Bounds::default() };
        let mut founder = Trust::found(Seed::story(0), Claim::default(), bounds, NOON);
        let apply = |who: u64| Trust::apply(Seed::story(who), founder.conference().clone());
        let guests: Vec<Trust> = (1..=count + 1).map(apply).collect();
        let inviters = std::iter::once(&founder).chain(&guests);
        let certificate = |(at, (inviter, guest)): (u64, (&Trust, &Trust))| {
            let (keys, invite) = (guest.keys(), InviteId(at));
            let issued = Timestamp(NOON.0 + 1 + at);
            let claim = Claim::default();
            let admission = Admission { keys, claim, inviter: inviter.me(), invite, issued };
            let signature = inviter.sign(Purpose::Certificate, &admission.to_bytes());
            Certificate { admission, signature }
        };
        let row = (0..).zip(inviters.zip(&guests)).map(certificate);
        let row: Vec<Certificate> = row.take(count as usize).collect();
        founder.learn(row.clone(), Vec::new());
        let mut last = guests.into_iter().nth(count as usize - 1).expect("there are as many");
        let charter = founder.roll().expect("a founder knows").charter().clone();
        assert!(last.take_charter(charter));
        last.learn(row, Vec::new());
        let other = Trust::apply(Seed::story(1_000), founder.conference().clone());
        let now = Timestamp(NOON.0 + 1_000);
        founder.admit(now, other.keys(), Claim::default(), InviteId(1_000)).expect("there is room");
        Self::with([founder, last])
    }

    fn with(trusts: impl IntoIterator<Item = Trust>) -> Self {
        let node = |(who, trust): (u64, Trust)| {
            let mut node =
                Node::new(Config::default(), Time::ZERO, NOON, trust, Seed::story(100 + who));
            let subscribe = Command::Subscribe { path: path("messages") };
            node.handle(Time::ZERO, Input::Do(subscribe)).expect("anybody may subscribe");
            node
        };
        let nodes: Vec<Node> = (0_u64..).zip(trusts).map(node).collect();
        Self {
            now: Time::ZERO,
            events: nodes.iter().map(|_| Vec::new()).collect(),
            deleted: (0..nodes.len()).map(|who| (who, Vec::new())).collect(),
            nodes,
            ends: BTreeMap::new(),
            hung: BTreeSet::new(),
            bytes: BTreeMap::new(),
            heard_by: None,
            frames: Vec::new(),
            invites: 100,
            deaf: None,
            is_slow: false,
            waiting: BTreeSet::new(),
        }
    }

    fn name(&self, who: usize) -> NodeId {
        self.nodes[who].me()
    }

    fn link(&mut self, one: usize, other: usize, is_invited: bool) {
        self.invites += 1;
        let invite = is_invited.then_some(self.invites);
        self.open(one, other, invite, [Vec::new(), Vec::new()]);
    }

    fn link_by(&mut self, one: usize, other: usize, invite: u64) {
        self.open(one, other, Some(invite), [Vec::new(), Vec::new()]);
    }

    fn link_bound(&mut self, one: usize, other: usize, is_invited: bool, bindings: [Vec<u8>; 2]) {
        self.open(one, other, is_invited.then_some(1), bindings);
    }

    /// Opens a link whose first end invited the second one, if by an invite.
    fn open(&mut self, one: usize, other: usize, invite: Option<u64>, bindings: [Vec<u8>; 2]) {
        let link = LinkId(self.ends.len() as u64 + 1);
        self.ends.insert(link, (one, other));
        self.hung.remove(&(one, other));
        let [mine, theirs] = bindings;
        let up = |peer, binding, invite| Input::Up {
            link,
            peer: self.name(peer),
            binding,
            claim: Claim::default(),
            invite,
        };
        let (back, there) = (up(one, theirs, None), up(other, mine, invite.map(InviteId)));
        self.nodes[other].handle(self.now, back).expect("a link opens");
        self.tell(one, there).expect("a link opens");
    }

    /// The link of two breaks, and both notice.
    fn cut(&mut self, one: usize, other: usize) {
        let link = self.link_between(one, other);
        self.hung.insert((one, other));
        for who in [one, other] {
            self.tell(who, Input::Down { link }).expect("it was open");
        }
    }

    fn link_between(&self, one: usize, other: usize) -> LinkId {
        let found = self.ends.iter().find(|(_, ends)| **ends == (one, other));
        *found.expect("they are linked").0
    }

    fn say(&mut self, who: usize, text: &str) {
        let (path, value) = (path("messages"), json!({ "text": text }));
        let add = Command::Add { path, value, life: Life::Lasting };
        self.tell(who, Input::Do(add)).expect("anybody may say something");
    }

    fn notify(&mut self, who: usize, at: &str) {
        let notify = Command::Notify { path: path(at), data: json!({ "on": true }), to: None };
        self.tell(who, Input::Do(notify)).expect("anybody may");
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.now = self.now + Duration::from_millis(100);
            for who in 0..self.nodes.len() {
                // One that has left refuses, as it should.
                self.tell(who, Input::Timeout).ok();
            }
        }
    }

    fn tell(&mut self, who: usize, input: Input) -> Result<(), Error> {
        let result = self.nodes[who].handle(self.now, input);
        while (0..self.nodes.len()).any(|who| self.drain(who)) {}
        result
    }

    /// Carries out what one wants; whether there was anything.
    fn drain(&mut self, me: usize) -> bool {
        let mut is_busy = false;
        while let Some(output) = self.nodes[me].poll() {
            is_busy = true;
            match output {
                Output::Send { link, frame } => self.carry(me, link, frame),
                Output::Hang { link } => {
                    // Others are links that the nodes would open themselves, if they had a driver.
                    let Some(&(one, other)) = self.ends.get(&link) else { continue };
                    if self.hung.insert((one, other)) {
                        let far = if me == one { other } else { one };
                        self.nodes[far].handle(self.now, Input::Down { link }).ok();
                    }
                }
                Output::Flush { link } if self.is_slow => {
                    self.waiting.insert((me, link));
                }
                Output::Flush { link } => {
                    self.nodes[me].handle(self.now, Input::Flushed { link }).expect("it is open");
                }
                Output::Event(Event::Deleted { path, .. }) => {
                    self.deleted.entry(me).or_default().push(path);
                }
                Output::Event(event) => self.events[me].push(event),
                Output::Dial { .. } | Output::Answer { .. } | Output::Apply { .. } => {}
            }
        }
        is_busy
    }

    /// Links have taken all that was sent.
    fn flush(&mut self) {
        for (who, link) in std::mem::take(&mut self.waiting) {
            self.tell(who, Input::Flushed { link }).expect("it is open");
        }
    }

    fn carry(&mut self, from: usize, link: LinkId, frame: Vec<u8>) {
        let (one, other) = self.ends[&link];
        if self.hung.contains(&(one, other)) {
            return;
        }
        let to = if from == one { other } else { one };
        *self.bytes.entry(to).or_default() += frame.len();
        if self.heard_by == Some(to) {
            self.frames.push(frame.clone());
        }
        let is_to_all =
            matches!(mesh::glance(&frame), mesh::Glance::Cast { .. } | mesh::Glance::Hint);
        if is_to_all && self.deaf == Some(to) {
            return;
        }
        // Who is refused may be told so in an error; what follows is what the tests look at.
        self.nodes[to].handle(self.now, Input::Received { link, frame }).ok();
    }

    fn turned_away(&self, who: usize) -> Vec<(NodeId, Reason)> {
        let reason = |event: &Event| {
            let Event::TurnedAway { by, reason } = event else { return None };
            Some((*by, *reason))
        };
        self.events[who].iter().filter_map(reason).collect()
    }

    fn notices(&self, who: usize) -> usize {
        self.events[who].iter().filter(|event| matches!(event, Event::Notice { .. })).count()
    }

    fn lines(&self, who: usize) -> usize {
        self.nodes[who].list(&path("messages"), Listing::default()).len()
    }

    fn is_hung(&self, one: usize, other: usize) -> bool {
        self.hung.contains(&(one, other))
    }

    fn bytes_to(&self, who: usize) -> usize {
        self.bytes.get(&who).copied().unwrap_or_default()
    }
}

fn path(text: &str) -> Path {
    text.parse().expect("tests name paths well")
}
