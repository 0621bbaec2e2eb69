//! Whether a write is one that its author may make: judged from the write, the rules and what the author has already.

use wire::{NodeId, Time, Timestamp};

use crate::apply::Placed;
use crate::author::Author;
use crate::place::{ListId, Name};
use crate::shelf::{Record, What};
use crate::stamp::Stamp;
use crate::words::{Op, Part};
use crate::{Config, Error, Life, Notary, Tree, json, path, rules};

impl<N: Notary> Tree<N> {
    /// Reads the writes of a part that we lack.
    pub(crate) fn read_part(
        &mut self,
        now: Time,
        teller: NodeId,
        part: &Part<'_>,
        known: u64,
    ) -> Result<Vec<Placed>, Error> {
        let mut fresh: Vec<Placed> = Vec::with_capacity(part.live.len());
        for op in part.live.iter().filter(|op| op.seq > known) {
            match self.read_op(now, teller, part.author, op) {
                Ok(placed) => fresh.push(placed),
                Err(error) => {
                    fresh.iter().for_each(|(record, _)| self.lists.sweep(record.list));
                    return Err(error);
                }
            }
        }
        Ok(fresh)
    }

    fn read_op(
        &mut self,
        now: Time,
        teller: NodeId,
        author: NodeId,
        op: &Op<'_>,
    ) -> Result<Placed, Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer: teller, what };
        let ahead = Timestamp(self.wall(now).0 + self.config.ahead.as_millis() as u64);
        // Not held against whoever hands it on: its clock may differ from ours.
        if op.stamp.max(op.born) > Stamp::at(ahead) {
            return Err(Error::Limit("how far a stamp may be ahead of our clock"));
        }
        let Op { seq, stamp, what, .. } = *op;
        let (list, name, born, json) = match &op.edit {
            Some(edit) => {
                let old = self.authors.get(&author).and_then(|map| map.get(edit.old));
                let spliced = old.and_then(|old| Some((old, edit.splice(old, op.json)?)));
                let (old, json) = spliced.ok_or(misbehaved("a change of what is not there"))?;
                (old.list, old.name.clone(), edit.born(old, stamp), json)
            }
            None => {
                let list = self.lists.intern(op.list, &self.config.rules, &self.watches);
                let list = list.ok_or(misbehaved("a name that is not a path"))?;
                (list, op.name(author), op.born, op.json.into())
            }
        };
        let checked = self.check_op(author, (seq, what, &json), list, &name);
        let (row, passes) = checked.map_err(|what| {
            self.lists.sweep(list);
            misbehaved(what)
        })?;
        Ok((Record { seq, stamp, born, list, row, what, name, json }, passes))
    }

    /// Whether a write, by number, what it does and value, is one that its author may make: the row that lets it, and
    /// whether it passes away with it.
    pub(crate) fn check_op(
        &self,
        author: NodeId,
        (seq, what, json): (u64, What, &str),
        list: ListId,
        name: &Name,
    ) -> Result<(u8, bool), &'static str> {
        if let Name::Text(text) = name {
            path::check_segment(text).map_err(|_| "a name that is not a path")?;
        }
        let held = self.lists.get(list);
        let bytes = self.lists.path_len(list, name);
        if held.depth >= path::SEGMENTS_MAX || bytes > path::PATH_BYTES_MAX {
            return Err("a name that is not a path");
        }
        let rules = &self.config.rules;
        let row = rules.row_for(&held.rows, &held.text, name, author, seq);
        let row = row.ok_or("a write where it may not")?;
        let line = &rules.rows()[usize::from(row)];
        let life = match what {
            What::Lasting => Some(Life::Lasting),
            What::Ephemeral => Some(Life::Ephemeral),
            What::Hidden => None,
        };
        match life {
            None if line.kind != rules::Kind::Register => return Err("hiding what is not shared"),
            Some(life) if !line.kind.allows(life) => {
                return Err("a life that the place does not allow");
            }
            None => {}
            Some(_) => {
                let bytes_max = self.config.value_bytes_max.min(line.value_bytes_max as usize);
                if json.len() > bytes_max || !json::is_modest(json) {
                    return Err("a value out of bounds");
                }
            }
        }
        Ok((row, line.kind.passes(life)))
    }
}

impl Config {
    /// Whether an author has not more than it may, entries of these `rows` having been added.
    pub(crate) fn check_quota(
        &self,
        map: &Author,
        rows: impl Iterator<Item = u8>,
    ) -> Result<(), Error> {
        if map.len() > self.entries_max {
            return Err(Error::Limit("the number of entries of an author"));
        }
        if map.bytes > self.author_bytes_max {
            return Err(Error::Limit("the bytes of an author"));
        }
        for row in rows {
            if map.count(row) > self.rules.rows()[usize::from(row)].entries_max {
                return Err(Error::Limit("the number of entries of one kind of an author"));
            }
        }
        Ok(())
    }
}
