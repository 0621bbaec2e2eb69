//! The ways to a server: through a proxy, over TLS, over lines that break.

use serde_json::json;
use tests::Browser;
use tests::peerjs::{Certificate, Client, Kind, Nginx, Passes, Service, Setup, Version};

use crate::harness::{call, connect, echo, guest, reach, server};

#[test]
fn behind_nginx_under_a_path() {
    let server = server();
    let nginx = Nginx::start(&server.origin, "/phone/", Passes::Sockets);
    let options = reach(nginx.port, "/phone");
    let alice = guest("alice", Version::New, &options);
    let bob = guest("bob", Version::New, &options);

    connect(&alice.1, &bob, &json!({ "reliable": true }));

    echo(&alice.1, &bob.1, &json!([1, 2, 3]));
    call(&alice, &bob);
}

#[test]
fn who_loses_the_line_says_so_and_gets_the_same_place_again() {
    let server = server();
    let nginx = Nginx::start(&server.origin, "/", Passes::Sockets);
    let options = reach(nginx.port, "/");
    let (_, alice) = guest("alice", Version::New, &crate::harness::options(&server));
    let bob = guest("bob", Version::New, &options);
    connect(&alice, &bob, &json!({ "reliable": true }));

    let nginx = nginx.breaks();
    assert_eq!(bob.1.hears("error")["type"], "network");
    assert_eq!(bob.1.hears("disconnected"), json!(bob.0));
    echo(&alice, &bob.1, &json!("we two need no server"));
    let _nginx = nginx.mends();
    bob.1.does("reconnect", &[]);

    assert_eq!(bob.1.hears("open"), json!(bob.0));
    echo(&alice, &bob.1, &json!("nor were we cut"));
    connect(&alice, &bob, &json!({ "reliable": true }));
}

#[test]
fn over_tls_with_a_certificate_of_ones_own() {
    let certificate = Certificate::make();
    let [cert, key] = certificate.flags();
    let server = Service::start(Kind::Hullo, &Setup::USUAL, &[&cert, &key]);
    assert!(server.origin.starts_with("https://"), "{}", server.origin);
    let browser = Browser::trusting(&certificate.public_key).expect("Chromium starts");
    let mut options = reach(server.port(), "/");
    options["secure"] = json!(true);
    let [alice, bob] = ["alice", "bob"].map(|name| {
        let client = Client::new(&browser, name, Version::New);
        client.enters(None, &options);
        (client.hears("open").as_str().expect("an id is text").to_owned(), client)
    });

    connect(&alice.1, &bob, &json!({ "reliable": true }));

    echo(&alice.1, &bob.1, &json!("sealed twice"));
}
