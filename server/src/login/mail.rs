//! Log-in links by mail.

use std::error::Error as _;
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport as _, Message, Tokio1Executor};
use moka::sync::Cache;
use wire::UserId;

use super::settings::MailSettings;
use crate::listener::Network;
use crate::secret::Secret;

/// How long a link is good.
pub(crate) const LASTS: Duration = Duration::from_secs(15 * 60);

/// Links for one address that may be open at once. Guess: the first mail was slow, the second one too.
pub(crate) const OPEN_MAX: i64 = 3;

/// Mails that one network may ask for in [`SPAN`]. Guess: a household, or one person who tries all their addresses.
const ASKED_MAX: u32 = 10;
const SPAN: Duration = Duration::from_secs(60 * 60);

/// Networks that are remembered.
const NETWORKS_MAX: u64 = 100_000;

/// Mails under way at once; who asks meanwhile is told to come back.
const UNDER_WAY_MAX: usize = 64;

/// The way to the mail server.
pub(crate) struct Post {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    url: String,
    asked: Cache<Network, u32>,
    pub(crate) under_way: std::sync::Arc<tokio::sync::Semaphore>,
}

impl Post {
    pub(super) fn new(wishes: MailSettings, url: &str) -> Self {
        Self {
            server: wishes.server,
            from: wishes.from,
            url: url.to_owned(),
            asked: Cache::builder().max_capacity(NETWORKS_MAX).time_to_live(SPAN).build(),
            under_way: std::sync::Arc::new(tokio::sync::Semaphore::new(UNDER_WAY_MAX)),
        }
    }

    /// Whether somebody at `from` may ask for another mail.
    pub(crate) fn takes(&self, from: IpAddr) -> bool {
        let network = Network::of(from);
        let count = self.asked.get(&network).unwrap_or(0);
        if count >= ASKED_MAX {
            return false;
        }
        self.asked.insert(network, count + 1);
        true
    }

    /// Mails `user`, whose name is a mail address, a link with `code`.
    pub(crate) async fn send(&self, user: &UserId, code: &Secret) -> anyhow::Result<()> {
        let to: Mailbox = user.as_str().parse().context("The user is no mail address")?;
        let host = self.url.split_once("://").map_or(&*self.url, |(_, host)| host);
        let minutes = LASTS.as_secs() / 60;
        let text = format!(
            "Open this link in the browser where you want to be called:\n\n{}/#code={}\n\nIt logs you in as {user}, \
             once, within {minutes} minutes.\n\nDid you not ask for it? Then somebody typed your address at {host}. Delete \
             this mail; without the link they do not get in.\n",
            self.url,
            code.reveal()
        );
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(format!("Log in at {host}"))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .context("The mail cannot be written")?;
        let sent = self.server.send(message).await;
        sent.map_err(|error| {
            let said = without(&words(&error), user.as_str());
            anyhow!("The mail server does not take the mail: {said}")
        })?;
        Ok(())
    }

    /// Whether the mail server can be used.
    pub(crate) async fn probe(&self) -> Result<(), String> {
        match self.server.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("it does not answer as a mail server".to_owned()),
            Err(error) => Err(words(&error)),
        }
    }
}

/// A text for the log without a mail address, which mail servers like to repeat, whole or in part.
fn without(text: &str, email: &str) -> String {
    let name = email.split('@').next().unwrap_or(email);
    let is_of_it = |word: &str| {
        let bare = word.trim_matches(|sign: char| !sign.is_alphanumeric());
        word.contains('@') || bare.eq_ignore_ascii_case(name)
    };
    let words = text.split(' ').map(|word| if is_of_it(word) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// What went wrong on the way to the mail server, and what to do where it can be told.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let mut all = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !all.contains(&text) {
            all = format!("{all}: {text}");
        }
        source = cause.source();
    }
    let remedy = if all.contains("STARTTLS") {
        "It offers no encryption there, and got neither password nor mail. Begin --mail-server with smtps:// and name the \
         port where it speaks TLS from the start"
    } else if all.contains("certificate") {
        "Name the server as its certificate does, and give --mail-ca when an authority of your own made that"
    } else {
        return all;
    };
    format!("{all}. {remedy}")
}
