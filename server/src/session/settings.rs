//! The flags `--session-…`: which judge, and what it is to check. Combinations that cannot be honoured are errors.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::config::values::{self, address, list, seconds, switch};
use crate::secret::Secret;

/// How tokens may be signed unless the operator says otherwise.
const ALGORITHMS: &str = "RS256,PS256,ES256,ES384,EdDSA";

/// How long an answer may take, unless the operator says otherwise.
const TIMEOUT_SECONDS: u64 = 3;

/// Who may connect. Without these: whoever has a token of `hullo token`.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = "Sessions")]
pub struct SessionFlags {
    /// Ask this address whose a token is; docs/protocol.md describes the exchange
    #[arg(long, value_name = "URL")]
    pub session_service: Option<String>,
    /// Where the session service takes many tokens at once
    #[arg(long, value_name = "URL")]
    pub session_service_batch: Option<String>,
    /// Ask this OAuth 2.0 introspection endpoint (RFC 7662)
    #[arg(long, value_name = "URL")]
    pub session_introspection: Option<String>,
    /// Who this server is to the introspection endpoint
    #[arg(long, value_name = "TEXT")]
    pub session_client_id: Option<String>,
    /// The secret that goes with it; better by HULLO_SESSION_CLIENT_SECRET than on a command line, which others see
    #[arg(long, value_name = "TEXT")]
    pub session_client_secret: Option<String>,
    /// The file that holds the secret
    #[arg(long, value_name = "FILE")]
    pub session_client_secret_file: Option<PathBuf>,
    /// Take signed tokens (JWT) of this OpenID Connect issuer; beside introspection: the issuer that tokens must have
    #[arg(long, value_name = "URL")]
    pub session_issuer: Option<String>,
    /// The issuer's key set, when it is not to be found by discovery
    #[arg(long, value_name = "URL")]
    pub session_jwks: Option<String>,
    /// Whom tokens must be for: one of these
    #[arg(long, value_name = "LIST")]
    pub session_audience: Option<String>,
    /// How tokens may be signed [default: RS256,PS256,ES256,ES384,EdDSA]
    #[arg(long, value_name = "LIST")]
    pub session_algorithms: Option<String>,
    /// The member that names the user [default: user for a session service, else sub]
    #[arg(long, value_name = "NAME")]
    pub session_user_claim: Option<String>,
    /// The cookie that holds the token, beside our own
    #[arg(long, value_name = "NAME")]
    pub session_cookie: Option<String>,
    /// For how many seconds an answer counts [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub session_cache: Option<String>,
    /// How often those who are connected are asked about again, in seconds [default: 5]
    #[arg(long, value_name = "SECONDS")]
    pub session_recheck: Option<String>,
    /// How long an answer may take, in seconds [default: 3]
    #[arg(long, value_name = "SECONDS")]
    pub session_timeout: Option<String>,
    /// Further authorities to trust for these addresses: certificates in PEM form
    #[arg(long, value_name = "FILE")]
    pub session_ca: Option<PathBuf>,
    /// Let tokens of `hullo token` in as well
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub session_local: Option<String>,
}

/// Who may connect, checked.
#[derive(Clone, Debug)]
pub(crate) struct SessionSettings {
    pub(crate) judge: JudgeSettings,
    pub(crate) client: ClientSettings,
    /// Whether the tokens of `hullo token` count beside another judge.
    pub(crate) accounts: bool,
    /// The name of the operator's own cookie.
    pub(crate) cookie: Option<String>,
    /// How long a verdict counts.
    pub(crate) cache: Duration,
    /// How often those who are connected are asked about.
    pub(crate) recheck: Duration,
}

/// Which judge.
#[derive(Clone, Debug)]
pub(crate) enum JudgeSettings {
    Accounts,
    Service(ServiceSettings),
    Introspection(IntrospectionSettings),
    Signed(SignedSettings),
}

