//! Nodes that alone hold a network together (Hopcroft and Tarjan 1973), found without recursion.

/// The cut nodes of a graph of `count` nodes, each with one neighbour on either side: towards where the search began,
/// and beyond it.
pub(crate) fn find<I: Iterator<Item = usize>>(
    count: usize,
    links: impl Fn(usize) -> I,
) -> Vec<(usize, usize, usize)> {
    let mut search = Search::of(count, count);
    for root in 0..count {
        if search.depth[root] == 0 {
            search.from(root, &links);
        }
    }
    // Sorted by what is there anyway: an algorithm of its own would weigh more than the rest of this.
    let cuts: wire::Set<(usize, usize, usize)> = search.cuts.into_iter().collect();
    cuts.iter().copied().collect()
}

/// Whether `one` and `other` are joined, and no third node alone joins them.
pub(crate) fn are_safe<I: Iterator<Item = usize>>(
    count: usize,
    one: usize,
    other: usize,
    links: impl Fn(usize) -> I,
) -> bool {
    let mut search = Search::of(count, other);
    search.from(one, &links);
    search.depth[other] > 0 && !search.is_cut_off
}

/// A search in depth.
struct Search {
    /// How deep each node lies below where the search began, from one; zero while it has not been met.
    depth: Vec<usize>,
    /// The least depth that is linked to what lies below each node.
    low: Vec<usize>,
    cuts: Vec<(usize, usize, usize)>,
    /// Whoever is looked for, and later the nodes above it up to where the search began.
    goal: usize,
    /// Whether one of those is a cut between the two.
    is_cut_off: bool,
}

impl Search {
    fn of(count: usize, goal: usize) -> Self {
        let (depth, low, cuts) = (vec![0; count], vec![0; count], Vec::new());
        Self { depth, low, cuts, goal, is_cut_off: false }
    }

    fn from<I: Iterator<Item = usize>>(&mut self, root: usize, links: &impl Fn(usize) -> I) {
        self.meet(root, 1);
        let mut path = vec![(root, links(root))];
        let mut first_child = None;
        while let Some((at, rest)) = path.last_mut() {
            let at = *at;
            if let Some(next) = rest.next() {
                if self.depth[next] == 0 {
                    self.meet(next, self.depth[at] + 1);
                    path.push((next, links(next)));
                } else {
                    self.low[at] = self.low[at].min(self.depth[next]);
                }
                continue;
            }
            path.pop();
            let Some((above, _)) = path.last() else { break };
            let above = *above;
            self.low[above] = self.low[above].min(self.low[at]);
            let leads_to_goal = self.goal == at;
            if leads_to_goal {
                self.goal = above;
            }
            if above == root {
                // The first node on its way back from the root: a second one has no way around it.
                match first_child {
                    None => first_child = Some(at),
                    Some(first) => self.cuts.push((root, first, at)),
                }
            } else if self.low[at] >= self.depth[above]
                && let Some((before, _)) = path.get(path.len() - 2)
            {
                self.cuts.push((above, *before, at));
                self.is_cut_off |= leads_to_goal;
            }
        }
    }

    fn meet(&mut self, node: usize, depth: usize) {
        self.depth[node] = depth;
        self.low[node] = depth;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wire::{Dice, Seed};

    use super::*;

    #[test]
    fn it_agrees_with_taking_out_each_node_in_turn() {
        for story in 0..200 {
            let mut dice = Dice::new(Seed::story(story));
            let count = 2 + dice.below(10) as usize;
            let mut links = vec![BTreeSet::new(); count];
            for _ in 0..dice.below(2 * count as u64) {
                let one = dice.below(count as u64) as usize;
                let other = dice.below(count as u64) as usize;
                if one != other {
                    links[one].insert(other);
                    links[other].insert(one);
                }
            }

            let found = find(count, |at| links[at].iter().copied());

            let cuts: BTreeSet<usize> = found.iter().map(|(cut, ..)| *cut).collect();
            let islands = |without| islands(&links, without);
            let is_cut = |node: &usize| {
                let alone = usize::from(links[*node].is_empty());
                islands(Some(*node)) + alone > islands(None)
            };
            assert_eq!(cuts, (0..count).filter(is_cut).collect(), "story {story}");
            for (cut, one, other) in found {
                let reached = reached(&links, one, Some(cut));
                assert!(!reached.contains(&other), "story {story}: {one} and {other}");
            }
        }
    }

    #[test]
    fn what_is_not_joined_to_two_says_nothing_of_how_safe_they_are() {
        // A ring, and a chain of others, as of those who crashed.
        let pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6)];
        let safe = |without: usize| {
            let pairs = pairs.iter().enumerate().filter(move |(n, _)| *n != without);
            let links = |at: usize| {
                let mut next = Vec::new();
                for (_, (one, other)) in pairs.clone() {
                    next.extend((*one == at).then_some(*other));
                    next.extend((*other == at).then_some(*one));
                }
                next.into_iter()
            };
            are_safe(7, 0, 1, links)
        };

        assert!(safe(usize::MAX), "a ring");
        assert!(safe(5), "a link that joins neither of them");
        assert!(!safe(0), "the ring would be a chain");
    }

    #[test]
    fn whoever_hangs_on_one_link_alone_keeps_nobody_else_from_sparing_theirs() {
        // A ring with a chord from 0 to 2, and 4 on a link of its own.
        let pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (0, 4)];
        let links = |without: usize| {
            move |at: usize| {
                let pairs = pairs.into_iter().enumerate().filter(move |(n, _)| *n != without);
                let both = pairs.flat_map(|(_, (one, other))| [(one, other), (other, one)]);
                both.filter(move |(one, _)| *one == at).map(|(_, other)| other)
            }
        };

        assert!(are_safe(5, 0, 2, links(4)));
        assert!(!are_safe(5, 0, 1, links(0)), "2 alone would join them");
        assert!(!are_safe(5, 0, 4, links(5)));
    }

    #[test]
    fn the_two_sides_of_a_bridge_are_not_safe_without_it() {
        let links = |at: usize| [at ^ 1].into_iter();

        assert!(!are_safe(4, 0, 2, links));
    }

    fn islands(links: &[BTreeSet<usize>], without: Option<usize>) -> usize {
        let mut seen = BTreeSet::new();
        let nodes = (0..links.len()).filter(|node| Some(*node) != without);
        nodes
            .filter(|node| {
                let is_new = !seen.contains(node);
                seen.extend(reached(links, *node, without));
                is_new
            })
            .count()
    }

    fn reached(links: &[BTreeSet<usize>], from: usize, without: Option<usize>) -> BTreeSet<usize> {
        let mut seen = BTreeSet::from([from]);
        let mut stack = vec![from];
        while let Some(at) = stack.pop() {
            for next in links[at].iter().filter(|next| Some(**next) != without) {
                if seen.insert(*next) {
                    stack.push(*next);
                }
            }
        }
        seen
    }
}
