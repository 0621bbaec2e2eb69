//! One server in a data directory of its own, and clients that speak to it.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use server::{Database, File, Flags, Place, Printout, Server, Settings, TokenCommand, UserCommand};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};

/// Longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The web app of these tests.
pub(crate) static WEB: &[File] = &[
    File { path: "assets/app.1a2b.js", raw: b"let a = 1;", brotli: Some(b"BR-JS"), tag: "aa" },
    File { path: "assets/icon.3c4d.png", raw: b"PNG", brotli: None, tag: "bb" },
    File { path: "conference.html", raw: b"<p>conference", brotli: None, tag: "cc" },
    File { path: "index.html", raw: b"<p>call", brotli: Some(b"BR-HTML"), tag: "dd" },
    File { path: "wrapper.html", raw: b"<p>wrapper", brotli: None, tag: "ee" },
];

/// A running server and its data.
pub(crate) struct House {
    pub(crate) host: String,
    /// Where the metrics are, when they have an address of their own.
    pub(crate) metrics_host: Option<String>,
    pub(crate) codes: Vec<String>,
    data: tempfile::TempDir,
    database: Database,
    stop: oneshot::Sender<()>,
    running: JoinHandle<anyhow::Result<()>>,
}

impl House {
    /// A demo server with the web app of these tests.
    pub(crate) async fn open() -> Self {
        Self::open_with(WEB, "/").await
    }

    pub(crate) async fn open_with(files: &'static [File], base_path: &str) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        Self::open_in(data, files, base_path).await
    }

    /// A server with these flags, and no demo users.
    pub(crate) async fn open_as(flags: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let settings = settings_of(data.path().join("data"), flags).expect("they can be honoured");
        Self::run(data, settings, WEB).await
    }

    async fn open_in(data: tempfile::TempDir, files: &'static [File], base_path: &str) -> Self {
        let settings = settings(data.path().join("data"), base_path);
        Self::run(data, settings, files).await
    }

    async fn run(data: tempfile::TempDir, mut settings: Settings, files: &'static [File]) -> Self {
        let database = crate::postgres::database(&settings.data).await;
        settings.database = database;
        Self::run_on(data, settings, files).await
    }

    async fn run_on(data: tempfile::TempDir, settings: Settings, files: &'static [File]) -> Self {
        let database = settings.database.clone();
        let server = Server::start(settings, files).await.expect("it starts");
        let metrics_host = server.metrics_address().map(|address| address.to_string());
        let host = server.address().to_string();
        let codes = server
            .logins()
            .iter()
            .map(|(_, link)| link.split_once("#code=").expect("a code").1.to_owned())
            .collect();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            stopped.await.ok();
        }));
        Self { host, metrics_host, codes, data, database, stop, running }
    }

    /// Stops the server gracefully; returns its data.
    pub(crate) async fn shut(self) -> tempfile::TempDir {
        self.stop.send(()).expect("it runs");
        let ended = tokio::time::timeout(PATIENCE, self.running).await.expect("it stops");
        ended.expect("no panic").expect("no error");
        self.data
    }

    /// Another server on the same records.
    pub(crate) async fn open_beside(&self) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut settings =
            settings_of(data.path().join("data"), &[]).expect("they can be honoured");
        settings.database = self.database.clone();
        Self::run_on(data, settings, WEB).await
    }

    /// The same data, another server.
    pub(crate) async fn reopen(self) -> Self {
        Self::open_in(self.shut().await, WEB, "/").await
    }

    pub(crate) async fn user_command(&self, command: UserCommand) -> anyhow::Result<String> {
        Ok(command.run(&self.place()).await?.text)
    }

    /// The same, of an operator who does not say where people reach the server.
    pub(crate) async fn user_command_of_few_words(&self, command: UserCommand) -> Printout {
        let place = Place { url: None, ..self.place() };
        command.run(&place).await.expect("it is done")
    }

    /// What a command beside this server is told.
    fn place(&self) -> Place {
        let (data, url) =
            (Some(self.data.path().join("data")), Some(format!("http://{}", self.host)));
        Place { data, url, database: crate::postgres::url(&self.database), ..Place::default() }
    }

    pub(crate) async fn token_command(&self, command: TokenCommand) -> anyhow::Result<String> {
        Ok(command.run(&self.database).await?.text)
    }

    /// A token for a device of `user`, who is added when new.
    pub(crate) async fn token(&self, user: &str) -> String {
        let user = user.to_owned();
        self.user_command(UserCommand::Add { user: user.clone() }).await.ok();
        let command = TokenCommand::New { user, device: "Test".to_owned(), namespace: None };
        self.token_command(command).await.expect("the user is there").trim().to_owned()
    }

    /// The metrics: the value of each line by what stands before it.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let host = self.metrics_host.as_deref().expect("--metrics-listen was given");
        let page = ask(host, "GET", "/metrics", &[], "").await;
        assert_eq!(page.status, 200);
        let line = page.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Where its records are.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        ask(&self.host, method, path, headers, body).await
    }

    /// A request with a bearer token and perhaps a JSON body.
    pub(crate) async fn call(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.ask(method, path, &headers, body).await
    }

    /// `POST /contacts`.
    pub(crate) async fn send(&self, token: &str, to: &str, data: Value) -> Answer {
        let body = serde_json::json!({ "to": to, "data": data }).to_string();
        self.call(token, "POST", "/contacts", &body).await
    }

    /// A live socket, past its welcome.
    pub(crate) async fn live(&self, token: &str) -> Ear {
        let bearer = format!("Bearer {token}");
        let mut ear = self.dial(&[("authorization", &bearer)]).await.expect("it opens");
        let welcome = ear.hear().await;
        assert_eq!(welcome["type"], "welcome");
        ear.address = format!("{}/{}", text(&welcome, "email"), text(&welcome, "instance"));
        ear
    }

    /// The upgrade alone; the status when it is refused.
    pub(crate) async fn dial(&self, headers: &[(&str, &str)]) -> Result<Ear, StatusCode> {
        self.dial_at("/live", headers).await
    }

    /// The same, anywhere.
    pub(crate) async fn dial_at(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Ear, StatusCode> {
        let mut request =
            format!("ws://{}{path}", self.host).into_client_request().expect("a request");
        for (name, value) in headers {
            let name: hyper::header::HeaderName = name.parse().expect("a name");
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        let stream = TcpStream::connect(&self.host).await.expect("it listens");
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Ear { socket, address: String::new() }),
            Err(tungstenite::Error::Http(response)) => Err(response.status()),
            Err(other) => panic!("no HTTP answer: {other}"),
        }
    }
}

