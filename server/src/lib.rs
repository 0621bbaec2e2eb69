//! The server: accounts, the way to other people's devices, and the web app.
//!
//! It carries invites and never a conference: once two devices have shaken hands, it can be stopped and the call goes
//! on. Everything it decides about delivery is decided by [`broker::Broker`]; this crate moves bytes around it.
//!
//! ```text
//!     browsers, terminals                                             operator
//!            │ TCP                                                       │ hullo user, token, who, kick, check
//!   ┌────────▼──────────────────────────────┐                   ┌────────▼───────┐
//!   │ listener   TLS, limits, who is behind │                   │ commands       │
//!   │            a proxy                    │                   │ orders, check  │
//!   └────────┬──────────────────────────────┘                   └────────┬───────┘
//!            │ HTTP, WebSocket                                           │
//!   ┌────────▼──────────────────────────────┐   whose is it?             │
//!   │ http/      auth, origin, observe      │──────────────▶ session ────┼──▶ judges outside
//!   │            session, contacts, live,   │   a place?                 │
//!   │            peerjs, metrics, files     │──────────────▶ connections │
//!   └───┬───────────────────────────┬───────┘                  ▲         │
//!       │ orders, frames            │ one indexed read         │ end     │
//!   ┌───▼──────────┐  dismiss   ┌───┼──────────────────────────┴┐        │
//!   │ switchboard  │◀───────────│ watch   once a second: who was │       │
//!   │ owns Broker  │            │         revoked, kicked, late? │       │
//!   └──────────────┘            └───┬────────────────────────────┘       │
//!                                   ▼                                    │
//!                       store (SQLite, write-ahead log) ◀────────────────┘
//! ```
//!
//! **Invariant:** one task owns the broker; no lock is around it.
//!
//! **Invariant:** what a message says about its sender was written by the server, from a token that it checked.
//!
//! **Invariant:** secrets are stored as hashes; neither they nor anything about a person is ever logged.
//!
//! **Invariant:** no queue is unbounded, no write waits for ever: a slow reader is cut off, and returns.
//!
//! **Invariant:** a panic ends the one request or socket it happened in. Only the switchboard's would end the server,
//! which then says so and exits, for its broker's promises are gone.
//!
//! A command works on the same file as a running server. What it revokes, it also writes into the table
//! `revocations`, and what it asks into the table `orders`; every server reads both once a second.
//!
//! Limits: bodies of the app 64 KiB, 64 frames waiting for a socket; the rest are flags, or stand in
//! [`broker::Config`].

mod check;
mod commands;
mod config;
mod connections;
mod error;
mod folder;
mod http;
mod listener;
mod login;
mod orders;
mod process;
mod proof;
mod push;
mod rate;
mod secret;
mod session;
mod store;
mod switchboard;
mod telemetry;
mod watch;
mod web;
pub mod websocket;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, watch as channel};
use tokio::task::JoinSet;
use wire::{Seed, UserId};

pub use check::{Finding, Verdict, check};
pub use commands::{Printout, TokenCommand, UserCommand};
pub use config::{Flags, PeerJsFlags, Place, Settings};
use connections::Connections;
pub use listener::ListenerFlags;
use listener::{Listener, Tls};
pub use login::LoginFlags;
use login::Ways;
pub use orders::{kick, who};
pub use process::stop_signal;
pub use push::PushFlags;
use push::waker::Wake;
use secret::Secret;
pub use session::SessionFlags;
use session::{SessionSettings, Verifier};
pub use store::Database;
use store::Store;
use store::links::Kind;
use switchboard::Switchboard;
use telemetry::Metrics;
pub use telemetry::{LogFormat, Logs, TelemetryFlags};
use watch::Watch;
pub use web::{EMBEDDED, File};

/// How long requests and sockets may take to finish when the server stops. Guess: service managers kill after 10 s
/// at the earliest.
const FAREWELL: Duration = Duration::from_secs(8);

/// Connections that wait to be accepted. Two thousand clients that all come back at once overflow 1,024 (measured), and
/// whoever is dropped tries again a second later.
const BACKLOG: u32 = 4_096;

