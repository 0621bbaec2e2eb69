//! Stories of devices that come, blink, send and go, through the public interface.

use std::time::Duration;

use broker::{
    Broker, Config, Device, Error, Farewell, Input, Load, Output, Parcel, PushId, RequestId,
    SocketId, Standing, Unsent,
};
use wire::{InstanceId, InviteId, Seed, Time};

const INVITE: InviteId = InviteId(0x1f);

#[test]
fn a_message_forks_to_every_device_of_the_user() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.open(3, "bob/2");

    let sent = town.send("alice/1", "bob", "hello");

    assert_eq!(sent, Ok(2));
    assert_eq!(
        town.heard(),
        ["bob/1 on [2]: hello from alice/1", "bob/2 on [3]: hello from alice/1"]
    );
}

#[test]
fn a_message_for_one_device_goes_to_that_one_only() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.open(3, "bob/2");

    let sent = town.send("alice/1", "bob/2", "hello");

    assert_eq!(sent, Ok(1));
    assert_eq!(town.heard(), ["bob/2 on [3]: hello from alice/1"]);
}

#[test]
fn every_page_of_a_device_hears_a_message_and_it_counts_once() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.open(3, "bob/1");

    let sent = town.send("alice/1", "bob", "hello");

    assert_eq!(sent, Ok(1));
    assert_eq!(town.heard(), ["bob/1 on [2, 3]: hello from alice/1"]);
}

#[test]
fn who_is_not_here_is_not_reachable() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");

    assert_eq!(town.send("alice/1", "carol", "hello"), Err(Unsent::NotReachable));
    assert_eq!(town.send("alice/1", "bob/2", "hello"), Err(Unsent::NotReachable));
    assert_eq!(town.send("alice/1", "bo", "hello"), Err(Unsent::NotReachable));
}

#[test]
fn what_was_sent_during_a_blink_arrives_after_it_in_order() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.close(2);

    assert_eq!(town.send("alice/1", "bob", "one"), Ok(1));
    assert_eq!(town.send("alice/1", "bob", "two"), Ok(1));
    assert_eq!(town.heard(), [""; 0]);
    town.pass(9);
    town.open(3, "bob/1");

    assert_eq!(town.heard(), ["bob/1 on [3]: one from alice/1", "bob/1 on [3]: two from alice/1"]);
}

#[test]
fn after_the_grace_a_device_is_not_reachable_but_what_waits_still_waits() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.close(2);
    assert_eq!(town.send("alice/1", "bob", "early"), Ok(1));

    town.pass(10);
    assert_eq!(town.send("alice/1", "bob", "late"), Err(Unsent::NotReachable));
    town.pass(20);
    town.open(3, "bob/1");

    assert_eq!(town.heard(), ["bob/1 on [3]: early from alice/1"]);
}

#[test]
fn a_message_waits_no_longer_than_it_is_worth() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.close(2);
    town.send_for("alice/1", "bob", "short", Some(5)).expect("bob blinks");
    town.send_for("alice/1", "bob", "long", Some(3_600)).expect("bob blinks");

    town.pass(5);
    town.open(3, "bob/1");
    assert_eq!(town.heard(), ["bob/1 on [3]: long from alice/1"]);

    town.close(3);
    town.send_for("alice/1", "bob", "longer", Some(3_600)).expect("bob blinks");
    town.pass(60);
    town.open(4, "bob/1");
    assert_eq!(town.heard(), [""; 0], "a minute is the limit");
}

#[test]
fn a_late_timeout_lets_nothing_expired_out() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.close(2);
    town.send_for("alice/1", "bob", "short", Some(5)).expect("bob blinks");

    town.now = town.now + Duration::from_secs(6);
    town.open(3, "bob/1");

    assert_eq!(town.heard(), [""; 0]);
}

