//! Who is linked to whom: the map, and ways on it.

use std::collections::VecDeque;

use wire::{NodeId, Time};

use crate::brief::Brief;
use crate::cost::Cost;
use crate::worn::Worn;

/// The map of the network: a link counts when both ends say it is there, and the word of neither is worn out.
///
/// It is drawn anew link by link, for in a large conference a record changes more often than anybody looks.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// The nodes that ever said anything or were linked to us, in the order in which they first did: their *places*.
    names: Vec<NodeId>,
    index: wire::Map<NodeId, usize>,
    /// What each says of its links.
    said: Vec<wire::Map<Brief, Cost>>,
    /// Who has which brief name, in order.
    briefs: Vec<(Brief, usize)>,
    /// The links of each that count, in the order of the names at their other ends.
    links: Vec<Vec<Edge>>,
    /// How far what each says can be relied on.
    pub(crate) worn: Worn,
    hash: u32,
}

/// One end's view of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) to: usize,
    /// In microseconds, never zero.
    pub(crate) length: u32,
}

/// What became of the map: where the links of one node lead, by place, that are new or gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) at: usize,
    pub(crate) gained: Vec<usize>,
    pub(crate) lost: Vec<usize>,
    /// Whether a link stays but has another length.
    pub(crate) is_rescaled: bool,
}

impl Turn {
    pub(crate) fn is_none(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty() && !self.is_rescaled
    }
}

impl Map {
    /// From now on `node` says that it has these links; what that means.
    pub(crate) fn turn(&mut self, now: Time, node: NodeId, links: wire::Map<Brief, Cost>) -> Turn {
        let me = self.number(node);
        self.said[me] = links;
        self.worn.renew(me);
        self.redraw(now, me)
    }

    /// Draws the links of whoever is at `me` anew; what has changed.
    pub(crate) fn redraw(&mut self, now: Time, me: usize) -> Turn {
        let mut turn = Turn { at: me, ..Turn::default() };
        let node = self.names[me];
        let before = std::mem::take(&mut self.links[me]);
        let after = self.answered(me);
        for edge in before.iter().filter(|edge| !after.contains(edge)) {
            self.hash ^= mix(node, self.names[edge.to], edge.length);
            self.links[edge.to].retain(|back| back.to != me);
            if after.iter().all(|kept| kept.to != edge.to) {
                turn.lost.push(edge.to);
            }
        }
        for edge in after.iter().filter(|edge| !before.contains(edge)) {
            self.hash ^= mix(node, self.names[edge.to], edge.length);
            self.insert(edge.to, Edge { to: me, length: edge.length });
            if before.iter().all(|old| old.to != edge.to) {
                turn.gained.push(edge.to);
            } else {
                turn.is_rescaled = true;
            }
        }
        self.links[me] = after;
        self.note_doubts(now, &turn);
        turn
    }

    /// The links that whoever is at `me` claims and the others too, in the order of their names.
    fn answered(&self, me: usize) -> Vec<Edge> {
        let mut after = Vec::with_capacity(self.said[me].len());
        if self.worn.is(me) {
            return after;
        }
        let ours = Brief::of(self.names[me]);
        for (peer, cost) in &self.said[me] {
            for other in self.called(*peer).filter(|other| *other != me) {
                let Some(theirs) = self.claim(other, ours) else { continue };
                let name = self.names[other];
                let at = after.partition_point(|edge: &Edge| self.names[edge.to] <= name);
                after.insert(at, Edge { to: other, length: cost.max(theirs).micros() });
            }
        }
        after
    }

    /// What whoever is at `at` says of its link to the one with that brief name, as long as its word counts.
    pub(crate) fn claim(&self, at: usize, of: Brief) -> Option<&Cost> {
        self.said[at].get(&of).filter(|_| !self.worn.is(at))
    }

    /// What it said last, whether that counts or not.
    pub(crate) fn said(&self, at: usize) -> &wire::Map<Brief, Cost> {
        &self.said[at]
    }

