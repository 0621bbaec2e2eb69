//! Calls between Ann, who has one device, and Bob, who has two, told message by message.

use std::time::Duration;

use call::{Call, Config, Describe, End, Error, Event, Input, Outgoing, Output, State, Unsent};
use wire::invite::{Invite, Letter, Message, RejectReason};
use wire::{Address, InviteId, NodeId, Time};

#[test]
fn the_first_device_to_answer_is_connected_and_the_other_stops_ringing() {
    let mut line = Line::ringing();

    line.laptop.answers(line.now);
    line.deliver_all();
    line.connect();

    assert_eq!(line.ann.state(), State::Connected);
    assert_eq!(line.laptop.state(), State::Connected);
    assert_eq!(line.phone.state(), State::Ended(End::AnsweredElsewhere { by: laptop().into() }));
    assert_eq!(line.ann.applied, ["answer of laptop"]);
}

#[test]
fn of_two_devices_that_answer_at_once_one_wins_and_the_other_is_told() {
    let mut line = Line::ringing();

    line.laptop.answers(line.now);
    line.phone.answers(line.now);
    line.deliver_all();
    line.connect();

    assert_eq!(line.laptop.state(), State::Connected);
    assert_eq!(line.phone.state(), State::Ended(End::AnsweredElsewhere { by: laptop().into() }));
    assert_eq!(line.ann.applied.len(), 1, "one answer is applied");
}

#[test]
fn a_device_that_answers_long_after_another_is_told_by_its_own_letter() {
    let mut line = Line::ringing();
    line.laptop.answers(line.now);
    line.deliver_all_but(&phone());
    line.connect();

    line.phone.answers(line.now);
    line.deliver_all();

    assert_eq!(line.phone.state(), State::Ended(End::AnsweredElsewhere { by: laptop().into() }));
    assert_eq!(line.ann.state(), State::Connected);
}

#[test]
fn one_device_declines_and_all_fall_silent() {
    let mut line = Line::ringing();

    line.laptop.told(line.now, Input::Decline);
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::Declined));
    assert_eq!(line.laptop.state(), State::Ended(End::Declined));
    assert_eq!(line.phone.state(), State::Ended(End::DeclinedElsewhere { by: laptop().into() }));
    assert!(line.laptop.call.is_over(), "the CANCEL confirms the DECLINE");
}

#[test]
fn a_decline_is_repeated_until_the_caller_confirms_it() {
    let mut line = Line::ringing();

    line.laptop.told(line.now, Input::Decline);
    line.lose_all();
    assert_eq!(line.ann.state(), State::Ringing { devices: 2 });
    line.wait(Duration::from_secs(2));
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::Declined));
}

#[test]
fn an_accept_is_repeated_until_the_channel_opens() {
    let mut line = Line::ringing();

    line.laptop.answers(line.now);
    line.lose_all();
    line.wait(Duration::from_secs(2));
    line.deliver_all();
    line.wait(Duration::from_secs(2));
    line.deliver_all();
    line.connect();
    line.wait(Duration::from_secs(60));

    assert_eq!(line.ann.applied, ["answer of laptop"], "the repetition is not applied again");
    assert_eq!(line.laptop.state(), State::Connected);
    assert_eq!(line.laptop.call.timeout(), None);
}

#[test]
fn nobody_answers_and_everybody_stops() {
    let mut line = Line::ringing();

    line.wait(Duration::from_secs(45));
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::NoAnswer));
    assert_eq!(line.laptop.state(), State::Ended(End::Missed));
    assert_eq!(line.phone.state(), State::Ended(End::Missed));
}

#[test]
fn an_answer_after_the_ring_time_closes_the_window_it_opened() {
    let mut line = Line::ringing();
    line.laptop.answers(line.now);
    let late = line.take_posts();

    line.ann.told(line.now, Input::Cancel);
    line.lose_all();
    line.post_again(late);
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::Cancelled));
    assert_eq!(line.laptop.state(), State::Ended(End::Withdrawn));
}

