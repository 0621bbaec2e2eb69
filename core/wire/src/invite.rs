//! The five messages of an invite, in the JSON that every carrier transports.
//!
//! ```text
//!   caller                                        callee, on each device
//!     │ INVITE {ReqId, node, Location, offer, TTL} ─▶ │ rings
//!     │ ◀─ ACCEPT {ReqId, node, answer} ───────────── │ answered here
//!     │ ◀─ DECLINE {ReqId} ────────────────────────── │ the person said no: ends the invite everywhere
//!     │ ◀─ REJECT {ReqId, reason} ─────────────────── │ this device says no: the others ring on
//!     │ CANCEL {ReqId, reason, by} ─────────────────▶ │ stop ringing
//! ```

use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::{Address, ConferenceId, InviteId, Malformed, NodeId};

/// The longest session description, in bytes. Measured: a data-channel offer with many candidates is under 3 KB.
pub const DESCRIPTION_BYTES_MAX: usize = 16 * 1024;

/// The longest topic, in characters. Guess: a subject line.
pub const TOPIC_CHARS_MAX: usize = 200;

/// One message of an invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Flat")]
pub enum Message {
    /// The caller asks.
    Invite(Invite),
    /// One device of the callee says yes.
    Accept(Accept),
    /// The callee says no, for all devices.
    Decline {
        /// Which invite.
        id: InviteId,
    },
    /// One device says no, for itself.
    Reject {
        /// Which invite.
        id: InviteId,
        /// Why.
        reason: RejectReason,
    },
    /// The caller says that there is nothing to answer any more.
    Cancel {
        /// Which invite.
        id: InviteId,
        /// Why.
        reason: CancelReason,
        /// The device that accepted or declined, so that each of the others knows it was not itself.
        by: Option<Address>,
    },
}

impl Message {
    /// Which invite this belongs to.
    #[must_use]
    pub fn id(&self) -> InviteId {
        match self {
            Self::Invite(Invite { id, .. })
            | Self::Accept(Accept { id, .. })
            | Self::Decline { id }
            | Self::Reject { id, .. }
            | Self::Cancel { id, .. } => *id,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::Invite(_) => "INVITE",
            Self::Accept(_) => "ACCEPT",
            Self::Decline { .. } => "DECLINE",
            Self::Reject { .. } => "REJECT",
            Self::Cancel { .. } => "CANCEL",
        }
    }

    /// Checks the limits that the types do not.
    ///
    /// # Errors
    ///
    /// When a description or a topic is too long.
    pub fn check(&self) -> Result<(), Malformed> {
        let (description, topic) = match self {
            Self::Invite(invite) => (&invite.offer, invite.topic.as_deref()),
            Self::Accept(accept) => (&accept.answer, None),
            Self::Decline { .. } | Self::Reject { .. } | Self::Cancel { .. } => return Ok(()),
        };
        if description.len() > DESCRIPTION_BYTES_MAX {
            return Err(Malformed {
                word: "session description",
                problem: "is longer than 16 KiB",
            });
        }
        if topic.is_some_and(|topic| topic.chars().count() > TOPIC_CHARS_MAX) {
            return Err(Malformed { word: "topic", problem: "is longer than 200 characters" });
        }
        Ok(())
    }
}

/// The caller asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Which invite.
    #[serde(rename = "ReqId")]
    pub id: InviteId,
    /// The caller's node in the conference.
    pub node: NodeId,
    /// The conference app the caller uses, with `data.path=sessions/<conference>`. A hint: a callee never loads a
    /// page because a caller named it.
    #[serde(rename = "Location")]
    pub location: String,
    /// What the call is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// JSON of `{type, sdp}`: a data channel, all candidates included.
    pub offer: String,
    /// How long to ring, in milliseconds from sending.
    #[serde(rename = "TTL", default = "ring_ms")]
    pub ttl_ms: u64,
}

/// How long a device rings for an invite that does not say.
fn ring_ms() -> u64 {
    45_000
}

impl Invite {
    /// The conference that [`Invite::location`] names, or `None` when it names none.
    #[must_use]
    pub fn conference(&self) -> Option<ConferenceId> {
        conference(&self.location)
    }
}

/// The conference that `location` names, or `None` when it names none.
#[must_use]
pub fn conference(location: &str) -> Option<ConferenceId> {
    let query = location.split_once('?')?.1;
    let path = query.split('&').find_map(|pair| pair.strip_prefix("data.path=sessions/"))?;
    path.parse().ok()
}

