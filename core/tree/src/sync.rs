//! Who has what: questions, answers, and the pieces in between.

use wire::{Map, NodeId, Set, Time};

use crate::apply::Taken;
use crate::words::{Have, Part, Say};
use crate::{Config, Error, Event, Notary, Output, Tree, rules};

/// How often a missing write is asked for before those that wait for it are dropped; digests find it later.
const ASKS_MAX: u32 = 5;

/// Whose parts were not looked at, at most, while they are strangers.
const STRANGERS_MAX: usize = 64;

/// How many deltas of one neighbour go on to others in [`Config::bridged`](crate::Config::bridged): sides that lack a MiB
/// of each other's say about as many. Whoever plays false would have us hand on what it writes without an end.
const HANDED_MAX: u32 = 64;

/// What is between us and one neighbour.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Until when what it brings is news to everybody on our side, unless both have had the same before.
    bridge: Option<Time>,
    /// What was between its digest and ours when we last heard of it.
    gap: u32,
    /// How much that it told has gone to others since when.
    handed: (Time, u32),
    /// When we last said what we have.
    asked: Option<Time>,
    /// How often a missing write was asked for here.
    pub(crate) asks: u32,
    /// The first pieces of a part whose rest is on its way, each as a message of its own.
    pieces: Vec<Vec<u8>>,
    /// What it says the calendar was at `Time::ZERO`, in milliseconds, while others tell it the time.
    calendar: Option<i128>,
    /// Whether we said to it that we have heard of nobody.
    pub(crate) said_alone: bool,
    /// Whose map was asked for whole, since what came did not go with ours, and how often.
    pub(crate) doubted: Map<NodeId, u32>,
}

impl Session {
    /// Whether what it tells is news to everybody on our side. Later it is what went astray on its way to some of us.
    fn is_bridge(&self, now: Time) -> bool {
        self.bridge.is_some_and(|until| now < until)
    }
}

/// A broadcast that came before its turn.
#[derive(Debug)]
pub(crate) struct Early {
    pub(crate) author: NodeId,
    from: u64,
    upto: u64,
    bytes: Vec<u8>,
}

/// One author's share of the digest.
pub(crate) fn mix(author: NodeId, at: u64, tag: u32) -> u32 {
    if at == 0 {
        return 0;
    }
    // The finalizer of SplitMix64 (Steele et al. 2014).
    let mut x = author.0 ^ (at ^ u64::from(tag) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x >> 32) as u32
}

impl<N: Notary> Tree<N> {
    pub(crate) fn on_opened(&mut self, now: Time, peer: NodeId, bridge: bool) {
        let until = bridge.then(|| now + self.config.bridged);
        self.sessions.insert(peer, Session { bridge: until, ..Session::default() });
        // With whoever could be reached before, the digests of the next beats decide.
        if bridge {
            self.tell_have(now, peer, false);
        }
    }

    pub(crate) fn on_digest(&mut self, now: Time, peer: NodeId, digest: u32, compare: bool) {
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        session.gap = digest ^ self.digest;
        if session.gap == 0 {
            session.bridge = None;
        }
        let lately = session.asked.is_some_and(|asked| now < asked + self.config.ask_again);
        if compare && session.gap != 0 && !lately {
            self.tell_have(now, peer, true);
        }
    }

    /// The key of `author` is known from now on: what was not looked at is asked for again.
    pub(crate) fn on_known(&mut self, now: Time, author: NodeId) {
        let Some(teller) = self.strangers.remove(&author) else { return };
        let is_open = self.sessions.contains_key(&teller);
        let first = self.sessions.keys().next().copied();
        if let Some(peer) = if is_open { Some(teller) } else { first } {
            self.tell_have(now, peer, false);
        }
    }

    /// Remembers who told us something of somebody unknown.
    pub(crate) fn meet_stranger(&mut self, author: NodeId, teller: NodeId) {
        if self.strangers.len() < STRANGERS_MAX || self.strangers.contains_key(&author) {
            self.strangers.insert(author, teller);
        }
    }