    /// The place of `node`, given to it now if it has none.
    pub(crate) fn number(&mut self, node: NodeId) -> usize {
        let next = self.names.len();
        let at = *self.index.get_or_insert_with(node, || next);
        if at == next {
            self.names.push(node);
            self.said.push(wire::Map::new());
            self.links.push(Vec::new());
            self.worn.number();
            let brief = (Brief::of(node), at);
            let place = self.briefs.partition_point(|other| *other < brief);
            self.briefs.insert(place, brief);
        }
        at
    }

    /// The places of those with that brief name.
    pub(crate) fn called(&self, brief: Brief) -> impl Iterator<Item = usize> {
        let first = self.briefs.partition_point(|(other, _)| *other < brief);
        let all = self.briefs[first..].iter().take_while(move |(other, _)| *other == brief);
        all.map(|(_, at)| *at)
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

    /// How many places there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn place(&self, node: NodeId) -> Option<usize> {
        self.index.get(&node).copied()
    }

    pub(crate) fn name(&self, at: usize) -> NodeId {
        self.names[at]
    }

    pub(crate) fn edges(&self, at: usize) -> &[Edge] {
        &self.links[at]
    }

    /// The neighbours of `node`, in the order of their names.
    pub fn neighbours(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let edges = self.place(node).map(|at| self.links[at].as_slice());
        edges.unwrap_or_default().iter().map(|edge| self.names[edge.to])
    }

    /// The links that count, each once.
    pub fn pairs(&self) -> impl Iterator<Item = (NodeId, NodeId)> {
        let from = self.names.iter().zip(&self.links);
        let all =
            from.flat_map(|(one, edges)| edges.iter().map(|edge| (*one, self.names[edge.to])));
        all.filter(|(one, other)| one < other)
    }

    /// How many links `node` has.
    #[must_use]
    pub fn degree(&self, node: NodeId) -> usize {
        self.place(node).map_or(0, |at| self.links[at].len())
    }

    /// By place, who can be reached from these places; what lies `beyond` one counts for nothing, it itself as reached.
    pub(crate) fn reach(
        &self,
        from: impl IntoIterator<Item = usize>,
        beyond: Option<usize>,
    ) -> Vec<bool> {
        let mut seen = vec![false; self.names.len()];
        beyond.into_iter().for_each(|at| seen[at] = true);
        let mut stack = Vec::new();
        for at in from {
            if !std::mem::replace(&mut seen[at], true) {
                stack.push(at);
            }
        }
        while let Some(at) = stack.pop() {
            for edge in &self.links[at] {
                if !std::mem::replace(&mut seen[edge.to], true) {
                    stack.push(edge.to);
                }
            }
        }
        seen
    }

    /// Whether a way leads from one place to another, searched from both at once: quick where the answer is near.
    pub(crate) fn are_joined(&self, one: usize, other: usize) -> bool {
        let mut side = vec![0_u8; self.names.len()];
        (side[one], side[other]) = (1, 2);
        let mut fronts = [VecDeque::from([one]), VecDeque::from([other])];
        loop {
            for (ours, theirs, front) in [(1, 2, 0), (2, 1, 1)] {
                let Some(at) = fronts[front].pop_front() else { return one == other };
                for edge in &self.links[at] {
                    if side[edge.to] == theirs {
                        return true;
                    }
                    if side[edge.to] == 0 {
                        side[edge.to] = ours;
                        fronts[front].push_back(edge.to);
                    }
                }
            }
        }
    }