/// The node that `location` looks for, if it does: its sender, another node of the same conference, has lost it, or was
/// loaded anew.
#[must_use]
pub fn again(location: &str) -> Option<NodeId> {
    let query = location.split_once('?')?.1;
    query.split('&').find_map(|pair| pair.strip_prefix("again="))?.parse().ok()
}

/// `location` of a conference, to look for `node` in it.
#[must_use]
pub fn location_again(location: &str, node: NodeId) -> String {
    format!("{location}&again={node}")
}

/// The address of our own conference app for `conference`, at `origin` (scheme, host, port and base path, no slash at
/// the end).
#[must_use]
pub fn location(origin: &str, conference: &ConferenceId) -> String {
    format!("{origin}/conference?data.path=sessions/{conference}")
}

/// One device of the callee says yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    /// Which invite.
    pub id: InviteId,
    /// The callee's node in the conference.
    pub node: NodeId,
    /// JSON of `{type, sdp}`: the answer, all candidates included.
    pub answer: String,
}

/// Why one device rejects, while others may still ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RejectReason {
    /// Nobody answered there.
    Timeout,
    /// A call is going on there.
    Busy,
    /// It will call back into the call that is going on there.
    Merge,
    /// It could not take part: no answer could be made, or no path to the caller was found.
    Failed,
}

/// Why the caller takes the invite back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CancelReason {
    /// The caller gave up, or the ring time is over.
    Cancel,
    /// A device accepted.
    Accepted,
    /// The callee declined on a device.
    Declined,
}

/// A message as it arrives: with the sender and the receiver that the server wrote into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Flat")]
pub struct Letter {
    /// Who sent it, always one device. The server vouches for it.
    pub from: Address,
    /// Which device it was delivered to.
    pub to: Address,
    /// What it says.
    pub message: Message,
}

/// How every message is written: all fields of all methods in one struct.
#[derive(Serialize)]
struct Flat {
    method: Method,
    #[serde(rename = "From", skip_serializing_if = "Option::is_none")]
    from: Option<Address>,
    #[serde(rename = "To", skip_serializing_if = "Option::is_none")]
    to: Option<Address>,
    #[serde(rename = "ReqId")]
    id: InviteId,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<NodeId>,
    #[serde(rename = "Location", skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<String>,
    #[serde(rename = "TTL", skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Address>,
}

