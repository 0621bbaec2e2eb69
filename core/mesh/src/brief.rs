//! Names as they stand in link records: shorter, since everybody hears every record.

use wire::NodeId;

/// What is left of a name in a link record: enough to tell the nodes of a conference apart. Where two are brief for the
/// same, a link counts for whichever of them claims it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Brief(u64);

/// How many bits are left.
pub const BRIEF_BITS: u32 = 36;

impl Brief {
    /// What is left of the name of `node`.
    #[must_use]
    pub fn of(node: NodeId) -> Self {
        Self::of_bits(node.0 ^ node.0 >> BRIEF_BITS)
    }

    /// The brief name of these bits; those beyond [`BRIEF_BITS`] do not count.
    #[must_use]
    pub fn of_bits(bits: u64) -> Self {
        Self(bits & ((1 << BRIEF_BITS) - 1))
    }

    /// Its bits.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0
    }
}
