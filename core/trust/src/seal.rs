//! Sealing: what only the addressee can read, and only the sender can have written.
//!
//! HPKE (RFC 9180) in its authenticated mode, with X25519, HKDF-SHA256 and ChaCha20-Poly1305, one message for each
//! key. What is sealed is filled up to whole steps, so that its length says little.

use std::convert::Infallible;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Suite;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use wire::Dice;

use crate::{Context, Keys, PublicKeys};

/// What is sealed fills steps of so many bytes.
pub const SEAL_STEP: usize = 256;

/// How many bytes a seal adds to the steps: a fresh key and a tag.
pub const SEAL_BYTES: usize = 32 + 16;

/// Dice as the cipher throws them.
struct Thrown<'a>(&'a mut Dice);

impl TryRng for Thrown<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.bits() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.bits())
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        for chunk in to.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.bits().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The dice of a core are those of a cipher: ChaCha from a seed that the shell drew from the system.
impl TryCryptoRng for Thrown<'_> {}

/// Seals `plain` to `to`; `None` when their key is none.
pub(crate) fn seal(
    keys: &Keys,
    context: &Context<'_>,
    to: &PublicKeys,
    plain: &[u8],
    dice: &mut Dice,
) -> Option<Vec<u8>> {
    let theirs = <Suite as Kem>::PublicKey::from_bytes(&to.sealing).ok()?;
    let mode = OpModeS::Auth((keys.sealing.clone(), keys.sealing_public.clone()));
    let mut padded = plain.to_vec();
    padded.push(1);
    padded.resize(padded.len().next_multiple_of(SEAL_STEP), 0);
    let info = context.message(&names(&keys.public(), to));
    let (fresh, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Suite>(
        &mode,
        &theirs,
        &info,
        &padded,
        &[],
        &mut Thrown(dice),
    )
    .ok()?;
    let mut bytes = fresh.to_bytes().to_vec();
    bytes.extend(sealed);
    Some(bytes)
}

/// Opens what `from` sealed to us; `None` when it did not, or it was changed on the way.
pub(crate) fn open(
    keys: &Keys,
    context: &Context<'_>,
    from: &PublicKeys,
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let (fresh, sealed) = sealed.split_at_checked(32)?;
    let fresh = <Suite as Kem>::EncappedKey::from_bytes(fresh).ok()?;
    let theirs = <Suite as Kem>::PublicKey::from_bytes(&from.sealing).ok()?;
    let info = context.message(&names(from, &keys.public()));
    let mut plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Suite>(
        &OpModeR::Auth(theirs),
        &keys.sealing,
        &fresh,
        &info,
        sealed,
        &[],
    )
    .ok()?;
    let end = plain.iter().rposition(|byte| *byte != 0).filter(|end| plain[*end] == 1)?;
    plain.truncate(end);
    Some(plain)
}

/// Who speaks to whom.
fn names(from: &PublicKeys, to: &PublicKeys) -> [u8; 16] {
    let mut names = [0; 16];
    names[..8].copy_from_slice(&from.node().0.to_le_bytes());
    names[8..].copy_from_slice(&to.node().0.to_le_bytes());
    names
}
