//! The push service of a browser (RFC 8030), which takes only what is sealed (RFC 8188) and signed (RFC 8292) rightly.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;

use super::Subscription;
use super::listener::{Answer, Gate, Listener, Request};
use crate::wait::eventually;

/// A push that was taken.
#[derive(Clone, Debug)]
pub struct Received {
    /// `TTL`, in seconds.
    pub ttl: u64,
    /// `Urgency`.
    pub urgency: Option<String>,
    /// `Topic`.
    pub topic: Option<String>,
    /// The sealed body.
    pub body: Vec<u8>,
}

/// The service.
pub struct PushService {
    listener: Listener,
    gate: Arc<Gate>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    origin: String,
    /// The key that may send to each subscription, by its path; `None` for one that is gone.
    keys: BTreeMap<String, Option<String>>,
    received: BTreeMap<String, Vec<Received>>,
    refusals: Vec<String>,
    /// What the next requests hear instead.
    scripted: VecDeque<Answer>,
}

impl PushService {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let gate = Arc::<Gate>::default();
        let (judged, passed) = (state.clone(), gate.clone());
        let listener = Listener::start(move |request| {
            if !passed.pass() {
                lock(&judged).refusals.push("the others did not come".to_owned());
            }
            judge(&mut lock(&judged), request)
        });
        lock(&state).origin = listener.origin();
        Self { listener, gate, state }
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn origin(&self) -> String {
        self.listener.origin()
    }

    /// Subscribes a browser to the messages of whoever has this key: uncompressed, URL-safe base64.
    #[must_use]
    pub fn subscribe(&self, key: &str) -> Subscription {
        let mut state = lock(&self.state);
        let path = format!("/push/to-browser-{}", state.keys.len());
        state.keys.insert(path.clone(), Some(key.to_owned()));
        Subscription::new(format!("{}{path}", state.origin))
    }

    /// Answers nobody before so many have asked: whoever asks for one after the other gets no answer in time.
    pub fn wait_for(&self, many: usize) {
        self.gate.wait_for(many);
    }

    /// The browser gave its subscription up.
    pub fn forget(&self, subscription: &Subscription) {
        lock(&self.state).keys.insert(self.path(subscription), None);
    }

    /// Has the next request hear this status, with `Retry-After` if given.
    pub fn answer_next(&self, status: u16, retry_after: Option<u64>) {
        let answer = Answer::new(status, "");
        let answer = match retry_after {
            Some(seconds) => answer.with("Retry-After", seconds),
            None => answer,
        };
        lock(&self.state).scripted.push_back(answer);
    }

    /// Has the next request hear that it should go elsewhere.
    pub fn redirect_next(&self, elsewhere: &str) {
        lock(&self.state).scripted.push_back(Answer::new(307, "").with("Location", elsewhere));
    }

    /// The push of this number for the subscription, counted from 0, once it is there.
    ///
    /// # Panics
    /// When it does not come.
    #[must_use]
    pub fn push(&self, subscription: &Subscription, number: usize) -> Received {
        let path = self.path(subscription);
        eventually("a push", || {
            let state = lock(&self.state);
            assert!(state.refusals.is_empty(), "the push service refused: {:?}", state.refusals);
            state.received.get(&path)?.get(number).cloned()
        })
    }

    /// How many pushes came for the subscription.
    #[must_use]
    pub fn count(&self, subscription: &Subscription) -> usize {
        lock(&self.state).received.get(&self.path(subscription)).map_or(0, Vec::len)
    }

