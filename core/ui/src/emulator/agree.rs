//! Who agrees with whom, and how long it took since something happened.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wire::{NodeId, Time};

use super::Emulator;
use super::api::SeatId;
use super::seat::{Health, Seat};

/// How many deeds are remembered.
const DEEDS_MAX: usize = 100;

/// What one participant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who.
    pub seat: SeatId,
    /// The same letter as everybody who holds the same writes, `A` for the most; `None` when it does not run.
    pub letter: Option<char>,
    /// How many people it lists, those aside who are frozen.
    pub sees: usize,
    /// How many people it should list: those of its part.
    pub there: usize,
    /// Whether it lists exactly those who are there.
    pub is_right: bool,
}

/// What all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Everybody, in the order in which they came.
    pub standings: Vec<Standing>,
    /// How many run.
    pub running: usize,
    /// Into how many parts the links that are open connect them.
    pub parts: usize,
    /// Whether within each part everybody holds the same writes, and lists exactly the people of the part.
    pub holds: bool,
}

impl Emulator {
    /// Who agrees with whom now.
    #[must_use]
    pub fn agreement(&self) -> Agreement {
        let parts = self.parts();
        let frozen: BTreeSet<NodeId> = self
            .seats
            .iter()
            .filter(|seat| seat.health() == Health::Frozen)
            .map(Seat::node)
            .collect();
        let mut standings = BTreeMap::new();
        let mut holds = true;
        let letters = self.letters();
        for part in &parts {
            let seats = || part.iter().filter_map(|seat| self.seat(*seat));
            let there: BTreeSet<NodeId> = seats().map(Seat::node).collect();
            let digests: BTreeSet<u32> = seats().map(|seat| seat.room.node().digest()).collect();
            holds &= digests.len() <= 1;
            for seat in seats() {
                // Whether somebody who is frozen is still listed depends on for how long, and either is right.
                let people = seat.room.people().into_iter().map(|person| person.node);
                let listed: BTreeSet<NodeId> =
                    people.filter(|node| !frozen.contains(node)).collect();
                let is_right = listed == there;
                holds &= is_right;
                let letter = letters.get(&seat.room.node().digest()).copied();
                standings.insert(
                    seat.id,
                    Standing {
                        seat: seat.id,
                        letter,
                        sees: listed.len(),
                        there: there.len(),
                        is_right,
                    },
                );
            }
        }
        let resting = |seat: &Seat| Standing {
            seat: seat.id,
            letter: None,
            sees: seat.room.people().len(),
            there: 0,
            is_right: false,
        };
        let standing =
            |seat: &Seat| standings.get(&seat.id).copied().unwrap_or_else(|| resting(seat));
        Agreement {
            standings: self.seats.iter().map(standing).collect(),
            running: parts.iter().map(Vec::len).sum(),
            parts: parts.len(),
            holds,
        }
    }

    /// A letter for each digest, `A` for the one that most have.
    fn letters(&self) -> BTreeMap<u32, char> {
        let mut counts: Vec<(u32, usize)> = Vec::new();
        for seat in self.seats.iter().filter(|seat| seat.is_running()) {
            let digest = seat.room.node().digest();
            match counts.iter_mut().find(|(known, _)| *known == digest) {
                Some((_, count)) => *count += 1,
                None => counts.push((digest, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let digests = counts.into_iter().map(|(digest, _)| digest);
        digests.zip(('A'..='Z').chain('a'..='z')).collect()
    }

    /// The participants that run, by what open links connect.
    pub(super) fn parts(&self) -> Vec<Vec<SeatId>> {
        let mut parts: Vec<Vec<SeatId>> = Vec::new();
        let mut left: Vec<SeatId> = self.running().collect();
        while let Some(first) = left.first() {
            let part = self.reach(*first, &left);
            left.retain(|seat| !part.contains(seat));
            parts.push(part);
        }
        parts
    }

    /// Those `among` whom open links connect with `from` by way of others among them: the nearest first.
    pub(super) fn reach(&self, from: SeatId, among: &[SeatId]) -> Vec<SeatId> {
        let mut left: Vec<SeatId> = among.iter().copied().filter(|seat| *seat != from).collect();
        let mut reached = vec![from];
        let mut at = 0;
        while let Some(seat) = reached.get(at).and_then(|seat| self.seat(*seat)) {
            let (near, far): (Vec<SeatId>, Vec<SeatId>) =
                left.iter().partition(|peer| self.is_connected(seat, **peer));
            reached.extend(near);
            left = far;
            at += 1;
        }
        reached
    }

    /// Whether a link between two is open at both ends.
    fn is_connected(&self, seat: &Seat, peer: SeatId) -> bool {
        seat.has_open_link_to(peer)
            && self.seat(peer).is_some_and(|peer| peer.has_open_link_to(seat.id))
    }
}

/// Something that happened, and how long it took until all agreed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) number: u64,
    pub(super) at: Time,
    pub(super) text: String,
    pub(super) took: Option<Duration>,
}

/// The clock that is stopped when all agree.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) deeds: Vec<Noted>,
    count: u64,
    /// Whether all agreed when it was last looked.
    pub(super) is_settled: bool,
}

impl Watch {
    /// Something happened.
    pub(super) fn note(&mut self, now: Time, text: String) {
        self.count += 1;
        self.is_settled = false;
        self.deeds.push(Noted { number: self.count, at: now, text, took: None });
        if self.deeds.len() > DEEDS_MAX {
            self.deeds.remove(0);
        }
    }

    /// Stops for everything that is mended. While a wall stands, two parts are all there can be.
    pub(super) fn look(&mut self, now: Time, agreement: &Agreement, is_split: bool) {
        let parts_max = if is_split { 2 } else { 1 };
        self.is_settled = agreement.holds && agreement.parts <= parts_max;
        if self.is_settled {
            for deed in self.deeds.iter_mut().filter(|deed| deed.took.is_none()) {
                deed.took = Some(now - deed.at);
            }
        }
    }
}
