//! Proof of possession (RFC 9449, DPoP): whoever presents a token shows that it holds the key that the token is bound to.
//!
//! ```text
//!   request ──▶ check ──▶ Proven: key, jti ──▶ the token's key?  none yet ──▶ bind it
//!               signature, htm, htu, iat, ath                    the same ──▶ Seen: once ──▶ let in
//!                                                                another  ──▶ refused
//! ```
//!
//! **Invariant:** a proof is good for one request: method, address and time are in it, and its number is remembered for
//! as long as its time is believed.
//!
//! **Invariant:** only proofs of a key that a token is bound to are remembered, so a stranger fills no memory.

mod seen;
#[cfg(test)]
mod tests;

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::secret::Secret;
pub(crate) use seen::{Full, Seen};

/// How old a proof may be, in seconds. Guess: a page makes the one for its last words beforehand, and browsers slow the
/// clocks of hidden pages to one tick a minute.
const PAST_SECONDS: u64 = 300;
/// How far in the future a proof may be, in seconds. Guess: both clocks are set by the network, or nearly.
const FUTURE_SECONDS: u64 = 60;
/// The longest proof that is looked at, in bytes. Ours are under 600.
const PROOF_BYTES_MAX: usize = 2_048;
/// The longest number of a proof, in bytes. Ours have 22.
const JTI_BYTES_MAX: usize = 128;

/// The SHA-256 thumbprint of a public key (RFC 7638), in URL-safe base64.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Thumbprint(String);

impl Thumbprint {
    /// One that was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thumbprint(…)")
    }
}

/// What a proof has to be about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// Host and port, as the client asked for them.
    pub(crate) host: &'a str,
    /// The path, without the query.
    pub(crate) path: &'a str,
    /// The token that the proof must name. A page cannot read the one in its cookie, and names none.
    pub(crate) token: Option<&'a Secret>,
    /// The present, in seconds since the Unix epoch.
    pub(crate) now: u64,
}

/// A proof that is good for this request, if it was not used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    /// The key that signed it.
    pub(crate) key: Thumbprint,
    /// What tells it from all others of that key.
    pub(crate) number: u128,
}

/// What is wrong with a proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("there is more than one")]
    Several,
    #[error("it is no JWT, or lacks jti, htm, htu or iat")]
    Malformed,
    #[error("typ is not dpop+jwt")]
    Type,
    #[error("alg is not ES256")]
    Algorithm,
    #[error("jwk is no public key of P-256")]
    Key,
    #[error("the signature is not that of the key in jwk")]
    Signature,
    #[error("htm is not the method of the request")]
    Method,
    #[error("htu is {named}, and the request came to this server as {here}")]
    Address {
        /// What the proof is for.
        named: String,
        /// Host and path of the request, as they came.
        here: String,
    },
    #[error("ath is not the SHA-256 of the token")]
    Token,
    #[error("it was used before")]
    Replayed,
    /// By this many seconds.
    #[error("the clock that made it is {0} s behind")]
    Late(u64),
    /// By this many seconds.
    #[error("the clock that made it is {0} s ahead")]
    Early(u64),
}

#[derive(Deserialize)]
struct Header {
    typ: Option<String>,
    alg: Option<String>,
    jwk: Option<Jwk>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// The private half, which nobody should send.
    d: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: serde_json::Number,
    ath: Option<String>,
}

/// What `proof` proves for `request` (RFC 9449 §4.3).
///
/// # Errors
///
/// With the first thing that is wrong with it.
pub(crate) fn check(proof: &str, request: &Request<'_>) -> Result<Proven, Flaw> {
    if proof.len() > PROOF_BYTES_MAX {
        return Err(Flaw::Malformed);
    }
    let (signed, signature) = proof.rsplit_once('.').ok_or(Flaw::Malformed)?;
    let (head, body) = signed.split_once('.').ok_or(Flaw::Malformed)?;
    let Header { typ, alg, jwk, crit } = read(head)?;
    if crit.is_some() {
        return Err(Flaw::Malformed);
    }
    if typ.as_deref() != Some("dpop+jwt") {
        return Err(Flaw::Type);
    }
    if alg.as_deref() != Some("ES256") {
        return Err(Flaw::Algorithm);
    }
    let (key, point) = jwk.and_then(|jwk| public_key(&jwk)).ok_or(Flaw::Key)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Flaw::Malformed)?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| Flaw::Signature)?;

    let Claims { jti, htm, htu, iat, ath } = read(body)?;
    if jti.is_empty() || jti.len() > JTI_BYTES_MAX {
        return Err(Flaw::Malformed);
    }
    if htm != request.method {
        return Err(Flaw::Method);
    }
    if !is_address(&htu, request) {
        let here = format!("{}{}", request.host, request.path);
        return Err(Flaw::Address { named: htu, here });
    }
    in_time(&iat, request.now)?;
    is_about(ath.as_deref(), request.token)?;

    let digest = Sha256::digest(format!("{}.{jti}", key.0).as_bytes());
    let half = digest.first_chunk().expect("a digest has 32 bytes");
    Ok(Proven { key, number: u128::from_be_bytes(*half) })
}

fn read<T: for<'a> Deserialize<'a>>(part: &str) -> Result<T, Flaw> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Flaw::Malformed)
}

/// The thumbprint of a public key, and the key as a point; `None` when it is none, or has its private half.
fn public_key(jwk: &Jwk) -> Option<(Thumbprint, Vec<u8>)> {
    if jwk.kty != "EC" || jwk.crv.as_deref() != Some("P-256") || jwk.d.is_some() {
        return None;
    }
    let (x, y) = (jwk.x.as_deref()?, jwk.y.as_deref()?);
    let mut point = vec![4];
    for coordinate in [x, y] {
        point.extend(URL_SAFE_NO_PAD.decode(coordinate).ok().filter(|bytes| bytes.len() == 32)?);
    }
    // RFC 7638 §3: required members only, in order, without white space.
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Some((Thumbprint(URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes()))), point))
}

/// Whether `htu` is where the request went. The scheme is not compared: a proxy in front may have taken TLS off.
fn is_address(htu: &str, request: &Request<'_>) -> bool {
    let Ok(named) = Url::parse(htu) else { return false };
    let scheme = match named.scheme() {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        _ => return false,
    };
    // As the client's scheme has it, so that a port which goes without saying is the same one.
    let Ok(asked) = Url::parse(&format!("{scheme}://{}{}", request.host, request.path)) else {
        return false;
    };
    named.query().is_none()
        && named.fragment().is_none()
        && named.username().is_empty()
        && named.host() == asked.host()
        && named.port_or_known_default() == asked.port_or_known_default()
        && named.path() == asked.path()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn in_time(iat: &serde_json::Number, now: u64) -> Result<(), Flaw> {
    // RFC 7519 §2 allows fractions.
    let made =
        iat.as_f64().filter(|made| made.is_finite() && *made >= 0.0).ok_or(Flaw::Malformed)?;
    let made = made.min(1e12) as u64;
    match (now.saturating_sub(made), made.saturating_sub(now)) {
        (late, _) if late > PAST_SECONDS => Err(Flaw::Late(late)),
        (_, early) if early > FUTURE_SECONDS => Err(Flaw::Early(early)),
        _ => Ok(()),
    }
}

/// Whether the proof names `token`, if it has to.
fn is_about(ath: Option<&str>, token: Option<&Secret>) -> Result<(), Flaw> {
    let Some(token) = token else { return Ok(()) };
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token.reveal().as_bytes()));
    if ath == Some(hash.as_str()) { Ok(()) } else { Err(Flaw::Token) }
}