#[test]
fn a_full_queue_says_so_and_a_device_with_room_still_counts() {
    let mut town = Town::with(Config { waiting_max: 2, ..Config::default() });
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.close(2);

    assert_eq!(town.send("alice/1", "bob", "one"), Ok(1));
    assert_eq!(town.send("alice/1", "bob", "two"), Ok(1));
    assert_eq!(town.send("alice/1", "bob", "three"), Err(Unsent::Full));

    town.open(3, "bob/2");
    assert_eq!(town.send("alice/1", "bob", "four"), Ok(1));
}

#[test]
fn what_waits_is_bounded_in_bytes_for_one_and_for_all() {
    let config =
        Config { waiting_bytes_max: 1_000, waiting_bytes_max_total: 1_500, ..Config::default() };
    let mut town = Town::with(config);
    town.open(1, "alice/1");
    for (socket, device) in [(2, "bob/1"), (3, "carol/1")] {
        town.open(socket, device);
        town.close(socket);
    }
    let long = "x".repeat(700);

    assert_eq!(town.send("alice/1", "bob", &long), Ok(1));
    assert_eq!(town.send("alice/1", "bob", "y"), Err(Unsent::Full), "bob's own bound");
    assert_eq!(town.send("alice/1", "carol", &long), Err(Unsent::Full), "the bound of all");
    assert_eq!(town.send("alice/1", "carol", "y"), Ok(1));
}

#[test]
fn an_acknowledged_invite_rings_on_the_sender_once() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.open(3, "bob/1");
    town.invite("alice/1", "bob").expect("bob is here");
    let push = town.last_push();

    town.acknowledge(2, push).expect("it was pushed to bob");
    let twice = town.acknowledge(3, push);

    assert_eq!(twice, Err(Error::PeerMisbehaved(push)));
    assert_eq!(town.receipts(), ["[1]: rings at bob/1"]);
}

#[test]
fn only_the_device_it_was_for_can_acknowledge() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.open(3, "eve/1");
    town.invite("alice/1", "bob").expect("bob is here");
    let push = town.last_push();

    assert_eq!(town.acknowledge(3, push), Err(Error::PeerMisbehaved(push)));
    assert_eq!(town.acknowledge(2, push), Ok(()), "eve's attempt took nothing from bob");
}

#[test]
fn a_message_that_is_no_invite_has_no_receipt() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.send("alice/1", "bob", "hello").expect("bob is here");
    let push = town.last_push();

    assert_eq!(town.acknowledge(2, push), Err(Error::PeerMisbehaved(push)));
}

#[test]
fn a_receipt_waits_for_a_sender_that_blinks() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.invite("alice/1", "bob").expect("bob is here");
    let push = town.last_push();
    town.close(1);

    town.acknowledge(2, push).expect("it was pushed to bob");
    assert_eq!(town.receipts(), [""; 0]);
    town.open(4, "alice/1");

    assert_eq!(town.receipts(), ["[4]: rings at bob/1"]);
}

#[test]
fn the_oldest_receipt_gives_way_and_all_are_forgotten_in_time() {
    let mut town = Town::with(Config { receipts_max: 2, ..Config::default() });
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    let pushes: Vec<PushId> = (0..3)
        .map(|_| {
            town.invite("alice/1", "bob").expect("bob is here");
            town.last_push()
        })
        .collect();

    assert_eq!(town.acknowledge(2, pushes[0]), Err(Error::PeerMisbehaved(pushes[0])));
    assert_eq!(town.acknowledge(2, pushes[1]), Ok(()));
    town.pass(90);
    assert_eq!(town.acknowledge(2, pushes[2]), Err(Error::PeerMisbehaved(pushes[2])));
    assert_eq!(town.broker.load().receipts, 0);
}