    /// Asks the next neighbour for writes that are missing, while any are.
    pub(crate) fn ask_for_missing(&mut self, now: Time) {
        if self.ask_at.is_none_or(|at| now < at) {
            return;
        }
        self.ask_at = None;
        if self.early.is_empty() {
            return;
        }
        // Of those who were asked as often, an author of what is missing has it for certain.
        let is_author = |peer| self.early.iter().any(|early| early.author == peer);
        let rank = |(peer, session): &(&NodeId, &mut Session)| (session.asks, !is_author(**peer));
        match self.sessions.iter_mut().min_by_key(rank) {
            Some((peer, session)) if session.asks < ASKS_MAX => {
                session.asks += 1;
                let peer = *peer;
                self.ask_about_early(now, peer);
                // It may have crashed, or lack it too.
                self.ask_at = Some(now + self.config.patience * 2);
            }
            Some(_) | None => self.early.clear(),
        }
    }

    /// Asks what those have written before whose broadcasts came too early.
    fn ask_about_early(&mut self, now: Time, peer: NodeId) {
        let authors: Set<NodeId> = self.early.iter().map(|early| early.author).collect();
        let head = |author: &NodeId| self.authors.get(author).map_or((0, 0), |map| map.head());
        let heads = authors.iter().map(|author| (*author, head(author)));
        let heads = heads.map(|(author, (at, tag))| (author, at, tag)).collect();
        let have = Have { wall: self.wall(now), alone: false, ask: false, only: true, heads };
        self.outputs.push_back(Output::Tell { peer, bytes: Say::Have(have).encode() });
    }