    /// A way with the fewest hops from `me`, by its links to `own` whatever the map says, to `to`: all after `me`.
    /// It does not lead through those that `is_shunned`.
    pub(crate) fn way(
        &self,
        me: NodeId,
        own: &[NodeId],
        to: NodeId,
        is_shunned: impl Fn(NodeId) -> bool,
    ) -> Option<Vec<NodeId>> {
        if own.contains(&to) {
            return Some(vec![to]);
        }
        let goal = self.place(to)?;
        // The place from which each was reached; its own for whoever is linked to us.
        let mut by = vec![usize::MAX; self.names.len()];
        if let Some(at) = self.place(me) {
            by[at] = at;
        }
        let mut queue = VecDeque::new();
        let free = own.iter().filter(|peer| !is_shunned(**peer));
        for at in free.filter_map(|peer| self.place(*peer)) {
            by[at] = at;
            queue.push_back(at);
        }
        while let Some(at) = queue.pop_front() {
            for edge in &self.links[at] {
                if by[edge.to] != usize::MAX {
                    continue;
                }
                by[edge.to] = at;
                if edge.to == goal {
                    return Some(self.way_back(goal, &by));
                }
                if !is_shunned(self.names[edge.to]) {
                    queue.push_back(edge.to);
                }
            }
        }
        None
    }

    fn way_back(&self, goal: usize, by: &[usize]) -> Vec<NodeId> {
        let (mut way, mut at) = (vec![self.names[goal]], goal);
        while by[at] != at {
            at = by[at];
            way.push(self.names[at]);
        }
        way.reverse();
        way
    }

