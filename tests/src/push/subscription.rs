//! The keys of a push subscription, made as a browser makes them, and what is sealed to them, opened as a browser opens it.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

/// A subscription whose private key is the test's.
pub struct Subscription {
    /// Where the push service takes messages for it.
    pub endpoint: String,
    key: PrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Subscription {
    pub(crate) fn new(endpoint: String) -> Self {
        let key = PrivateKey::generate(&ECDH_P256).expect("the system makes keys");
        let public = key.compute_public_key().expect("it has a public half").as_ref().to_vec();
        let mut auth = [0; 16];
        rand::fill(&mut auth).expect("the system gives random numbers");
        Self { endpoint, key, public, auth }
    }

    /// `PushSubscription.toJSON()`.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "endpoint": self.endpoint,
            "expirationTime": null,
            "keys": { "p256dh": BASE64.encode(&self.public), "auth": BASE64.encode(self.auth) },
        })
    }

    /// Opens a body (RFC 8291 §4, RFC 8188 §2).
    ///
    /// # Errors
    /// With the reason, when a browser would drop it.
    pub fn open(&self, body: &[u8]) -> Result<String, &'static str> {
        let (salt, rest) = body.split_at_checked(16).ok_or("no salt")?;
        let (size, rest) = rest.split_at_checked(4).ok_or("no record size")?;
        let size = u32::from_be_bytes(size.try_into().expect("four bytes"));
        let (length, rest) = rest.split_first().ok_or("no key length")?;
        let (theirs, record) = rest.split_at_checked((*length).into()).ok_or("no key")?;
        if record.len() < 18 || record.len() > size as usize {
            return Err("the record is not as long as it says");
        }
        let theirs = UnparsedPublicKey::new(&ECDH_P256, theirs);
        let secret = agreement::agree(&self.key, theirs, "the key is none", |shared| {
            let info = [b"WebPush: info\0", &self.public[..], &rest[..65]].concat();
            Ok(derive::<32>(&self.auth, shared, &info))
        })?;
        let key = derive::<16>(salt, &secret, b"Content-Encoding: aes128gcm\0");
        let nonce = derive::<12>(salt, &secret, b"Content-Encoding: nonce\0");
        let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| "no key came out")?;
        let mut record = record.to_vec();
        let plain = LessSafeKey::new(key)
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
            .map_err(|_| "it is not sealed for this subscription")?;
        // What pads the text is zeros behind the mark of the last record.
        let end = plain.iter().rposition(|byte| *byte != 0).ok_or("no delimiter")?;
        if plain[end] != 2 {
            return Err("the record is not the last");
        }
        String::from_utf8(plain[..end].to_vec()).map_err(|_| "no text")
    }
}

fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> [u8; N] {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut bytes = [0; N];
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    let info = [info];
    let okm = key.expand(&info, Length(N)).expect("these lengths are allowed");
    okm.fill(&mut bytes).expect("it is as long as was said");
    bytes
}
