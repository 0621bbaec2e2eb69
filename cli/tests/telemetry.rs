//! What an operator gets to read: logs on standard error, logs and traces at a collector that decodes what it is sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message as _;

/// A token that somebody presents; it must be found nowhere.
const TOKEN: &str = "a-token-that-nobody-has";

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_logs_and_traces_and_nothing_personal() {
    let collector = Collector::open().await;
    let data = tempfile::tempdir().expect("a temporary directory");
    let server = Running::start(
        Command::new(env!("CARGO_BIN_EXE_hullo"))
            .args(["serve", "--listen", "127.0.0.1:0", "--otlp-headers", "authorization=Bearer c"])
            .args(["--otlp-endpoint", &collector.url, "--log-format", "json", "--data"])
            .arg(data.path()),
    );

    let answer = server.get("/session", TOKEN);
    let id = answer.split("x-request-id: ").nth(1).and_then(|rest| rest.get(..16));
    let id = id.unwrap_or_else(|| panic!("no request id in {answer}")).to_owned();
    let said = server.stop();

    let got = collector.got.lock().expect("no panic");
    assert_eq!(got.faults, [""; 0]);
    let spans: Vec<_> = got
        .traces
        .iter()
        .flat_map(|export| &export.resource_spans)
        .inspect(|spans| {
            let resource = spans.resource.as_ref().expect("a resource");
            assert_eq!(text(&resource.attributes, "service.name"), "hullo");
        })
        .flat_map(|spans| &spans.scope_spans)
        .flat_map(|scope| &scope.spans)
        .collect();
    let span = spans.iter().find(|span| text(&span.attributes, "id") == id).expect("its span");
    assert_eq!(span.name, "request");
    assert_eq!(text(&span.attributes, "http.route"), "/session");
    assert_eq!(text(&span.attributes, "refused"), "not-logged-in");
    assert_eq!(number(&span.attributes, "http.response.status_code"), 401);
    let records: Vec<_> = got
        .logs
        .iter()
        .flat_map(|export| &export.resource_logs)
        .flat_map(|logs| &logs.scope_logs)
        .flat_map(|scope| &scope.log_records)
        .filter_map(|record| string(record.body.as_ref()))
        .collect();
    assert!(records.iter().any(|body| body == "Stopping"), "{records:?}");
    let bytes = String::from_utf8_lossy(&got.bytes);
    assert!(!bytes.contains(TOKEN) && !bytes.contains("127.0.0.1"), "something personal");

    let line = said.lines().find(|line| line.contains("Stopping")).expect("it is logged here too");
    let line: serde_json::Value = serde_json::from_str(line).expect("a JSON object a line");
    assert_eq!(line["level"], "INFO");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_stops_nobody() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let server = Running::start(
        Command::new(env!("CARGO_BIN_EXE_hullo"))
            .args(["serve", "--listen", "127.0.0.1:0", "--otlp-endpoint", "http://127.0.0.1:9"])
            .arg("--data")
            .arg(data.path()),
    );

    assert!(server.get("/healthz", TOKEN).starts_with("HTTP/1.1 200"));
    server.stop();
}

/// A collector that checks what it is sent and keeps it decoded.
struct Collector {
    url: String,
    got: Arc<Mutex<Got>>,
}

#[derive(Default)]
struct Got {
    traces: Vec<ExportTraceServiceRequest>,
    logs: Vec<ExportLogsServiceRequest>,
    bytes: Vec<u8>,
    faults: Vec<String>,
}

impl Collector {
    async fn open() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", socket.local_addr().expect("it is bound"));
        let got = Arc::new(Mutex::new(Got::default()));
        let router = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/logs", post(logs))
            .with_state(got.clone());
        tokio::spawn(axum::serve(socket, router).into_future());
        Self { url, got }
    }
}

async fn traces(
    State(got): State<Arc<Mutex<Got>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    let mut got = got.lock().expect("no panic");
    got.check(&headers, &body);
    match ExportTraceServiceRequest::decode(body) {
        Ok(export) => got.traces.push(export),
        Err(error) => got.faults.push(format!("no export of traces: {error}")),
    }
    (StatusCode::OK, Vec::new())
}

async fn logs(
    State(got): State<Arc<Mutex<Got>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    let mut got = got.lock().expect("no panic");
    got.check(&headers, &body);
    match ExportLogsServiceRequest::decode(body) {
        Ok(export) => got.logs.push(export),
        Err(error) => got.faults.push(format!("no export of logs: {error}")),
    }
    (StatusCode::OK, Vec::new())
}

impl Got {
    fn check(&mut self, headers: &HeaderMap, body: &Bytes) {
        self.bytes.extend_from_slice(body);
        for (name, value) in
            [("content-type", "application/x-protobuf"), ("authorization", "Bearer c")]
        {
            let given = headers.get(name).map(|given| given.to_str().unwrap_or_default());
            if given != Some(value) {
                self.faults.push(format!("{name} is {given:?}"));
            }
        }
    }
}

fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    attributes.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref()
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let Some(Value::StringValue(text)) = find(attributes, key) else { return String::new() };
    text.clone()
}

fn number(attributes: &[KeyValue], key: &str) -> i64 {
    let Some(Value::IntValue(number)) = find(attributes, key) else { return 0 };
    *number
}

fn string(value: Option<&AnyValue>) -> Option<String> {
    let Value::StringValue(text) = value?.value.as_ref()? else { return None };
    Some(text.clone())
}

/// A server process, killed when dropped.
struct Running {
    process: Child,
    host: String,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut process = spawned.expect("the binary runs");
        let mut line = String::new();
        let out = process.stdout.take().expect("it was piped");
        BufReader::new(out).read_line(&mut line).expect("it prints text");
        let host = line.trim().strip_prefix("listening on http://").expect("the first line");
        Self { process, host: host.to_owned() }
    }

    /// The whole answer to a `GET` with a bearer token.
    fn get(&self, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).expect("it listens");
        let host = &self.host;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in text");
        answer
    }

    /// Asks it to stop, which it does without complaint; returns what it logged.
    fn stop(mut self) -> String {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        let mut said = String::new();
        let mut errors = self.process.stderr.take().expect("it was piped");
        errors.read_to_string(&mut said).expect("it logs text");
        assert!(self.process.wait().expect("it ends").success());
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
