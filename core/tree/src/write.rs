//! Our own writes.

use serde_json::Value;
use wire::{Map, NodeId, Time};

use crate::author::Author;
use crate::fork::{self, Seal};
use crate::index::Hand;
use crate::order::sorted;
use crate::place::{Key, Name};
use crate::shelf::{Record, What};
use crate::stamp::Stamp;
use crate::words::Say;
use crate::{Claim, Command, Error, Event, Life, Misuse, Notary, Output, Path, Tree, json};

/// A record that is not written yet: what it is, its text, and when the resource was made if it is older.
struct Draft {
    what: What,
    json: Box<str>,
    born: Option<Stamp>,
    row: u8,
    passes: bool,
}

impl<N: Notary> Tree<N> {
    pub(crate) fn on_command(&mut self, now: Time, command: Command) -> Result<(), Error> {
        if self.own().is_frozen() {
            return Err(Error::Misuse(Misuse::Frozen));
        }
        match command {
            Command::Create { path, value, life } => {
                if self.entry(&path).is_some() {
                    return Err(Error::Misuse(Misuse::Exists));
                }
                self.set(now, &path, &value, life, None)
            }
            Command::Update { path, value, partial, life } => {
                let top = self.key(&path).and_then(|key| Some(self.top(&key)?.1));
                let born = top.filter(|record| record.what != What::Hidden).map(|top| top.born);
                match self.get(&path) {
                    Some(old) if partial => self.set(now, &path, &merged(old, value)?, life, born),
                    Some(_) | None => self.set(now, &path, &value, life, born),
                }
            }
            Command::Add { path, value, life } => {
                let path = self.next(&path).ok_or(Error::Misuse(Misuse::NotOurs))?;
                self.set(now, &path, &value, life, None)
            }
            Command::Delete { path } => {
                let doomed = self.key(&path).into_iter().chain(self.below(path.as_str()));
                let doomed = doomed.collect();
                self.delete(now, doomed)
            }
            Command::Clear { path } => {
                let doomed = self.below(path.as_str());
                self.delete(now, doomed)
            }
            Command::Withdraw => {
                let ours = self.own().passing.iter();
                let ours = ours.filter(|record| record.what == What::Ephemeral);
                let keys: Vec<Key> = ours.map(Record::key).collect();
                keys.into_iter().for_each(|key| self.write(now, key, None));
                Ok(())
            }
        }
    }

    /// Where a [`Command::Add`] to `list` would put its value now.
    #[must_use]
    pub fn next(&self, list: &Path) -> Option<Path> {
        list.join(format_args!("{}-{}", self.me, self.own().at + 1)).ok()
    }

    fn set(
        &mut self,
        now: Time,
        path: &Path,
        value: &Value,
        life: Life,
        born: Option<Stamp>,
    ) -> Result<(), Error> {
        if !value.is_object() {
            return Err(Error::Misuse(Misuse::NotAnObject));
        }
        let json = value.to_string();
        if json.len() > self.config.value_bytes_max || !json::is_modest(&json) {
            return Err(Error::Limit("the size of a value"));
        }
        let what = match life {
            Life::Lasting => What::Lasting,
            Life::Ephemeral => What::Ephemeral,
        };
        let (key, draft) = self.draft(path, what, json.into(), born)?;
        self.check_room(&[(&key, &draft)]).inspect_err(|_| self.lists.sweep(key.list))?;
        self.write(now, key, Some(draft));
        Ok(())
    }

    /// Prepares a write that the rules let us make.
    fn draft(
        &mut self,
        path: &Path,
        what: What,
        json: Box<str>,
        born: Option<Stamp>,
    ) -> Result<(Key, Draft), Error> {
        let (list_text, name) = path.split();
        let list = self.lists.intern(list_text, &self.config.rules, &self.watches);
        let list = list.ok_or(Error::Misuse(Misuse::NotOurs))?;
        let key = Key { list, name: Name::of(name) };
        let seq = self.own().at + 1;
        match self.check_op(self.me, (seq, what, &json), list, &key.name) {
            Ok((row, passes)) => Ok((key, Draft { what, json, born, row, passes })),
            Err(why) => {
                self.lists.sweep(list);
                let bounds = "a value out of bounds";
                Err(if why == bounds {
                    Error::Limit("the size of a value")
                } else {
                    Error::Misuse(Misuse::NotOurs)
                })
            }
        }
    }

