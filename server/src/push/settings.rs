//! `--push-…` and `--fcm-…`: whom push services may reach, and with which accounts.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::fcm::Fcm;
use super::guard::Guard;
use crate::config::values::list;

/// How devices are woken whose pages are closed.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = "Push messages")]
pub struct PushFlags {
    /// Where push services reach you when something is wrong, such as mailto:you@example.com; Apple insists on it
    #[arg(long, value_name = "ADDRESS")]
    pub push_contact: Option<String>,
    /// Origins of push services beside those of the browsers, such as https://push.example.com
    #[arg(long, value_name = "LIST")]
    pub push_services: Option<String>,
    /// The JSON of a Firebase service account, for apps that are reached by Firebase
    #[arg(long, value_name = "FILE")]
    pub fcm_service_account: Option<PathBuf>,
    /// Where Firebase takes messages [default: https://fcm.googleapis.com]
    #[arg(long, value_name = "URL")]
    pub fcm_endpoint: Option<String>,
}

/// Settled [`PushFlags`].
#[derive(Clone, Debug)]
pub(crate) struct PushSettings {
    pub(crate) contact: Option<String>,
    pub(crate) guard: Guard,
    /// The text of the service account, and where messages go.
    fcm: Option<(String, Option<String>)>,
}

impl PushSettings {
    /// Checks the flags.
    ///
    /// # Errors
    ///
    /// When one cannot be honoured; the text says what would be.
    pub(crate) fn settle(flags: &PushFlags) -> anyhow::Result<Self> {
        let contact = flags.push_contact.clone();
        if let Some(contact) = &contact
            && !["mailto:", "https://"].iter().any(|start| contact.starts_with(start))
        {
            bail!(
                "{contact:?} is no contact. Give --push-contact mailto:you@example.com, or an https address"
            );
        }
        let named = list(flags.push_services.as_deref()).map(origin).collect::<Result<_, _>>()?;
        let fcm = match (&flags.fcm_service_account, &flags.fcm_endpoint) {
            (Some(file), endpoint) => {
                let text = std::fs::read_to_string(file).with_context(|| {
                    format!(
                        "The Firebase service account {} cannot be read. Check --fcm-service-account",
                        file.display()
                    )
                })?;
                let endpoint = endpoint.as_deref().map(origin).transpose()?;
                Fcm::new(&text, endpoint.clone())
                    .context("Give --fcm-service-account the file that Firebase's console makes under Service accounts")?;
                Some((text, endpoint))
            }
            (None, Some(_)) => bail!(
                "--fcm-endpoint is of no use without an account. Give --fcm-service-account too, or leave it out"
            ),
            (None, None) => None,
        };
        Ok(Self { contact, guard: Guard::new(named), fcm })
    }

    pub(crate) fn fcm(&self) -> anyhow::Result<Option<Fcm>> {
        self.fcm.as_ref().map(|(text, endpoint)| Fcm::new(text, endpoint.clone())).transpose()
    }
}

fn origin(text: &str) -> anyhow::Result<String> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none()
    });
    let Some(url) = url else {
        bail!("{text:?} is no origin of a push service. Give one such as https://push.example.com");
    };
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(flags: PushFlags) -> Result<PushSettings, String> {
        PushSettings::settle(&flags).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn nothing_need_be_given() {
        assert!(settle(PushFlags::default()).is_ok());
    }

    #[test]
    fn what_cannot_be_honoured_names_the_flag() {
        let text = |text: &str| Some(text.to_owned());
        for (flags, named) in [
            (PushFlags { push_contact: text("me"), ..PushFlags::default() }, "--push-contact"),
            (PushFlags { push_services: text("push.org"), ..PushFlags::default() }, "no origin"),
            (
                PushFlags { fcm_endpoint: text("http://localhost:1"), ..PushFlags::default() },
                "--fcm-service-account",
            ),
            (
                PushFlags { fcm_service_account: Some("/nowhere".into()), ..PushFlags::default() },
                "--fcm-service-account",
            ),
        ] {
            let error = settle(flags).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
