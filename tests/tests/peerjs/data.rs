//! What can be sent between two pages: every kind of value, by every serializer of PeerJS, on links of both kinds.

use serde_json::{Value, json};
use tests::peerjs::{Client, Version};

use crate::harness::{connect, options, pair, server};

/// What is sent, and what arrives: both as JavaScript. Not a bare `null`, on which PeerJS itself breaks.
type Kind = (&'static str, &'static str);

const NUMBERS: &[Kind] = &[
    ("0", "0"),
    ("-1", "-1"),
    ("Math.PI", "Math.PI"),
    ("127", "127"),
    ("0x7fff", "0x7fff"),
    ("0x7fffffff", "0x7fffffff"),
    ("0x0ffffffffffff", "0x0ffffffffffff"),
];
const TEXTS: &[Kind] = &[
    ("'hello'", "'hello'"),
    ("'wörds 中文 👋𨋢'", "'wörds 中文 👋𨋢'"),
    (r"'\u{10ffff}\u0000\n'", r"'\u{10ffff}\u0000\n'"),
];
const LISTS: &[Kind] = &[
    ("[]", "[]"),
    ("[1, [2.5, null], true]", "[1, [2.5, null], true]"),
    ("({ text: 'wörds', deep: { er: {} } })", "({ text: 'wörds', deep: { er: {} } })"),
];
/// As [`js-binarypack`](https://github.com/peers/js-binarypack) has it: bytes of whatever kind arrive as a buffer.
const BINARY: &[Kind] = &[
    ("''", "''"),
    ("new Date(86400000)", "new Date(86400000).toString()"),
    ("new Blob(['wörds'])", "new TextEncoder().encode('wörds').buffer"),
    ("new File(['wörds'], 'a.txt')", "new TextEncoder().encode('wörds').buffer"),
    ("new Uint8Array([0, 254, 255]).buffer", "new Uint8Array([0, 254, 255]).buffer"),
    ("new Uint8Array([9, 9, 1, 2]).subarray(2)", "new Uint8Array([1, 2]).buffer"),
    ("new Int32Array([0, -1, 70000])", "new Int32Array([0, -1, 70000]).buffer"),
    ("new Float64Array([0.1])", "new Float64Array([0.1]).buffer"),
];
const JSON: &[Kind] = &[("''", "''"), ("new Date(86400000)", "new Date(86400000).toJSON()")];
/// As [`@msgpack/msgpack`](https://github.com/msgpack/msgpack-javascript) has it: a date is a date, and what looks at
/// bytes arrives as them.
const MSGPACK: &[Kind] = &[
    ("''", "''"),
    ("new Date(86400000)", "new Date(86400000)"),
    ("new Uint8Array([0, 254, 255])", "new Uint8Array([0, 254, 255])"),
    ("new Uint8Array([9, 9, 1, 2]).subarray(2)", "new Uint8Array([1, 2])"),
    ("new Int32Array([0, -1])", "new Uint8Array(new Int32Array([0, -1]).buffer)"),
];
/// As the browser has it.
const RAW: &[Kind] = &[
    ("''", "''"),
    ("new Uint8Array([0, 254, 255]).buffer", "new Uint8Array([0, 254, 255]).buffer"),
    ("new Uint8Array([9, 9, 1, 2]).subarray(2)", "new Uint8Array([1, 2]).buffer"),
    ("new Int32Array([0, -1])", "new Int32Array([0, -1]).buffer"),
];

#[test]
fn values_of_every_kind_arrive_by_every_serializer_on_links_of_both_kinds() {
    let server = server();
    let [(alice_id, alice), bob] = pair(Version::New, &options(&server));
    for (serialization, kinds) in [
        ("binary", &[NUMBERS, TEXTS, LISTS, BINARY][..]),
        ("binary-utf8", &[NUMBERS, TEXTS, LISTS, BINARY]),
        ("json", &[NUMBERS, TEXTS, LISTS, JSON]),
        ("MsgPack", &[NUMBERS, TEXTS, LISTS, MSGPACK]),
        ("raw", &[TEXTS, RAW]),
    ] {
        for reliable in [true, false] {
            let wish = json!({ "serialization": serialization, "reliable": reliable, "label": "talk", "metadata": { "room": 7 } });

            let told = connect(&alice, &bob, &wish);

            let mut expected = wish.clone();
            expected["peer"] = json!(alice_id);
            // The same serializer by another name, which it does not keep.
            if serialization == "binary-utf8" {
                expected["serialization"] = json!("binary");
            }
            // A stream of values needs order.
            expected["reliable"] = json!(reliable || serialization == "MsgPack");
            assert_eq!(told, expected);
            assert_eq!(bob.1.does("channel", &[])["ordered"], expected["reliable"]);
            for (sent, arrives) in kinds.iter().copied().flatten() {
                travels(&alice, &bob.1, serialization, sent, arrives);
                travels(&bob.1, &alice, serialization, sent, arrives);
            }
            alice.does("unlink", &[]);
            assert_eq!(bob.1.hears("unlink"), json!(alice_id));
            alice.hears("unlink");
        }
    }
}

#[test]
fn more_than_one_message_can_hold_arrives_whole_where_the_serializer_cuts_it() {
    let server = server();
    let [(_, alice), bob] = pair(Version::New, &options(&server));
    for serialization in ["binary", "binary-utf8", "MsgPack"] {
        connect(&alice, &bob, &json!({ "reliable": true, "serialization": serialization }));

        for long in ["'ThisÁndThat'.repeat(100_000)", "Array(2_000).fill({ a: 'commit', of: 1 })"]
        {
            travels(&alice, &bob.1, serialization, long, long);
        }

        alice.does("unlink", &[]);
        bob.1.hears("unlink");
    }

    connect(&alice, &bob, &json!({ "reliable": true, "serialization": "json" }));
    alice.does("send", &[json!("page ".repeat(10_000))]);
    assert_eq!(alice.hears("link-error"), json!("message-too-big"), "nobody cuts JSON");
}

/// Sends what `sent` makes in one page, and finds in the other what `arrives` makes there.
#[track_caller]
fn travels(from: &Client, to: &Client, serialization: &str, sent: &str, arrives: &str) {
    run(from, &format!("client.send({sent})"));
    let expected = run(to, &format!("client.plain({arrives})"));
    assert_eq!(to.hears("data"), expected, "{sent} by {serialization}");
}

#[track_caller]
fn run(client: &Client, script: &str) -> Value {
    client.page().evaluate(script).unwrap_or_else(|error| panic!("{script}: {error:#}"))
}