impl Flat {
    fn new(method: Method, id: InviteId) -> Self {
        let (from, to, node, location, topic) = (None, None, None, None, None);
        let (offer, ttl_ms, answer, reason, by) = (None, None, None, None, None);
        Self { method, from, to, id, node, location, topic, offer, ttl_ms, answer, reason, by }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Invite,
    Accept,
    Decline,
    Reject,
    Cancel,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Reason {
    Timeout,
    Busy,
    Merge,
    Failed,
    Cancel,
    Accepted,
    Declined,
}

impl TryFrom<Fields> for Message {
    type Error = Malformed;

    fn try_from(mut fields: Fields) -> Result<Self, Malformed> {
        let id = fields.name("ReqId")?;
        let reason = fields.maybe_text("reason")?;
        let reason = reason.as_deref().unwrap_or_default();
        Ok(match fields.shape("method") {
            "INVITE" => Self::Invite(Invite {
                id,
                node: fields.name("node")?,
                location: fields.text("Location")?,
                topic: fields.maybe_text("topic")?,
                offer: fields.text("offer")?,
                ttl_ms: match fields.maybe("TTL") {
                    None => ring_ms(),
                    Some(ttl) => ttl.as_u64().ok_or(fields.malformed("rings for no time"))?,
                },
            }),
            "ACCEPT" => {
                let (node, answer) = (fields.name("node")?, fields.text("answer")?);
                Self::Accept(Accept { id, node, answer })
            }
            "DECLINE" => Self::Decline { id },
            "REJECT" => {
                let reason = match reason {
                    "timeout" => RejectReason::Timeout,
                    "busy" => RejectReason::Busy,
                    "merge" => RejectReason::Merge,
                    "failed" => RejectReason::Failed,
                    _ => return Err(fields.malformed(NO_REASON)),
                };
                Self::Reject { id, reason }
            }
            "CANCEL" => {
                let reason = match reason {
                    "cancel" => CancelReason::Cancel,
                    "accepted" => CancelReason::Accepted,
                    "declined" => CancelReason::Declined,
                    _ => return Err(fields.malformed(NO_REASON)),
                };
                Self::Cancel { id, reason, by: fields.maybe_name("by")? }
            }
            _ => return Err(fields.malformed("has a method that is none")),
        })
    }
}

const NO_REASON: &str = "lacks a reason that its method knows";

impl TryFrom<Fields> for Letter {
    type Error = Malformed;

    fn try_from(mut fields: Fields) -> Result<Self, Malformed> {
        let (from, to) = (fields.name("From")?, fields.name("To")?);
        Ok(Self { from, to, message: fields.try_into()? })
    }
}

impl From<Message> for Flat {
    fn from(message: Message) -> Self {
        let id = message.id();
        match message {
            Message::Invite(invite) => Self {
                node: Some(invite.node),
                location: Some(invite.location),
                topic: invite.topic,
                offer: Some(invite.offer),
                ttl_ms: Some(invite.ttl_ms),
                ..Self::new(Method::Invite, id)
            },
            Message::Accept(accept) => Self {
                node: Some(accept.node),
                answer: Some(accept.answer),
                ..Self::new(Method::Accept, id)
            },
            Message::Decline { .. } => Self::new(Method::Decline, id),
            Message::Reject { reason, .. } => {
                let reason = Some(match reason {
                    RejectReason::Timeout => Reason::Timeout,
                    RejectReason::Busy => Reason::Busy,
                    RejectReason::Merge => Reason::Merge,
                    RejectReason::Failed => Reason::Failed,
                });
                Self { reason, ..Self::new(Method::Reject, id) }
            }
            Message::Cancel { reason, by, .. } => {
                let reason = Some(match reason {
                    CancelReason::Cancel => Reason::Cancel,
                    CancelReason::Accepted => Reason::Accepted,
                    CancelReason::Declined => Reason::Declined,
                });
                Self { reason, by, ..Self::new(Method::Cancel, id) }
            }
        }
    }
}

impl From<Letter> for Flat {
    fn from(letter: Letter) -> Self {
        let (from, to) = (Some(letter.from), Some(letter.to));
        Self { from, to, ..letter.message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dice, Seed};

    fn invite() -> Invite {
        Invite {
            id: InviteId(0x1f),
            node: NodeId(2),
            location: location(
                "https://x.org",
                &ConferenceId::random(&mut Dice::new(Seed::story(1))),
            ),
            topic: Some("Lunch".to_owned()),
            offer: r#"{"type":"offer","sdp":"v=0"}"#.to_owned(),
            ttl_ms: 45_000,
        }
    }

    #[test]
    fn every_message_survives_json() {
        let by = "bob@home.com/5c7c87a2".parse().unwrap();
        for message in [
            Message::Invite(invite()),
            Message::Accept(Accept { id: InviteId(1), node: NodeId(3), answer: "{}".to_owned() }),
            Message::Decline { id: InviteId(1) },
            Message::Reject { id: InviteId(1), reason: RejectReason::Busy },
            Message::Cancel { id: InviteId(1), reason: CancelReason::Accepted, by: Some(by) },
        ] {
            let letter = Letter {
                from: "alice@office.com/cef96349".parse().unwrap(),
                to: "bob@home.com/5c7c87a2".parse().unwrap(),
                message,
            };

            let text = serde_json::to_string(&letter).unwrap();

            assert_eq!(serde_json::from_str::<Letter>(&text).unwrap(), letter, "{text}");
        }
    }

    #[test]
    fn the_field_names_are_those_of_the_reference() {
        let text = serde_json::to_string(&Message::Invite(invite())).unwrap();

        for part in [
            r#""method":"INVITE""#,
            r#""ReqId":"000000000000001f""#,
            r#""Location":"#,
            r#""TTL":45000"#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_message_without_a_field_of_its_method_is_refused() {
        let lacks_node = r#"{"method":"ACCEPT","ReqId":"0000000000000001","answer":"{}"}"#;
        let wrong_reason = r#"{"method":"REJECT","ReqId":"0000000000000001","reason":"accepted"}"#;

        for text in [lacks_node, wrong_reason] {
            assert!(serde_json::from_str::<Message>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_location_names_its_conference() {
        let mut invite = invite();
        assert!(invite.conference().is_some());

        invite.location = "https://evil.org/?data.path=sessions/../x".to_owned();
        assert_eq!(invite.conference(), None);
    }

    #[test]
    fn a_location_says_which_node_is_looked_for() {
        let invite = invite();
        assert_eq!(again(&invite.location), None);

        let location = location_again(&invite.location, NodeId(7));

        assert_eq!(again(&location), Some(NodeId(7)));
        assert_eq!(conference(&location), invite.conference());
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let offer = "x".repeat(DESCRIPTION_BYTES_MAX + 1);
        let message = Message::Invite(Invite { offer, ..invite() });

        assert_eq!(message.check().unwrap_err().word, "session description");
    }
}