/// How long the links of a demo are good, if it runs so long.
const DEMO_LASTS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The users of `--demo`.
const DEMO_USERS: [&str; 2] = ["alice@example.com", "bob@example.com"];

/// A server that listens, and serves once it runs.
pub struct Server {
    listener: Listener,
    address: SocketAddr,
    metrics_socket: Option<TcpListener>,
    recheck: Duration,
    app: http::App,
    stop: channel::Sender<bool>,
    desk: switchboard::Ended,
    /// What the broker wants woken.
    wakes: mpsc::Receiver<Wake>,
    logins: Vec<(UserId, String)>,
}

impl Server {
    /// Opens the store and the port. `files` are the web app, usually [`EMBEDDED`].
    ///
    /// # Errors
    ///
    /// When the data directory cannot be written or the port is taken; the text says what to do.
    pub async fn start(settings: Settings, files: &'static [File]) -> anyhow::Result<Self> {
        let store = Store::open(&settings.database).await?;
        let socket = bind(settings.listen, "listen")?;
        let address = socket.local_addr().context("The system does not say where it listens")?;
        let metrics_socket = match settings.telemetry.metrics_listen {
            Some(address) => Some(bind(address, "metrics-listen")?),
            None => None,
        };
        let metrics = Metrics::new();
        let tls = Tls::start(&settings.listener.tls, &settings.data, metrics.clone())?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = settings.base_path.trim_end_matches('/');
        let url = settings.url.unwrap_or_else(|| format!("{scheme}://{address}{base}"));

        store.note_address(&url).await?;
        // Links to a demo of an earlier run are void.
        store.clear_demo().await?;
        let logins = if settings.demo { demo(&store, &url).await? } else { Vec::new() };

        let mut seed = Seed([0; 32]);
        getrandom::fill(&mut seed.0).context("The system gives no random numbers")?;
        let mut first_request = [0; 8];
        getrandom::fill(&mut first_request).context("The system gives no random numbers")?;
        let carriers = push::start(&settings.push, &store).await?;
        let (wake, wakes) = mpsc::channel(push::waker::WAKES_MAX);
        let verifier = Verifier::new(&settings.session, store.clone(), metrics.clone())?;
        let (switchboard, desk) = Switchboard::start(
            settings.peerjs.broker(settings.showing, verifier.asks()),
            switchboard::Limits {
                rate: settings.listener.rate,
                message_bytes_max: settings.listener.message_bytes_max,
                ..settings.peerjs.lines()
            },
            metrics.tally(),
            wake,
            seed,
        )
        .context("The system gives no thread")?;
        let (stop, stopping) = channel::channel(false);
        let SessionSettings { recheck, .. } = settings.session;
        let app = http::App::from(http::Shared {
            ways: Ways::new(settings.login, url, &metrics)?,
            verifier,
            store,
            switchboard,
            carriers,
            files,
            base_path: settings.base_path.into(),
            session_cookie: settings.session.cookie.map(Into::into),
            connections: Connections::new(settings.listener.clients, metrics.clone()),
            metrics: metrics.clone(),
            proxies: Arc::new(settings.listener.proxies.clone()),
            metrics_token: settings.telemetry.metrics_token,
            origins: Arc::new(settings.origins),
            peerjs: settings.peerjs.manner(),
            rhythm: http::live::Rhythm::default(),
            patience: settings.listener.head_timeout(),
            rate: settings.listener.rate,
            message_bytes_max: settings.listener.message_bytes_max,
            showing: settings.showing,
            requests: u64::from_le_bytes(first_request).into(),
            proofs: proof::Seen::default(),
            stop: stopping,
        });
        let tls = tls.map(Arc::new);
        let listener = Listener { socket, tls, settings: settings.listener, metrics };
        Ok(Self { listener, address, metrics_socket, recheck, app, stop, desk, wakes, logins })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its metrics are, when they have an address of their own.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_socket.as_ref().and_then(|socket| socket.local_addr().ok())
    }

