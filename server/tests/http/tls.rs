//! TLS: given and self-made certificates, changed while connections go on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::harness::{House, settings_of};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn a_given_certificate_secures_requests_and_sockets() {
    let folder = Pair::new("one");
    let house = folder.open().await;
    let trusted = folder.trusted();
    let token = house.token("carol@example.com").await;

    let mut stream = connect(&house.host, &trusted, &[]).await.expect("it is trusted");
    let answer = get(&mut stream, "/healthz").await;
    let socket = dial(&house.host, &trusted, &token).await;

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(socket.starts_with("HTTP/1.1 101"), "{socket}");
}

#[tokio::test]
async fn http2_is_spoken_with_those_who_can() {
    let folder = Pair::new("one");
    let house = folder.open().await;

    let stream = connect(&house.host, &folder.trusted(), &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, io).await.expect("HTTP/2");
    tokio::spawn(connection);
    let request = hyper::Request::get(format!("https://{}/healthz", house.host))
        .body(http_body_util::Empty::<hyper::body::Bytes>::new())
        .unwrap();
    let answer = sender.send_request(request).await.expect("an answer");

    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_new_certificate_is_used_by_newcomers_and_drops_nobody() {
    let folder = Pair::new("one");
    let flags = [("metrics_listen", "127.0.0.1:0"), ("peerjs_open", "true")];
    let house = folder.open_with(&flags).await;
    let old = folder.trusted();
    let until = house.metric("hullo_tls_certificate_until_seconds").await;
    let mut before = connect(&house.host, &old, &[]).await.unwrap();
    assert!(get(&mut before, "/healthz").await.starts_with("HTTP/1.1 200"));
    let mut client = connect(&house.host, &old, &[]).await.unwrap();
    upgrade(&mut client, "/peerjs?key=peerjs&id=alice&token=t", "").await;
    assert_eq!(frame(&mut client).await, r#"{"type":"OPEN"}"#);

    folder.write("two", 20 * DAY);
    let new = folder.trusted();

    let appeared = async {
        while connect(&house.host, &new, &[]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), appeared).await.expect("it is read anew");
    assert!(connect(&house.host, &old, &[]).await.is_err(), "the old one is used no longer");
    assert!(get(&mut before, "/healthz").await.starts_with("HTTP/1.1 200"), "nobody is dropped");
    assert!(house.metric("hullo_tls_certificate_until_seconds").await < until);
    let said = br#"{"type":"OFFER","dst":"alice","payload":1}"#;
    let head = [0x81, 0x80 | u8::try_from(said.len()).unwrap(), 0, 0, 0, 0];
    client.write_all(&[&head, &said[..]].concat()).await.unwrap();
    let heard = r#"{"type":"OFFER","src":"alice","dst":"alice","payload":1}"#;
    assert_eq!(frame(&mut client).await, heard, "calls go on");
}

#[tokio::test]
async fn a_new_certificate_that_cannot_be_used_leaves_the_old_one() {
    let folder = Pair::new("one");
    let house = folder.open_with(&[("metrics_listen", "127.0.0.1:0")]).await;
    let trusted = folder.trusted();

    std::fs::write(folder.cert(), "nonsense").unwrap();

    let noticed = async {
        while house.metric("hullo_refused_total{reason=\"certificate\"}").await < 1.0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noticed).await.expect("it is looked at");
    assert!(connect(&house.host, &trusted, &[]).await.is_ok());
}

#[tokio::test]
async fn a_certificate_of_our_own_is_kept_and_its_fingerprint_told() {
    let data = tempfile::tempdir().unwrap();
    let start = async || {
        let flags = [("tls_self_signed", "true")];
        let settings = settings_of(data.path().to_owned(), &flags).unwrap();
        server::Server::start(settings, crate::harness::WEB).await.unwrap()
    };

    let one = start().await;
    let fingerprint = one.fingerprint().unwrap();
    assert!(one.url().starts_with("https://127.0.0.1:"));
    drop(one);
    let again = start().await.fingerprint().unwrap();

    assert_eq!(fingerprint, again);
    assert_eq!(fingerprint.split(':').count(), 32);
}

#[tokio::test]
async fn what_cannot_secure_anything_is_an_error_with_a_remedy() {
    let good = Pair::new("one");
    let other = Pair::new("two");
    let late = Pair::empty();
    late.write_between("one", SystemTime::now() - 3 * DAY, SystemTime::now() - DAY);
    let early = Pair::empty();
    early.write_between("one", SystemTime::now() + DAY, SystemTime::now() + 3 * DAY);
    let swapped = Pair::new("one");
    std::fs::rename(swapped.cert(), swapped.0.path().join("x")).unwrap();
    std::fs::rename(swapped.key(), swapped.cert()).unwrap();
    std::fs::rename(swapped.0.path().join("x"), swapped.key()).unwrap();

    for (cert, key, part) in [
        (good.cert(), other.key(), "belongs to another certificate"),
        (late.cert(), late.key(), "has expired on"),
        (early.cert(), early.key(), "is good from"),
        (good.cert(), PathBuf::from("/nowhere/key.pem"), "cannot be read. Check --tls-key"),
        (PathBuf::from("/nowhere/cert.pem"), good.key(), "cannot be read. Check --tls-cert"),
        (swapped.cert(), swapped.key(), "holds no certificate in PEM form"),
        (good.cert(), good.cert(), "holds no key in PEM form"),
    ] {
        let [cert, key] = [&cert, &key].map(|path| path.to_str().unwrap());
        let data = tempfile::tempdir().unwrap();
        let flags = [("tls_cert", cert), ("tls_key", key)];
        let settings = settings_of(data.path().to_owned(), &flags).unwrap();

        let Err(error) = server::Server::start(settings, crate::harness::WEB).await else {
            panic!("it started with {cert} and {key}");
        };

        let error = format!("{error:#}");
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn plain_http_on_a_secure_port_is_let_go_and_counted() {
    let folder = Pair::new("one");
    let house = folder.open_with(&[("metrics_listen", "127.0.0.1:0")]).await;
    let mut plain = TcpStream::connect(&house.host).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();

    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(10), plain.read_to_end(&mut rest));
    end.await.expect("it ends").ok();

    assert_eq!(house.metric("hullo_refused_total{reason=\"tls-handshake\"}").await, 1.0);
}

/// A certificate and its key in a folder.
struct Pair(tempfile::TempDir);

impl Pair {
    fn empty() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn new(name: &str) -> Self {
        let pair = Self::empty();
        pair.write(name, 90 * DAY);
        pair
    }

    fn write(&self, name: &str, lasts: Duration) {
        self.write_between(name, SystemTime::now() - DAY, SystemTime::now() + lasts);
    }

    fn write_between(&self, name: &str, from: SystemTime, until: SystemTime) {
        let key = KeyPair::generate().expect("a key");
        let names = ["localhost".to_owned(), format!("{name}.example.com")];
        let mut params = CertificateParams::new(names).expect("good names");
        params.not_before = from.into();
        params.not_after = until.into();
        let cert = params.self_signed(&key).expect("a certificate");
        std::fs::write(self.key(), key.serialize_pem()).expect("there is room");
        std::fs::write(self.cert(), cert.pem()).expect("there is room");
    }

    fn cert(&self) -> PathBuf {
        self.0.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    /// What a client trusts that trusts this certificate.
    fn trusted(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(read(&self.cert())).expect("a certificate");
        Arc::new(roots)
    }

    async fn open(&self) -> House {
        self.open_with(&[]).await
    }

    async fn open_with(&self, flags: &[(&str, &str)]) -> House {
        let (cert, key) = (self.cert(), self.key());
        let [cert, key] = [&cert, &key].map(|path| path.to_str().expect("a plain path"));
        House::open_as(&[&[("tls_cert", cert), ("tls_key", key)], flags].concat()).await
    }
}

fn read(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).expect("a certificate")
}

/// A connection that trusts nothing but `trusted`.
async fn connect(
    host: &str,
    trusted: &Arc<RootCertStore>,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(trusted.clone())
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(host).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn get(stream: &mut TlsStream<TcpStream>, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    head(stream).await
}

/// An upgrade by the cookie of a page of this server.
async fn dial(host: &str, trusted: &Arc<RootCertStore>, token: &str) -> String {
    let mut stream = connect(host, trusted, &[]).await.expect("it is trusted");
    let cookie = format!("origin: https://localhost\r\ncookie: __Host-hullo={token}\r\n");
    upgrade(&mut stream, "/live", &cookie).await
}

/// An upgrade with these headers more.
async fn upgrade(stream: &mut TlsStream<TcpStream>, path: &str, headers: &str) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}connection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("it reads");
    head(stream).await
}

/// A short frame of text.
async fn frame(stream: &mut TlsStream<TcpStream>) -> String {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.expect("a frame");
    assert_eq!(head[0], 0x81, "text, in one piece");
    let mut text = vec![0; usize::from(head[1])];
    stream.read_exact(&mut text).await.expect("all of it");
    String::from_utf8(text).expect("text")
}

/// The head of an answer, and a body of two bytes.
async fn head(stream: &mut TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut byte = [0; 1];
        stream.read_exact(&mut byte).await.expect("a head");
        answer.extend_from_slice(&byte);
    }
    let answer = String::from_utf8(answer).expect("heads are text");
    if answer.to_lowercase().contains("content-length: 2\r\n") {
        stream.read_exact(&mut [0; 2]).await.expect("a body");
    }
    answer
}
