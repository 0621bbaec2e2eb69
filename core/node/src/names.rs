//! Who is in: how nodes tell each other, and what follows when somebody is put out.

use mesh::Verdict;
use trust::{Certificate, Charter, Difference, Learned, Purpose, Short, Trust};
use wire::{NodeId, Set, Sure, Time, Timestamp};

use crate::words::{Names, Standing, ToAll, ToNeighbour, encode};
use crate::{Error, Event, Node, Output, Reason};

/// How many certificates go into one message: with the longest names it stays below what every channel takes.
const PIECE: usize = 64;

/// How often at most a neighbour is asked for its roll because its digest differs.
const ASK_AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// How often at most because it told of somebody unknown. Guess: a beat, in which the answer comes.
const ASK_FOR_NAMES: std::time::Duration = std::time::Duration::from_secs(1);

/// Trust, as the tree asks for it.
#[derive(Debug)]
pub(crate) struct Office(pub(crate) Trust);

impl tree::Notary for Office {
    fn knows(&self, author: NodeId) -> bool {
        self.0.roll().is_some_and(|roll| roll.known(author).is_some()) || author == self.0.me()
    }

    fn sign(&mut self, claim: &mut tree::Claim<'_>) -> Option<tree::Proof> {
        let statement = claim.statement().to_bytes();
        Some(tree::Proof(self.0.sign(Purpose::Statement, &statement).0))
    }

    fn check(&mut self, claim: &mut tree::Claim<'_>, proof: Option<&tree::Proof>) -> bool {
        let Some(proof) = proof else { return false };
        let (author, signature) = (claim.author(), trust::Signature(proof.0));
        let statement = claim.statement().to_bytes();
        self.0.verify(Purpose::Statement, author, &statement, &signature) == trust::Verdict::Good
    }
}

impl Names {
    /// These certificates alone.
    pub(crate) fn of(certificates: Vec<Certificate>) -> Self {
        Self { certificates, ..Self::default() }
    }

    /// What one roll has and another lacks, in pieces; the last says what is wanted. There is at least one.
    pub(crate) fn pieces(charter: Option<Charter>, difference: Difference) -> Vec<Self> {
        let Difference { certificates, revocations, wanted } = difference;
        let mut pieces: Vec<Self> = certificates
            .chunks(PIECE)
            .map(|piece| Self { certificates: piece.to_vec(), more: true, ..Self::default() })
            .collect();
        for piece in revocations.chunks(PIECE) {
            let piece = piece.to_vec();
            pieces.push(Self { revocations: piece, more: true, ..Self::default() });
        }
        if pieces.is_empty() {
            pieces.push(Self::default());
        }
        pieces[0].charter = charter;
        if let Some(last) = pieces.last_mut() {
            last.wanted = wanted;
            last.more = false;
        }
        pieces
    }
}

impl Node {
    /// Our roll in a few bytes.
    pub(crate) fn standing(&mut self) -> Standing {
        let roll = self.tree.notary().0.roll();
        let hash = roll.map_or(0, |roll| roll.hash());
        let count = roll.map_or(0, |roll| roll.len() as u32);
        Standing { hash: hash.to_le_bytes(), count }
    }

    /// What the calendar says.
    pub(crate) fn calendar(&self, now: Time) -> Timestamp {
        let since = (now - self.born.0).as_millis();
        Timestamp(self.born.1.0.saturating_add(u64::try_from(since).unwrap_or(u64::MAX)))
    }

    /// Takes in who somebody says is in; false when it could have known that this is forged.
    pub(crate) fn take_names(&mut self, now: Time, names: Names, from: Option<NodeId>) -> bool {
        let trust = &mut self.tree.notary().0;
        if names.charter.is_some_and(|charter| !trust.take_charter(charter)) {
            return false;
        }
        let learned = trust.learn(names.certificates, names.revocations);
        let is_forged = learned.is_forged;
        self.on_learned(now, learned, from);
        !is_forged
    }

