//! How many may come, and how long they may take; each refusal says why and is counted.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::House;

const METRICS: (&str, &str) = ("metrics_listen", "127.0.0.1:0");

#[tokio::test]
async fn each_limit_of_clients_refuses_by_its_name() {
    for (limit, status) in [
        ("limit_connections", 503),
        ("limit_connections_per_user", 429),
        ("limit_connections_per_address", 429),
    ] {
        let house = House::open_as(&[(limit, "1"), METRICS]).await;
        let token = house.token("carol@example.com").await;
        let bearer = format!("Bearer {token}");
        let bearer = [("authorization", bearer.as_str())];
        let first = house.live(&token).await;

        let refused = house.dial(&bearer).await.err();

        assert_eq!(refused.map(|status| status.as_u16()), Some(status), "{limit}");
        let reason = limit.trim_start_matches("limit_").replace('_', "-");
        let counted = format!("hullo_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(house.metric(&counted).await, 1.0, "{counted}");
        assert_eq!(house.metric("hullo_connections{kind=\"live\"}").await, 1.0);

        first.hang_up().await;
        let mut next = house.live(&token).await;
        next.hears_nothing_more().await;
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_is_counted_for_itself() {
    let flags = [("limit_connections_per_address", "1"), ("trusted_proxies", "127.0.0.0/8")];
    let house = House::open_as(&flags).await;
    let bearer = format!("Bearer {}", house.token("carol@example.com").await);
    let from = |address| [("authorization", bearer.as_str()), ("x-forwarded-for", address)];

    let _first = house.dial(&from("203.0.113.1")).await.expect("there is room");
    let _other = house.dial(&from("203.0.113.2")).await.expect("there is room for another");
    let again = house.dial(&from("198.51.100.1, 203.0.113.1")).await.err();
    let _home = house.dial(&from("2001:db8:0:1::1")).await.expect("there is room");
    let same_home = house.dial(&from("2001:db8:0:1::2")).await.err();

    assert_eq!(again.map(|status| status.as_u16()), Some(429));
    assert_eq!(same_home.map(|status| status.as_u16()), Some(429));
}

#[tokio::test]
async fn without_trust_nobody_is_who_a_header_says() {
    let house = House::open_as(&[("limit_connections_per_address", "1")]).await;
    let bearer = format!("Bearer {}", house.token("carol@example.com").await);
    let from = |address| [("authorization", bearer.as_str()), ("x-forwarded-for", address)];

    let _first = house.dial(&from("203.0.113.1")).await.expect("there is room");
    let other = house.dial(&from("203.0.113.2")).await.err();

    assert_eq!(other.map(|status| status.as_u16()), Some(429));
}

#[tokio::test]
async fn a_connection_too_many_is_told_so() {
    for limit in ["limit_http_connections", "limit_http_connections_per_address"] {
        let house = House::open_as(&[(limit, "1"), METRICS]).await;
        let first = TcpStream::connect(&house.host).await.unwrap();
        // It is inside once it was answered.
        let mut first = first;
        first.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        first.read_exact(&mut answer).await.unwrap();

        let refused = house.ask("GET", "/healthz", &[], "").await;

        assert_eq!(&answer, b"HTTP/1.1 200");
        assert_eq!(refused.refusal(), (503, "full".to_owned()), "{limit}");
        let reason = limit.trim_start_matches("limit_").replace('_', "-");
        assert_eq!(house.metric(&format!("hullo_refused_total{{reason=\"{reason}\"}}")).await, 1.0);
    }
}

#[tokio::test]
async fn whoever_says_nothing_or_dawdles_is_let_go_and_others_are_served() {
    let house = House::open_as(&[("limit_head_seconds", "1"), METRICS]).await;
    let mut silent = TcpStream::connect(&house.host).await.unwrap();
    let mut dawdling = TcpStream::connect(&house.host).await.unwrap();
    dawdling.write_all(b"GET /healthz HTTP/1.1\r\nhost: local").await.unwrap();

    assert_eq!(house.ask("GET", "/healthz", &[], "").await.status, 200);

    for stream in [&mut silent, &mut dawdling] {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest));
        end.await.expect("it ends").unwrap();
    }
    assert_eq!(house.metric("hullo_refused_total{reason=\"head-slow\"}").await, 2.0);
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let house = House::open_as(&[("limit_head_seconds", "1"), METRICS]).await;
    let token = house.token("carol@example.com").await;
    let mut stream = TcpStream::connect(&house.host).await.unwrap();
    let head = format!(
        "PUT /contacts HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 20\r\nconnection: close\r\n\r\n{{\"con"
    );
    stream.write_all(head.as_bytes()).await.unwrap();

    let mut answer = String::new();
    let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_string(&mut answer));
    end.await.expect("it ends").unwrap();

    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"too-slow\""), "{answer}");
}

#[tokio::test]
async fn a_client_that_speaks_too_fast_is_let_go_and_others_are_served() {
    let house = House::open_as(&[("limit_messages_per_second", "5"), METRICS]).await;
    let mut quick = house.live(&house.token("carol@example.com").await).await;
    let mut calm = house.live(&house.token("dave@example.com").await).await;

    quick.say_at_once(&serde_json::json!({ "type": "ping" }), 20).await;

    assert_eq!(quick.hear_close_after("pong").await, 1008);
    calm.hears_nothing_more().await;
    assert_eq!(house.metric("hullo_refused_total{reason=\"messages\"}").await, 1.0);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let house = House::open_as(&[]).await;

    let long = house.ask("GET", &format!("/{}", "x".repeat(20_000)), &[], "").await;

    assert_eq!(long.status, 431);
}
