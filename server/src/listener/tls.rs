//! TLS: the certificate in use, read anew when its files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::self_signed;
use super::settings::TlsSettings;
use crate::telemetry::Metrics;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// From here on the log says that the certificate has to be renewed.
const RENEW_DAYS: u64 = 14;

/// The certificate in use and the way to speak TLS with it.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: [PathBuf; 2],
    /// The files as they were before they were read.
    read: Stamps,
    metrics: Metrics,
}

/// When each file was last written, and its length.
type Stamps = [Option<(SystemTime, u64)>; 2];

#[derive(Debug)]
struct Current(RwLock<Certificate>);

impl Tls {
    /// TLS as the operator wishes it; `None` when there is to be none.
    ///
    /// # Errors
    ///
    /// When there is no certificate that can be used now; the text says what to do.
    pub(crate) fn start(
        settings: &TlsSettings,
        data: &Path,
        metrics: Metrics,
    ) -> anyhow::Result<Option<Self>> {
        let files = match settings {
            TlsSettings::Off => return Ok(None),
            TlsSettings::Given { cert, key } => [cert.clone(), key.clone()],
            TlsSettings::SelfSigned { names } => self_signed::find_or_make(data, names)?,
        };
        let read = stamps(&files);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let certificate = Certificate::read(&files[0], &files[1], &provider)?;
        warn_when_late(&certificate);
        metrics.certificate(certificate.until);
        let current = Arc::new(Current(RwLock::new(certificate)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("The TLS library has no protocol")?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Some(Self { acceptor, current, files, read, metrics }))
    }

    /// Secures a stream.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> std::io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    /// The SHA-256 of the certificate in use.
    pub(crate) fn fingerprint(&self) -> String {
        self.current.get().fingerprint
    }

    /// How many whole days it is still good for.
    pub(crate) fn days_left(&self) -> u64 {
        days_left(&self.current.get())
    }

    /// Whether it has to be renewed.
    pub(crate) fn ends_soon(&self) -> bool {
        self.days_left() < RENEW_DAYS
    }

    /// Looks after the files until it is aborted. What cannot be used is left alone and said, and the old one stays.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = self.read;
        loop {
            tick.tick().await;
            let found = stamps(&self.files);
            if found == seen {
                continue;
            }
            seen = found;
            self.reload();
        }
    }

    fn reload(&self) {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let [cert, key] = &self.files;
        match Certificate::read(cert, key, &provider) {
            Ok(certificate) if certificate.fingerprint == self.fingerprint() => {}
            Ok(certificate) => {
                warn_when_late(&certificate);
                self.metrics.certificate(certificate.until);
                tracing::info!(
                    fingerprint = certificate.fingerprint,
                    "A new certificate is in use"
                );
                *self.current.0.write().expect("nobody panics while it is locked") = certificate;
            }
            // Two files are seldom written at once: the next look will find both.
            Err(error) => {
                self.metrics.refused("certificate");
                tracing::error!(
                    error = format!("{error:#}"),
                    "The new certificate cannot be used, so the old one stays"
                );
            }
        }
    }
}

impl Current {
    fn get(&self) -> Certificate {
        self.0.read().expect("nobody panics while it is locked").clone()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get().key)
    }
}

fn stamps(files: &[PathBuf; 2]) -> Stamps {
    files.each_ref().map(|file| {
        let about = std::fs::metadata(file).ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

fn warn_when_late(certificate: &Certificate) {
    let days = days_left(certificate);
    if days < RENEW_DAYS {
        tracing::warn!(days, "The certificate ends soon. Renew it");
    }
}

fn days_left(certificate: &Certificate) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(certificate.until).unwrap_or(0).saturating_sub(now.as_secs()) / 86_400
}
