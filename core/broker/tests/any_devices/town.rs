//! The town: who lives there, and what may happen to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::{
    Broker, Capabilities, Config, Device, Ending, Error, Farewell, Input, Line, Output, Peer,
    Policy, Proof, Refusal, Signal, SocketId, Standing,
};
use wire::peerjs::{Kind, PeerId};
use wire::{Address, Dice, InstanceId, Seed, Time};

use crate::Judged;

/// A user or guest.
pub(crate) struct Person {
    pub(crate) name: PeerId,
    pub(crate) policy: Policy,
    pub(crate) nominated: Option<InstanceId>,
    pub(crate) pages: Vec<usize>,
}

/// One client of a person, on one of their devices.
pub(crate) struct Page {
    pub(crate) person: usize,
    /// `None` for a guest.
    pub(crate) device: Option<Device>,
    pub(crate) proof: Proof,
    pub(crate) able: Capabilities,
    pub(crate) here: Option<Here>,
    /// Until when its place is there although it is not here, and whether that keeps others out.
    pub(crate) kept: Option<(Time, bool)>,
    /// How many places it has had.
    pub(crate) place: u64,
    /// Since when it has been here, reading and alive.
    pub(crate) listens_since: Option<Time>,
}

#[derive(Clone, Copy)]
pub(crate) struct Here {
    pub(crate) socket: SocketId,
    pub(crate) reads: bool,
    /// Whether anybody is at the other end.
    pub(crate) lives: bool,
}

/// A call, as its caller sees it.
pub(crate) struct Call {
    pub(crate) caller: usize,
    pub(crate) callee: usize,
    pub(crate) needs: Capabilities,
    pub(crate) at: Time,
    /// The caller's place when it called.
    pub(crate) place: u64,
    /// The pages that had a place when it was made.
    pub(crate) called: BTreeMap<usize, u64>,
    /// The pages that were told, and their places.
    pub(crate) rang: BTreeMap<usize, u64>,
    pub(crate) declined: BTreeSet<usize>,
    /// The first answer that was said.
    pub(crate) first: Option<u64>,
    /// Whose answer reached the caller, and the next number then.
    pub(crate) won: Option<(usize, u64)>,
    /// One of the two has left, or the offer was made twice: what follows is not judged.
    pub(crate) is_over: bool,
}

pub(crate) struct Sent {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) kind: Kind,
    pub(crate) call: usize,
    pub(crate) at: Time,
    /// Whether it reached somebody.
    pub(crate) arrived: bool,
}

/// What keeps an order: replies to a call, or else all that callers say; answers for themselves.
pub(crate) type Order = (Option<usize>, bool);

pub(crate) struct Town {
    pub(crate) dice: Dice,
    pub(crate) config: Config,
    pub(crate) broker: Broker,
    pub(crate) now: Time,
    pub(crate) people: Vec<Person>,
    pub(crate) pages: Vec<Page>,
    pub(crate) lines: BTreeMap<SocketId, usize>,
    pub(crate) next: u64,
    pub(crate) calls: Vec<Call>,
    pub(crate) sent: BTreeMap<u64, Sent>,
    /// Numbers whose time is not up.
    pub(crate) pending: BTreeSet<u64>,
    pub(crate) heard: BTreeSet<(u64, usize)>,
    /// The last number that a page has heard from another, of those that keep an order.
    pub(crate) last: BTreeMap<(usize, usize, Order), u64>,
    /// When a page was told that a person cannot be reached.
    pub(crate) told: BTreeMap<(usize, usize), Vec<Time>>,
    /// When a page last offered something to a person.
    pub(crate) offered: BTreeMap<(usize, usize), Time>,
    /// Who has ever answered whom.
    pub(crate) acquainted: BTreeSet<(usize, usize)>,
    /// What is being said.
    pub(crate) said: Option<u64>,
    pub(crate) judged: Judged,
}

impl Town {
    pub(crate) fn new(story: u64, people: usize) -> Self {
        let mut dice = Dice::new(Seed::story(story));
        let config = Config { open: true, letters_max: 8, early_max: 4, ..Config::default() };
        let broker = Broker::new(config.clone(), dice.seed());
        let mut town = Self {
            dice,
            config,
            broker,
            now: Time::ZERO,
            people: Vec::new(),
            pages: Vec::new(),
            lines: BTreeMap::new(),
            next: 0,
            calls: Vec::new(),
            sent: BTreeMap::new(),
            pending: BTreeSet::new(),
            heard: BTreeSet::new(),
            last: BTreeMap::new(),
            told: BTreeMap::new(),
            offered: BTreeMap::new(),
            acquainted: BTreeSet::new(),
            said: None,
            judged: Judged::default(),
        };
        for person in 0..people {
            town.settle_in(person);
        }
        town
    }

