//! Signed tokens: JWT (RFC 7519, RFC 9068) and ID tokens of an OpenID Connect issuer.

use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::{Map, Value};
use wire::Timestamp;

use super::client::Client;
use super::keys::Keys;
use super::logout::{self, Logouts};
use super::settings::SignedSettings;
use super::{Identity, Origin, Reason, Refusal, date_of, session_of, user_of};
use crate::secret::Secret;

/// How far the issuer's clock and ours may differ, in seconds. Guess: both are set by the network.
const LEEWAY_SECONDS: u64 = 10;

/// A judge that needs no asking.
pub(crate) struct Signed {
    wishes: SignedSettings,
    keys: Keys,
    logouts: Logouts,
}

impl Signed {
    pub(crate) fn new(wishes: SignedSettings, client: Client) -> Self {
        let keys = Keys::new(wishes.issuer.clone(), wishes.jwks.clone(), client);
        Self { wishes, keys, logouts: Logouts::new() }
    }

    /// Whose `token` is.
    pub(crate) async fn judge(&self, token: &Secret) -> Result<Identity, Refusal> {
        let claims = self.claims(token.reveal()).await?;
        self.identity(&claims).map_err(Refusal::Refused)
    }

    /// Takes the issuer's word that somebody left.
    pub(crate) async fn log_out(&self, token: &str) -> Result<(), Refusal> {
        let claims = self.claims(token).await?;
        let left = logout::read(&claims).map_err(Refusal::Refused)?;
        self.logouts.note(left);
        Ok(())
    }

    /// The claims of a token that is signed, and that is for us, now.
    pub(crate) async fn claims(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        let header = decode_header(token).map_err(|_| Refusal::Refused(Reason::Malformed))?;
        // The header chooses among what the operator allows, never beyond (RFC 8725 §3.1).
        if !self.wishes.algorithms.contains(&header.alg) {
            return Err(Refusal::Refused(Reason::Algorithm));
        }
        // An extension that must be understood is one we do not (RFC 7515 §4.1.11).
        if header.crit.is_some() {
            return Err(Refusal::Refused(Reason::Malformed));
        }
        let keys = self.keys.candidates(header.kid.as_deref(), header.alg).await;
        let keys = keys.ok_or(Refusal::Unavailable)?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(std::slice::from_ref(&self.wishes.issuer));
        validation.set_audience(&self.wishes.audience);
        let mut reason = Reason::Key;
        for key in keys {
            match decode::<Map<String, Value>>(token, &key.key, &validation) {
                Ok(data) => return Ok(data.claims),
                // Without a key id, another key may fit.
                Err(error) => reason = blame(error.kind()),
            }
        }
        Err(Refusal::Refused(reason))
    }

    fn identity(&self, claims: &Map<String, Value>) -> Result<Identity, Reason> {
        // A logout token lets nobody in.
        if claims.contains_key(logout::EVENTS) {
            return Err(Reason::Malformed);
        }
        if self.logouts.has(claims) {
            return Err(Reason::Unknown);
        }
        let until = date_of(claims, "exp")?.map(|at| Timestamp(at.0 + LEEWAY_SECONDS * 1_000));
        let user = user_of(claims, &self.wishes.user_claim)?;
        let session = session_of(claims, "sid");
        Ok(Identity { user, origin: Origin::Session { session }, until })
    }

    /// Whether the issuer gives keys; how far its clock is from ours.
    pub(crate) async fn probe(&self) -> Result<Option<Duration>, String> {
        self.keys.probe().await
    }
}

/// The reason in an error of the library.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library may name more, all of them faults of the token"
)]
fn blame(error: &ErrorKind) -> Reason {
    match error {
        ErrorKind::ExpiredSignature => Reason::Expired,
        ErrorKind::ImmatureSignature => Reason::Early,
        ErrorKind::InvalidSignature => Reason::Signature,
        ErrorKind::InvalidIssuer => Reason::Issuer,
        ErrorKind::InvalidAudience => Reason::Audience,
        ErrorKind::InvalidAlgorithm => Reason::Algorithm,
        ErrorKind::MissingRequiredClaim(claim) if claim == "iss" => Reason::Issuer,
        ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => Reason::Audience,
        _ => Reason::Malformed,
    }
}