#[test]
fn the_invite_is_posted_again_only_while_no_device_confirms_it() {
    let mut line = Line::begun();
    line.lose_all();

    line.wait(Duration::from_secs(5));
    let again = line.take_posts();
    assert_eq!(again.len(), 1);
    let Message::Invite(invite) = &again[0].1 else { panic!("{again:?}") };
    assert_eq!(invite.ttl_ms, 40_000, "a late device rings only for the rest of the time");

    line.post_again(again);
    line.deliver_all();
    line.receipts();
    line.wait(Duration::from_secs(10));

    assert_eq!(line.take_posts(), [], "devices ring, so nothing is repeated");
    assert_eq!(line.ann.state(), State::Ringing { devices: 2 });
}

#[test]
fn a_doubled_invite_does_not_ring_longer() {
    let mut line = Line::ringing();
    let invite = line.invite.clone();
    let until = line.laptop.call.timeout();

    line.now = line.now + Duration::from_secs(20);
    let letter = Letter { from: ann(), to: laptop(), message: Message::Invite(invite) };
    line.laptop.told(line.now, Input::Received(letter));

    assert_eq!(line.laptop.call.timeout(), until);
}

#[test]
fn rejections_end_the_call_only_when_every_device_has_rejected() {
    let mut line = Line::ringing();

    line.laptop.told(line.now, Input::Reject(RejectReason::Busy));
    line.deliver_all();
    assert_eq!(line.ann.state(), State::Ringing { devices: 1 });
    line.phone.told(line.now, Input::Reject(RejectReason::Timeout));
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::Busy));
}

#[test]
fn the_caller_hears_why_the_invite_could_not_be_posted() {
    for (why, end) in [
        (Unsent::UnknownUser, End::UnknownUser),
        (Unsent::NotReachable, End::NotReachable),
        (Unsent::Offline, End::Offline),
        (Unsent::Refused, End::Refused),
    ] {
        let mut line = Line::begun();

        line.ann.told(line.now, Input::Unsent(why));

        assert_eq!(line.ann.state(), State::Ended(end));
    }
}

#[test]
fn a_repetition_that_cannot_be_posted_leaves_the_call_alone() {
    let mut line = Line::begun();
    line.ann.told(line.now, Input::Sent { count: 2 });
    line.wait(Duration::from_secs(5));

    line.ann.told(line.now, Input::Unsent(Unsent::NotReachable));

    assert_eq!(line.ann.state(), State::Calling);
}

#[test]
fn a_channel_that_does_not_open_ends_the_call_on_both_sides() {
    let mut line = Line::ringing();
    line.laptop.answers(line.now);
    line.deliver_all();

    line.ann.told(line.now, Input::Disconnected);
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::Failed));
    assert_eq!(line.laptop.state(), State::Ended(End::Withdrawn));
}

#[test]
fn a_device_that_cannot_make_an_answer_says_so_and_the_other_rings_on() {
    let mut line = Line::ringing();

    line.laptop.told(line.now, Input::Answer { node: NodeId(2) });
    line.laptop.told(line.now, Input::Undescribed);
    line.deliver_all();

    assert_eq!(line.laptop.state(), State::Ended(End::Failed));
    assert_eq!(line.ann.state(), State::Ringing { devices: 1 });
    assert!(matches!(line.phone.state(), State::Ringing { .. }));
}

#[test]
fn a_caller_who_hangs_up_while_it_connects_takes_the_winner_along() {
    let mut line = Line::ringing();
    line.laptop.answers(line.now);
    line.deliver_all();

    line.ann.told(line.now, Input::Cancel);
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::Cancelled));
    assert_eq!(line.laptop.state(), State::Ended(End::Withdrawn));
}

#[test]
fn another_window_of_the_winner_that_stops_ringing_does_not_end_the_call() {
    let mut line = Line::ringing();
    line.laptop.answers(line.now);
    line.deliver_all();

    let message = Message::Reject { id: line.invite.id, reason: RejectReason::Timeout };
    let letter = Letter { from: laptop(), to: ann(), message };
    line.ann.told(line.now, Input::Received(letter));

    assert_eq!(line.ann.state(), State::Connecting);
}

#[test]
fn a_winner_that_finds_no_path_ends_the_call() {
    let mut line = Line::ringing();
    line.laptop.answers(line.now);
    line.deliver_all();

    line.laptop.told(line.now, Input::Disconnected);
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::Failed));
}

