//! Each claim of a proof, made wrong.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::*;

/// Makes something wrong in head or claims.
type Spoil = fn(&mut Value, &mut Value);

/// The present of these tests.
const NOW: u64 = 1_800_000_000;

#[test]
fn the_example_of_the_rfc_is_read() {
    // RFC 9449 §4.2, figure 2; the thumbprint of its key is in §6.1.
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXp\
        Da0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2\
        In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia\
        WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let request = Request {
        method: "POST",
        host: "server.example.com",
        path: "/token",
        token: None,
        now: 1_562_262_616,
    };

    let proven = check(proof, &request).unwrap();

    assert_eq!(proven.key.as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn what_is_right_in_every_claim_proves_the_key() {
    let signer = Signer::new();
    let token = Secret::presented("t-a");
    let with_ath = signer.proof(|_, claims| {
        claims["ath"] = json!(URL_SAFE_NO_PAD.encode(Sha256::digest(b"t-a")));
    });

    assert!(check(&signer.proof(|_, _| ()), &asked()).is_ok());
    assert!(check(&with_ath, &Request { token: Some(&token), ..asked() }).is_ok());
    for htu in ["http://calls.example.com:443/contacts", "HTTPS://Calls.Example.com:443/contacts"] {
        let proof = signer.proof(|_, claims| claims["htu"] = json!(htu));
        assert!(
            check(&proof, &Request { host: "calls.example.com:443", ..asked() }).is_ok(),
            "{htu}"
        );
    }
}

#[test]
fn each_part_that_is_wrong_is_refused_by_its_name() {
    let signer = Signer::new();
    let other = Signer::new();
    let cases: [(Flaw, Spoil); 15] = [
        (Flaw::Type, |head, _| head["typ"] = json!("JWT")),
        (Flaw::Type, |head, _| head["typ"] = Value::Null),
        (Flaw::Algorithm, |head, _| head["alg"] = json!("none")),
        (Flaw::Algorithm, |head, _| head["alg"] = json!("HS256")),
        (Flaw::Malformed, |head, _| head["crit"] = json!(["b64"])),
        (Flaw::Key, |head, _| head["jwk"] = Value::Null),
        (Flaw::Key, |head, _| head["jwk"]["crv"] = json!("P-384")),
        (Flaw::Key, |head, _| head["jwk"]["d"] = json!("AA")),
        (Flaw::Key, |head, _| head["jwk"]["x"] = json!("AA")),
        (Flaw::Malformed, |_, claims| claims["jti"] = json!("")),
        (Flaw::Malformed, |_, claims| claims["jti"] = Value::Null),
        (Flaw::Malformed, |_, claims| claims["iat"] = json!("now")),
        (Flaw::Method, |_, claims| claims["htm"] = json!("GET")),
        (Flaw::Late(301), |_, claims| claims["iat"] = json!(NOW - 301)),
        (Flaw::Early(61), |_, claims| claims["iat"] = json!(NOW + 61)),
    ];

    for (flaw, spoil) in cases {
        assert_eq!(check(&signer.proof(spoil), &asked()), Err(flaw));
    }
    // The key of another in the head, the signature of this one.
    let jwk = other.jwk();
    let borrowed = signer.proof(|head, _| head["jwk"] = jwk);
    assert_eq!(check(&borrowed, &asked()), Err(Flaw::Signature));
    let token = Secret::presented("t-a");
    let bare = Request { token: Some(&token), ..asked() };
    assert_eq!(check(&signer.proof(|_, _| ()), &bare), Err(Flaw::Token));
    let wrong = signer.proof(|_, claims| claims["ath"] = json!("AAAA"));
    assert_eq!(check(&wrong, &bare), Err(Flaw::Token));
}

#[test]
fn a_proof_for_elsewhere_is_refused_by_both_addresses() {
    let signer = Signer::new();
    for named in [
        "https://evil.example/contacts",
        "https://calls.example.com/session",
        "https://calls.example.com:8443/contacts",
        "https://calls.example.com/contacts?a",
        "/contacts",
    ] {
        let proof = signer.proof(|_, claims| claims["htu"] = json!(named));

        let flaw = check(&proof, &asked());

        let here = "calls.example.com/contacts".to_owned();
        assert_eq!(flaw, Err(Flaw::Address { named: named.to_owned(), here }));
    }
}

#[test]
fn what_is_no_proof_at_all_is_refused() {
    let long = "a".repeat(PROOF_BYTES_MAX + 1);
    for text in ["", ".", "..", "a.b.c", "é.é.é", "e30.e30.e30", &long] {
        assert!(check(text, &asked()).is_err(), "{text}");
    }
}

fn asked() -> Request<'static> {
    Request { method: "POST", host: "calls.example.com", path: "/contacts", token: None, now: NOW }
}

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
    }

    /// A proof for [`asked`], changed by `spoil` before it is signed.
    fn proof(&self, spoil: impl FnOnce(&mut Value, &mut Value)) -> String {
        let mut head = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        let mut claims = json!({
            "jti": "1", "htm": "POST", "htu": "https://calls.example.com/contacts", "iat": NOW,
        });
        spoil(&mut head, &mut claims);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&head), part(&claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}
