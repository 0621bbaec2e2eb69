//! The view: what counts at a path, and what is told when that changes.

use std::ops::Bound;

use serde_json::Value;
use wire::{NodeId, Timestamp};

use crate::author::{Content, Record};
use crate::stamp::Stamp;
use crate::view::{Entry, Life, Listing, Weight};
use crate::{Event, Notary, Path, Tree};

/// What was seen at a path, kept while it changes.
pub(crate) struct Seen {
    by: NodeId,
    stamp: Stamp,
    value: Value,
}

impl<N: Notary> Tree<N> {
    /// The resource at `path`.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Value> {
        self.entry(path).map(|entry| entry.value)
    }

    /// The resource at `path`, with who wrote it and when.
    #[must_use]
    pub fn entry(&self, path: &Path) -> Option<Entry<'_>> {
        let (path, _) = self.places.get_key_value(path)?;
        let (by, record) = self.top(path)?;
        entry(path, by, record)
    }

    /// The resources directly in the list at `path`, oldest first, in the same order on every node.
    #[must_use]
    pub fn list(&self, path: &Path, listing: Listing) -> Vec<Entry<'_>> {
        let mut found: Vec<(Stamp, Entry<'_>)> = self
            .below(path)
            .filter(|child| child.below(path).is_some_and(|name| !name.contains('/')))
            .filter_map(|child| {
                let (by, record) = self.top(child)?;
                Some((record.born, entry(child, by, record)?))
            })
            .collect();
        found.sort_by(|(one, a), (other, b)| (one, a.path).cmp(&(other, b.path)));
        if listing.reverse {
            found.reverse();
        }
        let found = found.into_iter().map(|(_, entry)| entry);
        found.skip(listing.offset).take(listing.limit).collect()
    }

    /// How much is held.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.authors.values().fold(Weight::default(), |sum, author| Weight {
            authors: sum.authors + 1,
            entries: sum.entries + author.len(),
            bytes: sum.bytes + author.bytes(),
        })
    }

    /// The paths below `path` where anybody has anything.
    pub(crate) fn below(&self, path: &Path) -> impl Iterator<Item = &Path> {
        // '0' follows '/'.
        let (first, end) = (format!("{path}/"), format!("{path}0"));
        let range = (Bound::Included(first.as_str()), Bound::Excluded(end.as_str()));
        self.places.range::<str, _>(range).map(|(path, _)| path)
    }

    /// Whose entry counts at `path`: the latest of all but those of absent owners of ephemeral ones.
    pub(crate) fn top(&self, path: &Path) -> Option<(NodeId, &Record)> {
        self.places
            .get(path)?
            .iter()
            .filter_map(|author| Some((*author, self.authors.get(author)?.get(path)?)))
            .filter(|(author, record)| self.counts(*author, record))
            .max_by_key(|(author, record)| (record.stamp, *author))
    }

    fn counts(&self, author: NodeId, record: &Record) -> bool {
        match &record.content {
            Content::Value { life: Life::Ephemeral, .. } => self.present.contains(&author),
            Content::Value { life: Life::Lasting, .. } | Content::Hidden => true,
        }
    }

    pub(crate) fn seen(&self, path: &Path) -> Option<Seen> {
        let (by, record) = self.top(path)?;
        match &record.content {
            Content::Value { value, .. } => {
                Some(Seen { by, stamp: record.stamp, value: value.clone() })
            }
            Content::Hidden => None,
        }
    }

    /// Puts `record` in place of what `author` has at `path`, and tells what that changed.
    pub(crate) fn change(&mut self, author: NodeId, path: &Path, record: Option<Record>) {
        let before = self.seen(path);
        let is_there = record.is_some();
        let map = self.authors.get_mut(&author).expect("only authors that are known write");
        map.put(path, record);
        if is_there {
            self.places.entry(path.clone()).or_default().insert(author);
        } else if let Some(authors) = self.places.get_mut(path) {
            authors.remove(&author);
            if authors.is_empty() {
                self.places.remove(path);
            }
        }
        self.tell_change(path, before, author);
    }

    /// Tells the difference between `before` and what is at `path` now, which `author` made.
    pub(crate) fn tell_change(&mut self, path: &Path, before: Option<Seen>, author: NodeId) {
        let after = self.seen(path);
        let path = path.clone();
        match (before, after) {
            (None, None) => {}
            (None, Some(new)) => {
                self.emit(Event::Created { path, value: new.value, by: new.by });
            }
            (Some(old), None) => {
                self.emit(Event::Deleted { path, old: old.value, by: author });
            }
            (Some(old), Some(new)) if (old.stamp, old.by) != (new.stamp, new.by) => {
                self.emit(Event::Updated { path, value: new.value, old: old.value, by: new.by });
            }
            (Some(_), Some(_)) => {}
        }
    }
}

fn entry<'a>(path: &'a Path, by: NodeId, record: &'a Record) -> Option<Entry<'a>> {
    let Content::Value { value, .. } = &record.content else { return None };
    let (born, written): (Timestamp, Timestamp) = (record.born.wall(), record.stamp.wall());
    Some(Entry { path, value, by, born, written })
}
