//! The flags `--login-…` and `--mail-…`: which ways to log in there are beside tokens, and who may become a user.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use lettre::Tokio1Executor;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransport, AsyncSmtpTransportBuilder};
use serde::{Deserialize, Serialize};
use wire::UserId;

use crate::config::values::{address, list, secret};
use crate::secret::Secret;
use crate::session::{ClientSettings, SessionSettings, SignedSettings};

/// How people log in without a token. Without these: by links and tokens of `hullo user link` and `hullo token`.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = "Logging in")]
pub struct LoginFlags {
    /// Let people log in at this OpenID Connect provider
    #[arg(long, value_name = "URL")]
    pub login_issuer: Option<String>,
    /// Who this server is to the provider
    #[arg(long, value_name = "TEXT")]
    pub login_client_id: Option<String>,
    /// The secret that goes with it, if there is one; better by HULLO_LOGIN_CLIENT_SECRET than on a command line
    #[arg(long, value_name = "TEXT")]
    pub login_client_secret: Option<String>,
    /// The file that holds the secret
    #[arg(long, value_name = "FILE")]
    pub login_client_secret_file: Option<PathBuf>,
    /// What people call the provider [default: its host]
    #[arg(long, value_name = "TEXT")]
    pub login_name: Option<String>,
    /// The claim that names the user [default: email, which must be verified]
    #[arg(long, value_name = "NAME")]
    pub login_user_claim: Option<String>,
    /// Further authorities to trust for the provider: certificates in PEM form
    #[arg(long, value_name = "FILE")]
    pub login_ca: Option<PathBuf>,
    /// Who becomes a user by logging in: true for everybody, or domains of mail addresses [default: false]
    #[arg(long, value_name = "true|false|LIST")]
    pub login_sign_up: Option<String>,
    /// Mail log-in links through this server, such as smtps://user:password@mail.example.com
    #[arg(long, value_name = "URL")]
    pub mail_server: Option<String>,
    /// The file that holds that address
    #[arg(long, value_name = "FILE")]
    pub mail_server_file: Option<PathBuf>,
    /// From whom mails come, such as "Hullo <hullo@example.com>"
    #[arg(long, value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// Further authorities to trust for the mail server: certificates in PEM form
    #[arg(long, value_name = "FILE")]
    pub mail_ca: Option<PathBuf>,
}

/// The ways to log in, checked.
#[derive(Clone, Debug)]
pub(crate) struct LoginSettings {
    pub(super) openid: Option<OpenIdSettings>,
    pub(super) mail: Option<MailSettings>,
    pub(super) sign_up: SignUp,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug)]
pub(crate) struct OpenIdSettings {
    /// What an ID token must be.
    pub(super) signed: SignedSettings,
    pub(super) client: ClientSettings,
    pub(super) client_id: String,
    pub(super) client_secret: Option<Secret>,
    pub(super) name: String,
    pub(super) user_claim: String,
}

/// A mail server.
#[derive(Clone)]
pub(crate) struct MailSettings {
    pub(super) server: AsyncSmtpTransport<Tokio1Executor>,
    pub(super) from: Mailbox,
}

/// The address holds a password.
impl std::fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailSettings").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Who becomes a user by logging in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum SignUp {
    #[default]
    Nobody,
    Everybody,
    /// Whose mail address is of one of these domains.
    Domains(Vec<String>),
}

impl SignUp {
    fn settle(text: Option<&str>) -> anyhow::Result<Self> {
        match text {
            None | Some("false") => Ok(Self::Nobody),
            Some("true") => Ok(Self::Everybody),
            Some(text) => {
                let domains: Vec<_> = list(Some(text)).map(str::to_ascii_lowercase).collect();
                let fits = |domain: &String| {
                    domain.contains('.')
                        && domain.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
                };
                if domains.is_empty() || !domains.iter().all(fits) {
                    bail!(
                        "{text:?} names no domains. Give --login-sign-up true, false, or domains such as example.com, \
                         with commas between them"
                    );
                }
                Ok(Self::Domains(domains))
            }
        }
    }

    /// Whether `user`, whose address is known to be theirs, may become one.
    pub(super) fn lets_in(&self, user: &UserId) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Domains(domains) => user
                .as_str()
                .rsplit_once('@')
                .is_some_and(|(_, domain)| domains.iter().any(|one| one == domain)),
        }
    }
}

