//! The view: what counts at a place, and what is told when that changes.

use std::borrow::Cow;

use serde_json::Value;
use wire::{NodeId, Set};

use crate::apply::Placed;
use crate::order::by_key;
use crate::place::{Key, Name};
use crate::shelf::{Record, What};
use crate::stamp::Stamp;
use crate::view::{Entry, Listing, Order, Resource, Weight};
use crate::watch::Watched;
use crate::{Event, Notary, Path, Tree, json};

/// What was seen at a place, kept while it changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    by: NodeId,
    stamp: Stamp,
    json: Box<str>,
}

/// What was seen at several places.
pub(crate) type Before = Vec<(Key, Option<Seen>)>;

impl<N: Notary> Tree<N> {
    /// The resource at `path`.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<Value> {
        self.entry(path).map(|entry| entry.value())
    }

    /// The resource at `path`, with who wrote it and when.
    #[must_use]
    pub fn entry(&self, path: &Path) -> Option<Entry<'_>> {
        self.entry_at(&self.key(path)?)
    }

    /// The resources directly in the list at `path`: the same on every node, order included.
    #[must_use]
    pub fn list(&self, path: &Path, listing: Listing) -> Vec<Entry<'_>> {
        let Some(list) = self.lists.find(path.as_str()) else { return Vec::new() };
        // The index is in the order of names already, and stays so among equals.
        let places = self.index.in_list(list).filter_map(|(key, _)| {
            let (_, record) = self.top(key).filter(|(_, record)| record.what != What::Hidden)?;
            let stamp = match listing.order {
                Order::Born => record.born,
                Order::Written => record.stamp,
                Order::Name => Stamp::default(),
            };
            Some((stamp.0, key))
        });
        let places: Vec<(u64, &Key)> = places.collect();
        let mut order: Vec<&Key> =
            by_key(&places, |(stamp, _)| *stamp).map(|(_, key)| *key).collect();
        if listing.reverse {
            order.reverse();
        }
        let window = order.into_iter().skip(listing.offset).take(listing.limit);
        window.filter_map(|key| self.entry_at(key)).collect()
    }

    /// How much is held.
    #[must_use]
    pub fn weight(&self) -> Weight {
        let nothing = Weight { lists: self.lists.len(), ..Weight::default() };
        self.authors.values().fold(nothing, |sum, map| Weight {
            authors: sum.authors + 1,
            entries: sum.entries + map.len(),
            bytes: sum.bytes + map.bytes,
            ..sum
        })
    }

    /// How far each author has been taken in: the highest number that ever was, and a few bits of what its map came to
    /// right after it; none (0) while the map is waited for, or when nobody vouches.
    pub fn heads(&self) -> impl Iterator<Item = (NodeId, u64, u32)> {
        self.authors.iter().map(|(author, map)| {
            let (number, tag) = map.reached();
            (*author, number, tag)
        })
    }

    /// The same of one author.
    #[must_use]
    pub fn head(&self, author: NodeId) -> Option<(u64, u32)> {
        self.authors.get(&author).map(|map| map.reached())
    }

    /// Whether `node` has been proved to have contradicted itself, so that nothing counts that it wrote.
    #[must_use]
    pub fn is_frozen(&self, node: NodeId) -> bool {
        self.authors.get(&node).is_some_and(|map| map.is_frozen())
    }

    /// The resource at `path`, unless nobody has anything there, and all below it, in the order of their creation.
    pub(crate) fn resources(&self, path: Option<&Path>) -> Vec<Resource> {
        let at = path.and_then(|path| self.key(path)).into_iter();
        let keys: Vec<Key> =
            at.chain(self.below(path.map(Path::as_str).unwrap_or_default())).collect();
        let born = |key: &Key| self.top(key).map_or(0, |(_, record)| record.born.0);
        let entries = by_key(&keys, born).filter_map(|key| self.entry_at(key));
        entries.map(|entry| entry.to_resource()).collect()
    }

    /// The places below `path` where anybody has anything.
    pub(crate) fn below(&self, path: &str) -> Vec<Key> {
        let lists = self.lists.below(path);
        lists.flat_map(|list| self.index.in_list(list)).map(|(key, _)| key.clone()).collect()
    }

    /// Where `path` is, if anybody has anything in its list.
    pub(crate) fn key(&self, path: &Path) -> Option<Key> {
        let (list, name) = path.split();
        Some(Key { list: self.lists.find(list)?, name: Name::of(name) })
    }

    /// Whose write counts at a place: the latest of all but those of absent owners of ephemeral ones, and of those who
    /// were put out.
    pub(crate) fn top(&self, key: &Key) -> Option<(NodeId, &Record)> {
        let hands = self.index.hands(key).iter();
        hands
            .filter_map(|hand| Some((hand.author, self.authors.get(&hand.author)?.get(hand.seq)?)))
            .filter(|(author, record)| {
                (record.what != What::Ephemeral || self.present.contains(author))
                    && !self.out.contains(author)
            })
            .max_by_key(|(author, record)| (record.stamp, *author))
    }

    fn entry_at(&self, key: &Key) -> Option<Entry<'_>> {
        let (by, record) = self.top(key).filter(|(_, record)| record.what != What::Hidden)?;
        let path = self.lists.path(key.list, &key.name);
        let (born, written) = (record.born.wall(), record.stamp.wall());
        Some(Entry { path, json: Cow::Borrowed(&record.json), by, born, written })
    }

    pub(crate) fn seen(&self, key: &Key) -> Option<Seen> {
        let (by, record) = self.top(key).filter(|(_, record)| record.what != What::Hidden)?;
        Some(Seen { by, stamp: record.stamp, json: record.json.clone() })
    }

    /// Whether somebody wants to be told of changes at a place.
    pub(crate) fn is_watched(&self, key: &Key) -> bool {
        match self.lists.get(key.list).watched {
            Watched::No => false,
            Watched::All => true,
            Watched::Some => self.watches.contains(&self.lists.text(key.list, &key.name)),
        }
    }

    /// What is seen at the watched ones of some places, before they change.
    pub(crate) fn look(&self, keys: impl Iterator<Item = Key>) -> Before {
        let watched = keys.filter(|key| self.is_watched(key));
        watched.map(|key| (self.seen(&key), key)).map(|(seen, key)| (key, seen)).collect()
    }

    /// What is seen where `author` loses the writes `dropped` and makes `fresh` ones: each place once.
    pub(crate) fn look_before(&self, author: NodeId, dropped: &[u64], fresh: &[Placed]) -> Before {
        if self.watches.len() == 0 {
            return Before::new();
        }
        let Some(map) = self.authors.get(&author) else { return Before::new() };
        let made: Set<Key> = fresh.iter().map(|(record, _)| record.key()).collect();
        let lost = dropped.iter().filter_map(|seq| map.get(*seq)).map(Record::key);
        let lost = lost.filter(|key| !made.contains(key));
        self.look(lost.chain(fresh.iter().map(|(record, _)| record.key())))
    }

    pub(crate) fn tell_changes(&mut self, before: Before, author: NodeId) {
        for (key, seen) in before {
            self.tell_change(&key, seen, author);
        }
    }

    /// Tells the difference between `before` and what is at a watched place now, which `author` made.
    fn tell_change(&mut self, key: &Key, before: Option<Seen>, author: NodeId) {
        let after = self.seen(key);
        if before.is_none() && after.is_none() {
            return;
        }
        let path = self.lists.path(key.list, &key.name);
        match (before, after) {
            (None, None) => {}
            (None, Some(new)) => {
                self.emit(Event::Created { path, value: json::read(&new.json), by: new.by });
            }
            (Some(old), None) => {
                self.emit(Event::Deleted { path, old: json::read(&old.json), by: author });
            }
            (Some(old), Some(new)) if old != new => {
                let (value, old) = (json::read(&new.json), json::read(&old.json));
                self.emit(Event::Updated { path, value, old, by: new.by });
            }
            (Some(_), Some(_)) => {}
        }
    }
}
