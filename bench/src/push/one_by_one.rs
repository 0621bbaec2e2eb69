//! A design to measure against: each request asks the same store three questions, then sends to one contact after the other.
//!
//! As the first server of this API did, it has a fresh access token for every message; or, on wish, one for all. Either way
//! it is better off than that one was: compiled, with a pool of connections to the store, and without limits or rules.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tests::push::{Answer, Listener, Request};
use tokio::runtime::Handle;

/// What it works with.
struct Server {
    runtime: Handle,
    store: SqlitePool,
    account: Value,
    key: EncodingKey,
    firebase: String,
    /// The access token that is kept, if one is to be.
    kept: Option<Mutex<Option<String>>>,
}

/// Serves until it is killed. The words: the file of the store, that of the account, Firebase's origin, and `kept` or
/// nothing.
pub(crate) fn serve(words: &[String]) -> Result<()> {
    let [file, account, firebase, rest @ ..] = words else { anyhow::bail!("too few words") };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build()?;
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new().max_connections(4);
    let store = runtime.block_on(pool.connect_with(options))?;
    let account: Value = serde_json::from_str(&fs::read_to_string(account)?)?;
    let pem = account["private_key"].as_str().context("an account has a key")?;
    let key = EncodingKey::from_rsa_pem(pem.as_bytes())?;
    let kept = (!rest.is_empty()).then(Mutex::default);
    let (handle, firebase) = (runtime.handle().clone(), firebase.clone());
    let server = Arc::new(Server { runtime: handle, store, account, key, firebase, kept });
    let listener = Listener::start(move |request| {
        server.send(request).unwrap_or_else(|error| Answer::new(500, format!("{error:#}")))
    });
    println!("listening on {}", listener.origin());
    loop {
        std::thread::park();
    }
}

impl Server {
    fn send(&self, request: &Request) -> Result<Answer> {
        let bearer = request.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
        let token = Sha256::digest(bearer.context("no token")?);
        let hash: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
        let sender: (String, String) = self.runtime.block_on(
            sqlx::query_as("SELECT user_name, instance FROM tokens WHERE hash = $1")
                .bind(hash)
                .fetch_one(&self.store),
        )?;
        let _namespace: (String,) = self.runtime.block_on(
            sqlx::query_as("SELECT value FROM secrets WHERE name = 'push-key'")
                .fetch_one(&self.store),
        )?;
        let body: Value = serde_json::from_slice(&request.body)?;
        let to = body["to"].as_str().context("nobody to send to")?;
        let contacts: Vec<(String, String)> = self.runtime.block_on(
            sqlx::query_as(
                "SELECT contact, instance FROM tokens WHERE user_name = $1 AND contact IS NOT NULL AND contact_expires > \
                 $2",
            )
            .bind(to)
            .bind(i64::try_from(now().as_millis())?)
            .fetch_all(&self.store),
        )?;
        let mut count = 0;
        for (contact, instance) in contacts {
            let mut data = body["data"].clone();
            // Firebase takes only text.
            data["TTL"] = json!(data["TTL"].to_string());
            data["From"] = json!(format!("{}/{}", sender.0, sender.1));
            data["To"] = json!(format!("{to}/{instance}"));
            self.push(&contact, data)?;
            count += 1;
        }
        let status = if count > 0 { 200 } else { 404 };
        Ok(Answer::new(status, json!({ "count": count }).to_string()))
    }

    fn push(&self, contact: &str, data: Value) -> Result<()> {
        let message = json!({ "validate_only": false, "message": {
            "token": contact,
            "android": { "priority": "HIGH", "ttl": "45s", "collapse_key": "call" },
            "webpush": { "headers": { "TTL": "45", "Urgency": "high" } },
            "data": data,
        }});
        let project = self.account["project_id"].as_str().context("an account has a project")?;
        let answer = ureq::post(format!("{}/v1/projects/{project}/messages:send", self.firebase))
            .header("authorization", format!("Bearer {}", self.access()?))
            .header("content-type", "application/json")
            .send(message.to_string());
        // Nothing fails in these loads, so whatever does is a fault of the measurement.
        answer.context("a message was not taken")?;
        Ok(())
    }

    fn access(&self) -> Result<String> {
        let Some(kept) = &self.kept else { return self.exchange() };
        let mut kept = kept.lock().expect("nobody panics while it is locked");
        match &*kept {
            Some(token) => Ok(token.clone()),
            None => Ok(kept.insert(self.exchange()?).clone()),
        }
    }

    fn exchange(&self) -> Result<String> {
        let now = now().as_secs();
        let audience = self.account["token_uri"].as_str().context("an account has this address")?;
        let claims = json!({
            "iss": self.account["client_email"],
            "scope": "https://www.googleapis.com/auth/firebase.messaging",
            "aud": audience, "iat": now, "exp": now + 3_600,
        });
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)?;
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let form = format!("grant_type={}&assertion={assertion}", grant.replace(':', "%3A"));
        let mut granted = ureq::post(audience)
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form)?;
        let granted: Value = serde_json::from_str(&granted.body_mut().read_to_string()?)?;
        Ok(granted["access_token"].as_str().context("a token is granted")?.to_owned())
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