impl LoginSettings {
    /// Checks the flags.
    ///
    /// # Errors
    ///
    /// When one cannot be honoured, alone or beside the others.
    pub(crate) fn settle(raw: &LoginFlags, session: &SessionSettings) -> anyhow::Result<Self> {
        let openid = openid(raw)?;
        let mail = mail(raw)?;
        if openid.is_none() && mail.is_none() {
            if raw.login_sign_up.as_deref().is_some_and(|text| text != "false") {
                bail!(
                    "--login-sign-up says who becomes a user by logging in, but there is no way to. Give --login-issuer or \
                     --mail-server"
                );
            }
        } else if !session.accounts {
            bail!(
                "Who logs in here gets a token of this server, which does not count beside another judge. Give \
                 --session-local too, or leave --login-issuer and --mail-server out"
            );
        }
        Ok(Self { openid, mail, sign_up: SignUp::settle(raw.login_sign_up.as_deref())? })
    }
}

fn openid(raw: &LoginFlags) -> anyhow::Result<Option<OpenIdSettings>> {
    let Some(issuer) = &raw.login_issuer else {
        for (flag, is_given) in [
            ("client-id", raw.login_client_id.is_some()),
            ("client-secret", raw.login_client_secret.is_some()),
            ("client-secret-file", raw.login_client_secret_file.is_some()),
            ("name", raw.login_name.is_some()),
            ("user-claim", raw.login_user_claim.is_some()),
            ("ca", raw.login_ca.is_some()),
        ] {
            if is_given {
                bail!("--login-{flag} says nothing without a provider. Give --login-issuer too");
            }
        }
        return Ok(None);
    };
    let url = address("login-issuer", issuer)?;
    let client_id = raw.login_client_id.clone().context(
        "A provider lets people log in to those it knows. Register this server there, and give --login-client-id",
    )?;
    let text = raw.login_client_secret.as_deref();
    let client_secret =
        secret("login-client-secret", text, raw.login_client_secret_file.as_deref())?;
    let user_claim = raw.login_user_claim.clone().unwrap_or_else(|| "email".to_owned());
    let host = url.host_str().unwrap_or_default().to_owned();
    Ok(Some(OpenIdSettings {
        signed: SignedSettings::of_client(issuer, &client_id, &user_claim),
        client: ClientSettings::trusting(raw.login_ca.clone()),
        client_id,
        client_secret,
        name: raw.login_name.clone().unwrap_or(host),
        user_claim,
    }))
}

fn mail(raw: &LoginFlags) -> anyhow::Result<Option<MailSettings>> {
    let text = raw.mail_server.as_deref();
    let url = secret("mail-server", text, raw.mail_server_file.as_deref())?;
    let (url, from) = match (url, &raw.mail_from) {
        (None, None) if raw.mail_ca.is_some() => {
            bail!("--mail-ca says nothing without a server. Give --mail-server too")
        }
        (None, None) => return Ok(None),
        (Some(url), Some(from)) => (url, from),
        (Some(_), None) => bail!(
            "Mails have to come from somebody. Give --mail-from too, such as \"Hullo <hullo@example.com>\""
        ),
        (None, Some(_)) => {
            bail!("--mail-from says nothing without a server. Give --mail-server too")
        }
    };
    let from = from.parse().with_context(|| {
        format!("{from:?} is no mail address. Give --mail-from one such as \"Hullo <hullo@example.com>\"")
    })?;
    refuse_open_password(url.reveal())?;
    // The text is not repeated: it may hold a password.
    let mut server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.reveal()).map_err(|_| {
        anyhow::anyhow!(
            "--mail-server is no address of a mail server. Give one such as smtps://user:password@mail.example.com, or \
             smtp://localhost:25 on this machine"
        )
    })?;
    if let Some(authorities) = &raw.mail_ca {
        server = trusting(server, url.reveal(), authorities)?;
    }
    Ok(Some(MailSettings { server: server.build(), from }))
}

