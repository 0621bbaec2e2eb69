//! Who is linked to whom, and what follows from it: reach, next hops, broadcast trees.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wire::NodeId;

/// The map of the network: a link counts when both ends say it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    links: BTreeMap<NodeId, BTreeSet<NodeId>>,
    hash: u32,
}

impl Map {
    /// The map that follows from what each node says of its own links.
    pub fn new<'a>(records: impl IntoIterator<Item = (NodeId, &'a BTreeSet<NodeId>)>) -> Self {
        let said: BTreeMap<NodeId, &BTreeSet<NodeId>> = records.into_iter().collect();
        let both = |a: &NodeId, b: &NodeId| a != b && said.get(b).is_some_and(|of| of.contains(a));
        let links: BTreeMap<NodeId, BTreeSet<NodeId>> = said
            .iter()
            .map(|(a, of)| (*a, of.iter().filter(|b| both(a, b)).copied().collect()))
            .filter(|(_, of): &(NodeId, BTreeSet<NodeId>)| !of.is_empty())
            .collect();
        let hash = hash(&links);
        Self { links, hash }
    }

    /// A number that is equal for equal maps, and hardly ever for others.
    #[must_use]
    pub fn hash(&self) -> u32 {
        self.hash
    }

    /// The neighbours of `node`.
    pub fn neighbours(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        self.links.get(&node).into_iter().flatten().copied()
    }

    /// The nodes that can be reached from `me`, itself included, when it has links to `own` whatever the map says.
    #[must_use]
    pub fn reach(&self, me: NodeId, own: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let mut reached: BTreeSet<NodeId> = self.first_hops(me, own).into_keys().collect();
        reached.insert(me);
        reached
    }

    /// For each node that can be reached from `me` by its links to `own`: the neighbour on a shortest way there.
    #[must_use]
    pub fn first_hops(&self, me: NodeId, own: &BTreeSet<NodeId>) -> BTreeMap<NodeId, NodeId> {
        let mut hops: BTreeMap<NodeId, NodeId> = own.iter().map(|n| (*n, *n)).collect();
        let mut queue: VecDeque<NodeId> = own.iter().copied().collect();
        while let Some(node) = queue.pop_front() {
            let by = hops[&node];
            for next in self.neighbours(node).filter(|next| *next != me) {
                hops.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    by
                });
            }
        }
        hops.remove(&me);
        hops
    }

    /// To whom of its `neighbours` `me` forwards what `author` says to all.
    ///
    /// These are its children in the tree of shortest ways from the author, where each node hangs on the neighbour
    /// that is nearer to the author, the lowest name among several; and all that the map does not know a way to.
    #[must_use]
    pub fn children(
        &self,
        author: NodeId,
        me: NodeId,
        neighbours: &BTreeSet<NodeId>,
    ) -> Vec<NodeId> {
        let mut depth: BTreeMap<NodeId, u32> = BTreeMap::from([(author, 0)]);
        let mut queue = VecDeque::from([author]);
        while let Some(node) = queue.pop_front() {
            let below = depth[&node] + 1;
            for next in self.neighbours(node) {
                depth.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    below
                });
            }
        }
        let Some(below) = depth.get(&me).map(|ours| ours + 1) else {
            return neighbours.iter().copied().collect();
        };
        let is_above = |node: &NodeId| depth.get(node).is_some_and(|depth| depth + 1 == below);
        let hangs_on_us = |child: NodeId| self.neighbours(child).find(is_above) == Some(me);
        let is_ours = |node: &NodeId| match depth.get(node) {
            Some(depth) => *depth == below && hangs_on_us(*node),
            None => true,
        };
        neighbours.iter().copied().filter(is_ours).collect()
    }
}

/// FNV-1a over all links (Fowler, Noll, Vo 1991).
fn hash(links: &BTreeMap<NodeId, BTreeSet<NodeId>>) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for (a, of) in links {
        for b in of {
            for byte in a.0.to_le_bytes().into_iter().chain(b.0.to_le_bytes()) {
                hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
            }
        }
    }
    hash
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
