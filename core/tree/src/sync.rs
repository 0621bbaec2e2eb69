//! Taking in what others wrote, and closing gaps.

use std::collections::{BTreeMap, BTreeSet};

use wire::{NodeId, Time, Timestamp};

use crate::author::{Author, Content, Record};
use crate::stamp::Stamp;
use crate::words::{Gone, Have, Op, Part, Say, What, read};
use crate::{Error, Output, Path, Tree, rules};

/// How often a missing write is asked for before those that wait for it are dropped; digests find it later.
const ASKS_MAX: u32 = 5;

/// What is between us and one neighbour.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Whether what it brings is news to everybody on our side.
    bridge: bool,
    /// How many times running its digest differed.
    differed: u32,
    /// When we last said what we have.
    asked: Option<Time>,
    /// How often a missing write was asked for here.
    asks: u32,
    /// The first pieces of a part whose rest is on its way.
    pieces: Option<Part>,
}

/// One author's share of the digest.
pub(crate) fn mix(author: NodeId, at: u64) -> u32 {
    if at == 0 {
        return 0;
    }
    // The finalizer of SplitMix64 (Steele et al. 2014).
    let mut x = author.0 ^ at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x >> 32) as u32
}

impl Tree {
    pub(crate) fn on_opened(&mut self, now: Time, peer: NodeId, bridge: bool) {
        self.sessions.insert(peer, Session { bridge, ..Session::default() });
        self.tell_have(now, peer, false);
    }

    pub(crate) fn on_digest(&mut self, now: Time, peer: NodeId, digest: u32) {
        let same = digest == self.digest;
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        session.differed = if same { 0 } else { session.differed + 1 };
        let lately = session.asked.is_some_and(|asked| now < asked + self.config.ask_again);
        // Once may be a write on its way.
        if session.differed >= 2 && !lately {
            self.tell_have(now, peer, true);
        }
    }

    pub(crate) fn on_timeout(&mut self, now: Time) {
        if self.ask_at.is_none_or(|at| now < at) {
            return;
        }
        self.ask_at = None;
        if self.authors.values().all(|author| author.early.is_empty()) {
            return;
        }
        let next = self.sessions.iter_mut().min_by_key(|(_, session)| session.asks);
        match next {
            Some((peer, session)) if session.asks < ASKS_MAX => {
                session.asks += 1;
                let peer = *peer;
                self.tell_have(now, peer, false);
                self.ask_at = Some(now + self.config.ask_again);
            }
            Some(_) | None => self.authors.values_mut().for_each(|author| author.early.clear()),
        }
    }

