//! Data channels between people: in order, complete, and stalled while their ends are cut off from each other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wire::LinkId;

use super::What;
use crate::{Agenda, Net, Weather};

/// A data channel.
#[derive(Debug)]
struct Wire {
    ends: [(usize, LinkId); 2],
    /// Whether the end still listens.
    open: [bool; 2],
    /// How long a frame takes, when that is always the same.
    latency: Option<Duration>,
    /// What was sent to each end while nothing passed.
    stalled: [Vec<Vec<u8>>; 2],
}

/// All data channels.
#[derive(Debug)]
pub(crate) struct Links {
    net: Net<(u64, usize)>,
    wires: BTreeMap<u64, Wire>,
    by_end: BTreeMap<(usize, LinkId), (u64, usize)>,
    next: u64,
    groups: Vec<BTreeSet<usize>>,
}

impl Links {
    pub(crate) fn new(net: Net<(u64, usize)>) -> Self {
        let (wires, by_end) = (BTreeMap::new(), BTreeMap::new());
        Self { net, wires, by_end, next: 0, groups: Vec::new() }
    }

    pub(crate) fn can_talk(&self, one: usize, other: usize) -> bool {
        let group = |who| self.groups.iter().position(|group| group.contains(&who));
        group(one) == group(other)
    }

    pub(crate) fn open(&mut self, ends: [(usize, LinkId); 2]) {
        for (end, id) in ends.into_iter().enumerate() {
            self.by_end.insert(id, (self.next, end));
        }
        let stalled = [Vec::new(), Vec::new()];
        let latency = self.net.weather().steady.then(|| self.net.latency());
        self.wires.insert(self.next, Wire { ends, open: [true; 2], latency, stalled });
        self.next += 1;
    }

    pub(crate) fn end_of(&self, who: usize, link: LinkId) -> Option<usize> {
        self.by_end.get(&(who, link)).map(|(_, end)| *end)
    }

    /// The wires of `who`, and which end is theirs.
    pub(crate) fn of(&self, who: usize) -> Vec<(u64, usize)> {
        let all = (who, LinkId(0))..=(who, LinkId(u64::MAX));
        self.by_end.range(all).map(|(_, at)| *at).collect()
    }

    /// The links of `one` to `other`.
    pub(crate) fn between(&self, one: usize, other: usize) -> Vec<(LinkId, usize)> {
        self.of(one)
            .into_iter()
            .filter(|(wire, end)| self.wires[wire].ends[1 - end].0 == other)
            .map(|(wire, end)| (self.wires[&wire].ends[end].1, end))
            .collect()
    }

    pub(crate) fn send(&mut self, who: usize, link: LinkId, frame: Vec<u8>, to: &mut Agenda<What>) {
        let Some(&(id, end)) = self.by_end.get(&(who, link)) else { return };
        let wire = &self.wires[&id];
        if self.can_talk(wire.ends[0].0, wire.ends[1].0) {
            let end = 1 - end;
            for at in self.net.carry_in(to.now(), (id, end), wire.latency) {
                to.push(at, What::Arrives { wire: id, end, frame: frame.clone() });
            }
        } else if let Some(wire) = self.wires.get_mut(&id) {
            wire.stalled[1 - end].push(frame);
        }
    }

    /// Who gets a frame that arrives, if anybody listens. What was on its way when a cut came still arrives.
    pub(crate) fn arrive(&self, id: u64, end: usize) -> Option<(usize, LinkId)> {
        let wire = self.wires.get(&id)?;
        wire.open[end].then_some(wire.ends[end])
    }

    /// `who` hangs up: the other end learns it when it can.
    pub(crate) fn hang(&mut self, who: usize, link: LinkId, end: usize, agenda: &mut Agenda<What>) {
        let Some((id, _)) = self.by_end.remove(&(who, link)) else { return };
        let Some(wire) = self.wires.get_mut(&id) else { return };
        wire.open[end] = false;
        let (one, other) = (wire.ends[0].0, wire.ends[1].0);
        if self.can_talk(one, other) {
            let end = 1 - end;
            for at in self.net.carry(agenda.now(), (id, end)) {
                agenda.push(at, What::Closes { wire: id, end });
            }
        }
        self.forget_if_over(id);
    }

    /// An end learns that the other has hung up; whose it is, if it still listens.
    pub(crate) fn close(&mut self, id: u64, end: usize) -> Option<(usize, LinkId)> {
        let wire = self.wires.get_mut(&id)?;
        let was_open = std::mem::replace(&mut wire.open[end], false);
        let at = wire.ends[end];
        self.by_end.remove(&at);
        self.forget_if_over(id);
        was_open.then_some(at)
    }

    /// The wires that are open at both ends: between whom, and how long a frame takes when that is always the same.
    pub(crate) fn open_wires(&self) -> impl Iterator<Item = (usize, usize, Option<Duration>)> {
        let open = self.wires.values().filter(|wire| wire.open == [true; 2]);
        open.map(|wire| (wire.ends[0].0, wire.ends[1].0, wire.latency))
    }

    /// Turns the weather for what is sent from now on.
    pub(crate) fn turn(&mut self, weather: Weather) {
        self.net.turn(weather);
    }

    fn forget_if_over(&mut self, id: u64) {
        if self.wires.get(&id).is_some_and(|wire| wire.open == [false; 2]) {
            self.wires.remove(&id);
        }
    }

    pub(crate) fn split(&mut self, groups: Vec<BTreeSet<usize>>) {
        self.groups = groups;
    }

    /// What stalled goes on; where one end has given up, the other hears so.
    pub(crate) fn heal(&mut self, agenda: &mut Agenda<What>) {
        self.groups.clear();
        for (id, wire) in &mut self.wires {
            for end in [0, 1] {
                for frame in std::mem::take(&mut wire.stalled[end]) {
                    for at in self.net.carry(agenda.now(), (*id, end)) {
                        agenda.push(at, What::Arrives { wire: *id, end, frame: frame.clone() });
                    }
                }
                if !wire.open[1 - end] {
                    agenda.push(agenda.now(), What::Closes { wire: *id, end });
                }
            }
        }
    }
}
