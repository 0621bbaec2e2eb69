//! Who sends a push: a key of this server, made on first start, that push services know it by (RFC 8292).

use std::time::Duration;

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// For how long an assertion is good. RFC 8292 §2 allows a day; clocks differ.
const GOOD_FOR: Duration = Duration::from_secs(12 * 60 * 60);

/// The key pair of this server.
#[derive(Debug)]
pub(crate) struct Vapid {
    pair: EcdsaKeyPair,
    /// How push services reach the operator: `mailto:` or `https:`.
    contact: Option<String>,
}

impl Vapid {
    /// A fresh key, as it is kept: PKCS #8.
    pub(crate) fn fresh() -> anyhow::Result<Vec<u8>> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = pair.and_then(|pair| pair.to_pkcs8v1());
        Ok(pkcs8.ok().context("The system can make no key for push messages")?.as_ref().to_vec())
    }

    /// The key that was kept.
    pub(crate) fn new(pkcs8: &[u8], contact: Option<String>) -> anyhow::Result<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
        Ok(Self { pair: pair.ok().context("The key for push messages cannot be read")?, contact })
    }

    /// What a browser needs to subscribe: `applicationServerKey`, an uncompressed point, URL-safe base64.
    pub(crate) fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref())
    }

    /// The `Authorization` of a push to a service at `origin`; `now` in seconds since the Unix epoch.
    pub(crate) fn authorization(&self, origin: &str, now: u64) -> anyhow::Result<String> {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut claims = json!({ "aud": origin, "exp": now + GOOD_FOR.as_secs() });
        if let Some(contact) = &self.contact {
            claims["sub"] = json!(contact);
        }
        let head = part(json!({ "typ": "JWT", "alg": "ES256" }));
        let signed = format!("{head}.{}", part(claims));
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .ok()
            .context("The system cannot sign")?;
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        Ok(format!("vapid t={signed}.{signature}, k={}", self.public_key()))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn an_assertion_names_the_service_and_is_signed_by_the_key_it_shows() {
        let vapid =
            Vapid::new(&Vapid::fresh().unwrap(), Some("mailto:ops@example.com".into())).unwrap();

        let header = vapid.authorization("https://push.example.net", 1_000).unwrap();

        let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(key))
            .verify(signed.as_bytes(), &decode(signature))
            .unwrap();
        let claims: serde_json::Value =
            serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap();
        assert_eq!(claims["aud"], "https://push.example.net");
        assert_eq!(claims["exp"], 1_000 + 12 * 60 * 60);
        assert_eq!(claims["sub"], "mailto:ops@example.com");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(Vapid::new(b"x", None).is_err());
    }
}