    /// What was refused, and why.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        lock(&self.state).refusals.clone()
    }

    /// How often somebody connected.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.listener.connections()
    }

    fn path(&self, subscription: &Subscription) -> String {
        subscription.endpoint.strip_prefix(&self.origin()).unwrap_or_default().to_owned()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn judge(state: &mut State, request: &Request) -> Answer {
    if let Some(answer) = state.scripted.pop_front() {
        return answer;
    }
    match take(state, request) {
        Ok(received) => {
            state.received.entry(request.path.clone()).or_default().push(received);
            Answer::new(201, "").with("Location", format!("{}/message", state.origin))
        }
        Err((status, why)) => {
            // That somebody has gone is no fault of the sender's.
            if status != 410 {
                state.refusals.push(why.to_owned());
            }
            Answer::new(status, why)
        }
    }
}

fn take(state: &State, request: &Request) -> Result<Received, (u16, &'static str)> {
    if request.method != "POST" {
        return Err((405, "not POST"));
    }
    let key = state.keys.get(&request.path).ok_or((404, "no such subscription"))?;
    let key = key.as_deref().ok_or((410, "the subscription is gone"))?;
    let authorization = request.header("authorization").ok_or((401, "no Authorization"))?;
    authorize(authorization, key, &state.origin).map_err(|why| (403, why))?;

    let ttl = request.header("ttl").ok_or((400, "no TTL"))?;
    let ttl = ttl.parse().map_err(|_| (400, "TTL is no number of seconds"))?;
    let urgency = request.header("urgency").map(str::to_owned);
    let known = ["very-low", "low", "normal", "high"];
    if urgency.as_deref().is_some_and(|urgency| !known.contains(&urgency)) {
        return Err((400, "no such Urgency"));
    }
    let topic = request.header("topic").map(str::to_owned);
    let is_topic = |topic: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        (1..=32).contains(&topic.len()) && topic.bytes().all(plain)
    };
    if topic.as_deref().is_some_and(|topic| !is_topic(topic)) {
        return Err((400, "Topic is not at most 32 characters of URL-safe base64"));
    }
    if request.header("content-encoding") != Some("aes128gcm") {
        return Err((415, "Content-Encoding is not aes128gcm"));
    }
    if request.body.len() > 4_096 {
        return Err((413, "more than 4,096 bytes"));
    }
    // Salt, record size, a key of 65 bytes that begins as an uncompressed point does.
    if request.body.len() < 86 + 18 || request.body[20] != 65 || request.body[21] != 4 {
        return Err((400, "the body is not sealed as aes128gcm"));
    }
    Ok(Received { ttl, urgency, topic, body: request.body.clone() })
}

