//! Where a resource is: one to eight segments of plain characters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wire::Malformed;

/// The longest path, in bytes. Guess: six times what a chat line needs.
pub const PATH_BYTES_MAX: usize = 256;

/// The most segments of a path.
pub const SEGMENTS_MAX: usize = 8;

/// The longest segment, in bytes.
pub const SEGMENT_BYTES_MAX: usize = 64;

/// Names that mean something to JavaScript objects, so that no page can be tricked by a path it copies into one.
const FORBIDDEN: [&str; 5] = [".", "..", "__proto__", "prototype", "constructor"];

/// The place of a resource: segments of `[A-Za-z0-9._~-]{1,64}` between slashes, for example `messages/1f-3`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Box<str>);

impl Path {
    /// A path whose parts have been checked before.
    pub(crate) fn of_checked(text: String) -> Self {
        debug_assert!(check(&text).is_ok(), "{text:?} is a path");
        Self(text.into())
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, first to last.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last segment: the name of the resource in its list.
    #[must_use]
    pub fn name(&self) -> &str {
        self.segments().next_back().expect("a path has at least one segment")
    }

    /// The resource called `name` in the list at this path.
    ///
    /// # Errors
    ///
    /// When the result is not a path.
    pub fn join(&self, name: impl fmt::Display) -> Result<Self, Malformed> {
        format!("{self}/{name}").parse()
    }

    /// The path of the list that this resource is in, empty at the top, and its name there.
    pub(crate) fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }

    /// The path of the list that this resource is in, or `None` at the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.into()))
    }

    /// What follows `list` and a slash, when this path is below it.
    #[must_use]
    pub fn below(&self, list: &Self) -> Option<&str> {
        self.0.strip_prefix(list.as_str())?.strip_prefix('/')
    }
}

impl std::borrow::Borrow<str> for Path {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Path {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        check(text).map(|()| Self(text.into()))
    }
}

/// Whether `text` is a path.
pub(crate) fn check(text: &str) -> Result<(), Malformed> {
    let problem = |problem| Malformed { word: "path", problem };
    if text.is_empty() || text.len() > PATH_BYTES_MAX {
        return Err(problem("is not of one to 256 bytes"));
    }
    if text.split('/').count() > SEGMENTS_MAX {
        return Err(problem("has more than eight segments"));
    }
    text.split('/').try_for_each(check_segment)
}

/// Whether `segment` may be a part of a path.
pub(crate) fn check_segment(segment: &str) -> Result<(), Malformed> {
    let problem = |problem| Malformed { word: "path", problem };
    if segment.is_empty() || segment.len() > SEGMENT_BYTES_MAX {
        return Err(problem("has a segment that is not of one to 64 bytes"));
    }
    if !segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b)) {
        return Err(problem("has a character other than letters, digits, . _ ~ and -"));
    }
    if FORBIDDEN.contains(&segment) {
        return Err(problem("has a segment with a meaning of its own"));
    }
    Ok(())
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}

impl Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_is_written() {
        for text in ["users", "messages/1f-3", "a/b/c/d/e/f/g/h", "A.z_~-9"] {
            assert_eq!(text.parse::<Path>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        let long = ["x"; 65].concat();
        for text in
            ["", "/", "a/", "/a", "a//b", "a b", "a/../b", "%2e", "é", "a/b/c/d/e/f/g/h/i", &long]
        {
            assert!(text.parse::<Path>().is_err(), "{text:?}");
        }
        for text in ["__proto__", "a/constructor", "prototype/b"] {
            assert!(text.parse::<Path>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_child_knows_its_list() {
        let list: Path = "streams".parse().unwrap();
        let child = list.join("camera").unwrap().join("publisher").unwrap();

        assert_eq!(child.below(&list), Some("camera/publisher"));
        assert_eq!(child.name(), "publisher");
        assert_eq!(child.parent(), Some(list.join("camera").unwrap()));
        assert_eq!(list.below(&child), None);
    }
}