/// One request to `host` on a connection of its own.
pub(crate) async fn ask(
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let stream = TcpStream::connect(host).await.expect("it listens");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", host);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
    let sent = tokio::time::timeout(PATIENCE, sender.send_request(request));
    let response = sent.await.expect("an answer in time").expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    let text = String::from_utf8(bytes.to_vec()).expect("these tests speak text");
    Answer { status: parts.status, headers: parts.headers, text }
}

/// Settings of a demo server on a free port.
pub(crate) fn settings(data: PathBuf, base_path: &str) -> Settings {
    let flags = [("listen", "127.0.0.1:0"), ("base_path", base_path), ("demo", "true")];
    settings_of(data, &flags).expect("they can be honoured")
}

/// Settings by their keys.
pub(crate) fn settings_of(data: PathBuf, flags: &[(&str, &str)]) -> anyhow::Result<Settings> {
    let mut keys: serde_json::Map<_, _> =
        flags.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
    keys.entry("listen").or_insert_with(|| "127.0.0.1:0".into());
    let mut flags: Flags = serde_json::from_value(keys.into()).expect("these are flags");
    flags.place.data = Some(data);
    Settings::settle(flags)
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible ASCII"))
    }

    /// Status and stable word of a refusal, which also has a sentence.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert!(text(&body, "message").ends_with('.'), "no sentence: {body}");
        (self.status.as_u16(), text(&body, "error"))
    }

    /// The cookie that was set, as `name=value`.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().expect("a first part").to_owned()
    }
}

/// A live socket.
pub(crate) struct Ear {
    socket: WebSocketStream<TcpStream>,
    pub(crate) address: String,
}

impl Ear {
    /// The next text frame.
    pub(crate) async fn hear(&mut self) -> Value {
        match self.next().await {
            Some(Message::Text(frame)) => serde_json::from_str(&frame).expect("frames are JSON"),
            other => panic!("no text frame: {other:?}"),
        }
    }

    /// The code that the server closes with.
    pub(crate) async fn hear_close(&mut self) -> u16 {
        match self.next().await {
            Some(Message::Close(Some(frame))) => frame.code.into(),
            other => panic!("no close: {other:?}"),
        }
    }

    /// The code that the server closes with, after any number of frames of one type.
    pub(crate) async fn hear_close_after(&mut self, kind: &str) -> u16 {
        loop {
            match self.next().await {
                Some(Message::Text(frame)) => {
                    let frame: Value = serde_json::from_str(&frame).expect("frames are JSON");
                    assert_eq!(frame["type"], kind);
                }
                Some(Message::Close(Some(frame))) => return frame.code.into(),
                other => panic!("neither {kind} nor a close: {other:?}"),
            }
        }
    }

    /// Says that the session has ended, and closes.
    pub(crate) async fn hear_goodbye(&mut self) {
        assert_eq!(self.hear().await["type"], "goodbye");
        assert_eq!(self.hear_close().await, 1000);
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.say_raw(Message::text(frame.to_string())).await;
    }

    pub(crate) async fn say_raw(&mut self, message: Message) {
        self.socket.send(message).await.expect("the socket is open");
    }

    /// The same frame several times, in one write.
    pub(crate) async fn say_at_once(&mut self, frame: &Value, times: usize) {
        for _ in 0..times {
            let message = Message::text(frame.to_string());
            self.socket.feed(message).await.expect("the socket is open");
        }
        self.socket.flush().await.expect("the socket is open");
    }

    /// Nothing else was sent before this point.
    pub(crate) async fn hears_nothing_more(&mut self) {
        self.say(serde_json::json!({ "type": "ping" })).await;
        assert_eq!(self.hear().await["type"], "pong");
    }

    /// Closes, and waits until the server has let go.
    pub(crate) async fn hang_up(mut self) {
        self.socket.close(None).await.expect("the socket is open");
        while self.next().await.is_some() {}
    }

    /// The next message that is no sign of life; `None` at the end.
    async fn next(&mut self) -> Option<Message> {
        let next = async {
            loop {
                let message = self.socket.next().await.and_then(Result::ok);
                if !matches!(message, Some(Message::Ping(_) | Message::Pong(_))) {
                    return message;
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("the server says something in time")
    }
}

/// A member that is text.
pub(crate) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}
