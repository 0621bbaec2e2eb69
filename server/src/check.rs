//! `hullo check`: what would keep this installation from working, or work less well than it could.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::config::Settings;
use crate::folder;
use crate::listener::{Tls, TlsSettings};
use crate::login::Ways;
use crate::orders;
use crate::session::Verifier;
use crate::store::{self, Database, Store};
use crate::telemetry::Metrics;
use crate::web::File;

/// When this was written: 2026-11-25, in milliseconds since the Unix epoch. A clock that shows less is wrong.
const WRITTEN: i64 = 1_795_564_800_000;

/// How far the clock of a session service may be from ours, in seconds, before signed tokens are misjudged.
const SKEW_SECONDS_MAX: u64 = 10;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub verdict: Verdict,
    /// What it is, and what to do about it.
    pub text: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// It works, and could be better.
    Odd,
    /// It does not work.
    Broken,
}

impl Verdict {
    /// The word at the start of a line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Odd => "note",
            Self::Broken => "FAIL",
        }
    }
}

/// Looks at everything that `hullo serve` with these settings would need.
pub async fn check(settings: &Settings, files: &'static [File]) -> Vec<Finding> {
    let mut findings = vec![clock()];
    let store = open(&settings.database, &mut findings).await;
    findings.push(port("listen", settings.listen, &settings.database).await);
    if let Some(address) = settings.telemetry.metrics_listen {
        findings.push(port("metrics-listen", address, &settings.database).await);
    }
    findings.push(certificate(settings));
    if let Some(store) = store {
        sessions(settings, &store, &mut findings).await;
        store.close().await;
    }
    ways(settings, &mut findings).await;
    findings.extend(descriptors(settings));
    if files.is_empty() {
        findings.push(odd(
            "The web app is not in this binary, so pages are missing. `cargo xtask build` makes one with it",
        ));
    }
    findings
}

fn fine(text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Fine, text: text.into() }
}

fn odd(text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Odd, text: text.into() }
}

fn broken(text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Broken, text: text.into() }
}

fn clock() -> Finding {
    if store::now() < WRITTEN {
        return broken(
            "The clock shows a time before this program was written, so sessions and certificates are misjudged. Set it",
        );
    }
    fine("The clock shows a time that can be")
}

/// Opens the store, if it is there; makes none, for a slip in its name shall be seen.
async fn open(database: &Database, findings: &mut Vec<Finding>) -> Option<Store> {
    if let Database::Folder(folder) = database
        && !database.is_there()
    {
        findings.push(match folder::try_out(folder) {
            Ok(()) => odd(format!(
                "There are no accounts in the {database} yet; the server makes it. If it ran before, give --data the \
                 directory that it uses"
            )),
            Err(error) => broken(format!(
                "The {database} cannot be made: {error}. Give this user the right to write there, or choose another with \
                 --data DIR"
            )),
        });
        return Store::nowhere().await.ok();
    }
    match Store::open(database).await {
        Ok(store) => {
            match store.newest().await {
                Ok(Some(newest)) if newest > store::now() => findings.push(broken(
                    "The store has tokens that were made in the future. Set this machine's clock",
                )),
                Ok(_) => findings.push(fine(format!("The {database} can be written"))),
                Err(error) => findings.push(broken(format!("The store cannot be read: {error}"))),
            }
            Some(store)
        }
        Err(error) => {
            findings.push(broken(format!("{error:#}")));
            None
        }
    }
}

async fn port(flag: &str, address: SocketAddr, database: &Database) -> Finding {
    match TcpListener::bind(address).await {
        Ok(_) => fine(format!("{address} can be listened on")),
        Err(error)
            if error.kind() == std::io::ErrorKind::AddrInUse
                && orders::is_anybody_there(database).await =>
        {
            fine(format!("{address} is taken; a server runs on the {database}"))
        }
        Err(error) => broken(format!("{:#}", crate::refusal(address, flag, &error))),
    }
}

