//! A module that holds a whole participant: network, store and all they lean on, driven by bytes.

use node::{Command, Config, Input, Life, Listing, Node, Output, Path};
use trust::{Bounds, Claim, Trust};
use wire::{LinkId, NodeId, Seed, Time, Timestamp};

/// Makes a node that founds a conference.
#[unsafe(no_mangle)]
pub extern "C" fn open(seed: *const [u8; 32], clock: u64) -> *mut Node {
    let (seed, clock) = (Seed(unsafe { *seed }), Timestamp(clock));
    let trust = Trust::found(seed, Claim::default(), Bounds::default(), clock);
    let node = Node::new(Config::default(), Time::ZERO, clock, trust, seed);
    Box::into_raw(Box::new(node))
}

/// Gives it an input of that kind, made of these bytes.
#[unsafe(no_mangle)]
pub extern "C" fn handle(node: *mut Node, millis: u64, kind: u32, about: u64, bytes: *const u8, length: usize) -> u32 {
    let node = unsafe { &mut *node };
    let bytes = unsafe { std::slice::from_raw_parts(bytes, length) };
    let link = LinkId(about);
    let text = || String::from_utf8_lossy(bytes).into_owned();
    let input = match kind {
        0 => Input::Up { link, peer: NodeId(length as u64), binding: Vec::new(), claim: Claim::default(), invite: None },
        1 => Input::Down { link },
        2 => Input::Received { link, frame: bytes.to_vec() },
        3 => Input::Described { link, description: text() },
        4 => Input::Undescribed { link },
        5 => Input::Timeout,
        kind => {
            let text = text();
            let (path, json) = text.split_once(' ').unwrap_or((&text, "{}"));
            let Ok(path) = path.parse::<Path>() else { return 1 };
            let Ok(value) = serde_json::from_str(json) else { return 2 };
            Input::Do(match kind {
                6 => Command::Create { path, value, life: Life::Ephemeral },
                7 => Command::Update { path, value, partial: true, life: Life::Lasting },
                8 => Command::Add { path, value, life: Life::Lasting },
                9 => Command::Delete { path },
                10 => Command::Notify { path, data: value, to: Some(NodeId(about)) },
                _ => Command::Leave,
            })
        }
    };
    let now = Time::at(std::time::Duration::from_millis(millis));
    u32::from(node.handle(now, input).is_err())
}

/// What it wants done next, as bytes that are to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn poll(node: *mut Node, length: *mut usize) -> *mut u8 {
    let node = unsafe { &mut *node };
    let bytes = match node.poll() {
        None => Vec::new(),
        Some(Output::Send { frame, .. }) => frame,
        Some(Output::Answer { offer, .. }) => offer.into_bytes(),
        Some(Output::Apply { answer, .. }) => answer.into_bytes(),
        Some(Output::Event(node::Event::Created { value, .. } | node::Event::Updated { value, .. })) => {
            value.to_string().into_bytes()
        }
        Some(_) => vec![1],
    };
    unsafe { *length = bytes.len() };
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

/// When it wants to be woken.
#[unsafe(no_mangle)]
pub extern "C" fn timeout(node: *mut Node) -> u64 {
    let node = unsafe { &mut *node };
    node.timeout().map_or(0, |at| at.since_origin().as_millis() as u64)
}

/// How long a list is.
#[unsafe(no_mangle)]
pub extern "C" fn list(node: *mut Node, bytes: *const u8, length: usize) -> usize {
    let node = unsafe { &mut *node };
    let bytes = unsafe { std::slice::from_raw_parts(bytes, length) };
    let path = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<Path>().ok());
    path.map_or(0, |path| node.list(&path, Listing::default()).len())
}
