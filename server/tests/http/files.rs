//! The web app's files.

use crate::harness::{House, WEB};

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn pages_come_with_a_strict_policy_and_are_asked_for_again() {
    let house = House::open().await;

    for (path, body) in
        [("/", "<p>call"), ("/wrapper", "<p>wrapper"), ("/conference?x=1", "<p>conference")]
    {
        let page = house.ask("GET", path, &[HTML], "").await;

        assert_eq!((page.status.as_u16(), page.text.as_str()), (200, body));
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "no-cache");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(page.header("permissions-policy").contains("camera=(self)"));
        let policy = page.header("content-security-policy");
        let sockets = format!("connect-src 'self' ws://{0} wss://{0};", house.host);
        for part in ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", &sockets] {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        assert!(!policy.contains("unsafe-inline"));
    }
}

#[tokio::test]
async fn where_nothing_is_a_person_reads_so_and_a_program_gets_json() {
    let house = House::open_with(WEB, "/calls/").await;

    for path in ["/calls/nothing-here", "/elsewhere"] {
        let page = house.ask("GET", path, &[HTML], "").await;
        assert_eq!(
            (page.status.as_u16(), page.header("content-type")),
            (404, "text/html; charset=utf-8")
        );
        assert!(page.text.contains("<a href=\"/calls/\">"), "{}", page.text);
        assert!(page.header("content-security-policy").starts_with("default-src 'none';"));

        let program = house.ask("GET", path, &[("accept", "*/*")], "").await;
        assert_eq!(program.refusal(), (404, "not-found".to_owned()));
    }
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_sent_compressed_to_those_who_take_it() {
    let house = House::open().await;

    let raw = house.ask("GET", "/assets/app.1a2b.js", &[], "").await;
    let brotli = ("accept-encoding", "gzip, br");
    let compressed = house.ask("GET", "/assets/app.1a2b.js", &[brotli], "").await;
    let incompressible = house.ask("GET", "/assets/icon.3c4d.png", &[brotli], "").await;

    assert_eq!(raw.text, "let a = 1;");
    assert_eq!(raw.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(raw.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(raw.header("content-encoding"), "");
    assert_eq!(compressed.text, "BR-JS");
    assert_eq!(compressed.header("content-encoding"), "br");
    assert_eq!(compressed.header("vary"), "accept-encoding");
    assert_ne!(compressed.header("etag"), raw.header("etag"));
    assert_eq!(incompressible.text, "PNG");
}

#[tokio::test]
async fn a_browser_that_has_the_file_is_not_sent_it_again() {
    let house = House::open().await;
    let tag = house.ask("GET", "/wrapper", &[], "").await.header("etag").to_owned();

    let weak = format!("\"x\", W/{tag}");
    let same = house.ask("GET", "/wrapper", &[("if-none-match", &weak)], "").await;
    let other = house.ask("GET", "/wrapper", &[("if-none-match", "\"x\"")], "").await;

    assert_eq!((same.status.as_u16(), same.text.as_str()), (304, ""));
    assert_eq!(same.header("etag"), tag);
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_client_that_is_no_browser_gets_a_banner() {
    let house = House::open().await;

    let banner = house.ask("GET", "/", &[("accept", "application/json")], "").await;

    assert_eq!(banner.header("content-type"), "application/json");
    assert_eq!(
        banner.json()["name"],
        "PeerJS Server",
        "which is what clients of PeerServer look for"
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let house = House::open().await;

    for path in
        ["/assets/none.js", "/index", "/../Cargo.toml", "/%2e%2e/x", "/assets/app.1a2b.js.br"]
    {
        assert_eq!(house.ask("GET", path, &[], "").await.refusal(), (404, "not-found".to_owned()));
    }
    let posted = house.ask("POST", "/wrapper", &[], "").await;
    assert_eq!(posted.refusal(), (405, "wrong-method".to_owned()));
    assert_eq!(posted.header("allow"), "GET, HEAD");
    assert_eq!(house.ask("HEAD", "/wrapper", &[], "").await.text, "");
}

#[tokio::test]
async fn a_build_without_the_web_app_says_so() {
    let house = House::open_with(&[], "/").await;

    let page = house.ask("GET", "/", &[HTML], "").await;

    assert_eq!(page.status, 503);
    assert!(page.text.contains("cargo xtask build"), "{}", page.text);
    assert_eq!(house.ask("GET", "/healthz", &[], "").await.text, "ok");
}

#[tokio::test]
async fn everything_can_live_under_a_path() {
    let house = House::open_with(WEB, "/calls/").await;

    assert_eq!(house.ask("GET", "/calls/healthz", &[], "").await.text, "ok");
    assert_eq!(house.ask("GET", "/calls/wrapper", &[], "").await.text, "<p>wrapper");
    assert_eq!(house.ask("GET", "/calls/", &[HTML], "").await.text, "<p>call");
    assert_eq!(house.ask("GET", "/calls", &[], "").await.header("location"), "/calls/");
    assert_eq!(house.ask("GET", "/wrapper", &[], "").await.status, 404);
}
