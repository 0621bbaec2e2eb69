//! Who has what: questions, answers, and the pieces in between.

use std::collections::BTreeMap;

use wire::{NodeId, Time};

use crate::pieces::{part_bytes, pieces};
use crate::words::{Have, Part, Say};
use crate::{Error, Notary, Output, Tree, rules};

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
    pub(crate) asks: u32,
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

impl<N: Notary> Tree<N> {
    pub(crate) fn on_opened(&mut self, now: Time, peer: NodeId, bridge: bool) {
        self.sessions.insert(peer, Session { bridge, ..Session::default() });
        // With whoever could be reached before, the digests of the next beats decide.
        if bridge {
            self.tell_have(now, peer, false);
        }
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

    /// Asks the next neighbour for writes that are missing, while any are.
    pub(crate) fn ask_for_missing(&mut self, now: Time) {
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
}
