//! A call from page to page: Ann's wrapper, Bob's laptop with two call pages open, Bob's phone with one, and the
//! wrappers that open when Bob answers. The server is the few lines that fork.

use std::collections::BTreeSet;

use ui::dial::{self, Dial, Page};
use ui::ring;
use ui::wrapper::{self, Plan, Wrapper};
use wire::contacts::Account;
use wire::invite::{Letter, Message};
use wire::{Address, InviteId, NodeId, Seed, Time};

#[test]
fn one_page_answers_and_every_other_falls_silent() {
    let mut house = House::rings();

    house.answer(LEFT);
    house.run();

    assert_eq!(house.channels(), (vec![house.wrappers[0].window.node()], vec![house.ann.node()]));
    assert_eq!(house.notices(RIGHT), [""; 0], "the same browser needs no words");
    assert!(house.notices(PHONE)[0].starts_with("Answered on another device"));
    assert!(house.pages.iter().all(|page| page.cards().is_empty() && !page.rings));
    assert_eq!(house.ann.view(house.now).callings, [], "only the conference is left");
}

#[test]
fn a_page_that_was_not_told_by_its_neighbour_hears_it_from_the_caller() {
    let mut house = House::rings();
    house.neighbours_talk = false;

    house.answer(LEFT);
    house.run();

    assert!(house.pages[RIGHT].cards().is_empty());
    assert_eq!(house.notices(RIGHT), [""; 0]);
}

#[test]
fn of_two_devices_that_answer_at_once_the_loser_reads_why() {
    let mut house = House::rings();

    house.answer(LEFT);
    house.answer(PHONE);
    house.run();

    let (of_ann, of_bob) = house.channels();
    assert_eq!((of_ann.len(), of_bob.len()), (1, 1), "one channel has two ends");
    let status: Vec<String> = house.wrappers.iter().filter_map(Window::status).collect();
    assert_eq!(status.len(), 1);
    assert!(status[0].starts_with("Answered on another device"), "{}", status[0]);
}

#[test]
fn one_page_declines_and_everybody_knows() {
    let mut house = House::rings();

    house.pages[LEFT].dial.handle(house.now, dial::Gesture::Decline(house.invite));
    house.run();

    let view = house.ann.view(house.now);
    assert_eq!(view.callings[0].ring.status, "bob declined the call. Try again another time.");
    assert_eq!(house.notices(LEFT), [""; 0]);
    assert_eq!(house.notices(RIGHT), [""; 0]);
    assert!(house.notices(PHONE)[0].starts_with("Declined on another device"));
}

#[test]
fn a_caller_who_gives_up_is_missed_on_every_page() {
    let mut house = House::rings();

    let gesture = wrapper::Gesture::Ring(house.invite, ring::Gesture::Cancel);
    house.ann.on_gesture(house.now, gesture);
    house.run();

    for page in [LEFT, RIGHT, PHONE] {
        assert_eq!(house.notices(page), ["Missed call from ann@x.org"]);
        assert!(!house.pages[page].rings);
    }
}

#[test]
fn the_caller_reads_on_how_many_devices_it_rings() {
    let house = House::rings();

    let view = house.ann.view(house.now);

    assert_eq!(view.callings[0].ring.label, "Calling bob@x.org");
    assert_eq!(view.callings[0].ring.status, "Ringing on 2 devices");
}

/// Two pages of one browser, and a page of another.
const LEFT: usize = 0;
const RIGHT: usize = 1;
const PHONE: usize = 2;

const ANN: &str = "ann@x.org/0000000a";
const DEVICES: [&str; 3] = ["bob@x.org/0000000b", "bob@x.org/0000000b", "bob@x.org/0000000c"];

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn account(user: &str) -> Account {
    Account { email: user.parse().expect("a user"), instance: None }
}

struct House {
    now: Time,
    invite: InviteId,
    ann: Wrapper,
    pages: Vec<CallPage>,
    wrappers: Vec<Window>,
    /// Whether pages of one browser tell each other what they took.
    neighbours_talk: bool,
    /// Devices whose receipt Ann has.
    receipts: BTreeSet<Address>,
    /// The ends of channels: which nodes Ann's and Bob's conferences were told of.
    told: (Vec<NodeId>, Vec<NodeId>),
}

/// A call page of Bob's.
struct CallPage {
    device: Address,
    dial: Dial,
    rings: bool,
}

/// A wrapper of Bob's.
struct Window {
    device: Address,
    window: Wrapper,
}

