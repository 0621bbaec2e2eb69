//! Stories of devices whose pages are closed, and which a push service wakes.

use std::time::Duration;

use broker::{
    Broker, Config, Device, Failure, Input, Output, Parcel, PushId, RequestId, SocketId, Standing,
    Unsent, Woken,
};
use wire::{InstanceId, InviteId, Seed, Time};

const INVITE: InviteId = InviteId(0x1f);

#[test]
fn an_invite_wakes_a_device_that_sleeps_and_is_answered_when_the_service_took_it() {
    let mut town = Town::new();

    town.invite(INVITE, &["bob/1"]);
    let wakes = town.wakes();
    assert_eq!(town.sent(), None, "the push service has not answered yet");
    town.woken(wakes[0], Woken::Taken);

    assert_eq!(town.sent(), Some(Ok(1)));
}

#[test]
fn whoever_is_gone_is_not_reachable_and_the_sender_hears_why() {
    let mut town = Town::new();

    town.invite(INVITE, &["bob/1", "bob/2"]);
    let wakes = town.wakes();
    town.woken(wakes[0], Woken::Gone);
    town.woken(wakes[1], Woken::Refused);

    assert_eq!(town.sent(), Some(Err(Unsent::NotReachable)));
    let whys: Vec<Failure> = town.failed.iter().map(|(_, why)| *why).collect();
    assert_eq!(whys, [Failure::Gone, Failure::Refused]);
}

#[test]
fn one_that_takes_it_is_enough() {
    let mut town = Town::new();

    town.invite(INVITE, &["bob/1", "bob/2"]);
    let wakes = town.wakes();
    town.woken(wakes[0], Woken::Gone);
    town.woken(wakes[1], Woken::Taken);

    assert_eq!(town.sent(), Some(Ok(1)));
}

#[test]
fn an_invite_that_nobody_shows_is_sent_twice_more_within_the_ring() {
    let mut town = Town::new();
    town.invite(INVITE, &["bob/1"]);
    let mut times = Vec::new();

    for _ in 0..60 {
        for push in town.wakes() {
            times.push(town.now.since_origin().as_secs());
            town.woken(push, Woken::Taken);
        }
        town.pass(1);
    }

    assert_eq!(times, [0, 8, 24]);
}

#[test]
fn what_a_device_has_shown_is_not_sent_again_and_its_caller_hears() {
    let mut town = Town::new();
    town.open(1, "alice/1");
    town.invite(INVITE, &["bob/1"]);
    let push = town.wakes()[0];
    town.woken(push, Woken::Taken);

    town.shown("bob/1", push).unwrap();

    assert_eq!(town.receipts(), ["bob/1"]);
    town.pass(60);
    assert_eq!(town.wakes(), []);
    assert!(town.shown("bob/1", push).is_err(), "once");
}

#[test]
fn only_the_device_that_was_woken_can_say_so() {
    let mut town = Town::new();
    town.invite(INVITE, &["bob/1"]);
    let push = town.wakes()[0];

    assert!(town.shown("bob/2", push).is_err());
    assert!(town.shown("eve/1", push).is_err());
}

#[test]
fn a_repeated_invite_rings_once() {
    let mut town = Town::new();
    town.invite(INVITE, &["bob/1"]);
    let push = town.wakes()[0];
    town.woken(push, Woken::Taken);
    town.sent();

    town.invite(INVITE, &["bob/1"]);

    assert_eq!(town.wakes(), []);
    assert_eq!(town.sent(), Some(Ok(1)));
}

#[test]
fn a_cancelled_invite_is_not_sent_again_and_the_cancel_is() {
    let mut town = Town::new();
    town.invite(INVITE, &["bob/1"]);
    let push = town.wakes()[0];
    town.woken(push, Woken::Taken);

    town.cancel(INVITE, &["bob/1"]);
    let wakes = town.wakes();
    town.woken(wakes[0], Woken::Taken);

    assert_eq!(wakes.len(), 1);
    town.pass(60);
    assert_eq!(town.wakes(), []);
}

#[test]
fn a_service_that_is_busy_is_asked_again_when_it_says() {
    let mut town = Town::new();
    town.invite(INVITE, &["bob/1"]);
    let push = town.wakes()[0];
    town.woken(push, Woken::Later(Some(Duration::from_secs(5))));

    town.pass(4);
    assert_eq!(town.wakes(), []);
    town.pass(1);
    assert_eq!(town.wakes(), [push]);
    town.woken(push, Woken::Taken);
    assert_eq!(town.sent(), Some(Ok(1)));
}

#[test]
fn a_service_that_is_busy_for_too_long_counts_for_nothing() {
    let mut town = Town::new();
    town.invite(INVITE, &["bob/1"]);
    let push = town.wakes()[0];

    town.woken(push, Woken::Later(Some(Duration::from_secs(600))));

    assert_eq!(town.sent(), Some(Err(Unsent::NotReachable)));
}

#[test]
fn a_service_that_never_answers_is_not_waited_for_longer_than_it_rings() {
    let mut town = Town::new();
    town.invite(INVITE, &["bob/1"]);
    town.wakes();

    town.pass(60);

    assert_eq!(town.sent(), Some(Err(Unsent::NotReachable)));
    assert_eq!(town.broker.load().wakes, 0);
}

#[test]
fn a_page_that_opens_while_it_rings_rings_too() {
    let mut town = Town::new();
    town.invite(INVITE, &["bob/1"]);
    let push = town.wakes()[0];
    town.woken(push, Woken::Taken);

    town.open(7, "bob/1");

    assert_eq!(town.heard(), ["7: ring"]);
    town.pass(60);
    assert_eq!(town.wakes(), [], "the page has it");
}

