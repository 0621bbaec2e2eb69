//! Frames as clients send them, and as they must not.

use serde_json::Value;

use super::*;
use crate::{Dice, Seed};

#[test]
fn who_is_watched_is_a_list_of_ids_or_a_mistake() {
    let ids = vec!["bob".to_owned(), "o'ne \u{e9}".to_owned()];

    let watch = read(r#"{"type":"WATCH","payload":["bob","o'ne \u00e9"]}"#);
    let unwatch = read(r#"{"payload":[],"type":"UNWATCH"}"#);

    assert_eq!(watch, Ok(FromPeer::Watch(ids)));
    assert_eq!(unwatch, Ok(FromPeer::Unwatch(Vec::new())));
    for wrong in [r#"{"type":"WATCH"}"#, r#"{"type":"WATCH","payload":{"bob":1}}"#] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn presence_is_written_so_that_clients_pass_it_over() {
    let write = |frame: FromServer<'_>| {
        let mut out = Vec::new();
        frame.write(&mut out);
        String::from_utf8(out).unwrap()
    };

    assert_eq!(
        write(FromServer::Presence { of: "bo\"b", to: "alice", reachable: true }),
        r#"{"type":"PRESENCE","src":"bo\"b","dst":"alice","payload":{"reachable":true}}"#
    );
    assert_eq!(
        write(FromServer::NotWatched { message: "No" }),
        r#"{"type":"PRESENCE","payload":{"msg":"No"}}"#
    );
}

#[test]
fn an_offer_is_read_and_passed_on_as_it_came() {
    let frame = r#"{"type":"OFFER","payload":{"sdp":{"type":"offer","sdp":"v=0\r\n"},"connectionId":"dc_x"},"dst":"bob"}"#;

    let FromPeer::Signal(signal) = read(frame).unwrap() else { panic!("not for another peer") };
    let mut out = Vec::new();
    FromServer::Signal {
        kind: signal.kind,
        from: "alice",
        to: &signal.to,
        payload: signal.payload,
    }
    .write(&mut out);

    assert_eq!(signal.connection.as_deref(), Some("dc_x"));
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"type":"OFFER","src":"alice","dst":"bob","payload":{"sdp":{"type":"offer","sdp":"v=0\r\n"},"connectionId":"dc_x"}}"#
    );
}

#[test]
fn a_payload_cannot_be_broken_out_of() {
    for payload in ["1,\"src\":\"eve\"}", "{}}", "[1]]", "\"a\"b\"", "{\"a\":1}}{", "", "1 2"] {
        let frame = format!(r#"{{"type":"OFFER","dst":"bob","payload":{payload}}}"#);

        if let Ok(FromPeer::Signal(signal)) = read(&frame) {
            let payload = signal.payload.unwrap_or("null");
            assert!(serde_json::from_str::<Value>(payload).is_ok(), "{payload}");
        }
    }
}

#[test]
fn the_last_of_several_members_counts_as_in_browsers() {
    let frame = r#"{"type":"X","dst":"a","payload":1,"t\u0079pe":"LEAVE","dst":"b","payload":[2]}"#;

    let signal = FromPeer::Signal(Signal {
        kind: Kind::Leave,
        to: "b".into(),
        payload: Some("[2]"),
        connection: None,
    });
    assert_eq!(read(frame), Ok(signal));
}

#[test]
fn what_only_the_server_says_is_ignored() {
    for kind in ["OPEN", "ERROR", "EXPIRE", "ID-TAKEN", "offer", ""] {
        let frame = format!(r#"{{"type":"{kind}","src":"bob","dst":"bob"}}"#);

        assert_eq!(read(&frame), Ok(FromPeer::Ignored), "{kind}");
    }
    for frame in ["{}", r#"{"type":"OFFER"}"#, r#"{"type":"OFFER","dst":""}"#] {
        assert_eq!(read(frame), Ok(FromPeer::Ignored));
    }
    assert_eq!(read(r#"{"type":"HEARTBEAT"}"#), Ok(FromPeer::Heartbeat));
    assert_eq!(read(r#" { "type" : "LEAVE" } "#), Ok(FromPeer::Gone));
}

#[test]
fn what_is_no_frame_says_why() {
    for frame in
        ["", "{", "null", "[]", "1", "\"a\"", "{\"type\":}", "{\"a\":01}", "{\"a\":1.}", "{} {}"]
    {
        assert!(read(frame).is_err(), "{frame}");
    }
    let deep = format!("{{\"payload\":{}{}}}", "[".repeat(130), "]".repeat(130));
    assert_eq!(read(&deep).unwrap_err().problem, "is nested too deep");
}

#[test]
fn a_name_with_quotes_is_written_as_json() {
    let mut out = Vec::new();
    FromServer::Expire { from: "a\"b\\c", to: "é" }.write(&mut out);

    let frame: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(frame, serde_json::json!({ "type": "EXPIRE", "src": "a\"b\\c", "dst": "é" }));
}

/// Whatever is thrown at it, it takes what the JSON library takes, and nothing else.
#[test]
fn it_agrees_with_a_json_library_about_what_json_is() {
    let mut dice = Dice::new(Seed::story(7));
    let parts = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"a\"",
        "\"\\u00e4\"",
        "\"\\n\"",
        "1",
        "-0.5e+3",
        "0",
        "00",
        "true",
        "null",
        "fals",
        " ",
        "\n",
        "é",
        "\u{1}",
        "abcdefghijklmnop",
        "\\u12",
        "1e",
        "{\"a\":1}",
        "[]",
    ];
    let (mut good, mut bad) = (0, 0);
    for _ in 0..60_000 {
        let payload: String =
            (0..=dice.below(7)).map(|_| parts[dice.below(parts.len() as u64) as usize]).collect();
        let frame = format!(r#"{{"payload":{payload}}}"#);

        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&frame).is_ok();

        assert_eq!(read(&frame).is_ok(), theirs, "{frame}");
        *(if theirs { &mut good } else { &mut bad }) += 1;
    }
    assert!(good > 500 && bad > 500, "{good} good, {bad} bad");
}

#[test]
fn every_byte_is_looked_at_wherever_it_stands() {
    for stop in ['"', '\\', '\u{1f}', '\0'] {
        for before in 0..24 {
            for fill in ['a', '!', '#', '[', ']', ' ', '\u{7f}', 'é'] {
                let text: String = std::iter::repeat_n(fill, before).chain([stop]).collect();
                let shown = format!("{stop:?} after {before} {fill}");

                assert_eq!(read(&format!("{{\"a\":\"{text}}}")).is_ok(), stop == '"', "{shown}");
                assert!(read(&format!("{{\"a\":\"{text}\"}}")).is_err(), "{shown}");
            }
        }
    }
}
