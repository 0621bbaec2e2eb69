//! Who learns that somebody is reachable, over both faces; and whom an invite rings by what devices can do.

use std::time::Duration;

use broker::{
    Audience, Broker, Capabilities, Config, Device, Ending, Error, Farewell, Input, Line, Output,
    Parcel, Peer, Policy, Proof, Refusal, RequestId, Showing, Signal, SocketId, Standing, Unsent,
};
use wire::peerjs::{Kind, PeerId};
use wire::{Address, InstanceId, InviteId, Seed, Time};

#[test]
fn whoever_watches_hears_at_once_and_whenever_it_changes() {
    let mut town = Town::new(Showing::Everybody);
    town.open(1, "alice/1");
    town.open(2, "bob/1");

    town.watch(1, &["bob", "carol"]).unwrap();
    town.open(3, "carol/1");
    town.close(2);
    town.pass(9);
    assert_eq!(town.heard(), ["1: bob is here, carol is away", "1: carol is here"]);

    town.pass(1);
    assert_eq!(town.heard(), ["1: bob is away"]);
}

#[test]
fn a_blink_does_not_show() {
    let mut town = Town::new(Showing::Everybody);
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.join(3, "carol");
    town.watch(1, &["bob", "carol"]).unwrap();
    town.heard();

    town.close(2);
    town.part(3, Ending::PageGone);
    town.pass(5);
    town.open(4, "bob/1");
    town.join(5, "carol");
    town.pass(60);

    assert_eq!(town.heard(), [""; 0]);
}

#[test]
fn another_device_keeps_its_user_reachable_whichever_face_it_has() {
    let mut town = Town::new(Showing::Everybody);
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.device(3, "bob/2");
    town.watch(1, &["bob"]).unwrap();
    town.heard();

    town.close(2);
    town.pass(20);
    assert_eq!(town.heard(), [""; 0]);

    town.part(3, Ending::Left);
    assert_eq!(town.heard(), ["1: bob is away"], "LEAVE is believed at once");
}

#[test]
fn nobody_is_told_anything_where_the_operator_does_not_want_it() {
    let mut town = Town::new(Showing::Nobody);
    town.open(1, "alice/1");
    town.open(2, "bob/1");

    let refused = town.watch(1, &["bob"]);

    assert_eq!(refused, Err(Error::Refused(Refusal::NotShown)));
    assert!(!town.sees("alice", "bob") && !town.sees("bob", "bob"));
}

#[test]
fn with_lists_one_sees_oneself_and_those_who_have_listed_one() {
    let mut town = Town::new(Showing::Listed);
    town.open(1, "alice/1");
    town.open_for(2, "bob/1", &["alice"]);
    town.open(3, "carol/1");
    town.join(4, "guest");

    town.watch(1, &["alice", "bob", "carol", "guest"]).unwrap();
    town.watch(3, &["bob"]).unwrap();
    town.watch(4, &["bob", "guest"]).unwrap();

    assert_eq!(
        town.heard(),
        [
            "1: alice is here, bob is here, carol is away, guest is away",
            "3: bob is away",
            "4: bob is away, guest is away"
        ]
    );
}

#[test]
fn a_changed_list_is_news_to_those_whom_it_is_about() {
    let mut town = Town::new(Showing::Listed);
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.open(3, "carol/1");
    for watcher in [1, 3] {
        town.watch(watcher, &["bob"]).unwrap();
    }
    town.heard();

    town.list("bob/1", &["alice"]);
    town.list("bob/1", &["carol"]);

    assert_eq!(town.heard(), ["1: bob is here", "1: bob is away", "3: bob is here"]);
}

#[test]
fn one_who_hides_is_away_for_all_others_though_everybody_may_ask() {
    let mut town = Town::new(Showing::Everybody);
    town.open(1, "alice/1");
    town.open_for(2, "bob/1", &[]);

    assert!(!town.sees("alice", "bob"));
    assert!(town.sees("bob", "bob"));
    assert!(town.sees("bob", "alice"));
}

#[test]
fn whoever_is_blocked_sees_nobody_whatever_the_list_says() {
    let mut town = Town::new(Showing::Everybody);
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.watch(1, &["bob"]).unwrap();
    town.heard();

    let hidden_from = audience(&["alice"]);
    let standing = Standing { hidden_from, ..listing(&["alice"]) };
    town.tell(Input::Stands { device: device("bob/1"), standing }).unwrap();

    assert_eq!(town.heard(), ["1: bob is away"]);
    assert!(!town.sees("alice", "bob"));
}

#[test]
fn a_socket_that_is_gone_watches_nobody() {
    let mut town = Town::new(Showing::Everybody);
    town.open(1, "alice/1");
    town.join(2, "carol");
    for watcher in [1, 2] {
        town.watch(watcher, &["bob"]).unwrap();
    }
    assert_eq!(town.broker.load().watched, 2);

    town.close(1);
    town.join(3, "carol");

    assert_eq!(town.broker.load().watched, 0, "the line was superseded");
}

