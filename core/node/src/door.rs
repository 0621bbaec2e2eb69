//! The door: what both ends of a fresh link say before anything else, so that strangers get nothing.
//!
//! ```text
//!   both           Hello {nonce, roll}          ─▶   so is my roll
//!   both           Proof {signature, …}         ─▶   I hold the keys of the name by which you know me
//!                    with keys, from one who is not in yet
//!                    with its chain and what it has, from the one with the smaller roll
//!   larger roll    Names {what you lack}        ─▶   in pieces, as the link takes them; the last says what
//!                                                    it wants in turn
//!                  ═══ from here on the link is the network's ═══
//!   smaller roll   what was wanted              ─▶   as words between neighbours
//! ```
//!
//! With equal rolls that is half a hundred bytes and a signature each, in one round trip. Whoever comes by an invite of
//! ours is let in as soon as it has proved its keys, and learns so from our roll. All of it is said again each second
//! until both ends are through, so that nothing depends on what a link may lose, double or bring out of order.

use std::collections::VecDeque;

use trust::{Claim, PublicKeys, Purpose, Short, Verdict};
use wire::{InviteId, LinkId, NodeId, Time};

use crate::words::{Hello, Knock, Names, Proof, Standing, decode, encode, oath};
use crate::{Error, Event, FIRST_OWN_LINK, Misuse, Node, Output, Reason};

/// How many frames the other end may send at the door: enough for the largest roll, twice.
const FRAMES_MAX: u32 = 256;

/// What every frame at the door begins with; the network's frames begin with less.
const KNOCK: u8 = 0x7f;

/// The longest of them in bytes: a piece of a roll.
const FRAME_BYTES_MAX: usize = 48 * 1024;

/// How many certificates somebody shows to prove that it is in, its own and those next above it: with the short names of
/// the largest roll they fit into a frame. Whoever has the larger roll lacks only the latest.
const CHAIN_MAX: usize = 128;

/// Somebody at the door.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) peer: NodeId,
    binding: Vec<u8>,
    claim: Claim,
    invite: Option<InviteId>,
    nonce: [u8; 16],
    /// Our roll, as we told it.
    ours: Standing,
    hello: Option<Hello>,
    proof: Option<Proof>,
    /// Whether it has told us all of who is in.
    has_told: bool,
    /// What it wants to be told of our roll.
    wanted: Vec<Short>,
    frames: u32,
    /// Whether it has proved itself, so that its link is open at our end, and maybe not yet at its own.
    is_open: bool,
    /// When our roll was told to it last: not with every word that it repeats, for many may come at once.
    told: Option<Time>,
    /// What of our roll it is still to be told, when the link has taken what was said before.
    pieces: VecDeque<Names>,
    /// How many bytes were said since the link was last known to have taken everything.
    said: usize,
    /// Whether we wait for [`Input::Flushed`](crate::Input::Flushed).
    is_flushing: bool,
    /// When to say again what was said.
    again: Time,
    until: Time,
}

/// What becomes of a guest.
enum Judgement {
    /// It is too early to say.
    Wait,
    /// It is in.
    Open,
    /// It is not.
    TurnAway(Reason),
    /// It does not keep to the protocol.
    Misbehaved(&'static str),
}

/// Whether a frame is one of those that are said at the door; later than that it changes nothing.
pub(crate) fn is_knock(frame: &[u8]) -> bool {
    frame.first() == Some(&KNOCK)
}

impl Guest {
    /// When something is due.
    pub(crate) fn timeout(&self) -> Option<Time> {
        (!self.is_open).then(|| self.again.min(self.until))
    }

    /// Whether something that we would say has to wait until the link has taken what was said before.
    fn is_telling(&self) -> bool {
        self.is_flushing || !self.pieces.is_empty()
    }

    /// Whether both rolls are the same.
    fn is_even(&self, hello: &Hello) -> bool {
        hello.roll == self.ours
    }

    /// Whether ours is the smaller of two rolls that differ.
    fn is_smaller(&self, me: NodeId, hello: &Hello) -> bool {
        (self.ours.count, me) < (hello.roll.count, self.peer) && !self.is_even(hello)
    }
}

impl Node {
    /// A link is open: see who is there.
    pub(crate) fn knock(
        &mut self,
        now: Time,
        link: LinkId,
        peer: NodeId,
        binding: Vec<u8>,
        claim: Claim,
        invite: Option<InviteId>,
    ) -> Result<(), Error> {
        let waiting = self.doors.values().filter(|guest| !guest.is_open).count();
        if waiting >= self.config.mesh.links_max {
            self.outputs.push_back(Output::Hang { link });
            return Err(Error::Limit("the number of links"));
        }
        let (nonce, ours) = (self.dice.bytes(), self.standing());
        let mut guest = Guest {
            peer,
            binding,
            claim,
            invite,
            nonce,
            ours,
            hello: None,
            proof: None,
            has_told: false,
            wanted: Vec::new(),
            frames: 0,
            is_open: false,
            told: None,
            pieces: VecDeque::new(),
            said: 0,
            is_flushing: false,
            again: now + self.config.door_again,
            until: now + self.config.door,
        };
        self.introduce(link, &mut guest);
        self.doors.insert(link, guest);
        Ok(())
    }