/// A message on its way: from which device, what, and whom to.
type Post = (Address, Message, Address);

impl House {
    /// Ann calls, and all of Bob's pages ring.
    fn rings() -> Self {
        let plan = Plan::Call { to: address("bob@x.org"), topic: None };
        let ann =
            Wrapper::new(call::Config::default(), Seed::story(1), "https://x.org".to_owned(), plan);
        let pages = DEVICES.map(|device| CallPage::new(address(device))).into();
        let mut house = Self {
            now: Time::ZERO,
            invite: InviteId(0),
            ann,
            pages,
            wrappers: Vec::new(),
            neighbours_talk: true,
            receipts: BTreeSet::new(),
            told: (Vec::new(), Vec::new()),
        };
        house.ann.on_event(house.now, wrapper::Event::LoggedIn(account("ann@x.org")));
        house.run();
        house.invite = house.ann.view(house.now).callings[0].id;
        assert!(house.pages.iter().all(|page| page.cards().len() == 1 && page.rings));
        house
    }

    fn answer(&mut self, page: usize) {
        let gesture = self.pages[page].cards()[0].answer.gesture.clone();
        self.pages[page].dial.handle(self.now, gesture);
    }

    fn notices(&self, page: usize) -> Vec<String> {
        match self.pages[page].dial.view().page {
            Page::LoggedIn(page) => page.notices.into_iter().map(|notice| notice.text).collect(),
            Page::Opening { .. } | Page::LoggedOut(_) => panic!("Bob is logged in"),
        }
    }

    fn channels(&self) -> (Vec<NodeId>, Vec<NodeId>) {
        self.told.clone()
    }

    /// Does what everybody asks for until nobody asks for anything.
    fn run(&mut self) {
        loop {
            let posts = [self.run_ann(), self.run_pages(), self.run_wrappers()].concat();
            if posts.is_empty() {
                return;
            }
            for (from, message, to) in posts {
                self.deliver(&from, &message, &to);
            }
        }
    }

    fn run_ann(&mut self) -> Vec<Post> {
        let mut posts = Vec::new();
        while let Some(effect) = self.ann.poll() {
            if let wrapper::Effect::Apply { invite, answer } = &effect {
                self.connect(*invite, answer);
            }
            if let wrapper::Effect::Add { node, .. } = &effect {
                self.told.0.push(*node);
            }
            posts.extend(driven(&mut self.ann, self.now, &address(ANN), effect));
        }
        posts
    }

    fn run_wrappers(&mut self) -> Vec<Post> {
        let mut posts = Vec::new();
        for Window { device, window } in &mut self.wrappers {
            while let Some(effect) = window.poll() {
                if let wrapper::Effect::Add { node, .. } = &effect {
                    self.told.1.push(*node);
                }
                posts.extend(driven(window, self.now, device, effect));
            }
        }
        posts
    }

    fn run_pages(&mut self) -> Vec<Post> {
        let mut posts = Vec::new();
        for at in 0..self.pages.len() {
            let device = self.pages[at].device.clone();
            while let Some(effect) = self.pages[at].dial.poll() {
                match effect {
                    dial::Effect::Send { to, message } => {
                        posts.push((device.clone(), message, to));
                    }
                    dial::Effect::Ack { .. } => {
                        if self.receipts.insert(device.clone()) {
                            let invite = self.ann.view(self.now).callings[0].id;
                            let from = device.clone();
                            let event = wrapper::Event::Receipt { invite, from };
                            self.ann.on_event(self.now, event);
                        }
                    }
                    dial::Effect::TakeCall { call } => self.open(at, call),
                    dial::Effect::Ring { on } => self.pages[at].rings = on,
                    dial::Effect::SaveRecent(_) | dial::Effect::Register => {}
                    dial::Effect::LogIn { .. }
                    | dial::Effect::LogOut
                    | dial::Effect::OpenWrapper { .. }
                    | dial::Effect::MailLink { .. }
                    | dial::Effect::ListDevices
                    | dial::Effect::EndDevice { .. }
                    | dial::Effect::TurnOnSound
                    | dial::Effect::TurnOnWaking
                    | dial::Effect::TurnOffWaking
                    | dial::Effect::ChangeRules(_)
                    | dial::Effect::RingHere
                    | dial::Effect::Watch(_) => panic!("Bob does not ask for {effect:?}"),
                }
            }
        }
        posts
    }

