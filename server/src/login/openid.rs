//! Logging in at an OpenID Connect provider: the authorization code flow with PKCE (OpenID Connect Core 1.0 §3.1,
//! RFC 7636).
//!
//! Nothing is kept between the two halves. The browser holds one random secret in a cookie that scripts cannot read;
//! state, nonce and verifier are derived from it, so an answer counts only in the browser that asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{StatusCode, Url};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use wire::UserId;

use super::settings::OpenIdSettings;
use crate::secret::Secret;
use crate::session::{Client, Refusal, Signed, discover, endpoint, user_of};
use crate::telemetry::Metrics;

/// Where the provider sends people back to.
pub(crate) const BACK: &str = "session/openid/back";

/// One log-in under way, as its browser remembers it.
pub(crate) struct Errand(Secret);

impl Errand {
    pub(crate) fn fresh() -> anyhow::Result<Self> {
        Secret::fresh().map(Self)
    }

    pub(crate) fn remembered(text: &str) -> Self {
        Self(Secret::presented(text))
    }

    /// What the browser is to remember.
    pub(crate) fn secret(&self) -> &str {
        self.0.reveal()
    }

    /// 43 characters that only this browser and we know, one kind for each use.
    fn derive(&self, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{purpose} {}", self.0.reveal())))
    }
}

/// Why somebody who comes back is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// They, or the provider, refused.
    Denied,
    /// Another browser asked, or long ago.
    Stale,
    /// They are no user here, and may not become one.
    Unknown,
    /// The provider did not name them in a way that counts.
    Unnamed,
    /// The provider cannot be reached or used. The log says why.
    Unavailable,
}

impl Problem {
    /// The word that the page gets.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
            Self::Unnamed => "unnamed",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What a code is exchanged for.
struct Tokens {
    id: String,
    access: String,
}

/// A provider where people log in.
pub(crate) struct OpenId {
    wishes: OpenIdSettings,
    signed: Signed,
    client: Client,
    back: String,
}

impl OpenId {
    pub(super) fn new(wishes: OpenIdSettings, url: &str, metrics: Metrics) -> anyhow::Result<Self> {
        let client = || Client::new(&wishes.client, metrics.clone());
        Ok(Self {
            signed: Signed::new(wishes.signed.clone(), client()?),
            client: client()?,
            back: format!("{url}/{BACK}"),
            wishes,
        })
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.wishes.name
    }

    /// Where somebody on this errand goes (RFC 6749 §4.1.1).
    pub(crate) async fn start(&self, errand: &Errand) -> Result<Url, Problem> {
        let about = self.about().await?;
        let mut url = self.endpoint(&about, "authorization_endpoint")?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(errand.derive("verifier")));
        let scope =
            if self.wishes.user_claim == "email" { "openid email" } else { "openid profile" };
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.wishes.client_id)
            .append_pair("redirect_uri", &self.back)
            .append_pair("scope", scope)
            .append_pair("state", &errand.derive("state"))
            .append_pair("nonce", &errand.derive("nonce"))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// Who came back on this errand.
    pub(crate) async fn finish(
        &self,
        errand: &Errand,
        state: &str,
        code: &str,
    ) -> Result<UserId, Problem> {
        if state != errand.derive("state") {
            return Err(Problem::Stale);
        }
        let about = self.about().await?;
        let Tokens { id, access } = self.exchange(&about, errand, code).await?;
        let claims = self.signed.claims(&id).await.map_err(|refusal| match refusal {
            Refusal::Refused(reason) => unusable(&format!("its ID token is {reason}")),
            Refusal::Unavailable => Problem::Unavailable,
        })?;
        self.check(&claims, &errand.derive("nonce"))?;
        if claims.contains_key(&self.wishes.user_claim) {
            return self.who(&claims);
        }
        let more = self.userinfo(&about, &access).await?;
        // §5.3.2: or one person's answer could be taken for another's.
        if more.get("sub") != claims.get("sub") {
            return Err(unusable("its userinfo is about somebody else"));
        }
        self.who(&more)
    }