    /// Something came over a link at whose door somebody stands, or stood until now.
    pub(crate) fn on_knock(
        &mut self,
        now: Time,
        link: LinkId,
        frame: Vec<u8>,
    ) -> Result<(), Error> {
        let Some(mut guest) = self.doors.remove(&link) else { return Ok(()) };
        let Some((&KNOCK, knock)) = frame.split_first() else {
            if guest.is_open {
                // It is through at its end too.
                return self.mesh_input(now, mesh::Input::Received { link, frame });
            }
            // It is through, and its proof was lost. What it says meanwhile the network says again.
            self.doors.insert(link, guest);
            return Ok(());
        };
        guest.frames += 1;
        let is_bounded = guest.frames <= FRAMES_MAX && frame.len() <= FRAME_BYTES_MAX;
        let judgement = match decode(knock).filter(|_| is_bounded) {
            Some(knock) => self.hear_knock(now, link, &mut guest, knock),
            None => Judgement::Misbehaved("words at the door that cannot be read"),
        };
        self.carry_judgement(now, link, guest, judgement)
    }

    /// The link has taken what was said: goes on telling our roll. Whether it was the door that asked.
    pub(crate) fn on_flushed_at_door(&mut self, now: Time, link: LinkId) -> Result<bool, Error> {
        let flushing = self.doors.get(&link).is_some_and(|guest| guest.is_flushing);
        if !flushing {
            return Ok(false);
        }
        let Some(mut guest) = self.doors.remove(&link) else { return Ok(false) };
        (guest.said, guest.is_flushing) = (0, false);
        self.go_on_telling(link, &mut guest);
        if guest.is_open && !guest.is_flushing {
            // The network may have asked meanwhile, for what it sent later.
            self.outputs.push_back(Output::Flush { link });
        }
        let judgement = self.judge(now, link, &mut guest);
        self.carry_judgement(now, link, guest, judgement)?;
        Ok(true)
    }

    /// Looks again at everybody who waits, since the roll has changed.
    pub(crate) fn look_at_doors(&mut self, now: Time) -> Result<(), Error> {
        if !std::mem::take(&mut self.doors_are_stale) {
            return Ok(());
        }
        let mut result = Ok(());
        for link in self.doors.keys().copied().collect::<Vec<_>>() {
            let Some(mut guest) = self.doors.remove(&link) else { continue };
            let judgement = self.judge(now, link, &mut guest);
            result = result.and(self.carry_judgement(now, link, guest, judgement));
        }
        result
    }

    /// Says again what may have been lost, and sends those away who have proved nothing for too long.
    pub(crate) fn look_after_doors(&mut self, now: Time) {
        let due = |guest: &Guest| guest.timeout().is_some_and(|at| now >= at);
        let due = self.doors.iter().filter(|(_, guest)| due(guest));
        for link in due.map(|(link, _)| *link).collect::<Vec<_>>() {
            let Some(mut guest) = self.doors.remove(&link) else { continue };
            guest.again = now + self.config.door_again;
            self.introduce(link, &mut guest);
            self.doors.insert(link, guest);
        }
        let late = self.doors.iter().filter(|(_, guest)| !guest.is_open && now >= guest.until);
        for link in late.map(|(link, _)| *link).collect::<Vec<_>>() {
            let Some(mut guest) = self.doors.remove(&link) else { continue };
            self.say_at_door(link, &mut guest, &Knock::No(Reason::Stranger));
            self.shut(now, link);
        }
    }

