//! Our own writes.

use serde_json::Value;
use wire::{NodeId, Time};

use crate::author::{Content, Record};
use crate::stamp::Stamp;
use crate::words::{Name, Op, Say, What, added, read};
use crate::{Command, Error, Event, Life, Misuse, Notary, Output, Path, Tree, rules};

impl<N: Notary> Tree<N> {
    pub(crate) fn on_command(&mut self, now: Time, command: Command) -> Result<(), Error> {
        match command {
            Command::Create { path, value, life } => {
                if self.get(&path).is_some() {
                    return Err(Error::Misuse(Misuse::Exists));
                }
                self.set(now, path, value, life, None)
            }
            Command::Update { path, value, partial, life } => {
                let born = self.born(&path);
                let value = match self.get(&path) {
                    Some(old) if partial => merged(old, &value)?,
                    Some(_) | None => value,
                };
                self.set(now, path, value, life, born)
            }
            Command::Add { path, value, life } => {
                let path = self.next(&path).ok_or(Error::Misuse(Misuse::NotOurs))?;
                self.set(now, path, value, life, None)
            }
            Command::Delete { path } => self.delete(now, &path),
            Command::Withdraw => {
                self.withdraw(now);
                Ok(())
            }
        }
    }

    /// Where an [`Command::Add`] to `list` would put its value now.
    pub fn next(&self, list: &Path) -> Option<Path> {
        list.join(added(self.me, self.own().at + 1)).ok()
    }

    fn born(&self, path: &Path) -> Option<Stamp> {
        let (_, record) = self.top(path)?;
        matches!(record.content, Content::Value { .. }).then_some(record.born)
    }

    fn set(
        &mut self,
        now: Time,
        path: Path,
        value: Value,
        life: Life,
        born: Option<Stamp>,
    ) -> Result<(), Error> {
        if !rules::may_write(self.me, &path) {
            return Err(Error::Misuse(Misuse::NotOurs));
        }
        if !value.is_object() {
            return Err(Error::Misuse(Misuse::NotAnObject));
        }
        let json = value.to_string();
        let bytes = json.len();
        let value =
            read(&json, self.config.value_bytes_max).ok_or(Error::Limit("the size of a value"))?;
        self.check_room(self.me, [(&path, path.as_str().len() + bytes)])?;
        let content = Content::Value { life, value, bytes };
        self.write(now, &path, Some(content), born);
        Ok(())
    }

    fn delete(&mut self, now: Time, path: &Path) -> Result<(), Error> {
        let seen = |path: &&Path| self.get(path).is_some();
        let doomed: Vec<Path> = std::iter::once(path)
            .filter(seen)
            .chain(self.below(path).filter(seen))
            .cloned()
            .collect();
        let is_ours =
            |path: &Path| self.places.get(path).is_some_and(|by| by.iter().eq([&self.me]));
        if doomed.iter().any(|path| !rules::may_write(self.me, path)) {
            return Err(Error::Misuse(Misuse::NotOurs));
        }
        let (ours, others): (Vec<Path>, Vec<Path>) = doomed.into_iter().partition(is_ours);
        self.check_room(self.me, others.iter().map(|path| (path, path.as_str().len())))?;
        for path in ours {
            self.write(now, &path, None, None);
        }
        for path in others {
            self.write(now, &path, Some(Content::Hidden), None);
        }
        Ok(())
    }

    fn withdraw(&mut self, now: Time) {
        let is_ephemeral = |record: &Record| {
            matches!(record.content, Content::Value { life: Life::Ephemeral, .. })
        };
        let ours = self.own().entries().filter(|(_, record)| is_ephemeral(record));
        let paths: Vec<Path> = ours.map(|(path, _)| path.clone()).collect();
        for path in paths {
            self.write(now, &path, None, None);
        }
    }

    /// Writes without asking; `None` takes back what is there.
    fn write(&mut self, now: Time, path: &Path, content: Option<Content>, born: Option<Stamp>) {
        let stamp = self.clock.tick(self.wall(now));
        let seq = self.own().at + 1;
        let record =
            content.map(|content| Record { seq, stamp, born: born.unwrap_or(stamp), content });
        let op = match &record {
            Some(record) => record.to_op(self.me, path),
            None => Op { seq, stamp, name: Name::of(path, self.me, seq), what: What::Unset },
        };
        if record.is_none() {
            let path = path.clone();
            self.authors.entry(self.me).or_default().log_unset(seq, path);
        }
        self.set_at(self.me, seq);
        self.written.push(op);
        self.change(self.me, path, record);
    }

    /// Takes back our entry at `path` when the one that `author` has written there outranks it: so a lost create is
    /// told to whoever made it, and nothing lies hidden for ever.
    pub(crate) fn yield_to(&mut self, now: Time, author: NodeId, path: &Path) {
        let Some(ours) = self.own().get(path) else { return };
        let Some((top, record)) = self.top(path) else { return };
        if top != author || author == self.me {
            return;
        }
        if record.is_creation() && ours.is_creation() {
            self.emit(Event::Refused { path: path.clone(), by: author });
        }
        self.write(now, path, None, None);
    }

    /// Writes all our entries again, under numbers after `at` with one left out, and with stamps of now: others
    /// know nothing of them, or know of numbers that we do not remember.
    ///
    /// The number left out makes everybody who has older ones take the whole map instead of single writes.
    pub(crate) fn rewrite(&mut self, now: Time, at: u64) {
        let ours = self.authors.insert(self.me, crate::author::Author::starting_at(at + 1));
        self.digest ^= crate::sync::mix(self.me, ours.as_ref().map_or(0, |ours| ours.at));
        self.digest ^= crate::sync::mix(self.me, at + 1);
        let mut entries: Vec<(Path, Record)> = ours
            .iter()
            .flat_map(|ours| ours.entries().map(|(path, record)| (path.clone(), record.clone())))
            .collect();
        entries.sort_by_key(|(_, record)| record.seq);
        for (path, mut record) in entries {
            let seq = self.own().at + 1;
            let stamp = self.clock.tick(self.wall(now));
            record = Record { seq, stamp, born: stamp, ..record };
            self.set_at(self.me, seq);
            self.authors.entry(self.me).or_default().put(&path, Some(record));
        }
        self.written.clear();
    }

    pub(crate) fn own(&self) -> &crate::author::Author {
        self.authors.get(&self.me).expect("we are an author from the start")
    }

    /// Sends what has been written since the last time, as one message.
    pub(crate) fn cast_written(&mut self) {
        if self.written.is_empty() {
            return;
        }
        let ops = std::mem::take(&mut self.written);
        let bytes = Say::Ops(ops).encode();
        self.outputs.push_back(Output::Cast { bytes, except: None });
    }
}

/// `old` with the fields of `new` put into it.
fn merged(old: &Value, new: &Value) -> Result<Value, Error> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return Err(Error::Misuse(Misuse::NotAnObject));
    };
    let mut merged = old.clone();
    merged.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(Value::Object(merged))
}
