//! Names, places and descriptions: what is read prints the same, within its bounds.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use node::Path;
use tree::{PATH_BYTES_MAX, SEGMENT_BYTES_MAX, SEGMENTS_MAX};
use wire::invite::DESCRIPTION_BYTES_MAX;
use wire::sdp::{lengthen, shorten};
use wire::{Address, ConferenceId, InstanceId, InviteId, NodeId, UserId};

/// The place of a resource: no place means anything to a file system, a browser or an object of JavaScript.
pub(crate) fn path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(path) = same::<Path>(text) else { return };
    assert!(text.len() <= PATH_BYTES_MAX);
    let segments: Vec<&str> = path.segments().collect();
    assert!((1..=SEGMENTS_MAX).contains(&segments.len()));
    for segment in &segments {
        assert!((1..=SEGMENT_BYTES_MAX).contains(&segment.len()));
        assert!(!["", ".", "..", "__proto__", "prototype", "constructor"].contains(segment));
        assert!(segment.bytes().all(|b| b.is_ascii_graphic() && !b"\\%/?#:;\"'<>&".contains(&b)));
    }
    let Some(parent) = path.parent() else { return };
    assert_eq!(parent.join(path.name()).as_ref(), Ok(&path));
    assert_eq!(path.below(&parent), Some(path.name()));
}

/// Identifiers of users, devices, invites, nodes and conferences.
pub(crate) fn name(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // Users may be written with more or less care; what was read once stays as it is.
    settled::<UserId>(text);
    settled::<Address>(text);
    settled::<InstanceId>(text);
    settled::<InviteId>(text);
    settled::<NodeId>(text);
    settled::<ConferenceId>(text);
}

/// A description that is shortened comes back as it was, and nobody can blow up what is short.
pub(crate) fn sdp(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(lengthen(text).len() <= text.len() * 160);
    assert!(lengthen(text).len() < text.len() + DESCRIPTION_BYTES_MAX + 160);
    if text.len() < DESCRIPTION_BYTES_MAX && text.chars().all(|c| !c.is_ascii_control()) {
        let short = shorten(text);
        assert!(short.len() <= text.len());
        assert_eq!(lengthen(&short), text);
    }
}

fn same<T: FromStr + Display>(text: &str) -> Option<T> {
    let read: T = text.parse().ok()?;
    assert_eq!(read.to_string(), text);
    Some(read)
}

fn settled<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    let Ok(read) = text.parse::<T>() else { return };
    let printed = read.to_string();
    let Ok(again) = printed.parse::<T>() else { panic!("{printed:?} cannot be read again") };
    assert_eq!(again, read);
    assert!(printed.chars().all(|c| !c.is_control()), "{printed:?}");
}
