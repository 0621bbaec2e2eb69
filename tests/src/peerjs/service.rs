//! Servers that PeerJS can talk to, started by a test: two PeerServers from npm, and ours.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::guard::Guard;

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `peer` 1.0.2: WebSocket only.
    PeerServer,
    /// `peer` 0.2.10: the last with streams over HTTP.
    WithXhr,
    /// Ours.
    Hullo,
}

/// What a service is told when it starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setup {
    /// Which clients it serves.
    pub key: &'static str,
    /// Below which path; begins and ends with a slash.
    pub path: &'static str,
    /// Whether anybody may list who is there.
    pub discovery: bool,
    /// How many clients it takes.
    pub limit: u32,
    /// How long a message waits for somebody who is not there.
    pub expire: Duration,
    /// After how much silence a client is gone.
    pub alive: Duration,
    /// How long ours keeps the place of a client whose connection broke.
    pub grace: Duration,
}

impl Setup {
    /// As both come out of the box.
    pub const USUAL: Self = Self {
        key: "peerjs",
        path: "/",
        discovery: false,
        limit: 5000,
        expire: Duration::from_secs(5),
        alive: Duration::from_secs(60),
        grace: Duration::from_secs(10),
    };

    /// Gives up soon, so that a test need not wait long.
    pub const IMPATIENT: Self = Self {
        expire: Duration::from_millis(500),
        alive: Duration::from_millis(1500),
        grace: Duration::from_millis(1000),
        ..Self::USUAL
    };

    /// Everything that an operator may name is named otherwise.
    pub const OWN: Self = Self { key: "secret", path: "/calls/", discovery: true, ..Self::USUAL };

    /// Full with two.
    pub const SMALL: Self = Self { limit: 2, ..Self::USUAL };
}

/// A running service.
pub struct Service {
    guard: Guard,
    /// `http://127.0.0.1:PORT`, or `https://…`
    pub origin: String,
    _data: TempDir,
}

impl Service {
    /// The one that all tests of this run share; they keep apart by using ids of their own.
    pub fn shared(kind: Kind, setup: &Setup) -> Arc<Self> {
        type Shared = Mutex<BTreeMap<(Kind, Setup), Arc<Service>>>;
        static SHARED: OnceLock<Shared> = OnceLock::new();
        // One that could not be started leaves the map as it was.
        let mut shared =
            SHARED.get_or_init(Shared::default).lock().unwrap_or_else(|broken| broken.into_inner());
        shared
            .entry((kind, setup.clone()))
            .or_insert_with(|| Arc::new(Self::start(kind, setup, &[])))
            .clone()
    }

    /// Starts one. `more` is for ours only: further flags.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(kind: Kind, setup: &Setup, more: &[&str]) -> Self {
        let data = TempDir::new().expect("there is room for a data directory");
        let words = match kind {
            Kind::PeerServer => node("peer", &npm_options(setup)),
            Kind::WithXhr => node("peer-with-xhr", &npm_options(setup)),
            Kind::Hullo => hullo(data.path(), setup, more),
        };
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        Self::launch(&words, data)
    }

    /// Starts any other program that says `listening on http://…` when it does.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn run(words: &[&str]) -> Self {
        Self::launch(words, TempDir::new().expect("there is room for a data directory"))
    }

    fn launch(words: &[&str], data: TempDir) -> Self {
        let ready = |line: &str| line.strip_prefix("listening on ").map(str::to_owned);
        let (guard, url) = Guard::start(words, &[], ready)
            .expect("a server starts; `cargo xtask test` brings what it needs");
        let host = url.find("//").map_or(0, |at| at + 2);
        let end = url[host..].find('/').map_or(url.len(), |slash| host + slash);
        let origin = url[..end].to_owned();
        Self { guard, origin, _data: data }
    }

    /// The port it listens on.
    ///
    /// # Panics
    /// Never: the origin names one.
    #[must_use]
    pub fn port(&self) -> u16 {
        let port = self.origin.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port.expect("a server on loopback names its port")
    }

    /// Whether its process still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.guard.is_alive()
    }

    /// The processor time that its process has used.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        self.guard.cpu().unwrap_or_else(|| panic!("it has ended: {}", self.guard.said()))
    }

    /// The memory of its process in this moment, in bytes.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.guard.memory().unwrap_or_else(|| panic!("it has ended: {}", self.guard.said()))
    }
}

fn hullo(data: &Path, setup: &Setup, more: &[&str]) -> Vec<String> {
    let binary = crate::server::binary().to_string_lossy().into_owned();
    let data = data.to_string_lossy().into_owned();
    let mut words = vec![binary, "serve".to_owned(), "--peerjs-open".to_owned()];
    let mut flag = |name: &str, value: String| words.push(format!("{name}={value}"));
    flag("--listen", "127.0.0.1:0".to_owned());
    flag("--data", data);
    flag("--peerjs-key", setup.key.to_owned());
    flag("--base-path", setup.path.to_owned());
    flag("--peerjs-discovery", setup.discovery.to_string());
    flag("--peerjs-concurrent-limit", setup.limit.to_string());
    flag("--peerjs-expire-timeout", setup.expire.as_millis().to_string());
    flag("--peerjs-alive-timeout", setup.alive.as_millis().to_string());
    flag("--peerjs-reconnect-timeout", setup.grace.as_millis().to_string());
    // Everybody in a test comes from one address.
    for what in ["", "-per-address"] {
        flag(&format!("--limit-connections{what}"), (setup.limit + 1000).to_string());
        flag(&format!("--limit-http-connections{what}"), (setup.limit + 1000).to_string());
    }
    words.extend(more.iter().map(|word| (*word).to_owned()));
    words
}

fn node(package: &str, options: &Value) -> Vec<String> {
    let folder = crate::npm_dir().join(package);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/peerjs/peerserver.js");
    let script = script.to_string_lossy().into_owned();
    vec!["node".to_owned(), script, folder.to_string_lossy().into_owned(), options.to_string()]
}

/// Both of them know these, and ignore what they do not know.
fn npm_options(setup: &Setup) -> Value {
    let millis = |time: Duration| u64::try_from(time.as_millis()).expect("a time fits");
    json!({
        "key": setup.key,
        "path": setup.path,
        "allow_discovery": setup.discovery,
        "concurrent_limit": setup.limit,
        "expire_timeout": millis(setup.expire),
        "cleanup_out_msgs": millis(setup.expire / 5),
        "alive_timeout": millis(setup.alive),
    })
}
