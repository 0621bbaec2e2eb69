//! Certificates: a member says whom it invited.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wire::{InviteId, NodeId, Timestamp};

use crate::{Claim, PublicKeys, Signature, bytes};

/// What an inviter signs: this node is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// The keys of the newcomer.
    pub keys: PublicKeys,
    /// Who the inviter says it is.
    pub claim: Claim,
    /// Who invited it.
    pub inviter: NodeId,
    /// By which invite. Each is good for one newcomer.
    #[serde(with = "number")]
    pub invite: InviteId,
    /// When, by the calendar of the inviter.
    pub issued: Timestamp,
}

/// An admission with the signature of the inviter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// What is signed.
    pub admission: Admission,
    /// The signature over it.
    pub signature: Signature,
}

/// Where a certificate stands in the roll: by its date, then by the hash of its admission. Whoever signs one admission
/// twice has still admitted once, so what sets such two apart comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) issued: Timestamp,
    pub(crate) hash: [u8; 16],
    signature: [u8; 16],
}

impl Place {
    /// The place as nodes compare it with each other.
    pub(crate) fn short(&self) -> Short {
        Short([self.hash[0], self.hash[1], self.hash[2], self.hash[3]])
    }
}

/// Four bytes of the hash of an admission or a revocation: enough to ask for one by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Short(pub [u8; 4]);

impl Admission {
    /// What is signed, and hashed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes::encode(self)
    }
}

/// The first half of the hash of `what`.
fn half(what: &[u8]) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&Sha256::digest(what)[..16]);
    hash
}

impl Certificate {
    pub(crate) fn place(&self) -> Place {
        Place {
            issued: self.admission.issued,
            hash: half(&self.admission.to_bytes()),
            signature: half(&self.signature.0),
        }
    }

    /// The member that this makes.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.admission.keys.node()
    }

    /// As it travels: postcard.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes::encode(self)
    }

    /// Reads all of `bytes`, or nothing. Whether it is good only a [`Roll`](crate::Roll) can say.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes::decode(bytes)
    }
}

/// The founder takes back that somebody is in, and everybody whom that one invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Who is out.
    pub node: NodeId,
    /// The signature of the founder over the name of the node.
    pub signature: Signature,
}

impl Revocation {
    /// As it travels: postcard.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes::encode(self)
    }

    /// Reads all of `bytes`, or nothing.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes::decode(bytes)
    }

    pub(crate) fn short(node: NodeId) -> Short {
        let hash = Sha256::new().chain_update(b"out").chain_update(node.0.to_le_bytes()).finalize();
        Short([hash[0], hash[1], hash[2], hash[3]])
    }
}

/// The name of an invite as eight bytes, the low one first.
mod number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use wire::InviteId;

    pub(super) fn serialize<S: Serializer>(invite: &InviteId, to: S) -> Result<S::Ok, S::Error> {
        invite.0.to_le_bytes().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<InviteId, D::Error> {
        <[u8; 8]>::deserialize(from).map(|bytes| InviteId(u64::from_le_bytes(bytes)))
    }
}