#[test]
fn a_callee_who_hangs_up_while_it_connects_declines() {
    let mut line = Line::ringing();
    line.laptop.answers(line.now);
    line.deliver_all();

    line.laptop.told(line.now, Input::Cancel);
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::Declined));
    assert_eq!(line.laptop.state(), State::Ended(End::Cancelled));
}

#[test]
fn a_callee_who_hangs_up_repeats_it_although_the_caller_confirms_the_accept_meanwhile() {
    let mut line = Line::ringing();
    line.laptop.answers(line.now);
    let accept = line.take_posts();

    line.laptop.told(line.now, Input::Cancel);
    line.lose_all();
    line.post_again(accept);
    line.deliver_all();
    assert_eq!(line.ann.state(), State::Connecting);
    line.wait(Duration::from_secs(2));
    line.deliver_all();

    assert_eq!(line.ann.state(), State::Ended(End::Declined));
}

#[test]
fn a_description_that_is_too_long_is_refused_and_the_call_goes_on() {
    let mut line = Line::ringing();
    line.laptop.told(line.now, Input::Answer { node: NodeId(2) });

    let long = "x".repeat(wire::invite::DESCRIPTION_BYTES_MAX + 1);
    let result = line.laptop.call.handle(line.now, Input::Described(long));

    assert_eq!(result, Err(Error::Limit { what: "bytes of an answer" }));
    line.laptop.told(line.now, Input::Described("answer of laptop".to_owned()));
    assert_eq!(line.laptop.state(), State::Connecting);
}

#[test]
fn an_answer_with_the_callers_own_node_is_refused() {
    let mut line = Line::ringing();

    let result = line.laptop.call.handle(line.now, Input::Answer { node: NodeId(1) });

    assert!(matches!(result, Err(Error::Misuse { .. })));
}

#[test]
fn more_devices_than_the_limit_are_not_counted() {
    let mut line = Line::begun();
    for instance in 1..=64 {
        let from = format!("bob@x.org/{instance:08x}").parse().unwrap();
        line.ann.told(line.now, Input::Receipt { from });
    }

    let from = "bob@x.org/000000ff".parse().unwrap();
    let result = line.ann.call.handle(line.now, Input::Receipt { from });

    assert!(matches!(result, Err(Error::Limit { .. })));
    assert_eq!(line.ann.state(), State::Ringing { devices: 64 });
}

#[test]
fn a_call_that_was_stored_while_it_rang_goes_on_elsewhere() {
    let mut line = Line::ringing();

    let stored = serde_json::to_string(&line.laptop.call).unwrap();
    line.laptop.call = serde_json::from_str(&stored).unwrap();
    line.laptop.answers(line.now);
    line.deliver_all();
    line.connect();

    assert_eq!(line.laptop.state(), State::Connected);
    assert_eq!(line.laptop.call.peer_node(), Some(NodeId(1)));
    assert_eq!(line.ann.call.peer_node(), line.laptop.call.node());
}

fn ann() -> Address {
    "ann@x.org/0000000a".parse().expect("an address")
}

fn laptop() -> Address {
    "bob@x.org/0000000b".parse().expect("an address")
}

fn phone() -> Address {
    "bob@x.org/0000000c".parse().expect("an address")
}

/// A message on its way: from, what, and to whom.
type Post = (Address, Message, Address);

/// The three devices and what is on its way between them.
struct Line {
    now: Time,
    invite: Invite,
    ann: Device,
    laptop: Device,
    phone: Device,
}

struct Device {
    name: &'static str,
    address: Address,
    call: Call,
    posts: Vec<Post>,
    applied: Vec<String>,
    events: Vec<Event>,
}