    /// One of four is a guest; the others share the policies.
    fn settle_in(&mut self, person: usize) {
        let is_guest = person % 4 == 3;
        let policy = [Policy::All, Policy::Capable, Policy::Nominated][person % 4 % 3];
        let policy = if is_guest { Policy::All } else { policy };
        let name: PeerId = format!("person-{person}").parse().expect("a name");
        let count = if is_guest { 1 } else { 1 + self.dice.below(4) };
        let mut pages = Vec::new();
        for number in 0..count {
            // The last page is a second one on the same device, where that may be.
            let is_second = number == 3 && policy != Policy::Nominated;
            let instance = InstanceId(if is_second { 2 } else { number as u32 });
            let user = || name.as_str().parse().expect("a user");
            let words: &[&str] =
                if self.dice.below(2) == 0 { &["audio"] } else { &["audio", "video"] };
            pages.push(self.pages.len());
            self.pages.push(Page {
                person,
                device: (!is_guest).then(|| Device { user: user(), instance }),
                proof: Proof(self.pages.len() as u128 + 1),
                able: Capabilities::new(words.iter().copied()).expect("words"),
                here: None,
                kept: None,
                place: 0,
                listens_since: None,
            });
        }
        self.people.push(Person { name, policy, nominated: None, pages });
    }

    pub(crate) fn live(mut self, steps: u32) -> Judged {
        for _ in 0..steps {
            let page = self.dice.below(self.pages.len() as u64) as usize;
            match self.dice.below(40) {
                0..=7 => self.come(page),
                8 => self.go(page),
                9 => self.crash(page),
                10 => self.is_found_dead(page),
                11..=17 => self.ring(page),
                18..=22 => self.answer(),
                23..=29 => self.trickle(),
                30 => self.leave_call(),
                31 => self.say_again(),
                32 => self.read(page, false),
                33 => self.read(page, true),
                34 => self.nominate(page),
                35 if self.dice.below(10) == 0 => self.log_out(page),
                _ => {
                    let span = self.dice.below(1_200);
                    self.pass(Duration::from_millis(span));
                }
            }
            self.look_around(page);
        }
        self.end()
    }

    fn come(&mut self, page: usize) {
        let socket = SocketId(self.fresh());
        let expected = self.refusal(page);
        let (peer, standing) = self.peer(page);
        let proof = self.pages[page].proof;
        let old = self.pages[page].here;
        let input = Input::Joined { socket, peer, proof, line: Line::Socket, standing };
        let done = self.broker.handle(self.now, input);
        if let Some(refusal) = expected {
            assert_eq!(done, Err(Error::Refused(refusal)), "{}", self.show(page));
            self.judged.refused += 1;
            return self.settle();
        }
        assert_eq!(done, Ok(()), "{}", self.show(page));
        if old.is_none() && self.pages[page].kept.take().is_none() {
            self.pages[page].place += 1;
        }
        self.lines.insert(socket, page);
        self.pages[page].here = Some(Here { socket, reads: true, lives: true });
        self.pages[page].listens_since.get_or_insert(self.now);
        if let Some(old) = old {
            if !old.lives {
                self.pages[page].listens_since = Some(self.now);
            }
            self.lines.remove(&old.socket);
            let superseded = std::iter::from_fn(|| self.broker.poll()).next();
            let why = Farewell::Superseded;
            assert_eq!(superseded, Some(Output::Part { socket: old.socket, why }));
        }
        self.settle();
    }

    /// Why a page may not come in, by the words of the policy.
    fn refusal(&self, page: usize) -> Option<Refusal> {
        let person = &self.people[self.pages[page].person];
        let device = self.pages[page].device.as_ref()?;
        if person.policy != Policy::Nominated {
            return None;
        }
        if person.nominated.is_some_and(|nominated| nominated != device.instance) {
            return Some(Refusal::NotNominated);
        }
        let others = person.pages.iter().filter(|other| **other != page);
        others.map(|other| &self.pages[*other]).any(holds).then_some(Refusal::OneDevice)
    }

    fn peer(&self, page: usize) -> (Peer, Standing) {
        let page = &self.pages[page];
        let person = &self.people[page.person];
        let standing = Standing {
            policy: person.policy,
            nominated: person.nominated,
            capabilities: page.able.clone(),
            ..Standing::default()
        };
        match &page.device {
            None => (Peer::Guest(person.name.clone()), Standing::default()),
            Some(device) => (Peer::Device(device.clone()), standing),
        }
    }

    fn go(&mut self, page: usize) {
        let Some(Here { socket, .. }) = self.pages[page].here else { return };
        let endings = [Ending::Left, Ending::Disconnected, Ending::PageGone, Ending::Lost];
        let ending = endings[self.dice.below(4) as usize];
        if ending == Ending::Left {
            self.broker.handle(self.now, Input::Parted { socket, ending }).expect("it is open");
            return self.settle();
        }
        self.part(page, socket, ending);
    }

