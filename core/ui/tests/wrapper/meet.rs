//! Two windows that lose their channel, are loaded again, or both, find each other again: the two as they are, with a
//! post office and channels between them, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use call::{Call, Describe, Unsent};
use ui::wrapper::{Effect, Event, Gesture, Plan, Window, Wrapper};
use wire::contacts::Account;
use wire::invite::{Letter, Message};
use wire::{Address, Dice, InviteId, NodeId, Seed, Time};

/// How long a letter takes.
const POST: Duration = Duration::from_millis(40);
/// How long it takes to make a description, and to open a channel.
const WORK: Duration = Duration::from_millis(150);
/// How often a node asks for one that it misses.
const SEEK: Duration = Duration::from_secs(20);
/// How long a page takes to load.
const LOAD: Duration = Duration::from_millis(700);
/// How long it takes until its conference app listens.
const FRAME: Duration = Duration::from_millis(150);
/// How long a conference waits for one who is announced to it, until it takes nothing from it any more.
const DOOR: Duration = Duration::from_secs(8);
/// How long a call waits for its channel, and a second.
const FAILING: Duration = Duration::from_secs(16);
/// How long it takes at most until two who are there have a channel again: a page loads, a letter goes to and fro, twice.
const SOON: Duration = Duration::from_secs(2);
/// The same when nobody hears of the other before letters are posted anew.
const REPEATED: Duration = Duration::from_secs(6);

/// The two ends: who calls, and who answers.
const CALLER: usize = 0;
const CALLEE: usize = 1;

#[test]
fn who_is_loaded_again_is_back_whenever_the_other_misses_it() {
    for (who, seed) in both_ways() {
        for miss in [0, 100, 500, 690, 730, 760, 800, 900, 1_500, 4_000] {
            let mut world = World::in_a_call(seed);
            world.misses_after = Duration::from_millis(miss);

            world.reload(who);

            let story =
                format!("end {who} is loaded again, seed {seed}, is missed after {miss} ms");
            world.meet_again(SOON, &story);
        }
    }
}

#[test]
fn who_is_loaded_again_and_again_is_back() {
    for (who, seed) in both_ways() {
        for pause in (100..2_500).step_by(50) {
            let mut world = World::in_a_call(seed);
            // What a page says as it goes may not arrive.
            world.are_last_words_lost = pause % 100 == 0;
            for _ in 0..3 {
                world.reload(who);
                world.runs(Duration::from_millis(pause));
            }

            world.meet_again(
                SOON,
                &format!("end {who}, three times, every {pause} ms, seed {seed}"),
            );
        }
    }
}

#[test]
fn both_are_loaded_again() {
    for (who, seed) in both_ways() {
        for pause in (0..2_500).step_by(50) {
            let mut world = World::in_a_call(seed);
            world.reload(who);
            world.runs(Duration::from_millis(pause));
            world.reload(1 - who);

            world.meet_again(
                SOON,
                &format!("end {who} and {pause} ms later the other, seed {seed}"),
            );
        }
    }
}

#[test]
fn a_channel_that_breaks_is_made_anew_whichever_end_asks_first() {
    for (who, seed) in both_ways() {
        for later in [0, 30, 100, 200, 300, 500, 3_000] {
            let mut world = World::in_a_call(seed);

            world.breaks();
            world.misses(who, Duration::ZERO);
            world.misses(1 - who, Duration::from_millis(later));

            world.meet_again(
                SOON,
                &format!("end {who} first, the other {later} ms later, seed {seed}"),
            );
        }
    }
}

#[test]
fn who_was_away_longer_than_anybody_rings_is_found_when_it_is_asked_for() {
    for (who, seed) in both_ways() {
        let mut world = World::in_a_call(seed);
        world.post = Post::Away;
        world.reload(who);
        world.runs(Duration::from_secs(100));
        world.post = Post::Works;

        world.meet_again(
            SEEK + REPEATED,
            &format!("end {who} is loaded again without a server, seed {seed}"),
        );
    }
}