    fn hear_knock(
        &mut self,
        now: Time,
        link: LinkId,
        guest: &mut Guest,
        knock: Knock,
    ) -> Judgement {
        match knock {
            Knock::Hello(hello) if guest.hello.is_none() => {
                guest.hello = Some(hello);
                let proof = self.prove(guest, &hello);
                self.say_at_door(link, guest, &Knock::Proof(proof));
                self.judge(now, link, guest)
            }
            // It says so again: then it lacks what we said. Who still waits says that again by itself, and nobody answers
            // an answer.
            Knock::Hello(_) => {
                if guest.is_open && now >= guest.again {
                    guest.again = now + self.config.door_again;
                    self.introduce(link, guest);
                    self.tell_names_at_door(now, link, guest);
                }
                Judgement::Wait
            }
            Knock::Proof(proof) if guest.proof.is_none() => {
                guest.proof = Some(proof);
                self.judge(now, link, guest)
            }
            Knock::Names(names) if self.is_owed(guest) => {
                let Some(names) = Names::from_bytes(&names) else {
                    return Judgement::Misbehaved("a roll that cannot be read");
                };
                guest.has_told = !names.more;
                guest.wanted.clone_from(&names.wanted);
                if !self.take_names(now, names, Some(guest.peer)) {
                    return Judgement::Misbehaved("a roll that is forged");
                }
                self.judge(now, link, guest)
            }
            Knock::No(reason) => {
                self.emit(Event::TurnedAway { by: guest.peer, reason });
                Judgement::Misbehaved("it does not let us in")
            }
            // Said again, or too early: it comes once more.
            Knock::Proof(_) | Knock::Names(_) => Judgement::Wait,
        }
    }

    /// Says who we are, and proves it to one who has said who it is; not while the link has yet to take what was said.
    fn introduce(&mut self, link: LinkId, guest: &mut Guest) {
        if guest.is_telling() {
            return;
        }
        let hello = Hello { nonce: guest.nonce, roll: guest.ours };
        self.say_at_door(link, guest, &Knock::Hello(hello));
        if let Some(hello) = guest.hello {
            let proof = self.prove(guest, &hello);
            self.say_at_door(link, guest, &Knock::Proof(proof));
        }
    }

    fn prove(&mut self, guest: &Guest, hello: &Hello) -> Proof {
        let what = oath(self.me, guest.peer, &guest.nonce, &hello.nonce, &guest.binding);
        let trust = &self.tree.notary().0;
        let roll = trust.roll().filter(|_| guest.is_smaller(self.me, hello));
        let chain = roll.map(|roll| {
            let mut chain = roll.chain(self.me);
            chain.drain(..chain.len().saturating_sub(CHAIN_MAX));
            Names::of(chain).to_bytes()
        });
        Proof {
            signature: trust.sign(Purpose::Hello, &what),
            keys: (!trust.is_in()).then(|| trust.keys()),
            chain: chain.unwrap_or_default(),
            have: roll.map(|roll| roll.shorts()).unwrap_or_default(),
        }
    }

    fn judge(&mut self, now: Time, link: LinkId, guest: &mut Guest) -> Judgement {
        let (false, Some(hello), Some(proof)) = (guest.is_open, guest.hello, &mut guest.proof)
        else {
            return Judgement::Wait;
        };
        let (me, peer) = (self.me, guest.peer);
        let what = oath(peer, me, &hello.nonce, &guest.nonce, &guest.binding);
        let chain = std::mem::take(&mut proof.chain);
        let signature = proof.signature;
        let keys = proof.keys.filter(|keys| keys.node() == peer);
        if self.tree.notary().0.member(peer).is_none() && !chain.is_empty() {
            let names = Names::from_bytes(&chain).filter(|names| names.charter.is_none());
            if !names.is_some_and(|names| self.take_names(now, names, Some(peer))) {
                return Judgement::Misbehaved("a certificate that is forged");
            }
        }
        let trust = &mut self.tree.notary().0;
        if trust.roll().is_some_and(|roll| roll.is_out(peer)) {
            return Judgement::TurnAway(Reason::PutOut);
        }
        if trust.member(peer).is_none()
            && let (Some(keys), Some(invite)) = (keys, guest.invite)
        {
            if !trust.verify_with(Purpose::Hello, &keys, &what, &signature) {
                return Judgement::Misbehaved("a proof that proves nothing");
            }
            if let Err(reason) = self.admit(now, keys, guest.claim.clone(), invite, peer) {
                return reason.map_or(Judgement::Wait, Judgement::TurnAway);
            }
        }
        let trust = &mut self.tree.notary().0;
        match trust.verify(Purpose::Hello, peer, &what, &signature) {
            Verdict::Good => {}
            Verdict::Forged => return Judgement::Misbehaved("a proof that proves nothing"),
            Verdict::Stranger => return Judgement::Wait,
        }
        if self.is_owed(guest) {
            return Judgement::Wait;
        }
        if guest.told.is_none() {
            self.tell_names_at_door(now, link, guest);
        }
        if guest.is_telling() { Judgement::Wait } else { Judgement::Open }
    }