    /// Opens a wrapper for a call that the page gave away.
    fn open(&mut self, page: usize, call: Box<call::Call>) {
        let (device, invite) = (self.pages[page].device.clone(), call.id());
        let ringing = call.hand_over().expect("it rings");
        let stored = serde_json::to_string(&ringing).expect("it is plain data");
        let ringing = serde_json::from_str(&stored).expect("it was stored whole");
        let call = Box::new(call::Call::resume(call::Config::default(), ringing));
        let mut window = Wrapper::new(
            call::Config::default(),
            Seed::story(2 + page as u64),
            "https://x.org".to_owned(),
            Plan::Answer(call),
        );
        window.on_event(self.now, wrapper::Event::LoggedIn(account("bob@x.org")));
        self.wrappers.push(Window { device: device.clone(), window });
        if self.neighbours_talk {
            for neighbour in self.pages.iter_mut().filter(|page| page.device == device) {
                neighbour.dial.handle(self.now, dial::Event::Taken(invite));
            }
        }
    }

    /// The server: to every page and every wrapper of the devices that are meant.
    fn deliver(&mut self, from: &Address, message: &Message, to: &Address) {
        let is_meant = |device: &Address| {
            device.user == to.user && (to.instance.is_none() || to.instance == device.instance)
        };
        let letter =
            |to: &Address| Letter { from: from.clone(), to: to.clone(), message: message.clone() };
        if is_meant(&address(ANN)) {
            self.ann.on_event(self.now, wrapper::Event::Letter(letter(&address(ANN))));
        }
        for Window { device, window } in &mut self.wrappers {
            if is_meant(device) {
                window.on_event(self.now, wrapper::Event::Letter(letter(device)));
            }
        }
        for CallPage { device, dial, .. } in &mut self.pages {
            if is_meant(device) {
                let push = dial::Event::Push { id: "push".to_owned(), letter: letter(device) };
                dial.handle(self.now, push);
            }
        }
    }

    /// The channel between Ann and the wrapper that made this answer opens.
    fn connect(&mut self, invite: InviteId, answer: &str) {
        let of_answer = |other: &&mut Window| other.window.node().to_string() == answer;
        let other = self.wrappers.iter_mut().find(of_answer).expect("somebody made it");
        let sender = other.window.node();
        let back = wrapper::Event::Greeted { invite, sender: self.ann.node() };
        other.window.on_event(self.now, back);
        self.ann.on_event(self.now, wrapper::Event::Greeted { invite, sender });
    }
}

/// Does what a wrapper asks its shell for; returns what it posts.
fn driven(
    window: &mut Wrapper,
    now: Time,
    device: &Address,
    effect: wrapper::Effect,
) -> Option<Post> {
    match effect {
        wrapper::Effect::Describe { invite, .. } => {
            // An answer names who made it, so that the channel finds its other end.
            let description = Some(window.node().to_string());
            window.on_event(now, wrapper::Event::Described { invite, description });
            None
        }
        wrapper::Effect::Send { to, message } => {
            if matches!(message, Message::Invite(_) | Message::Accept(_)) {
                let (invite, result) = (message.id(), Ok(2));
                window.on_event(now, wrapper::Event::Posted { invite, result });
            }
            Some((device.clone(), message, to))
        }
        wrapper::Effect::Keep { .. }
        | wrapper::Effect::Apply { .. }
        | wrapper::Effect::Greet(_)
        | wrapper::Effect::Add { .. }
        | wrapper::Effect::Remove(_)
        | wrapper::Effect::Hang(_)
        | wrapper::Effect::Ringback { .. }
        | wrapper::Effect::FocusFrame
        | wrapper::Effect::Play(_)
        | wrapper::Effect::Close => None,
    }
}

impl CallPage {
    fn new(device: Address) -> Self {
        let mut dial = Dial::new(dial::Config::default());
        dial.handle(Time::ZERO, dial::Event::LoggedIn(account("bob@x.org")));
        Self { device, dial, rings: false }
    }

    fn cards(&self) -> Vec<dial::Card> {
        match self.dial.view().page {
            Page::LoggedIn(page) => page.cards,
            Page::Opening { .. } | Page::LoggedOut(_) => panic!("Bob is logged in"),
        }
    }
}

impl Window {
    /// What the window says over the conference, if anything.
    fn status(&self) -> Option<String> {
        let view = self.window.view(Time::ZERO);
        view.callings.into_iter().next().map(|calling| calling.ring.status)
    }
}
