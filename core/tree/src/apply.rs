//! Taking in writes of others: in their turn, checked, within the quota of their author.

use std::collections::BTreeSet;

use wire::{NodeId, Time, Timestamp};

use crate::author::{Author, Content, Record};
use crate::stamp::Stamp;
use crate::sync::mix;
use crate::words::{Op, Part, What, read};
use crate::{Error, Notary, Path, Tree, rules};

impl<N: Notary> Tree<N> {
    /// Takes in what we lack of one author; tells whether we lacked anything.
    pub(crate) fn on_part(&mut self, now: Time, from: NodeId, part: Part) -> Result<bool, Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer: from, what };
        let author = part.author;
        let at = self.authors.get(&author).map_or(0, |map| map.at);
        if author == self.me || part.upto <= at || part.from > at {
            return Ok(false);
        }
        // Whoever is back is to be had whole.
        if part.pruned && self.present.contains(&author) {
            return Ok(false);
        }
        if part.upto > rules::NUMBER_MAX {
            return Err(misbehaved("a number too high"));
        }
        let mut last = part.from;
        let mut records = Vec::with_capacity(part.live.len());
        for op in &part.live {
            if op.seq <= last || op.seq > part.upto {
                return Err(misbehaved("writes out of order"));
            }
            last = op.seq;
            let (path, record) = self.checked(now, from, author, op)?;
            records.push((path, record.ok_or(misbehaved("a deletion among the living"))?));
        }
        let dropped = self.known(author)?.dropped_by(&part);
        records.retain(|(_, record)| record.seq > at);
        self.check_room_after(author, &dropped, &records)?;
        for path in dropped {
            self.change(author, &path, None);
        }
        for (path, record) in records {
            self.clock.hear(record.stamp);
            self.change(author, &path, Some(record));
            self.yield_to(now, author, &path);
        }
        self.digest ^= mix(author, at) ^ mix(author, part.upto);
        let map = self.known(author)?;
        map.pruned = part.pruned;
        map.advance(part.upto, part.gone);
        self.note_away(now, author);
        self.apply_early(now, author)?;
        Ok(true)
    }

    pub(crate) fn on_ops(&mut self, now: Time, author: NodeId, ops: Vec<Op>) -> Result<(), Error> {
        for op in ops {
            let path = self.checked(now, author, author, &op)?.0;
            let early_max = self.config.early_max;
            let map = self.known(author)?;
            if op.seq > map.at && (map.early.len() < early_max || op.seq == map.at + 1) {
                map.early.insert(op.seq, (path, op));
            }
        }
        self.apply_early(now, author)?;
        let waits = self.authors.get(&author).is_some_and(|map| !map.early.is_empty());
        if waits && self.ask_at.is_none() {
            self.sessions.values_mut().for_each(|session| session.asks = 0);
            self.ask_at = Some(now + self.config.patience);
        }
        Ok(())
    }

    /// Applies the writes of `author` whose turn it is.
    fn apply_early(&mut self, now: Time, author: NodeId) -> Result<(), Error> {
        loop {
            let map = self.known(author)?;
            let seq = map.at + 1;
            let Some((path, op)) = map.early.remove(&seq) else { return Ok(()) };
            let (_, record) = self.checked(now, author, author, &op)?;
            if let Some(record) = &record {
                self.check_room(author, [(&path, record.bytes(&path))])?;
            } else {
                self.known(author)?.log_unset(seq, path.clone());
            }
            self.clock.hear(op.stamp);
            self.set_at(author, seq);
            self.change(author, &path, record);
            self.yield_to(now, author, &path);
        }
    }

    /// Reads a write of `author` that came from `peer`: where it is and what it leaves there.
    fn checked(
        &self,
        now: Time,
        peer: NodeId,
        author: NodeId,
        op: &Op,
    ) -> Result<(Path, Option<Record>), Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer, what };
        if op.seq == 0 || op.seq > rules::NUMBER_MAX {
            return Err(misbehaved("a number out of range"));
        }
        let path = op.name.path(author, op.seq).ok_or(misbehaved("a name that is not a path"))?;
        if !rules::may_write(author, &path) {
            return Err(misbehaved("a write where it may not"));
        }
        let ahead = Timestamp(self.wall(now).0 + self.config.ahead.as_millis() as u64);
        let born = match &op.what {
            What::Set { born, .. } => born.unwrap_or(op.stamp),
            What::Hide | What::Unset => op.stamp,
        };
        // Not held against whoever hands it on: its clock may differ from ours.
        if op.stamp.max(born) > Stamp::at(ahead) {
            return Err(Error::Limit("how far a stamp may be ahead of our clock"));
        }
        let content = match &op.what {
            What::Set { life, json, .. } => {
                let value = read(json, self.config.value_bytes_max)
                    .ok_or(misbehaved("a value out of bounds"))?;
                Content::Value { life: *life, value, bytes: json.len() }
            }
            What::Hide => Content::Hidden,
            What::Unset => return Ok((path, None)),
        };
        Ok((path, Some(Record { seq: op.seq, stamp: op.stamp, born, content })))
    }

    fn known(&mut self, author: NodeId) -> Result<&mut Author, Error> {
        if self.authors.len() >= self.config.authors_max && !self.authors.contains_key(&author) {
            return Err(Error::Limit("the number of authors"));
        }
        Ok(self.authors.entry(author).or_default())
    }

    /// Whether the quota of `author` has room for entries of that many bytes at those paths.
    pub(crate) fn check_room<'a>(
        &self,
        author: NodeId,
        new: impl IntoIterator<Item = (&'a Path, usize)>,
    ) -> Result<(), Error> {
        let map = self.authors.get(&author);
        let (mut count, mut bytes) = map.map_or((0, 0), |map| (map.len(), map.bytes()));
        for (path, size) in new {
            match map.and_then(|map| map.get(path)) {
                Some(old) => bytes = bytes + size - old.bytes(path),
                None => (count, bytes) = (count + 1, bytes + size),
            }
        }
        if count > self.config.entries_max {
            return Err(Error::Limit("the number of entries of an author"));
        }
        if bytes > self.config.author_bytes_max {
            return Err(Error::Limit("the bytes of an author"));
        }
        Ok(())
    }

    /// Whether `author` is within its quota when `dropped` are gone and `new` are there.
    fn check_room_after(
        &self,
        author: NodeId,
        dropped: &[Path],
        new: &[(Path, Record)],
    ) -> Result<(), Error> {
        let replaced: BTreeSet<&Path> =
            dropped.iter().chain(new.iter().map(|(path, _)| path)).collect();
        let kept = self.authors.get(&author).into_iter().flat_map(Author::entries);
        let kept = kept.filter(|(path, _)| !replaced.contains(path));
        let all = kept.chain(new.iter().map(|(path, record)| (path, record)));
        let (count, bytes) = all
            .fold((0, 0), |(count, bytes), (path, record)| (count + 1, bytes + record.bytes(path)));
        if count > self.config.entries_max {
            return Err(Error::Limit("the number of entries of an author"));
        }
        if bytes > self.config.author_bytes_max {
            return Err(Error::Limit("the bytes of an author"));
        }
        Ok(())
    }

    pub(crate) fn set_at(&mut self, author: NodeId, seq: u64) {
        let map = self.authors.entry(author).or_default();
        self.digest ^= mix(author, map.at) ^ mix(author, seq);
        map.at = seq;
    }
}
