//! Who is linked to whom, and what follows from it: reach, next hops, broadcast trees.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use wire::NodeId;

use crate::cost::Cost;

/// The map of the network: a link counts when both ends say it is there.
///
/// It is drawn anew link by link, for in a large conference a record changes more often than anybody looks.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// The nodes that ever said anything, in the order in which they first did.
    names: Vec<NodeId>,
    index: BTreeMap<NodeId, usize>,
    /// What each says of its links.
    said: Vec<BTreeMap<NodeId, Cost>>,
    /// The links of each that count, in the order of the names at their other ends.
    links: Vec<Vec<Edge>>,
    hash: u32,
}

/// One end's view of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    to: usize,
    /// In microseconds, never zero.
    length: u32,
}

/// What became of the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Nodes that had a link and have it no more.
    pub(crate) lost: bool,
    /// Whether a link leads to where none of `reach` led before.
    pub(crate) bridged: bool,
}

impl Map {
    /// The map that follows from what each node says of its own links, all equally good.
    pub fn new<'a>(records: impl IntoIterator<Item = (NodeId, &'a BTreeSet<NodeId>)>) -> Self {
        let mut map = Self::default();
        for (node, links) in records {
            map.set(node, links.iter().map(|peer| (*peer, Cost::UNKNOWN)).collect());
        }
        map
    }

    /// From now on `node` says that it has these links.
    pub fn set(&mut self, node: NodeId, links: BTreeMap<NodeId, Cost>) {
        self.turn(node, links, &BTreeSet::new());
    }

    /// Does so, and says what it means to whoever reaches the nodes in `reach`.
    pub(crate) fn turn(
        &mut self,
        node: NodeId,
        links: BTreeMap<NodeId, Cost>,
        reach: &BTreeSet<NodeId>,
    ) -> Turn {
        let me = self.number(node);
        let mut before: Vec<usize> = Vec::new();
        for edge in std::mem::take(&mut self.links[me]) {
            before.push(edge.to);
            self.hash ^= mix(node, self.names[edge.to], edge.length);
            self.links[edge.to].retain(|back| back.to != me);
        }
        let mut turn = Turn::default();
        for (peer, cost) in &links {
            let Some(other) = self.index.get(peer).copied().filter(|other| *other != me) else {
                continue;
            };
            let Some(theirs) = self.said[other].get(&node) else { continue };
            let length = cost.max(theirs).micros();
            self.hash ^= mix(node, *peer, length);
            self.insert(me, Edge { to: other, length });
            self.insert(other, Edge { to: me, length });
            turn.bridged |= reach.contains(&node) != reach.contains(peer);
        }
        self.said[me] = links;
        turn.lost = before.iter().any(|to| self.links[me].iter().all(|edge| edge.to != *to));
        turn
    }

    fn number(&mut self, node: NodeId) -> usize {
        *self.index.entry(node).or_insert_with(|| {
            self.names.push(node);
            self.said.push(BTreeMap::new());
            self.links.push(Vec::new());
            self.names.len() - 1
        })
    }

    fn insert(&mut self, at: usize, edge: Edge) {
        let name = self.names[edge.to];
        let place = self.links[at].partition_point(|other| self.names[other.to] < name);
        self.links[at].insert(place, edge);
    }

    /// A number that is equal for equal maps, and hardly ever for others.
    #[must_use]
    pub fn hash(&self) -> u32 {
        self.hash
    }

    /// The neighbours of `node`, in the order of their names.
    pub fn neighbours(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let edges = self.index.get(&node).map(|at| self.links[*at].as_slice());
        edges.unwrap_or_default().iter().map(|edge| self.names[edge.to])
    }

    /// How many links `node` has.
    #[must_use]
    pub fn degree(&self, node: NodeId) -> usize {
        self.index.get(&node).map_or(0, |at| self.links[*at].len())
    }

    /// The nodes that can be reached from `me`, itself included, when it has links to `own` whatever the map says.
    #[must_use]
    pub fn reach(&self, me: NodeId, own: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let mut seen = vec![false; self.names.len()];
        let mut stack: Vec<usize> =
            own.iter().filter_map(|peer| self.index.get(peer)).copied().collect();
        stack.iter().for_each(|at| seen[*at] = true);
        while let Some(at) = stack.pop() {
            for edge in &self.links[at] {
                if !std::mem::replace(&mut seen[edge.to], true) {
                    stack.push(edge.to);
                }
            }
        }
        let met = seen.iter().zip(&self.names).filter(|(seen, _)| **seen).map(|(_, name)| *name);
        own.iter().copied().chain(met).chain([me]).collect()
    }

    /// For each node that can be reached from `me` by its links to `own`: the neighbour on a way there with the
    /// fewest hops.
    #[must_use]
    pub fn first_hops(&self, me: NodeId, own: &BTreeSet<NodeId>) -> BTreeMap<NodeId, NodeId> {
        let mut by: Vec<Option<NodeId>> = vec![None; self.names.len()];
        let mut queue = VecDeque::new();
        for (at, peer) in own.iter().filter_map(|peer| Some((*self.index.get(peer)?, *peer))) {
            by[at] = Some(peer);
            queue.push_back((at, peer));
        }
        while let Some((at, peer)) = queue.pop_front() {
            for edge in &self.links[at] {
                if by[edge.to].is_none() {
                    by[edge.to] = Some(peer);
                    queue.push_back((edge.to, peer));
                }
            }
        }
        let known = by.iter().zip(&self.names).filter_map(|(by, name)| Some((*name, (*by)?)));
        let mut hops: BTreeMap<NodeId, NodeId> =
            own.iter().map(|peer| (*peer, *peer)).chain(known).collect();
        hops.remove(&me);
        hops
    }

    /// To whom of its `neighbours` `me` forwards what `author` says to all.
    ///
    /// These are its children in the tree of quickest ways from the author, where each node hangs on the neighbour
    /// that it hears first from, the lowest name among several; and all that the map does not know a way to.
    #[must_use]
    pub fn children(
        &self,
        author: NodeId,
        me: NodeId,
        neighbours: &BTreeSet<NodeId>,
    ) -> Vec<NodeId> {
        let everybody = || neighbours.iter().copied().collect();
        let (Some(root), Some(ours)) = (self.index.get(&author), self.index.get(&me)) else {
            return everybody();
        };
        let ways = self.ways_from(*root);
        if ways[*ours] == u32::MAX {
            return everybody();
        }
        let parent = |of: usize| {
            self.links[of].iter().find(|edge| {
                let way = ways[edge.to];
                way != u32::MAX && way.saturating_add(edge.length) == ways[of]
            })
        };
        let is_ours = |node: &NodeId| match self.index.get(node) {
            Some(at) if ways[*at] != u32::MAX => {
                at != root && parent(*at).is_some_and(|edge| edge.to == *ours)
            }
            Some(_) | None => true,
        };
        neighbours.iter().copied().filter(is_ours).collect()
    }

    /// How long the quickest way from `root` to each node is; `u32::MAX` where there is none (Dijkstra 1959).
    fn ways_from(&self, root: usize) -> Vec<u32> {
        let mut ways = vec![u32::MAX; self.names.len()];
        ways[root] = 0;
        let mut heap = BinaryHeap::from([Reverse((0_u32, root))]);
        while let Some(Reverse((way, at))) = heap.pop() {
            if way > ways[at] {
                continue;
            }
            for edge in &self.links[at] {
                let next = way.saturating_add(edge.length);
                if next < ways[edge.to] {
                    ways[edge.to] = next;
                    heap.push(Reverse((next, edge.to)));
                }
            }
        }
        ways
    }

    /// Whether no node alone holds the network together when the link between these two is gone.
    #[must_use]
    pub fn can_spare(&self, one: NodeId, other: NodeId) -> bool {
        let (Some(one), Some(other)) = (self.index.get(&one), self.index.get(&other)) else {
            return false;
        };
        let is_it = |at: usize, to: usize| (at, to) == (*one, *other) || (to, at) == (*one, *other);
        let links = |at: usize| {
            let edges = self.links[at].iter().map(|edge| edge.to);
            edges.filter(move |to| !is_it(at, *to))
        };
        crate::cuts::find(self.names.len(), links).is_empty()
    }

    /// Where a network of these links falls apart: nodes whose leave cuts off others from each other, each with two
    /// of its neighbours that only it holds together.
    #[must_use]
    pub fn cuts(&self) -> Vec<(NodeId, NodeId, NodeId)> {
        // Searched in the order of names, so that equal maps give equal answers.
        let order: Vec<usize> = self.index.values().copied().collect();
        let mut rank = vec![0; order.len()];
        for (place, at) in order.iter().enumerate() {
            rank[*at] = place;
        }
        let links = |place: usize| self.links[order[place]].iter().map(|edge| rank[edge.to]);
        let name = |place: usize| self.names[order[place]];
        crate::cuts::find(order.len(), links)
            .into_iter()
            .map(|(cut, one, other)| (name(cut), name(one), name(other)))
            .collect()
    }
}