    /// Takes back what is ours alone of `doomed`, and hides what others have there.
    fn delete(&mut self, now: Time, mut doomed: Vec<Key>) -> Result<(), Error> {
        doomed.retain(|key| self.seen(key).is_some());
        let is_ours = |key: &Key| {
            let hands = self.index.hands(key);
            hands.len() == 1 && hands[0].author == self.me
        };
        let (ours, others): (Vec<Key>, Vec<Key>) = doomed.into_iter().partition(is_ours);
        let mut hides = Vec::with_capacity(others.len());
        for key in &others {
            let path = self.lists.path(key.list, &key.name);
            hides.push(self.draft(&path, What::Hidden, Box::default(), None)?);
        }
        let room: Vec<(&Key, &Draft)> = hides.iter().map(|(key, draft)| (key, draft)).collect();
        self.check_room(&room)?;
        ours.into_iter().for_each(|key| self.write(now, key, None));
        hides.into_iter().for_each(|(key, draft)| self.write(now, key, Some(draft)));
        Ok(())
    }

    /// Whether our quota has room for these.
    fn check_room(&self, new: &[(&Key, &Draft)]) -> Result<(), Error> {
        let own = self.own();
        let (mut count, mut bytes) = (own.len(), own.bytes);
        let mut rows: Vec<u8> = Vec::new();
        for (key, draft) in new {
            bytes += self.lists.path_len(key.list, &key.name) + draft.json.len();
            let old = self.index.seq_of(key, self.me).and_then(|seq| own.get(seq));
            match old {
                Some(old) => bytes -= old.bytes(&self.lists),
                None => count += 1,
            }
            if old.is_none_or(|old| old.row != draft.row) {
                rows.push(draft.row);
            }
        }
        let is_full = |row: &u8| {
            let more = rows.iter().filter(|other| *other == row).count() as u32;
            let most = self.config.rules.rows()[usize::from(*row)].entries_max;
            own.count(*row) + more > most
        };
        if count > self.config.entries_max {
            return Err(Error::Limit("the number of entries of an author"));
        }
        if bytes > self.config.author_bytes_max {
            return Err(Error::Limit("the bytes of an author"));
        }
        if rows.iter().any(is_full) {
            return Err(Error::Limit("the number of entries of one kind of an author"));
        }
        Ok(())
    }

    /// Writes without asking; `None` takes back what is there.
    fn write(&mut self, now: Time, key: Key, draft: Option<Draft>) {
        self.has_written = true;
        let stamp = self.clock.tick(self.wall(now));
        let before = self.look(std::iter::once(key.clone()));
        let old = self.index.seq_of(&key, self.me);
        let (me, max) = (self.me, self.config.gone_max);
        let own = self.authors.get_mut(&me).expect("we are an author from the start");
        let seq = own.at + 1;
        (own.at, own.floor) = (seq, seq);
        let old = old.and_then(|old| own.pull(old, &self.lists));
        if let Some((old, _)) = &old {
            own.log_gone(seq, old.seq, max);
        }
        match draft {
            Some(Draft { what, json, born, row, passes }) => {
                let (list, name, born) = (key.list, key.name.clone(), born.unwrap_or(stamp));
                let record = Record { seq, stamp, born, list, row, what, name, json };
                own.put(record, passes, &mut self.lists);
                self.index.put(key.clone(), Hand { author: me, seq });
            }
            None => {
                if let Some((old, _)) = &old {
                    self.index.pull(&key, Hand { author: me, seq: old.seq });
                }
            }
        }
        self.tell_changes(before, me);
        if let Some((old, _)) = old {
            self.lists.release(old.list);
            self.note_replaced(key, old);
        }
    }

