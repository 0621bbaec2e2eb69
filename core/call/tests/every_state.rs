//! Every reachable state × every input: nothing panics, refusals change nothing, time moves on, storage keeps all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use call::{Call, Config, Direction, End, Error, Event, Input, Outgoing, Output, State, Unsent};
use wire::invite::{Accept, CancelReason, Invite, Letter, Message, RejectReason};
use wire::{Address, InviteId, NodeId, Time};

#[test]
fn every_reachable_state_takes_every_input_in_its_stride() {
    for start in [caller(), callee()] {
        let met = walk(start);

        assert!(met.len() > 20, "the walk must get around: {}", met.len());
    }
}

#[test]
fn every_call_ends_by_itself() {
    for start in [caller(), callee()] {
        for Place { mut now, mut call } in walk(start) {
            let mut waits = 0;
            while let Some(at) = call.timeout() {
                now = at.max(now);
                call.handle(now, Input::Timeout).unwrap();
                waits += 1;
                assert!(waits < 100, "{call:?}");
            }

            let state = call.state();
            assert!(matches!(state, State::Connected | State::Ended(_)), "{state:?}");
        }
    }
}

#[test]
fn the_caller_does_in_each_state_what_the_table_says() {
    let mut text = String::new();
    for (name, call) in caller_in_each_state() {
        tell(&mut text, name, &call, &local(), &["bob/00000001", "bob/00000002"]);
    }

    let expected = include_str!("every_state/caller.txt");
    assert_eq!(text, expected, "if this is meant, write it to every_state/caller.txt:\n{text}");
}

#[test]
fn the_callee_does_in_each_state_what_the_table_says() {
    let mut text = String::new();
    for (name, call) in callee_in_each_state() {
        tell(&mut text, name, &call, &local(), &["ann/00000001"]);
    }

    let expected = include_str!("every_state/callee.txt");
    assert_eq!(text, expected, "if this is meant, write it to every_state/callee.txt:\n{text}");
}

#[test]
fn strangers_are_refused_in_every_state() {
    for (believed, states) in [
        (["bob/00000001", "bob/00000002"], caller_in_each_state()),
        (["ann/00000001"; 2], callee_in_each_state()),
    ] {
        for (name, call) in states {
            for from in SENDERS.iter().filter(|from| !believed.contains(from)) {
                for message in messages(from) {
                    let result = call.clone().handle(Time::ZERO, received(from, message));

                    assert!(matches!(result, Err(Error::PeerMisbehaved { .. })), "{name}, {from}");
                }
            }
        }
    }
}

#[test]
fn letters_of_another_invite_are_the_drivers_mistake_in_every_state() {
    for (name, call) in [caller_in_each_state(), callee_in_each_state()].concat() {
        let letter = received("bob/00000001", Message::Decline { id: InviteId(9) });

        let result = call.clone().handle(Time::ZERO, letter);

        assert!(matches!(result, Err(Error::Misuse { .. })), "{name}");
    }
}

/// A call at a moment.
#[derive(Clone)]
struct Place {
    now: Time,
    call: Call,
}

/// Every place that can be reached from `start`, by any inputs at the moments when something is due.
fn walk(start: Call) -> Vec<Place> {
    let inputs = inputs();
    let mut start = Place { now: Time::ZERO, call: start };
    while start.call.poll().is_some() {}
    let mut seen = BTreeSet::from([key(&start)]);
    let mut met = vec![start];
    let mut at = 0;
    while at < met.len() {
        let place = met[at].clone();
        at += 1;
        for input in &inputs {
            let next = step(&place, place.now, input);
            if seen.insert(key(&next)) {
                met.push(next);
            }
        }
        if let Some(due) = place.call.timeout() {
            let next = step(&place, due.max(place.now), &Input::Timeout);
            if seen.insert(key(&next)) {
                met.push(next);
            }
        }
        assert!(met.len() < 20_000, "the states do not end");
    }
    met
}

/// Gives `input` and checks what must hold whatever it was.
fn step(place: &Place, now: Time, input: &Input) -> Place {
    let mut call = place.call.clone();
    let before = call.state();

    let result = call.handle(now, input.clone());

    if result.is_err() {
        assert_eq!(call, place.call, "{input:?} was refused and changed the call");
    }
    if *input == Input::Timeout {
        assert!(call.timeout().is_none_or(|at| at > now), "no progress: {call:?}");
    }
    let stored = serde_json::to_string(&call).expect("it is plain data");
    assert_eq!(
        serde_json::from_str::<Call>(&stored).ok().as_ref(),
        Some(&call),
        "storage keeps all"
    );

    let outputs: Vec<Output> = std::iter::from_fn(|| call.poll()).collect();
    let ends = outputs.iter().filter(|o| matches!(o, Output::Event(Event::Ended(_)))).count();
    let has_ended = !matches!(before, State::Ended(_)) && matches!(call.state(), State::Ended(_));
    assert_eq!(ends, usize::from(has_ended), "the end is told once: {before:?} {input:?}");
    if outputs.iter().any(|output| matches!(output, Output::Apply { .. })) {
        assert!(matches!(before, State::Starting | State::Calling | State::Ringing { .. }));
        assert_eq!(call.state(), State::Connecting);
    }
    if matches!(before, State::Connected | State::Ended(_)) {
        assert_eq!(call.state(), before, "what is settled stays settled: {input:?}");
    }
    Place { now, call }
}

