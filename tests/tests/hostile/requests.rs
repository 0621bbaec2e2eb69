//! Requests that never end, or never should have begun.

use std::iter::repeat_with;

use tests::peerjs::Setup;

use crate::Scene;
use crate::raw::Raw;

#[test]
fn who_never_finishes_a_request_is_cut_off() {
    let mut scene = Scene::begin();
    let beginnings: [&[u8]; 4] = [
        b"",
        b"GET /peerjs?key=peer",
        b"GET /peerjs/id HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /peerjs/alice/t/offer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    ];
    let slow: Vec<_> = beginnings
        .iter()
        .cycle()
        .take(400)
        .map(|beginning| {
            let mut raw = Raw::connect(&scene.server);
            raw.says(beginning);
            raw
        })
        .collect();

    scene.is_unharmed("four hundred who are slow");

    for raw in slow {
        raw.ends();
    }
    scene.is_unharmed("the end of them");
}

#[test]
fn requests_that_are_none_are_refused() {
    let mut scene = Scene::begin();
    let long_head = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(200_000));
    let many_heads = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(20_000));
    let long_body = format!(
        "POST /peerjs/alice/t/offer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n{}",
        "x".repeat(1 << 20)
    );
    for (what, bytes) in [
        ("a long head", long_head.as_bytes()),
        ("many headers", many_heads.as_bytes()),
        ("a long body", long_body.as_bytes()),
        ("bytes", &[0xff; 5000]),
        ("a handshake of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        ("two lengths", b"POST /peerjs/alice/t/offer HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
        ("a length and chunks", b"POST /peerjs/alice/t/offer HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ] {
        let mut raw = Raw::connect(&scene.server);
        raw.says(bytes);
        raw.falls_silent();

        let said = raw.ends();

        assert!(!said.starts_with(b"HTTP/1.1 2"), "{what}: {}", String::from_utf8_lossy(&said));
        scene.is_unharmed(what);
    }
}

#[test]
fn who_stops_listening_or_speaking_is_gone() {
    let mut scene = Scene::begin();
    let silent = Raw::enter(&scene.server, "mallory");
    silent.falls_silent();

    silent.ends();

    scene.is_unharmed("half a socket");
}

#[test]
fn who_holds_many_sockets_and_says_nothing_loses_them() {
    let mut scene = Scene::with(&Setup { alive: Setup::IMPATIENT.alive, ..Setup::USUAL });
    let mut number = 0;
    let idle: Vec<_> = repeat_with(|| {
        number += 1;
        Raw::enter(&scene.server, &format!("idle-{number}"))
    })
    .take(500)
    .collect();

    for raw in idle {
        raw.ends();
    }

    assert!(scene.server.is_alive());
    scene.pair = ["alice", "bob"].map(|name| (name.to_owned(), crate::enter(&scene.server, name)));
    scene.is_unharmed("five hundred who said nothing");
}
