//! Yjs in Rust: one map of texts.

use yrs::updates::decoder::Decode as _;
use yrs::updates::encoder::Encode as _;
use yrs::{Doc, Map as _, MapRef, ReadTxn as _, StateVector, Transact as _, Update as YUpdate};

use super::measure::{Store, Update, Write};

/// Updates merged at once: merging sorts them all again for each one, so a million would take hours.
const MERGED: usize = 1_000;

/// A document with a map.
pub struct Yrs {
    doc: Doc,
    map: MapRef,
}

impl Yrs {
    fn take(&mut self, bytes: &[u8]) {
        let update = YUpdate::decode_v1(bytes).expect("it was written by the same code");
        self.doc.transact_mut().apply_update(update).expect("it fits");
    }

    fn vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    fn since(&self, vector: &[u8]) -> Vec<u8> {
        let vector = StateVector::decode_v1(vector).expect("it was written by the same code");
        self.doc.transact().encode_diff_v1(&vector)
    }
}

impl Store for Yrs {
    fn new(author: u64) -> Self {
        let doc = Doc::with_client_id(author);
        let map = doc.get_or_insert_map("map");
        Self { doc, map }
    }

    fn write(&mut self, write: &Write) -> Vec<u8> {
        let mut change = self.doc.transact_mut();
        self.map.insert(&mut change, write.key(), write.json.clone());
        change.encode_update_v1()
    }

    fn apply(&mut self, (_, bytes): &Update) {
        self.take(bytes);
    }

    fn apply_all(&mut self, updates: &[Update]) {
        for updates in updates.chunks(MERGED) {
            let decode = |bytes: &[u8]| YUpdate::decode_v1(bytes).expect("as above");
            let merged = YUpdate::merge_updates(updates.iter().map(|(_, bytes)| decode(bytes)));
            self.doc.transact_mut().apply_update(merged).expect("it fits");
        }
    }

    fn snapshot(&mut self) -> Vec<Vec<u8>> {
        vec![self.since(&StateVector::default().encode_v1())]
    }

    fn sync(one: &mut Self, other: &mut Self) -> Vec<Vec<Vec<u8>>> {
        let vectors = [one.vector(), other.vector()];
        let (to_other, to_one) = (one.since(&vectors[1]), other.since(&vectors[0]));
        one.take(&to_one);
        other.take(&to_other);
        vec![vectors.into(), vec![to_other, to_one]]
    }

    fn entries(&self) -> usize {
        self.map.len(&self.doc.transact()) as usize
    }
}
