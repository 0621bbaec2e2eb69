//! Pages of other sites: what browsers send along for them gains them nothing.

use crate::harness::House;

const OWN: &str = "https://calls.example.com";
const NAMED: &str = "https://app.example.com";
const FOREIGN: &str = "https://evil.example";

#[tokio::test]
async fn no_page_of_another_site_opens_a_socket_whatever_it_presents() {
    let house = House::open_as(&[("origins", NAMED)]).await;
    let token = house.token("carol@example.com").await;
    let cookie = format!("__Host-hullo={token}");
    let bearer = format!("Bearer {token}");
    let host = ("host", "calls.example.com");

    for (headers, status) in [
        (vec![("origin", OWN), ("cookie", &cookie)], None),
        (vec![("origin", NAMED), ("cookie", &cookie)], None),
        (vec![("origin", NAMED), ("sec-fetch-site", "cross-site"), ("cookie", &cookie)], None),
        (vec![("authorization", &bearer)], None),
        (vec![("origin", FOREIGN), ("cookie", &cookie)], Some(403)),
        (vec![("origin", FOREIGN), ("authorization", &bearer)], Some(403)),
        (vec![("origin", FOREIGN)], Some(403)),
        (vec![("origin", "null"), ("cookie", &cookie)], Some(403)),
        (vec![("origin", "https://app.example.com.evil.example"), ("cookie", &cookie)], Some(403)),
        (vec![("origin", "http://app.example.com"), ("cookie", &cookie)], Some(403)),
        (vec![("origin", OWN), ("sec-fetch-site", "cross-site"), ("cookie", &cookie)], Some(403)),
        (vec![("sec-fetch-site", "cross-site"), ("cookie", &cookie)], Some(403)),
        (vec![("cookie", &cookie)], Some(403)),
        (vec![("origin", OWN)], Some(401)),
    ] {
        let dialled = house.dial(&[&headers[..], &[host]].concat()).await;

        assert_eq!(dialled.err().map(|status| status.as_u16()), status, "{headers:?}");
    }
}

#[tokio::test]
async fn pages_of_named_origins_may_read_and_write_with_the_cookie_and_others_may_not() {
    let house = House::open_as(&[("origins", NAMED)]).await;
    let token = house.token("carol@example.com").await;
    let cookie = format!("__Host-hullo={token}");
    let put = r#"{"contact":"live"}"#;
    let from = |origin| {
        [
            ("host", "calls.example.com"),
            ("content-type", "application/json"),
            ("sec-fetch-site", "same-site"),
            ("cookie", cookie.as_str()),
            ("origin", origin),
        ]
    };

    let named = house.ask("PUT", "/contacts", &from(NAMED), put).await;
    let foreign = house.ask("PUT", "/contacts", &from(FOREIGN), put).await;

    assert_eq!(named.status, 200);
    assert_eq!(named.header("access-control-allow-origin"), NAMED);
    assert_eq!(named.header("access-control-allow-credentials"), "true");
    assert_eq!(foreign.refusal(), (403, "foreign-origin".to_owned()));
    assert_eq!(foreign.header("access-control-allow-origin"), "");
    for answer in [&named, &foreign] {
        assert!(answer.header("vary").to_lowercase().contains("origin"));
    }
}

#[tokio::test]
async fn browsers_may_ask_beforehand() {
    let house = House::open_as(&[("origins", NAMED)]).await;
    let wish = [
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type"),
    ];

    let ask = async |origin| {
        let headers = [wish[0], wish[1], ("origin", origin)];
        house.ask("OPTIONS", "/contacts", &headers, "").await
    };

    let [named, foreign] = [ask(NAMED).await, ask(FOREIGN).await];

    assert_eq!(named.status, 204);
    assert_eq!(named.header("access-control-allow-origin"), NAMED);
    assert!(named.header("access-control-allow-methods").contains("PUT"));
    assert!(named.header("access-control-allow-headers").contains("content-type"));
    assert_eq!(foreign.header("access-control-allow-origin"), "");
}
