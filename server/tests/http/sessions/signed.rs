//! Signed tokens of an OpenID Connect issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::issuer::{Issuer, Signer};
use super::stand_in::seconds_from_now;
use crate::harness::{House, settings_of};

#[tokio::test]
async fn tokens_are_read_by_each_way_to_sign() {
    for algorithm in
        [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
    {
        for id in [Some("k1"), None] {
            let signer = Signer::new(id, algorithm);
            let issuer = Issuer::open(vec![strange_key(), signer.public()]).await;
            let house = open(&issuer, &[]).await;

            let answer = house.call(&signer.sign(&issuer.claims()), "GET", "/session", "").await;

            assert_eq!(answer.status, 200, "{algorithm:?}: {}", answer.text);
            assert_eq!(answer.json()["email"], "alice");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_not_for_us_now_lets_nobody_in() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    let house = open(&issuer, &[]).await;

    for (member, value, status) in [
        ("aud", json!(["other", "hullo"]), 200),
        ("nbf", Value::Null, 200),
        ("exp", json!(seconds_from_now(60) as f64 + 0.5), 200),
        ("aud", json!("other"), 401),
        ("aud", Value::Null, 401),
        ("iss", json!("https://evil.example.com"), 401),
        ("iss", Value::Null, 401),
        ("exp", json!(seconds_from_now(-60)), 401),
        ("exp", Value::Null, 401),
        ("exp", json!("tomorrow"), 401),
        ("nbf", json!(seconds_from_now(60)), 401),
        ("sub", Value::Null, 401),
        ("sub", json!("two words"), 401),
        ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} }), 401),
    ] {
        let mut claims = issuer.claims();
        claims[member] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(member);
        }

        let answer = house.call(&signer.sign(&claims), "GET", "/session", "").await;

        assert_eq!(answer.status, status, "{member} {value}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_signature_that_proves_nothing_lets_nobody_in() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    let house = open(&issuer, &[]).await;
    let claims = issuer.claims();
    let good = signer.sign(&claims);
    let of_another = Signer::new(Some("k1"), Algorithm::ES256).sign(&claims);
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let mut mallory = claims.clone();
    mallory["sub"] = json!("mallory");
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let symmetric = |key: &[u8]| {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("k1".to_owned());
        encode(&header, &claims, &EncodingKey::from_secret(key)).unwrap()
    };
    let mut critical = Header::new(Algorithm::ES256);
    critical.kid = Some("k1".to_owned());
    critical.crit = Some(vec!["b64".to_owned()]);

    for (what, token) in [
        ("another key of the same name", of_another),
        ("other claims under a signature", format!("{head}.{}.{signature}", part(&mallory))),
        ("no signature", format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims))),
        ("half a signature", good[..good.len() - 4].to_owned()),
        ("a secret for a key", symmetric(issuer_key(&signer).as_bytes())),
        ("an extension that must be understood", signer.sign_as(&critical, &claims)),
        ("no token", "no.token.at-all-here".to_owned()),
    ] {
        assert_eq!(house.call(&token, "GET", "/session", "").await.status, 401, "{what}");
    }
    assert_eq!(house.call(&good, "GET", "/session", "").await.status, 200);
}

#[tokio::test]
async fn only_the_ways_to_sign_that_the_operator_allows_count() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    let house = open(&issuer, &[("session_algorithms", "RS256, EdDSA")]).await;

    let refused = house.call(&signer.sign(&issuer.claims()), "GET", "/session", "").await;

    assert_eq!(refused.status, 401);
    assert_eq!(issuer.asked(), 0, "no key is looked for");
}

#[tokio::test]
async fn a_new_key_is_fetched_when_it_is_first_used_and_the_old_one_counts_no_longer() {
    let [old, new] = [Some("old"), Some("new")].map(|id| Signer::new(id, Algorithm::ES256));
    let issuer = Issuer::open(vec![old.public()]).await;
    let house = open(&issuer, &[("session_cache", "0")]).await;
    let by_old = old.sign(&issuer.claims());
    assert_eq!(house.call(&by_old, "GET", "/session", "").await.status, 200);

    issuer.publish(vec![new.public()]);

    let by_new = new.sign(&issuer.claims());
    assert_eq!(house.call(&by_new, "GET", "/session", "").await.status, 200);
    assert_eq!(house.call(&by_old, "GET", "/session", "").await.status, 401);
}

#[tokio::test]
async fn made_up_keys_cost_the_issuer_little() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    let house = open(&issuer, &[]).await;
    assert_eq!(house.call(&signer.sign(&issuer.claims()), "GET", "/session", "").await.status, 200);
    let asked = issuer.asked();

    for id in ["x1", "x2", "x3", "x4", "x5", "x6"] {
        let made_up = Signer::new(Some(id), Algorithm::ES256);
        let refused = house.call(&made_up.sign(&issuer.claims()), "GET", "/session", "").await;
        assert_eq!(refused.status, 401);
    }

    assert!(issuer.asked() <= asked + 2, "asked {} times", issuer.asked() - asked);
}

#[tokio::test]
async fn an_absent_issuer_keeps_newcomers_out_until_it_was_reached_once() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    issuer.be_away(true);
    let house = open(&issuer, &[("session_cache", "0")]).await;
    let token = signer.sign(&issuer.claims());

    let refused = house.call(&token, "GET", "/session", "").await;
    assert_eq!(refused.refusal(), (503, "sessions-unavailable".to_owned()));

    issuer.be_away(false);
    let house = open(&issuer, &[("session_cache", "0")]).await;
    assert_eq!(house.call(&token, "GET", "/session", "").await.status, 200);
    issuer.be_away(true);
    assert_eq!(house.call(&token, "GET", "/session", "").await.status, 200, "its keys are known");
}

