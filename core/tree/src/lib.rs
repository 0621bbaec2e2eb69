//! The replicated tree of resources.

mod path;
mod view;

pub use path::{PATH_BYTES_MAX, Path, SEGMENT_BYTES_MAX, SEGMENTS_MAX};
pub use view::{Entry, Life, Listing};
