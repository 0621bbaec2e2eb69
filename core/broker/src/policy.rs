//! Which devices of a user a call rings.

use std::collections::BTreeSet;

use wire::InstanceId;

/// What an operator or a user has decided about the devices of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Every device rings; the first answer wins.
    #[default]
    All,
    /// Every device rings that declared what the call needs; the first answer wins.
    Capable,
    /// One device is registered, and rings: the one that the user nominated, or the first to come.
    Nominated,
}

/// What is known of a user's device when it comes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The policy of its user.
    pub policy: Policy,
    /// The device that the user nominated.
    pub nominated: Option<InstanceId>,
    /// What this device declared.
    pub capabilities: Capabilities,
}

/// What a device can do, or what a call needs, in the operator's and users' own words: `audio`, `video`, `data` for
/// calls of PeerJS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(BTreeSet<Box<str>>);

impl Capabilities {
    /// The most words.
    pub const WORDS_MAX: usize = 16;
    /// The most bytes of a word.
    pub const BYTES_MAX: usize = 32;

    /// The words; `None` when there are too many, or one is empty, too long, or has other characters than lower-case
    /// letters, digits and hyphens.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut set = BTreeSet::new();
        for word in words {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            let fits = !word.is_empty() && word.len() <= Self::BYTES_MAX && word.bytes().all(plain);
            if !fits || set.len() == Self::WORDS_MAX {
                return None;
            }
            set.insert(Box::from(word));
        }
        Some(Self(set))
    }

    /// Whether everything that is needed is among these.
    #[must_use]
    pub fn include(&self, needed: &Self) -> bool {
        needed.0.is_subset(&self.0)
    }

    /// The words, in order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}