    /// Whether these two are joined without the link between them and those of the first to others that `go` before long,
    /// and that by no third node alone: then nobody falls apart that does not fall apart with it.
    #[must_use]
    pub fn can_spare(&self, one: NodeId, other: NodeId, go: &wire::Map<NodeId, Time>) -> bool {
        let (Some(one), Some(other)) = (self.place(one), self.place(other)) else {
            return false;
        };
        let goes = |at: usize| at == other || go.contains_key(&self.names[at]);
        let goes = |at: usize, to: usize| at == one && goes(to) || to == one && goes(at);
        let links = |at: usize| {
            let edges = self.links[at].iter().map(|edge| edge.to);
            edges.filter(move |to| !goes(at, *to))
        };
        crate::cuts::are_safe(self.names.len(), one, other, links)
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
pub(crate) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use wire::{Dice, Seed};

    use super::*;
    use crate::BRIEF_BITS;

    pub(crate) fn map(links: &[(u64, u64)]) -> Map {
        let mut records: BTreeMap<NodeId, BTreeSet<NodeId>> = BTreeMap::new();
        for (a, b) in links {
            records.entry(NodeId(*a)).or_default().insert(NodeId(*b));
            records.entry(NodeId(*b)).or_default().insert(NodeId(*a));
        }
        drawn(records)
    }

    /// The map that follows from what each node says of its own links, all equally good.
    fn drawn(records: impl IntoIterator<Item = (NodeId, BTreeSet<NodeId>)>) -> Map {
        let mut map = Map::default();
        for (node, links) in records {
            map.turn(
                Time::ZERO,
                node,
                links.iter().map(|peer| (Brief::of(*peer), Cost::UNKNOWN)).collect(),
            );
        }
        map
    }

    pub(crate) fn own(map: &Map, node: NodeId) -> Vec<NodeId> {
        map.neighbours(node).collect()
    }

    /// A connected graph of `nodes` nodes, numbered from 0, and some more links.
    pub(crate) fn some_links(dice: &mut Dice, nodes: u64) -> Vec<(u64, u64)> {
        let mut links: Vec<(u64, u64)> = (1..nodes).map(|n| (n, dice.below(n))).collect();
        links.extend((0..dice.below(20)).map(|_| (dice.below(nodes), dice.below(nodes))));
        links
    }

    fn links_of(map: &Map) -> BTreeSet<(NodeId, NodeId, u32)> {
        let of = |at: usize| {
            let edges = map.edges(at).iter();
            edges.map(move |edge| (map.name(at), map.name(edge.to), edge.length))
        };
        (0..map.len()).flat_map(of).collect()
    }

    #[test]
    fn a_link_counts_when_both_ends_say_so() {
        let (of_1, of_2) = (BTreeSet::from([NodeId(2), NodeId(3)]), BTreeSet::from([NodeId(1)]));
        let of_3 = BTreeSet::new();

        let one_sided = drawn([(NodeId(1), of_1), (NodeId(2), of_2), (NodeId(3), of_3)]);

        assert_eq!(links_of(&one_sided), links_of(&map(&[(1, 2)])));
    }

    #[test]
    fn of_two_with_one_brief_name_the_one_that_claims_the_link_has_it() {
        let twin = NodeId(2 << BRIEF_BITS);
        assert_eq!(Brief::of(twin), Brief::of(NodeId(2)));
        let of_1 = BTreeSet::from([NodeId(2)]);

        let map = drawn([
            (twin, BTreeSet::new()),
            (NodeId(2), BTreeSet::from([NodeId(1)])),
            (NodeId(1), of_1),
        ]);

        assert_eq!((map.degree(twin), map.degree(NodeId(2)), map.degree(NodeId(1))), (0, 1, 1));
    }

    #[test]
    fn a_map_turned_record_by_record_is_the_one_drawn_at_once() {
        for story in 0..50 {
            let mut dice = Dice::new(Seed::story(story));
            let mut said: BTreeMap<NodeId, wire::Map<Brief, Cost>> = BTreeMap::new();
            let mut turned = Map::default();
            for _ in 0..60 {
                let node = NodeId(dice.below(8));
                let cost = |dice: &mut Dice| Cost::of_level(dice.below(3) as u8);
                let peer = |dice: &mut Dice| Brief::of(NodeId(dice.below(8)));
                let links: wire::Map<Brief, Cost> =
                    (0..dice.below(6)).map(|_| (peer(&mut dice), cost(&mut dice))).collect();
                let before = links_of(&turned);

                let turn = turned.turn(Time::ZERO, node, links.clone());

                said.insert(node, links);
                let mut fresh = Map::default();
                for (node, links) in &said {
                    fresh.turn(Time::ZERO, *node, links.clone());
                }
                assert_eq!(links_of(&turned), links_of(&fresh), "story {story}");
                assert_eq!(turned.hash(), fresh.hash(), "story {story}");
                assert_eq!(turn.is_none(), before == links_of(&turned), "story {story}");
            }
        }
    }

    #[test]
    fn a_way_leads_from_link_to_link_and_shuns_whom_it_should() {
        for story in 0..100 {
            let mut dice = Dice::new(Seed::story(story));
            let nodes = 2 + dice.below(20);
            let map = map(&some_links(&mut dice, nodes));
            let shunned = NodeId(dice.below(nodes));
            let (me, to) = (NodeId(dice.below(nodes)), NodeId(dice.below(nodes)));
            if me == to {
                continue;
            }

            let way = map.way(me, &own(&map, me), to, |node| node == shunned);

            let Some(way) = way else {
                assert!(shunned != me && shunned != to, "story {story}");
                continue;
            };
            let all: Vec<NodeId> = std::iter::once(me).chain(way).collect();
            assert!(all.windows(2).all(|pair| own(&map, pair[0]).contains(&pair[1])));
            assert_eq!(all.last(), Some(&to));
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "story {story}");
            assert!(shunned == me || shunned == to || !all.contains(&shunned), "story {story}");
        }
    }

    #[test]
    fn joined_is_whoever_can_be_reached() {
        for story in 0..100 {
            let mut dice = Dice::new(Seed::story(story));
            let nodes = 2 + dice.below(20);
            let links: Vec<(u64, u64)> =
                (0..nodes).map(|_| (dice.below(nodes), dice.below(nodes))).collect();
            let map = map(&links);

            for one in 0..map.len() {
                let reach = map.reach([one], None);
                for (other, reached) in reach.iter().enumerate() {
                    assert_eq!(map.are_joined(one, other), *reached, "story {story}");
                }
            }
        }
    }
}
