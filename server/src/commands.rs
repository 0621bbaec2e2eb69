//! `hullo user` and `hullo token`: accounts, while the server runs too.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use wire::{Timestamp, UserId};

use crate::config::Place;
use crate::store::devices;
use crate::store::links::Kind;
use crate::store::{self, Database, Store};

/// What to do with users.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum UserCommand {
    /// Add a user
    Add {
        /// Any text without white space and slashes; by custom a mail address
        user: String,
    },
    /// Print a link, and the same as a QR code, that logs a browser of a user in, once
    Link {
        /// The user
        user: String,
        /// For how many hours it is good
        #[arg(long, value_name = "NUMBER", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
        hours: u32,
    },
    /// List the users and how many devices each has
    List,
    /// Choose which devices of a user ring; counts when they connect next
    Policy {
        /// The user
        user: String,
        /// all, capable, nominated, or default for that of the server
        #[arg(value_parser = ["all", "capable", "nominated", "default"])]
        policy: String,
    },
    /// Remove a user and log out all its devices
    Remove {
        /// The user
        user: String,
    },
}

/// What to do with access tokens.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// Make an access token for a device of a user, and print it alone on a line
    New {
        /// The user
        user: String,
        /// What to call the device in lists
        #[arg(long, value_name = "TEXT", default_value = "Unnamed device")]
        device: String,
        /// The Firebase project that its app was made for; see --fcm-projects of `hullo serve`
        #[arg(long, value_name = "NAME")]
        namespace: Option<String>,
    },
    /// List tokens: id, user, device, last use
    List {
        /// Only those of this user
        user: Option<String>,
    },
    /// Revoke a token; its device is logged out at once
    Revoke {
        /// The id that `hullo token list` shows
        id: String,
    },
}

/// What a command has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printout {
    /// Its result.
    pub text: String,
    /// What whoever gave it should know beside the result, as a sentence without its full stop.
    pub note: Option<String>,
}

impl Printout {
    /// A list, or `none` where nothing stands in it, which says so and what to do.
    pub(crate) fn list(text: String, none: &str) -> Self {
        let note = text.is_empty().then(|| none.to_owned());
        Self { text, note }
    }
}

impl From<String> for Printout {
    fn from(text: String) -> Self {
        Self { text, note: None }
    }
}

impl UserCommand {
    /// Does it, and returns what to print.
    ///
    /// # Errors
    ///
    /// When there is no such user, or the store cannot be written.
    pub async fn run(self, place: &Place) -> anyhow::Result<Printout> {
        let database = place.clone().database()?;
        let store = match &self {
            // The first command of all, where no server ran before.
            Self::Add { .. } => Store::open(&database).await?,
            Self::Link { .. } | Self::List | Self::Policy { .. } | Self::Remove { .. } => {
                Store::find(&database).await?
            }
        };
        let done = match self {
            Self::Link { user, hours } => {
                let user = name(&user)?;
                let (url, assumed) = place.clone().url(store.last_address().await?)?;
                if !store.has_user(&user).await? {
                    bail!("There is no user {user}. `hullo user add {user}` adds it");
                }
                let lasts = Duration::from_secs(u64::from(hours) * 60 * 60);
                let code = store.add_code(&user, Kind::Once, lasts).await?;
                let link = format!("{url}/#code={}", code.reveal());
                let until =
                    Timestamp(u64::try_from(store::now())? + u64::from(hours) * 3_600_000).minute();
                let qr = qr(&link)?;
                let text = format!("{link}\n{qr}\nLogs one browser in as {user}, until {until}.\n");
                Printout { text, note: assumed }
            }
            Self::Add { user } => {
                let user = name(&user)?;
                if !store.add_user(&user).await? {
                    bail!(
                        "{user} is a user already. `hullo user link {user}` makes a link to log in with"
                    );
                }
                format!("Added {user}. `hullo user link {user}` makes a link to log in with.\n")
                    .into()
            }
            Self::List => {
                let mut list = String::new();
                for (user, tokens) in store.users().await? {
                    writeln!(list, "{user}\t{tokens}").expect("a String takes any text");
                }
                Printout::list(list, "There are no users. `hullo user add NAME` adds one")
            }
            Self::Policy { user, policy } => {
                let user = name(&user)?;
                if !store.has_heard_of(&user).await? {
                    bail!(
                        "There is no user {user}. `hullo user list` shows those there are; one of another judge is known \
                         from the first visit on"
                    );
                }
                store.set_policy(&user, devices::policy(&policy)).await?;
                format!("The devices of {user}: {policy}.\n").into()
            }
            Self::Remove { user } => {
                let user = name(&user)?;
                if !store.remove_user(&user).await? {
                    bail!("There is no user {user}. `hullo user list` shows those there are");
                }
                format!("Removed {user}.\n").into()
            }
        };
        store.close().await;
        Ok(done)
    }
}

