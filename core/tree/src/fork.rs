//! What authors have stated, and the proof when one has stated two different things under one number.

use wire::{NodeId, Time};

use crate::bytes::{Reader, Writer};
use crate::words::Say;
use crate::{Claim, Error, Event, Notary, Output, Proof, Root, Tree, rules};

/// How often a neighbour may tell a change of one author that does not fit, before its whole map does. Several may be
/// on their way as we ask for it.
const DOUBTS_MAX: u32 = 4;

/// A statement with its proof; whose it is, is known from where it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seal {
    pub(crate) seq: u64,
    pub(crate) roots: (Root, Root),
    pub(crate) proof: Proof,
}

/// How many bits of a root tell maps apart when vectors are compared: three bytes of a number.
const TAG_BITS: u32 = 21;

/// A few bits of two roots, never none.
pub(crate) fn tag(roots: &(Root, Root)) -> u32 {
    let bits = |root: &Root| u32::from_le_bytes([root.0[0], root.0[1], root.0[2], root.0[3]]);
    ((bits(&roots.0) ^ bits(&roots.1).rotate_left(16)) & ((1 << TAG_BITS) - 1)).max(1)
}

impl Seal {
    pub(crate) fn is_valid(&self, author: NodeId, notary: &mut impl Notary) -> bool {
        let mut roots = || self.roots;
        notary.check(&mut Claim::new(author, self.seq, &mut roots), Some(&self.proof))
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.number(self.seq);
        self.write_rest(to);
    }

    fn write_rest(&self, to: &mut Writer) {
        to.raw(&self.roots.0.0);
        to.raw(&self.roots.1.0);
        to.raw(&self.proof.0);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let seq = from.number()?;
        Self::read_rest(from, seq)
    }

    fn read_rest(from: &mut Reader<'_>, seq: u64) -> Option<Self> {
        let roots = (Root(from.array()?), Root(from.array()?));
        Some(Self { seq, roots, proof: Proof(from.array()?) })
    }
}

/// Two statements of one author about one number that contradict each other: only the author can have made them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fork {
    pub(crate) author: NodeId,
    pub(crate) seals: [Seal; 2],
}

impl Fork {
    pub(crate) fn is_valid(&self, notary: &mut impl Notary) -> bool {
        let [one, other] = &self.seals;
        one.seq == other.seq
            && one.roots != other.roots
            && self.seals.iter().all(|seal| seal.is_valid(self.author, notary))
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.node(self.author);
        to.number(self.seals[0].seq);
        self.seals.iter().for_each(|seal| seal.write_rest(to));
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let (author, seq) = (from.node()?, from.number()?);
        let seals = [Seal::read_rest(from, seq)?, Seal::read_rest(from, seq)?];
        Some(Self { author, seals })
    }
}

impl<N: Notary> Tree<N> {
    /// What a neighbour handed us does not go with what we have of `author`: one of us three is wrong. We ask for the
    /// whole map, which stands for itself, and show what the author has stated to us.
    pub(crate) fn doubt(&mut self, now: Time, peer: NodeId, author: NodeId) -> Result<(), Error> {
        let Some(session) = self.sessions.get_mut(&peer) else { return Ok(()) };
        let doubts = session.doubted.get_or_insert_with(author, || 0);
        *doubts += 1;
        if *doubts > DOUBTS_MAX {
            let what = "a change that its author did not make, again";
            return Err(Error::PeerMisbehaved { peer, what });
        }
        if *doubts > 1 {
            return Ok(()); // It was on its way.
        }
        let seal = self.authors.get(&author).and_then(|map| map.seals.back());
        if let Some(seal) = seal {
            let bytes = Say::Seal(author, seal.clone()).encode();
            self.outputs.push_back(Output::Tell { peer, bytes });
        }
        self.tell_have(now, peer, false);
        Ok(())
    }

    /// A neighbour shows what `author` has stated to it.
    pub(crate) fn on_seal(
        &mut self,
        now: Time,
        peer: NodeId,
        author: NodeId,
        seal: Seal,
    ) -> Result<(), Error> {
        if !self.notary.knows(author) {
            return Ok(());
        }
        let Some(map) = self.authors.get(&author) else { return Ok(()) };
        let ours = map.seals.iter().find(|ours| ours.seq == seal.seq && ours.roots != seal.roots);
        let ours = ours.cloned();
        let is_later = seal.seq > map.at && seal.seq < rules::NUMBER_MAX / 2;
        let is_past = author == self.me && (is_later || ours.is_some());
        if (ours.is_none() && !is_past) || map.is_frozen() {
            return Ok(());
        }
        if !seal.is_valid(author, &mut self.notary) {
            let what = "a statement that its author did not make";
            return Err(Error::PeerMisbehaved { peer, what });
        }
        if author == self.me {
            // So we wrote in a life that we do not remember.
            self.rewrite(now, seal.seq);
        } else if let Some(ours) = ours {
            self.on_fork(peer, Fork { author, seals: [ours, seal] }, true)?;
        }
        Ok(())
    }

    /// Somebody has contradicted itself: nothing of it counts any more, anywhere.
    pub(crate) fn on_fork(
        &mut self,
        peer: NodeId,
        fork: Fork,
        is_news_to_all: bool,
    ) -> Result<(), Error> {
        let author = fork.author;
        if self.is_frozen(author) || !self.notary.knows(author) {
            return Ok(());
        }
        if !fork.is_valid(&mut self.notary) {
            let what = "a contradiction that is none";
            return Err(Error::PeerMisbehaved { peer, what });
        }
        if self.authors.len() >= self.config.authors_max && !self.authors.contains_key(&author) {
            return Err(Error::Limit("the number of authors"));
        }
        let map = self.authors.get_or_insert_with(author, Box::default);
        let doomed = map.records().map(|record| record.seq).collect();
        self.drop_records(author, doomed);
        self.early.retain(|early| early.author != author);
        let bytes = Say::Fork(Box::new(fork.clone())).encode();
        if let Some(map) = self.authors.get_mut(&author) {
            map.frozen = Some(Box::new(fork));
            map.away_since = None;
            map.seals.clear();
            map.cut_log(0);
        }
        self.remix(author);
        if is_news_to_all {
            self.outputs.push_back(Output::Cast { bytes, except: None });
        }
        self.emit(Event::Frozen { node: author });
        Ok(())
    }
}
