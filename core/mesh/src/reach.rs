//! Who can be reached, kept up to date link by link.

use wire::{NodeId, Time};

use crate::map::{Map, Turn};
use crate::{Mesh, Output};

/// Who can be reached from us by the map and by the links that we trust, by place on the map.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    reached: Vec<bool>,
}

impl Reach {
    pub(crate) fn has(&self, at: usize) -> bool {
        self.reached.get(at).copied().unwrap_or(false)
    }

    /// Takes over a new state; whoever has turned.
    fn turn(&mut self, reached: Vec<bool>) -> Vec<(usize, bool)> {
        let before = std::mem::replace(&mut self.reached, reached);
        let was = |at: usize| before.get(at).copied().unwrap_or(false);
        let now = self.reached.iter().enumerate();
        now.filter(|(at, is)| was(*at) != **is).map(|(at, is)| (at, *is)).collect()
    }

    /// Adds all that `from` leads to; whoever is new.
    fn spread(&mut self, map: &Map, from: usize) -> Vec<usize> {
        self.reached.resize(map.len(), false);
        let (mut stack, mut new) = (vec![from], Vec::new());
        while let Some(at) = stack.pop() {
            if !std::mem::replace(&mut self.reached[at], true) {
                new.push(at);
                stack.extend(map.edges(at).iter().map(|edge| edge.to));
            }
        }
        new
    }
}

impl Mesh {
    /// Whether there is a way to `node`; there always is one to ourselves.
    #[must_use]
    pub fn reaches(&self, node: NodeId) -> bool {
        node == self.me || self.map.place(node).is_some_and(|at| self.reach.has(at))
    }

    /// Works out who can be reached after the map has turned.
    pub(crate) fn follow(&mut self, now: Time, turn: &Turn) {
        if turn.is_none() {
            return;
        }
        self.trees.spoil(now);
        if self.links.values().any(|link| link.naming.is_leaf) {
            self.find_reach(now);
            return;
        }
        // Where both ends of a lost link are joined by another way, nothing has changed.
        if turn.lost.iter().any(|other| !self.map.are_joined(turn.at, *other)) {
            self.find_reach(now);
            return;
        }
        let here = self.reach.has(turn.at);
        let mut new = Vec::new();
        for other in &turn.gained {
            match (here || !new.is_empty(), self.reach.has(*other)) {
                (true, false) => new.extend(self.reach.spread(&self.map, *other)),
                (false, true) => new.extend(self.reach.spread(&self.map, turn.at)),
                (true, true) | (false, false) => {}
            }
        }
        if !new.is_empty() {
            for at in new {
                self.tell_reach(at, true);
            }
            self.send_to_reached(now);
        }
    }

    /// Works it out from the beginning.
    pub(crate) fn find_reach(&mut self, now: Time) {
        self.trees.spoil(now);
        let live = |is_leaf| {
            let all = self.links.values().filter(|link| !link.suspect);
            all.filter(move |link| link.naming.is_leaf == is_leaf).map(|link| link.place)
        };
        let mut reached = self.map.reach(live(false), self.map.place(self.me));
        live(true).for_each(|at| reached[at] = true);
        let turned = self.reach.turn(reached);
        for (at, is_reached) in turned {
            self.tell_reach(at, is_reached);
        }
        self.send_to_reached(now);
    }

    fn tell_reach(&mut self, at: usize, is_reached: bool) {
        let node = self.map.name(at);
        if node != self.me {
            let output = if is_reached { Output::Reached { node } } else { Output::Lost { node } };
            self.outputs.push_back(output);
        }
    }
}