/// The same server, whose certificate may be one of these too.
fn trusting(
    server: AsyncSmtpTransportBuilder,
    url: &str,
    authorities: &Path,
) -> anyhow::Result<AsyncSmtpTransportBuilder> {
    let remedy = || {
        format!(
            "The certificates in {} cannot be used. Give --mail-ca a file of certificates in PEM form",
            authorities.display()
        )
    };
    let url: reqwest::Url = url.parse().context("It is an address already")?;
    let pem = std::fs::read(authorities).with_context(remedy)?;
    let authority = Certificate::from_pem(&pem).with_context(remedy)?;
    let trust = TlsParameters::builder(url.host_str().unwrap_or_default().to_owned());
    let trust = trust.add_root_certificate(authority).build().with_context(remedy)?;
    let how = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, how)| how.into_owned());
    let tls = match (url.scheme(), how.as_deref()) {
        ("smtps", _) => Tls::Wrapper(trust),
        (_, Some("required")) => Tls::Required(trust),
        (_, Some("opportunistic")) => Tls::Opportunistic(trust),
        _ => bail!(
            "--mail-ca says nothing where mails go unencrypted. Begin --mail-server with smtps://, or end it with \
             ?tls=required"
        ),
    };
    Ok(server.tls(tls))
}

/// A password travels encrypted, or on this machine only.
fn refuse_open_password(url: &str) -> anyhow::Result<()> {
    let Ok(url) = url.parse::<reqwest::Url>() else { return Ok(()) };
    let host = url.host_str().unwrap_or_default();
    let is_here = host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let is_safe = url.scheme() == "smtps"
        || url.query_pairs().any(|(key, how)| key == "tls" && how == "required");
    if url.password().is_some() && !is_here && !is_safe {
        bail!(
            "--mail-server would send its password to {host} unencrypted. Begin it with smtps://, or end it with \
             ?tls=required"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SessionFlags;

    #[test]
    fn what_cannot_be_honoured_is_named() {
        let url = "https://id.example.com/";
        for (flags, part) in [
            (&[("login_issuer", url)][..], "--login-client-id"),
            (&[("login_client_id", "hullo")], "Give --login-issuer too"),
            (&[("login_sign_up", "true")], "Give --login-issuer or"),
            (&[("login_issuer", "id"), ("login_client_id", "a")], "is no address"),
            (&[("mail_server", "smtp://localhost")], "Give --mail-from too"),
            (&[("mail_from", "a@b.org")], "Give --mail-server too"),
            (&[("mail_ca", "ca.pem")], "Give --mail-server too"),
            (
                &[
                    ("mail_server", "smtps://u:tiger@h.org"),
                    ("mail_from", "a@b.org"),
                    ("mail_ca", "/nowhere"),
                ],
                "--mail-ca a file",
            ),
            (
                &[
                    ("mail_server", "smtp://u:tiger@localhost"),
                    ("mail_from", "a@b.org"),
                    ("mail_ca", "Cargo.toml"),
                ],
                "--mail-ca",
            ),
            (&[("mail_server", "x://u:tiger@h"), ("mail_from", "a@b.org")], "smtps://"),
            (&[("mail_server", "smtp://localhost"), ("mail_from", "b")], "no mail address"),
            (&[("mail_server", "smtp://u:tiger@h.org"), ("mail_from", "a@b.org")], "smtps://"),
            (
                &[
                    ("mail_server", "smtp://localhost"),
                    ("mail_from", "a@b.org"),
                    ("login_sign_up", "all"),
                ],
                "names no domains",
            ),
        ] {
            let error = settle(flags).unwrap_err().to_string();
            assert!(error.contains(part), "{flags:?}: {error}");
            assert!(!error.contains("tiger"), "{error}");
        }
    }

    #[test]
    fn only_whom_the_operator_means_becomes_a_user() {
        let domains = SignUp::settle(Some("example.com, Example.org")).unwrap();
        let lets_in = |rule: &SignUp, user: &str| rule.lets_in(&user.parse().unwrap());

        assert!(lets_in(&domains, "ann@example.org") && lets_in(&SignUp::Everybody, "a@b.c"));
        for stranger in ["ann@example.net", "ann@x.example.com", "example.com", "a@example.com@b"] {
            assert!(!lets_in(&domains, stranger), "{stranger}");
        }
        assert!(!lets_in(&SignUp::Nobody, "ann@example.com"));
    }

    fn settle(flags: &[(&str, &str)]) -> anyhow::Result<LoginSettings> {
        let flags: serde_json::Map<_, _> =
            flags.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
        let session = SessionSettings::settle(&SessionFlags::default()).unwrap();
        LoginSettings::settle(&serde_json::from_value(flags.into()).unwrap(), &session)
    }
}