fn key(place: &Place) -> (Time, String) {
    (place.now, serde_json::to_string(&place.call).expect("it is plain data"))
}

/// One line for each input that does something or is refused.
fn tell(text: &mut String, name: &str, call: &Call, local: &[Input], senders: &[&str]) {
    let letters =
        senders.iter().flat_map(|from| messages(from).map(|message| received(from, message)));
    let receipts = senders.iter().map(|from| Input::Receipt { from: address(from) });
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for input in local.iter().cloned().chain(receipts).chain(letters) {
        let mut next = call.clone();
        let result = next.handle(Time::ZERO, input.clone());
        let outputs: Vec<String> =
            std::iter::from_fn(|| next.poll()).map(|output| word(&output)).collect();
        let does = match result {
            Err(Error::Misuse { .. }) => "misuse".to_owned(),
            Err(Error::PeerMisbehaved { .. }) => "peer misbehaved".to_owned(),
            Err(Error::Limit { .. }) => "limit".to_owned(),
            Ok(()) if next == *call && outputs.is_empty() => "nothing".to_owned(),
            Ok(()) => [vec![format!("→ {}", state(&next))], outputs].concat().join(", "),
        };
        lines.entry(does).or_default().push(input_word(&input));
    }
    writeln!(text, "{name}").expect("a string takes all");
    for (does, inputs) in lines {
        writeln!(text, "  {}", does.replace("/0000000", "/")).expect("a string takes all");
        for input in inputs {
            writeln!(text, "      {}", input.replace("/0000000", "/")).expect("a string takes all");
        }
    }
}

fn state(call: &Call) -> String {
    match call.state() {
        State::Ended(End::AnsweredElsewhere { by: Some(by) }) => {
            format!("AnsweredElsewhere by {by}")
        }
        State::Ended(End::DeclinedElsewhere { by: Some(by) }) => {
            format!("DeclinedElsewhere by {by}")
        }
        State::Ended(end) => format!("{end:?}"),
        State::Ringing { devices } => format!("Ringing on {devices}"),
        state @ (State::Starting | State::Calling | State::Connecting | State::Connected) => {
            state.name().to_owned()
        }
    }
}

fn word(output: &Output) -> String {
    match output {
        Output::Describe(_) => "describe".to_owned(),
        Output::Apply { .. } => "apply".to_owned(),
        Output::Send { to, message } => format!("{} to {to}", message_word(message)),
        Output::Event(event) => match event {
            Event::Ringing { devices } => format!("tell: rings on {devices}"),
            Event::Answered { by, .. } => format!("tell: answered by {by}"),
            Event::Connected => "tell: connected".to_owned(),
            Event::Ended(_) => "tell: ended".to_owned(),
        },
    }
}

fn input_word(input: &Input) -> String {
    match input {
        Input::Received(letter) => {
            format!("{} from {}", message_word(&letter.message), letter.from)
        }
        Input::Unsent(why) => format!("Unsent {why:?}"),
        Input::Receipt { from } => format!("Receipt from {from}"),
        Input::Reject(reason) => format!("Reject {reason:?}"),
        Input::Timeout
        | Input::Described(_)
        | Input::Undescribed
        | Input::Sent { .. }
        | Input::Answer { .. }
        | Input::Decline
        | Input::Cancel
        | Input::Repeat
        | Input::Connected
        | Input::Disconnected => input.name().to_owned(),
    }
}

fn message_word(message: &Message) -> String {
    match message {
        Message::Cancel { reason, by: Some(by), .. } => format!("CANCEL {reason:?} by {by}"),
        Message::Cancel { reason, by: None, .. } => format!("CANCEL {reason:?}"),
        Message::Reject { reason, .. } => format!("REJECT {reason:?}"),
        Message::Invite(_) | Message::Accept(_) | Message::Decline { .. } => {
            message.method().to_owned()
        }
    }
}

const ID: InviteId = InviteId(1);

/// Ann calls Bob, who has two devices; Eve is a stranger. `bob` without a device never sends anything.
fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn caller() -> Call {
    let outgoing = Outgoing {
        id: ID,
        to: address("bob"),
        node: NodeId(1),
        location: "https://x.org/conference?data.path=sessions/c".to_owned(),
        topic: Some("Lunch".to_owned()),
    };
    Call::outgoing(config(), Time::ZERO, outgoing)
}