    /// Where its pages are.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.listener.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{}", self.address, self.app.base_path.trim_end_matches('/'))
    }

    /// The SHA-256 of its certificate, when it speaks TLS.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.listener.tls.as_ref().map(|tls| tls.fingerprint())
    }

    /// The demo users with the links that log a browser in.
    #[must_use]
    pub fn logins(&self) -> &[(UserId, String)] {
        &self.logins
    }

    /// Serves until `stop` resolves, then finishes what is under way.
    ///
    /// # Errors
    ///
    /// When the broker's task has ended, which is a bug.
    pub async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self {
            listener, metrics_socket, app, recheck, stop: announce, mut desk, wakes, ..
        } = self;
        let store = app.store.clone();
        let switchboard = app.switchboard.clone();
        let mut chores = JoinSet::new();
        let watch = Watch {
            server: Secret::fresh()?.reveal().to_owned(),
            store: app.store.clone(),
            switchboard: app.switchboard.clone(),
            connections: app.connections.clone(),
        };
        chores.spawn(watch.run());
        let carriers = app.carriers.clone();
        chores.spawn(push::waker::run(wakes, carriers, app.store.clone(), app.switchboard.clone()));
        if app.verifier.asks() {
            let (verifier, connections) = (app.verifier.clone(), app.connections.clone());
            chores.spawn(session::recheck::run(verifier, connections, recheck));
        }
        if let Some(tls) = &listener.tls {
            chores.spawn(tls.clone().follow());
        }
        if let Some(socket) = metrics_socket {
            chores.spawn(http::metrics::serve(socket, app.metrics.clone()));
        }
        let mut stopping = app.stop.clone();
        let graceful = async move {
            // An error means that the sender is gone, which stops as well.
            stopping.wait_for(|stop| *stop).await.ok();
        };
        let mut served = tokio::spawn(listener.serve(http::router(app), graceful));

        tokio::select! {
            () = stop => {}
            ended = &mut served => bail!("The server stopped serving: {ended:?}"),
            ended = &mut desk => bail!("The switchboard stopped: {ended:?}. Please report this with the log"),
        }
        tracing::info!("Stopping");
        announce.send_replace(true);
        chores.abort_all();
        switchboard.stop().await;
        drop(switchboard);
        let finish = async {
            if let Err(error) = served.await {
                tracing::warn!(%error, "Serving ended badly");
            }
            // Every open socket holds a receiver.
            announce.closed().await;
        };
        if tokio::time::timeout(FAREWELL, finish).await.is_err() {
            tracing::warn!("Some requests did not finish in time");
        }
        store.close().await;
        Ok(())
    }
}

/// Makes the demo users, and the links that log browsers in as them.
async fn demo(store: &Store, url: &str) -> anyhow::Result<Vec<(UserId, String)>> {
    let mut logins = Vec::new();
    for user in DEMO_USERS {
        let user: UserId = user.parse().expect("the demo users have valid names");
        store.add_user(&user).await?;
        let code = store.add_code(&user, Kind::Demo, DEMO_LASTS).await?;
        logins.push((user, format!("{url}/#code={}", code.reveal())));
    }
    Ok(logins)
}

/// Listens on `address`, which came by `flag`.
fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    listen(address).map_err(|error| refusal(address, flag, &error))
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that starts again takes its port at once.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Why there is no listening, and what to do about it.
fn refusal(address: SocketAddr, flag: &str, error: &std::io::Error) -> anyhow::Error {
    use std::io::ErrorKind;
    let (ip, port) = (address.ip(), address.port());
    let kind = error.kind();
    if kind == ErrorKind::AddrInUse {
        anyhow::anyhow!(
            "Port {port} is taken by another program, perhaps another hullo. Stop that one, or let the system pick a \
             free port with --{flag} {ip}:0"
        )
    } else if kind == ErrorKind::PermissionDenied {
        anyhow::anyhow!(
            "This user may not listen on port {port}. Take one above 1023, such as --{flag} {ip}:8080"
        )
    } else if kind == ErrorKind::AddrNotAvailable {
        anyhow::anyhow!(
            "This machine does not have the address {ip}. Take one that it has, such as --{flag} 127.0.0.1:{port}"
        )
    } else {
        anyhow::anyhow!(
            "The server cannot listen on {ip}, port {port}: {error}. Try another with --{flag}"
        )
    }
}