    fn part(&mut self, page: usize, socket: SocketId, ending: Ending) {
        self.lines.remove(&socket);
        let page = &mut self.pages[page];
        (page.here, page.listens_since) = (None, None);
        page.kept = Some((self.now + self.config.peer_grace, ending == Ending::Lost));
        self.broker.handle(self.now, Input::Parted { socket, ending }).expect("it is open");
        self.settle();
    }

    /// Nobody is there any more, and nobody knows it.
    fn crash(&mut self, page: usize) {
        let page = &mut self.pages[page];
        if let Some(here) = &mut page.here {
            here.lives = false;
            page.listens_since = None;
        }
    }

    fn is_found_dead(&mut self, page: usize) {
        if let Some(Here { socket, lives: false, .. }) = self.pages[page].here {
            self.part(page, socket, Ending::Lost);
        }
    }

    fn ring(&mut self, caller: usize) {
        if !self.can_speak(caller) {
            return;
        }
        let callee = self.dice.below(self.people.len() as u64) as usize;
        if callee == self.pages[caller].person {
            return;
        }
        let words: &[&str] = if self.dice.below(2) == 0 { &["audio"] } else { &["audio", "video"] };
        let needs = Capabilities::new(words.iter().copied()).expect("words");
        let call = self.calls.len();
        let place = self.pages[caller].place;
        let called = self.people[callee].pages.iter().filter(|page| holds(&self.pages[**page]));
        let called = called.map(|page| (*page, self.pages[*page].place)).collect();
        self.calls.push(Call {
            caller,
            callee,
            needs,
            at: self.now,
            place,
            called,
            rang: BTreeMap::new(),
            declined: BTreeSet::new(),
            first: None,
            won: None,
            is_over: false,
        });
        self.say(caller, callee, Kind::Offer, call);
    }

    /// One of those on whom a call rings answers it, be it too late.
    fn answer(&mut self) {
        let Some(call) = self.some_call() else { return };
        let Some(page) = self.some_callee(call) else { return };
        self.say(page, self.caller_of(call), Kind::Answer, call);
    }

    fn trickle(&mut self) {
        let Some(call) = self.some_call() else { return };
        let caller = self.calls[call].caller;
        if self.dice.below(2) == 0 {
            if self.can_speak(caller) {
                self.say(caller, self.calls[call].callee, Kind::Candidate, call);
            }
        } else if let Some(page) = self.some_callee(call) {
            self.say(page, self.caller_of(call), Kind::Candidate, call);
        }
    }

    /// The caller gives up, or somebody declines.
    fn leave_call(&mut self) {
        let Some(call) = self.some_call() else { return };
        let caller = self.calls[call].caller;
        if self.dice.below(2) == 0 {
            if self.can_speak(caller) {
                let callee = self.calls[call].callee;
                self.say(caller, callee, Kind::Leave, call);
                self.end_calls(self.pages[caller].person, callee);
            }
        } else if let Some(page) = self.some_callee(call) {
            let person = self.caller_of(call);
            self.say(page, person, Kind::Leave, call);
            self.calls[call].declined.insert(page);
            self.end_calls(self.pages[page].person, person);
        }
    }

    /// A client that repeats itself.
    fn say_again(&mut self) {
        let Some(call) = self.some_call() else { return };
        let (caller, callee) = (self.calls[call].caller, self.calls[call].callee);
        if self.can_speak(caller) {
            self.calls[call].is_over = true;
            self.say(caller, callee, Kind::Offer, call);
        }
    }

    fn read(&mut self, page: usize, again: bool) {
        let Some(here) = &mut self.pages[page].here else { return };
        let (socket, lives) = (here.socket, here.lives);
        here.reads = again;
        let since = &mut self.pages[page].listens_since;
        *since = if again && lives { since.or(Some(self.now)) } else { None };
        let input = if again { Input::Flowing { socket } } else { Input::Stalled { socket } };
        self.broker.handle(self.now, input).expect("it is open");
        self.settle();
    }

    /// A user nominates one of their devices, or takes it back.
    fn nominate(&mut self, page: usize) {
        let person = self.pages[page].person;
        let Some(device) = self.pages[page].device.clone() else { return };
        if self.people[person].policy != Policy::Nominated {
            return;
        }
        let is = self.dice.below(3) > 0;
        self.people[person].nominated = is.then_some(device.instance);
        let (_, standing) = self.peer(page);
        self.broker.handle(self.now, Input::Stands { device, standing }).expect("always");
        if is {
            // Those who blink are dismissed without a word.
            for other in self.people[person].pages.clone() {
                if other != page && self.pages[other].kept.take().is_some() {
                    self.pages[other].place += 1;
                }
            }
        }
        self.settle();
    }