impl Line {
    /// Ann has posted her INVITE; nobody has it.
    fn begun() -> Self {
        let now = Time::ZERO;
        let outgoing = Outgoing {
            id: InviteId(7),
            to: "bob@x.org".parse().expect("an address"),
            node: NodeId(1),
            location: "https://x.org/conference?data.path=sessions/c".to_owned(),
            topic: None,
        };
        let config = Config::default();
        let mut call = Call::outgoing(config, now, outgoing);
        assert_eq!(call.poll(), Some(Output::Describe(Describe::Offer)));
        call.handle(now, Input::Described("offer".to_owned())).expect("it waits for one");
        let Some(Output::Send { to, message: Message::Invite(invite) }) = call.poll() else {
            panic!("the INVITE is posted first");
        };

        let incoming = |me| Call::incoming(config, now, ann(), me, invite.clone());
        let laptop = Device::new("laptop", laptop(), incoming(laptop()));
        let phone = Device::new("phone", phone(), incoming(phone()));
        let mut ann = Device::new("ann", ann(), call);
        ann.posts.push((ann.address.clone(), Message::Invite(invite.clone()), to));
        Self { now, invite, ann, laptop, phone }
    }

    /// Both of Bob's devices ring, and Ann knows.
    fn ringing() -> Self {
        let mut line = Self::begun();
        line.ann.told(line.now, Input::Sent { count: 2 });
        line.deliver_all();
        line.receipts();
        assert_eq!(line.ann.state(), State::Ringing { devices: 2 });
        line
    }

    fn receipts(&mut self) {
        for from in [laptop(), phone()] {
            self.ann.told(self.now, Input::Receipt { from });
        }
    }

    fn devices(&mut self) -> [&mut Device; 3] {
        [&mut self.ann, &mut self.laptop, &mut self.phone]
    }

    fn take_posts(&mut self) -> Vec<Post> {
        self.devices().into_iter().flat_map(|device| std::mem::take(&mut device.posts)).collect()
    }

    fn post_again(&mut self, posts: Vec<Post>) {
        self.ann.posts.extend(posts);
    }

    fn lose_all(&mut self) {
        self.take_posts();
    }

    fn deliver_all(&mut self) {
        self.deliver_all_but(&"nobody/00000000".parse().expect("an address"));
    }

    /// Carries messages until there are none; those for `deaf` are lost.
    fn deliver_all_but(&mut self, deaf: &Address) {
        loop {
            let posts = self.take_posts();
            if posts.is_empty() {
                return;
            }
            let now = self.now;
            for (from, message, to) in posts {
                for device in self.devices() {
                    let is_meant = to.user == device.address.user
                        && to.instance.is_none_or(|it| Some(it) == device.address.instance);
                    if is_meant && device.address != *deaf {
                        let (from, to) = (from.clone(), device.address.clone());
                        let message = message.clone();
                        device.told(now, Input::Received(Letter { from, to, message }));
                    }
                }
            }
        }
    }

    /// The channel between Ann and whoever she took the answer of opens.
    fn connect(&mut self) {
        let now = self.now;
        for device in self.devices() {
            if device.state() == State::Connecting {
                device.told(now, Input::Connected);
                assert_eq!(device.events.last(), Some(&Event::Connected));
            }
        }
    }

    /// Lets `span` pass, waking every device when it wants to be.
    fn wait(&mut self, span: Duration) {
        let last = self.now + span;
        while let Some(at) = self.devices().iter().filter_map(|device| device.call.timeout()).min()
            && at <= last
        {
            self.now = at;
            for device in self.devices() {
                device.told(at, Input::Timeout);
            }
        }
        self.now = last;
    }
}

impl Device {
    fn new(name: &'static str, address: Address, call: Call) -> Self {
        Self { name, address, call, posts: Vec::new(), applied: Vec::new(), events: Vec::new() }
    }

    fn state(&self) -> State {
        self.call.state()
    }

    fn told(&mut self, now: Time, input: Input) {
        self.call.handle(now, input).expect("the story makes sense");
        while let Some(output) = self.call.poll() {
            match output {
                Output::Send { to, message } => {
                    self.posts.push((self.address.clone(), message, to));
                }
                Output::Apply { answer } => self.applied.push(answer),
                Output::Event(event) => self.events.push(event),
                Output::Describe(_) => {}
            }
        }
    }

    fn answers(&mut self, now: Time) {
        let node = NodeId(u64::from(self.address.instance.expect("a device").0));
        self.told(now, Input::Answer { node });
        self.told(now, Input::Described(format!("answer of {}", self.name)));
    }
}
