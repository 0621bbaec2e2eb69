//! Tokens that are bound to a key: of use to whoever has the key, and to nobody who copied the token.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use serde_json::{Value, json};
use server::TokenCommand;
use sha2::{Digest as _, Sha256};

use crate::harness::{Answer, House, text};

const CAROL: &str = "carol@example.com";
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn the_first_proof_binds_a_token_and_the_token_alone_is_refused_everywhere_then() {
    let house = House::open_as(&[("peerjs_open", "true")]).await;
    let token = house.token(CAROL).await;
    let key = Key::new();
    assert_eq!(
        house.call(&token, "GET", "/session", "").await.status,
        200,
        "a bearer token before"
    );

    assert_eq!(key.ask(&house, &token, "GET", "/session").await.status, 200);

    let cookie = format!("hullo={token}");
    let bearer = format!("Bearer {token}");
    for (header, value) in [("cookie", &cookie), ("authorization", &bearer)] {
        for path in ["/session", "/contacts", "/session/devices", "/contacts/rules"] {
            let refused = house.ask("GET", path, &[(header, value)], "").await;
            assert_eq!(refused.refusal(), (401, "proof-needed".to_owned()), "{header} {path}");
            assert!(refused.header("www-authenticate").starts_with("DPoP "), "{path}");
        }
        let own = ("origin", format!("http://{}", house.host));
        let headers = [(header, value.as_str()), (own.0, own.1.as_str())];
        assert_eq!(house.dial(&headers).await.err(), Some(StatusCode::UNAUTHORIZED), "{header}");
        let peer = format!("/peerjs?key=peerjs&id={CAROL}&token=guess");
        let refused = house.ask("GET", &peer, &[(header, value)], "").await;
        assert_ne!(refused.status, 200);
    }
    // Where PeerJS puts it, over both of its ways.
    let body = json!({ "token": token }).to_string();
    let login = house.ask("POST", "/session", &[JSON], &body).await;
    assert_eq!(login.refusal(), (401, "proof-needed".to_owned()));
    let asked = house.ask("GET", &format!("/peerjs/id?token={token}"), &[], "").await;
    assert_eq!(asked.refusal(), (401, "proof-needed".to_owned()));
    let streamed = house.ask("POST", &format!("/peerjs/{CAROL}/{token}/id?i=1"), &[], "").await;
    assert!(streamed.text.contains("bound to the key"), "{}", streamed.text);
    // It goes on where the key is.
    assert_eq!(key.ask(&house, &token, "GET", "/session").await.status, 200);
}

#[tokio::test]
async fn when_a_token_is_bound_what_it_let_in_without_a_proof_ends_and_says_why() {
    let house = House::open_as(&[("peerjs_open", "true")]).await;
    let token = house.token(CAROL).await;
    let key = Key::new();
    let mut copied = house.live(&token).await;
    let at = format!("/peerjs?key=peerjs&id={CAROL}&token={token}");
    let mut peer = house.dial_at(&at, &[]).await.expect("it opens");
    assert_eq!(peer.hear().await["type"], "OPEN");
    let mut other = house.live(&house.token("dora@example.com").await).await;

    // The binding and the owner's own socket, which stays.
    let proof = key.proof(&house, "GET", "/live", Some(&token), 0);
    let headers = [("authorization", format!("DPoP {token}")), ("dpop", proof)];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut own = house.dial(&headers).await.expect("it opens");
    assert_eq!(own.hear().await["type"], "welcome");

    assert_eq!(copied.hear().await, json!({ "type": "goodbye", "reason": "proof-needed" }));
    assert_eq!(copied.hear_close().await, 1008);
    let told = peer.hear().await;
    assert_eq!(told["type"], "ERROR");
    assert!(told.to_string().contains("bound to a key"), "{told}");
    assert_eq!(peer.hear_close().await, 1008);
    // Two rounds of the watch later, they are still there.
    other.hears_nothing_more().await;
    own.hears_nothing_more().await;
}