    /// The tokens for a code (OpenID Connect Core 1.0 §3.1.3).
    async fn exchange(
        &self,
        about: &Map<String, Value>,
        errand: &Errand,
        code: &str,
    ) -> Result<Tokens, Problem> {
        let url = self.endpoint(about, "token_endpoint")?;
        let verifier = errand.derive("verifier");
        let OpenIdSettings { client_id, client_secret, .. } = &self.wishes;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.back),
            ("code_verifier", &verifier),
        ];
        let mut question = self.client.post(&url);
        match client_secret {
            Some(secret) if takes_basic(about) => {
                // RFC 6749 §2.3.1: both are form-encoded before they become a Basic header.
                let encode = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                question = question.basic_auth(encode(client_id), Some(encode(secret.reveal())));
            }
            Some(secret) => {
                form.extend([("client_id", &**client_id), ("client_secret", secret.reveal())]);
            }
            None => form.push(("client_id", client_id)),
        }
        let answer = self.client.ask(question.form(&form)).await.map_err(away)?;
        let text = |member: &str| {
            let members = answer.members.as_ref()?;
            members.get(member)?.as_str().map(str::to_owned)
        };
        match (answer.status, text("id_token"), text("error").as_deref()) {
            (StatusCode::OK, Some(id), _) => {
                Ok(Tokens { id, access: text("access_token").unwrap_or_default() })
            }
            // The code was used before, or too late (RFC 6749 §5.2).
            (_, _, Some("invalid_grant")) => Err(Problem::Stale),
            (status, _, error) => Err(unusable(&format!(
                "its token endpoint answers with status {} and {}",
                status.as_u16(),
                error.unwrap_or("no ID token")
            ))),
        }
    }

    /// More claims, where the provider leaves them out of ID tokens (§5.3, §5.4).
    async fn userinfo(
        &self,
        about: &Map<String, Value>,
        access: &str,
    ) -> Result<Map<String, Value>, Problem> {
        let url = self.endpoint(about, "userinfo_endpoint")?;
        let question = self.client.get(&url).bearer_auth(access);
        let answer = self.client.ask(question).await.map_err(away)?;
        answer.members.filter(|_| answer.status == StatusCode::OK).ok_or_else(|| {
            unusable(&format!(
                "its userinfo endpoint answers with status {}",
                answer.status.as_u16()
            ))
        })
    }

    /// Whether an ID token is for this log-in, and asked for by us.
    fn check(&self, claims: &Map<String, Value>, nonce: &str) -> Result<(), Problem> {
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
        if text("nonce") != Some(nonce) {
            return Err(Problem::Stale);
        }
        // A token for several must have been asked for by us (§3.1.3.7, 4 and 5).
        if text("azp").is_some_and(|party| party != self.wishes.client_id) {
            return Err(unusable("its ID token was asked for by another party"));
        }
        Ok(())
    }

    fn who(&self, claims: &Map<String, Value>) -> Result<UserId, Problem> {
        // A mail address names a user here only when the provider has seen that it is theirs.
        let claim = &self.wishes.user_claim;
        if claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
            tracing::info!("Somebody without a verified mail address was not let in");
            return Err(Problem::Unnamed);
        }
        user_of(claims, claim).map_err(|_| Problem::Unnamed)
    }

    async fn about(&self) -> Result<Map<String, Value>, Problem> {
        discover(&self.client, &self.wishes.signed.issuer).await.map_err(away)
    }

    fn endpoint(&self, about: &Map<String, Value>, name: &str) -> Result<Url, Problem> {
        endpoint(about, name, &self.wishes.signed.issuer).map_err(|trouble| unusable(&trouble))
    }

    /// Whether the provider can be used.
    pub(crate) async fn probe(&self) -> Result<(), String> {
        let about = discover(&self.client, &self.wishes.signed.issuer).await?;
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            endpoint(&about, name, &self.wishes.signed.issuer)?;
        }
        Ok(())
    }
}

/// Whether the token endpoint takes a Basic header, as it does unless it says otherwise (Discovery 1.0 §3).
fn takes_basic(about: &Map<String, Value>) -> bool {
    match about.get("token_endpoint_auth_methods_supported").and_then(Value::as_array) {
        Some(methods) => methods.iter().any(|method| method == "client_secret_basic"),
        None => true,
    }
}

fn away(trouble: String) -> Problem {
    tracing::warn!(trouble, "The log-in provider cannot be used");
    Problem::Unavailable
}

fn unusable(trouble: &str) -> Problem {
    tracing::error!(trouble, "The log-in provider answers what it should not");
    Problem::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_derived_fits_its_purpose_and_tells_nothing_else() {
        let errand = Errand::fresh().unwrap();
        let again = Errand::remembered(errand.secret());

        // RFC 7636 §4.1: from 43 to 128 characters.
        assert_eq!(errand.derive("verifier").len(), 43);
        assert_eq!(errand.derive("state"), again.derive("state"));
        assert_ne!(errand.derive("state"), errand.derive("nonce"));
        assert_ne!(errand.derive("state"), Errand::fresh().unwrap().derive("state"));
    }
}
