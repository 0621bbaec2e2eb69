//! Reading a frame and writing it again, for those who test that the two agree.

use crate::frame::Frame;

/// The frame in `bytes` as we would write it, or `None` when there is none.
#[must_use]
pub fn reread(bytes: &[u8]) -> Option<Vec<u8>> {
    Frame::decode(bytes).map(|frame| frame.encode())
}
