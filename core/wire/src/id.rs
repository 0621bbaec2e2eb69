//! Identifiers: each kind of name is a type of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Malformed;
use crate::seed::Dice;

/// Prints, parses and serializes a newtype as text.
macro_rules! as_text {
    ($type:ident) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A person: any text that the operator vouches for, a mail address by default.
///
/// One to 254 bytes (RFC 5321 §4.5.3.1.3 less the brackets), without white space, control characters, or `/`, which
/// separates the instance in an [`Address`]. Compared byte by byte; mail-like names are written in lower case by
/// whoever creates the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(String);

impl UserId {
    /// The user as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The short name to show: the part before `@`, or all of it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.0.split_once('@') {
            Some((name, _)) if !name.is_empty() => name,
            Some(_) | None => &self.0,
        }
    }
}

impl FromStr for UserId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let problem = |problem| Malformed { word: "user", problem };
        if text.is_empty() {
            return Err(problem("is empty"));
        }
        if text.len() > 254 {
            return Err(problem("is longer than 254 bytes"));
        }
        if text.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control()) {
            return Err(problem("contains white space, a control character or a slash"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(UserId);

/// One device of a user: the CRC-32 of user, token and contact. Eight hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub u32);

impl FromStr for InstanceId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed { word: "instance", problem: "is not eight hexadecimal digits" };
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(malformed);
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| malformed)
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

as_text!(InstanceId);

/// Where a message goes or comes from: `user` for every device, `user/instance` for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Whom it names.
    pub user: UserId,
    /// The one device meant, or all of the user's.
    pub instance: Option<InstanceId>,
}

impl Address {
    /// Every device of `user`.
    #[must_use]
    pub fn of(user: UserId) -> Self {
        Self { user, instance: None }
    }

    /// One device of `user`.
    #[must_use]
    pub fn at(user: UserId, instance: InstanceId) -> Self {
        Self { user, instance: Some(instance) }
    }
}

impl FromStr for Address {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text.split_once('/') {
            Some((user, instance)) => Ok(Self::at(user.parse()?, instance.parse()?)),
            None => Ok(Self::of(text.parse()?)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.instance {
            Some(instance) => write!(f, "{}/{instance}", self.user),
            None => self.user.fmt(f),
        }
    }
}

as_text!(Address);

/// An identifier of eight random bytes, written as sixteen lower-case hexadecimal digits.
macro_rules! eight_bytes {
    ($(#[$doc:meta])* $type:ident, $word:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub u64);

        impl $type {
            /// A fresh one.
            #[must_use]
            pub fn random(dice: &mut Dice) -> Self {
                Self(dice.bits())
            }
        }

        impl FromStr for $type {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let malformed = Malformed { word: $word, problem: "is not sixteen hexadecimal digits" };
                if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(malformed);
                }
                u64::from_str_radix(text, 16).map(Self).map_err(|_| malformed)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($type))
            }
        }
    };
}

eight_bytes!(
    /// One invite, from ring to goodbye, on all devices of both sides. `ReqId` on the wire.
    InviteId,
    "invite id"
);
as_text!(InviteId);

eight_bytes!(
    /// One participant in one conference, fresh for each join.
    NodeId,
    "node id"
);

impl Serialize for NodeId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.collect_str(self)
        } else {
            self.0.to_le_bytes().serialize(to)
        }
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
            return text.parse().map_err(serde::de::Error::custom);
        }
        <[u8; 8]>::deserialize(from).map(|bytes| Self(u64::from_le_bytes(bytes)))
    }
}

/// One link of a node to a neighbour, numbered by the node itself; never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// A conference: one to 64 bytes of `[A-Za-z0-9_-]`, so that it is a segment of a path and of a web address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConferenceId(String);

impl ConferenceId {
    /// A fresh one: eighty random bits as four groups of five hexadecimal digits.
    #[must_use]
    pub fn random(dice: &mut Dice) -> Self {
        let group = |dice: &mut Dice| format!("{:05x}", dice.below(1 << 20));
        Self([group(dice), group(dice), group(dice), group(dice)].join("-"))
    }

    /// The conference as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConferenceId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let problem = |problem| Malformed { word: "conference", problem };
        if text.is_empty() || text.len() > 64 {
            return Err(problem("is not of one to 64 characters"));
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(problem("has a character other than letters, digits, - and _"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ConferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(ConferenceId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for text in ["bob@home.com", "bob@home.com/5c7c87a2", "+4930123456"] {
            let address: Address = text.parse().unwrap();

            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn a_malformed_address_says_why() {
        for (text, word) in [
            ("", "user"),
            ("bob home", "user"),
            ("bob@home.com/", "instance"),
            ("bob@home.com/5c7c87a2/5c7c87a2", "instance"),
            ("bob@home.com/+c7c87a2", "instance"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap_err().word, word, "{text:?}");
        }
    }

    #[test]
    fn random_identifiers_survive_json() {
        let mut dice = Dice::new(Seed::story(3));
        let node = NodeId::random(&mut dice);
        let conference = ConferenceId::random(&mut dice);

        let text = serde_json::to_string(&(node, &conference)).unwrap();

        assert_eq!(
            serde_json::from_str::<(NodeId, ConferenceId)>(&text).unwrap(),
            (node, conference)
        );
    }

    #[test]
    fn a_name_is_the_part_before_the_at_sign() {
        assert_eq!("ann@x.org".parse::<UserId>().unwrap().name(), "ann");
        assert_eq!("+4930".parse::<UserId>().unwrap().name(), "+4930");
        assert_eq!("@x".parse::<UserId>().unwrap().name(), "@x");
    }
}
