//! Who may write where, and from which number: judged from the write alone, so that all judge alike.

use wire::{NodeId, Timestamp};

use crate::Path;

/// The list of link records: `links/<node>` says who the neighbours of that node are.
pub const LINKS: &str = "links";

/// The path of the link record of `node`.
#[must_use]
pub fn links_of(node: NodeId) -> Path {
    format!("{LINKS}/{node}").parse().expect("sixteen digits are a segment")
}

/// Whether `author` may write at `path`: a link record belongs to the node it names.
pub(crate) fn may_write(author: NodeId, path: &Path) -> bool {
    let mut segments = path.segments();
    if segments.next() != Some(LINKS) {
        return true;
    }
    segments.next().is_some_and(|node| node == author.to_string()) && segments.next().is_none()
}

/// The highest number of a write: what JavaScript counts exactly.
pub(crate) const NUMBER_MAX: u64 = (1 << 53) - 1;

/// 2026-01-01 in seconds since the Unix epoch.
const FIRST_YEAR: u64 = 1_767_225_600;

/// More writes in a second than anyone is allowed on average.
const WRITES_PER_SECOND: u64 = 32;

/// The number before the first write of a node that starts at `clock`.
///
/// It grows with the calendar, so that a node that lost its memory, as a page does when it is reloaded, does not use
/// a number again.
#[must_use]
pub fn first_number(clock: Timestamp) -> u64 {
    ((clock.0 / 1_000).saturating_sub(FIRST_YEAR) * WRITES_PER_SECOND).min(NUMBER_MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_record_belongs_to_its_node() {
        let mine = links_of(NodeId(1));

        assert!(may_write(NodeId(1), &mine));
        assert!(!may_write(NodeId(2), &mine));
        assert!(!may_write(NodeId(1), &mine.join("x").unwrap()));
        assert!(!may_write(NodeId(1), &LINKS.parse().unwrap()));
        assert!(may_write(NodeId(2), &"users/1".parse().unwrap()));
    }

    #[test]
    fn a_later_start_has_higher_numbers() {
        let second = 1_000;
        let day = 1_798_000_000_000;

        assert!(first_number(Timestamp(day)) + 31 < first_number(Timestamp(day + second)));
        assert_eq!(first_number(Timestamp(5)), 0);
    }
}
