//! JSON that comes from servers, pages and browsers of others: what can be read can be written, and reads the same again.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::invite::{DESCRIPTION_BYTES_MAX, Letter, Message, TOPIC_CHARS_MAX};
use wire::{contacts, live, wrapper};

/// The messages of an invite, alone and as a letter.
pub(crate) fn invite(bytes: &[u8]) {
    round_trip::<Letter>(bytes);
    let Some(message) = round_trip::<Message>(bytes) else { return };
    if message.check().is_err() {
        return;
    }
    match message {
        Message::Invite(invite) => {
            assert!(invite.offer.len() <= DESCRIPTION_BYTES_MAX);
            assert!(invite.topic.is_none_or(|topic| topic.chars().count() <= TOPIC_CHARS_MAX));
        }
        Message::Accept(accept) => assert!(accept.answer.len() <= DESCRIPTION_BYTES_MAX),
        Message::Decline { .. } | Message::Reject { .. } | Message::Cancel { .. } => {}
    }
}

/// Frames of the live socket, both ways.
pub(crate) fn live(bytes: &[u8]) {
    round_trip::<live::FromServer>(bytes);
    round_trip::<live::FromPage>(bytes);
}

/// Words between the wrapper and the conference in its frame, and the first frame of a data channel.
pub(crate) fn wrapper(bytes: &[u8]) {
    let down = round_trip::<wrapper::Down>(bytes);
    let up = round_trip::<wrapper::Up>(bytes);
    assert!(down.is_none() || up.is_none(), "a word goes one way");
    round_trip::<wrapper::Hello>(bytes);
}

/// Bodies of requests, and of answers.
pub(crate) fn body(bytes: &[u8]) {
    round_trip::<contacts::Account>(bytes);
    round_trip::<contacts::Contact>(bytes);
    round_trip::<contacts::Registered>(bytes);
    round_trip::<contacts::Send>(bytes);
    round_trip::<contacts::Login>(bytes);
    round_trip::<contacts::Refusal>(bytes);
}

/// Charters, certificates, revocations and seats; and what a roll makes of them.
pub(crate) fn trust(bytes: &[u8]) {
    use trust::{Certificate, Charter, Each, Revocation, Roll, Seat};

    if let Some(certificate) = Certificate::from_bytes(bytes) {
        assert_eq!(Certificate::from_bytes(&certificate.to_bytes()), Some(certificate));
    }
    if let Some(revocation) = Revocation::from_bytes(bytes) {
        assert_eq!(Revocation::from_bytes(&revocation.to_bytes()), Some(revocation));
    }
    if let Some(charter) = Charter::from_bytes(bytes) {
        assert_eq!(Charter::from_bytes(&charter.to_bytes()), Some(charter));
    }
    if let Some(seat) = Seat::from_bytes(bytes) {
        assert_eq!(Seat::from_bytes(&seat.to_bytes()), Some(seat.clone()));
        let mut roll = Roll::new(seat.charter);
        let learned = roll.learn(&mut Each, seat.chain, Vec::new());
        assert_eq!(roll.members().count(), 1 + learned.certificates.len());
    }
}

/// What can be read is written so that it reads the same.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let word: T = serde_json::from_slice(bytes).ok()?;
    let text = serde_json::to_string(&word).expect("what was read can be written");
    let again: T = serde_json::from_str(&text).expect("what was written can be read");
    assert_eq!(again, word, "{text}");
    Some(word)
}
