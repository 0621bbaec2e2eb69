//! Whether a signature is good, and the memory of what was checked before.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;

use sha2::{Digest, Sha256};

use crate::keys::{self, Signature};

/// Checks signatures. A node is given one when it is made, so that a simulator may let all its nodes share a [`Memo`].
pub trait Checks: Debug + Send {
    /// Whether the holder of the Ed25519 key `key` signed `message`.
    fn verify(&mut self, key: &[u8; 32], message: &[u8], signature: &Signature) -> bool;
}

/// Checks each signature anew: what a node does that is alone in its process, for it asks about each once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Each;

impl Checks for Each {
    fn verify(&mut self, key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
        keys::verify(key, message, signature)
    }
}

/// Checks each signature once, and knows the answer when it is asked again.
#[derive(Debug)]
pub struct Memo {
    most: usize,
    known: BTreeMap<[u8; 16], bool>,
    oldest: VecDeque<[u8; 16]>,
}

impl Memo {
    /// One that knows the last `most` answers, about 100 bytes each.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, known: BTreeMap::new(), oldest: VecDeque::new() }
    }

    /// How many answers it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

impl Checks for Memo {
    fn verify(&mut self, key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
        let hash = Sha256::new().chain_update(key).chain_update(signature.0).chain_update(message);
        let mut name = [0; 16];
        name.copy_from_slice(&hash.finalize()[..16]);
        if let Some(answer) = self.known.get(&name) {
            return *answer;
        }
        let answer = keys::verify(key, message, signature);
        if self.known.len() >= self.most
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(name, answer);
        self.oldest.push_back(name);
        answer
    }
}