impl JudgeSettings {
    /// The addresses that are asked.
    pub(crate) fn addresses(&self) -> Vec<Url> {
        match self {
            Self::Accounts => Vec::new(),
            Self::Service(ServiceSettings { url, batch, .. }) => {
                [Some(url), batch.as_ref()].into_iter().flatten().cloned().collect()
            }
            Self::Introspection(IntrospectionSettings { url, .. }) => vec![url.clone()],
            Self::Signed(SignedSettings { issuer, jwks, .. }) => {
                issuer.parse().into_iter().chain(jwks.clone()).collect()
            }
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ServiceSettings {
    pub(super) url: Url,
    pub(super) batch: Option<Url>,
    pub(super) user_claim: String,
}

#[derive(Clone, Debug)]
pub(crate) struct IntrospectionSettings {
    pub(super) url: Url,
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    pub(super) issuer: Option<String>,
    pub(super) audience: Vec<String>,
    pub(super) user_claim: String,
}

#[derive(Clone, Debug)]
pub(crate) struct SignedSettings {
    pub(crate) issuer: String,
    pub(super) jwks: Option<Url>,
    pub(super) audience: Vec<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) user_claim: String,
}

/// How a judge is asked.
#[derive(Clone, Debug)]
pub(crate) struct ClientSettings {
    pub(super) timeout: Duration,
    pub(super) authorities: Option<PathBuf>,
}

impl SignedSettings {
    /// What the ID tokens of `issuer` for `client_id` must be (OpenID Connect Core 1.0 §3.1.3.7).
    pub(crate) fn of_client(issuer: &str, client_id: &str, user_claim: &str) -> Self {
        let algorithms = list(Some(ALGORITHMS)).map(algorithm).collect::<Result<_, _>>();
        Self {
            issuer: issuer.to_owned(),
            jwks: None,
            audience: vec![client_id.to_owned()],
            algorithms: algorithms.expect("these are known"),
            user_claim: user_claim.to_owned(),
        }
    }
}

impl ClientSettings {
    /// With the usual patience.
    pub(crate) fn trusting(authorities: Option<PathBuf>) -> Self {
        Self { timeout: Duration::from_secs(TIMEOUT_SECONDS), authorities }
    }
}

impl SessionSettings {
    /// Checks the flags.
    ///
    /// # Errors
    ///
    /// When one cannot be honoured, alone or beside the others.
    pub(crate) fn settle(raw: &SessionFlags) -> anyhow::Result<Self> {
        let judge = judge(raw)?;
        let is_outside = !matches!(judge, JudgeSettings::Accounts);
        let accounts = switch("session-local", raw.session_local.as_deref())?;
        if !is_outside {
            refuse_idle(raw)?;
        }
        if let Some(name) = &raw.session_cookie
            && !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
        {
            bail!("{name:?} is no name of a cookie. Give --session-cookie letters, digits and -_.");
        }
        let timeout =
            seconds("session-timeout", raw.session_timeout.as_deref(), TIMEOUT_SECONDS, [1, 60])?;
        Ok(Self {
            judge,
            client: ClientSettings { timeout, authorities: raw.session_ca.clone() },
            accounts: accounts || !is_outside,
            cookie: raw.session_cookie.clone(),
            cache: seconds("session-cache", raw.session_cache.as_deref(), 10, [0, 3_600])?,
            recheck: seconds("session-recheck", raw.session_recheck.as_deref(), 5, [1, 3_600])?,
        })
    }
}

fn judge(raw: &SessionFlags) -> anyhow::Result<JudgeSettings> {
    let SessionFlags { session_service, session_introspection, session_issuer, .. } = raw;
    match (session_service, session_introspection, session_issuer) {
        (None, None, None) => Ok(JudgeSettings::Accounts),
        (Some(_), Some(_), _) => bail!(
            "--session-service and --session-introspection both say whose a token is. Give one of them"
        ),
        (Some(url), None, _) => service(raw, url).map(JudgeSettings::Service),
        (None, Some(url), _) => introspection(raw, url).map(JudgeSettings::Introspection),
        (None, None, Some(issuer)) => signed(raw, issuer).map(JudgeSettings::Signed),
    }
}

fn service(raw: &SessionFlags, url: &str) -> anyhow::Result<ServiceSettings> {
    idle(
        "--session-service",
        "is the session service's business",
        &[
            ("issuer", raw.session_issuer.is_some()),
            ("jwks", raw.session_jwks.is_some()),
            ("audience", raw.session_audience.is_some()),
            ("algorithms", raw.session_algorithms.is_some()),
            ("client-id", raw.session_client_id.is_some()),
            ("client-secret", has_secret(raw)),
        ],
    )?;
    let batch = raw.session_service_batch.as_deref();
    Ok(ServiceSettings {
        url: address("session-service", url)?,
        batch: batch.map(|url| address("session-service-batch", url)).transpose()?,
        user_claim: raw.session_user_claim.clone().unwrap_or_else(|| "user".to_owned()),
    })
}

fn introspection(raw: &SessionFlags, url: &str) -> anyhow::Result<IntrospectionSettings> {
    idle(
        "--session-introspection",
        "is the authorization server's business",
        &[
            ("service-batch", raw.session_service_batch.is_some()),
            ("jwks", raw.session_jwks.is_some()),
            ("algorithms", raw.session_algorithms.is_some()),
        ],
    )?;
    let client_id = raw.session_client_id.clone().context(
        "An introspection endpoint answers only to whom it knows. Give --session-client-id and --session-client-secret",
    )?;
    Ok(IntrospectionSettings {
        url: address("session-introspection", url)?,
        client_id,
        client_secret: secret(raw)?,
        issuer: raw.session_issuer.clone(),
        audience: list(raw.session_audience.as_deref()).map(str::to_owned).collect(),
        user_claim: subject(raw),
    })
}

fn signed(raw: &SessionFlags, issuer: &str) -> anyhow::Result<SignedSettings> {
    idle(
        "--session-issuer",
        "has no use where nobody is asked",
        &[
            ("service-batch", raw.session_service_batch.is_some()),
            ("client-id", raw.session_client_id.is_some()),
            ("client-secret", has_secret(raw)),
        ],
    )?;
    address("session-issuer", issuer)?;
    let audience: Vec<_> = list(raw.session_audience.as_deref()).map(str::to_owned).collect();
    if audience.is_empty() {
        bail!(
            "A signed token is good for whom it names, and this server has to know its name. Give --session-audience"
        );
    }
    let wished = raw.session_algorithms.as_deref().unwrap_or(ALGORITHMS);
    let algorithms: Vec<_> = list(Some(wished)).map(algorithm).collect::<Result<_, _>>()?;
    if algorithms.is_empty() {
        bail!(
            "Without an algorithm no token is good. Give --session-algorithms some, or leave it out"
        );
    }
    let jwks = raw.session_jwks.as_deref();
    Ok(SignedSettings {
        issuer: issuer.to_owned(),
        jwks: jwks.map(|url| address("session-jwks", url)).transpose()?,
        audience,
        algorithms,
        user_claim: subject(raw),
    })
}

/// The flags that say something only beside a judge of their own.
fn refuse_idle(raw: &SessionFlags) -> anyhow::Result<()> {
    if raw.session_jwks.is_some() {
        bail!("--session-jwks has the keys of an issuer. Give --session-issuer too");
    }
    for (flag, is_given) in [
        ("service-batch", raw.session_service_batch.is_some()),
        ("client-id", raw.session_client_id.is_some()),
        ("client-secret", has_secret(raw)),
        ("audience", raw.session_audience.is_some()),
        ("algorithms", raw.session_algorithms.is_some()),
        ("user-claim", raw.session_user_claim.is_some()),
        ("ca", raw.session_ca.is_some()),
    ] {
        if is_given {
            bail!(
                "--session-{flag} does nothing by itself. Give --session-service, --session-introspection or \
                 --session-issuer, or leave it out"
            );
        }
    }
    Ok(())
}

fn idle(judge: &str, why: &str, others: &[(&str, bool)]) -> anyhow::Result<()> {
    match others.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => {
            bail!("--session-{flag} beside {judge} {why}. Leave one of them out")
        }
        None => Ok(()),
    }
}

fn has_secret(raw: &SessionFlags) -> bool {
    raw.session_client_secret.is_some() || raw.session_client_secret_file.is_some()
}

fn secret(raw: &SessionFlags) -> anyhow::Result<Secret> {
    let (text, file) =
        (raw.session_client_secret.as_deref(), raw.session_client_secret_file.as_deref());
    values::secret("session-client-secret", text, file)?.context(
        "--session-client-id comes with a secret. Give --session-client-secret or --session-client-secret-file",
    )
}

fn subject(raw: &SessionFlags) -> String {
    raw.session_user_claim.clone().unwrap_or_else(|| "sub".to_owned())
}

fn algorithm(text: &str) -> anyhow::Result<Algorithm> {
    match Algorithm::from_str(text) {
        Ok(algorithm) if algorithm.family() != AlgorithmFamily::Hmac => Ok(algorithm),
        Ok(_) => bail!(
            "{text} signs with a secret that whoever checks could sign with too. Give --session-algorithms such as \
             RS256, ES256 or EdDSA"
        ),
        Err(_) => bail!(
            "{text:?} is no way to sign that is known here. Give --session-algorithms some of RS256, RS384, RS512, \
             PS256, PS384, PS512, ES256, ES384, EdDSA"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_honoured_together_is_named() {
        let url = "https://id.example.com/";
        for (flags, part) in [
            (&[("session_service", url), ("session_introspection", url)][..], "Give one of them"),
            (&[("session_service", url), ("session_audience", "a")], "--session-audience beside"),
            (&[("session_introspection", url)], "--session-client-id"),
            (&[("session_introspection", url), ("session_client_id", "a")], "comes with a secret"),
            (&[("session_issuer", url)], "Give --session-audience"),
            (&[("session_jwks", url)], "Give --session-issuer too"),
            (&[("session_user_claim", "email")], "does nothing by itself"),
            (&[("session_service", "id.example.com")], "is no address"),
            (&[("session_service", "ftp://id.example.com")], "begins with https://"),
            (&[("session_service", "https://a:b@id.example.com")], "holds a password"),
            (&[("session_service", url), ("session_cache", "-1")], "a number from 0 to 3600"),
            (&[("session_cookie", "a b")], "no name of a cookie"),
            (
                &[
                    ("session_issuer", url),
                    ("session_audience", "a"),
                    ("session_algorithms", "HS256"),
                ],
                "signs with a secret",
            ),
            (
                &[
                    ("session_issuer", url),
                    ("session_audience", "a"),
                    ("session_algorithms", "none"),
                ],
                "no way to sign",
            ),
        ] {
            let error = settle(flags).unwrap_err().to_string();
            assert!(error.contains(part), "{flags:?}: {error}");
        }
    }

    #[test]
    fn without_flags_the_accounts_judge() {
        let settings = settle(&[]).unwrap();

        assert!(matches!(settings.judge, JudgeSettings::Accounts) && settings.accounts);
    }

    #[test]
    fn a_secret_is_read_from_its_file_without_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "s3cret\n").unwrap();

        let settings = settle(&[
            ("session_introspection", "https://id.example.com/introspect"),
            ("session_client_id", "hullo"),
            ("session_client_secret_file", file.to_str().unwrap()),
        ]);

        let JudgeSettings::Introspection(wishes) = settings.unwrap().judge else {
            panic!("another judge");
        };
        assert_eq!(wishes.client_secret.reveal(), "s3cret");
    }

    fn settle(flags: &[(&str, &str)]) -> anyhow::Result<SessionSettings> {
        let flags: serde_json::Map<_, _> =
            flags.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
        SessionSettings::settle(&serde_json::from_value(flags.into()).expect("these are flags"))
    }
}
