//! How somebody who is not logged in gets in, beside pasting a token.

use wire::contacts::Ways;

/// What the log-in page knows and has been asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) ways: Ways,
    pub(super) mail: Mail,
}

/// Where a link by mail stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Mail {
    /// Nobody asked.
    #[default]
    Idle,
    /// The server is being asked to mail to this address.
    Busy(String),
    /// The server took it.
    Sent(String),
    /// It did not go out, for this reason.
    Failed(String),
}

/// The form `Mail address`, `Send log-in link`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailView {
    /// Whether the server is being asked; the button waits.
    pub is_busy: bool,
    /// What is wrong with the address, or went wrong on the way.
    pub problem: Option<String>,
    /// What to do now that a link is on its way.
    pub sent: Option<String>,
}

impl Entry {
    /// Somebody wants a link; the address to mail it to, unless something is wrong with it.
    pub(super) fn ask(&mut self, typed: &str) -> Option<String> {
        if matches!(self.mail, Mail::Busy(_)) {
            return None;
        }
        let address = typed.trim();
        let is_address = address.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !address.contains(char::is_whitespace)
        });
        if !is_address {
            let words = "Type your mail address, for example bob@example.com.";
            self.mail = Mail::Failed(words.to_owned());
            return None;
        }
        self.mail = Mail::Busy(address.to_owned());
        Some(address.to_owned())
    }

    /// What the server said about the link: nothing wrong, or what.
    pub(super) fn told(&mut self, problem: Option<String>) {
        let Mail::Busy(address) = &self.mail else { return };
        self.mail = match problem {
            Some(problem) => Mail::Failed(problem),
            None => Mail::Sent(address.clone()),
        };
    }

    /// What the form shows, where links are mailed.
    pub(super) fn mail_view(&self) -> Option<MailView> {
        let view = match &self.mail {
            Mail::Idle => MailView::default(),
            Mail::Busy(_) => MailView { is_busy: true, ..MailView::default() },
            Mail::Sent(address) => {
                let sent = format!(
                    "If {address} may log in here, a link is on its way. Open it in this browser within 15 minutes."
                );
                MailView { sent: Some(sent), ..MailView::default() }
            }
            Mail::Failed(problem) => {
                MailView { problem: Some(problem.clone()), ..MailView::default() }
            }
        };
        self.ways.mail.then_some(view)
    }

    /// The label of the way to the provider, if there is one.
    pub(super) fn provider(&self) -> Option<String> {
        self.ways.openid.as_ref().map(|name| format!("Log in with {name}"))
    }

    /// Where what is needed comes from.
    pub(super) fn hint(&self) -> &'static str {
        match (self.ways.mail, self.ways.openid.is_some()) {
            (false, false) => {
                "Whoever runs this server gives you a log-in link or an access token."
            }
            (true, _) => "A log-in link comes by mail. There is no password.",
            (false, true) => "Log in where you have an account. You come back here afterwards.",
        }
    }
}
