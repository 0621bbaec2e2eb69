//! Data channels between people: in order, complete, and stalled while their ends are cut off from each other or the
//! other end does not read.

use std::collections::BTreeSet;
use std::time::Duration;

use wire::{LinkId, Map, Time};

use super::What;
use crate::{Agenda, Net, Weather};

/// The most bytes that may wait on one side of a channel: a window that was not flushed, and the message that filled it.
const WAITING_MAX: usize = 256 * 1024;

/// A data channel.
#[derive(Debug)]
struct Wire {
    ends: [(usize, LinkId); 2],
    /// Whether the end still listens.
    open: [bool; 2],
    /// How long a frame takes to each end, when that is always the same.
    latency: Option<[Duration; 2]>,
    /// Whether nothing passes for now, though the ends could talk.
    clogged: bool,
    sides: [Side; 2],
}

impl Wire {
    fn latency_to(&self, end: usize) -> Option<Duration> {
        self.latency.map(|both| both[end])
    }
}

/// What goes to one end.
#[derive(Debug, Default)]
struct Side {
    /// When the last frame arrives.
    last: Time,
    /// When the last byte has left.
    free: Time,
    /// What was sent while nothing passed.
    stalled: Vec<Vec<u8>>,
    /// How many bytes were sent since everything had left.
    waiting: usize,
    /// Whether the sender waits for everything to have left.
    flushes: bool,
    /// Whether nothing arrives any more, and nobody is told.
    deaf: bool,
}

/// All data channels.
#[derive(Debug)]
pub(crate) struct Links {
    net: Net<u64>,
    /// By number; none where both ends have hung up.
    wires: Vec<Option<Wire>>,
    /// For each person: the wires, and which end is theirs.
    by_end: Vec<Map<LinkId, (u64, usize)>>,
    /// While the network is apart: in which part each person is.
    parts: Vec<usize>,
}

impl Links {
    pub(crate) fn new(net: Net<u64>) -> Self {
        Self { net, wires: Vec::new(), by_end: Vec::new(), parts: Vec::new() }
    }

    pub(crate) fn can_talk(&self, one: usize, other: usize) -> bool {
        let part = |who: usize| self.parts.get(who).copied().unwrap_or(0);
        self.parts.is_empty() || part(one) == part(other)
    }

    fn wire(&self, id: u64) -> Option<&Wire> {
        self.wires.get(id as usize)?.as_ref()
    }

    fn wire_mut(&mut self, id: u64) -> Option<&mut Wire> {
        self.wires.get_mut(id as usize)?.as_mut()
    }

    fn at(&self, who: usize, link: LinkId) -> Option<(u64, usize)> {
        self.by_end.get(who)?.get(&link).copied()
    }

    /// The number of a new channel.
    pub(crate) fn open(&mut self, ends: [(usize, LinkId); 2]) -> u64 {
        let id = self.wires.len() as u64;
        for (end, (who, link)) in ends.into_iter().enumerate() {
            if self.by_end.len() <= who {
                self.by_end.resize_with(who + 1, Map::new);
            }
            self.by_end[who].insert(link, (id, end));
        }
        let latency = self.net.weather().steady.then(|| {
            let one = self.net.latency();
            [one, if self.net.weather().lopsided { self.net.latency() } else { one }]
        });
        let sides = [Side::default(), Side::default()];
        self.wires.push(Some(Wire { ends, open: [true; 2], latency, clogged: false, sides }));
        id
    }

    pub(crate) fn end_of(&self, who: usize, link: LinkId) -> Option<usize> {
        self.at(who, link).map(|(_, end)| end)
    }

    /// Who is at the other end.
    pub(crate) fn reader(&self, who: usize, link: LinkId) -> Option<usize> {
        let (id, end) = self.at(who, link)?;
        self.wire(id).map(|wire| wire.ends[1 - end].0)
    }

    /// The wires of `who`, and which end is theirs.
    pub(crate) fn of(&self, who: usize) -> Vec<(u64, usize)> {
        self.by_end.get(who).into_iter().flat_map(Map::values).copied().collect()
    }

    /// The links of `one` to `other`.
    pub(crate) fn between(&self, one: usize, other: usize) -> Vec<(LinkId, usize)> {
        let all = self.of(one).into_iter();
        all.filter_map(|(id, end)| Some((self.wire(id)?, end)))
            .filter(|(wire, end)| wire.ends[1 - end].0 == other)
            .map(|(wire, end)| (wire.ends[end].1, end))
            .collect()
    }

