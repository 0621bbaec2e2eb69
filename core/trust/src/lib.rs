//! Who may take part in a conference, who said what, and what only one may read.
//!
//! A node has two pairs of keys, made of a seed that is drawn anew for each join: Ed25519 to sign, X25519 to seal.
//! Its name is a hash of both public keys, so nobody can take another's. Who founds a conference writes a
//! [`Charter`]; the name of the conference is its hash. Whoever is in may invite: the inviter signs a [`Certificate`]
//! over the keys of the newcomer, and the chain of certificates ends at the founder.
//!
//! ```text
//!   Charter   founder's keys, bounds ──hash──▶ name of the conference
//!      │
//!      ├─ Certificate  keys of b, "bob@…, by the server", invited by founder, invite 1, date ── signed by the founder
//!      │     └─ Certificate  keys of d, invited by b, invite 7, later date ── signed by b
//!      └─ Certificate  keys of c, …
//!                                     Roll = charter + certificates − what the founder took back, in any order of arrival
//! ```
//!
//! Everything that is signed or sealed begins with a [`Context`]: the version, the [`Purpose`], the conference. So
//! nothing that was signed for one thing can be shown as another, or elsewhere.
//!
//! **Invariant:** the roll is a function of the set of certificates and revocations, not of the order in which they
//! came (as long as fewer than 256 of them count for nothing).
//! **Invariant:** no certificate makes more members than one, no member invites more than the charter allows, and no
//! conference has more members than the charter says.
//! **Invariant:** a changed bit in anything signed or sealed is noticed.
//!
//! What it does not give: a certificate says what its inviter claims. A member may claim what is not true, and may
//! write an early date on a certificate to come before others when places are scarce; the chain names it, and the
//! founder can put it out together with everybody whom it let in.
//!
//! Limits: [`Bounds`] in the charter; 256 certificates that count for nothing.
//!
//! Sources: Ed25519, RFC 8032; HPKE, RFC 9180; chains of certificates instead of an authority after Ellison et al.,
//! RFC 2693 (SPKI).

mod bytes;
mod certificate;
mod charter;
mod checks;
mod keys;
mod roll;
mod seal;

use wire::{ConferenceId, Dice, InviteId, NodeId, Seed, Timestamp};

pub use certificate::{Admission, Certificate, Revocation, Short};
pub use charter::{Bounds, Charter, Claim, Proof, Seat};
pub use checks::{Checks, Each, Memo};
pub use keys::{Keys, PublicKeys, Signature};
pub use roll::{Difference, Learned, Member, Roll};
pub use seal::{SEAL_BYTES, SEAL_STEP};

/// What something is signed or sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A member lets somebody in.
    Certificate = 1,
    /// The founder puts somebody out.
    Revocation = 2,
    /// An author states what is in its map.
    Statement = 3,
    /// A node proves to a neighbour that it holds its keys.
    Hello = 4,
    /// Words to one node, sealed.
    Words = 5,
    /// Words to all that are not kept.
    Notice = 6,
    /// What is kept by all and read by one, sealed.
    Private = 7,
}

/// What stands before everything that is signed or sealed.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    purpose: Purpose,
    conference: &'a ConferenceId,
}

impl<'a> Context<'a> {
    /// For this purpose in this conference.
    #[must_use]
    pub fn new(purpose: Purpose, conference: &'a ConferenceId) -> Self {
        Self { purpose, conference }
    }

    /// What is signed instead of `what` alone.
    #[must_use]
    pub fn message(&self, what: &[u8]) -> Vec<u8> {
        let conference = self.conference.as_str().as_bytes();
        // At most 64 characters, so the length is a byte.
        let head = [b"hullo 1 ".as_slice(), &[self.purpose as u8, conference.len() as u8]];
        [head[0], head[1], conference, what].concat()
    }
}

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is what it says.
    Good,
    /// It is not.
    Forged,
    /// We do not know the keys of whose it is said to be.
    Stranger,
}

/// Why somebody was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// We have no place in the conference to give from.
    #[error("we are not in the conference ourselves")]
    NotIn,
    /// The founder put the newcomer out.
    #[error("the founder of the conference has put this participant out")]
    PutOut,
    /// There is no place left, or we may invite nobody any more, or the invite was used, or it is too late.
    #[error("the conference is full, or its time to admit people is over")]
    Full,
}

/// What one node knows of the trust in its conference.
#[derive(Debug)]
pub struct Trust {
    keys: Keys,
    conference: ConferenceId,
    /// `None` until somebody has shown the charter.
    roll: Option<Roll>,
    checks: Box<dyn Checks>,
}

impl Trust {
    /// Founds a conference.
    #[must_use]
    pub fn found(seed: Seed, claim: Claim, bounds: Bounds, now: Timestamp) -> Self {
        let keys = Keys::new(seed);
        let nonce = Dice::new(seed).bytes();
        let founder = keys.public();
        let charter = Charter { founder, claim, founded: now, bounds, nonce };
        let conference = charter.conference();
        Self { keys, conference, roll: Some(Roll::new(charter)), checks: Box::new(Each) }
    }

    /// Wants to take part in a conference, of which nothing is known but the name.
    #[must_use]
    pub fn apply(seed: Seed, conference: ConferenceId) -> Self {
        Self { keys: Keys::new(seed), conference, roll: None, checks: Box::new(Each) }
    }

