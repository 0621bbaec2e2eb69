//! The state machine of an invite, at both ends, under letters from anybody in any order.

use std::time::Duration;

use call::{Call, Config, Input, Outgoing, Output, State};
use wire::invite::{Invite, Letter};
use wire::{Address, InviteId, NodeId, Time};

/// More outputs than any input may cause: a message to each device, and a few words to the driver.
const OUTPUTS_MAX: usize = 16;

/// Lines of bytes: each is a letter, or what else may happen, told by its first byte.
pub(crate) fn call(bytes: &[u8]) {
    let me: Address = "ann@x.org/00000001".parse().expect("an address");
    let peer: Address = "bob@x.org/00000002".parse().expect("an address");
    let id = InviteId(1);
    let (location, topic) = ("https://x.org/conference?data.path=sessions/c".to_owned(), None);
    let start = Time::ZERO;
    let outgoing =
        Outgoing { id, to: peer.clone(), node: NodeId(1), location: location.clone(), topic };
    let (offer, topic) = ("offer".to_owned(), None);
    let invite = Invite { id, node: NodeId(2), location, topic, offer, ttl_ms: 30_000 };
    let calls = [
        Call::outgoing(Config::default(), start, outgoing),
        Call::incoming(Config::default(), start, peer, me, invite),
    ];
    for call in calls {
        story(call, bytes);
    }
}

fn story(mut call: Call, bytes: &[u8]) {
    let (mut now, mut ended, mut applied) = (Time::ZERO, false, 0);
    for line in bytes.split(|byte| *byte == b'\n').take(64) {
        now = now + Duration::from_millis(u64::from(line.first().copied().unwrap_or(0)) * 40);
        let input = match line {
            [b'a', ..] => Input::Answer { node: NodeId(9) },
            [b'b', ..] => Input::Cancel,
            [b'c', ..] => Input::Decline,
            [b'd', ..] => Input::Described("mine".to_owned()),
            [b'e', ..] => Input::Connected,
            [b'f', ..] => Input::Disconnected,
            [b'g', count, ..] => Input::Sent { count: u32::from(*count) },
            [b't', ..] => Input::Timeout,
            letter => match serde_json::from_slice::<Letter>(letter) {
                Ok(letter) => Input::Received(letter),
                Err(_) => continue,
            },
        };
        let before = call.clone();
        let is_timeout = input == Input::Timeout;
        if call.handle(now, input).is_err() {
            assert_eq!(call, before, "what is refused changes nothing");
        }
        let outputs: Vec<Output> = std::iter::from_fn(|| call.poll()).take(OUTPUTS_MAX).collect();
        assert!(outputs.len() < OUTPUTS_MAX, "{outputs:?}");
        applied += outputs.iter().filter(|output| matches!(output, Output::Apply { .. })).count();
        assert!(applied <= 1, "one answer is applied");
        let is_ended = matches!(call.state(), State::Ended(_));
        assert!(is_ended || !ended, "an end is an end");
        assert!(is_ended || !call.is_over());
        ended = is_ended;
        if is_timeout {
            assert!(call.timeout().is_none_or(|at| at > now), "a deadline that was met is gone");
        }
        // It is plain data: stored and loaded it is the same.
        let stored = serde_json::to_string(&call).expect("a call can be stored");
        assert_eq!(serde_json::from_str::<Call>(&stored).expect("and loaded"), call);
    }
}
