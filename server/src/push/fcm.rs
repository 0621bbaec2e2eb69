//! Firebase Cloud Messaging, HTTP v1: for installs that were made with the operator's own Firebase project.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, StatusCode, redirect};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::web::retry_after;
use super::{Outcome, Push};

/// What an access token is asked for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// Where messages go unless the operator says otherwise.
const API: &str = "https://fcm.googleapis.com";
/// How long an assertion is good: the most that the token service takes.
const ASSERTION: Duration = Duration::from_secs(3_600);
/// How long before its end an access token is not used any more.
const MARGIN: Duration = Duration::from_secs(60);
/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// The service account of a project, as Firebase's console hands it out.
#[derive(Clone, Deserialize)]
pub(crate) struct ServiceAccount {
    project_id: String,
    private_key: String,
    #[serde(default)]
    private_key_id: Option<String>,
    client_email: String,
    token_uri: String,
}

/// A project as the operator describes it.
#[derive(Clone)]
pub(crate) struct Project {
    /// What tokens of `hullo token new --namespace` name it by.
    pub(crate) namespace: String,
    account: ServiceAccount,
    /// What its apps are told, if they are to get it here: the configuration of the web app, and the key of its
    /// certificate for Web Push.
    pub(crate) told: Option<(Value, String)>,
}

/// One Firebase project.
pub(crate) struct Fcm {
    pub(crate) project: Project,
    key: EncodingKey,
    api: String,
    client: Client,
    /// The access token and when it ends. The lock is held while one is fetched, so that one is fetched for all.
    token: Mutex<Option<(String, SystemTime)>>,
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl ServiceAccount {
    fn key(&self) -> anyhow::Result<EncodingKey> {
        EncodingKey::from_rsa_pem(self.private_key.as_bytes())
            .context("The private key of the service account cannot be read")
    }
}

impl Project {
    /// Reads the text of a file: the JSON of a service account, or an object that has it as `service_account`.
    ///
    /// # Errors
    ///
    /// When it is neither, or has a key that cannot be read.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            namespace: Option<String>,
            service_account: ServiceAccount,
            config: Option<Map<String, Value>>,
            vapidkey: Option<String>,
        }
        let value: Value = serde_json::from_str(text).context("It is not JSON")?;
        let project = if value.get("service_account").is_some() {
            let whole: Whole = serde_json::from_value(value)
                .context("It has more than namespace, service_account, config and vapidkey")?;
            let told = match (whole.config, whole.vapidkey) {
                (Some(config), Some(key)) => Some((Value::Object(config), key)),
                (None, None) => None,
                _ => bail!("It has one of config and vapidkey, which apps need together"),
            };
            let account = whole.service_account;
            let namespace = whole.namespace.unwrap_or_else(|| account.project_id.clone());
            Self { namespace, account, told }
        } else {
            let account: ServiceAccount =
                serde_json::from_value(value).context("It is not the JSON of a service account")?;
            Self { namespace: account.project_id.clone(), account, told: None }
        };
        project.account.key()?;
        Ok(project)
    }
}