#[test]
fn who_is_loaded_again_while_it_looks_for_the_other_looks_on() {
    for (who, seed) in both_ways() {
        let mut world = World::in_a_call(seed);
        world.post = Post::Away;
        world.breaks();
        world.misses(who, Duration::ZERO);
        world.runs(Duration::from_secs(10));
        world.reload(who);
        world.runs(Duration::from_secs(1));
        world.post = Post::Works;

        world.meet_again(REPEATED, &format!("end {who} looks and is loaded again, seed {seed}"));
    }
}

#[test]
fn both_are_loaded_again_while_there_is_no_server() {
    for (who, seed) in both_ways() {
        for pause in [1, 10, 100] {
            let mut world = World::in_a_call(seed);
            world.post = Post::Away;
            world.reload(who);
            world.runs(Duration::from_secs(1));
            world.reload(1 - who);
            world.runs(Duration::from_secs(pause));
            world.post = Post::Works;
            world.tell(CALLER, Event::ServerBack);
            world.runs(Duration::from_millis(20));
            world.tell(CALLEE, Event::ServerBack);

            world.meet_again(REPEATED, &format!("end {who} first, {pause} s, seed {seed}"));
        }
    }
}

#[test]
fn both_are_loaded_again_and_none_listens() {
    for (who, seed) in both_ways() {
        for seconds in [1, 5, 10, 20, 100, 500] {
            let mut world = World::in_a_call(seed);
            world.post = Post::Vanishes;
            world.reload(who);
            world.runs(Duration::from_secs(1));
            world.reload(1 - who);
            world.runs(Duration::from_secs(seconds));
            world.post = Post::Works;

            // Who was away for long is looked for less often.
            let story = format!("end {who} first, {seconds} s, seed {seed}");
            world.meet_again(Duration::from_secs(seconds) + REPEATED, &story);
        }
    }
}

#[test]
fn a_channel_that_does_not_open_is_made_anew() {
    for (who, seed) in both_ways() {
        for failures in 1..3 {
            let mut world = World::in_a_call(seed);
            world.failures = failures;

            world.reload(who);

            let story = format!("end {who} is loaded again, {failures} channels fail, seed {seed}");
            world.meet_again((FAILING + SOON) * failures + SOON, &story);
        }
    }
}

#[test]
fn whose_conference_takes_long_to_load_is_let_in() {
    for (who, seed) in both_ways() {
        for seconds in 1..13 {
            let mut world = World::in_a_call(seed);
            world.frame = Duration::from_secs(seconds);

            world.reload(who);

            let story = format!("end {who} is loaded again, slowly ({seconds} s), seed {seed}");
            world.meet_again(world.frame + SOON, &story);
        }
    }
}

#[test]
fn whatever_happens_they_meet_in_the_end() {
    let ways: Vec<_> = both_ways().collect();
    for story in 0..500 {
        let mut dice = Dice::new(Seed::story(story));
        let mut world = World::in_a_call(ways[story as usize % ways.len()].1);
        for _ in 0..dice.below(12) {
            world.suffers(&mut dice);
            world.runs(Duration::from_millis(dice.below(5_000)));
        }
        (world.post, world.failures, world.frame) = (Post::Works, 0, FRAME);
        for end in [CALLER, CALLEE] {
            world.tell(end, Event::ServerBack);
            world.misses(end, Duration::ZERO);
        }

        // A try that was about to fail has its time; the next is made when the other is asked for again.
        world.meet_again(FAILING + SEEK, &format!("story {story}"));
    }
}

#[test]
fn who_has_left_is_not_called_back_and_not_looked_for_for_ever() {
    let mut world = World::in_a_call(1);
    let left = world.window(CALLEE);
    left.on_gesture(Time::ZERO, Gesture::Leave);

    world.reload(CALLER);
    world.runs(Duration::from_secs(3_600));

    assert!(world.open.is_empty(), "{:?}", world.open);
    assert_eq!(world.window(CALLER).timeout(), None);
    assert!(world.posted < 40, "{} letters", world.posted);
}

