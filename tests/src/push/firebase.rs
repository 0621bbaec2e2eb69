//! Firebase, as far as a server sees it: access tokens for service accounts, and FCM HTTP v1.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use serde_json::{Map, Value, json};

use super::listener::{Answer, Listener, Request};
use crate::wait::eventually;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

/// A project and its service account.
pub struct Project {
    /// Its name.
    pub id: String,
    /// What Firebase's console hands out.
    pub account: Value,
}

/// The service. It speaks for the token service too.
pub struct Firebase {
    listener: Listener,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    origin: String,
    /// By the address of the account: the public key, and the project.
    accounts: BTreeMap<String, (Vec<u8>, String)>,
    /// Projects by the access tokens that are good.
    tokens: BTreeMap<String, String>,
    /// How long an access token is good, in seconds.
    lasts: u64,
    exchanges: usize,
    received: Vec<(String, Value)>,
    refusals: Vec<String>,
    scripted: VecDeque<Answer>,
}

impl Firebase {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State { lasts: 3_600, ..State::default() }));
        let judged = state.clone();
        let listener = Listener::start(move |request| {
            let mut state = lock(&judged);
            match request.path.as_str() {
                "/token" => exchange(&mut state, request),
                _ => send(&mut state, request),
            }
        });
        lock(&state).origin = listener.origin();
        Self { listener, state }
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn origin(&self) -> String {
        self.listener.origin()
    }

    /// Adds a project with an account of its own.
    ///
    /// # Panics
    /// When the system can make no key.
    #[must_use]
    pub fn project(&self, id: &str) -> Project {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("the system makes keys");
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("a key");
        let pem = STANDARD.encode(pkcs8.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n");
        let email = format!("push@{id}.iam.gserviceaccount.com");
        let public = pair.public_key().as_ref().to_vec();
        lock(&self.state).accounts.insert(email.clone(), (public, id.to_owned()));
        let account = json!({
            "type": "service_account",
            "project_id": id,
            "private_key_id": "0123",
            "private_key": pem,
            "client_email": email,
            "token_uri": format!("{}/token", self.origin()),
        });
        Project { id: id.to_owned(), account }
    }

    /// Has access tokens end so soon, in seconds.
    pub fn let_tokens_last(&self, seconds: u64) {
        lock(&self.state).lasts = seconds;
    }

    /// Takes back every access token.
    pub fn void_tokens(&self) {
        lock(&self.state).tokens.clear();
    }

    /// Has the next message refused with this status and documented error code.
    pub fn answer_next(&self, status: u16, code: &str, retry_after: Option<u64>) {
        let answer = refusal(status, code);
        let answer = match retry_after {
            Some(seconds) => answer.with("Retry-After", seconds),
            None => answer,
        };
        lock(&self.state).scripted.push_back(answer);
    }

    /// The message of this number, counted from 0, and the project that it was sent in, once it is there.
    ///
    /// # Panics
    /// When it does not come.
    #[must_use]
    pub fn message(&self, number: usize) -> (String, Value) {
        eventually("a message", || {
            let state = lock(&self.state);
            assert!(state.refusals.is_empty(), "Firebase refused: {:?}", state.refusals);
            state.received.get(number).cloned()
        })
    }

    /// How many messages came.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.state).received.len()
    }

    /// How often an access token was asked for.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        lock(&self.state).exchanges
    }

    /// What was refused, and why.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        lock(&self.state).refusals.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The OAuth 2.0 grant by a signed assertion (RFC 7523).
fn exchange(state: &mut State, request: &Request) -> Answer {
    state.exchanges += 1;
    match grant(state, request) {
        Ok(project) => {
            let token = format!("ya29.{}", state.exchanges);
            state.tokens.insert(token.clone(), project);
            let granted =
                json!({ "access_token": token, "expires_in": state.lasts, "token_type": "Bearer" });
            Answer::new(200, granted.to_string()).with("Content-Type", "application/json")
        }
        Err(why) => {
            state.refusals.push(why.to_owned());
            Answer::new(
                400,
                json!({ "error": "invalid_grant", "error_description": why }).to_string(),
            )
        }
    }
}

fn grant(state: &State, request: &Request) -> Result<String, &'static str> {
    if request.header("content-type") != Some("application/x-www-form-urlencoded") {
        return Err("not a form");
    }
    let body = String::from_utf8_lossy(&request.body).replace("%3A", ":");
    let form: BTreeMap<_, _> = body.split('&').filter_map(|one| one.split_once('=')).collect();
    if form.get("grant_type") != Some(&"urn:ietf:params:oauth:grant-type:jwt-bearer") {
        return Err("another grant_type");
    }
    let assertion = form.get("assertion").ok_or("no assertion")?;
    let decode = |text: &str| BASE64.decode(text).map_err(|_| "not URL-safe base64");
    let (signed, signature) = assertion.rsplit_once('.').ok_or("no JWT")?;
    let (head, claims) = signed.split_once('.').ok_or("no JWT")?;
    let read = |part: &str| -> Result<Value, &'static str> {
        serde_json::from_slice(&decode(part)?).map_err(|_| "not JSON")
    };
    let (head, claims) = (read(head)?, read(claims)?);
    if head["alg"] != "RS256" {
        return Err("not RS256");
    }
    let issuer = claims["iss"].as_str().ok_or("no iss")?;
    let (key, project) = state.accounts.get(issuer).ok_or("no such account")?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| "the signature is wrong")?;
    if claims["aud"] != format!("{}/token", state.origin) {
        return Err("for another audience");
    }
    if claims["scope"] != SCOPE {
        return Err("another scope");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let issued = claims["iat"].as_u64().ok_or("iat is no number")?;
    let expires = claims["exp"].as_u64().ok_or("exp is no number")?;
    if issued > now + 60 || expires <= now || expires - issued > 3_600 {
        return Err("not good for at most an hour from now");
    }
    Ok(project.clone())
}