    fn log_out(&mut self, page: usize) {
        let Some(device) = self.pages[page].device.clone() else { return };
        let who = Address::from(device.clone());
        self.broker.handle(self.now, Input::Dismissed { who }).expect("always");
        for other in 0..self.pages.len() {
            if self.pages[other].device.as_ref() == Some(&device)
                && self.pages[other].kept.take().is_some()
            {
                self.pages[other].place += 1;
            }
        }
        self.settle();
    }

    fn say(&mut self, from: usize, to: usize, kind: Kind, call: usize) {
        let number = self.fresh();
        let needs = if kind == Kind::Offer {
            self.calls[call].needs.clone()
        } else {
            Capabilities::default()
        };
        let Some(Here { socket, .. }) = self.pages[from].here else { unreachable!("it speaks") };
        self.sent.insert(number, Sent { from, to, kind, call, at: self.now, arrived: false });
        self.pending.insert(number);
        if kind == Kind::Answer {
            self.calls[call].first.get_or_insert(number);
            self.acquainted.insert((self.calls[call].caller, from));
        }
        let signal = Signal {
            kind,
            to: self.people[to].name.clone(),
            payload: Some(number.to_string().into()),
            connection: Some(format!("mc_{call}").into()),
            needs,
        };
        self.broker.handle(self.now, Input::Said { socket, signal }).expect("it is open");
        self.said = Some(number);
        self.settle();
        self.said = None;
        if kind == Kind::Offer {
            self.offered.insert((from, to), self.now);
        }
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.broker.timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.broker.handle(self.now, Input::Timeout).expect("harmless");
            assert!(self.broker.timeout().is_none_or(|next| next > self.now), "no progress");
            self.forget_absent();
            self.settle();
        }
        self.now = end;
        self.forget_absent();
        self.look_for_lost();
    }

    /// Those whose grace is over have lost their place.
    fn forget_absent(&mut self) {
        for page in &mut self.pages {
            if page.kept.take_if(|(until, _)| *until <= self.now).is_some() {
                page.place += 1;
            }
        }
    }

    fn end(mut self) -> Judged {
        for page in 0..self.pages.len() {
            if let Some(Here { socket, .. }) = self.pages[page].here {
                self.part(page, socket, Ending::Lost);
            }
        }
        self.pass(Duration::from_secs(700));
        let load = self.broker.load();
        assert_eq!((load.letters_bytes, load.forks, load.peers, load.lines), (0, 0, 0, 0));
        self.judged
    }

    /// One of the latest calls.
    fn some_call(&mut self) -> Option<usize> {
        let latest = self.calls.len().min(self.people.len().max(4));
        let back = self.dice.below(latest.max(1) as u64) as usize;
        let call = self.calls.len().checked_sub(back + 1)?;
        // Nobody lets it ring for longer, and nobody remembers it for longer.
        let is_of_now = self.now - self.calls[call].at < self.config.fork;
        (is_of_now && !self.calls[call].is_over).then_some(call)
    }

    /// One of the pages on whom a call rang, and who can speak.
    fn some_callee(&mut self, call: usize) -> Option<usize> {
        let rang = self.calls[call].rang.iter();
        let rang = rang.filter(|(page, place)| self.pages[**page].place == **place);
        let able: Vec<usize> =
            rang.map(|(page, _)| *page).filter(|page| self.can_speak(*page)).collect();
        let pick = self.dice.below(able.len().max(1) as u64) as usize;
        able.get(pick).copied()
    }

    fn caller_of(&self, call: usize) -> usize {
        self.pages[self.calls[call].caller].person
    }

    fn can_speak(&self, page: usize) -> bool {
        self.pages[page].here.is_some_and(|here| here.lives)
    }

    /// LEAVE makes PeerJS close everything between two.
    pub(crate) fn end_calls(&mut self, one: usize, other: usize) {
        for call in &mut self.calls {
            let both = [self.pages[call.caller].person, call.callee];
            call.is_over |= both == [one, other] || both == [other, one];
        }
    }

    pub(crate) fn show(&self, page: usize) -> String {
        let page = &self.pages[page];
        let person = &self.people[page.person];
        format!("{} {:?} ({:?})", person.name, page.device, person.policy)
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Whether a page keeps other devices of its user out.
pub(crate) fn holds(page: &Page) -> bool {
    page.here.is_some() || page.kept.is_some_and(|(_, keeps)| keeps)
}

pub(crate) fn number_of(name: &PeerId) -> usize {
    name.as_str().trim_start_matches("person-").parse().expect("a number")
}