    /// Takes in who somebody says, to all, is in. It goes on before we have no more to do with those who were put out:
    /// they hear it too.
    pub(crate) fn hear_names(&mut self, now: Time, names: Names) -> Result<(), Error> {
        let learned = self.tree.notary().0.learn(names.certificates, names.revocations);
        let is_news = !learned.certificates.is_empty() || !learned.revocations.is_empty();
        let verdict = match learned.is_forged {
            true => Verdict::Bad,
            false if is_news => Verdict::Good,
            false => Verdict::Unknown,
        };
        let judged = self.mesh_input(now, mesh::Input::Judged(verdict));
        self.on_learned(now, learned, None);
        judged
    }

    /// Draws the consequences. `from` is the neighbour whose side knows it; what came to all is told to nobody.
    pub(crate) fn on_learned(&mut self, now: Time, learned: Learned, from: Option<NodeId>) {
        let Learned { certificates, revocations, mut out, is_forged: _ } = learned;
        if certificates.is_empty() && revocations.is_empty() && out.is_empty() {
            return;
        }
        self.doors_are_stale = true;
        // Those too of whom we hear only now, who came by somebody that was out.
        let roll = self.tree.notary().0.roll();
        let new = certificates.iter().map(Certificate::node);
        let new = new.filter(|node| roll.is_some_and(|roll| roll.is_out(*node)));
        out.extend(new.chain(revocations.iter().map(|revocation| revocation.node)));
        for certificate in &certificates {
            let known = tree::Input::Known(certificate.node());
            self.tree_input(now, known).sure("news of a member is never refused");
        }
        if !self.was_admitted && self.tree.notary().0.is_in() {
            self.was_admitted = true;
            self.emit(Event::Admitted);
        }
        // Whoever could be reached before is told by whoever told us; what we say ourselves goes to all, and first.
        let is_news = |from: &NodeId| *from == self.me || !self.is_reached(*from);
        if let Some(from) = from.filter(is_news) {
            let news = Difference { certificates, revocations, wanted: Vec::new() };
            self.spread(now, news, from);
        }
        for node in out.into_iter().collect::<Set<_>>().iter() {
            self.put_away(now, *node);
        }
        self.tell_digest(now);
    }

    /// Tells everybody but the side of `from`.
    fn spread(&mut self, now: Time, news: Difference, from: NodeId) {
        if !self.mesh.neighbours().iter().any(|peer| *peer != from) {
            return;
        }
        for names in Names::pieces(None, news) {
            let payload = encode(&ToAll::Names(names.to_bytes()));
            let cast = mesh::Input::Cast { payload, except: Some(from), fleeting: false };
            self.mesh_input(now, cast).sure("a piece of a roll is no longer than a message");
        }
    }

    /// Has no more to do with somebody who was put out.
    fn put_away(&mut self, now: Time, node: NodeId) {
        if node == self.me {
            self.emit(Event::TurnedAway { by: node, reason: Reason::PutOut });
            return;
        }
        if !self.out.insert(node) {
            return;
        }
        self.turned.push(node);
        self.tree_input(now, tree::Input::Out(node)).sure("what counts no more is not asked");
        self.mesh_input(now, mesh::Input::Shun { peer: node })
            .sure("nothing is said when a link is hung up that could be refused");
        let theirs = self.doors.iter().filter(|(_, guest)| guest.peer == node);
        for link in theirs.map(|(link, _)| *link).collect::<Vec<_>>() {
            self.doors.remove(&link);
            self.outputs.push_back(Output::Hang { link });
        }
    }

