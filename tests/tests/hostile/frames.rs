//! Frames that no client should send.

use crate::Scene;
use crate::raw::{Raw, frame, head, text};

/// What breaks the protocol of WebSocket (RFC 6455, by section).
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let mut unmasked = head(0x81, 0, 2);
    unmasked.extend_from_slice(b"{}");
    let mut lying = head(0x81, 0x80, u64::MAX);
    lying.extend_from_slice(&[0; 64]);
    vec![
        ("reserved bits (5.2)", frame(0xf1, b"{}")),
        ("an unknown opcode (5.2)", frame(0x83, b"{}")),
        ("an unknown control opcode (5.2)", frame(0x8b, b"{}")),
        ("no mask (5.1)", unmasked),
        ("a length of all ones (5.2)", lying),
        ("a ping in pieces (5.5)", frame(0x09, b"half")),
        ("a ping that is too long (5.5)", frame(0x89, &[b'x'; 126])),
        ("a close of one byte (5.5.1)", frame(0x88, b"x")),
        ("a continuation of nothing (5.4)", frame(0x80, b"{}")),
        ("a text within a text (5.4)", [frame(0x01, b"{"), frame(0x81, b"{}")].concat()),
        ("plain words", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("bytes of all ones", vec![0xff; 4096]),
    ]
}

#[test]
fn who_breaks_the_protocol_is_cut_off() {
    let mut scene = Scene::begin();
    for (what, bytes) in broken() {
        let mut raw = Raw::enter(&scene.server, "mallory");
        raw.says(&bytes);

        raw.ends();

        scene.is_unharmed(what);
    }
}

/// What is a message, but none that means anything.
fn odd() -> Vec<(&'static str, Vec<u8>)> {
    let deep = "[".repeat(200_000);
    let deep_payload = format!(
        r#"{{"type":"OFFER","dst":"bob","payload":{}{}}}"#,
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let wide =
        format!("{{{}}}", (0..5_000).map(|n| format!("\"{n}\":{n}")).collect::<Vec<_>>().join(","));
    let mut pieces = frame(0x01, b"{");
    (0..2_000).for_each(|_| pieces.extend(frame(0x00, b"")));
    pieces.extend(frame(0x80, b"}"));
    vec![
        ("nothing", text("")),
        ("half a brace", text("{")),
        ("invalid UTF-8", frame(0x81, &[0xc3, 0x28, 0xff, 0xfe])),
        ("a lone surrogate", text(r#"{"type":"\ud800","dst":"bob"}"#)),
        ("binary", frame(0x82, &[0; 1000])),
        ("deep brackets", text(&deep)),
        ("deep brackets that end", text(&deep_payload)),
        ("many members", text(&wide)),
        ("a long number", text(&format!("{{\"type\":{}}}", "9".repeat(10_000)))),
        ("a long name", text(&format!("{{\"{}\":1}}", "x".repeat(10_000)))),
        ("an id of all sorts", text(r#"{"type":"OFFER","dst":{"toString":1},"payload":null}"#)),
        ("two thousand empty pieces", pieces),
    ]
}

#[test]
fn who_says_nonsense_harms_nobody() {
    let mut scene = Scene::begin();
    for (what, bytes) in odd() {
        let mut raw = Raw::enter(&scene.server, "mallory");
        raw.says(&bytes);
        // A close that is answered shows that all before it was read.
        raw.says(&frame(0x88, &1000_u16.to_be_bytes()));

        raw.ends();

        scene.drain_of_mallory();
        scene.is_unharmed(what);
    }
}

#[test]
fn a_message_cannot_be_broken_open_to_forge_its_sender() {
    let mut scene = Scene::begin();
    let forgeries = [
        r#"{"type":"OFFER","src":"alice","dst":"bob","payload":{"n":1},"src":"alice"}"#,
        r#"{"type":"OFFER","dst":"bob","payload":{"n":1},"src":"alice","type":"OFFER"}"#,
        r#"{"type":"OFFER","dst":"bob","payload":"\"},\"src\":\"alice\",\"x\":{\""}"#,
        r#"{"type":"OFFER","dst":"bob","payload":{}},"src":"alice"}"#,
        r#"{"type":"OFFER","dst":"bob\",\"src\":\"alice","payload":{}}"#,
    ];
    for words in forgeries {
        // Some of them cost their sender the connection, so each has one of its own.
        Raw::enter(&scene.server, "mallory").says(&text(words));
    }
    let mut raw = Raw::enter(&scene.server, "mallory");
    raw.says(&text(r#"{"type":"CANDIDATE","dst":"bob","payload":"last"}"#));

    let bob = &mut scene.pair[1].1;
    loop {
        let heard = bob.hears();
        assert_eq!(heard["src"], "mallory", "{heard}");
        if heard["payload"] == "last" {
            break;
        }
    }
    scene.is_unharmed("forgeries");
}

#[test]
fn who_says_too_much_at_once_is_told_and_cut_off() {
    let mut scene = Scene::begin();
    for (what, bytes) in [
        ("a gigabyte to come", head(0x81, 0x80, 1 << 30)),
        ("megabytes in one frame", text(&format!("\"{}\"", "x".repeat(8 << 20)))),
        ("megabytes in pieces", (0..256).flat_map(|_| frame(0x01, &[b' '; 1])).collect()),
        ("endless pieces", {
            let mut bytes = frame(0x01, &[b' '; 60_000]);
            (0..200).for_each(|_| bytes.extend(frame(0x00, &[b' '; 60_000])));
            bytes
        }),
    ] {
        let mut raw = Raw::enter(&scene.server, "mallory");
        raw.says(&bytes);

        raw.ends();

        scene.is_unharmed(what);
    }
}
