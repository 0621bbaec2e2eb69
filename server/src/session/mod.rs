//! Who may connect: a token goes in, a user comes out.
//!
//! The operator chooses one judge. *Accounts* are the tokens that `hullo token` made, in our own store. The others are
//! strangers whose word counts: a *session service*, which is asked over HTTP; *introspection* (RFC 7662), the same in
//! OAuth's words; and *signed tokens* (JWT), which are read without asking anybody but the issuer's keys.
//!
//! ```text
//!   cookie, bearer header, PeerJS token ──▶ Verifier ──▶ Identity: user, session, until when
//!                                           │ verdicts: short-lived, one question at a time for each token
//!                                           ├─ Accounts       one indexed read, never cached
//!                                           ├─ Service      ┐
//!                                           ├─ Introspection┼─ Client: time, concurrency and bytes are bounded
//!                                           └─ Signed       ┘
//! ```
//!
//! **Invariant:** a token is never logged, and never a key of a map: its SHA-256 is.
//!
//! **Invariant:** that a judge cannot be reached is no verdict: newcomers are told to come back, those who were let in
//! stay until their time is up.
//!
//! **Invariant:** no stranger's answer is believed before it was checked whole: status, type, size, and a user whose name
//! can be one.

mod client;
mod discovery;
mod introspection;
mod keys;
mod logout;
pub(crate) mod recheck;
mod service;
mod settings;
mod signed;
mod verdicts;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use wire::{InstanceId, Timestamp, UserId};

use crate::proof::Thumbprint;
use crate::secret::Secret;
use crate::store::{self, Store};
use crate::telemetry::Metrics;
pub(crate) use client::Client;
pub(crate) use discovery::{discover, endpoint};
use introspection::Introspection;
use service::Service;
pub use settings::SessionFlags;
pub(crate) use settings::{ClientSettings, JudgeSettings, SessionSettings, SignedSettings};
pub(crate) use signed::Signed;
use verdicts::{Verdict, Verdicts};

/// A token shorter than this cannot be a session: it would be guessable. PeerJS clients that were given no token make one
/// of at most 12 characters, which no judge is asked about.
const TOKEN_CHARS_MIN: usize = 16;

/// The longest token that is looked at, in bytes. Guess: a signed token with many claims; a request head holds 16 KiB.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The user.
    pub(crate) user: UserId,
    /// Where that is known from.
    pub(crate) origin: Origin,
    /// When it ends by itself.
    pub(crate) until: Option<Timestamp>,
}

/// Who vouches for an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Our own store.
    Account {
        /// The device, while it has a contact.
        instance: Option<InstanceId>,
        /// Whether the token goes when its browser logs out.
        minted_by_code: bool,
        /// The key that the token is bound to.
        key: Option<Thumbprint>,
    },
    /// A judge outside.
    Session {
        /// What the judge calls the session, when it names it: the same when the token is renewed.
        session: Option<Arc<str>>,
    },
}

/// Why nobody is let in by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The token is no good, for this reason.
    #[error("the session is refused: {0}")]
    Refused(Reason),
    /// The judge could not be asked. The log says why.
    #[error("the session service cannot be reached")]
    Unavailable,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub(crate) enum Reason {
    #[error("unknown or revoked")]
    Unknown,
    #[error("expired")]
    Expired,
    #[error("not valid yet")]
    Early,
    #[error("not readable")]
    Malformed,
    #[error("signed in a way that is not allowed")]
    Algorithm,
    #[error("signed by an unknown key")]
    Key,
    #[error("the signature is wrong")]
    Signature,
    #[error("of another issuer")]
    Issuer,
    #[error("for another audience")]
    Audience,
    #[error("without a usable user")]
    User,
}

impl Reason {
    /// The word in metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Early => "early",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::User => "user",
        }
    }
}

/// Decides whose a token is. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Verifier(Arc<Parts>);

struct Parts {
    judge: Judge,
    /// The store, when the tokens of `hullo token` count.
    accounts: Option<Store>,
    verdicts: Verdicts,
    metrics: Metrics,
}

enum Judge {
    Accounts,
    Service(Service),
    Introspection(Introspection),
    Signed(Box<Signed>),
}

impl Verifier {
    /// The verifier that the operator asked for.
    ///
    /// # Errors
    ///
    /// When the certificates to trust cannot be read.
    pub(crate) fn new(
        settings: &SessionSettings,
        store: Store,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        let client = || Client::new(&settings.client, metrics.clone());
        let judge = match settings.judge.clone() {
            JudgeSettings::Accounts => Judge::Accounts,
            JudgeSettings::Service(wishes) => Judge::Service(Service::new(wishes, client()?)),
            JudgeSettings::Introspection(wishes) => {
                Judge::Introspection(Introspection::new(wishes, client()?))
            }
            JudgeSettings::Signed(wishes) => {
                Judge::Signed(Box::new(Signed::new(wishes, client()?)))
            }
        };
        let accounts = (settings.accounts || matches!(judge, Judge::Accounts)).then_some(store);
        let verdicts = Verdicts::new(settings.cache);
        Ok(Self(Arc::new(Parts { judge, accounts, verdicts, metrics })))
    }

    /// Whose `token` is.
    pub(crate) async fn verify(&self, token: &Secret) -> anyhow::Result<Result<Identity, Refusal>> {
        let verdict = self.judge(token, true).await?;
        self.0.metrics.session(verdict.as_ref().err());
        if let Err(refusal) = &verdict {
            tracing::debug!(%refusal, "A token lets nobody in");
        }
        Ok(verdict)
    }