#[tokio::test]
async fn an_issuer_cannot_speak_for_another() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    issuer.pose_as("https://id.example.com");
    let house = open(&issuer, &[]).await;

    let refused = house.call(&signer.sign(&issuer.claims()), "GET", "/session", "").await;

    assert_eq!(refused.refusal().0, 503);
}

#[tokio::test]
async fn a_key_set_may_be_named_instead_of_found() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    issuer.pose_as("nobody asks this document");
    let keys = format!("{}/keys", issuer.url);
    let house = open(&issuer, &[("session_jwks", &keys)]).await;

    let answer = house.call(&signer.sign(&issuer.claims()), "GET", "/session", "").await;

    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    let house = open(&issuer, &[]).await;
    let mut claims = issuer.claims();
    // Clocks may differ by ten seconds.
    claims["exp"] = json!(seconds_from_now(-8));

    let mut alice = house.live(&signer.sign(&claims)).await;

    alice.hear_goodbye().await;
}

#[tokio::test]
async fn whoever_the_issuer_says_has_left_is_out_at_once_and_stays_out() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    // Nobody is asked about again by the clock.
    let house = open(&issuer, &[("session_recheck", "3600")]).await;
    let of = |session: &str, subject: &str| {
        let mut claims = issuer.claims();
        claims["sid"] = json!(session);
        claims["sub"] = json!(subject);
        claims["iat"] = json!(seconds_from_now(-30));
        signer.sign(&claims)
    };
    let tokens = [of("s1", "alice"), of("s2", "alice"), of("s3", "bob")];
    let mut laptop = house.live(&tokens[0]).await;
    let mut phone = house.live(&tokens[1]).await;
    let mut bob = house.live(&tokens[2]).await;
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let mut logout = issuer.claims();
    logout["events"] = event;
    logout["iat"] = json!(seconds_from_now(0));

    let mut by_session = logout.clone();
    by_session["sid"] = json!("s1");
    assert_eq!(post(&house, &signer.sign(&by_session)).await, 200);
    laptop.hear_goodbye().await;
    phone.hears_nothing_more().await;

    assert_eq!(post(&house, &signer.sign(&logout)).await, 200);
    phone.hear_goodbye().await;
    bob.hears_nothing_more().await;
    for (token, status) in tokens.iter().zip([401, 401, 200]) {
        assert_eq!(house.call(token, "GET", "/session", "").await.status, status);
    }
    let mut later = issuer.claims();
    later["iat"] = json!(seconds_from_now(2));
    assert_eq!(house.call(&signer.sign(&later), "GET", "/session", "").await.status, 200);
}

#[tokio::test]
async fn a_logout_that_the_issuer_did_not_say_is_refused() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    let house = open(&issuer, &[]).await;
    let mut logout = issuer.claims();
    logout["events"] = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let with = |member: &str, value: Value| {
        let mut claims = logout.clone();
        claims[member] = value;
        signer.sign(&claims)
    };

    for (what, token) in [
        ("another key", Signer::new(Some("k1"), Algorithm::ES256).sign(&logout)),
        ("another issuer", with("iss", json!("https://evil.example.com"))),
        ("another audience", with("aud", json!("other"))),
        ("expired", with("exp", json!(seconds_from_now(-60)))),
        ("no event", with("events", json!({}))),
        ("an id token", with("nonce", json!("n"))),
        ("nobody", with("sub", json!(7))),
        ("no token", "x".to_owned()),
    ] {
        assert_eq!(post(&house, &token).await, 400, "{what}");
    }
    let accounts = House::open_as(&[]).await;
    assert_eq!(post(&accounts, &signer.sign(&logout)).await, 404);
}

async fn post(house: &House, token: &str) -> u16 {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("logout_token={token}");
    house.ask("POST", "/session/logout", &form, &body).await.status.as_u16()
}

#[tokio::test]
async fn check_says_whether_the_issuer_can_be_used() {
    let signer = Signer::new(Some("k1"), Algorithm::ES256);
    let issuer = Issuer::open(vec![signer.public()]).await;
    let data = tempfile::tempdir().unwrap();
    let flags = [("session_issuer", issuer.url.as_str()), ("session_audience", "hullo")];
    let settings = settings_of(data.path().to_owned(), &flags).unwrap();
    let mut said = Vec::new();

    for is_away in [false, true] {
        issuer.be_away(is_away);
        let findings = server::check(&settings, crate::harness::WEB).await;
        let about = findings.into_iter().find(|finding| finding.text.contains("session service"));
        said.push(about.expect("a finding").verdict);
    }

    assert_eq!(said, [server::Verdict::Fine, server::Verdict::Broken]);
}

/// A key of a kind that nobody knows, which must not spoil the set.
fn strange_key() -> Value {
    json!({ "kty": "XYZ", "kid": "k1", "alg": "X42", "x": "AA" })
}

fn issuer_key(signer: &Signer) -> String {
    signer.public()["x"].as_str().expect("a coordinate").to_owned()
}

async fn open(issuer: &Issuer, flags: &[(&str, &str)]) -> House {
    let always = [("session_issuer", issuer.url.as_str()), ("session_audience", "hullo")];
    House::open_as(&[&always, flags].concat()).await
}