#[test]
fn one_may_stop_watching() {
    let mut town = Town::new(Showing::Everybody);
    town.open(1, "alice/1");
    town.watch(1, &["bob", "carol"]).unwrap();
    town.heard();

    town.tell(Input::Unwatch { socket: SocketId(1), names: vec![id("bob")] }).unwrap();
    town.open(2, "bob/1");
    town.open(3, "carol/1");

    assert_eq!(town.heard(), ["1: carol is here"]);
    assert_eq!(town.broker.load().watched, 1);
}

#[test]
fn what_is_watched_is_bounded_for_each_and_in_total_and_a_refusal_changes_nothing() {
    let config = Config { watched_max_per_socket: 2, watched_max: 3, ..shown(Showing::Everybody) };
    let mut town = Town::with(config);
    town.open(1, "alice/1");
    town.open(2, "bob/1");

    let too_many = town.watch(1, &["a", "b", "c"]);
    town.watch(1, &["a", "b"]).unwrap();
    town.watch(1, &["a", "b"]).unwrap();
    let in_total = town.watch(2, &["a", "b"]);

    assert_eq!(too_many, Err(Error::Limit("names watched by one connection")));
    assert_eq!(in_total, Err(Error::Limit("names watched")));
    assert_eq!(town.broker.load().watched, 2);
}

#[test]
fn one_who_does_not_read_hears_how_it_stands_when_they_do() {
    let mut town = Town::new(Showing::Everybody);
    town.join(1, "alice");
    town.watch(1, &["bob", "carol"]).unwrap();
    town.heard();
    town.tell(Input::Stalled { socket: SocketId(1) }).unwrap();

    town.open(2, "bob/1");
    town.open(3, "carol/1");
    town.dismiss("carol");
    assert_eq!(town.heard(), [""; 0]);
    town.tell(Input::Flowing { socket: SocketId(1) }).unwrap();

    assert_eq!(town.heard(), ["1: bob is here"], "and nothing of what came and went");
}

#[test]
fn an_invite_rings_the_devices_that_can_take_it() {
    let mut town = Town::new(Showing::Nobody);
    town.open(1, "alice/1");
    town.capable(2, "bob/1", &["audio"]);
    town.capable(3, "bob/2", &["audio", "video"]);

    assert_eq!(town.invite("bob", &["audio", "video"]), Ok(vec!["bob/00000002".to_owned()]));
    assert_eq!(town.invite("bob", &["audio"]).map(|rung| rung.len()), Ok(2));
    assert_eq!(town.invite("bob", &[]).map(|rung| rung.len()), Ok(2));
    assert_eq!(town.invite("bob", &["fax"]), Err(Unsent::NotCapable));
    assert_eq!(town.invite("bob/1", &["video"]).map(|rung| rung.len()), Ok(1), "it was named");
}

#[test]
fn a_device_that_learns_something_rings_from_then_on() {
    let mut town = Town::new(Showing::Nobody);
    town.open(1, "alice/1");
    town.capable(2, "bob/1", &[]);
    assert_eq!(town.invite("bob", &["video"]), Err(Unsent::NotCapable));

    let standing = capable(&["video"]);
    town.tell(Input::Stands { device: device("bob/1"), standing }).unwrap();

    assert_eq!(town.invite("bob", &["video"]).map(|rung| rung.len()), Ok(1));
}

#[test]
fn a_device_that_is_not_nominated_is_told_why_it_has_to_go() {
    let mut town = Town::new(Showing::Nobody);
    town.open(1, "bob/1");
    let standing = Standing {
        policy: Policy::Nominated,
        nominated: Some(InstanceId(2)),
        ..Standing::default()
    };

    town.tell(Input::Stands { device: device("bob/2"), standing }).unwrap();

    let why = Farewell::NotNominated;
    assert_eq!(town.broker.poll(), Some(Output::Dismiss { socket: SocketId(1), why }));
}

/// Relaying does not care who watches.
#[test]
fn those_who_watch_still_talk() {
    let mut town = Town::new(Showing::Everybody);
    town.join(1, "alice");
    town.join(2, "bob");
    town.watch(1, &["bob"]).unwrap();
    town.heard();

    let signal = Signal {
        kind: Kind::Offer,
        to: id("bob"),
        payload: None,
        connection: None,
        needs: Capabilities::default(),
    };
    town.tell(Input::Said { socket: SocketId(1), signal }).unwrap();

    assert!(matches!(town.broker.poll(), Some(Output::Tell { socket: SocketId(2), .. })));
}

struct Town {
    broker: Broker,
    now: Time,
}

impl Town {
    fn new(showing: Showing) -> Self {
        Self::with(shown(showing))
    }

    fn with(config: Config) -> Self {
        Self { broker: Broker::new(config, Seed::story(7)), now: Time::ZERO }
    }

    fn open(&mut self, socket: u64, whose: &str) {
        self.stand(socket, whose, Standing::default());
    }

    fn open_for(&mut self, socket: u64, whose: &str, audience: &[&str]) {
        self.stand(socket, whose, listing(audience));
    }