    /// Sends a frame.
    ///
    /// # Errors
    ///
    /// When more waits on our side than a node may ever let wait.
    pub(crate) fn send(
        &mut self,
        who: usize,
        link: LinkId,
        frame: Vec<u8>,
        to: &mut Agenda<What>,
    ) -> Result<(), String> {
        let Some((id, end)) = self.at(who, link) else { return Ok(()) };
        let Some(wire) = self.wires[id as usize].as_mut() else { return Ok(()) };
        let (now, end) = (to.now(), 1 - end);
        let (one, other) = (wire.ends[0].0, wire.ends[1].0);
        let joined = self.parts.is_empty() || self.parts.get(one) == self.parts.get(other);
        let (joined, latency) = (joined && !wire.clogged, wire.latency_to(end));
        let side = &mut wire.sides[end];
        let bandwidth = self.net.weather().bandwidth;
        if side.free <= now && joined && !side.flushes {
            side.waiting = 0;
        }
        side.waiting += frame.len();
        if side.waiting > WAITING_MAX {
            return Err(format!("{} bytes wait on wire {id} to be sent by {who}", side.waiting));
        }
        if !joined {
            side.stalled.push(frame);
            return Ok(());
        }
        if bandwidth > 0 {
            let takes = Duration::from_secs_f64(frame.len() as f64 / bandwidth as f64);
            side.free = side.free.max(now) + takes;
        }
        let leaves = side.free.max(now);
        let mut copies = self.net.carry_after(leaves, &mut side.last, latency);
        if let Some(at) = copies.next() {
            if let Some(again) = copies.next() {
                to.push(again, What::Arrives { wire: id, end, frame: frame.clone() });
            }
            to.push(at, What::Arrives { wire: id, end, frame });
        }
        Ok(())
    }

    /// Tells `who` when everything has left that was sent over a link; while nothing passes, or the reader sleeps, not
    /// before that is over.
    pub(crate) fn flush(&mut self, who: usize, link: LinkId, reads: bool, to: &mut Agenda<What>) {
        let Some((id, end)) = self.at(who, link) else { return };
        let Some(wire) = self.wire(id) else { return };
        let joined = self.can_talk(wire.ends[0].0, wire.ends[1].0) && !wire.clogged;
        let Some(wire) = self.wire_mut(id) else { return };
        let side = &mut wire.sides[1 - end];
        side.flushes = !joined || !reads;
        if !side.flushes {
            to.push(side.free, What::Flushed { who, link });
        }
    }

    /// Goes on flushing what had to wait for `reader`, or for anybody.
    pub(crate) fn flush_again(&mut self, reader: Option<usize>, to: &mut Agenda<What>) {
        let parts = std::mem::take(&mut self.parts);
        for wire in self.wires.iter_mut().flatten() {
            let joined = parts.is_empty() || parts.get(wire.ends[0].0) == parts.get(wire.ends[1].0);
            let joined = joined && !wire.clogged;
            for end in [0, 1] {
                let is_meant = reader.is_none_or(|who| wire.ends[end].0 == who);
                if joined && is_meant && std::mem::take(&mut wire.sides[end].flushes) {
                    let (who, link) = wire.ends[1 - end];
                    to.push(wire.sides[end].free, What::Flushed { who, link });
                }
            }
        }
        self.parts = parts;
    }

    /// Everything has left.
    pub(crate) fn flushed(&mut self, who: usize, link: LinkId) {
        if let Some((id, end)) = self.at(who, link)
            && let Some(wire) = self.wire_mut(id)
        {
            wire.sides[1 - end].waiting = 0;
        }
    }

    /// Who gets a frame that arrives, if anybody listens. What was on its way when a cut came still arrives.
    pub(crate) fn arrive(&self, id: u64, end: usize) -> Option<(usize, LinkId)> {
        let wire = self.wire(id)?;
        wire.open[end].then_some(wire.ends[end])
    }

    /// `who` hangs up: the other end learns it when it can.
    pub(crate) fn hang(&mut self, who: usize, link: LinkId, end: usize, agenda: &mut Agenda<What>) {
        let Some((id, _)) = self.by_end.get_mut(who).and_then(|ends| ends.remove(&link)) else {
            return;
        };
        let Some(wire) = self.wires[id as usize].as_mut() else { return };
        wire.open[end] = false;
        let (one, other) = (wire.ends[0].0, wire.ends[1].0);
        let end = 1 - end;
        if self.parts.is_empty() || self.parts.get(one) == self.parts.get(other) {
            let latency = wire.latency_to(end);
            let last = &mut wire.sides[end].last;
            for at in self.net.carry_after(agenda.now(), last, latency) {
                agenda.push(at, What::Closes { wire: id, end });
            }
        }
        self.forget_if_over(id);
    }

    /// An end learns that the other has hung up; whose it is, if it still listens.
    pub(crate) fn close(&mut self, id: u64, end: usize) -> Option<(usize, LinkId)> {
        let wire = self.wire_mut(id)?;
        let was_open = std::mem::replace(&mut wire.open[end], false);
        let (who, link) = wire.ends[end];
        self.by_end[who].remove(&link);
        self.forget_if_over(id);
        was_open.then_some((who, link))
    }

