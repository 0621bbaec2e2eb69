//! `--push-…` and `--fcm-…`: whom push services may reach, and with which accounts.

use anyhow::{Context as _, bail};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::fcm::{Fcm, Project};
use super::guard::Guard;
use crate::config::values::list;

/// How devices are woken whose pages are closed.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = "Push messages")]
pub struct PushFlags {
    /// Where push services reach you when something is wrong, such as mailto:you@example.com; Apple insists on it
    #[arg(long, value_name = "ADDRESS")]
    pub push_contact: Option<String>,
    /// Origins of push services beside those of the browsers, scheme and host each
    #[arg(long, value_name = "LIST")]
    pub push_services: Option<String>,
    /// Files of Firebase projects, for apps that are reached by Firebase, with commas between them: the JSON of a service
    /// account, or an object of namespace, service_account, config and vapidkey
    #[arg(long, value_name = "LIST")]
    pub fcm_projects: Option<String>,
    /// Where Firebase takes messages [default: fcm.googleapis.com, Google's]
    #[arg(long, value_name = "URL")]
    pub fcm_endpoint: Option<String>,
}

/// Settled [`PushFlags`].
#[derive(Clone, Debug)]
pub(crate) struct PushSettings {
    pub(crate) contact: Option<String>,
    pub(crate) guard: Guard,
    pub(crate) projects: Vec<Project>,
    /// Where Firebase takes messages.
    endpoint: Option<String>,
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
        let mut projects = Vec::new();
        for file in list(flags.fcm_projects.as_deref()) {
            let project = std::fs::read_to_string(file)
                .context("It cannot be read")
                .and_then(|text| Project::read(&text))
                .with_context(|| {
                    format!(
                        "The Firebase project {file} cannot be used. Give --fcm-projects files that Firebase's console \
                         makes under Service accounts"
                    )
                })?;
            if projects.iter().any(|other: &Project| other.namespace == project.namespace) {
                bail!(
                    "Two files of --fcm-projects have the namespace {}. Give each its own",
                    project.namespace
                );
            }
            projects.push(project);
        }
        if projects.is_empty() && flags.fcm_endpoint.is_some() {
            bail!(
                "--fcm-endpoint is of no use without a project. Give --fcm-projects too, or leave it out"
            );
        }
        let endpoint = flags.fcm_endpoint.as_deref().map(origin).transpose()?;
        Ok(Self { contact, guard: Guard::new(named), projects, endpoint })
    }

    /// A client for each project.
    pub(crate) fn fcm(&self) -> anyhow::Result<Vec<Fcm>> {
        let projects = self.projects.iter().cloned();
        projects.map(|project| Fcm::new(project, self.endpoint.clone())).collect()
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
                "--fcm-projects",
            ),
            (
                PushFlags { fcm_projects: text("/nowhere"), ..PushFlags::default() },
                "--fcm-projects",
            ),
        ] {
            let error = settle(flags).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
