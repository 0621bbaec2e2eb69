//! Judges of sessions that check everything the real ones would, and note what they find wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The name and the secret of the server under test; both hold what has to be encoded before it is Basic.
pub(crate) const CLIENT: (&str, &str) = ("hullo:1", "s e%cret+");

/// What a judge does with a question.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    /// Judges.
    #[default]
    Well,
    /// Answers so, whatever was asked.
    Says(u16, &'static str, String),
    /// Never answers.
    Hangs,
}

/// A judge on loopback.
#[derive(Clone)]
pub(crate) struct Judge {
    pub(crate) url: String,
    notes: Arc<Mutex<Notes>>,
    asked: Arc<watch::Sender<usize>>,
}

#[derive(Default)]
struct Notes {
    sessions: BTreeMap<String, Value>,
    mood: Mood,
    faults: Vec<String>,
    /// Questions that wait for an answer now, and the most there were.
    at_once: [usize; 2],
}

/// A question that waits.
struct Waiting(Judge);

impl Waiting {
    fn at(judge: &Judge) -> Self {
        let mut notes = judge.notes.lock().expect("no panic");
        let [now, most] = &mut notes.at_once;
        *now += 1;
        *most = (*now).max(*most);
        Self(judge.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.notes.lock().expect("no panic").at_once[0] -= 1;
    }
}

impl Judge {
    pub(crate) async fn open() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", socket.local_addr().expect("it is bound"));
        let judge = Self { url, notes: Arc::default(), asked: Arc::new(watch::channel(0).0) };
        let router = Router::new()
            .route("/whoami", get(whoami))
            .route("/batch", post(batch))
            .route("/introspect", post(introspect))
            .with_state(judge.clone());
        tokio::spawn(axum::serve(socket, router).into_future());
        judge
    }

    /// From now on, `token` is this session.
    pub(crate) fn grant(&self, token: &str, session: Value) {
        self.notes.lock().expect("no panic").sessions.insert(token.to_owned(), session);
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.notes.lock().expect("no panic").sessions.remove(token).expect("it was granted");
    }

    pub(crate) fn be(&self, mood: Mood) {
        self.notes.lock().expect("no panic").mood = mood;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// How many questions waited at once, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.notes.lock().expect("no panic").at_once[1]
    }

    /// Waits until it was asked `more` times from here on.
    pub(crate) async fn is_asked(&self, more: usize) {
        let mut asked = self.asked.subscribe();
        let goal = *asked.borrow() + more;
        let reached = asked.wait_for(|count| *count >= goal);
        tokio::time::timeout(PATIENCE, reached).await.expect("it is asked in time").expect("open");
    }

    /// Nothing that it was asked broke the rules.
    pub(crate) fn is_content(&self) {
        assert_eq!(self.notes.lock().expect("no panic").faults, [""; 0]);
    }

    fn count(&self) {
        self.asked.send_modify(|count| *count += 1);
    }

    fn mood(&self) -> Mood {
        self.notes.lock().expect("no panic").mood.clone()
    }

    fn session(&self, token: &str) -> Option<Value> {
        self.notes.lock().expect("no panic").sessions.get(token).cloned()
    }

    fn blame(&self, fault: impl Into<String>) {
        self.notes.lock().expect("no panic").faults.push(fault.into());
    }
}

/// `GET /whoami`: the session service of `docs/protocol.md`.
async fn whoami(State(judge): State<Judge>, request: Request) -> Response {
    judge.count();
    let headers = request.headers();
    if headers.contains_key(header::COOKIE) || request.uri().query().is_some() {
        judge.blame("a cookie or a query came along");
    }
    if text(headers, "accept") != "application/json" {
        judge.blame("the question does not accept JSON");
    }
    if let Some(answer) = out_of_mood(&judge).await {
        return answer;
    }
    let Some(token) = text(headers, "authorization").strip_prefix("Bearer ") else {
        judge.blame("no bearer token");
        return StatusCode::BAD_REQUEST.into_response();
    };
    match judge.session(token) {
        Some(session) => axum::Json(session).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// `POST /batch`: the same about many.
async fn batch(State(judge): State<Judge>, headers: HeaderMap, body: Bytes) -> Response {
    judge.count();
    if text(&headers, "content-type") != "application/json" {
        judge.blame("the body is no JSON");
    }
    if let Some(answer) = out_of_mood(&judge).await {
        return answer;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(tokens) = body["tokens"].as_array().filter(|tokens| tokens.len() <= 200) else {
        judge.blame(format!("no list of up to 200 tokens: {body}"));
        return StatusCode::BAD_REQUEST.into_response();
    };
    let session = |token: &Value| judge.session(token.as_str().unwrap_or_default());
    let sessions: Vec<_> = tokens.iter().map(session).collect();
    axum::Json(json!({ "sessions": sessions })).into_response()
}

/// `POST /introspect`: RFC 7662 §2.1.
async fn introspect(State(judge): State<Judge>, headers: HeaderMap, body: Bytes) -> Response {
    judge.count();
    if let Some(answer) = out_of_mood(&judge).await {
        return answer;
    }
    if !is_client(text(&headers, "authorization")) {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"introspection\"")];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    }
    if text(&headers, "content-type") != "application/x-www-form-urlencoded" {
        judge.blame("the body is no form");
    }
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    if form.get("token_type_hint").is_none_or(|hint| hint != "access_token") || form.len() != 2 {
        judge.blame(format!("another form: {:?}", form.keys()));
    }
    let session = form.get("token").and_then(|token| judge.session(token));
    axum::Json(session.unwrap_or_else(|| json!({ "active": false }))).into_response()
}

/// RFC 6749 §2.3.1: both parts are form-encoded inside Basic.
fn is_client(authorization: &str) -> bool {
    use base64::Engine as _;
    let decode = |part: &str| {
        let pair = format!("x={part}");
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    let basic = authorization.strip_prefix("Basic ").unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD.decode(basic).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    let (id, secret) = text.split_once(':').unwrap_or_default();
    (decode(id).as_deref(), decode(secret).as_deref()) == (Some(CLIENT.0), Some(CLIENT.1))
}

async fn out_of_mood(judge: &Judge) -> Option<Response> {
    let _waiting = Waiting::at(judge);
    match judge.mood() {
        Mood::Well => None,
        Mood::Says(status, kind, body) => {
            let status = StatusCode::from_u16(status).expect("a status");
            let headers = [(header::CONTENT_TYPE, kind), (header::LOCATION, "/whoami")];
            Some((status, headers, body).into_response())
        }
        Mood::Hangs => std::future::pending().await,
    }
}

/// A header as text; empty when there is not exactly one.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    }
}

/// Seconds since the Unix epoch, `ahead` of now.
pub(crate) fn seconds_from_now(ahead: i64) -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the end of time") + ahead
}
