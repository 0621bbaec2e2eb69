//! Logging in, staying in, logging out.

use serde_json::json;
use server::{TokenCommand, UserCommand};

use crate::harness::House;

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_token_logs_a_browser_in_by_a_cookie_that_scripts_cannot_read() {
    let house = House::open().await;
    let token = house.token("carol@example.com").await;

    let login =
        house.ask("POST", "/session", &[JSON], &json!({ "token": token }).to_string()).await;
    let whoami = house.ask("GET", "/session", &[("cookie", &login.cookie())], "").await;

    assert_eq!(login.status, 200);
    assert_eq!(login.json(), json!({ "email": "carol@example.com" }));
    assert_eq!(
        login.header("set-cookie"),
        format!("hullo={token}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax")
    );
    assert_eq!(whoami.json()["email"], "carol@example.com");
    assert_eq!(whoami.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_code_gives_every_browser_a_token_of_its_own() {
    let house = House::open().await;
    let body = json!({ "code": house.codes[0] }).to_string();
    let agent = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0");

    let one = house.ask("POST", "/session", &[JSON, agent], &body).await;
    let other = house.ask("POST", "/session", &[JSON], &body).await;
    let list = house.token_command(TokenCommand::List { user: None }).await.unwrap();

    assert_eq!(one.json()["email"], "alice@example.com");
    assert_ne!(one.cookie(), other.cookie());
    assert!(list.contains("Firefox on Linux") && list.contains("Unknown device"), "{list}");
}

#[tokio::test]
async fn what_is_no_token_and_no_code_is_refused() {
    let house = House::open().await;

    for body in [json!({ "token": "guess" }), json!({ "code": "guess" })] {
        let answer = house.ask("POST", "/session", &[JSON], &body.to_string()).await;
        assert_eq!(answer.refusal(), (401, "not-logged-in".to_owned()));
        assert_eq!(answer.header("set-cookie"), "");
    }
    for body in [r#"{"pin":"1"}"#, "{", "", "[]"] {
        let answer = house.ask("POST", "/session", &[JSON], body).await;
        assert_eq!(answer.refusal(), (400, "malformed".to_owned()), "{body}");
    }
    let nobody = house.ask("GET", "/session", &[], "").await;
    assert_eq!(nobody.refusal(), (401, "not-logged-in".to_owned()));
    assert_eq!(nobody.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn logging_out_ends_the_live_sockets_and_a_browsers_own_token() {
    let house = House::open().await;
    let body = json!({ "code": house.codes[0] }).to_string();
    let cookie = house.ask("POST", "/session", &[JSON], &body).await.cookie();
    let token = cookie.split_once('=').unwrap().1;
    let mut ear = house.live(token).await;
    let origin = format!("http://{}", house.host);

    let out =
        house.ask("DELETE", "/session", &[("cookie", &cookie), ("origin", &origin)], "").await;
    ear.hear_goodbye().await;
    let after = house.ask("GET", "/session", &[("cookie", &cookie)], "").await;
    let again = house.ask("DELETE", "/session", &[("cookie", &cookie)], "").await;

    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").starts_with("hullo=; Path=/; Max-Age=0"));
    assert_eq!(after.status, 401);
    assert_eq!(again.refusal().1, "foreign-origin");
}

#[tokio::test]
async fn a_token_of_the_operator_outlives_a_log_out() {
    let house = House::open().await;
    let token = house.token("carol@example.com").await;

    house.call(&token, "DELETE", "/session", "").await;

    assert_eq!(house.call(&token, "GET", "/session", "").await.status, 200);
}

#[tokio::test]
async fn pages_of_other_sites_can_neither_log_in_nor_act_for_one_who_is() {
    let house = House::open().await;
    let token = house.token("carol@example.com").await;
    let cookie = format!("hullo={token}");
    let login = json!({ "token": token }).to_string();
    let own = format!("http://{}", house.host);
    let put = r#"{"contact":"live"}"#;

    let foreign = ("origin", "https://evil.example");
    let refused = house.ask("POST", "/session", &[JSON, foreign], &login).await;
    assert_eq!(refused.refusal(), (403, "foreign-origin".to_owned()));

    for headers in [
        vec![foreign],
        vec![],
        vec![("origin", "null")],
        vec![("origin", own.as_str()), ("sec-fetch-site", "cross-site")],
    ] {
        let headers = [headers, vec![JSON, ("cookie", cookie.as_str())]].concat();
        let refused = house.ask("PUT", "/contacts", &headers, put).await;
        assert_eq!(refused.refusal(), (403, "foreign-origin".to_owned()), "{headers:?}");
    }
    let ours = [JSON, ("cookie", cookie.as_str()), ("origin", own.as_str())];
    assert_eq!(house.ask("PUT", "/contacts", &ours, put).await.status, 200);
}

#[tokio::test]
async fn off_the_machine_the_cookie_is_secure_and_plain_http_is_explained() {
    let house = House::open().await;
    let token = house.token("carol@example.com").await;
    let login = json!({ "token": token }).to_string();
    let host = ("host", "calls.example.com");

    let https = [JSON, host, ("origin", "https://calls.example.com")];
    let secure = house.ask("POST", "/session", &https, &login).await;
    assert_eq!(secure.cookie(), format!("__Host-hullo={token}"));
    assert!(secure.header("set-cookie").ends_with("HttpOnly; SameSite=Lax; Secure"));
    let cookie = secure.cookie();
    assert_eq!(house.ask("GET", "/session", &[host, ("cookie", &cookie)], "").await.status, 200);

    let http = [JSON, host, ("origin", "http://calls.example.com")];
    let refused = house.ask("POST", "/session", &http, &login).await;
    assert_eq!(refused.refusal(), (403, "insecure-origin".to_owned()));

    let plain = format!("hullo={token}");
    let disbelieved = house.ask("GET", "/session", &[host, ("cookie", &plain)], "").await;
    assert_eq!(disbelieved.status, 401);
}

#[tokio::test]
async fn a_restart_keeps_browsers_logged_in_and_voids_old_links() {
    let house = House::open().await;
    let body = json!({ "code": house.codes[0] }).to_string();
    let cookie = house.ask("POST", "/session", &[JSON], &body).await.cookie();

    let house = house.reopen().await;

    assert_eq!(house.ask("GET", "/session", &[("cookie", &cookie)], "").await.status, 200);
    assert_eq!(house.ask("POST", "/session", &[JSON], &body).await.status, 401);
}

#[tokio::test]
async fn a_link_of_the_operator_logs_one_browser_in() {
    let house = House::open().await;
    let user = || "carol@example.com".to_owned();
    let nobody = house.user_command(UserCommand::Link { user: user(), hours: 24 }).await;
    house.user_command(UserCommand::Add { user: user() }).await.unwrap();

    let said = house.user_command(UserCommand::Link { user: user(), hours: 24 }).await.unwrap();
    let link = said.lines().next().unwrap();
    let code = link.strip_prefix(&format!("http://{}/#code=", house.host)).expect(link);
    let body = json!({ "code": code }).to_string();
    let first = house.ask("POST", "/session", &[JSON], &body).await;
    let second = house.ask("POST", "/session", &[JSON], &body).await;

    assert!(nobody.unwrap_err().to_string().contains("hullo user add carol@example.com"));
    assert_eq!(first.json()["email"], "carol@example.com");
    assert_eq!(second.refusal(), (401, "not-logged-in".to_owned()));
    assert!(said.contains('█') && said.contains("until "), "{said}");
}

#[tokio::test]
async fn a_link_leads_to_the_server_that_runs_whatever_port_it_got() {
    let house = House::open().await;
    let user = || "carol@example.com".to_owned();
    house.user_command(UserCommand::Add { user: user() }).await.unwrap();

    let command = UserCommand::Link { user: user(), hours: 1 };
    let said = house.user_command_of_few_words(command).await;

    let at = format!("http://{}", house.host);
    assert!(said.text.starts_with(&format!("{at}/#code=")), "{}", said.text);
    let note = said.note.expect("nobody told the address");
    assert!(note.contains(&at) && note.contains("--url"), "{note}");
}

#[tokio::test]
async fn of_two_who_open_a_link_at_once_one_gets_in() {
    let house = House::open().await;
    let user = || "carol@example.com".to_owned();
    house.user_command(UserCommand::Add { user: user() }).await.unwrap();
    let said = house.user_command(UserCommand::Link { user: user(), hours: 1 }).await.unwrap();
    let code = said.lines().next().unwrap().split_once("#code=").unwrap().1;
    let body = json!({ "code": code }).to_string();

    let tries = (0..8).map(|_| house.ask("POST", "/session", &[JSON], &body));
    let answers = futures_util::future::join_all(tries).await;

    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test]
async fn a_link_to_somebody_who_was_removed_logs_nobody_in() {
    let house = House::open().await;
    let user = || "carol@example.com".to_owned();
    house.user_command(UserCommand::Add { user: user() }).await.unwrap();
    let said = house.user_command(UserCommand::Link { user: user(), hours: 1 }).await.unwrap();
    let code = said.lines().next().unwrap().split_once("#code=").unwrap().1;
    house.user_command(UserCommand::Remove { user: user() }).await.unwrap();
    house.user_command(UserCommand::Add { user: user() }).await.unwrap();

    let answer = house.ask("POST", "/session", &[JSON], &json!({ "code": code }).to_string()).await;

    assert_eq!(answer.refusal(), (401, "not-logged-in".to_owned()));
}

#[tokio::test]
async fn where_there_is_no_other_way_to_log_in_none_is_offered() {
    let house = House::open().await;

    let ways = house.ask("GET", "/session/ways", &[], "").await;
    let mail = json!({ "email": "carol@example.com" }).to_string();
    let mail = house.ask("POST", "/session/mail", &[JSON], &mail).await;

    assert_eq!(ways.json(), json!({ "mail": false }));
    assert_eq!(mail.refusal(), (404, "not-found".to_owned()));
    assert_eq!(house.ask("GET", "/session/openid", &[], "").await.status, 404);
}

#[tokio::test]
async fn a_person_sees_where_they_are_logged_in_and_ends_it_there() {
    let house = House::open().await;
    let lost = house.token("carol@example.com").await;
    let kept = house.token("carol@example.com").await;
    let dave = house.token("dave@example.com").await;
    let mut phone = house.live(&lost).await;

    let list = house.call(&kept, "GET", "/session/devices", "").await.json();
    let list = list.as_array().unwrap();
    let other = list.iter().find(|device| device["is_this"] == false).unwrap();
    let path = format!("/session/devices/{}", other["id"].as_str().unwrap());
    let by_another = house.call(&dave, "DELETE", &path, "").await;
    let ended = house.call(&kept, "DELETE", &path, "").await;

    assert_eq!(list.len(), 2);
    assert_eq!(other["device"], "Test");
    assert_eq!(by_another.refusal(), (404, "not-found".to_owned()));
    assert_eq!(ended.status, 204);
    phone.hear_goodbye().await;
    assert_eq!(house.call(&lost, "GET", "/session", "").await.status, 401);
    assert_eq!(house.call(&kept, "GET", "/session", "").await.status, 200);
    let vague = house.call(&kept, "DELETE", "/session/devices/a", "").await;
    assert_eq!(vague.status, 404, "an id is a whole one");
}