    /// Comes back as who we were; `None` when the seat is not that of this seed.
    #[must_use]
    pub fn resume(seed: Seed, seat: Seat) -> Option<Self> {
        let mut trust = Self::apply(seed, seat.charter.conference());
        trust.take_charter(seat.charter);
        trust.learn(seat.chain, Vec::new());
        trust.is_in().then_some(trust)
    }

    /// What it takes to come back, beside the seed; `None` while we are not in.
    #[must_use]
    pub fn seat(&self) -> Option<Seat> {
        let roll = self.roll.as_ref().filter(|_| self.is_in())?;
        Some(Seat { charter: roll.charter().clone(), chain: roll.chain(self.me()) })
    }

    /// Lets `checks` check signatures.
    #[must_use]
    pub fn with_checks(mut self, checks: Box<dyn Checks>) -> Self {
        self.checks = checks;
        self
    }

    /// Our name.
    #[must_use]
    pub fn me(&self) -> NodeId {
        self.keys.public().node()
    }

    /// Our keys.
    #[must_use]
    pub fn keys(&self) -> PublicKeys {
        self.keys.public()
    }

    /// The conference.
    #[must_use]
    pub fn conference(&self) -> &ConferenceId {
        &self.conference
    }

    /// Who is in; `None` until the charter is known.
    #[must_use]
    pub fn roll(&self) -> Option<&Roll> {
        self.roll.as_ref()
    }

    /// Who `node` is, if it is in.
    #[must_use]
    pub fn member(&self, node: NodeId) -> Option<Member<'_>> {
        self.roll.as_ref()?.member(node)
    }

    /// Whether we are in.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.member(self.me()).is_some()
    }

    /// Takes the charter that the name of the conference is the hash of; false when it is another's.
    pub fn take_charter(&mut self, charter: Charter) -> bool {
        if self.roll.is_none() && charter.conference() == self.conference {
            self.roll = Some(Roll::new(charter));
            return true;
        }
        self.roll.as_ref().is_some_and(|roll| *roll.charter() == charter)
    }

    /// Takes in what somebody says about who is in; nothing while the charter is unknown.
    pub fn learn(
        &mut self,
        certificates: Vec<Certificate>,
        revocations: Vec<Revocation>,
    ) -> Learned {
        let Some(roll) = &mut self.roll else { return Learned::default() };
        roll.learn(&mut *self.checks, certificates, revocations)
    }

    /// Lets somebody in whom we invited.
    ///
    /// # Errors
    ///
    /// See [`Error`]; the roll is as it was.
    pub fn admit(
        &mut self,
        now: Timestamp,
        keys: PublicKeys,
        claim: Claim,
        invite: InviteId,
    ) -> Result<Learned, Error> {
        let inviter = self.me();
        let roll = self.roll.as_ref().filter(|roll| roll.member(inviter).is_some());
        let roll = roll.ok_or(Error::NotIn)?;
        if roll.is_out(keys.node()) {
            return Err(Error::PutOut);
        }
        let issued = roll.issue_at(inviter, now);
        let admission = Admission { keys, claim, inviter, invite, issued };
        let signature = self.sign(Purpose::Certificate, &admission.to_bytes());
        let learned = self.learn(vec![Certificate { admission, signature }], Vec::new());
        if learned.certificates.is_empty() { Err(Error::Full) } else { Ok(learned) }
    }

    /// Puts somebody out, and everybody whom that one let in; nothing unless we founded the conference.
    pub fn put_out(&mut self, node: NodeId) -> Learned {
        let signature = self.sign(Purpose::Revocation, &node.0.to_le_bytes());
        match &self.roll {
            Some(roll) if roll.founder() == self.me() => {
                self.learn(Vec::new(), vec![Revocation { node, signature }])
            }
            Some(_) | None => Learned::default(),
        }
    }

    /// Signs `what`.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, what: &[u8]) -> Signature {
        self.keys.sign(&Context::new(purpose, &self.conference), what)
    }

    /// Whether `by`, who is in or was, signed `what`.
    pub fn verify(
        &mut self,
        purpose: Purpose,
        by: NodeId,
        what: &[u8],
        signature: &Signature,
    ) -> Verdict {
        let known = self.roll.as_ref().and_then(|roll| roll.known(by));
        match known.map(|member| *member.keys) {
            None => Verdict::Stranger,
            Some(keys) if self.verify_with(purpose, &keys, what, signature) => Verdict::Good,
            Some(_) => Verdict::Forged,
        }
    }

    /// Whether the holder of `keys` signed `what`, whoever that is.
    pub fn verify_with(
        &mut self,
        purpose: Purpose,
        keys: &PublicKeys,
        what: &[u8],
        signature: &Signature,
    ) -> bool {
        let message = Context::new(purpose, &self.conference).message(what);
        self.checks.verify(&keys.signing, &message, signature)
    }

    /// Seals `plain` to the member `to`, for a purpose; `None` when it is none, or its key is none.
    #[must_use]
    pub fn seal(
        &self,
        purpose: Purpose,
        to: NodeId,
        plain: &[u8],
        dice: &mut Dice,
    ) -> Option<Vec<u8>> {
        let context = Context::new(purpose, &self.conference);
        seal::seal(&self.keys, &context, self.member(to)?.keys, plain, dice)
    }

    /// Opens what the member `from` sealed to us for that purpose; `None` when that is not what it is.
    #[must_use]
    pub fn open(&self, purpose: Purpose, from: NodeId, sealed: &[u8]) -> Option<Vec<u8>> {
        let context = Context::new(purpose, &self.conference);
        seal::open(&self.keys, &context, self.member(from)?.keys, sealed)
    }
}