/// What a service account holds is never logged.
impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Project").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl Fcm {
    /// A client for this project; `api` in place of Google's.
    pub(crate) fn new(project: Project, api: Option<String>) -> anyhow::Result<Self> {
        let key = project.account.key()?;
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .context("The client for Firebase cannot be made")?;
        let api = api.unwrap_or_else(|| API.to_owned());
        Ok(Self { project, key, api, client, token: Mutex::new(None) })
    }

    /// Sends once, and once more with a fresh access token when the one at hand is refused.
    pub(crate) async fn send(&self, token: &str, push: &Push<'_>) -> anyhow::Result<Outcome> {
        let message = message(token, push)?;
        for attempt in 0..2 {
            let access = self.access_token().await?;
            let id = &self.project.account.project_id;
            let url = format!("{}/v1/projects/{id}/messages:send", self.api);
            let answer = self.client.post(url).bearer_auth(access).json(&message).send().await;
            let answer = answer.map_err(reqwest::Error::without_url);
            let answer = answer.context("Firebase cannot be reached")?;
            if answer.status() == StatusCode::UNAUTHORIZED && attempt == 0 {
                *self.token.lock().await = None;
                continue;
            }
            let (status, later) = (answer.status(), retry_after(answer.headers()));
            if status.is_success() {
                return Ok(Outcome::Taken);
            }
            let error: Value = answer.json().await.unwrap_or_default();
            return Ok(outcome(status, &error, later));
        }
        Ok(Outcome::Refused)
    }

    async fn access_token(&self) -> anyhow::Result<String> {
        let mut token = self.token.lock().await;
        let now = SystemTime::now();
        if let Some((token, ends)) = &*token
            && now + MARGIN < *ends
        {
            return Ok(token.clone());
        }
        let account = &self.project.account;
        let iat = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let assertion = Assertion {
            iss: &account.client_email,
            scope: SCOPE,
            aud: &account.token_uri,
            iat,
            exp: iat + ASSERTION.as_secs(),
        };
        let mut header = Header::new(Algorithm::RS256);
        header.kid.clone_from(&account.private_key_id);
        let assertion = jsonwebtoken::encode(&header, &assertion, &self.key)
            .context("The assertion for Firebase cannot be signed")?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", &assertion),
        ];
        let answer = self.client.post(&account.token_uri).form(&form).send().await;
        let answer = answer.context("Firebase's token service cannot be reached")?;
        if !answer.status().is_success() {
            bail!("Firebase's token service refused the service account: {}", answer.status());
        }
        let granted: Granted = answer.json().await.context("The answer has no access token")?;
        let ends = now + Duration::from_secs(granted.expires_in);
        *token = Some((granted.access_token.clone(), ends));
        Ok(granted.access_token)
    }
}

/// The message for one device. Firebase takes only strings as data, so what is none goes as its JSON text.
fn message(token: &str, push: &Push<'_>) -> anyhow::Result<Value> {
    let data: Map<String, Value> =
        serde_json::from_str(push.text).context("A message is a JSON object")?;
    let data: Map<String, Value> = data
        .into_iter()
        .map(|(key, value)| {
            let text = value.as_str().map(str::to_owned);
            (key, Value::String(text.unwrap_or_else(|| value.to_string())))
        })
        .collect();
    let seconds = push.left.as_secs().max(1);
    let expiration = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (android, apns, web) =
        if push.is_urgent { ("HIGH", "10", "high") } else { ("NORMAL", "5", "normal") };
    let mut message = json!({
        "token": token,
        "data": data,
        "android": { "priority": android, "ttl": format!("{seconds}s") },
        "apns": { "headers": {
            "apns-expiration": (expiration + seconds).to_string(),
            "apns-priority": apns,
        } },
        "webpush": { "headers": { "TTL": seconds.to_string(), "Urgency": web } },
    });
    if let Some(topic) = push.topic {
        message["android"]["collapse_key"] = json!(topic);
        message["apns"]["headers"]["apns-collapse-id"] = json!(topic);
        message["webpush"]["headers"]["Topic"] = json!(topic);
    }
    Ok(json!({ "message": message }))
}

/// What became of a message that was not taken, by the documented error codes.
fn outcome(status: StatusCode, error: &Value, later: Option<Duration>) -> Outcome {
    let details = error["error"]["details"].as_array();
    let code = details.and_then(|details| details.iter().find_map(|one| one["errorCode"].as_str()));
    match (status, code) {
        (_, Some("UNREGISTERED" | "SENDER_ID_MISMATCH")) | (StatusCode::NOT_FOUND, _) => {
            Outcome::Gone
        }
        (StatusCode::TOO_MANY_REQUESTS, _) => Outcome::Later(later),
        (status, _) if status.is_server_error() => Outcome::Later(later),
        _ => Outcome::Refused,
    }
}