fn callee() -> Call {
    let me = address("bob/00000001");
    Call::incoming(config(), Time::ZERO, address("ann/00000001"), me, invite())
}

/// Fewer repetitions than by default, so that the walk is short.
fn config() -> Config {
    Config {
        connect: Duration::from_secs(4),
        decline_longest: Duration::from_secs(4),
        ..Config::default()
    }
}

fn invite() -> Invite {
    Invite {
        id: ID,
        node: NodeId(1),
        location: "https://x.org/conference?data.path=sessions/c".to_owned(),
        topic: None,
        offer: "offer".to_owned(),
        ttl_ms: 45_000,
    }
}

fn accept(node: u64) -> Message {
    Message::Accept(Accept { id: ID, node: NodeId(node), answer: "answer".to_owned() })
}

const SENDERS: [&str; 5] = ["bob/00000001", "bob/00000002", "ann/00000001", "eve/00000001", "bob"];

/// Everything that can be said to a call.
fn inputs() -> Vec<Input> {
    let mut inputs = local();
    for from in SENDERS {
        inputs.push(Input::Receipt { from: address(from) });
        inputs.extend(messages(from).map(|message| received(from, message)));
    }
    inputs
}

/// Everything that does not come from the network.
fn local() -> Vec<Input> {
    vec![
        Input::Timeout,
        Input::Described("description".to_owned()),
        Input::Undescribed,
        Input::Sent { count: 2 },
        Input::Unsent(Unsent::UnknownUser),
        Input::Unsent(Unsent::NotReachable),
        Input::Unsent(Unsent::Offline),
        Input::Unsent(Unsent::Refused),
        Input::Answer { node: NodeId(2) },
        Input::Decline,
        Input::Reject(RejectReason::Busy),
        Input::Cancel,
        Input::Repeat,
        Input::Connected,
        Input::Disconnected,
    ]
}

fn messages(from: &str) -> [Message; 11] {
    let by = |device: &str| Some(address(device));
    let cancel = |reason, by| Message::Cancel { id: ID, reason, by };
    [
        Message::Invite(invite()),
        accept(if from == "bob/00000001" { 2 } else { 3 }),
        Message::Decline { id: ID },
        Message::Reject { id: ID, reason: RejectReason::Timeout },
        Message::Reject { id: ID, reason: RejectReason::Failed },
        cancel(CancelReason::Cancel, None),
        cancel(CancelReason::Accepted, None),
        cancel(CancelReason::Accepted, by("bob/00000001")),
        cancel(CancelReason::Accepted, by("bob/00000002")),
        cancel(CancelReason::Declined, by("bob/00000001")),
        cancel(CancelReason::Declined, by("bob/00000002")),
    ]
}

/// The call after `inputs`, with nothing left to poll.
fn after(mut call: Call, inputs: &[Input]) -> Call {
    while call.poll().is_some() {}
    for input in inputs {
        call.handle(Time::ZERO, input.clone()).expect("it leads there");
        while call.poll().is_some() {}
    }
    call
}

fn received(from: &str, message: Message) -> Input {
    let letter = Letter { from: address(from), to: address("ann/00000001"), message };
    Input::Received(letter)
}

fn caller_in_each_state() -> Vec<(&'static str, Call)> {
    assert_eq!(caller().direction(), Direction::Outgoing);
    let described = Input::Described("offer".to_owned());
    let calling = [described, Input::Sent { count: 2 }];
    let rings = Input::Receipt { from: address("bob/00000001") };
    let accepted = received("bob/00000001", accept(2));
    let declined = received("bob/00000001", Message::Decline { id: ID });
    let with = |more: &[Input]| after(caller(), &[calling.as_slice(), more].concat());
    vec![
        ("Starting, no offer yet", after(caller(), &[])),
        ("Starting, INVITE posted", after(caller(), &calling[..1])),
        ("Calling", with(&[])),
        ("Ringing", with(&[rings])),
        ("Connecting", with(std::slice::from_ref(&accepted))),
        ("Connected", with(&[accepted.clone(), Input::Connected])),
        ("Ended, cancelled", with(&[Input::Cancel])),
        ("Ended, declined", with(&[declined])),
        ("Ended, failed", with(&[accepted, Input::Disconnected])),
    ]
}

fn callee_in_each_state() -> Vec<(&'static str, Call)> {
    let answer = Input::Answer { node: NodeId(2) };
    let described = Input::Described("answer".to_owned());
    let cancel = Message::Cancel { id: ID, reason: CancelReason::Cancel, by: None };
    vec![
        ("Ringing", after(callee(), &[])),
        ("Answering", after(callee(), std::slice::from_ref(&answer))),
        ("Connecting", after(callee(), &[answer.clone(), described.clone()])),
        ("Connected", after(callee(), &[answer, described, Input::Connected])),
        ("Declining", after(callee(), &[Input::Decline])),
        ("Ended", after(callee(), &[received("ann/00000001", cancel)])),
    ]
}
