//! A module that holds a map of Yjs: written, read, and brought level with another one.

use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Any, Doc, Map, Out, ReadTxn, StateVector, Transact, Update};

/// Makes a document.
#[unsafe(no_mangle)]
pub extern "C" fn open(name: u64) -> *mut Doc {
    Box::into_raw(Box::new(Doc::with_client_id(name)))
}

/// Writes, removes or reads an entry, takes in an update, or gives the state vector or the difference to one.
#[unsafe(no_mangle)]
pub extern "C" fn handle(doc: *mut Doc, kind: u32, bytes: *const u8, length: usize, out: *mut usize) -> *mut u8 {
    let doc = unsafe { &mut *doc };
    let bytes = unsafe { std::slice::from_raw_parts(bytes, length) };
    let text = String::from_utf8_lossy(bytes);
    let (key, value) = text.split_once(' ').unwrap_or((&text, ""));
    let map = doc.get_or_insert_map("map");
    let bytes = match kind {
        0 => {
            let mut change = doc.transact_mut();
            map.insert(&mut change, key, value);
            change.encode_update_v1()
        }
        1 => {
            let mut change = doc.transact_mut();
            map.remove(&mut change, key);
            change.encode_update_v1()
        }
        2 => match map.get(&doc.transact(), key) {
            Some(Out::Any(Any::String(text))) => text.as_bytes().to_vec(),
            _ => Vec::new(),
        },
        3 => match Update::decode_v1(bytes) {
            Ok(update) => vec![u8::from(doc.transact_mut().apply_update(update).is_ok())],
            Err(_) => Vec::new(),
        },
        4 => doc.transact().state_vector().encode_v1(),
        _ => match StateVector::decode_v1(bytes) {
            Ok(vector) => doc.transact().encode_diff_v1(&vector),
            Err(_) => Vec::new(),
        },
    };
    unsafe { *out = bytes.len() };
    Box::into_raw(bytes.into_boxed_slice()).cast()
}
