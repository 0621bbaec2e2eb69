//! The keys of an issuer: found by OpenID Connect discovery, kept while it is away, fetched anew when one is missing.

use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use reqwest::{StatusCode, Url};
use serde_json::{Map, Value};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::client::{Answer, Client, Trouble, skew};
use super::discovery::{discover, endpoint};

/// After this the keys are fetched anew, so that a key that was taken back counts no longer.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// How long not to ask again after asking in vain. Guess: one who floods us with made-up keys costs the issuer little.
const PACE: Duration = Duration::from_secs(5);

/// Keys of one issuer. RFC 7517 sets no bound; guess.
const KEYS_MAX: usize = 100;

/// A key that signs.
#[derive(Clone)]
pub(super) struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, if it says so.
    algorithm: Option<String>,
    pub(super) key: DecodingKey,
}

/// What was fetched, and when.
#[derive(Clone, Default)]
struct Known {
    keys: Arc<Vec<Key>>,
    fetched: Option<Instant>,
    /// When asking last brought nothing.
    vain: Option<Instant>,
}

/// The keys of one issuer.
pub(super) struct Keys {
    issuer: String,
    /// Where they are, when discovery is not to be asked.
    place: Option<Url>,
    client: Client,
    known: RwLock<Known>,
    fetching: Mutex<()>,
}

impl Keys {
    pub(super) fn new(issuer: String, place: Option<Url>, client: Client) -> Self {
        Self { issuer, place, client, known: RwLock::default(), fetching: Mutex::default() }
    }

    /// The keys that could have signed a token whose header says so; `None` when the issuer has not been reached yet.
    pub(super) async fn candidates(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Option<Vec<Key>> {
        let known = self.known();
        let found = matching(&known.keys, id, algorithm);
        let is_fresh = known.fetched.is_some_and(|at| at.elapsed() < FRESH);
        if found.is_empty() {
            let alone = self.fetching.lock().await;
            self.refresh(&known, alone).await;
        } else if let Some(alone) = self.fetching.try_lock().ok().filter(|_| !is_fresh) {
            // One request looks for newer keys; the others go on with those there are.
            self.refresh(&known, alone).await;
        } else {
            return Some(found);
        }
        let known = self.known();
        known.fetched?;
        let found = matching(&known.keys, id, algorithm);
        if found.is_empty() {
            self.change(|known| known.vain = Some(Instant::now()));
        }
        Some(found)
    }

    /// Fetches the keys unless somebody has since `seen`, or has just asked in vain.
    async fn refresh(&self, seen: &Known, _alone: MutexGuard<'_, ()>) {
        let known = self.known();
        if known.fetched != seen.fetched || known.vain.is_some_and(|at| at.elapsed() < PACE) {
            return;
        }
        let now = Some(Instant::now());
        match self.fetch().await {
            Ok(keys) => {
                tracing::debug!(keys = keys.len(), "Fetched the issuer's keys");
                self.change(|known| {
                    *known = Known { keys: Arc::new(keys), fetched: now, vain: None }
                });
            }
            Err(trouble) => {
                tracing::warn!(trouble, "The issuer's keys cannot be fetched");
                self.change(|known| known.vain = now);
            }
        }
    }

    /// Asks for the keys once.
    pub(super) async fn fetch(&self) -> Result<Vec<Key>, Trouble> {
        let place = match &self.place {
            Some(place) => place.clone(),
            None => self.discover().await?,
        };
        let (set, _) = self.object(&place, "the key set").await?;
        let Some(Value::Array(keys)) = set.get("keys") else {
            return Err("its key set has no \"keys\"".to_owned());
        };
        // A key of a kind that we do not know is somebody else's (RFC 7517 §5).
        let keys: Vec<Key> = keys.iter().filter_map(read).take(KEYS_MAX).collect();
        if keys.is_empty() {
            return Err("its key set has no key that we could check a signature with".to_owned());
        }
        Ok(keys)
    }

    /// Where the keys are, by the issuer's own word.
    async fn discover(&self) -> Result<Url, Trouble> {
        let about = discover(&self.client, &self.issuer).await?;
        endpoint(&about, "jwks_uri", &self.issuer)
    }

    /// How far the issuer's clock is from ours, when there are keys.
    pub(super) async fn probe(&self) -> Result<Option<Duration>, Trouble> {
        self.fetch().await?;
        let place = match &self.place {
            Some(place) => place.clone(),
            None => self.discover().await?,
        };
        let (_, date) = self.object(&place, "the key set").await?;
        Ok(skew(date))
    }

    async fn object(
        &self,
        place: &Url,
        what: &str,
    ) -> Result<(Map<String, Value>, Option<SystemTime>), Trouble> {
        let Answer { status, date, members } = self.client.ask(self.client.get(place)).await?;
        members
            .filter(|_| status == StatusCode::OK)
            .map(|members| (members, date))
            .ok_or_else(|| format!("{what}: status {} without a JSON object", status.as_u16()))
    }

    fn known(&self) -> Known {
        self.known.read().expect("nobody panics while it is locked").clone()
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().expect("nobody panics while it is locked"));
    }
}

fn matching(keys: &[Key], id: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
    let fits = |key: &&Key| {
        (id.is_none() || key.id.as_deref() == id)
            && key.key.family() == algorithm.family()
            && key.algorithm.as_deref().is_none_or(|only| is_word(only, algorithm))
    };
    keys.iter().filter(fits).cloned().collect()
}

/// A key of a set, if it is a public one that signs.
fn read(value: &Value) -> Option<Key> {
    let algorithm = value.get("alg").and_then(Value::as_str).map(str::to_owned);
    let mut plain = value.clone();
    // Said in words of our own, so that an algorithm of tomorrow spoils no key.
    plain.as_object_mut()?.remove("alg");
    let jwk: Jwk = serde_json::from_value(plain).ok()?;
    let signs = jwk.common.public_key_use.is_none_or(|purpose| purpose == PublicKeyUse::Signature)
        && jwk.common.key_operations.is_none_or(|all| all.contains(&KeyOperations::Verify));
    let key = DecodingKey::from_jwk(&Jwk { common: Default::default(), algorithm: jwk.algorithm });
    let key = key.ok().filter(|key| signs && key.family() != AlgorithmFamily::Hmac)?;
    Some(Key { id: jwk.common.key_id, algorithm, key })
}

/// Whether this is how headers and key sets write the algorithm.
fn is_word(text: &str, algorithm: Algorithm) -> bool {
    text.parse() == Ok(algorithm)
}
