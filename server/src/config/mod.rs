//! Settings: raw from flags, environment and `hullo.toml`, then checked and typed.

mod gather;
mod peerjs;
pub(crate) mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use broker::Showing;
use etcetera::{AppStrategy as _, AppStrategyArgs};
use serde::{Deserialize, Serialize};

use gather::gather;
pub use peerjs::PeerJsFlags;
use peerjs::PeerJsSettings;
use values::switch;

use crate::http::origin::Origins;
use crate::listener::{ListenerFlags, ListenerSettings, TlsSettings};
use crate::login::{LoginFlags, LoginSettings};
use crate::push::{PushFlags, PushSettings};
use crate::session::{SessionFlags, SessionSettings};
use crate::store::Database;
use crate::telemetry::{Logs, TelemetryFlags, TelemetrySettings};

/// Where things are kept: what every command needs.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
pub struct Place {
    /// Configuration file [default: hullo.toml in the working directory, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "HULLO_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Directory of accounts and keys [default: the platform's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// PostgreSQL database of accounts, such as postgres://hullo:PASSWORD@localhost/hullo [default: a file in the data
    /// directory]
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Where people reach the server, for links [default: where it listens]
    #[arg(long, global = true, value_name = "https://HOST/PATH")]
    pub url: Option<String>,
}

/// The flags of `hullo serve`, as text. What is not given comes from the environment, then from the file, then by
/// default.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
pub struct Flags {
    /// Where things are kept.
    #[command(flatten)]
    #[serde(flatten)]
    pub place: Place,
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Path that everything is served under, behind a proxy [default: /]
    #[arg(long, value_name = "PATH")]
    pub base_path: Option<String>,
    /// Two demo users with printed log-in links; on loopback addresses only
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub demo: Option<String>,
    /// Origins whose pages may use this server beside its own, with commas between them
    #[arg(long, value_name = "LIST")]
    pub origins: Option<String>,
    /// Who may know whether somebody is reachable: nobody, those whom a user has listed, or anyone whom the user has not
    /// left out [default: nobody]
    #[arg(long, value_name = "nobody|listed|anyone")]
    pub presence: Option<String>,
    /// How PeerJS clients are served.
    #[command(flatten)]
    #[serde(flatten)]
    pub peerjs: PeerJsFlags,
    /// How connections come in.
    #[command(flatten)]
    #[serde(flatten)]
    pub listener: ListenerFlags,
    /// What the operator sees.
    #[command(flatten)]
    #[serde(flatten)]
    pub telemetry: TelemetryFlags,
    /// Who may connect.
    #[command(flatten)]
    #[serde(flatten)]
    pub session: SessionFlags,
    /// How people log in.
    #[command(flatten)]
    #[serde(flatten)]
    pub login: LoginFlags,
    /// How devices are woken.
    #[command(flatten)]
    #[serde(flatten)]
    pub push: PushFlags,
}

/// What the server runs by: complete, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where keys are kept.
    pub data: PathBuf,
    /// Where accounts are kept.
    pub database: Database,
    /// The path of everything; begins and ends with a slash.
    pub base_path: String,
    /// Whether there are demo users.
    pub demo: bool,
    /// Who may know whether somebody is reachable.
    pub(crate) showing: Showing,
    /// How PeerJS clients are served.
    pub(crate) peerjs: PeerJsSettings,
    /// How connections come in.
    pub(crate) listener: ListenerSettings,
    /// Whose pages may use this server.
    pub(crate) origins: Origins,
    /// What the operator sees.
    pub(crate) telemetry: TelemetrySettings,
    /// Who may connect.
    pub(crate) session: SessionSettings,
    /// How people log in.
    pub(crate) login: LoginSettings,
    /// Where people reach the server, if the operator says so.
    pub(crate) url: Option<String>,
    /// How devices are woken.
    pub(crate) push: PushSettings,
}

impl Settings {
    /// Puts the sources together.
    ///
    /// # Errors
    ///
    /// When a key is unknown, or a value cannot be honoured.
    pub fn load(flags: &Flags) -> anyhow::Result<Self> {
        let (raw, places) = gather(flags.place.config.as_deref(), flags)?;
        Self::settle(raw).map_err(|error| places.name(error))
    }

    /// Writes logs as these settings wish.
    ///
    /// # Errors
    ///
    /// When the collector's address or headers cannot be used.
    pub fn start_logs(&self) -> anyhow::Result<Logs> {
        Logs::start(&self.telemetry)
    }

