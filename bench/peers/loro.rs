//! Loro under the same workload as the other stores. A program of its own, built apart: some of what it leans on is
//! under a licence that this project does not take.

#[path = "../../../../bench/src/stores/measure.rs"]
mod measure;

use flate2::{Compression, write::GzEncoder};
use loro::{ExportMode, LoroDoc, VersionVector};
use measure::{Store, Task, Update, Write};
use peak_alloc::PeakAlloc;

#[cfg(feature = "count")]
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;
#[cfg(not(feature = "count"))]
static HEAP: PeakAlloc = PeakAlloc;

struct Loro {
    doc: LoroDoc,
    told: VersionVector,
}

impl Store for Loro {
    fn new(author: u64) -> Self {
        let doc = LoroDoc::new();
        doc.set_peer_id(author).expect("a fresh document");
        Self { doc, told: VersionVector::default() }
    }

    fn write(&mut self, write: &Write) -> Vec<u8> {
        self.doc.get_map("map").insert(&write.key(), write.json.clone()).expect("a map takes texts");
        self.doc.commit();
        let update = self.doc.export(ExportMode::updates(&self.told)).expect("there is something");
        self.told = self.doc.oplog_vv();
        update
    }

    fn apply(&mut self, (_, bytes): &Update) {
        self.doc.import(bytes).expect("it was written by the same code");
    }

    fn apply_all(&mut self, updates: &[Update]) {
        let all: Vec<Vec<u8>> = updates.iter().map(|(_, bytes)| bytes.clone()).collect();
        self.doc.import_batch(&all).expect("they were written by the same code");
    }

    fn snapshot(&mut self) -> Vec<Vec<u8>> {
        vec![self.doc.export(ExportMode::Snapshot).expect("there is something")]
    }

    fn sync(one: &mut Self, other: &mut Self) -> Vec<Vec<Vec<u8>>> {
        let vectors = [one.doc.oplog_vv(), other.doc.oplog_vv()];
        let to_other = one.doc.export(ExportMode::updates(&vectors[1])).expect("there is something");
        let to_one = other.doc.export(ExportMode::updates(&vectors[0])).expect("there is something");
        one.doc.import(&to_one).expect("it fits");
        other.doc.import(&to_other).expect("it fits");
        vec![vectors.map(|vector| vector.encode()).into(), vec![to_other, to_one]]
    }

    fn entries(&self) -> usize {
        self.doc.get_map("map").len()
    }
}

fn pack(bytes: &[u8]) -> usize {
    use std::io::Write as _;
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).expect("memory takes everything");
    packer.finish().expect("memory takes everything").len()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(2).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().expect("a number");
    let task = match words[..] {
        ["apply", count, times] => Task::Apply(number(count), number(times) as u32),
        ["meet", count] => Task::Meet(number(count)),
        _ => panic!("usage: loro apply COUNT TIMES, or loro meet COUNT"),
    };
    print!("{}", measure::measure::<Loro>(task, || HEAP.current_usage(), pack));
}
