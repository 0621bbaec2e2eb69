//! Fuzz targets: every reader of remote bytes, with bytes that a machine makes up and improves by what code they reach.
//!
//! A *target* is a property: a function of bytes that panics when what must hold does not. `cargo xtask fuzz` builds this
//! one program with coverage counters and runs it once for each target, whose name is in `HULLO_FUZZ`.
//!
//! ```text
//!   fuzz/corpus/TARGET/*  ─▶  libFuzzer ─▶ property(bytes) ─▶ panic: the bytes are kept, and the command that replays them
//!          ▲ what reaches new code │
//!          └───── cargo xtask fuzz TARGET --keep
//! ```
//!
//! **Invariant:** a property asserts more than that nothing panics: a round trip, a bound, or that two agree.
#![no_main]

mod conversation;
mod peerjs;
mod ringing;
mod text;
/// The server's own file: the whole server would bring ten minutes of building along.
#[path = "../../server/src/websocket.rs"]
#[expect(dead_code, unreachable_pub, reason = "the server writes too, and shows it to others")]
mod websocket;
mod words;

use libfuzzer_sys::fuzz_target;

/// A property of bytes.
type Property = fn(&[u8]);

/// All targets. `xtask` reads their names from here: one `("name", ` at the beginning of a line each.
const TARGETS: &[(&str, Property)] = &[
    ("frame", conversation::frame),
    ("mesh", conversation::mesh),
    ("tree", conversation::tree),
    ("node", conversation::node),
    ("door", conversation::door),
    ("trust", words::trust),
    ("call", ringing::call),
    ("invite", words::invite),
    ("live", words::live),
    ("wrapper", words::wrapper),
    ("body", words::body),
    ("path", text::path),
    ("peerjs", peerjs::message),
    ("websocket", peerjs::frames),
    ("name", text::name),
    ("sdp", text::sdp),
];

/// The property that was asked for.
fn chosen() -> Property {
    let name = std::env::var("HULLO_FUZZ").unwrap_or_default();
    let target = TARGETS.iter().find(|(target, _)| *target == name);
    target.map(|(_, property)| *property).expect("HULLO_FUZZ names a target; use cargo xtask fuzz")
}

thread_local! {
    static PROPERTY: Property = chosen();
}

fuzz_target!(|bytes: &[u8]| {
    PROPERTY.with(|property| property(bytes));
});