    /// A neighbour told us, alone, of its roll.
    pub(crate) fn on_told(
        &mut self,
        now: Time,
        peer: NodeId,
        words: ToNeighbour,
    ) -> Result<(), Error> {
        match words {
            ToNeighbour::Tree(bytes) => {
                self.tree_input(now, tree::Input::Told { peer, bytes })?;
                return self.ask_for_names(now, peer);
            }
            ToNeighbour::Names(names) => {
                let what = "a roll that cannot be read";
                let names =
                    Names::from_bytes(&names).ok_or(Error::PeerMisbehaved { peer, what })?;
                let wanted = names.wanted.clone();
                if !self.take_names(now, names, Some(peer)) {
                    return Err(Error::PeerMisbehaved { peer, what: "a roll that is forged" });
                }
                return self.answer_wanted(now, peer, &wanted);
            }
            ToNeighbour::Roll(theirs) => {
                let ours = self.standing();
                let is_smaller = (ours.count, self.me) < (theirs.count, peer);
                if ours == theirs {
                    return Ok(());
                }
                let roll = self.tree.notary().0.roll();
                let have = roll.map(|roll| roll.shorts()).unwrap_or_default();
                let words =
                    if is_smaller { ToNeighbour::Have(have) } else { ToNeighbour::Roll(ours) };
                return self.tell(now, peer, &words);
            }
            ToNeighbour::Have(have) => {
                let roll = self.tree.notary().0.roll();
                let difference = roll.map(|roll| roll.compare(&have)).unwrap_or_default();
                for names in Names::pieces(None, difference) {
                    self.tell(now, peer, &ToNeighbour::Names(names.to_bytes()))?;
                }
            }
        }
        Ok(())
    }

    /// A neighbour that tells what somebody wrote knows who that is. What it told counts when we know, too.
    fn ask_for_names(&mut self, now: Time, peer: NodeId) -> Result<(), Error> {
        let lately = self.asked.get(&peer).is_some_and(|asked| now - *asked < ASK_FOR_NAMES);
        if lately || !self.tree.has_stranger_of(peer) {
            return Ok(());
        }
        self.asked.insert(peer, now);
        let roll = ToNeighbour::Roll(self.standing());
        self.tell(now, peer, &roll)
    }

    /// Tells a neighbour what it asked for.
    pub(crate) fn answer_wanted(
        &mut self,
        now: Time,
        peer: NodeId,
        wanted: &[Short],
    ) -> Result<(), Error> {
        if wanted.is_empty() {
            return Ok(());
        }
        let roll = self.tree.notary().0.roll();
        let picked = roll.map(|roll| roll.pick(wanted)).unwrap_or_default();
        for names in Names::pieces(None, picked) {
            self.tell(now, peer, &ToNeighbour::Names(names.to_bytes()))?;
        }
        Ok(())
    }

    pub(crate) fn tell(
        &mut self,
        now: Time,
        peer: NodeId,
        words: &ToNeighbour,
    ) -> Result<(), Error> {
        self.mesh_input(now, mesh::Input::Tell { peer, payload: encode(words) })
    }

    /// What a beat carries: tree and roll in one number.
    fn mixed_digest(&mut self) -> u32 {
        self.tree.digest() ^ self.fold()
    }

    fn fold(&mut self) -> u32 {
        let hash = self.standing().hash;
        u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
    }

    pub(crate) fn tell_digest(&mut self, now: Time) {
        let digest = mesh::Input::Digest(self.mixed_digest());
        self.mesh_input(now, digest).sure("a digest is never refused");
    }

    /// A neighbour has this digest. The tree finds out whether that is its affair; the roll is compared seldom.
    pub(crate) fn on_digest(
        &mut self,
        now: Time,
        peer: NodeId,
        digest: u32,
        compare: bool,
    ) -> Result<(), Error> {
        if compare {
            let asked = self.asked.get(&peer).copied();
            if asked.is_none_or(|asked| now - asked >= ASK_AGAIN) {
                self.asked.insert(peer, now);
                // Not at the first difference: what makes it is on its way more often than not.
                if asked.is_some() {
                    let roll = ToNeighbour::Roll(self.standing());
                    self.tell(now, peer, &roll)?;
                }
            }
        } else if digest == self.mixed_digest() {
            self.asked.remove(&peer);
        }
        let digest = digest ^ self.fold();
        self.tree_input(now, tree::Input::Digest { peer, digest, compare })
    }
}
