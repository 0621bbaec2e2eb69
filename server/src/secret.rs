//! Secrets: access tokens and log-in codes, how they are made, and what is stored of them.

use std::fmt::{self, Write as _};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use wire::{InstanceId, UserId};

/// Random bytes of a secret. 192 bits: the instance, which others see, tells 32 bits about them.
const SECRET_BYTES: usize = 24;

/// An access token or a code, as its owner has it. Never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// A fresh one, from the system's entropy.
    pub(crate) fn fresh() -> anyhow::Result<Self> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).context("The system gives no random numbers")?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// One that somebody presents; it may be anything.
    pub(crate) fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether it may be one of [`Secret::fresh`].
    pub(crate) fn is_well_formed(&self) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        self.0.len() == SECRET_BYTES / 3 * 4 && self.0.bytes().all(plain)
    }

    /// The secret itself, for its owner.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored: SHA-256. Without salt or stretching, which guard guessable secrets; this one is random.
    pub(crate) fn hash(&self) -> String {
        Sha256::digest(self.0.as_bytes()).iter().fold(String::new(), |mut hash, byte| {
            write!(hash, "{byte:02x}").expect("a String takes any text");
            hash
        })
    }

    /// The instance of the device that has this token and this contact.
    pub(crate) fn instance(&self, user: &UserId, contact: &str) -> InstanceId {
        InstanceId(crc32fast::hash(format!("{user}:{}:{contact}", self.0).as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instance_is_that_of_the_reference() {
        let token = Secret::presented("t-a");

        let instance = token.instance(&"alice@office.com".parse().unwrap(), "fcm-a");

        assert_eq!(instance.to_string(), "cef96349");
    }

    #[test]
    fn no_two_secrets_are_alike_and_none_shows_in_a_log() {
        let one = Secret::fresh().unwrap();
        let other = Secret::fresh().unwrap();

        assert_ne!(one, other);
        assert_eq!(one.reveal().len(), 32);
        assert!(one.is_well_formed() && other.is_well_formed());
        assert_eq!(format!("{one:?}"), "Secret(…)");
        assert_eq!(one.hash().len(), 64);
    }
}
