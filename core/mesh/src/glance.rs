//! What a frame is, for those who watch a network without being part of it: the simulator, and a page that debugs.

use wire::NodeId;

use crate::cast::HOPS_MAX;
use crate::frame::Frame;

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
    /// Nothing that a node sends.
    Rubbish,
}

/// Looks at a frame.
#[must_use]
pub fn glance(frame: &[u8]) -> Glance {
    match Frame::decode(frame) {
        Some(Frame::Beat(_) | Frame::Ping | Frame::Echo) => Glance::Beat,
        Some(Frame::Hint { .. } | Frame::Want { .. }) => Glance::Hint,
        Some(Frame::Cast(cast)) => {
            let hops = (HOPS_MAX + 1).saturating_sub(cast.hops);
            Glance::Cast { author: cast.author, seq: cast.seq, hops }
        }
        Some(Frame::Unicast(_)) => Glance::Unicast,
        Some(Frame::Tell(_)) => Glance::Tell,
        Some(Frame::Piece { .. }) => Glance::Piece,
        None => Glance::Rubbish,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Cast;

    #[test]
    fn a_cast_is_seen_with_its_author_and_its_hops() {
        let author = NodeId(7);
        let cast = Cast { author, seq: 3, map: [0; 4], hops: HOPS_MAX - 1, payload: vec![] };

        assert_eq!(glance(&Frame::Cast(cast).encode()), Glance::Cast { author, seq: 3, hops: 2 });
        assert_eq!(glance(&Frame::Beat([0; 4]).encode()), Glance::Beat);
        assert_eq!(glance(&[0xff]), Glance::Rubbish);
    }
}