impl PartialEq for Map {
    /// Whether the same links count.
    fn eq(&self, other: &Self) -> bool {
        let links = |map: &Self| -> BTreeSet<(NodeId, NodeId, u32)> {
            let edges = map.links.iter().zip(&map.names);
            edges
                .flat_map(|(edges, name)| {
                    edges.iter().map(|edge| (*name, map.names[edge.to], edge.length))
                })
                .collect()
        };
        self.hash == other.hash && links(self) == links(other)
    }
}

impl Eq for Map {}

/// One link's share of the hash, the same from both ends.
fn mix(one: NodeId, other: NodeId, length: u32) -> u32 {
    let (low, high) = (one.min(other).0, one.max(other).0);
    // The finalizer of SplitMix64 (Steele et al. 2014), over both names one after the other.
    [high, u64::from(length)].into_iter().fold(scatter(low), |x, y| scatter(x ^ y)) as u32
}

fn scatter(x: u64) -> u64 {
    let mut x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use wire::{Dice, Seed};

    use super::*;

    fn map(links: &[(u64, u64)]) -> Map {
        let mut records: BTreeMap<NodeId, BTreeSet<NodeId>> = BTreeMap::new();
        for (a, b) in links {
            records.entry(NodeId(*a)).or_default().insert(NodeId(*b));
            records.entry(NodeId(*b)).or_default().insert(NodeId(*a));
        }
        Map::new(records.iter().map(|(node, links)| (*node, links)))
    }

    fn own(map: &Map, node: NodeId) -> BTreeSet<NodeId> {
        map.neighbours(node).collect()
    }

    #[test]
    fn a_link_counts_when_both_ends_say_so() {
        let (of_1, of_2) = (BTreeSet::from([NodeId(2), NodeId(3)]), BTreeSet::from([NodeId(1)]));
        let of_3 = BTreeSet::new();

        let one_sided = Map::new([(NodeId(1), &of_1), (NodeId(2), &of_2), (NodeId(3), &of_3)]);

        assert_eq!(one_sided, map(&[(1, 2)]));
    }

    #[test]
    fn every_node_has_one_parent_in_every_tree_of_any_graph() {
        for story in 0..50 {
            let mut dice = Dice::new(Seed::story(story));
            let nodes = 2 + dice.below(20);
            let mut links: Vec<(u64, u64)> = (1..nodes).map(|n| (n, dice.below(n))).collect();
            links.extend((0..dice.below(20)).map(|_| (dice.below(nodes), dice.below(nodes))));
            let map = map(&links);

            for author in (0..nodes).map(NodeId) {
                let mut heard = vec![author];
                for me in (0..nodes).map(NodeId) {
                    heard.extend(map.children(author, me, &own(&map, me)));
                }
                heard.sort();
                assert_eq!(heard, (0..nodes).map(NodeId).collect::<Vec<_>>(), "story {story}");
            }
        }
    }

    #[test]
    fn whoever_is_not_on_the_map_is_told_by_all_neighbours() {
        let map = map(&[(1, 2), (5, 6)]);
        let linked = BTreeSet::from([NodeId(2), NodeId(3), NodeId(5)]);

        let told = map.children(NodeId(1), NodeId(1), &linked);
        assert_eq!(told, [NodeId(2), NodeId(3), NodeId(5)]);
        let told = map.children(NodeId(2), NodeId(1), &linked);
        assert_eq!(told, [NodeId(3), NodeId(5)]);
    }

    #[test]
    fn following_next_hops_leads_there() {
        let map = map(&[(1, 2), (2, 3), (3, 4), (4, 1), (4, 5)]);

        for to in (1..=5).map(NodeId) {
            let (mut at, mut hops) = (NodeId(2), 0);
            while at != to {
                at = map.first_hops(at, &own(&map, at))[&to];
                hops += 1;
                assert!(hops < 5);
            }
        }
    }

    #[test]
    fn own_links_count_before_the_map_has_them() {
        let map = map(&[(2, 3)]);

        let reach = map.reach(NodeId(1), &BTreeSet::from([NodeId(2)]));

        assert_eq!(reach, BTreeSet::from([NodeId(1), NodeId(2), NodeId(3)]));
    }
}
