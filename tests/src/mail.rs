//! A mail server from npm, and the mails that arrived there.

use std::path::Path;

use serde::Deserialize;

use crate::guard::Guard;
use crate::peerjs::Certificate;

/// Who may send through it, and the password.
const SENDER: (&str, &str) = ("hullo", "secret of the sender");

/// A running mail server.
pub struct MailServer {
    _guard: Guard,
    /// Its address, with user and password.
    pub url: String,
    inbox: String,
}

/// A mail that arrived.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// Who sent it.
    pub from: String,
    /// For whom it is.
    pub to: Vec<String>,
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// All of it as it came.
    text: String,
}

impl MailServer {
    /// Starts one without encryption.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> Self {
        Self::launch(&["plain"], "smtp", "")
    }

    /// Starts one that speaks TLS from the start.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn with_tls(certificate: &Certificate) -> Self {
        let [cert, key] = certificate.files();
        Self::launch(&["tls", &key, &cert], "smtps", "")
    }

    /// Starts one that takes passwords after STARTTLS only.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn with_starttls(certificate: &Certificate) -> Self {
        let [cert, key] = certificate.files();
        Self::launch(&["starttls", &key, &cert], "smtp", "?tls=required")
    }

    fn launch(way: &[&str], scheme: &str, wish: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mail.js");
        let package = crate::npm_dir().join("smtp-server");
        let (script, package) = (script.to_string_lossy(), package.to_string_lossy());
        let words = [&["node", &*script, &*package, SENDER.0, SENDER.1], way].concat();
        let ready = |line: &str| line.strip_prefix("listening on ").map(str::to_owned);
        let (guard, ports) = Guard::start(&words, &[], ready)
            .expect("a mail server starts; `cargo xtask test` brings what it needs");
        let (smtp, http) = ports.split_once(' ').expect("two ports");
        let password = SENDER.1.replace(' ', "%20");
        Self {
            _guard: guard,
            url: format!("{scheme}://{}:{password}@127.0.0.1:{smtp}{wish}", SENDER.0),
            inbox: format!("http://127.0.0.1:{http}"),
        }
    }

    /// The next mail; waits for it.
    ///
    /// # Panics
    /// When none comes in time.
    #[must_use]
    pub fn next(&self) -> Mail {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(crate::PATIENCE)).build().into();
        let mut answer = agent.get(&self.inbox).call().expect("a mail arrives");
        let body = answer.body_mut().read_to_string().expect("a body");
        serde_json::from_str(&body).expect("mails are told in JSON")
    }
}

impl Mail {
    /// Its lines, with the encoding of RFC 2045 §6.7 taken off.
    ///
    /// # Panics
    /// When it is not encoded in that way.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let joined = self.text.replace("=\r\n", "");
        let mut parts = joined.split('=');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) if self.text.contains("quoted-printable") => {
                    text.push(char::from(byte));
                    text.push_str(&part[2..]);
                }
                Some(_) | None => {
                    text.push('=');
                    text.push_str(part);
                }
            }
        }
        text.lines().map(str::to_owned).collect()
    }

    /// The code in its link.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn code(&self) -> String {
        let lines = self.lines();
        let code = lines.iter().find_map(|line| line.trim().split_once("#code="));
        code.expect("a link").1.to_owned()
    }
}