    /// Checks what the sources say.
    ///
    /// # Errors
    ///
    /// When a value cannot be honoured, alone or beside the others.
    pub fn settle(raw: Flags) -> anyhow::Result<Self> {
        let listen = raw.listen.as_deref().unwrap_or("127.0.0.1:8080");
        let listen = values::listen("listen", listen, 8080)?;
        let demo = switch("demo", raw.demo.as_deref())?;
        if demo && !listen.ip().is_loopback() {
            bail!(
                "--demo lets anyone who reaches {listen} log in, so it listens on loopback addresses only. Use --listen \
                 127.0.0.1:{}, or leave --demo out and make users with `hullo user add`",
                listen.port()
            );
        }
        let data = settle_data(raw.place.data)?;
        let session = SessionSettings::settle(&raw.session)?;
        if demo && !session.accounts {
            bail!(
                "The demo users log in by tokens of this server. Give --session-local too, or leave --demo out"
            );
        }
        Ok(Self {
            listen,
            showing: settle_presence(raw.presence.as_deref())?,
            peerjs: PeerJsSettings::settle(&raw.peerjs)?,
            database: Database::settle(raw.place.database.as_deref(), &data)?,
            data,
            base_path: settle_base_path(raw.base_path.as_deref().unwrap_or("/"))?,
            demo,
            listener: ListenerSettings::settle(&raw.listener, listen)?,
            origins: Origins::settle(raw.origins.as_deref())?,
            telemetry: TelemetrySettings::settle(&raw.telemetry)?,
            login: LoginSettings::settle(&raw.login, &session)?,
            session,
            url: raw.place.url.as_deref().map(settle_url).transpose()?,
            push: PushSettings::settle(&raw.push)?,
        })
    }
}

impl Place {
    /// Where accounts are kept.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read, or names no database that can be.
    pub fn database(self) -> anyhow::Result<Database> {
        let file = self.config.clone();
        let (flags, places) = gather(file.as_deref(), &Flags { place: self, ..Flags::default() })?;
        Database::settle(flags.place.database.as_deref(), &settle_data(flags.place.data)?)
            .map_err(|error| places.name(error))
    }

    /// Where log-in links lead; without a slash at its end. And what is to be said to whoever asked, when it was not told
    /// but assumed: by `last`, where people reached the server that started last on these accounts, or by default.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read, tells no address that people could open, or leaves the tokens that links
    /// bring without worth.
    pub(crate) fn url(self, last: Option<String>) -> anyhow::Result<(String, Option<String>)> {
        let file = self.config.clone();
        let (raw, places) = gather(file.as_deref(), &Flags { place: self, ..Flags::default() })?;
        let is_told = raw.listen.is_some();
        let settings = Settings::settle(raw).map_err(|error| places.name(error))?;
        if !settings.session.accounts {
            bail!(
                "A link brings a token of this server, which does not count beside another judge. Set session_local too, or \
                 let people log in where that judge is"
            );
        }
        if let Some(url) = settings.url {
            return Ok((url, None));
        }
        let listen = settings.listen;
        let is_plain = matches!(settings.listener.tls, TlsSettings::Off);
        let scheme = if is_plain { "http" } else { "https" };
        let told = format!("{scheme}://{listen}{}", settings.base_path.trim_end_matches('/'));
        let (url, how) = match last {
            // The server chose its port when it started.
            Some(last) if !is_told || listen.port() == 0 => {
                (last, Some("where the server that started last is reached"))
            }
            _ if is_told => (told, None),
            _ => (told, Some("where the server listens by default, for none has run here yet")),
        };
        let place = reqwest::Url::parse(&url).ok();
        let address =
            place.as_ref().and_then(|url| url.host_str()?.trim_matches(['[', ']']).parse().ok());
        let is_nowhere = address.is_some_and(|ip: std::net::IpAddr| ip.is_unspecified());
        if is_nowhere || place.is_some_and(|url| url.port() == Some(0)) {
            bail!(
                "A link needs the address under which people reach the server, and {url} is none. Give --url, such as \
                 https://calls.example.com"
            );
        }
        let note = how.map(|how| {
            format!(
                "The link leads to {url}, {how}. If people reach it elsewhere, give --url, or set url in hullo.toml"
            )
        });
        Ok((url, note))
    }
}

fn settle_presence(word: Option<&str>) -> anyhow::Result<Showing> {
    Ok(match word {
        None | Some("nobody") => Showing::Nobody,
        Some("listed") => Showing::Listed,
        Some("anyone") => Showing::Everybody,
        Some(word) => bail!(
            "{word:?} does not say who may know whether somebody is reachable. Give --presence nobody, listed or anyone"
        ),
    })
}

fn settle_data(data: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(data) = data {
        return Ok(data);
    }
    let names = AppStrategyArgs { app_name: "hullo".to_owned(), ..AppStrategyArgs::default() };
    etcetera::choose_app_strategy(names)
        .map(|folders| folders.data_dir())
        .context("This system has no data directory for this user. Name one with --data DIR")
}