impl TokenCommand {
    /// Does it, and returns what to print.
    ///
    /// # Errors
    ///
    /// When there is no such user or token, or the store cannot be written.
    pub async fn run(self, database: &Database) -> anyhow::Result<Printout> {
        let store = Store::find(database).await?;
        let done = match self {
            Self::New { user, device, namespace } => {
                let user = name(&user)?;
                if !store.has_user(&user).await? {
                    bail!("There is no user {user}. `hullo user add {user}` adds it");
                }
                if namespace.as_deref() == Some("") {
                    bail!("A namespace has a name. Leave --namespace out, or name a project");
                }
                let token = store.add_token(&user, &device, false).await?;
                if let Some(namespace) = namespace {
                    store.set_namespace(&token, &namespace).await?;
                }
                format!("{}\n", token.reveal()).into()
            }
            Self::List { user } => {
                let user = user.as_deref().map(name).transpose()?;
                let none = "There are no tokens. `hullo token new USER` makes one, and each log-in by a link does";
                Printout::list(list(&store.tokens(user.as_ref()).await?), none)
            }
            Self::Revoke { id } => {
                let (device, user) = store.revoke(&id).await?;
                format!("Revoked {device} of {user}.\n").into()
            }
        };
        store.close().await;
        Ok(done)
    }
}

/// A QR code in half blocks, for terminals with dark ground.
fn qr(text: &str) -> anyhow::Result<String> {
    let code = qrcode::QrCode::new(text).context("The link is too long for a QR code")?;
    let mut drawn = code.render::<qrcode::render::unicode::Dense1x2>();
    // Readers want dark dots on light ground, so what is drawn is the ground.
    let [dark, light] =
        [qrcode::render::unicode::Dense1x2::Light, qrcode::render::unicode::Dense1x2::Dark];
    Ok(drawn.dark_color(dark).light_color(light).build())
}

fn list(tokens: &[store::Entry]) -> String {
    tokens.iter().fold(String::new(), |mut list, token| {
        let used = token.last_used.map_or_else(|| "never".to_owned(), Timestamp::minute);
        let state = match token.last_used {
            _ if token.has_contact => "logged in",
            Some(_) => "logged out",
            None => "not used yet",
        };
        let bound = if token.is_bound { "bound to its key" } else { "not bound" };
        let store::Entry { id, user, device, created, .. } = token;
        let made = created.minute();
        writeln!(list, "{id}\t{user}\t{device}\tmade {made}\tused {used}\t{state}\t{bound}")
            .expect("a String takes any text");
        list
    })
}

/// A name as it is stored: mail-like names in lower case.
pub(crate) fn name(text: &str) -> anyhow::Result<UserId> {
    let text = if text.contains('@') { text.to_lowercase() } else { text.to_owned() };
    text.parse().with_context(|| format!("{text:?} cannot be a user"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_are_kept_in_lower_case() {
        assert_eq!(name("Carol@Example.com").unwrap().as_str(), "carol@example.com");
        assert_eq!(name("Door-Bell").unwrap().as_str(), "Door-Bell");
        assert!(name("two words").is_err());
    }
}
