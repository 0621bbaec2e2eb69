//! An OpenID Connect issuer on loopback: a discovery document, a key set, and tokens signed with keys made here.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::stand_in::seconds_from_now;

/// A key that signs.
pub(crate) struct Signer {
    id: Option<&'static str>,
    algorithm: Algorithm,
    key: EncodingKey,
    /// The public half of an Ed25519 key, which the library does not find in what another one wrote.
    point: Option<String>,
}

impl Signer {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a test signs by few of many ways")]
    pub(crate) fn new(id: Option<&'static str>, algorithm: Algorithm) -> Self {
        let mut point = None;
        let key = match algorithm {
            Algorithm::ES256 => ec(&rcgen::PKCS_ECDSA_P256_SHA256),
            Algorithm::ES384 => ec(&rcgen::PKCS_ECDSA_P384_SHA384),
            Algorithm::EdDSA => {
                let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
                point = Some(URL_SAFE_NO_PAD.encode(pair.public_key_raw()));
                EncodingKey::from_ed_der(&pair.serialize_der())
            }
            Algorithm::RS256 | Algorithm::PS256 => {
                let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
                EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).expect("an RSA key")
            }
            _ => panic!("no test signs by {algorithm:?}"),
        };
        Self { id, algorithm, key, point }
    }

    /// The public half, as a key set has it.
    pub(crate) fn public(&self) -> Value {
        let mut jwk = match &self.point {
            Some(point) => json!({ "kty": "OKP", "crv": "Ed25519", "x": point }),
            None => {
                let jwk = Jwk::from_encoding_key(&self.key, self.algorithm);
                serde_json::to_value(jwk.expect("a public half")).expect("plain data")
            }
        };
        jwk["use"] = json!("sig");
        if let Some(id) = self.id {
            jwk["kid"] = json!(id);
        }
        jwk
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = self.id.map(str::to_owned);
        self.sign_as(&header, claims)
    }

    pub(crate) fn sign_as(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).expect("it can be signed")
    }
}

fn ec(kind: &'static rcgen::SignatureAlgorithm) -> EncodingKey {
    let pair = rcgen::KeyPair::generate_for(kind).expect("a key");
    EncodingKey::from_ec_der(&pair.serialize_der())
}

/// An issuer; what it publishes may change.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    shown: Arc<Mutex<Shown>>,
}

struct Shown {
    keys: Vec<Value>,
    name: Option<String>,
    is_away: bool,
    asked: usize,
}

impl Issuer {
    pub(crate) async fn open(keys: Vec<Value>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", socket.local_addr().expect("it is bound"));
        let shown = Shown { keys, name: None, is_away: false, asked: 0 };
        let issuer = Self { url, shown: Arc::new(Mutex::new(shown)) };
        let (one, other) = (issuer.clone(), issuer.clone());
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(|| async move { one.discovery() }))
            .route("/keys", get(|| async move { other.keys() }));
        tokio::spawn(axum::serve(socket, router).into_future());
        issuer
    }

    /// Publishes these keys and no others.
    pub(crate) fn publish(&self, keys: Vec<Value>) {
        self.shown.lock().expect("no panic").keys = keys;
    }

    /// Says that it is somebody else.
    pub(crate) fn pose_as(&self, name: &str) {
        self.shown.lock().expect("no panic").name = Some(name.to_owned());
    }

    pub(crate) fn be_away(&self, is_away: bool) {
        self.shown.lock().expect("no panic").is_away = is_away;
    }

    /// How often it was asked for keys.
    pub(crate) fn asked(&self) -> usize {
        self.shown.lock().expect("no panic").asked
    }

    /// Claims of a token that is good for `hullo`.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": self.url,
            "aud": "hullo",
            "sub": "alice",
            "exp": seconds_from_now(60),
            "nbf": seconds_from_now(-60),
        })
    }

    fn discovery(&self) -> Response {
        let shown = self.shown.lock().expect("no panic");
        if shown.is_away {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let name = shown.name.clone().unwrap_or_else(|| self.url.clone());
        let jwks_uri = format!("{}/keys", self.url);
        axum::Json(json!({ "issuer": name, "jwks_uri": jwks_uri })).into_response()
    }

    fn keys(&self) -> Response {
        let mut shown = self.shown.lock().expect("no panic");
        shown.asked += 1;
        if shown.is_away {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        axum::Json(json!({ "keys": shown.keys })).into_response()
    }
}