/// `POST /v1/projects/PROJECT/messages:send`
fn send(state: &mut State, request: &Request) -> Answer {
    let token = request.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
    let Some(allowed) = token.and_then(|token| state.tokens.get(token)).cloned() else {
        return refusal(401, "UNAUTHENTICATED");
    };
    if let Some(answer) = state.scripted.pop_front() {
        return answer;
    }
    let project = request.path.strip_prefix("/v1/projects/");
    let project = project.and_then(|rest| rest.strip_suffix("/messages:send"));
    let Some(project) = project.filter(|project| *project == allowed) else {
        state.refusals.push(format!("{} for the account of {allowed}", request.path));
        return refusal(403, "PERMISSION_DENIED");
    };
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if let Err(why) = check(&body) {
        state.refusals.push(why);
        return refusal(400, "INVALID_ARGUMENT");
    }
    state.received.push((project.to_owned(), body["message"].clone()));
    let name = format!("projects/{project}/messages/{}", state.received.len());
    Answer::new(200, json!({ "name": name }).to_string()).with("Content-Type", "application/json")
}

fn refusal(status: u16, code: &str) -> Answer {
    let kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
    let error = json!({ "error": {
        "code": status, "message": code, "status": code,
        "details": [{ "@type": kind, "errorCode": code }],
    } });
    Answer::new(status, error.to_string()).with("Content-Type", "application/json")
}

/// The schema of a message: what it does not know is refused, as Google's servers do.
fn check(body: &Value) -> Result<(), String> {
    let message = known(body, "the request", &["message", "validate_only"])?
        .get("message")
        .ok_or("no message")?;
    let members = ["token", "data", "notification", "android", "apns", "webpush", "fcm_options"];
    let message = known(message, "message", &members)?;
    if !message.get("token").is_some_and(Value::is_string) {
        return Err("message.token is no text".to_owned());
    }
    let mut bytes = 0;
    for (key, value) in texts(message.get("data"), "message.data")? {
        let is_reserved = ["from", "message_type"].contains(&key.as_str())
            || ["google", "gcm"].iter().any(|start| key.starts_with(start));
        if is_reserved {
            return Err(format!("message.data.{key} is reserved"));
        }
        bytes += key.len() + value.len();
    }
    if bytes > 4_096 {
        return Err("message.data is larger than 4,096 bytes".to_owned());
    }
    if let Some(android) = message.get("android") {
        let members =
            ["collapse_key", "priority", "ttl", "restricted_package_name", "data", "notification"];
        let android = known(android, "message.android", &members)?;
        let priority = android.get("priority").and_then(Value::as_str).unwrap_or("NORMAL");
        if !["NORMAL", "HIGH"].contains(&priority) {
            return Err(format!("message.android.priority is {priority}"));
        }
        let ttl = android.get("ttl").and_then(Value::as_str).unwrap_or("0s");
        let seconds = ttl.strip_suffix('s').and_then(|seconds| seconds.parse::<f64>().ok());
        if seconds.is_none_or(|seconds| !(0.0..=2_419_200.0).contains(&seconds)) {
            return Err(format!("message.android.ttl is {ttl}"));
        }
    }
    for (name, members) in [
        ("apns", &["headers", "payload", "fcm_options"][..]),
        ("webpush", &["headers", "data", "notification", "fcm_options"]),
    ] {
        let Some(part) = message.get(name) else { continue };
        let part = known(part, name, members)?;
        texts(part.get("headers"), name)?;
    }
    Ok(())
}

fn known<'a>(
    value: &'a Value,
    place: &str,
    members: &[&str],
) -> Result<&'a Map<String, Value>, String> {
    let object = value.as_object().ok_or_else(|| format!("{place} is no object"))?;
    match object.keys().find(|key| !members.contains(&key.as_str())) {
        Some(key) => Err(format!("{place} has no member {key}")),
        None => Ok(object),
    }
}

fn texts(value: Option<&Value>, place: &str) -> Result<BTreeMap<String, String>, String> {
    let Some(value) = value else { return Ok(BTreeMap::new()) };
    serde_json::from_value(value.clone()).map_err(|_| format!("{place} holds more than texts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_the_schema_does_not_know_is_refused() {
        let good = json!({ "message": { "token": "t", "data": { "a": "b" }, "android": { "ttl": "3s" } } });
        assert_eq!(check(&good), Ok(()));

        for (bad, why) in [
            (json!({ "message": { "token": "t", "x": 1 } }), "no member x"),
            (json!({ "message": { "token": "t", "data": { "n": 1 } } }), "more than texts"),
            (json!({ "message": { "token": "t", "data": { "from": "a" } } }), "reserved"),
            (json!({ "message": { "data": {} } }), "no text"),
            (json!({ "message": { "token": "t", "android": { "ttl": "60" } } }), "ttl"),
            (json!({ "message": { "token": "t", "data": { "a": "x".repeat(5_000) } } }), "larger"),
        ] {
            assert!(check(&bad).unwrap_err().contains(why), "{bad}");
        }
    }
}