/// Each end, as the one with the lower node and as the one with the higher.
fn both_ways() -> impl Iterator<Item = (usize, u64)> {
    let lower = |seed| {
        let world = World::in_a_call(seed);
        world.nodes[CALLER] < world.nodes[CALLEE]
    };
    let seeds = [true, false].map(|is_lower| {
        (1..100).find(|seed| lower(*seed) == is_lower).expect("one of many seeds is like that")
    });
    [CALLER, CALLEE].into_iter().flat_map(move |who| seeds.map(|seed| (who, seed)))
}

/// What happens to one end.
#[derive(Debug)]
enum Deed {
    /// To the page that is there now, and to no other.
    Event(Event),
    /// To whatever page is there then.
    Letter(Letter),
    /// The page is loaded.
    Loaded(Window),
    /// Its answer was taken: the channel opens.
    Opens(InviteId),
    /// Who is announced has had time to prove who it is.
    Shuts(InviteId),
    /// Whoever is missed is asked for, as long as it is missed.
    Misses(NodeId),
}

/// What becomes of letters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Post {
    Works,
    /// They go to pages that do not listen yet.
    Vanishes,
    /// There is no server.
    Away,
}

struct World {
    now: Time,
    ends: [Option<Wrapper>; 2],
    nodes: [NodeId; 2],
    /// How often each was loaded.
    lives: [u32; 2],
    due: BTreeMap<(Time, u64), (usize, u32, Deed)>,
    deeds: u64,
    /// The channels that have opened.
    channels: BTreeSet<InviteId>,
    /// Those that are announced, at each end.
    open: BTreeSet<(usize, InviteId)>,
    /// Those over which both conferences have heard each other.
    met: BTreeSet<InviteId>,
    misses_after: Duration,
    frame: Duration,
    /// When the conference of each listens.
    listens_at: [Time; 2],
    /// Of how many channels the opening fails.
    failures: u32,
    post: Post,
    /// How many letters were posted.
    posted: usize,
    are_last_words_lost: bool,
}

impl World {
    fn in_a_call(seed: u64) -> Self {
        let to = address(CALLEE);
        let mut world = Self {
            now: Time::ZERO,
            ends: [Some(wrapper(seed, Plan::Call { to, topic: None })), None],
            nodes: [NodeId(0); 2],
            lives: [0; 2],
            due: BTreeMap::new(),
            deeds: 0,
            channels: BTreeSet::new(),
            open: BTreeSet::new(),
            met: BTreeSet::new(),
            misses_after: Duration::from_secs(4),
            frame: FRAME,
            listens_at: [Time::ZERO; 2],
            failures: 0,
            post: Post::Works,
            posted: 0,
            are_last_words_lost: false,
        };
        world.opens(CALLER);
        world.runs(Duration::from_secs(2));
        world.nodes = [CALLER, CALLEE].map(|end| world.window(end).node());
        assert_eq!(world.open.len(), 2, "they are in a call");
        world
    }

    fn window(&mut self, end: usize) -> &mut Wrapper {
        self.ends[end].as_mut().expect("its page is there")
    }

    fn later(&mut self, after: Duration, end: usize, deed: Deed) {
        self.deeds += 1;
        self.due.insert((self.now + after, self.deeds), (end, self.lives[end], deed));
    }

    fn tell(&mut self, end: usize, event: Event) {
        let now = self.now;
        if let Some(window) = &mut self.ends[end] {
            window.on_event(now, event);
        }
        self.settle(end);
    }

    /// The window of `end` opens, and the conference in it.
    fn opens(&mut self, end: usize) {
        self.tell(end, Event::LoggedIn(account(end)));
        self.listens_at[end] = self.now + self.frame;
        self.later(self.frame, end, Deed::Event(Event::FrameReady));
    }

    fn reload(&mut self, who: usize) {
        // A page that is still being loaded is loaded anew, with what the tab keeps.
        let Some(mut window) = self.ends[who].take() else { return };
        let kept = window.window().expect("there is a call to come back to");
        window.on_event(self.now, Event::Closing);
        let letters: Vec<_> = std::iter::from_fn(|| window.poll()).collect();
        if !self.are_last_words_lost {
            letters.into_iter().for_each(|effect| self.perform(who, effect));
        }
        self.lives[who] += 1;
        self.open.retain(|(end, _)| *end != who);
        for invite in std::mem::take(&mut self.channels) {
            self.later(POST, 1 - who, Deed::Event(Event::Lost(invite)));
        }
        self.later(LOAD, who, Deed::Loaded(kept));
    }