    /// Remembers what others still have where we have just written, until they are told.
    fn note_replaced(&mut self, key: Key, old: Record) {
        if self.index.seq_of(&key, self.me).is_none() {
            self.replaced.remove(&key);
        } else if old.seq <= self.cast_from {
            self.replaced.insert(key, old);
        }
    }

    /// Takes back our entry at `key` when the one that `author` has written there outranks it: so a lost create is
    /// told to whoever made it, and nothing lies hidden for ever.
    pub(crate) fn yield_to(&mut self, now: Time, author: NodeId, key: &Key) {
        let Some(ours) = self.index.seq_of(key, self.me).and_then(|seq| self.own().get(seq)) else {
            return;
        };
        let Some((top, record)) = self.top(key) else { return };
        if top != author || author == self.me {
            return;
        }
        if record.is_creation() && ours.is_creation() {
            let path = self.lists.path(key.list, &key.name);
            self.emit(Event::Refused { path, by: author });
        }
        self.write(now, key.clone(), None);
    }

    /// Writes all our entries again, under numbers after `at` with one left out, and with stamps of now: others
    /// know nothing of them, or know of numbers that we do not remember.
    ///
    /// The number left out makes everybody who has older ones take the whole map instead of single writes.
    pub(crate) fn rewrite(&mut self, now: Time, at: u64) {
        let me = self.me;
        let wall = self.wall(now);
        let mixed = self.own().mixed;
        let mut fresh = Box::new(Author::starting_at(at + 1));
        fresh.mixed = mixed;
        let own = self.authors.get_mut(&me).expect("we are an author from the start");
        let old: Vec<u64> = own.records().map(|record| record.seq).collect();
        for seq in sorted(&old) {
            let Some((mut record, passes)) = own.pull(seq, &self.lists) else { continue };
            let stamp = self.clock.tick(wall);
            fresh.at += 1;
            (record.seq, record.stamp, record.born) = (fresh.at, stamp, stamp);
            let list = record.list;
            self.index.put(record.key(), Hand { author: me, seq: record.seq });
            fresh.put(record, passes, &mut self.lists);
            self.lists.release(list);
        }
        fresh.floor = fresh.at;
        (self.cast_from, self.has_written) = (fresh.at, true);
        self.replaced = Map::new();
        *own = fresh;
        self.sealed_at = 0;
        self.seal();
    }

    pub(crate) fn own(&self) -> &Author {
        self.authors.get(&self.me).expect("we are an author from the start")
    }

    /// Has our map as it is now vouched for.
    pub(crate) fn seal(&mut self) {
        let me = self.me;
        let own = self.authors.get_mut(&me).expect("we are an author from the start");
        if self.sealed_at == own.at {
            return;
        }
        self.sealed_at = own.at;
        let (seq, lists) = (own.at, &self.lists);
        let mut stated = None;
        let mut roots = || *stated.get_or_insert_with(|| own.roots(lists));
        let proof = self.notary.sign(&mut Claim::new(me, seq, &mut roots));
        if let Some(proof) = proof {
            let roots = stated.unwrap_or_else(|| own.roots(lists));
            own.keep_seal(Seal { seq, roots, proof }, self.config.seals_max);
            own.tag = fork::tag(&roots);
        }
        self.remix(me);
    }

    /// Sends what has been written since the last time, as one message.
    pub(crate) fn cast_written(&mut self) {
        self.seal();
        let own = self.own();
        if own.at == self.cast_from || own.is_frozen() {
            return;
        }
        let mut part = own.since(self.me, self.cast_from, &self.lists);
        part.tell_edits(|seq| self.replaced.get(&own.get(seq)?.key()));
        let bytes = Say::Own(part).encode();
        self.cast_from = own.at;
        self.replaced = Map::new();
        self.outputs.push_back(Output::Cast { bytes, except: None });
    }
}

/// `old` with the fields of `new` put into it.
fn merged(old: Value, new: Value) -> Result<Value, Error> {
    let (Value::Object(mut merged), Value::Object(new)) = (old, new) else {
        return Err(Error::Misuse(Misuse::NotAnObject));
    };
    merged.extend(new);
    Ok(Value::Object(merged))
}