/// RFC 8292 §2 to §4.
fn authorize(header: &str, key: &str, origin: &str) -> Result<(), &'static str> {
    let parameters = header.strip_prefix("vapid ").ok_or("not by VAPID")?;
    let parameters: BTreeMap<_, _> =
        parameters.split(',').filter_map(|one| one.trim().split_once('=')).collect();
    let (token, shown) =
        (parameters.get("t").ok_or("no token")?, parameters.get("k").ok_or("no key")?);
    if *shown != key {
        return Err("not the key that the browser subscribed to");
    }
    let decode = |text: &str| BASE64.decode(text).map_err(|_| "not URL-safe base64");
    let (signed, signature) = token.rsplit_once('.').ok_or("no JWT")?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(shown)?)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| "the signature is wrong")?;
    let (head, claims) = signed.split_once('.').ok_or("no JWT")?;
    let read = |part: &str| -> Result<Value, &'static str> {
        serde_json::from_slice(&decode(part)?).map_err(|_| "not JSON")
    };
    let (head, claims) = (read(head)?, read(claims)?);
    if head["alg"] != "ES256" {
        return Err("not ES256");
    }
    if claims["aud"] != origin {
        return Err("for another audience");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let expires = claims["exp"].as_u64().ok_or("no exp")?;
    if expires <= now {
        return Err("expired");
    }
    if expires > now + 24 * 60 * 60 {
        return Err("good for more than a day");
    }
    let contact = &claims["sub"];
    let is_contact = |sub: &str| sub.starts_with("mailto:") || sub.starts_with("https:");
    if !contact.is_null() && !contact.as_str().is_some_and(is_contact) {
        return Err("sub is no contact");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    const ORIGIN: &str = "https://push.example";

    /// The header of an assertion with these claims, and the key that it shows.
    fn assertion(change: impl Fn(&mut Value)) -> (String, String) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = BASE64.encode(pair.public_key().as_ref());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({ "aud": ORIGIN, "exp": now + 60, "sub": "mailto:a@b" });
        change(&mut claims);
        let head = BASE64.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        let signed = format!("{head}.{}", BASE64.encode(claims.to_string()));
        let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        let signature = BASE64.encode(signature.as_ref());
        (format!("vapid t={signed}.{signature}, k={key}"), key)
    }

    fn authorized(change: impl Fn(&mut Value)) -> Result<(), &'static str> {
        let (header, key) = assertion(change);
        authorize(&header, &key, ORIGIN)
    }

    /// What becomes of a push that is right but for one header, or for its body.
    fn judged(
        header: Option<(&'static str, Option<&str>)>,
        body: Vec<u8>,
    ) -> Option<(u16, &'static str)> {
        let (authorization, key) = assertion(|_| {});
        let mut state = State { origin: ORIGIN.to_owned(), ..State::default() };
        state.keys.insert("/push/0".to_owned(), Some(key));
        let mut request = Request {
            method: "POST".to_owned(),
            path: "/push/0".to_owned(),
            body,
            ..Request::default()
        };
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("ttl", "45"),
            ("urgency", "high"),
            ("topic", "abc-_1"),
            ("content-encoding", "aes128gcm"),
        ];
        if let Some((name, value)) = header {
            headers.retain(|(known, _)| *known != name);
            headers.extend(value.map(|value| (name, value)));
        }
        request
            .headers
            .extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        take(&state, &request).err()
    }

    /// As long and as shaped as a sealed one.
    fn sealed() -> Vec<u8> {
        let mut body = vec![0; 200];
        (body[20], body[21]) = (65, 4);
        body
    }

    #[test]
    fn every_header_of_a_push_is_looked_at() {
        let long = "a".repeat(33);
        let with = |name, value| judged(Some((name, value)), sealed()).map(|(_, why)| why);

        assert_eq!(judged(None, sealed()), None, "it is right as it is");
        assert_eq!(with("authorization", None), Some("no Authorization"));
        assert_eq!(with("ttl", None), Some("no TTL"));
        assert_eq!(with("ttl", Some("soon")), Some("TTL is no number of seconds"));
        assert_eq!(with("ttl", Some("-1")), Some("TTL is no number of seconds"));
        assert_eq!(with("urgency", Some("urgent")), Some("no such Urgency"));
        assert_eq!(with("urgency", None), None, "RFC 8030 §5.3: it may be left out");
        let topic = Some("Topic is not at most 32 characters of URL-safe base64");
        assert_eq!(with("topic", Some("a b")), topic);
        assert_eq!(with("topic", Some(&long)), topic);
        let encoding = Some("Content-Encoding is not aes128gcm");
        assert_eq!(with("content-encoding", None), encoding);
        assert_eq!(with("content-encoding", Some("aesgcm")), encoding);
    }

    #[test]
    fn the_body_of_a_push_is_looked_at() {
        let mut keyless = sealed();
        keyless[21] = 2;

        assert_eq!(judged(None, vec![0; 5_000]).unwrap().0, 413);
        for body in [Vec::new(), vec![b'x'; 200], keyless] {
            assert_eq!(judged(None, body), Some((400, "the body is not sealed as aes128gcm")));
        }
    }

    #[test]
    fn an_assertion_must_be_for_this_service_and_in_time() {
        assert_eq!(authorized(|_| {}), Ok(()));
        let change = |name: &'static str, value: Value| {
            authorized(move |claims| claims[name] = value.clone())
        };
        assert_eq!(change("aud", "https://other.example".into()), Err("for another audience"));
        assert_eq!(change("exp", 1.into()), Err("expired"));
        assert_eq!(change("exp", u64::MAX.into()), Err("good for more than a day"));
        assert_eq!(change("exp", Value::Null), Err("no exp"));
        assert_eq!(change("sub", "me".into()), Err("sub is no contact"));
    }

    #[test]
    fn an_assertion_must_be_signed_by_the_key_that_was_subscribed_to() {
        let header = "vapid t=e30.e30.AAAA, k=BBBB";

        assert_eq!(authorize(header, "BBBB", ORIGIN), Err("the signature is wrong"));
        assert_eq!(
            authorize(header, "CCCC", ORIGIN),
            Err("not the key that the browser subscribed to")
        );
        assert_eq!(authorize("Bearer x", "BBBB", ORIGIN), Err("not by VAPID"));
    }

    #[test]
    fn what_a_push_must_have_is_asked_for() {
        // `take` comes to the rest only with an assertion; what is missing before is told first.
        let mut state = State { origin: ORIGIN.to_owned(), ..State::default() };
        state.keys.insert("/push/0".to_owned(), Some("k".to_owned()));
        state.keys.insert("/push/1".to_owned(), None);
        let request = |path: &str| Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            ..Request::default()
        };

        assert_eq!(take(&state, &request("/push/0")).unwrap_err().0, 401);
        assert_eq!(take(&state, &request("/push/1")).unwrap_err().0, 410);
        assert_eq!(take(&state, &request("/push/2")).unwrap_err().0, 404);
    }
}
