//! The broadcast tree of every author, as far as it concerns us: to which neighbours do we hand on what it says?
//!
//! In the tree of an author each node hangs on the neighbour that it hears first from, the lowest name among several.
//! Seen from a neighbour that is the first hop of its quickest way to the author. So one search from each neighbour
//! tells for all authors at once whether it hangs on us, and a bit for each is all there is to keep.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use wire::{NodeId, Time};

use crate::Mesh;
use crate::map::Map;

/// Up to how many nodes trees are drawn anew with every change of the map; and where there are more, whoever comes compares
/// once more what it was told.
pub(crate) const SMALL: usize = 64;

/// The trees as they were last drawn. They are used beyond changes of the map, for a while in a large network: what
/// matters is that many draw them from the same map.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    /// The hash of the map that they were drawn from.
    hash: u32,
    drawn: Option<Time>,
    /// Since when the map has not been that one.
    stale: Option<Time>,
    /// Our links on that map.
    own: Vec<NodeId>,
    /// Who had a link on it, by place.
    placed: Bits,
    /// Who of them was within our reach.
    near: Bits,
    /// Our neighbours, each with the authors in whose trees it hangs on us.
    branches: Vec<(NodeId, Bits)>,
}

/// A set of places.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn of(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }
}

impl Trees {
    /// The map, or the links that we have, are no longer those of the drawing.
    pub(crate) fn spoil(&mut self, now: Time) {
        self.stale.get_or_insert(now);
    }

    pub(crate) fn hash(&self) -> u32 {
        self.hash
    }

    /// Our links on the map of the drawing.
    pub(crate) fn own(&self) -> &[NodeId] {
        &self.own
    }

    /// Whether that place has a tree, and we are in it.
    pub(crate) fn has(&self, place: usize) -> bool {
        self.placed.has(place) && self.near.has(place)
    }

    /// Whether `peer`, a neighbour at `at` on the map, hangs on us in the tree of whoever is at `root`; it does when
    /// the drawing does not know where else.
    pub(crate) fn is_child(&self, root: Option<usize>, peer: NodeId, at: usize) -> bool {
        let Some((_, bits)) = self.branches.iter().find(|(known, _)| *known == peer) else {
            return !self.near.has(at);
        };
        root.filter(|root| self.placed.has(*root)).is_none_or(|root| bits.has(root))
    }

    fn draw(&mut self, now: Time, me: NodeId, map: &Map, peers: &[NodeId]) {
        self.stale = None;
        self.drawn = Some(now);
        self.hash = map.hash();
        self.own = map.neighbours(me).collect();
        self.placed = Bits::of(map.len());
        (0..map.len()).filter(|at| !map.edges(*at).is_empty()).for_each(|at| self.placed.set(at));
        let ours = map.place(me);
        let near = map.reach(ours, None);
        self.near = Bits::of(map.len());
        (0..map.len()).filter(|at| near[*at]).for_each(|at| self.near.set(at));
        let mut search = Search::default();
        self.branches.clear();
        for peer in peers {
            let mut bits = Bits::of(map.len());
            let hangs = map.place(*peer).map(|at| search.run(map, at, ours));
            for (at, is_near) in near.iter().enumerate() {
                // Whoever the map leads no way from, to us or to the peer, is handed on to everybody.
                if !is_near || hangs.is_none_or(|hangs| hangs[at] != Hangs::Elsewhere) {
                    bits.set(at);
                }
            }
            self.branches.push((*peer, bits));
        }
    }
}

/// Where a node hangs in the tree of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hangs {
    #[default]
    Nowhere,
    OnUs,
    Elsewhere,
}

/// A search for quickest ways (Dijkstra 1959), with room that is used again.
#[derive(Debug, Default)]
struct Search {
    ways: Vec<u32>,
    /// Which link of the root each way begins with, the lowest of several.
    begins: Vec<u16>,
    heap: BinaryHeap<Reverse<u64>>,
    hangs: Vec<Hangs>,
}

impl Search {
    /// Where `root` hangs in the tree of each node.
    fn run(&mut self, map: &Map, root: usize, us: Option<usize>) -> &[Hangs] {
        self.ways.clear();
        self.ways.resize(map.len(), u32::MAX);
        self.begins.clear();
        self.begins.resize(map.len(), u16::MAX);
        self.ways[root] = 0;
        for (nth, edge) in map.edges(root).iter().enumerate() {
            self.step(edge.to, edge.length, nth as u16);
        }
        while let Some(Reverse(next)) = self.heap.pop() {
            let (way, at) = ((next >> 32) as u32, next as u32 as usize);
            if way > self.ways[at] {
                continue;
            }
            let begin = self.begins[at];
            for edge in map.edges(at) {
                self.step(edge.to, way.saturating_add(edge.length), begin);
            }
        }
        let ours = us.and_then(|us| map.edges(root).iter().position(|edge| edge.to == us));
        let hangs = |begin: &u16| match *begin {
            u16::MAX => Hangs::Nowhere,
            begin if ours == Some(usize::from(begin)) => Hangs::OnUs,
            _ => Hangs::Elsewhere,
        };
        self.hangs.clear();
        self.hangs.extend(self.begins.iter().map(hangs));
        &self.hangs
    }

