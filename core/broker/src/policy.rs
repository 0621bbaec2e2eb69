//! What operators and users have decided: which devices ring, and who may see that somebody is there.

use std::collections::BTreeSet;

use wire::{InstanceId, UserId};

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
    /// Whom its user shows to that they are reachable; `None` if they have not said.
    pub audience: Option<Audience>,
    /// Whom its user has blocked, who see nothing in any case.
    pub hidden_from: Audience,
}

/// Who may know whether somebody is reachable, by the operator's wish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Showing {
    /// Nobody, not even about themselves.
    #[default]
    Nobody,
    /// Users about themselves, and about those who have listed them.
    Listed,
    /// Everybody who may connect, about all but those users who have a list without them.
    Everybody,
}

/// Some users: those to whom somebody shows that they are reachable, or does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience(BTreeSet<UserId>);

impl FromIterator<UserId> for Audience {
    fn from_iter<T: IntoIterator<Item = UserId>>(users: T) -> Self {
        Self(users.into_iter().collect())
    }
}

impl Audience {
    /// Whether nobody is among them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `user` is among them.
    #[must_use]
    pub fn has(&self, user: &UserId) -> bool {
        self.0.contains(user)
    }

    /// The users, in order.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.0.iter()
    }
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
