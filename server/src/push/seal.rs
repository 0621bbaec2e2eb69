//! Sealing a push for one subscription: the push service that carries it cannot read it (RFC 8291 in RFC 8188).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::hkdf::{self, HKDF_SHA256, KeyType};

/// The longest text that fits: push services must take 4,096 bytes (RFC 8030 §7.2), and the header, the delimiter and
/// the tag of AES-GCM take 103 of them.
pub(crate) const TEXT_BYTES_MAX: usize = 4_096 - HEADER_BYTES - 17;

/// Salt, record size, length of the key, key (RFC 8188 §2.1).
const HEADER_BYTES: usize = 16 + 4 + 1 + POINT_BYTES;

/// An uncompressed point of P-256.
pub(crate) const POINT_BYTES: usize = 65;

/// The shared secret that a subscription brings.
pub(crate) const AUTH_BYTES: usize = 16;

/// Whom a push is sealed to: what `PushSubscription.getKey` gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipient {
    /// `p256dh`: a point of P-256, uncompressed.
    pub(crate) key: [u8; POINT_BYTES],
    /// `auth`.
    pub(crate) auth: [u8; AUTH_BYTES],
}

/// Why a push was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// More than a push service must take.
    #[error("the message is longer than the {TEXT_BYTES_MAX} bytes that fit into a push")]
    TooLong,
    /// The subscription's key is no point of the curve.
    #[error("the key of the subscription is none")]
    Key,
    /// The system gives no random numbers, or its cryptography fails.
    #[error("the system's cryptography failed")]
    System,
}

/// The body of a push that says `text`.
pub(crate) fn seal(recipient: &Recipient, text: &[u8]) -> Result<Vec<u8>, Error> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| Error::System)?;
    let ours = PrivateKey::generate(&ECDH_P256).map_err(|_| Error::System)?;
    seal_with(&ours, salt, recipient, text)
}

fn seal_with(
    ours: &PrivateKey,
    salt: [u8; 16],
    recipient: &Recipient,
    text: &[u8],
) -> Result<Vec<u8>, Error> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::TooLong);
    }
    let public = ours.compute_public_key().map_err(|_| Error::System)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &recipient.key);
    // RFC 8291 §3.3 and §3.4.
    let secret = agreement::agree(ours, theirs, Error::Key, |shared| {
        let info = [b"WebPush: info\0".as_slice(), &recipient.key, public.as_ref()];
        expand::<32>(&recipient.auth, shared, &info)
    })?;
    let key = expand::<16>(&salt, &secret, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = expand::<12>(&salt, &secret, &[b"Content-Encoding: nonce\0"])?;

    // One record, so it is the last, which the delimiter says.
    let mut record = [text, &[2]].concat();
    let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| Error::System)?;
    LessSafeKey::new(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
        .map_err(|_| Error::System)?;
    let size = 4_096_u32.to_be_bytes();
    Ok([&salt[..], &size, &[POINT_BYTES as u8], public.as_ref(), &record].concat())
}

/// `N` bytes that follow from `secret` (RFC 5869).
fn expand<const N: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Result<[u8; N], Error> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut bytes = [0; N];
    hkdf::Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(info, Length(N))
        .and_then(|okm| okm.fill(&mut bytes))
        .map_err(|_| Error::System)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_example_of_rfc_8291_comes_out_byte_for_byte() {
        let ours = bytes::<32>("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let ours = PrivateKey::from_private_key(&ECDH_P256, &ours).unwrap();
        let recipient = Recipient {
            key: bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ),
            auth: bytes("BTBZMqHH6r4Tts7J_aSIgg"),
        };

        let body = seal_with(
            &ours,
            bytes("DGv6ra1nlYgDCS1FRnbzlw"),
            &recipient,
            b"When I grow up, I want to be a watermelon",
        )
        .unwrap();

        assert_eq!(
            URL_SAFE_NO_PAD.encode(body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn what_does_not_fit_into_a_push_is_refused() {
        let key = PrivateKey::generate(&ECDH_P256).unwrap().compute_public_key().unwrap();
        let recipient = Recipient { key: key.as_ref().try_into().unwrap(), auth: [7; 16] };

        let longest = seal(&recipient, &[b'x'; TEXT_BYTES_MAX]).unwrap();

        assert_eq!(longest.len(), 4_096);
        assert_eq!(seal(&recipient, &[b'x'; TEXT_BYTES_MAX + 1]), Err(Error::TooLong));
    }

    #[test]
    fn a_key_off_the_curve_is_refused() {
        let recipient = Recipient { key: [4; POINT_BYTES], auth: [7; 16] };

        assert_eq!(seal(&recipient, b"x"), Err(Error::Key));
    }
}