    /// The wires that are open at both ends: between whom, and how long a frame takes when that is always the same,
    /// on average of both ways.
    pub(crate) fn open_wires(&self) -> impl Iterator<Item = (usize, usize, Option<Duration>)> {
        let open = self.wires.iter().flatten().filter(|wire| wire.open == [true; 2]);
        open.map(|wire| {
            let mean = wire.latency.map(|[one, other]| (one + other) / 2);
            (wire.ends[0].0, wire.ends[1].0, mean)
        })
    }

    /// Whether every link carries all that is sent over it, once, though maybe not now.
    pub(crate) fn are_plain(&self) -> bool {
        let is_plain = |wire: &Wire| !wire.clogged && wire.sides.iter().all(|side| !side.deaf);
        self.net.weather().lost_permille == 0 && self.wires.iter().flatten().all(is_plain)
    }

    /// What a message takes at least.
    pub(crate) fn lag(&self) -> Duration {
        self.net.weather().latency_min
    }

    /// Turns the weather for what is sent from now on.
    pub(crate) fn turn(&mut self, weather: Weather) {
        self.net.turn(weather);
    }

    fn forget_if_over(&mut self, id: u64) {
        if self.wire(id).is_some_and(|wire| wire.open == [false; 2]) {
            self.wires[id as usize] = None;
        }
    }

    /// From now on only members of the same group hear each other; whoever is in none, those who are in none.
    pub(crate) fn split(&mut self, groups: &[BTreeSet<usize>]) {
        let last = groups.iter().flatten().max().map_or(0, |last| last + 1);
        let part = |who: usize| groups.iter().position(|group| group.contains(&who));
        let count = last.max(self.by_end.len());
        self.parts = (0..count).map(|who| part(who).map_or(0, |part| part + 1)).collect();
    }

    /// What stalled goes on; where one end has given up, the other hears so.
    pub(crate) fn heal(&mut self, agenda: &mut Agenda<What>) {
        self.parts.clear();
        for id in 0..self.wires.len() {
            self.release(id, agenda);
        }
        self.flush_again(None, agenda);
    }

    /// Nothing passes over the links between two, until they are unclogged.
    pub(crate) fn clog(&mut self, one: usize, other: usize) {
        for wire in self.joining(one, other) {
            wire.clogged = true;
        }
    }

    /// What stalled between two goes on.
    pub(crate) fn unclog(&mut self, one: usize, other: usize, agenda: &mut Agenda<What>) {
        let is_meant = |wire: &Wire| wire.ends.iter().all(|(who, _)| *who == one || *who == other);
        let ids: Vec<usize> = (0..self.wires.len())
            .filter(|id| self.wires[*id].as_ref().is_some_and(is_meant))
            .collect();
        for id in ids {
            self.release(id, agenda);
        }
        self.flush_again(None, agenda);
    }

    /// From now on nothing that `one` sends reaches `other` over the links between them, and neither is told.
    pub(crate) fn deafen(&mut self, one: usize, other: usize) {
        for wire in self.joining(one, other) {
            for end in [0, 1] {
                wire.sides[end].deaf |= wire.ends[end].0 == other;
            }
        }
    }

    /// Whether what arrives there is lost.
    pub(crate) fn is_deaf(&self, id: u64, end: usize) -> bool {
        self.wire(id).is_some_and(|wire| wire.sides[end].deaf)
    }

    fn joining(&mut self, one: usize, other: usize) -> impl Iterator<Item = &mut Wire> {
        let all = self.wires.iter_mut().flatten();
        all.filter(move |wire| wire.ends.iter().all(|(who, _)| *who == one || *who == other))
    }

    /// What stalled on a wire goes on, if its ends can talk.
    fn release(&mut self, id: usize, agenda: &mut Agenda<What>) {
        let now = agenda.now();
        let ends = self.wires[id].as_ref().map(|wire| [wire.ends[0].0, wire.ends[1].0]);
        let joined = ends.is_some_and(|[one, other]| self.can_talk(one, other));
        let Some(wire) = self.wires[id].as_mut() else { return };
        wire.clogged = false;
        if !joined {
            return;
        }
        for end in [0, 1] {
            let latency = wire.latency_to(end);
            let side = &mut wire.sides[end];
            for frame in std::mem::take(&mut side.stalled) {
                for at in self.net.carry_after(now, &mut side.last, latency) {
                    agenda.push(at, What::Arrives { wire: id as u64, end, frame: frame.clone() });
                }
            }
            if !wire.open[1 - end] {
                agenda.push(now, What::Closes { wire: id as u64, end });
            }
        }
    }
}
