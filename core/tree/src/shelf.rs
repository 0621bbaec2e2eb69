//! Live writes of one author in the order of their numbers, and a hash over all of them.
//!
//! They lie in buckets of consecutive numbers. A change makes the hash of its bucket stale, and only that is worked out
//! again, and only when somebody asks.

use sha2::{Digest, Sha256};

use crate::Root;
use crate::place::{Key, ListId, Lists, Name};
use crate::stamp::Stamp;

/// How many numbers go into one bucket: hashing one bucket anew costs about as much as hashing all the hashes of an
/// author with many entries.
const SPAN: u64 = 32;

/// What a live write left there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A value until it is deleted.
    Lasting,
    /// A value that counts while its author is present.
    Ephemeral,
    /// No value: what others wrote there before is hidden.
    Hidden,
}

/// One live write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) seq: u64,
    pub(crate) stamp: Stamp,
    /// When the resource was made that this write changed.
    pub(crate) born: Stamp,
    pub(crate) list: ListId,
    /// The row of the rules it was allowed by.
    pub(crate) row: u8,
    pub(crate) what: What,
    pub(crate) name: Name,
    /// JSON text of an object; empty when hidden.
    pub(crate) json: Box<str>,
}

impl Record {
    pub(crate) fn key(&self) -> Key {
        Key { list: self.list, name: self.name.clone() }
    }

    /// Bytes that count against the quota of an author: of path and value.
    pub(crate) fn bytes(&self, lists: &Lists) -> usize {
        lists.path_len(self.list, &self.name) + self.json.len()
    }

    /// Whether it made a resource, rather than changed one.
    pub(crate) fn is_creation(&self) -> bool {
        self.what != What::Hidden && self.born == self.stamp
    }

    fn hash_into(&self, hash: &mut Sha256, lists: &Lists) {
        let path = lists.text(self.list, &self.name);
        hash.update(self.seq.to_le_bytes());
        hash.update(self.stamp.0.to_le_bytes());
        hash.update(self.born.0.to_le_bytes());
        hash.update([self.what as u8]);
        hash.update((path.len() as u32).to_le_bytes());
        hash.update(path.as_bytes());
        hash.update((self.json.len() as u32).to_le_bytes());
        hash.update(self.json.as_bytes());
    }
}

#[derive(Debug)]
struct Bucket {
    number: u64,
    records: Vec<Record>,
    hash: Option<Root>,
}

/// Room for one more, and for half of what there is: a vector left to itself begins with room for four, and of most authors
/// there are one or two.
fn make_room<T>(all: &mut Vec<T>) {
    if all.len() == all.capacity() {
        all.reserve_exact(1 + all.len() / 2);
    }
}

/// **Invariant:** numbers rise from bucket to bucket and within each, and no bucket is empty.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    buckets: Vec<Bucket>,
    len: usize,
    root: Option<Root>,
}

impl Shelf {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where the bucket of `seq` is, or would be.
    fn bucket(&self, seq: u64) -> Result<usize, usize> {
        let number = seq / SPAN;
        match self.buckets.last() {
            None => Err(0),
            Some(last) if last.number < number => Err(self.buckets.len()),
            Some(last) if last.number == number => Ok(self.buckets.len() - 1),
            Some(_) => self.buckets.binary_search_by_key(&number, |bucket| bucket.number),
        }
    }

    pub(crate) fn get(&self, seq: u64) -> Option<&Record> {
        let records = &self.buckets[self.bucket(seq).ok()?].records;
        records.binary_search_by_key(&seq, |record| record.seq).ok().map(|at| &records[at])
    }

    pub(crate) fn insert(&mut self, record: Record) {
        let at = match self.bucket(record.seq) {
            Ok(at) => at,
            Err(at) => {
                let number = record.seq / SPAN;
                make_room(&mut self.buckets);
                self.buckets.insert(at, Bucket { number, records: Vec::new(), hash: None });
                at
            }
        };
        let bucket = &mut self.buckets[at];
        let within = bucket.records.partition_point(|other| other.seq < record.seq);
        make_room(&mut bucket.records);
        bucket.records.insert(within, record);
        bucket.hash = None;
        self.root = None;
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, seq: u64) -> Option<Record> {
        let at = self.bucket(seq).ok()?;
        let bucket = &mut self.buckets[at];
        let within = bucket.records.binary_search_by_key(&seq, |record| record.seq).ok()?;
        let record = bucket.records.remove(within);
        bucket.hash = None;
        if bucket.records.is_empty() {
            self.buckets.remove(at);
        }
        self.root = None;
        self.len -= 1;
        Some(record)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.after(0)
    }

    /// Those of numbers above `from`.
    pub(crate) fn after(&self, from: u64) -> impl Iterator<Item = &Record> {
        let first = self.bucket(from).unwrap_or_else(|at| at);
        let records = self.buckets[first..].iter().flat_map(|bucket| &bucket.records);
        records.skip_while(move |record| record.seq <= from)
    }

    /// A hash over all of them.
    pub(crate) fn root(&mut self, lists: &Lists) -> Root {
        if let Some(root) = self.root {
            return root;
        }
        let mut whole = Sha256::new();
        for bucket in &mut self.buckets {
            let records = &bucket.records;
            let hash = bucket.hash.get_or_insert_with(|| {
                let mut hash = Sha256::new();
                records.iter().for_each(|record| record.hash_into(&mut hash, lists));
                Root(hash.finalize().into())
            });
            whole.update(bucket.number.to_le_bytes());
            whole.update(hash.0);
        }
        let root = Root(whole.finalize().into());
        self.root = Some(root);
        root
    }
}
