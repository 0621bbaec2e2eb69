//! Requests of a client, and a stream of messages over HTTP.

use std::io::{BufRead, BufReader, Lines};
use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request};
use ureq::{Agent, BodyReader};

/// How long an answer may take, or a line of a stream. Guess: a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// Status of HTTP.
    pub status: u16,
    /// All of the body.
    pub body: String,
    headers: HeaderMap,
}

impl Answer {
    /// A header, by its name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; `null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// Asks for something.
///
/// # Panics
/// When nobody answers.
#[must_use]
pub fn ask(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (head, mut rest) = send(method, url, headers, body).into_parts();
    let body = rest.read_to_string().unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    Answer { status: head.status.as_u16(), body, headers: head.headers }
}

/// Gets something.
#[must_use]
pub fn get(url: &str) -> Answer {
    ask("GET", url, &[], "")
}

/// A stream of messages to a client, one JSON text a line after a line of padding.
pub struct Stream {
    lines: Lines<BufReader<BodyReader<'static>>>,
    /// How many bytes of padding came first.
    pub padding: usize,
}

impl Stream {
    /// Opens it.
    ///
    /// # Panics
    /// When it is not opened.
    #[must_use]
    pub fn open(url: &str) -> Self {
        let response = send("POST", url, &[], "");
        assert_eq!(response.status().as_u16(), 200, "{url}");
        assert_eq!(response.headers()["content-type"], "application/octet-stream", "{url}");
        let mut lines = BufReader::new(response.into_body().into_reader()).lines();
        let first = lines.next().expect("a stream says something").expect("it is text");
        let padding = if first.bytes().all(|byte| byte == b'0') { first.len() } else { 0 };
        assert!(padding > 0, "no padding but {first}");
        Self { lines, padding }
    }

    /// The next message; `None` at its end. Words that clients ignore are passed over.
    ///
    /// # Panics
    /// When nothing comes, or what comes is no JSON.
    pub fn hears(&mut self) -> Option<Value> {
        loop {
            let word = self.hears_any()?;
            if word["type"] != "HEARTBEAT" {
                return Some(word);
            }
        }
    }

    /// The next line, whatever it is; `None` at the end.
    ///
    /// # Panics
    /// When nothing comes, or what comes is no JSON.
    pub fn hears_any(&mut self) -> Option<Value> {
        let line = self.lines.next()?.expect("a stream goes on or ends");
        Some(serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}")))
    }
}

fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> ureq::http::Response<ureq::Body> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_recv_body(Some(PATIENCE))
        .build()
        .into();
    let method = Method::from_bytes(method.as_bytes()).expect("a method is a word");
    let mut request = Request::builder().method(method.clone()).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answered = if method == Method::POST || method == Method::PUT {
        agent.run(request.body(body.to_owned()).expect("a request that can be sent"))
    } else {
        agent.run(request.body(()).expect("a request that can be sent"))
    };
    answered.unwrap_or_else(|error| panic!("{method} {url}: {error}"))
}