fn certificate(settings: &Settings) -> Finding {
    if matches!(settings.listener.tls, TlsSettings::SelfSigned { .. }) && !settings.data.exists() {
        return fine("The server makes its certificate together with the data directory");
    }
    match Tls::start(&settings.listener.tls, &settings.data, Metrics::new()) {
        Ok(Some(tls)) => {
            let text = format!("The certificate is good for {} more days", tls.days_left());
            if tls.ends_soon() { odd(format!("{text}. Renew it")) } else { fine(text) }
        }
        Ok(None) if settings.listen.ip().is_loopback() => {
            fine("There is no TLS, and none is needed on a loopback address")
        }
        Ok(None) => odd(format!(
            "There is no TLS on {}. Unless a proxy has it, browsers keep no log-in and open no camera: give --tls-cert \
             and --tls-key, or --tls-self-signed",
            settings.listen
        )),
        Err(error) => broken(format!("{error:#}")),
    }
}

async fn sessions(settings: &Settings, store: &Store, findings: &mut Vec<Finding>) {
    let verifier = match Verifier::new(&settings.session, store.clone(), Metrics::new()) {
        Ok(verifier) => verifier,
        Err(error) => return findings.push(broken(format!("{error:#}"))),
    };
    if !verifier.asks() {
        return findings.push(fine("Sessions are the tokens of `hullo token`"));
    }
    if settings.peerjs.lets_guests_choose() {
        findings.push(odd(
            "Guests may take the name of a user who has never been here, until that user comes. Give \
             --peerjs-guest-prefix guest-",
        ));
    }
    for url in settings.session.judge.addresses() {
        let host = url.host_str().unwrap_or_default();
        let name = host.trim_matches(['[', ']']);
        let is_loopback = host == "localhost"
            || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if url.scheme() == "http" && !is_loopback {
            findings.push(odd(format!(
                "Tokens and keys travel to and from {host} unencrypted. Use an https address, unless the network is yours"
            )));
        }
    }
    match verifier.probe().await {
        Ok(skew) if skew.is_some_and(|skew| skew.as_secs() > SKEW_SECONDS_MAX) => {
            findings.push(broken(format!(
                "The session service's clock and this machine's differ by {} s. Set both by the network",
                skew.unwrap_or_default().as_secs()
            )));
        }
        Ok(_) => findings.push(fine("The session service can be used")),
        Err(trouble) => findings.push(broken(format!(
            "The session service cannot be used: {trouble}. Until it can, nobody new is let in"
        ))),
    }
}

async fn ways(settings: &Settings, findings: &mut Vec<Finding>) {
    let url = settings.url.clone().unwrap_or_default();
    let ways = match Ways::new(settings.login.clone(), url, &Metrics::new()) {
        Ok(ways) => ways,
        Err(error) => return findings.push(broken(format!("{error:#}"))),
    };
    if settings.url.is_none() && (ways.mail.is_some() || ways.openid.is_some()) {
        findings.push(odd(
            "Log-in links and the provider's way back need the address under which people reach this server. Give --url, \
             unless it is the one it listens on",
        ));
    }
    if let Some(openid) = &ways.openid {
        findings.push(match openid.probe().await {
            Ok(()) => fine(format!("People can log in at {}", openid.name())),
            Err(trouble) => broken(format!("Nobody can log in at {}: {trouble}", openid.name())),
        });
    }
    if let Some(post) = &ways.mail {
        findings.push(match post.probe().await {
            Ok(()) => fine("The mail server takes mails"),
            Err(trouble) => broken(format!("Log-in links cannot be mailed: {trouble}")),
        });
    }
}

/// Whether the system gives as many descriptors as there may be connections. Told where the system says so in a file.
fn descriptors(settings: &Settings) -> Option<Finding> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    let most: usize = line.split_whitespace().nth(3)?.parse().ok()?;
    let wanted = settings.listener.connections_max();
    Some(if most > wanted {
        fine(format!("The system lets {most} files be open, enough for {wanted} connections"))
    } else {
        odd(format!(
            "The system lets only {most} files be open, and {wanted} connections are allowed. Raise LimitNOFILE, or lower \
             --limit-connections and --limit-http-connections"
        ))
    })
}
