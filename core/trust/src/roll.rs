//! The roll: who is in, worked out from certificates alone, in whatever order they came.

use std::sync::Arc;

use wire::{ConferenceId, InviteId, Map, NodeId, Set, Timestamp};

use crate::certificate::Place;
use crate::keys::first_eight;
use crate::{Certificate, Charter, Checks, Claim, Context, PublicKeys, Purpose, Revocation, Short};

/// How many certificates wait at most that make nobody a member, or not yet: their inviter is unknown, or the places
/// are taken. Guess: what a large conference may lack at a time.
const SPARE_MAX: usize = 256;

/// Somebody who is in.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Its keys.
    pub keys: &'a PublicKeys,
    /// Who it is said to be: by its inviter, or by itself if it is the founder.
    pub claim: &'a Claim,
    /// Who invited it; `None` for the founder.
    pub inviter: Option<NodeId>,
}

#[derive(Debug)]
struct Known {
    certificate: Arc<Certificate>,
    node: NodeId,
    /// Whether its signature was found good.
    is_signed: bool,
}

/// How somebody is in.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// By which certificate; the founder by none.
    place: Option<Place>,
    certificate: Option<Arc<Certificate>>,
    /// How many it has invited.
    invited: usize,
    /// Whether the founder put it out, or somebody above it.
    is_out: bool,
}

/// Who is in.
///
/// Certificates are called in the order of their dates, then of their hashes. Each makes a member when its inviter is
/// one already, at an earlier date, has not used this invite before and may invite still; when nobody has that name;
/// and when there is a place left. Whom the founder puts out loses the place, and so do all who came by it; what they
/// signed can still be checked.
#[derive(Debug)]
pub struct Roll {
    charter: Charter,
    conference: ConferenceId,
    closes: Timestamp,
    founder: NodeId,
    /// All certificates, those in vain too: they may count when another does not.
    known: Map<Place, Known>,
    /// Boxed, for they are looked up with every write of anybody.
    members: Map<NodeId, Box<Standing>>,
    /// How many of them are out.
    out: usize,
    /// Which invites made a member.
    spent: Set<(NodeId, InviteId)>,
    revoked: Map<NodeId, Revocation>,
    /// A hash of what counts.
    hash: u64,
}

/// What came of certificates that were told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Those that count now and did not before.
    pub certificates: Vec<Certificate>,
    /// Those that put somebody out.
    pub revocations: Vec<Revocation>,
    /// Who is not in any more.
    pub out: Vec<NodeId>,
    /// Whether one was not signed by whom it names: who hands that on could have known.
    pub is_forged: bool,
}

impl Roll {
    /// A conference of its founder alone.
    #[must_use]
    pub fn new(charter: Charter) -> Self {
        let founder = charter.founder.node();
        let conference = charter.conference();
        Self {
            founder,
            closes: charter.closes(),
            known: Map::new(),
            members: founder_alone(founder),
            out: 0,
            spent: Set::new(),
            revoked: Map::new(),
            hash: first_eight(conference.as_str().as_bytes()),
            conference,
            charter,
        }
    }

    /// What the conference was founded on.
    #[must_use]
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// Who founded it.
    #[must_use]
    pub fn founder(&self) -> NodeId {
        self.founder
    }

