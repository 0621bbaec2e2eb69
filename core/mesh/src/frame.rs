//! What goes over a link, as bytes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wire::{NodeId, Sure};

/// The most casts that one frame hints at or asks for.
pub(crate) const IDS_MAX: usize = 512;

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
    Piece(Piece),
    /// Echo this at once.
    Ping,
    /// The echo.
    Echo,
    /// I have these casts; the map should bring them to you by another way.
    Hint(Vec<CastId>),
    /// It did not: give them to me.
    Want(Vec<CastId>),
}

/// Which message. Two that say different things never have the same, so nobody can take up that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct CastId {
    /// Who says it, or is said to.
    pub(crate) author: NodeId,
    /// The first bytes of the hash of author, number and what is said.
    pub(crate) hash: [u8; 8],
}

impl CastId {
    pub(crate) fn of(author: NodeId, seq: u64, payload: &[u8]) -> Self {
        let head = Sha256::new_with_prefix(author.0.to_le_bytes()).chain_update(seq.to_le_bytes());
        let hash = head.chain_update(payload).finalize();
        let [a, b, c, d, e, f, g, h, ..] = hash.0;
        Self { author, hash: [a, b, c, d, e, f, g, h] }
    }
}

/// A message to all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cast {
    /// Who says it.
    pub(crate) author: NodeId,
    /// Its number among the casts of its author.
    pub(crate) seq: u64,
    /// The hash of the map that its author's trees are drawn from: with the same map, the same tree.
    pub(crate) map: [u8; 4],
    /// How many hops it may still go, and [`FLEETING`].
    pub(crate) hops: u8,
    /// What is said.
    #[serde(with = "bytes")]
    pub(crate) payload: Vec<u8>,
}

/// The bit in the hops of a cast that nothing but casts brings: whoever has it hints at it, however sure the trees.
pub(crate) const FLEETING: u8 = 0x80;

impl Cast {
    pub(crate) fn id(&self) -> CastId {
        CastId::of(self.author, self.seq, &self.payload)
    }

    pub(crate) fn is_fleeting(&self) -> bool {
        self.hops & FLEETING != 0
    }
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
    /// How often it has been led another way than its sender meant.
    pub(crate) turns: u8,
    /// How far along the route it is: the place of whoever receives this frame.
    pub(crate) at: u8,
    /// All nodes after the sender, the addressee last.
    pub(crate) route: Vec<Short>,
    /// What.
    pub(crate) body: Body,
}

/// A piece of a message. What lacks one is forgotten, and not made up of what came before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// Of which message over this link, modulo 256.
    pub(crate) of: u8,
    /// Which piece of it, from zero.
    pub(crate) at: u8,
    /// Whether more pieces follow.
    pub(crate) more: bool,
    /// The bytes.
    #[serde(with = "bytes")]
    pub(crate) bytes: Vec<u8>,
}

/// A name as it stands in a route: enough to tell neighbours apart, and those on one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Short([u8; 3]);

impl Short {
    pub(crate) fn of(node: NodeId) -> Self {
        let [a, b, c, ..] = (node.0 ^ node.0 >> 24 ^ node.0 >> 48).to_le_bytes();
        Self([a, b, c])
    }
}

/// What only the addressee of a message finds in it.
pub(crate) type Receipt = [u8; 8];

/// What a message to one is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Body {
    /// What is said.
    Payload(#[serde(with = "bytes")] Vec<u8>),
    /// Your message of that number to this node found no way beyond whoever says so.
    NoWay(NodeId),
    /// Your message of that number has arrived, and this was in it, where nobody but its addressee reads it.
    Receipt(Receipt),
}

impl Frame {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let payload = match self {
            Self::Cast(cast) => cast.payload.len(),
            Self::Tell(bytes) | Self::Piece(Piece { bytes, .. }) => bytes.len(),
            Self::Hint(ids) | Self::Want(ids) => 16 * ids.len(),
            Self::Unicast(_) => 128,
            Self::Beat(_) | Self::Ping | Self::Echo => 0,
        };
        let bytes = Vec::with_capacity(payload + 32);
        postcard::to_extend(self, bytes).sure("frames are made of what postcard can write")
    }

    /// Reads all of `bytes`, or nothing.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (frame, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(frame)
    }
}

/// The author and the number of a cast, if the frame is one, and how many hops it may still go; what is said is not
/// looked at.
pub(crate) fn cast_header(bytes: &[u8]) -> Option<(NodeId, u64, u8)> {
    let (tag, author, seq, _, hops): (u8, NodeId, u64, [u8; 4], u8) =
        postcard::take_from_bytes(bytes).ok()?.0;
    (tag == 1).then_some((author, seq, hops & !FLEETING))
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
        let (id, other) = (cast.id(), CastId { author: NodeId(2), hash: [7; 8] });
        let route = vec![Short::of(NodeId(0x0300)), Short::of(NodeId(2))];
        let to_one = |body| {
            let (from, to, route) = (NodeId(1), NodeId(2), route.clone());
            Frame::Unicast(Unicast { from, to, id: 5, turns: 1, at: 0, route, body })
        };
        let cast_id = "010000000000000074a2d2344fedfcfa";
        let names = "01000000000000000200000000000000";
        let way = "05010002000300020000" /* number, turns, place, route */;
        for (frame, golden) in [
            (Frame::Beat([1, 2, 3, 4]), "0001020304".to_owned()),
            (Frame::Cast(cast), "010100000000000000ac0201020304400109".to_owned()),
            (to_one(Body::Payload(vec![9])), format!("02{names}{way}000109")),
            (to_one(Body::NoWay(NodeId(3))), format!("02{names}{way}010300000000000000")),
            (to_one(Body::Receipt([8; 8])), format!("02{names}{way}020808080808080808")),
            (Frame::Tell(vec![8, 9]), "03020809".to_owned()),
            (
                Frame::Piece(Piece { of: 5, at: 2, more: true, bytes: vec![7] }),
                "040502010107".to_owned(),
            ),
            (Frame::Ping, "05".to_owned()),
            (Frame::Echo, "06".to_owned()),
            (
                Frame::Hint(vec![id, other]),
                format!("0702{cast_id}02000000000000000707070707070707"),
            ),
            (Frame::Want(vec![id]), format!("0801{cast_id}")),
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
