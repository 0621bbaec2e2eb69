//! What a frame is, for those who watch a network without being part of it: the simulator, and a page that debugs.

use wire::NodeId;

use crate::cast::HOPS_MAX;
use crate::frame::cast_header;

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// Keeps a link alive and carries a digest, or measures the link.
    Beat,
    /// To all.
    Cast {
        /// Who says it.
        author: NodeId,
        /// Its number among the casts of its author.
        seq: u64,
        /// How many hops it has gone, this one included.
        hops: u8,
    },
    /// Of a cast: that somebody has it, or wants it.
    Hint,
    /// To one.
    Unicast,
    /// To a neighbour.
    Tell,
    /// A part of something longer.
    Piece,
    /// Nothing that begins as what a node sends does.
    Rubbish,
}

/// Looks at a frame, without reading what is said in it.
#[must_use]
pub fn glance(frame: &[u8]) -> Glance {
    match frame.first() {
        Some(0 | 5 | 6) => Glance::Beat,
        Some(1) => cast_header(frame).map_or(Glance::Rubbish, |(author, seq, left)| Glance::Cast {
            author,
            seq,
            hops: (HOPS_MAX + 1).saturating_sub(left),
        }),
        Some(2) => Glance::Unicast,
        Some(3) => Glance::Tell,
        Some(4) => Glance::Piece,
        Some(7 | 8) => Glance::Hint,
        Some(_) | None => Glance::Rubbish,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Cast, FLEETING, Frame};

    #[test]
    fn a_cast_is_seen_with_its_author_and_its_hops() {
        let author = NodeId(7);
        let hops = (HOPS_MAX - 1) | FLEETING;
        let cast = Cast { author, seq: 3, map: [0; 4], hops, payload: vec![] };

        assert_eq!(glance(&Frame::Cast(cast).encode()), Glance::Cast { author, seq: 3, hops: 2 });
        assert_eq!(glance(&Frame::Beat([0; 4]).encode()), Glance::Beat);
        assert_eq!(glance(&[0xff]), Glance::Rubbish);
    }
}