    /// How much there is to tell.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len() + self.revoked.len()
    }

    /// Never: there is a founder.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// A number that is equal in two rolls with the same members, and hardly ever in others.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Who `node` is, if it is in.
    #[must_use]
    pub fn member(&self, node: NodeId) -> Option<Member<'_>> {
        self.members.get(&node).filter(|standing| !standing.is_out)?;
        self.known(node)
    }

    /// Who `node` is, if it is in or was.
    #[must_use]
    pub fn known(&self, node: NodeId) -> Option<Member<'_>> {
        let Some(certificate) = &self.members.get(&node)?.certificate else {
            let (keys, claim) = (&self.charter.founder, &self.charter.claim);
            return Some(Member { keys, claim, inviter: None });
        };
        let admission = &certificate.admission;
        let inviter = Some(admission.inviter);
        Some(Member { keys: &admission.keys, claim: &admission.claim, inviter })
    }

    /// Everybody who is in, in the order of their names.
    pub fn members(&self) -> impl Iterator<Item = NodeId> {
        self.members.iter().filter(|(_, standing)| !standing.is_out).map(|(node, _)| *node)
    }

    /// Whether `node` was put out, or somebody above it.
    #[must_use]
    pub fn is_out(&self, node: NodeId) -> bool {
        self.revoked.contains_key(&node)
            || self.members.get(&node).is_some_and(|standing| standing.is_out)
    }

    /// The certificate by which `node` is in; `None` for the founder and for strangers.
    #[must_use]
    pub fn certificate(&self, node: NodeId) -> Option<&Certificate> {
        self.members.get(&node)?.certificate.as_deref()
    }

    /// The certificates from the founder down to `node`.
    #[must_use]
    pub fn chain(&self, node: NodeId) -> Vec<Certificate> {
        let mut chain = Vec::new();
        let mut next = node;
        // Dates fall on the way up, so there is an end.
        while let Some(certificate) = self.certificate(next) {
            chain.push(certificate.clone());
            next = certificate.admission.inviter;
        }
        chain.reverse();
        chain
    }

    /// What counts here, by its short names.
    #[must_use]
    pub fn shorts(&self) -> Vec<Short> {
        let places = self.members.values().filter_map(|standing| standing.place);
        let certificates = places.map(|place| place.short());
        certificates.chain(self.revoked.keys().map(|node| Revocation::short(*node))).collect()
    }

    /// What counts here and is not among `theirs`, inviters before those they invited; and what of `theirs` does not
    /// count here.
    #[must_use]
    pub fn compare(&self, theirs: &[Short]) -> Difference {
        let theirs: Set<Short> = theirs.iter().copied().collect();
        let ours: Set<Short> = self.shorts().into_iter().collect();
        Difference {
            certificates: self.certificates(|short| !theirs.contains(&short)),
            revocations: self.revocations(|short| !theirs.contains(&short)),
            wanted: theirs.iter().filter(|short| !ours.contains(short)).copied().collect(),
        }
    }

    /// What counts here and bears a name that is `wanted`.
    #[must_use]
    pub fn pick(&self, wanted: &[Short]) -> Difference {
        Difference {
            certificates: self.certificates(|short| wanted.contains(&short)),
            revocations: self.revocations(|short| wanted.contains(&short)),
            wanted: Vec::new(),
        }
    }

    fn certificates(&self, is_meant: impl Fn(Short) -> bool) -> Vec<Certificate> {
        let meant = self.known.iter().filter(|(place, known)| self.counts(**place, known));
        let meant = meant.filter(|(place, _)| is_meant(place.short()));
        meant.map(|(_, known)| (*known.certificate).clone()).collect()
    }

    /// Whether a certificate makes somebody a member.
    fn counts(&self, place: Place, known: &Known) -> bool {
        self.members.get(&known.node).is_some_and(|standing| standing.place == Some(place))
    }

    fn revocations(&self, is_meant: impl Fn(Short) -> bool) -> Vec<Revocation> {
        let meant = self.revoked.values().filter(|out| is_meant(Revocation::short(out.node)));
        meant.cloned().collect()
    }

    /// Takes in what somebody says about who is in.
    pub fn learn(
        &mut self,
        checks: &mut dyn Checks,
        certificates: Vec<Certificate>,
        revocations: Vec<Revocation>,
    ) -> Learned {
        let mut learned = Learned::default();
        let last = self.known.last().map(|(place, _)| *place);
        let mut new = Set::new();
        for certificate in certificates {
            let place = certificate.place();
            let is_in_time = self.charter.founded < place.issued && place.issued <= self.closes;
            if !is_in_time || self.known.contains_key(&place) {
                continue;
            }
            new.insert(place);
            let node = certificate.node();
            let certificate = Arc::new(certificate);
            self.known.insert(place, Known { certificate, node, is_signed: false });
        }
        let is_put_out = self.put_out(checks, revocations, &mut learned);
        let first = new.iter().next().copied();
        let is_late = first.is_none_or(|first| last.is_none_or(|last| last < first));
        if is_put_out || !is_late {
            // What is earlier than all that is new stands as it did; a revocation may be about anybody.
            let first = first.filter(|_| !is_put_out);
            let (called, were): (Vec<Place>, Vec<(NodeId, bool)>) = match first {
                Some(first) => (self.known_from(first), self.uncall(first)),
                None => (self.known.keys().copied().collect(), self.uncall_all()),
            };
            self.call(checks, called.into_iter(), &mut learned);
            let were_known: Set<NodeId> = were.iter().map(|(node, _)| *node).collect();
            learned.certificates.retain(|new| !were_known.contains(&new.node()));
            let were_in = were.into_iter().filter(|(_, was_in)| *was_in).map(|(node, _)| node);
            learned.out = were_in.filter(|node| self.member(*node).is_none()).collect();
        } else {
            // What is later than all we had changes nothing before it.
            self.call(checks, new.iter().copied(), &mut learned);
        }
        self.drop_spare();
        learned
    }

    /// True when somebody is out who was not.
    fn put_out(
        &mut self,
        checks: &mut dyn Checks,
        revocations: Vec<Revocation>,
        learned: &mut Learned,
    ) -> bool {
        let context = Context::new(Purpose::Revocation, &self.conference);
        for revocation in revocations {
            let is_full = self.revoked.len() >= usize::from(self.charter.bounds.members_max);
            let is_vain = revocation.node == self.founder;
            if is_full || is_vain || self.revoked.contains_key(&revocation.node) {
                continue;
            }
            let message = context.message(&revocation.node.0.to_le_bytes());
            if checks.verify(&self.charter.founder.signing, &message, &revocation.signature) {
                learned.revocations.push(revocation.clone());
                self.revoked.insert(revocation.node, revocation);
            } else {
                learned.is_forged = true;
            }
        }
        !learned.revocations.is_empty()
    }

    /// The certificates from that place on, in order.
    fn known_from(&self, first: Place) -> Vec<Place> {
        let places = self.known.iter().rev().map(|(place, _)| *place);
        let mut places: Vec<Place> = places.take_while(|place| *place >= first).collect();
        places.reverse();
        places
    }

    /// Takes back what was called from that place on, the last first; whom it had made members, and whether each was in, in
    /// the order of their names.
    fn uncall(&mut self, first: Place) -> Vec<(NodeId, bool)> {
        let mut were = Vec::new();
        for place in self.known_from(first).into_iter().rev() {
            let Some(known) = self.known.get(&place).filter(|known| self.counts(place, known))
            else {
                continue;
            };
            let (node, inviter) = (known.node, known.certificate.admission.inviter);
            self.spent.remove(&(inviter, known.certificate.admission.invite));
            let is_out = self.members.remove(&node).is_some_and(|standing| standing.is_out);
            if let Some(inviter) = self.members.get_mut(&inviter) {
                inviter.invited -= 1;
            }
            self.out -= usize::from(is_out);
            self.hash = self.hash.wrapping_sub(mix(&place.hash));
            let was = (node, !is_out);
            were.insert(were.partition_point(|other| *other < was), was);
        }
        were
    }

    /// The same from the beginning, revocations counted in.
    fn uncall_all(&mut self) -> Vec<(NodeId, bool)> {
        let were = self.members.iter().map(|(node, standing)| (*node, !standing.is_out)).collect();
        self.members = founder_alone(self.founder);
        self.out = 0;
        self.spent = Set::new();
        self.hash = first_eight(self.conference.as_str().as_bytes());
        for node in self.revoked.keys() {
            self.hash = self.hash.wrapping_add(mix(&Revocation::short(*node).0));
        }
        were
    }

    fn call(
        &mut self,
        checks: &mut dyn Checks,
        places: impl Iterator<Item = Place>,
        learned: &mut Learned,
    ) {
        for place in places {
            if !self.may_be_member(place) {
                continue;
            }
            if !self.is_signed(checks, place) {
                self.known.remove(&place);
                learned.is_forged = true;
                continue;
            }
            let Some(known) = self.known.get(&place) else { continue };
            let admission = &known.certificate.admission;
            let is_out = self.would_be_out(known);
            self.out += usize::from(is_out);
            let certificate = Some(known.certificate.clone());
            let standing = Standing { place: Some(place), certificate, invited: 0, is_out };
            self.members.insert(known.node, Box::new(standing));
            if let Some(inviter) = self.members.get_mut(&admission.inviter) {
                inviter.invited += 1;
            }
            self.spent.insert((admission.inviter, admission.invite));
            self.hash = self.hash.wrapping_add(mix(&place.hash));
            learned.certificates.push((*known.certificate).clone());
        }
    }

    fn would_be_out(&self, known: &Known) -> bool {
        self.revoked.contains_key(&known.node) || self.is_out(known.certificate.admission.inviter)
    }

    /// Whether a certificate makes a member, if its signature is good.
    fn may_be_member(&self, place: Place) -> bool {
        let Some(known) = self.known.get(&place) else { return false };
        let admission = &known.certificate.admission;
        let taken = if self.would_be_out(known) { self.out } else { self.members.len() - self.out };
        let inviter = admission.inviter;
        let Some(of_inviter) = self.members.get(&inviter) else { return false };
        let bounds = &self.charter.bounds;
        let (since, invites_max) = match of_inviter.place {
            None => (self.charter.founded, bounds.members_max),
            Some(place) => (place.issued, bounds.invites_max),
        };
        since < admission.issued
            && taken < usize::from(bounds.members_max)
            && of_inviter.invited < usize::from(invites_max)
            && !self.members.contains_key(&known.node)
            && !self.spent.contains(&(inviter, admission.invite))
    }

    fn is_signed(&mut self, checks: &mut dyn Checks, place: Place) -> bool {
        let Some(known) = self.known.get(&place) else { return false };
        if known.is_signed {
            return true;
        }
        let admission = &known.certificate.admission;
        let Some(inviter) = self.known(admission.inviter) else { return false };
        let context = Context::new(Purpose::Certificate, &self.conference);
        let message = context.message(&admission.to_bytes());
        let is_signed =
            checks.verify(&inviter.keys.signing, &message, &known.certificate.signature);
        if let Some(known) = self.known.get_mut(&place) {
            known.is_signed = is_signed;
        }
        is_signed
    }

    /// Forgets what makes nobody a member, the latest first, when that is too much.
    fn drop_spare(&mut self) {
        let spare = (self.known.len() + 1).saturating_sub(self.members.len());
        if spare <= SPARE_MAX {
            return;
        }
        let in_vain = |(place, known): &(&Place, &Known)| !self.counts(**place, known);
        let in_vain = self.known.iter().filter(in_vain).map(|(place, _)| *place);
        for place in in_vain.collect::<Vec<_>>().into_iter().rev().take(spare - SPARE_MAX) {
            self.known.remove(&place);
        }
    }

    /// The first moment that is later than the admission of `inviter`, and no earlier than `now`.
    pub(crate) fn issue_at(&self, inviter: NodeId, now: Timestamp) -> Timestamp {
        let place = self.members.get(&inviter).and_then(|standing| standing.place);
        let since = place.map_or(self.charter.founded, |place| place.issued);
        Timestamp(now.0.max(since.0.saturating_add(1)))
    }
}

/// What one roll has and another lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Who is in, inviters before those they invited.
    pub certificates: Vec<Certificate>,
    /// Who was put out.
    pub revocations: Vec<Revocation>,
    /// What the other has that this one lacks.
    pub wanted: Vec<Short>,
}

/// Spreads a hash over eight bytes; a sum of such numbers is the hash of a set.
fn mix(hash: &[u8]) -> u64 {
    // The finalizer of SplitMix64 (Steele et al. 2014).
    let mut x = first_eight(hash);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn founder_alone(founder: NodeId) -> Map<NodeId, Box<Standing>> {
    std::iter::once((founder, Box::default())).collect()
}
