//! A real nginx in front of a server, as operators have it.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::OnceLock;

use anyhow::Result;
use tempfile::TempDir;

use crate::guard::Guard;

/// What it lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// Everything, as the manuals say.
    Sockets,
    /// Requests and their answers only. A socket is neither opened nor refused, as behind many a firewall.
    RequestsOnly,
}

/// The running proxy.
pub struct Nginx {
    guard: Guard,
    prefix: TempDir,
    /// The port it listens on.
    pub port: u16,
}

/// A proxy whose process was cut off.
pub struct Broken {
    prefix: TempDir,
    port: u16,
}

impl Nginx {
    /// Starts it in front of `origin`, which it shows under `path`; the path is taken off on the way.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(origin: &str, path: &str, passes: Passes) -> Self {
        let prefix = TempDir::new().expect("there is room for a few files");
        // Somebody else may take the port before nginx does; then it says so and the next is tried.
        let started = (0..5).find_map(|_| {
            let port = free_port();
            let config = config(origin, path, passes, port);
            fs::write(prefix.path().join(CONFIG), config).expect("there is room for a file");
            launch(&prefix).ok().map(|guard| (guard, port))
        });
        let (guard, port) = started.expect("nginx starts; `cargo xtask test` installs it");
        Self { guard, prefix, port }
    }

    /// Cuts all that goes through it, without a word to either side.
    #[must_use]
    pub fn breaks(self) -> Broken {
        drop(self.guard);
        Broken { prefix: self.prefix, port: self.port }
    }
}

impl Broken {
    /// Starts it again, where it was.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn mends(self) -> Nginx {
        let guard = launch(&self.prefix).expect("what started once starts again");
        Nginx { guard, prefix: self.prefix, port: self.port }
    }
}

const CONFIG: &str = "nginx.conf";

/// Starts it as one process of its own, with all its files in the prefix.
fn launch(prefix: &TempDir) -> Result<Guard> {
    let folder = format!("{}/", prefix.path().display());
    let paths = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    // The last thing that it says before it serves.
    let ready = |line: &str| line.contains("getrlimit").then_some(());
    let words = ["nginx", "-p", &folder, "-c", CONFIG, "-e", "stderr"];
    Guard::start(&words, &[("PATH", &paths)], ready).map(|(guard, ())| guard)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it listens somewhere").port()
}

/// A place that takes connections and never says a word.
fn nowhere() -> SocketAddr {
    static NOWHERE: OnceLock<TcpListener> = OnceLock::new();
    let listener =
        NOWHERE.get_or_init(|| TcpListener::bind("127.0.0.1:0").expect("there is a free port"));
    listener.local_addr().expect("it listens somewhere")
}

fn config(origin: &str, path: &str, passes: Passes, port: u16) -> String {
    let sockets = match passes {
        Passes::Sockets => origin.to_owned(),
        Passes::RequestsOnly => format!("http://{}", nowhere()),
    };
    format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr notice;
         events {{ worker_connections 256; }}
         http {{
             access_log off;
             client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
             server {{
                 listen 127.0.0.1:{port};
                 proxy_http_version 1.1; proxy_read_timeout 600s;
                 proxy_set_header Host $host;
                 location {path} {{
                     proxy_pass {origin}/;
                 }}
                 location = {path}peerjs {{
                     proxy_pass {sockets}/peerjs;
                     proxy_set_header Host $host;
                     proxy_set_header Upgrade $http_upgrade;
                     proxy_set_header Connection upgrade;
                 }}
             }}
         }}\n"
    )
}
