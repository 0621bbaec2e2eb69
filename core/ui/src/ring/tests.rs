//! Every state has its words.

use call::{Config, Input, Outgoing, Unsent};
use wire::invite::{Accept, CancelReason, Invite, Letter, Message, RejectReason};
use wire::{Address, InviteId, NodeId, Time};

use super::*;

#[test]
fn the_caller_reads_how_far_the_call_has_come() {
    let described = Input::Described("offer".to_owned());
    let posted = [described, Input::Sent { count: 2 }];
    let steps = [
        (vec![], "Starting the call", Sound::Silence),
        (vec![], "Calling bob", Sound::Ringback),
        (vec![receipt(1)], "Ringing", Sound::Ringback),
        (vec![receipt(1), receipt(2)], "Ringing on 2 devices", Sound::Ringback),
        (vec![receipt(1), accepted()], "Connecting", Sound::Tick),
    ];

    for (at, (more, status, sound)) in steps.into_iter().enumerate() {
        let before = if at == 0 { Vec::new() } else { posted.to_vec() };
        let view = view(&outgoing([before, more].concat()), Duration::ZERO).unwrap();

        assert_eq!((view.label.as_str(), view.status.as_str()), ("Calling bob@x.org", status));
        assert_eq!((view.sound, view.is_waiting), (sound, true));
        assert_eq!(view.buttons, [Gesture::Cancel.button()]);
    }
}

#[test]
fn a_slow_push_is_explained() {
    let call = outgoing(vec![Input::Described("offer".to_owned()), Input::Sent { count: 1 }]);

    let view = view(&call, SLOW).unwrap();

    assert!(view.status.contains("not responded yet"), "{}", view.status);
}

#[test]
fn nothing_is_drawn_once_the_channel_is_open() {
    let described = Input::Described("offer".to_owned());
    let call = outgoing(vec![described, accepted(), Input::Connected]);

    assert_eq!(view(&call, Duration::ZERO), None);
}

#[test]
fn each_end_of_an_outgoing_call_says_why_and_offers_what_helps() {
    let described = || Input::Described("offer".to_owned());
    let decline = received(Message::Decline { id: InviteId(1) });
    let rejected = |reason| received(Message::Reject { id: InviteId(1), reason });
    let table = [
        (vec![Input::Cancel], "You cancelled", true),
        (vec![decline], "bob declined", true),
        (vec![Input::Sent { count: 1 }, rejected(RejectReason::Timeout)], "No answer", true),
        (vec![Input::Sent { count: 1 }, rejected(RejectReason::Busy)], "on another call", true),
        (vec![Input::Sent { count: 1 }, rejected(RejectReason::Merge)], "call you back", false),
        (vec![Input::Unsent(Unsent::UnknownUser)], "Check the spelling", false),
        (vec![Input::Unsent(Unsent::NotReachable)], "not logged in anywhere", true),
        (vec![Input::Unsent(Unsent::Offline)], "Check your connection", true),
        (vec![Input::Unsent(Unsent::Refused)], "The server refused", true),
        (vec![accepted(), Input::Disconnected], "another network", true),
    ];

    for (inputs, words, can_try_again) in table {
        let view = view(&outgoing([vec![described()], inputs].concat()), Duration::ZERO).unwrap();

        assert!(view.status.contains(words), "{}", view.status);
        assert!(view.status.ends_with('.'), "a sentence: {}", view.status);
        assert!(!view.is_waiting);
        let offers = view.buttons.iter().any(|button| button.gesture == Gesture::TryAgain);
        assert_eq!(offers, can_try_again, "{}", view.status);
        assert!(view.buttons.contains(&Gesture::Close.button()));
    }
}

#[test]
fn each_end_of_an_answered_call_says_why() {
    let answer = || Input::Answer { node: NodeId(2) };
    let cancel = |reason, by: Option<&str>| {
        let by = by.map(address);
        received(Message::Cancel { id: InviteId(1), reason, by })
    };
    let elsewhere = cancel(CancelReason::Accepted, Some("ann@x.org/00000002"));
    let declined = cancel(CancelReason::Declined, Some("ann@x.org/00000002"));
    let table = [
        (vec![answer(), cancel(CancelReason::Cancel, None)], "bob hung up"),
        (vec![answer(), elsewhere], "Answered on another device"),
        (vec![answer(), declined], "Declined on another device"),
        (vec![answer(), Input::Undescribed], "No connection to bob"),
        (vec![answer(), Input::Cancel], "You cancelled"),
        (vec![Input::Decline], "You declined"),
        (vec![Input::Reject(RejectReason::Busy)], "did not take"),
        (vec![cancel(CancelReason::Cancel, None)], "Missed call from bob"),
    ];

    for (inputs, words) in table {
        let view = view(&incoming(inputs), Duration::ZERO).unwrap();

        assert_eq!(view.label, "Call from bob@x.org");
        assert!(view.status.contains(words) && view.status.ends_with('.'), "{}", view.status);
        assert_eq!(view.buttons, [Gesture::Close.button()]);
    }
}

#[test]
fn an_answered_call_reads_answering_then_connecting() {
    let answering = incoming(vec![Input::Answer { node: NodeId(2) }]);
    let described = Input::Described("answer".to_owned());
    let connecting = incoming(vec![Input::Answer { node: NodeId(2) }, described]);

    assert_eq!(view(&answering, Duration::ZERO).unwrap().status, "Answering");
    assert_eq!(view(&connecting, Duration::ZERO).unwrap().status, "Connecting");
}

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

/// Ann calls Bob.
fn outgoing(inputs: Vec<Input>) -> Call {
    let outgoing = Outgoing {
        id: InviteId(1),
        to: address("bob@x.org"),
        node: NodeId(1),
        location: "https://x.org/conference?data.path=sessions/c".to_owned(),
        topic: None,
    };
    after(Call::outgoing(Config::default(), Time::ZERO, outgoing), inputs)
}

/// Bob calls Ann.
fn incoming(inputs: Vec<Input>) -> Call {
    let invite = Invite {
        id: InviteId(1),
        node: NodeId(1),
        location: "https://x.org/conference?data.path=sessions/c".to_owned(),
        topic: None,
        offer: "offer".to_owned(),
        ttl_ms: 45_000,
    };
    let (from, me) = (address("bob@x.org/00000001"), address("ann@x.org/00000001"));
    after(Call::incoming(Config::default(), Time::ZERO, from, me, invite), inputs)
}

fn after(mut call: Call, inputs: Vec<Input>) -> Call {
    for input in inputs {
        call.handle(Time::ZERO, input).expect("the story makes sense");
    }
    call
}

fn receipt(device: u32) -> Input {
    Input::Receipt { from: address(&format!("bob@x.org/{device:08x}")) }
}

fn accepted() -> Input {
    let accept = Accept { id: InviteId(1), node: NodeId(2), answer: "answer".to_owned() };
    received(Message::Accept(accept))
}

/// From Bob to Ann.
fn received(message: Message) -> Input {
    let (from, to) = (address("bob@x.org/00000001"), address("ann@x.org/00000001"));
    Input::Received(Letter { from, to, message })
}