    /// Whose `token` is now, whatever was known of it: for those who are connected.
    pub(crate) async fn verify_again(
        &self,
        token: &Secret,
    ) -> anyhow::Result<Result<Identity, Refusal>> {
        self.judge(token, false).await
    }

    /// Whose each of `tokens` is now, in their order; asked at once where the judge can.
    pub(crate) async fn verify_all_again(
        &self,
        tokens: &[Secret],
    ) -> anyhow::Result<Vec<Result<Identity, Refusal>>> {
        if let Judge::Service(service) = &self.0.judge
            && service.takes_batches()
        {
            let verdicts = service.judge_all(tokens).await;
            for (token, verdict) in tokens.iter().zip(&verdicts) {
                self.0.verdicts.note(token, verdict).await;
            }
            return Ok(verdicts);
        }
        let all = tokens.iter().map(|token| self.verify_again(token));
        futures_util::future::try_join_all(all).await
    }

    /// Takes an issuer's logout token; `None` when the judge is no issuer. Whoever is connected has to be asked about
    /// after that.
    pub(crate) async fn log_out(&self, token: &str) -> Option<Result<(), Refusal>> {
        let Judge::Signed(signed) = &self.0.judge else { return None };
        let done = signed.log_out(token).await;
        if done.is_ok() {
            self.0.verdicts.forget_all();
        }
        Some(done)
    }

    /// Whether the judge takes many tokens at once.
    pub(crate) fn takes_batches(&self) -> bool {
        matches!(&self.0.judge, Judge::Service(service) if service.takes_batches())
    }

    /// Whether those who are connected have to be asked about again and again.
    pub(crate) fn asks(&self) -> bool {
        !matches!(self.0.judge, Judge::Accounts)
    }

    /// Asks the judge whether it is there, for `hullo check`; returns how far its clock is from ours, if it says so.
    pub(crate) async fn probe(&self) -> Result<Option<Duration>, String> {
        match &self.0.judge {
            Judge::Accounts => Ok(None),
            Judge::Service(service) => service.probe().await,
            Judge::Introspection(introspection) => introspection.probe().await,
            Judge::Signed(signed) => signed.probe().await,
        }
    }

    async fn judge(
        &self,
        token: &Secret,
        cached: bool,
    ) -> anyhow::Result<Result<Identity, Refusal>> {
        let Parts { judge, accounts, verdicts, .. } = &*self.0;
        if token.reveal().len() > TOKEN_BYTES_MAX {
            return Ok(Err(Refusal::Refused(Reason::Malformed)));
        }
        if let Some(store) = accounts
            && let Some(owner) = store.owner(token).await?
        {
            let store::Owner { user, instance, minted_by_code, key } = owner;
            let origin = Origin::Account { instance, minted_by_code, key };
            return Ok(Ok(Identity { user, origin, until: None }));
        }
        if token.reveal().chars().count() < TOKEN_CHARS_MIN {
            return Ok(Err(Refusal::Refused(Reason::Unknown)));
        }
        let ask = async {
            let verdict = match judge {
                Judge::Accounts => Err(Refusal::Refused(Reason::Unknown)),
                Judge::Service(service) => service.judge(token).await,
                Judge::Introspection(introspection) => introspection.judge(token).await,
                Judge::Signed(signed) => signed.judge(token).await,
            };
            Verdict::of(verdict)
        };
        let verdict = match judge {
            // Nothing is asked, so nothing is remembered.
            Judge::Accounts => ask.await,
            Judge::Service(_) | Judge::Introspection(_) | Judge::Signed(_) if cached => {
                verdicts.get_or(token, ask).await
            }
            Judge::Service(_) | Judge::Introspection(_) | Judge::Signed(_) => {
                let verdict = ask.await;
                verdicts.put(token, &verdict).await;
                verdict
            }
        };
        Ok(verdict.and_then(|verdict| verdict.now(store::now())))
    }
}

/// The user that a judge's answer names in the member `claim`.
pub(crate) fn user_of(claims: &Map<String, Value>, claim: &str) -> Result<UserId, Reason> {
    // A mail address that nobody checked is only a wish.
    if claim == "email" && claims.get("email_verified") == Some(&Value::Bool(false)) {
        return Err(Reason::User);
    }
    let text = claims.get(claim).and_then(Value::as_str).ok_or(Reason::User)?;
    crate::commands::name(text).map_err(|_| Reason::User)
}

/// The name of a session, if it has one.
fn session_of(claims: &Map<String, Value>, claim: &str) -> Option<Arc<str>> {
    claims.get(claim).and_then(Value::as_str).map(Arc::from)
}

/// Seconds since the Unix epoch, perhaps with a fraction (RFC 7519 §2, NumericDate), as our time.
fn date_of(claims: &Map<String, Value>, claim: &str) -> Result<Option<Timestamp>, Reason> {
    let Some(value) = claims.get(claim).filter(|value| !value.is_null()) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..1e15).contains(seconds));
    let seconds = seconds.ok_or(Reason::Malformed)?;
    Ok(Some(Timestamp(Duration::from_secs_f64(seconds).as_secs() * 1_000)))
}

/// Whether a claim that is text, or a list of texts, has one of `allowed`.
fn names_one_of(claims: &Map<String, Value>, claim: &str, allowed: &[String]) -> bool {
    let is_allowed =
        |value: &Value| value.as_str().is_some_and(|text| allowed.iter().any(|one| one == text));
    match claims.get(claim) {
        Some(Value::Array(values)) => values.iter().any(is_allowed),
        Some(value) => is_allowed(value),
        None => false,
    }
}