    fn step(&mut self, to: usize, way: u32, begin: u16) {
        if way < self.ways[to] {
            self.ways[to] = way;
            self.begins[to] = begin;
            self.heap.push(Reverse(u64::from(way) << 32 | to as u64));
        } else if way == self.ways[to] && begin < self.begins[to] {
            // Ways are taken up by length and no link has none, so nothing was built on the other beginning yet.
            self.begins[to] = begin;
        }
    }
}

impl Mesh {
    /// Draws the trees anew when they are stale and have been used for long enough.
    pub(crate) fn draw_trees(&mut self, now: Time) {
        let count = self.map.len();
        let pause = self.config.redraw * if count > SMALL { count as u32 } else { 0 };
        let pause = pause.min(self.config.redraw_max);
        let Some(since) = self.trees.stale else { return };
        // What has just changed is news to the others yet.
        let is_due = |drawn: Time| now >= (drawn + pause).max(since + self.config.spread);
        if self.trees.drawn.is_none_or(is_due) {
            let peers: Vec<NodeId> = self.first_links().map(|(_, link)| link.peer).collect();
            self.trees.draw(now, self.me, &self.map, &peers);
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::{Dice, Seed};

    use super::*;
    use crate::map::tests::{map, own, some_links};
    use crate::{Brief, Cost, LEVEL_MAX};

    fn children(map: &Map, author: NodeId, me: NodeId, peers: &[NodeId]) -> Vec<NodeId> {
        let mut trees = Trees::default();
        trees.draw(Time::ZERO, me, map, peers);
        let is_child = |peer: &&NodeId| {
            let at = map.place(**peer).unwrap_or(usize::MAX);
            trees.is_child(map.place(author), **peer, at) && **peer != author
        };
        peers.iter().filter(is_child).copied().collect()
    }

    #[test]
    fn every_node_has_one_parent_in_every_tree_of_any_graph() {
        for story in 0..50 {
            let mut dice = Dice::new(Seed::story(story));
            let nodes = 2 + dice.below(20);
            let map = weighed(&mut dice, nodes);

            for author in (0..nodes).map(NodeId) {
                let mut heard = vec![author];
                for me in (0..nodes).map(NodeId) {
                    heard.extend(children(&map, author, me, &own(&map, me)));
                }
                heard.sort();
                assert_eq!(heard, (0..nodes).map(NodeId).collect::<Vec<_>>(), "story {story}");
            }
        }
    }

    #[test]
    fn a_tree_is_as_quick_as_a_flood() {
        for story in 0..50 {
            let mut dice = Dice::new(Seed::story(story));
            let nodes = 2 + dice.below(20);
            let map = weighed(&mut dice, nodes);
            let author = NodeId(dice.below(nodes));

            let mut arrived = vec![(author, 0_u32)];
            let mut next = 0;
            while let Some((me, at)) = arrived.get(next).copied() {
                next += 1;
                let edges = map.edges(map.place(me).unwrap());
                for child in children(&map, author, me, &own(&map, me)) {
                    let edge = edges.iter().find(|edge| map.name(edge.to) == child).unwrap();
                    arrived.push((child, at + edge.length));
                }
            }

            let ways = flooded(&map, author);
            assert_eq!(arrived.len(), ways.len(), "story {story}");
            for (node, at) in arrived {
                assert_eq!(ways[map.place(node).unwrap()], at, "story {story}");
            }
        }
    }

    #[test]
    fn whoever_is_not_on_the_map_is_told_by_all_neighbours() {
        let map = map(&[(1, 2), (5, 6)]);
        let linked = [NodeId(2), NodeId(3), NodeId(5)];

        let told = children(&map, NodeId(1), NodeId(1), &linked);
        assert_eq!(told, [NodeId(2), NodeId(3), NodeId(5)]);
        let told = children(&map, NodeId(2), NodeId(1), &linked);
        assert_eq!(told, [NodeId(3), NodeId(5)]);
    }

    /// Some links of some lengths.
    fn weighed(dice: &mut Dice, nodes: u64) -> Map {
        let plain = map(&some_links(dice, nodes));
        let mut map = Map::default();
        for node in (0..nodes).map(NodeId) {
            let cost = |dice: &mut Dice| Cost::of_level(dice.below(u64::from(LEVEL_MAX)) as u8);
            let links = plain.neighbours(node).map(|peer| (Brief::of(peer), cost(dice)));
            map.turn(Time::ZERO, node, links.collect());
        }
        map
    }

    /// When each would hear of `author` if everybody told everybody, by relaxing until nothing changes.
    fn flooded(map: &Map, author: NodeId) -> Vec<u32> {
        let mut ways = vec![u32::MAX; map.len()];
        ways[map.place(author).unwrap()] = 0;
        for _ in 0..map.len() {
            for at in 0..map.len() {
                for edge in map.edges(at) {
                    ways[edge.to] = ways[edge.to].min(ways[at].saturating_add(edge.length));
                }
            }
        }
        ways
    }
}