/// Without a slash at its end.
fn settle_url(text: &str) -> anyhow::Result<String> {
    let url = values::address("url", text)?;
    if url.query().is_some() || url.fragment().is_some() {
        bail!("{text:?} is no place of an app. Give --url without what follows ? and #");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn settle_base_path(path: &str) -> anyhow::Result<String> {
    let trimmed = path.trim_matches('/');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    if !trimmed.bytes().all(plain) || trimmed.split('/').any(|part| part == "..") {
        bail!(
            "{path:?} is no base path. Give --base-path letters, digits, -, ., _, ~ and / only, such as /calls/"
        );
    }
    Ok(if trimmed.is_empty() { "/".to_owned() } else { format!("/{trimmed}/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_stays_on_the_machine() {
        let error = settle("0.0.0.0:8080", true).unwrap_err();

        assert!(error.to_string().contains("loopback"), "{error}");
        assert!(settle("127.0.0.1:0", true).is_ok());
        assert!(settle("[::1]:8080", true).is_ok());
    }

    #[test]
    fn an_address_that_is_none_is_explained() {
        for none in ["localhost", "5", "127.0.0.1", "127.0.0.1:99999", "[::1]"] {
            let error = settle(none, false).unwrap_err();

            assert!(error.to_string().contains("such as 127.0.0.1:8080"), "{none}: {error}");
        }
    }

    #[test]
    fn a_name_of_this_machine_is_an_address_of_it() {
        let listen = settle("localhost:80", true).unwrap().listen;

        assert!(listen.ip().is_loopback() && listen.port() == 80, "{listen}");
    }

    #[test]
    fn an_error_about_what_stands_in_a_file_names_the_file_and_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("calls.toml");
        std::fs::write(&file, "listen = 5\n").unwrap();
        let place = Place { config: Some(file), ..Place::default() };
        let flags = Flags { place, ..Flags::default() };

        let error = Settings::load(&flags).unwrap_err().to_string();
        let flags = Flags { listen: Some("6".to_owned()), ..flags };
        let by_flag = Settings::load(&flags).unwrap_err().to_string();

        assert!(error.contains("\"5\" is no address"), "{error}");
        assert!(error.contains("(listen stands in") && error.contains("calls.toml)"), "{error}");
        assert!(!by_flag.contains("calls.toml"), "{by_flag}");
    }

    #[test]
    fn a_base_path_gets_its_slashes() {
        assert_eq!(settle_base_path("/").unwrap(), "/");
        assert_eq!(settle_base_path("calls").unwrap(), "/calls/");
        assert_eq!(settle_base_path("/a/b/").unwrap(), "/a/b/");
        assert!(settle_base_path("/a b").is_err());
        assert!(settle_base_path("/{x}").is_err());
        assert!(settle_base_path("/a/../b").is_err());
    }

    #[test]
    fn a_link_whose_token_would_not_count_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hullo.toml");
        let place = || Place { config: Some(file.clone()), ..Place::default() };
        let judge = "session_service = \"http://127.0.0.1:9/whoami\"\n";

        std::fs::write(&file, judge).unwrap();
        let error = place().url(None).unwrap_err().to_string();
        std::fs::write(&file, format!("{judge}session_local = true\n")).unwrap();
        let url = place().url(None);

        assert!(error.contains("session_local"), "{error}");
        assert_eq!(url.unwrap().0, "http://127.0.0.1:8080");
    }

    #[test]
    fn a_link_leads_where_the_operator_says_else_where_the_server_is_and_what_is_assumed_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hullo.toml");
        let url = |text: &str, last: Option<&str>| {
            std::fs::write(&file, text).unwrap();
            let place = Place { config: Some(file.clone()), ..Place::default() };
            place.url(last.map(str::to_owned))
        };
        let last = Some("http://127.0.0.1:4321/calls");

        let told = url("url = \"https://calls.example.com\"\nlisten = \"0.0.0.0:80\"", last);
        assert_eq!(told.unwrap(), ("https://calls.example.com".to_owned(), None));
        let told = url("listen = \"192.0.2.1:9000\"\nbase_path = \"/x/\"", last);
        assert_eq!(told.unwrap(), ("http://192.0.2.1:9000/x".to_owned(), None));
        for (text, last, leads) in [
            ("", last, "http://127.0.0.1:4321/calls"),
            ("listen = \"127.0.0.1:0\"", last, "http://127.0.0.1:4321/calls"),
            ("", None, "http://127.0.0.1:8080"),
        ] {
            let (url, note) = url(text, last).unwrap();
            assert_eq!(url, leads, "{text}");
            let note = note.expect("it was assumed");
            assert!(note.contains(leads) && note.contains("--url"), "{note}");
        }
        for (text, last) in [
            ("listen = \"0.0.0.0:80\"", None),
            ("listen = \"127.0.0.1:0\"", None),
            ("", Some("http://0.0.0.0:9000")),
            ("", Some("http://[::]:9000")),
        ] {
            let error = url(text, last).unwrap_err().to_string();
            assert!(error.contains("--url"), "{error}");
        }
    }

    fn settle(listen: &str, demo: bool) -> anyhow::Result<Settings> {
        Settings::settle(Flags {
            listen: Some(listen.to_owned()),
            demo: Some(demo.to_string()),
            place: Place { data: Some(PathBuf::from("unused")), ..Place::default() },
            ..Flags::default()
        })
    }
}