    fn capable(&mut self, socket: u64, whose: &str, words: &[&str]) {
        self.stand(socket, whose, capable(words));
    }

    fn stand(&mut self, socket: u64, whose: &str, standing: Standing) {
        let (socket, device) = (SocketId(socket), device(whose));
        self.tell(Input::Opened { socket, device, standing }).expect("it opens");
    }

    fn close(&mut self, socket: u64) {
        self.tell(Input::Closed { socket: SocketId(socket) }).expect("it is open");
    }

    /// A guest of PeerJS, known again by its name.
    fn join(&mut self, socket: u64, name: &str) {
        let proof = name.bytes().fold(0, |proof, byte| proof * 256 + u128::from(byte));
        self.enter(socket, Peer::Guest(id(name)), proof);
    }

    /// A user's device that speaks PeerJS.
    fn device(&mut self, socket: u64, whose: &str) {
        self.enter(socket, Peer::Device(device(whose)), u128::from(socket));
    }

    fn enter(&mut self, socket: u64, peer: Peer, proof: u128) {
        let (socket, proof, standing) = (SocketId(socket), Proof(proof), Standing::default());
        let input = Input::Joined { socket, peer, proof, line: Line::Socket, standing };
        self.tell(input).expect("it may come in");
    }

    fn part(&mut self, socket: u64, ending: Ending) {
        self.tell(Input::Parted { socket: SocketId(socket), ending }).expect("the line is open");
    }

    fn watch(&mut self, socket: u64, names: &[&str]) -> Result<(), Error> {
        let names = names.iter().map(|name| id(name)).collect();
        self.tell(Input::Watch { socket: SocketId(socket), names })
    }

    fn list(&mut self, whose: &str, audience: &[&str]) {
        let (device, standing) = (device(whose), listing(audience));
        self.tell(Input::Stands { device, standing }).expect("harmless");
    }

    fn dismiss(&mut self, user: &str) {
        let who = Address::of(user.parse().expect("a user"));
        self.tell(Input::Dismissed { who }).expect("harmless");
    }

    /// Alice rings somebody; the devices that hear it.
    fn invite(&mut self, to: &str, needs: &[&str]) -> Result<Vec<String>, Unsent> {
        let to = match to.split_once('/') {
            Some(_) => device(to).into(),
            None => Address::of(to.parse().expect("a user")),
        };
        let needs = Capabilities::new(needs.iter().copied()).expect("words");
        let parcel = Parcel { invite: Some(InviteId(1)), needs, ..Parcel::default() };
        let (request, from) = (RequestId(1), device("alice/1"));
        self.tell(Input::Send { request, from, to, parcel, asleep: Vec::new() })
            .expect("it is answered");
        let (mut rung, mut answer) = (Vec::new(), None);
        while let Some(output) = self.broker.poll() {
            match &output {
                Output::Push { to, .. } => rung.push(to.to_string()),
                Output::Sent { outcome, .. } => answer = Some(*outcome),
                Output::Receipt { .. }
                | Output::Dismiss { .. }
                | Output::Presence { .. }
                | Output::Wake { .. }
                | Output::Tell { .. }
                | Output::Part { .. } => panic!("{output:?}"),
            }
        }
        answer.expect("it is answered").map(|_| rung)
    }

    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.broker.timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tell(Input::Timeout).expect("harmless");
        }
        self.now = end;
    }

    fn tell(&mut self, input: Input) -> Result<(), Error> {
        self.broker.handle(self.now, input)
    }

    fn sees(&self, user: &str, name: &str) -> bool {
        let user = user.parse().expect("a user");
        self.broker.sees(self.now, Some(&user), &id(name))
    }

    /// What those who watch were told.
    fn heard(&mut self) -> Vec<String> {
        let outputs = std::iter::from_fn(|| self.broker.poll());
        let told = outputs.filter_map(|output| {
            let Output::Presence { socket, states } = output else { return None };
            let states = states
                .iter()
                .map(|(name, is)| format!("{name} is {}", if *is { "here" } else { "away" }));
            Some(format!("{}: {}", socket.0, states.collect::<Vec<_>>().join(", ")))
        });
        told.collect()
    }
}

fn shown(showing: Showing) -> Config {
    Config { open: true, showing, ..Config::default() }
}

fn listing(users: &[&str]) -> Standing {
    Standing { audience: Some(audience(users)), ..Standing::default() }
}

fn audience(users: &[&str]) -> Audience {
    users.iter().map(|user| user.parse().expect("a user")).collect()
}

fn capable(words: &[&str]) -> Standing {
    let capabilities = Capabilities::new(words.iter().copied()).expect("words");
    Standing { policy: Policy::Capable, capabilities, ..Standing::default() }
}

fn id(name: &str) -> PeerId {
    name.parse().expect("a name")
}

fn device(text: &str) -> Device {
    let (user, instance) = text.split_once('/').expect("user/number");
    let instance = InstanceId(instance.parse().expect("a number"));
    Device { user: user.parse().expect("a user"), instance }
}