#[tokio::test]
async fn another_key_does_not_do_and_a_proof_is_good_once() {
    let house = House::open().await;
    let token = house.token(CAROL).await;
    let (key, thief) = (Key::new(), Key::new());
    key.ask(&house, &token, "GET", "/session").await;

    let stolen = thief.ask(&house, &token, "GET", "/session").await;
    assert_eq!(stolen.refusal(), (401, "bound-elsewhere".to_owned()));

    let proof = key.proof(&house, "GET", "/session", Some(&token), 0);
    let first = with(&house, &token, &proof, "GET", "/session").await;
    let again = with(&house, &token, &proof, "GET", "/session").await;
    let elsewhere = key.proof(&house, "GET", "/session", Some(&token), 0);
    let elsewhere = with(&house, &token, &elsewhere, "GET", "/contacts").await;
    let unnamed = key.proof(&house, "GET", "/session", None, 0);
    let unnamed = with(&house, &token, &unnamed, "GET", "/session").await;
    assert_eq!(first.status, 200);
    for refused in [again, elsewhere, unnamed] {
        assert_eq!(refused.refusal(), (401, "proof-refused".to_owned()));
    }
}

#[tokio::test]
async fn behind_a_proxy_that_changes_host_or_path_the_answer_says_so_and_the_link_stays_good() {
    let house = House::open().await;
    let body = json!({ "code": house.codes[0] }).to_string();
    let key = Key::new();
    let asked = |path: &'static str, host: &'static str| {
        let proof = key.proof(&house, "POST", path, None, 0);
        let (house, body) = (&house, body.as_str());
        async move {
            let headers = [JSON, ("dpop", proof.as_str()), ("host", host)];
            house.ask("POST", "/session", &headers, body).await
        }
    };

    let stripped = asked("/phone/session", "127.0.0.1").await;
    let said = text(&stripped.json(), "message");
    assert_eq!(stripped.refusal(), (401, "proof-refused".to_owned()));
    for part in [&format!("{}/phone/session", house.host), "127.0.0.1/session", "--base-path"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let proof = key.proof(&house, "POST", "/session", None, 0);
    let login = house.ask("POST", "/session", &[JSON, ("dpop", &proof)], &body).await;
    assert_eq!(login.status, 200);
}

#[tokio::test]
async fn a_wrong_clock_is_told_and_the_answer_has_the_time() {
    let house = House::open().await;
    let token = house.token(CAROL).await;

    for (skew, word) in [(-4_000, "4000 s behind"), (4_000, "4000 s ahead")] {
        let proof = Key::new().proof(&house, "GET", "/session", Some(&token), skew);
        let refused = with(&house, &token, &proof, "GET", "/session").await;

        assert_eq!(refused.refusal(), (401, "proof-stale".to_owned()));
        // To the second, and the clock may have moved one on.
        let said = refused.json()["message"]
            .as_str()
            .unwrap()
            .replace("3999", "4000")
            .replace("4001", "4000");
        assert!(said.contains(word) && said.contains("Date"), "{said}");
        assert_ne!(refused.header("date"), "");
    }
    // A proof that does not count binds nothing.
    assert_eq!(house.call(&token, "GET", "/session", "").await.status, 200);
}

#[tokio::test]
async fn a_peerjs_page_beside_the_web_app_is_let_in_as_the_guest_it_is_without_the_cookie() {
    let house = House::open_as(&[("peerjs_open", "true")]).await;
    let token = house.token("carol").await;
    Key::new().ask(&house, &token, "GET", "/session").await;
    let (cookie, origin) = (format!("hullo={token}"), format!("http://{}", house.host));
    let headers = [("cookie", cookie.as_str()), ("origin", origin.as_str())];
    let client = async |id: &str, token: &str| {
        let at = format!("/peerjs?key=peerjs&id={id}&token={token}");
        house.dial_at(&at, &headers).await.expect("it opens").hear().await
    };

    let named = house.ask("GET", "/peerjs/id", &headers, "").await;
    assert_eq!((named.status.as_u16(), named.text.len()), (200, 36), "a random name");
    assert_eq!(client("visitor", "guess").await["type"], "OPEN");
    // A token that the page itself presents is believed or refused, never overlooked.
    assert_eq!(client("visitor", &token).await["type"], "ERROR");

    let closed = House::open_as(&[]).await;
    let token = closed.token("carol").await;
    Key::new().ask(&closed, &token, "GET", "/session").await;
    let cookie = format!("hullo={token}");
    let named = closed.ask("GET", "/peerjs/id", &[("cookie", cookie.as_str())], "").await;
    assert_eq!(named.refusal(), (401, "proof-needed".to_owned()));
}

#[tokio::test]
async fn a_browser_that_logs_in_with_its_key_is_bound_and_its_socket_opens_by_a_proof_in_the_address()
 {
    let house = House::open().await;
    let key = Key::new();
    let body = json!({ "code": house.codes[0] }).to_string();
    let proof = key.proof(&house, "POST", "/session", None, 0);

    let login = house.ask("POST", "/session", &[JSON, ("dpop", &proof)], &body).await;
    let cookie = login.cookie();

    assert_eq!(login.status, 200);
    let copied = house.ask("GET", "/session", &[("cookie", &cookie)], "").await;
    assert_eq!(copied.refusal(), (401, "proof-needed".to_owned()));
    let origin = format!("http://{}", house.host);
    let headers = [("cookie", cookie.as_str()), ("origin", origin.as_str())];
    assert_eq!(house.dial(&headers).await.err(), Some(StatusCode::UNAUTHORIZED));
    let at = |proof: &str| format!("/live?proof={proof}");
    let proof = key.proof(&house, "GET", "/live", None, 0);
    let mut live = house.dial_at(&at(&proof), &headers).await.expect("it opens");
    assert_eq!(live.hear().await["type"], "welcome");
    let twice = house.dial_at(&at(&proof), &headers).await.err();
    assert_eq!(twice, Some(StatusCode::UNAUTHORIZED), "a proof is good for one socket");

    let list = house.token_command(TokenCommand::List { user: None }).await.unwrap();
    assert!(list.contains("bound to its key"), "{list}");
    let proof = key.proof(&house, "GET", "/session/devices", None, 0);
    let headers = [("cookie", cookie.as_str()), ("dpop", proof.as_str())];
    let devices = house.ask("GET", "/session/devices", &headers, "").await;
    assert_eq!(devices.json()[0]["is_bound"], true);
}

#[tokio::test]
async fn a_browser_that_lost_its_key_is_rid_of_its_cookie_and_logs_in_anew() {
    let house = House::open().await;
    let (old, new) = (Key::new(), Key::new());
    let body = json!({ "code": house.codes[0] }).to_string();
    let proof = old.proof(&house, "POST", "/session", None, 0);
    let login = house.ask("POST", "/session", &[JSON, ("dpop", &proof)], &body).await;
    let cookie = login.cookie();

    let own = ("origin", format!("http://{}", house.host));
    let proof = new.proof(&house, "DELETE", "/session", None, 0);
    let headers = [("cookie", cookie.as_str()), ("dpop", proof.as_str()), (own.0, own.1.as_str())];
    let out = house.ask("DELETE", "/session", &headers, "").await;
    let proof = new.proof(&house, "POST", "/session", None, 0);
    let again = house.ask("POST", "/session", &[JSON, ("dpop", &proof)], &body).await;

    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{}", out.header("set-cookie"));
    assert_eq!(again.status, 200);
    // The token of the lost key is not ended by whoever holds only the token.
    let list = house.token_command(TokenCommand::List { user: None }).await.unwrap();
    assert_eq!(list.matches("bound to its key").count(), 2, "{list}");
}

async fn with(house: &House, token: &str, proof: &str, method: &str, path: &str) -> Answer {
    let authorization = format!("DPoP {token}");
    house.ask(method, path, &[("authorization", &authorization), ("dpop", proof)], "").await
}

/// The key of an install.
pub(crate) struct Key(EcdsaKeyPair);

impl Key {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a fresh key"))
    }

    pub(crate) async fn ask(&self, house: &House, token: &str, method: &str, path: &str) -> Answer {
        let proof = self.proof(house, method, path, Some(token), 0);
        with(house, token, &proof, method, path).await
    }

    /// A fresh proof by a clock that is `skew` seconds ahead.
    fn proof(
        &self,
        house: &House,
        method: &str,
        path: &str,
        token: Option<&str>,
        skew: i64,
    ) -> String {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) });
        let head = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_secs();
        let mut number = [0; 16];
        getrandom::fill(&mut number).expect("random numbers");
        let mut claims = json!({
            "jti": text(&number),
            "htm": method,
            "htu": format!("http://{}{path}", house.host),
            "iat": i64::try_from(now).expect("a date") + skew,
        });
        if let Some(token) = token {
            claims["ath"] = json!(text(&Sha256::digest(token.as_bytes())));
        }
        let part = |value: &Value| text(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&head), part(&claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).expect("it signs");
        format!("{signed}.{}", text(signature.as_ref()))
    }
}