    /// Whether somebody at the door has to tell us who is in: who said that its roll is the larger, and anybody as long
    /// as we have none.
    fn is_owed(&mut self, guest: &Guest) -> bool {
        let Some(hello) = &guest.hello else { return false };
        // The last piece of a roll may come though an earlier one was lost: it is told again until it makes us members.
        let is_in = self.tree.notary().0.is_in();
        !is_in || hello.roll.count > 0 && guest.is_smaller(self.me, hello) && !guest.has_told
    }

    /// Lets somebody in whom we invited; the error is the reason to turn it away, or none yet.
    fn admit(
        &mut self,
        now: Time,
        keys: PublicKeys,
        claim: Claim,
        invite: InviteId,
        peer: NodeId,
    ) -> Result<(), Option<Reason>> {
        let clock = self.calendar(now);
        let trust = &mut self.tree.notary().0;
        match trust.admit(clock, keys, claim, invite) {
            Ok(learned) => {
                self.on_learned(now, learned, Some(peer));
                Ok(())
            }
            Err(trust::Error::NotIn) => Err(None),
            Err(trust::Error::PutOut) => Err(Some(Reason::PutOut)),
            Err(trust::Error::Full) => Err(Some(Reason::Full)),
        }
    }

    /// Tells the one with the smaller roll what it lacks.
    fn tell_names_at_door(&mut self, now: Time, link: LinkId, guest: &mut Guest) {
        let Some(hello) = guest.hello else { return };
        let lately = guest.told.is_some_and(|told| now < told + self.config.door_again / 2);
        if lately || guest.is_telling() {
            return;
        }
        // Of two who had no roll, one may have been let in meanwhile.
        let has_none = hello.roll.count == 0;
        if guest.has_told || !has_none && guest.is_even(&hello) {
            return;
        }
        let have = guest.proof.as_ref().map(|proof| proof.have.as_slice()).unwrap_or_default();
        let trust = &self.tree.notary().0;
        let Some(roll) = trust.roll() else { return };
        let charter = (hello.roll.count == 0).then(|| roll.charter().clone());
        guest.told = Some(now);
        guest.pieces = Names::pieces(charter, roll.compare(have)).into();
        self.go_on_telling(link, guest);
    }

    /// Tells as much of our roll as may be on its way at a time.
    fn go_on_telling(&mut self, link: LinkId, guest: &mut Guest) {
        while !guest.is_flushing
            && let Some(names) = guest.pieces.pop_front()
        {
            self.say_at_door(link, guest, &Knock::Names(names.to_bytes()));
        }
    }

    fn carry_judgement(
        &mut self,
        now: Time,
        link: LinkId,
        mut guest: Guest,
        judgement: Judgement,
    ) -> Result<(), Error> {
        let peer = guest.peer;
        match judgement {
            Judgement::Wait => {
                self.doors.insert(link, guest);
                Ok(())
            }
            Judgement::Open => {
                if link >= FIRST_OWN_LINK && !self.finish(link, peer) {
                    self.outputs.push_back(Output::Hang { link });
                    return Err(Error::Misuse(Misuse::UnknownLink));
                }
                if link < FIRST_OWN_LINK {
                    self.brought.insert(peer);
                }
                if let Some(user) = guest.claim.user.take() {
                    self.emit(Event::Met { peer, user });
                }
                self.mesh_input(now, mesh::Input::Up { link, peer })?;
                let wanted = std::mem::take(&mut guest.wanted);
                guest.is_open = true;
                self.doors.insert(link, guest);
                self.answer_wanted(now, peer, &wanted)
            }
            Judgement::TurnAway(reason) => {
                self.say_at_door(link, &mut guest, &Knock::No(reason));
                self.shut(now, link);
                Ok(())
            }
            Judgement::Misbehaved(what) => {
                self.shut(now, link);
                Err(Error::PeerMisbehaved { peer, what })
            }
        }
    }

    fn shut(&mut self, now: Time, link: LinkId) {
        if self.attempts.contains_key(&link) {
            self.give_up(now, link);
        } else {
            self.outputs.push_back(Output::Hang { link });
        }
    }

    fn say_at_door(&mut self, link: LinkId, guest: &mut Guest, knock: &Knock) {
        let frame = [[KNOCK].as_slice(), &encode(knock)].concat();
        guest.said += frame.len();
        self.outputs.push_back(Output::Send { link, frame });
        if guest.said >= self.config.mesh.window_bytes && !guest.is_flushing {
            guest.is_flushing = true;
            self.outputs.push_back(Output::Flush { link });
        }
    }
}
