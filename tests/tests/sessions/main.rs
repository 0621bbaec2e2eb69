//! People who log in at a real OpenID Connect provider are known to our server, and no longer when they are not.

mod login;
mod logs;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tests::{Hullo, PATIENCE, Provider, provider};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The name of our server among the resources that the provider knows.
const RESOURCE: &str = "urn:hullo";

#[test]
fn an_id_token_of_the_application_is_its_person() {
    let provider = Provider::start();
    let tokens = provider.log_in("alice", None);
    let hullo = Hullo::start(&[
        ("--session-issuer", &provider.issuer),
        ("--session-audience", provider::APP.0),
    ]);

    assert_eq!(hullo.who_is(&tokens.id), (200, "alice".to_owned()));
    assert_eq!(hullo.who_is(&tokens.access).0, 401, "an opaque token says nothing");
}

#[test]
fn a_signed_access_token_counts_for_the_resource_that_it_names() {
    let provider = Provider::start();
    let for_us = provider.log_in("alice", Some(RESOURCE));
    let for_another = provider.log_in("alice", Some("urn:another"));
    let hullo =
        Hullo::start(&[("--session-issuer", &provider.issuer), ("--session-audience", RESOURCE)]);

    assert_eq!(hullo.who_is(&for_us.access), (200, "alice".to_owned()));
    assert_eq!(hullo.who_is(&for_another.access).0, 401);
    assert_eq!(hullo.who_is(&for_us.id).0, 401, "an id token is for the application");
}

#[tokio::test]
async fn an_access_token_that_the_provider_takes_back_loses_its_socket() {
    let (provider, tokens) = tokio::task::spawn_blocking(|| {
        let provider = Provider::start();
        let tokens = ["alice", "bob"].map(|who| provider.log_in(who, None));
        (provider, tokens)
    })
    .await
    .expect("no panic");
    let [alice, bob] = tokens.map(|tokens| tokens.access);
    let endpoint = format!("{}/token/introspection", provider.issuer);
    let hullo = Hullo::start(&[
        ("--session-introspection", &endpoint),
        ("--session-client-id", provider::HULLO.0),
        ("--session-client-secret", provider::HULLO.1),
        ("--session-issuer", &provider.issuer),
        ("--session-recheck", "1"),
    ]);
    let mut alices = dial(&hullo, &alice).await;
    let mut bobs = dial(&hullo, &bob).await;
    assert_eq!(hear(&mut alices).await["email"], "alice");
    assert_eq!(hear(&mut bobs).await["email"], "bob");

    let provider = tokio::task::spawn_blocking(move || {
        provider.revoke(&alice);
        provider
    })
    .await
    .expect("no panic");

    assert_eq!(hear(&mut alices).await["type"], "goodbye");
    bobs.send(Message::text(r#"{"type":"ping"}"#)).await.expect("it is open");
    assert_eq!(hear(&mut bobs).await["type"], "pong");
    drop(provider);
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn dial(hullo: &Hullo, token: &str) -> Socket {
    let address = hullo.origin.replacen("http", "ws", 1) + "/live";
    let mut request = address.into_client_request().expect("an address");
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    tokio_tungstenite::connect_async(request).await.expect("it lets us in").0
}

/// The next text frame.
async fn hear(socket: &mut Socket) -> Value {
    let next = async {
        loop {
            match socket.next().await.expect("it is open").expect("no error") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                    panic!("no text: {other:?}")
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await.expect("it says something in time")
}