#[test]
fn a_page_that_is_open_but_frozen_is_woken_after_a_moment() {
    let mut town = Town::new();
    town.open(7, "bob/1");
    town.invite(INVITE, &["bob/1"]);
    assert_eq!(town.sent(), Some(Ok(1)));
    assert_eq!(town.wakes(), []);

    town.pass(3);

    assert_eq!(town.wakes().len(), 1);
}

#[test]
fn a_page_that_is_open_and_shows_it_is_not_woken() {
    let mut town = Town::new();
    town.open(7, "bob/1");
    town.invite(INVITE, &["bob/1"]);
    let push = town.pushed.expect("it went to the page");
    let shown = Input::Acknowledged { socket: SocketId(7), push };
    town.broker.handle(town.now, shown).unwrap();

    town.pass(60);

    assert_eq!(town.wakes(), []);
}

#[test]
fn whoever_rings_too_often_is_held_off() {
    let mut town = Town::new();
    for n in 1..=3 {
        town.invite(InviteId(n), &["bob/1"]);
        let push = town.wakes()[0];
        town.woken(push, Woken::Taken);
    }
    town.sent();

    town.invite(InviteId(4), &["bob/1"]);

    assert_eq!(town.wakes(), []);
    assert_eq!(town.sent(), Some(Err(Unsent::TooManyRings)));
}

#[test]
fn a_device_that_is_logged_out_is_not_woken() {
    let mut town = Town::new();
    town.invite(INVITE, &["bob/1"]);
    town.wakes();

    let who = "bob".parse().unwrap();
    town.broker.handle(town.now, Input::Dismissed { who }).unwrap();
    town.drain();

    assert_eq!(town.sent(), Some(Err(Unsent::NotReachable)));
    assert_eq!(town.broker.load().wakes, 0);
}

#[test]
fn who_is_blocked_while_it_rings_ends_that_and_wakes_nobody_else() {
    let mut town = Town::new();
    town.invite(InviteId(1), &["bob/1"]);
    let [push] = town.wakes()[..] else { panic!("it is woken") };
    town.woken(push, Woken::Taken);

    let ends = |invite| Parcel {
        text: "stop".into(),
        ends: Some(invite),
        only_ends: true,
        ..Parcel::default()
    };
    town.send(ends(InviteId(1)), &["bob/1"]);
    assert_eq!(town.wakes().len(), 1, "the end of what rings there");
    town.send(ends(InviteId(2)), &["bob/1"]);
    assert_eq!(town.wakes(), [], "it does not ring there");
}

/// A broker, and what it said.
struct Town {
    broker: Broker,
    now: Time,
    outputs: Vec<Output>,
    requests: u64,
    failed: Vec<(Device, Failure)>,
    pushed: Option<PushId>,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "each picks its own kind of output")]
impl Town {
    fn new() -> Self {
        Self {
            broker: Broker::new(Config::default(), Seed::story(1)),
            now: Time::ZERO,
            outputs: Vec::new(),
            requests: 0,
            failed: Vec::new(),
            pushed: None,
        }
    }

    fn open(&mut self, socket: u64, whose: &str) {
        let input = Input::Opened {
            socket: SocketId(socket),
            device: device(whose),
            standing: Standing::default(),
        };
        self.broker.handle(self.now, input).expect("the socket opens");
        self.drain();
    }

    fn invite(&mut self, invite: InviteId, asleep: &[&str]) {
        let parcel = Parcel { text: "ring".into(), invite: Some(invite), ..Parcel::default() };
        self.send(parcel, asleep);
    }

    fn cancel(&mut self, invite: InviteId, asleep: &[&str]) {
        let parcel = Parcel { text: "stop".into(), ends: Some(invite), ..Parcel::default() };
        self.send(parcel, asleep);
    }

    fn send(&mut self, parcel: Parcel, asleep: &[&str]) {
        self.requests += 1;
        let request = RequestId(self.requests);
        let asleep = asleep.iter().map(|whose| device(whose)).collect();
        let to = "bob".parse().expect("a user");
        let input = Input::Send { request, from: device("alice/1"), to, parcel, asleep };
        self.broker.handle(self.now, input).expect("sending is always answered");
        self.drain();
    }

    fn woken(&mut self, push: PushId, outcome: Woken) {
        self.broker.handle(self.now, Input::Woken { push, outcome }).expect("it was asked for");
        self.drain();
    }

    fn shown(&mut self, whose: &str, push: PushId) -> Result<(), broker::Error> {
        let shown = self.broker.handle(self.now, Input::Shown { device: device(whose), push });
        self.drain();
        shown
    }

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
                self.pushed = Some(*push);
            }
            self.outputs.push(output);
        }
    }

    /// Whom to wake, since the last time this was asked.
    fn wakes(&mut self) -> Vec<PushId> {
        self.take(|output| match output {
            Output::Wake { push, left, .. } => {
                assert!(!left.is_zero(), "what is over wakes nobody");
                Some(*push)
            }
            _ => None,
        })
    }

    /// The last answer to a request.
    fn sent(&mut self) -> Option<Result<u32, Unsent>> {
        let answers = self.take(|output| match output {
            Output::Sent { outcome, failed, .. } => Some((*outcome, failed.clone())),
            _ => None,
        });
        let (outcome, failed) = answers.into_iter().last()?;
        self.failed = failed;
        Some(outcome)
    }

    fn heard(&mut self) -> Vec<String> {
        self.take(|output| match output {
            Output::Push { sockets, text, .. } => Some(format!("{}: {text}", sockets[0].0)),
            _ => None,
        })
    }

    fn receipts(&mut self) -> Vec<String> {
        self.take(|output| match output {
            Output::Receipt { from, .. } => Some(format!("{}/{}", from.user, from.instance.0)),
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