    /// One of the things that may happen to both.
    fn suffers(&mut self, dice: &mut Dice) {
        let who = dice.below(2) as usize;
        self.are_last_words_lost = dice.below(2) == 0;
        match dice.below(8) {
            0..3 => self.reload(who),
            3 => self.breaks(),
            4 => self.misses(who, Duration::from_millis(dice.below(6_000))),
            5 => self.failures = dice.below(3) as u32,
            6 => self.frame = Duration::from_millis(dice.below(12_000)),
            _ => {
                let posts = [Post::Works, Post::Vanishes, Post::Away];
                self.post = posts[dice.below(3) as usize];
            }
        }
    }

    /// Every channel breaks, and both ends notice.
    fn breaks(&mut self) {
        for (end, invite) in std::mem::take(&mut self.open) {
            self.tell(end, Event::Lost(invite));
        }
    }

    fn misses(&mut self, who: usize, after: Duration) {
        self.later(after, who, Deed::Misses(self.nodes[1 - who]));
    }

    fn runs(&mut self, span: Duration) {
        let until = self.now + span;
        for turn in 0.. {
            assert!(turn < 100_000, "something is due again and again");
            let timeout = self.ends.iter().flatten().filter_map(Wrapper::timeout).min();
            let deed = self.due.keys().next().map(|(at, _)| *at);
            let Some(at) = timeout.into_iter().chain(deed).min().filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(at);
            if deed.is_some_and(|deed| deed <= self.now) {
                if let Some((_, (end, life, deed))) = self.due.pop_first() {
                    self.happens(end, life, deed);
                }
                continue;
            }
            for end in [CALLER, CALLEE] {
                if let Some(window) = &mut self.ends[end] {
                    window.on_timeout(self.now);
                }
                self.settle(end);
            }
        }
        self.now = until;
    }

    fn happens(&mut self, end: usize, life: u32, deed: Deed) {
        let is_mine = life == self.lives[end];
        match deed {
            Deed::Letter(letter) if self.ends[end].is_some() => {
                self.tell(end, Event::Letter(letter));
            }
            // The page around the window answers when it rings for the first time.
            Deed::Letter(letter) if self.lives[end] == 0 => {
                if let Message::Invite(invite) = letter.message {
                    let Letter { from, to, .. } = letter;
                    let call = Call::incoming(call::Config::default(), self.now, from, to, invite);
                    self.ends[end] = Some(wrapper(77, Plan::Answer(Box::new(call))));
                    self.opens(end);
                }
            }
            Deed::Letter(_) => {}
            Deed::Loaded(kept) if is_mine => {
                let seed = 1_000 * (1 + end as u64) + u64::from(life);
                self.ends[end] = Some(wrapper(seed, Plan::Return(kept)));
                self.opens(end);
            }
            Deed::Event(event) if is_mine => self.tell(end, event),
            Deed::Opens(_) if is_mine && self.failures > 0 => self.failures -= 1,
            Deed::Opens(invite) if is_mine => {
                self.channels.insert(invite);
                for end in [CALLER, CALLEE] {
                    self.tell(end, Event::Opened(invite));
                }
            }
            Deed::Shuts(invite) if is_mine => {
                let is_met = self.met.contains(&invite) || self.meets(invite);
                let is_open = self.open.contains(&(end, invite));
                assert!(is_met || !is_open, "nobody knocks at the door of end {end}");
            }
            Deed::Misses(node) if is_mine => {
                if self.open.iter().all(|(open, _)| *open != end) {
                    self.tell(end, Event::Sought(node, None));
                    self.later(SEEK, end, Deed::Misses(node));
                }
            }
            Deed::Event(_)
            | Deed::Loaded(_)
            | Deed::Opens(_)
            | Deed::Shuts(_)
            | Deed::Misses(_) => {}
        }
    }

