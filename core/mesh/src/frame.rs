//! What goes over a link, as bytes.

use serde::{Deserialize, Serialize};
use wire::NodeId;

/// One message between neighbours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Frame {
    /// I am here, and this is my digest.
    Beat([u8; 4]),
    /// To all.
    Cast(Cast),
    /// To one.
    Unicast(Unicast),
    /// To this neighbour.
    Tell(#[serde(with = "bytes")] Vec<u8>),
    /// A piece of a message that is too long for one frame.
    Piece {
        /// Whether more pieces follow.
        more: bool,
        /// The bytes.
        #[serde(with = "bytes")]
        bytes: Vec<u8>,
    },
    /// Echo this at once.
    Ping,
    /// The echo.
    Echo,
    /// I have this cast; the map should bring it to you by another way.
    Hint {
        /// Whose.
        author: NodeId,
        /// Its number.
        seq: u64,
    },
    /// It did not: give it to me.
    Want {
        /// Whose.
        author: NodeId,
        /// Its number.
        seq: u64,
    },
}

/// A message to all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cast {
    /// Who says it.
    pub(crate) author: NodeId,
    /// Its number among the casts of its author.
    pub(crate) seq: u64,
    /// The hash of the author's map: with the same map, the same tree.
    pub(crate) map: [u8; 4],
    /// How many hops it may still go.
    pub(crate) hops: u8,
    /// What is said.
    #[serde(with = "bytes")]
    pub(crate) payload: Vec<u8>,
}

/// A message to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unicast {
    /// Who says it.
    pub(crate) from: NodeId,
    /// To whom.
    pub(crate) to: NodeId,
    /// The number by which the sender knows it.
    pub(crate) id: u32,
    /// How many hops it may still go.
    pub(crate) hops: u8,
    /// What.
    pub(crate) body: Body,
}

/// What a message to one is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Body {
    /// What is said.
    Payload(#[serde(with = "bytes")] Vec<u8>),
    /// Your message of that number found no way to this node.
    NoWay(NodeId),
    /// Your message of that number has arrived.
    Receipt,
}

impl Frame {
    pub(crate) fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("frames are made of what postcard can write")
    }

    /// Reads all of `bytes`, or nothing.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (frame, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(frame)
    }
}

/// Bytes in one go instead of one by one.
mod bytes {
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        <&[u8] as serde::Deserialize>::deserialize(from).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use wire::{Dice, Seed};

    use super::*;

    #[test]
    fn the_bytes_of_every_frame_stay_the_same() {
        let cast =
            Cast { author: NodeId(1), seq: 300, map: [1, 2, 3, 4], hops: 64, payload: vec![9] };
        let to_one = |body| {
            Frame::Unicast(Unicast { from: NodeId(1), to: NodeId(2), id: 5, hops: 64, body })
        };
        for (frame, golden) in [
            (Frame::Beat([1, 2, 3, 4]), "0001020304"),
            (Frame::Cast(cast), "010100000000000000ac0201020304400109"),
            (to_one(Body::Payload(vec![9])), "02010000000000000002000000000000000540000109"),
            (
                to_one(Body::NoWay(NodeId(3))),
                "02010000000000000002000000000000000540010300000000000000",
            ),
            (to_one(Body::Receipt), "0201000000000000000200000000000000054002"),
            (Frame::Tell(vec![8, 9]), "03020809"),
            (Frame::Piece { more: true, bytes: vec![7] }, "04010107"),
            (Frame::Ping, "05"),
            (Frame::Echo, "06"),
            (Frame::Hint { author: NodeId(1), seq: 300 }, "070100000000000000ac02"),
            (Frame::Want { author: NodeId(1), seq: 300 }, "080100000000000000ac02"),
        ] {
            let bytes = frame.encode();

            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, golden);
            assert_eq!(Frame::decode(&bytes), Some(frame));
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused() {
        let mut dice = Dice::new(Seed::story(1));

        for _ in 0..20_000 {
            let length = dice.below(40) as usize;
            let bytes = &dice.bytes::<40>()[..length];
            if let Some(frame) = Frame::decode(bytes) {
                assert_eq!(Frame::decode(&frame.encode()), Some(frame));
            }
        }
    }
}