    pub(crate) fn on_heard(
        &mut self,
        now: Time,
        author: NodeId,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer: author, what };
        let parts = match Say::decode(bytes, author) {
            Some(Say::Own(part)) => vec![part],
            Some(Say::Delta { last: false, parts }) => parts,
            Some(Say::Fork(fork)) => return self.on_fork(author, *fork, false),
            Some(_) => return Err(misbehaved("to all what is for a neighbour")),
            None => return Err(misbehaved("a broadcast that cannot be read")),
        };
        let (before, mut result) = (self.digest, Ok(()));
        for part in &parts {
            result = self.on_heard_part(now, author, part).and(result);
        }
        // Where some of it is news, the rest is no reason to keep that from others.
        if self.digest == before { result } else { Ok(()) }
    }

    fn on_heard_part(&mut self, now: Time, teller: NodeId, part: &Part<'_>) -> Result<(), Error> {
        if part.more {
            let what = "a part in pieces, to all";
            return Err(Error::PeerMisbehaved { peer: teller, what });
        }
        if part.author == self.me {
            return Ok(());
        }
        let at = self.authors.get(&part.author).map_or(0, |map| map.at);
        if part.from > at {
            self.keep_early(now, part);
            return Ok(());
        }
        // What does not go with what we have may be forged, or be by somebody who contradicts itself: digests tell, and
        // neighbours are asked.
        self.on_part(now, teller, part)?;
        self.apply_early(now, part.author);
        Ok(())
    }

    /// Keeps a broadcast that came before its turn, if there is room, and will ask for what is missing.
    fn keep_early(&mut self, now: Time, part: &Part<'_>) {
        let Config { early_max, early_bytes_max, .. } = self.config;
        let of_author = self.early.iter().filter(|early| early.author == part.author).count();
        let held: usize = self.early.iter().map(|early| early.bytes.len()).sum();
        let is_twice = |early: &Early| early.author == part.author && early.from == part.from;
        // No author takes more than a quarter.
        let is_full = of_author >= early_max / 4 || self.early.len() >= early_max;
        let bytes = delta(vec![part.clone()]);
        if is_full || held + bytes.len() > early_bytes_max || self.early.iter().any(is_twice) {
            return;
        }
        let Part { author, from, upto, .. } = *part;
        self.early.push(Early { author, from, upto, bytes });
        if self.ask_at.is_none() {
            self.sessions.values_mut().for_each(|session| session.asks = 0);
            self.ask_at = Some(now + self.config.patience);
        }
    }

    /// Applies the broadcasts of `author` whose turn it is. Some may be forged, for which nobody is to blame now: they
    /// change nothing.
    fn apply_early(&mut self, now: Time, author: NodeId) {
        while !self.early.is_empty() {
            let at = self.authors.get(&author).map_or(0, |map| map.at);
            self.early.retain(|early| early.author != author || early.upto > at);
            let is_due = |early: &Early| early.author == author && early.from <= at;
            let Some(next) = self.early.iter().position(is_due) else { return };
            let early = self.early.swap_remove(next);
            let Some(Say::Delta { parts, .. }) = Say::decode(&early.bytes, author) else {
                continue;
            };
            parts.iter().for_each(|part| {
                self.on_part(now, author, part).ok();
            });
        }
    }

    pub(crate) fn on_told(&mut self, now: Time, peer: NodeId, bytes: &[u8]) -> Result<(), Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer, what };
        match Say::decode(bytes, peer).ok_or(misbehaved("a message that cannot be read"))? {
            Say::Have(have) => {
                self.on_have(now, peer, &have);
                Ok(())
            }
            Say::Delta { last, mut parts } => {
                let (mut result, before) = (Ok(()), self.digest);
                parts.retain(|part| {
                    let taken = result.and_then(|()| self.on_piece(now, peer, part));
                    taken.map_err(|error| result = Err(error)).unwrap_or(false)
                });
                self.hand_on(now, peer, parts, before ^ self.digest);
                result?;
                if last {
                    self.recalling.take_if(|teller| *teller == peer);
                    if !std::mem::replace(&mut self.is_ready, true) {
                        self.emit(Event::Ready);
                    }
                }
                Ok(())
            }
            Say::Seal(author, seal) => self.on_seal(now, peer, author, seal),
            Say::Fork(fork) => {
                let session = self.sessions.get(&peer);
                let is_bridge = session.is_some_and(|session| session.is_bridge(now));
                self.on_fork(peer, *fork, is_bridge && self.sessions.len() > 1)
            }
            Say::Own(_) => Err(misbehaved("a write that was not for all")),
        }
    }

    fn on_have(&mut self, now: Time, peer: NodeId, have: &Have) {
        self.adopt(now, have);
        self.catch_up(now, peer, have);
        let is_unasked = self.sessions.get(&peer).is_some_and(|session| session.asked.is_none());
        let is_first = is_unasked && !have.ask && !have.only;
        let head = |author: &NodeId| {
            let at = have.heads.binary_search_by_key(author, |(author, ..)| *author);
            at.map_or((0, 0), |at| (have.heads[at].1, have.heads[at].2))
        };
        // They remember of us what we do not: we were restarted, with a clock that stood still. Where words are proved
        // we wait for the proof.
        let (remembered, tag) = head(&self.me);
        let is_recalling = self.will_recall(peer, (remembered, tag));
        let is_later = remembered > self.own().at && remembered < rules::NUMBER_MAX / 2;
        if !is_recalling && tag == 0 && is_later {
            self.rewrite(now, remembered);
        }
        self.seal();
        let mut parts = Vec::new();
        let mut seals = Vec::new();
        for (author, map) in self.authors.iter() {
            let asked = have.heads.binary_search_by_key(author, |(author, ..)| *author);
            if is_recalling && *author == self.me || have.only && asked.is_err() {
                continue;
            }
            let (theirs, tag) = head(author);
            if let Some(fork) = &map.frozen {
                if theirs != rules::FROZEN {
                    seals.push(Say::Fork(fork.clone()).encode());
                }
            } else if theirs > 0 && *author == peer && (map.at, map.tag) != (theirs, tag) {
                // It has forgotten what it wrote; it believes nobody but itself.
                if have.alone && map.at > 0 {
                    parts.push(map.since(*author, 0, &self.lists));
                    continue;
                }
                let is_news = map.at >= theirs;
                let seal = map.seals.back().filter(|seal| is_news && seal.seq == map.at);
                match seal {
                    Some(seal) => seals.push(Say::Seal(*author, seal.clone()).encode()),
                    None if map.at > theirs => parts.push(map.since(*author, theirs, &self.lists)),
                    None => {}
                }
            } else if map.at > theirs {
                parts.push(map.since(*author, theirs, &self.lists));
            } else if map.at == theirs && map.tag != tag && *author != self.me {
                let seal = map.seals.back().cloned();
                seals.extend(seal.map(|seal| Say::Seal(*author, seal).encode()));
            }
        }
        let mut told = messages(parts, self.config.delta_bytes_max, have);
        told.extend(seals);
        self.outputs.extend(told.into_iter().map(|bytes| Output::Tell { peer, bytes }));
        let at = |author| self.authors.get(author).map_or(0, |map| map.head().0);
        let has_news = have.heads.iter().any(|(author, theirs, _)| *theirs > at(author));
        if let Some(session) = self.sessions.get_mut(&peer).filter(|_| has_news)
            && (have.ask || is_first)
        {
            if is_first {
                // To itself it was out of reach, though not to us: it counts on us to hand on what it has.
                session.bridge = Some(now + self.config.bridged);
            }
            self.tell_have(now, peer, false);
        }
    }

    /// Takes over the time of those we join, when ours is far off: theirs are many or, between two, it is earlier.
    fn adopt(&mut self, now: Time, have: &Have) {
        let ours = self.wall(now);
        let far = self.config.ahead.as_millis() as u64 / 2;
        let is_far = ours.0.abs_diff(have.wall.0) > far;
        if is_far && self.is_alone() && (!have.alone || have.wall < ours) {
            self.calendar_at_zero += i128::from(have.wall.0) - i128::from(ours.0);
            self.clock.reset();
            self.rewrite(now, self.own().at);
        }
    }

    /// Our clock may have stood still while we slept. It is set to that of the neighbour that is ahead least, when all are
    /// far ahead who have told us, and they are at least two where there are two: nobody alone moves it.
    fn catch_up(&mut self, now: Time, peer: NodeId, have: &Have) {
        if let Some(session) = self.sessions.get_mut(&peer) {
            let calendar = i128::from(have.wall.0) - now.since_origin().as_millis() as i128;
            session.calendar = (!have.alone).then_some(calendar);
        }
        let told = || self.sessions.values().filter_map(|session| session.calendar);
        let least = told().min().unwrap_or(self.calendar_at_zero);
        let is_far = least - self.calendar_at_zero > self.config.ahead.as_millis() as i128 / 2;
        if is_far && told().count() >= self.present.len().saturating_sub(1).clamp(1, 2) {
            self.calendar_at_zero = least;
        }
    }

    fn is_alone(&self) -> bool {
        self.authors.iter().all(|(author, map)| *author == self.me || map.at == 0)
    }

    pub(crate) fn tell_have(&mut self, now: Time, peer: NodeId, ask: bool) {
        self.seal();
        let doubted = self.sessions.get(&peer).map(|session| &session.doubted);
        let is_doubted =
            |author: &NodeId| doubted.is_some_and(|doubted| doubted.contains_key(author));
        let heads = self.authors.iter().filter(|(author, _)| !is_doubted(author));
        let heads = heads.map(|(author, map)| (*author, map.head())).filter(|(_, head)| head.0 > 0);
        let heads = heads.map(|(author, (at, tag))| (author, at, tag)).collect();
        let alone = self.is_alone();
        let have = Have { wall: self.wall(now), alone, ask, only: false, heads };
        if let Some(session) = self.sessions.get_mut(&peer) {
            session.asked = Some(now);
            session.said_alone = alone;
        }
        self.outputs.push_back(Output::Tell { peer, bytes: Say::Have(have).encode() });
    }

    /// Takes in a part, or a piece of one; whether it came in one piece and was news. What did not is too much to be handed
    /// on.
    fn on_piece(&mut self, now: Time, peer: NodeId, piece: &Part<'_>) -> Result<bool, Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer, what };
        let pieces_max = self.config.author_bytes_max * 2;
        let Some(session) = self.sessions.get_mut(&peer) else { return Ok(false) };
        if piece.more {
            session.pieces.push(delta(vec![piece.clone()]));
            if session.pieces.iter().map(Vec::len).sum::<usize>() > pieces_max {
                return Err(misbehaved("a part without end"));
            }
            return Ok(false);
        }
        let pieces = std::mem::take(&mut session.pieces);
        if pieces.is_empty() {
            return self.on_told_part(now, peer, piece);
        }
        let mut part = piece.clone();
        let mut live = Vec::new();
        for bytes in &pieces {
            let Some(Say::Delta { parts, .. }) = Say::decode(bytes, peer) else { continue };
            for first in parts {
                if (first.author, first.from, first.upto) != (part.author, part.from, part.upto) {
                    return Err(misbehaved("pieces of different parts"));
                }
                live.extend(first.live);
            }
        }
        live.append(&mut part.live);
        if !live.is_sorted_by(|one, next| one.seq < next.seq) {
            return Err(misbehaved("writes out of order"));
        }
        part.live = live;
        self.on_told_part(now, peer, &part).map(|_| false)
    }

    /// Takes in a part that a neighbour told us; whether it was news.
    fn on_told_part(&mut self, now: Time, peer: NodeId, part: &Part<'_>) -> Result<bool, Error> {
        let misbehaved = |what| Error::PeerMisbehaved { peer, what };
        let author = part.author;
        if author == self.me {
            return self.on_past(now, peer, part).map(|()| false);
        }
        match self.on_part(now, peer, part)? {
            Taken::Nothing => return Ok(false),
            // A whole map stands for itself: whoever hands it on could have checked it.
            Taken::Unproved if part.from == 0 => {
                return Err(misbehaved("a map that its author did not state"));
            }
            Taken::Unproved => return self.doubt(now, peer, author).map(|()| false),
            Taken::All => {}
        }
        if let Some(session) = self.sessions.get_mut(&peer) {
            session.doubted.remove(&author);
        }
        self.apply_early(now, author);
        Ok(true)
    }

    /// Tells others what a neighbour told us, which has made this difference: all on our side, when it came over a bridge.
    /// Otherwise it went astray on its way, and not only on its way to us: the neighbours are told, and tell theirs, but
    /// nobody who had it before us, as far as it said.
    fn hand_on(&mut self, now: Time, peer: NodeId, news: Vec<Part<'_>>, gained: u32) {
        if news.is_empty() || self.sessions.len() < 2 {
            return;
        }
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        if now >= session.handed.0 + self.config.bridged {
            session.handed = (now, 0);
        }
        session.handed.1 += 1;
        if session.handed.1 > HANDED_MAX {
            return;
        }
        let is_bridge = session.is_bridge(now);
        let bytes = delta(news);
        if is_bridge {
            self.outputs.push_back(Output::Cast { bytes, except: Some(peer) });
            return;
        }
        let lacks =
            |(other, session): &(&NodeId, &Session)| **other != peer && session.gap != gained;
        let others = self.sessions.iter().filter(lacks).map(|(other, _)| *other);
        self.outputs.extend(others.map(|peer| Output::Tell { peer, bytes: bytes.clone() }));
    }

    pub(crate) fn remix(&mut self, author: NodeId) {
        let Some(map) = self.authors.get_mut(&author) else { return };
        let (at, tag) = map.head();
        let mixed = mix(author, at, tag);
        self.digest ^= std::mem::replace(&mut map.mixed, mixed) ^ mixed;
    }
}

/// What somebody lacks, and did not ask for.
fn delta(parts: Vec<Part<'_>>) -> Vec<u8> {
    Say::Delta { last: false, parts }.encode()
}

/// Parts as messages of bounded size. When the listener waits for the end, there is at least one; what it asked about some
/// authors alone has none.
fn messages(parts: Vec<Part<'_>>, bytes_max: usize, have: &Have) -> Vec<Vec<u8>> {
    let mut batches: Vec<Vec<Part<'_>>> = Vec::new();
    let mut batch_bytes = usize::MAX;
    for piece in parts.into_iter().flat_map(|part| part.pieces(bytes_max)) {
        let bytes = piece.bytes();
        if batch_bytes.saturating_add(bytes) > bytes_max {
            batches.push(Vec::new());
            batch_bytes = 0;
        }
        batch_bytes += bytes;
        batches.last_mut().expect("one was just begun").push(piece);
    }
    if batches.is_empty() && have.alone {
        batches.push(Vec::new());
    }
    let count = batches.len();
    let say = |(at, parts)| Say::Delta { last: !have.only && at + 1 == count, parts }.encode();
    batches.into_iter().enumerate().map(say).collect()
}

#[cfg(test)]
mod tests;