    fn settle(&mut self, end: usize) {
        while let Some(effect) = self.ends[end].as_mut().and_then(Wrapper::poll) {
            self.perform(end, effect);
        }
    }

    fn perform(&mut self, end: usize, effect: Effect) {
        match effect {
            Effect::Describe { invite, what } => {
                let kind = if what == Describe::Offer { "offer" } else { "answer" };
                let description = Some(format!(r#"{{"type":"{kind}","sdp":"v=0"}}"#));
                self.later(WORK, end, Deed::Event(Event::Described { invite, description }));
            }
            Effect::Apply { invite, .. } => self.later(WORK, end, Deed::Opens(invite)),
            Effect::Send { to, message } => {
                let invite = message.id();
                let is_to = |end: &usize| address(*end).user == to.user;
                let other =
                    [CALLER, CALLEE].into_iter().find(is_to).expect("it is for one of both");
                self.posted += 1;
                let result = if self.post == Post::Away { Err(Unsent::Offline) } else { Ok(1) };
                if self.post == Post::Works {
                    let letter = Letter { from: address(end), to: address(other), message };
                    self.later(POST, other, Deed::Letter(letter));
                }
                self.later(POST * 2, end, Deed::Event(Event::Posted { invite, result }));
            }
            Effect::Greet(invite) => {
                let sender = self.window(end).node();
                self.later(POST, 1 - end, Deed::Event(Event::Greeted { invite, sender }));
            }
            Effect::Add { invite, node, .. } => {
                let known = self.nodes[1 - end];
                assert!(known == node || known == NodeId(0), "it is who is there");
                assert!(self.open.insert((end, invite)), "a channel is announced once");
                if self.meets(invite) {
                    self.met.insert(invite);
                }
                let loads = self.listens_at[end].max(self.now) - self.now;
                self.later(loads + DOOR, end, Deed::Shuts(invite));
            }
            Effect::Hang(invite) => self.closes(end, invite),
            Effect::Remove(_)
            | Effect::Keep { .. }
            | Effect::Ringback { .. }
            | Effect::FocusFrame
            | Effect::Play(_)
            | Effect::Close => {}
        }
    }

    /// Whether both conferences hear each other over this channel.
    fn meets(&self, invite: InviteId) -> bool {
        let hears = |end| self.open.contains(&(end, invite)) && self.listens_at[end] <= self.now;
        hears(CALLER) && hears(CALLEE)
    }

    /// A channel closes at one end, which misses who was there; the other hears of it.
    fn closes(&mut self, end: usize, invite: InviteId) {
        if self.open.remove(&(end, invite)) {
            self.misses(end, self.misses_after);
        }
        if self.channels.remove(&invite) {
            self.later(POST, 1 - end, Deed::Event(Event::Lost(invite)));
        }
    }

    fn meet_again(&mut self, within: Duration, story: &str) {
        self.runs(within);
        let open: Vec<_> = self.open.iter().collect();
        let [(CALLER, hers), (CALLEE, his)] = open[..] else { panic!("{story}: {open:?}") };
        assert_eq!(hers, his, "{story}");
        // Nothing stirs any more, and both would find each other again.
        self.runs(SEEK * 5);
        assert_eq!(self.open.len(), 2, "{story}: {:?}", self.open);
        for end in [CALLER, CALLEE] {
            let kept = self.window(end).window().expect("there is a call to come back to");
            assert_eq!(kept.peers, [(address(1 - end), self.nodes[1 - end])], "{story}");
        }
    }
}

fn wrapper(seed: u64, plan: Plan) -> Wrapper {
    let base = "https://x.org".to_owned();
    Wrapper::new(call::Config::default(), Seed::story(seed), base, plan)
}

fn address(end: usize) -> Address {
    let text = if end == CALLER { "ann@x.org/00000001" } else { "bob@x.org/00000002" };
    text.parse().expect("the test writes addresses")
}

fn account(end: usize) -> Account {
    let Address { user, instance } = address(end);
    Account { email: user, instance }
}