    pub(crate) fn on_heard(
        &mut self,
        now: Time,
        author: NodeId,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer: author, what };
        match Say::decode(bytes).ok_or(misbehaved("a broadcast that cannot be read"))? {
            Say::Ops(_) if author == self.me => Ok(()),
            Say::Ops(ops) => self.on_ops(now, author, ops),
            Say::Delta(parts) => parts.into_iter().try_for_each(|part| {
                if part.more {
                    return Err(misbehaved("a delta in pieces, to all"));
                }
                self.on_part(now, author, part).map(|_| ())
            }),
            Say::Have(_) => Err(misbehaved("a question to all")),
        }
    }

    pub(crate) fn on_told(&mut self, now: Time, peer: NodeId, bytes: &[u8]) -> Result<(), Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer, what };
        match Say::decode(bytes).ok_or(misbehaved("a message that cannot be read"))? {
            Say::Have(have) => {
                self.on_have(now, peer, &have);
                Ok(())
            }
            Say::Delta(parts) => {
                parts.into_iter().try_for_each(|part| self.on_piece(now, peer, part))
            }
            Say::Ops(_) => Err(misbehaved("a write that was not for all")),
        }
    }

    fn on_have(&mut self, now: Time, peer: NodeId, have: &Have) {
        self.adopt(now, have);
        let heads: BTreeMap<NodeId, u64> = have.heads.iter().copied().collect();
        let behind = |author: &NodeId| heads.get(author).copied().unwrap_or(0);
        // They remember of us what we do not: we were restarted, with a clock that stood still.
        let remembered = behind(&self.me);
        if remembered > self.own().at && remembered < rules::NUMBER_MAX / 2 {
            self.rewrite(now, remembered);
        }
        let parts: Vec<Part> = self
            .authors
            .iter()
            .filter(|(author, map)| map.at > behind(author))
            .map(|(author, map)| map.since(*author, behind(author)))
            .collect();
        self.tell_parts(peer, parts);
        let at = |author| self.authors.get(author).map_or(0, |map| map.at);
        if have.ask && heads.iter().any(|(author, theirs)| *theirs > at(author)) {
            self.tell_have(now, peer, false);
        }
    }

    /// Takes over the time of those we join, when ours is far off: theirs are many or, between two, it is earlier.
    fn adopt(&mut self, now: Time, have: &Have) {
        let ours = self.wall(now);
        let far = self.config.ahead.as_millis() as u64 / 2;
        let is_far = ours.0.abs_diff(have.wall.0) > far;
        let alone = self.is_alone();
        if is_far && alone && (!have.alone || have.wall < ours) {
            self.calendar_at_zero += i128::from(have.wall.0) - i128::from(ours.0);
            self.clock.reset();
            self.rewrite(now, self.own().at);
        }
    }

    fn is_alone(&self) -> bool {
        self.authors.iter().all(|(author, map)| *author == self.me || map.at == 0)
    }

    fn tell_have(&mut self, now: Time, peer: NodeId, ask: bool) {
        let heads = self.authors.iter().filter(|(_, map)| map.at > 0);
        let heads = heads.map(|(author, map)| (*author, map.at)).collect();
        let have = Have { wall: self.wall(now), alone: self.is_alone(), ask, heads };
        if let Some(session) = self.sessions.get_mut(&peer) {
            session.asked = Some(now);
        }
        self.outputs.push_back(Output::Tell { peer, bytes: Say::Have(have).encode() });
    }

    /// Tells parts in messages of bounded size.
    fn tell_parts(&mut self, peer: NodeId, parts: Vec<Part>) {
        let mut batch = Vec::new();
        let mut batch_bytes = 0;
        for part in parts {
            for piece in pieces(part, self.config.delta_bytes_max) {
                let bytes = part_bytes(&piece);
                if !batch.is_empty() && batch_bytes + bytes > self.config.delta_bytes_max {
                    let bytes = Say::Delta(std::mem::take(&mut batch)).encode();
                    self.outputs.push_back(Output::Tell { peer, bytes });
                    batch_bytes = 0;
                }
                batch_bytes += bytes;
                batch.push(piece);
            }
        }
        if !batch.is_empty() {
            self.outputs.push_back(Output::Tell { peer, bytes: Say::Delta(batch).encode() });
        }
    }

    fn on_piece(&mut self, now: Time, peer: NodeId, piece: Part) -> Result<(), Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer, what };
        let Some(session) = self.sessions.get_mut(&peer) else { return Ok(()) };
        let part = match session.pieces.take() {
            None => piece,
            Some(mut first) => {
                if (first.author, first.from, first.upto) != (piece.author, piece.from, piece.upto)
                {
                    return Err(misbehaved("pieces of different parts"));
                }
                first.live.extend(piece.live);
                first.gone = piece.gone;
                first.more = piece.more;
                first
            }
        };
        if part.more {
            if part.live.len() > self.config.entries_max {
                return Err(misbehaved("a part without end"));
            }
            session.pieces = Some(part);
            return Ok(());
        }
        let bridge = session.bridge;
        let copy =
            (bridge && part_bytes(&part) <= self.config.delta_bytes_max).then(|| part.clone());
        let is_news = self.on_part(now, peer, part)?;
        if let Some(part) = copy
            && is_news
            && self.sessions.len() > 1
        {
            let bytes = Say::Delta(vec![part]).encode();
            self.outputs.push_back(Output::Cast { bytes, except: Some(peer) });
        }
        Ok(())
    }

    /// Takes in what we lack of one author; tells whether we lacked anything.
    fn on_part(&mut self, now: Time, from: NodeId, part: Part) -> Result<bool, Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer: from, what };
        let author = part.author;
        let at = self.authors.get(&author).map_or(0, |map| map.at);
        if author == self.me || part.upto <= at || part.from > at {
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
        self.known(author)?.advance(part.upto, part.gone);
        self.apply_early(now, author)?;
        Ok(true)
    }

    fn on_ops(&mut self, now: Time, author: NodeId, ops: Vec<Op>) -> Result<(), Error> {
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

/// About how many bytes a part takes on the wire.
fn part_bytes(part: &Part) -> usize {
    let gone = match &part.gone {
        Gone::Log(log) => log.iter().map(|(_, path)| path.as_str().len() + 8).sum(),
        Gone::AllBut(runs) => runs.len() * 8,
    };
    32 + gone + part.live.iter().map(op_bytes).sum::<usize>()
}

fn op_bytes(op: &Op) -> usize {
    let name = match &op.name {
        crate::words::Name::Path(path) | crate::words::Name::Added(path) => path.as_str().len(),
    };
    let json = match &op.what {
        What::Set { json, .. } => json.len() + 10,
        What::Hide | What::Unset => 0,
    };
    24 + name + json
}

/// Cuts a part so that each piece is below `bytes_max`, or is a single write. What is gone goes with the last.
fn pieces(part: Part, bytes_max: usize) -> Vec<Part> {
    let Part { author, from, upto, live, gone, .. } = part;
    let mut pieces: Vec<Part> = Vec::new();
    let mut bytes = usize::MAX;
    for op in live {
        let more = op_bytes(&op);
        if bytes.saturating_add(more) > bytes_max {
            let gone = Gone::Log(Vec::new());
            pieces.push(Part { author, from, upto, live: Vec::new(), gone, more: true });
            bytes = 32;
        }
        bytes += more;
        pieces.last_mut().expect("a piece was just begun").live.push(op);
    }
    match pieces.last_mut() {
        Some(last) => (last.gone, last.more) = (gone, false),
        None => pieces.push(Part { author, from, upto, live: Vec::new(), gone, more: false }),
    }
    pieces
}
