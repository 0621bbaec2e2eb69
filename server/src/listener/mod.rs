//! The way in: takes connections, secures them, counts them, and hands their requests to the router.
//!
//! ```text
//!   accept ──▶ room for it? ──▶ TLS, if there is any ──▶ HTTP/1.1 or HTTP/2 ──▶ router
//!               └ 503               └ in time               └ heads in time
//! ```
//!
//! **Invariant:** a connection that says nothing costs a bounded time: every wait before a request has a deadline.
//!
//! **Invariant:** the certificate may change while connections go on; only new ones see the new one.

mod certificate;
mod proxies;
mod self_signed;
mod settings;
mod tls;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tower::ServiceExt as _;

use crate::telemetry::Metrics;
pub(crate) use proxies::{Network, Proxies, Remote};
pub use settings::ListenerFlags;
pub(crate) use settings::{ListenerSettings, TlsSettings};
pub(crate) use tls::Tls;

/// How long a TLS handshake may take. Guess: three round trips of a bad satellite link.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The longest head of a request, in bytes: PeerServer's, which a PeerJS id of 7,000 characters fits.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Requests at once on one HTTP/2 connection. Guess: a page loads some dozen files.
const STREAMS_MAX: u32 = 128;

/// How often an HTTP/2 connection is asked whether it is still there.
const PING: Duration = Duration::from_secs(30);

/// How long to wait when the system has no room for another connection.
const BREATH: Duration = Duration::from_millis(100);

/// How long somebody who is turned away may take to hear why, and how many at once are told. Guess.
const FAREWELL: Duration = Duration::from_secs(1);
const FAREWELLS_MAX: usize = 256;

/// The word in metrics for whoever takes too long to ask.
const SLOW_HEAD: &str = "head-slow";

/// What one is told for whom there is no room.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 5\r\nconnection: close\r\n\
content-length: 94\r\n\r\n{\"error\":\"full\",\"message\":\"The server takes no more connections. Try again in a few seconds.\"}";

/// Where a connection comes from, as the system sees it. Requests carry it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A door, its lock, and how many may be inside.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) settings: ListenerSettings,
    pub(crate) metrics: Metrics,
}

/// What the tasks of connections share.
struct Shared {
    router: Router,
    tls: Option<Arc<Tls>>,
    settings: ListenerSettings,
    metrics: Metrics,
    inside: Mutex<Inside>,
    farewells: Semaphore,
}

/// How many connections there are.
#[derive(Default)]
struct Inside {
    all: usize,
    by_network: BTreeMap<Network, usize>,
}

/// A place inside, free again when this is dropped.
struct Place {
    shared: Arc<Shared>,
    network: Option<Network>,
}

impl Listener {
    /// Takes connections until `stop` resolves, then lets those there are finish what they are at.
    pub(crate) async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let Self { socket, tls, settings, metrics } = self;
        let shared = Shared {
            router,
            tls,
            settings,
            metrics,
            inside: Mutex::default(),
            farewells: Semaphore::new(FAREWELLS_MAX),
        };
        let shared = Arc::new(shared);
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, from)) => {
                    let watcher = graceful.watcher();
                    tokio::spawn(shared.clone().take(stream, from, watcher));
                }
                Err(error) => {
                    // One that vanished again is its own affair; without descriptors, asking at once asks for ever.
                    tracing::warn!(%error, "A connection could not be taken");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        drop(socket);
        graceful.shutdown().await;
    }
}

impl Shared {
    /// Sees one connection to its end.
    async fn take(self: Arc<Self>, stream: TcpStream, from: SocketAddr, watcher: Watcher) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "A connection stays with Nagle's algorithm");
        }
        let _place = match self.clone().enter(from) {
            Ok(place) => place,
            Err(limit) => {
                self.metrics.refused(limit);
                return self.turn_away(stream).await;
            }
        };
        let Some(tls) = &self.tls else { return self.talk(stream, from, watcher).await };
        match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.talk(stream, from, watcher).await,
            Ok(Err(error)) => {
                tracing::debug!(%error, "A TLS handshake failed");
                self.metrics.refused("tls-handshake");
            }
            Err(_) => self.metrics.refused("tls-handshake-slow"),
        }
    }

    /// Says why to one for whom there is no room, and waits a moment for it to be read: a connection that is closed
    /// while something comes in takes what it said with it.
    async fn turn_away(&self, mut stream: TcpStream) {
        let Ok(_turn) = self.farewells.try_acquire() else { return };
        if self.tls.is_some() {
            return;
        }
        let farewell = async {
            stream.write_all(FULL).await?;
            stream.shutdown().await?;
            let mut unread = [0; 1_024];
            while stream.read(&mut unread).await? > 0 {}
            Ok::<_, std::io::Error>(())
        };
        // One who does not read it has lost nothing but this.
        tokio::time::timeout(FAREWELL, farewell).await.ok();
    }

    /// A place inside, or the limit that is reached.
    fn enter(self: Arc<Self>, from: SocketAddr) -> Result<Place, &'static str> {
        let ip = from.ip().to_canonical();
        // A proxy brings everybody.
        let network = (!self.settings.proxies.has(ip)).then(|| Network::of(ip));
        let ListenerSettings { connections_max, connections_per_address_max, .. } = self.settings;
        let mut inside = self.inside.lock().expect("nobody panics while it is locked");
        if inside.all >= connections_max {
            return Err("http-connections");
        }
        if let Some(network) = network {
            let count = inside.by_network.entry(network).or_default();
            if *count >= connections_per_address_max {
                return Err("http-connections-per-address");
            }
            *count += 1;
        }
        inside.all += 1;
        drop(inside);
        self.metrics.http_connections(1);
        Ok(Place { shared: self, network })
    }

    /// Speaks HTTP on a stream that is ready for it.
    async fn talk<S>(&self, stream: S, from: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let has_asked = Arc::new(Notify::new());
        let asked = has_asked.clone();
        let router = self.router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            asked.notify_one();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(from));
            let answer = router.clone().oneshot(request);
            async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.settings.head_timeout)
            .max_buf_size(HEAD_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS_MAX)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = pin!(watcher.watch(connection.into_owned()));
        // The library's own deadline begins with the first byte.
        let silence = async {
            tokio::time::timeout(self.settings.head_timeout, has_asked.notified()).await.is_err()
        };
        let ended = tokio::select! {
            ended = &mut connection => {
                // Both deadlines may come first; later ones end connections that are merely idle.
                if ended.as_ref().is_err_and(|error| is_late(&**error)) {
                    self.metrics.refused(SLOW_HEAD);
                }
                ended
            }
            is_silent = silence => if is_silent {
                self.metrics.refused(SLOW_HEAD);
                return;
            } else {
                connection.await
            },
        };
        if let Err(error) = ended {
            tracing::debug!(error, "A connection broke");
        }
    }
}

fn is_late(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout)
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.shared.inside.lock().expect("nobody panics while it is locked");
        inside.all -= 1;
        if let Some(network) = self.network
            && let Some(count) = inside.by_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                inside.by_network.remove(&network);
            }
        }
        self.shared.metrics.http_connections(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_as_long_as_they_say() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();

        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        assert!(serde_json::from_str::<wire::contacts::Refusal>(body).is_ok());
    }
}