#[test]
fn a_dismissed_device_hears_goodbye_on_every_page_and_loses_what_waits() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.open(3, "bob/1");
    town.open(4, "bob/2");
    town.close(4);
    town.send("alice/1", "bob/2", "lost").expect("it blinks");

    town.dismiss("bob/1");
    assert_eq!(town.dismissed(), [SocketId(2), SocketId(3)]);
    assert_eq!(town.send("alice/1", "bob/1", "hello"), Err(Unsent::NotReachable));

    town.dismiss("bob");
    town.open(5, "bob/2");
    assert_eq!(town.heard(), [""; 0]);
    assert_eq!(town.broker.load().waiting_bytes, 0);
}

#[test]
fn one_who_sends_too_fast_is_told_when_to_go_on() {
    let config = Config { burst: 3, pace: Duration::from_secs(1), ..Config::default() };
    let mut town = Town::with(config);
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    for _ in 0..3 {
        town.send("alice/1", "bob", "hello").expect("within the burst");
    }

    let again_in = Duration::from_secs(1);
    assert_eq!(town.send("alice/1", "bob", "hello"), Err(Unsent::TooMany { again_in }));
    assert_eq!(town.send("bob/1", "alice", "hello"), Ok(1), "others are unharmed");
    town.pass(1);
    assert_eq!(town.send("alice/1", "bob", "hello"), Ok(1));
}

#[test]
fn sockets_and_devices_beyond_the_bounds_are_refused() {
    let config = Config {
        sockets_max: 3,
        sockets_max_per_device: 2,
        devices_max_per_user: 1,
        ..Config::default()
    };
    let mut town = Town::with(config);
    town.open(1, "bob/1");
    town.open(2, "bob/1");

    assert_eq!(town.try_open(3, "bob/1"), Err(Error::Limit("sockets of this device")));
    assert_eq!(town.try_open(3, "bob/2"), Err(Error::Limit("devices of this user")));
    town.open(3, "alice/1");
    assert_eq!(town.try_open(4, "alice/1"), Err(Error::Limit("sockets")));
    assert_eq!(town.broker.load().sockets, 3);
}

#[test]
fn a_socket_is_opened_once_and_closed_once() {
    let mut town = Town::new();
    town.open(1, "bob/1");

    assert_eq!(town.try_open(1, "alice/1"), Err(Error::Misuse(SocketId(1))));
    town.close(1);
    let closed = Input::Closed { socket: SocketId(1) };
    assert_eq!(town.broker.handle(town.now, closed), Err(Error::Misuse(SocketId(1))));
}

#[test]
fn an_empty_town_leaves_nothing_behind() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.open(2, "bob/1");
    town.close(2);
    town.invite("alice/1", "bob").expect("bob blinks");
    town.close(1);

    town.pass(200);

    assert_eq!(town.broker.load(), Load::default());
    assert_eq!(town.broker.timeout(), None);
}

/// A broker and its clock, spoken to in short words: devices are `user/number`.
struct Town {
    broker: Broker,
    now: Time,
    outputs: Vec<Output>,
    requests: u64,
    last_push: Option<PushId>,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "each picks its own kind of output")]
