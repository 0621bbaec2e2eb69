//! What PeerJS clients send: frames of WebSockets, however they are cut, and messages, which nobody may break open.

use std::ops::ControlFlow;

use serde_json::Value;
use wire::peerjs::{FromPeer, FromServer, PeerId, Signal, read};

use crate::websocket::{Fault, Reader};

/// The largest message of these stories, in bytes.
const MESSAGE_BYTES_MAX: usize = 1_000;

/// A message of a client: what is passed on says who sent it, whatever they wrote, and reads the same again.
pub(crate) fn message(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(FromPeer::Signal(signal)) = read(text) else { return };
    let Signal { kind, to, payload, connection } = &signal;
    let mut out = Vec::new();
    FromServer::Signal { kind: *kind, from: "the sender", to, payload: *payload }.write(&mut out);
    let passed = std::str::from_utf8(&out).expect("text stays text");

    let again = read(passed).expect("what was read can be passed on");
    let FromPeer::Signal(again) = again else { panic!("{passed} is something else") };
    assert_eq!((again.kind, &again.to, again.payload), (*kind, to, *payload));
    assert_eq!(&again.connection, connection);
    // A lone surrogate is passed on, which browsers take and this library does not.
    if let Ok(value) = serde_json::from_str::<Value>(passed) {
        assert_eq!(value["src"], "the sender", "{passed}");
        assert_eq!(value["dst"], to.as_ref(), "{passed}");
        let members = 3 + usize::from(payload.is_some());
        assert_eq!(value.as_object().map(serde_json::Map::len), Some(members), "{passed}");
    }
    if let Ok(name) = to.parse::<PeerId>() {
        assert_eq!(name.as_str(), to.as_ref());
    }
}

/// Frames of a client, cut by the first byte: what is heard does not hang on how they arrive, and little is kept.
pub(crate) fn frames(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else { return };
    let whole = hear(bytes, bytes.len().max(1));
    let pieces = hear(bytes, usize::from(*cut).max(1));
    assert_eq!(whole, pieces);
}

/// What is heard when bytes come in pieces of a size, and how it ends.
fn hear(bytes: &[u8], size: usize) -> (Vec<String>, Option<Fault>) {
    let mut reader = Reader::default();
    let mut heard = Vec::new();
    for piece in bytes.chunks(size) {
        let mut piece = piece.to_vec();
        let read = reader.read(MESSAGE_BYTES_MAX, &mut piece, |message| {
            heard.push(format!("{message:?}"));
            ControlFlow::Continue(())
        });
        if let Err(fault) = read {
            return (heard, Some(fault));
        }
    }
    (heard, None)
}
