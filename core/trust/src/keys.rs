//! The keys of a node, and what is signed with them.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use hpke::{Deserializable, Kem, Serializable, kem::X25519HkdfSha256};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wire::{NodeId, Seed, Sure};

use crate::Context;

type Suite = X25519HkdfSha256;

/// Both public keys of a node. Any bytes may stand here: a key that is none signs nothing and opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKeys {
    /// Ed25519 (RFC 8032).
    pub signing: [u8; 32],
    /// X25519 (RFC 7748).
    pub sealing: [u8; 32],
}

impl PublicKeys {
    /// The node whose keys these are: the first eight bytes of their hash.
    #[must_use]
    pub fn node(&self) -> NodeId {
        let hash = Sha256::new().chain_update(self.signing).chain_update(self.sealing).finalize();
        NodeId(first_eight(&hash))
    }
}

/// The first eight bytes of a hash as a number, the low one first.
pub(crate) fn first_eight(hash: &[u8]) -> u64 {
    hash.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The secret keys of a node, made of its seed and of nothing else.
pub struct Keys {
    signing: SigningKey,
    pub(crate) sealing: <Suite as Kem>::PrivateKey,
    pub(crate) sealing_public: <Suite as Kem>::PublicKey,
    public: PublicKeys,
}

impl Keys {
    /// The keys that belong to `seed`, for ever the same.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let secret = |tag: &[u8]| -> [u8; 32] {
            Sha256::new().chain_update(tag).chain_update(seed.0).finalize().into()
        };
        let signing = SigningKey::from_bytes(&secret(b"hullo 1 signing key"));
        let sealing = <Suite as Kem>::PrivateKey::from_bytes(&secret(b"hullo 1 sealing key"))
            .sure("any 32 bytes are a key of X25519");
        let sealing_public = Suite::sk_to_pk(&sealing);
        let public = PublicKeys {
            signing: signing.verifying_key().to_bytes(),
            sealing: sealing_public.to_bytes().into(),
        };
        Self { signing, sealing, sealing_public, public }
    }

    /// What everybody may know of them.
    #[must_use]
    pub fn public(&self) -> PublicKeys {
        self.public
    }

    pub(crate) fn sign(&self, context: &Context<'_>, what: &[u8]) -> Signature {
        Signature(self.signing.sign(&context.message(what)).to_bytes())
    }
}

/// Without what is secret.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.public.node()).finish()
    }
}

/// A signature of Ed25519.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // No array of 64 can be written at once, two halves can, with the same bytes.
        let (low, high) = self.0.split_at(32);
        let half = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).sure("a half of 64 is 32");
        (half(low), half(high)).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (low, high) = <([u8; 32], [u8; 32])>::deserialize(from)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&low);
        bytes[32..].copy_from_slice(&high);
        Ok(Self(bytes))
    }
}

/// Whether `key` signed `message`. Strict: of all ways to check, the one on which every implementation agrees, and
/// that takes no signature in two shapes (Chalkias et al., "Taming the many EdDSAs", 2020).
pub(crate) fn verify(key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}