impl Town {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let broker = Broker::new(config, Seed::story(1));
        Self { broker, now: Time::ZERO, outputs: Vec::new(), requests: 0, last_push: None }
    }

    fn try_open(&mut self, socket: u64, whose: &str) -> Result<(), Error> {
        let input = Input::Opened {
            socket: SocketId(socket),
            device: device(whose),
            standing: Standing::default(),
        };
        let result = self.broker.handle(self.now, input);
        self.drain();
        result
    }

    fn open(&mut self, socket: u64, whose: &str) {
        self.try_open(socket, whose).expect("the socket opens");
    }

    fn close(&mut self, socket: u64) {
        let input = Input::Closed { socket: SocketId(socket) };
        self.broker.handle(self.now, input).expect("the socket is open");
    }

    fn send(&mut self, from: &str, to: &str, text: &str) -> Result<u32, Unsent> {
        self.send_for(from, to, text, None)
    }

    fn send_for(
        &mut self,
        from: &str,
        to: &str,
        text: &str,
        seconds: Option<u64>,
    ) -> Result<u32, Unsent> {
        let ttl = seconds.map(Duration::from_secs);
        self.send_parcel(from, to, Parcel { text: text.into(), ttl, ..Parcel::default() })
    }

    fn invite(&mut self, from: &str, to: &str) -> Result<u32, Unsent> {
        self.send_parcel(
            from,
            to,
            Parcel { text: "ring".into(), invite: Some(INVITE), ..Parcel::default() },
        )
    }

    fn send_parcel(&mut self, from: &str, to: &str, parcel: Parcel) -> Result<u32, Unsent> {
        self.requests += 1;
        let request = RequestId(self.requests);
        let to = match to.split_once('/') {
            Some(_) => device(to).into(),
            None => to.parse().expect("a user"),
        };
        let input = Input::Send { request, from: device(from), to, parcel, asleep: Vec::new() };
        self.broker.handle(self.now, input).expect("sending is always answered");
        self.drain();
        let answer = self.outputs.iter().position(|output| matches!(output, Output::Sent { .. }));
        let output = self.outputs.remove(answer.expect("the request is answered"));
        let Output::Sent { request: answered, outcome, .. } = output else {
            panic!("the position is that of an answer: {output:?}");
        };
        assert_eq!(answered, request);
        outcome
    }

    fn acknowledge(&mut self, socket: u64, push: PushId) -> Result<(), Error> {
        let input = Input::Acknowledged { socket: SocketId(socket), push };
        let result = self.broker.handle(self.now, input);
        self.drain();
        result
    }

    fn dismiss(&mut self, who: &str) {
        let who = match who.split_once('/') {
            Some(_) => device(who).into(),
            None => who.parse().expect("a user"),
        };
        self.broker.handle(self.now, Input::Dismissed { who }).expect("anyone can be dismissed");
        self.drain();
    }

    /// Lets seconds pass, waking the broker whenever it asks.
    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.broker.timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.broker.handle(self.now, Input::Timeout).expect("a timeout is harmless");
            assert!(self.broker.timeout().is_none_or(|next| next > self.now), "no progress");
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.broker.poll() {
            if let Output::Push { push, .. } = &output {
                self.last_push = Some(*push);
            }
            self.outputs.push(output);
        }
    }

    fn last_push(&self) -> PushId {
        self.last_push.expect("something was pushed")
    }

    /// What was pushed since the last time this was asked.
    fn heard(&mut self) -> Vec<String> {
        self.take(|output| match output {
            Output::Push { sockets, from, to, text, .. } => {
                Some(format!("{} on {}: {text} from {}", short(to), list(sockets), short(from)))
            }
            _ => None,
        })
    }

    fn receipts(&mut self) -> Vec<String> {
        self.take(|output| match output {
            Output::Receipt { sockets, invite, from } if *invite == INVITE => {
                Some(format!("{}: rings at {}", list(sockets), short(from)))
            }
            _ => None,
        })
    }

    fn dismissed(&mut self) -> Vec<SocketId> {
        self.take(|output| match output {
            Output::Dismiss { socket, why: Farewell::Dismissed } => Some(*socket),
            _ => None,
        })
    }

    fn take<T>(&mut self, pick: impl Fn(&Output) -> Option<T>) -> Vec<T> {
        let mut picked = Vec::new();
        self.outputs.retain(|output| {
            let item = pick(output);
            let keep = item.is_none();
            picked.extend(item);
            keep
        });
        picked
    }
}

fn device(text: &str) -> Device {
    let (user, instance) = text.split_once('/').expect("user/number");
    Device {
        user: user.parse().expect("a user"),
        instance: InstanceId(instance.parse().expect("a number")),
    }
}

fn short(device: &Device) -> String {
    format!("{}/{}", device.user, device.instance.0)
}

fn list(sockets: &[SocketId]) -> String {
    format!("{:?}", sockets.iter().map(|socket| socket.0).collect::<Vec<_>>())
}
