//! What a mesh of a few nodes carries, by way of whom, and what it does about those who fall silent or talk rubbish.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mesh::{Config, Cost, Error, Input, Mesh, Output};
use wire::{Dice, LinkId, NodeId, Seed, Time};

#[test]
fn a_cast_reaches_everybody_once_on_any_graph() {
    for story in 0..40 {
        let mut dice = Dice::new(Seed::story(story));
        let count = 2 + dice.below(12);
        let mut web = Web::random(&mut dice, count);
        // Every other story is told before the nodes know the map.
        if story % 2 == 0 {
            web.publish();
        }

        for author in 1..=count {
            web.cast(author, &author.to_le_bytes());
        }

        for node in 1..=count {
            let mut heard: Vec<NodeId> = web.heard(node).into_iter().map(|(by, _)| by).collect();
            heard.sort();
            let others: Vec<NodeId> = (1..=count).filter(|by| *by != node).map(NodeId).collect();
            assert_eq!(heard, others, "story {story}");
        }
    }
}

#[test]
fn a_network_at_rest_sends_each_cast_once_to_each() {
    let mut web = Web::full(7);
    web.publish();

    let before = web.frames;
    web.cast(3, b"hello");

    assert_eq!(web.frames - before, 6);
}

#[test]
fn a_chain_of_thirty_is_no_hindrance() {
    let mut web = Web::of(&(1..30).map(|n| (n, n + 1)).collect::<Vec<_>>());
    web.publish();

    web.cast(1, b"hello");

    assert!((2..=30).all(|node| web.heard(node).len() == 1));
}

#[test]
fn a_message_to_one_goes_there_and_nowhere_else() {
    let mut web = Web::of(&[(1, 2), (2, 3), (3, 4), (4, 1), (4, 5)]);
    web.publish();

    let before = web.frames;
    web.unicast(2, 5, 7, b"psst");

    assert_eq!(web.got(5), [(NodeId(2), b"psst".to_vec())]);
    // There and, as a receipt, back.
    assert_eq!(web.frames - before, 6);
    assert!((1..=4).all(|node| web.got(node).is_empty()));
}

#[test]
fn a_message_without_a_way_is_told_to_its_sender() {
    let mut web = Web::of(&[(1, 2)]);
    web.publish();

    web.unicast(1, 9, 7, b"psst");
    assert_eq!(web.no_way(1), []);
    web.pass(6);

    assert_eq!(web.no_way(1), [(7, NodeId(9))]);
}

#[test]
fn a_message_stuck_half_way_is_told_to_its_sender() {
    let mut web = Web::of(&[(1, 2), (2, 3)]);
    web.publish();
    // Node 2 knows that the link is gone, node 1 does not.
    web.tell(2, Input::Down { link: web.link(2, 3) });
    web.tell(2, Input::Links { node: NodeId(3), links: wire::Map::new() });

    web.unicast(1, 3, 7, b"psst");
    web.pass(6);

    assert_eq!(web.no_way(1), [(7, NodeId(3))]);
}

#[test]
fn a_message_waits_for_a_way() {
    let mut web = Web::of(&[(1, 2)]);

    web.unicast(1, 3, 7, b"psst");
    web.connect(1, 3);

    assert_eq!(web.got(3), [(NodeId(1), b"psst".to_vec())]);
}

#[test]
fn a_long_message_goes_in_pieces() {
    let mut web = Web::of(&[(1, 2)]);
    let long: Vec<u8> = (0..60_000_u32).map(|n| n as u8).collect();

    let before = web.frames;
    web.cast(1, &long);

    assert_eq!(web.heard(2), [(NodeId(1), long)]);
    assert_eq!(web.frames - before, 4);
    let too_long = Input::Cast { payload: vec![0; 70_000], except: None };
    assert_eq!(web.try_tell(1, too_long), Err(Error::Limit("the size of a message")));
}

#[test]
fn idle_links_beat_and_silent_ones_are_hung_up() {
    let mut web = Web::of(&[(1, 2), (1, 3)]);
    web.pass(30);
    assert_eq!(web.mesh(1).neighbours(), [NodeId(2), NodeId(3)]);

    web.dead.insert(NodeId(2));
    web.pass(7);
    assert!(web.mesh(1).neighbours().contains(&NodeId(2)));
    web.pass(2);

    assert_eq!(web.mesh(1).neighbours(), [NodeId(3)]);
}

#[test]
fn one_who_slept_gives_the_others_time() {
    let mut web = Web::of(&[(1, 2)]);
    web.pass(5);

    // Nothing wakes node 1 for a minute, and what came meanwhile has not been read yet.
    let now = web.now + Duration::from_secs(60);
    web.mesh_mut(1).handle(now, Input::Timeout).unwrap();

    assert_eq!(web.mesh(1).neighbours(), [NodeId(2)]);
}

#[test]
fn rubbish_costs_the_link_it_came_over() {
    for rubbish in [&[][..], &[9], &[0, 1], &[1; 40], &[4, 0, 2, 4, 0], &[4, 0, 1, 9]] {
        let mut web = Web::of(&[(1, 2), (1, 3)]);
        let link = web.link(1, 2);

        let refused = web.try_tell(1, Input::Received { link, frame: rubbish.to_vec() });

        assert!(
            matches!(refused, Err(Error::PeerMisbehaved { peer: NodeId(2), .. })),
            "{rubbish:?}"
        );
        assert_eq!(web.mesh(1).neighbours(), [NodeId(3)]);
    }
}

#[test]
fn a_second_link_to_the_same_node_changes_nothing_when_it_closes() {
    let mut web = Web::of(&[(1, 2)]);
    let first = web.link(1, 2);
    web.connect(1, 2);

    web.tell(1, Input::Down { link: first });

    assert_eq!(web.mesh(1).neighbours(), [NodeId(2)]);
    web.cast(1, b"still here");
    assert_eq!(web.heard(2).len(), 1);
}

/// Nodes and links between them; frames arrive at once, in order.
struct Web {
    now: Time,
    nodes: BTreeMap<NodeId, Mesh>,
    /// The other end of each link.
    ends: BTreeMap<(NodeId, LinkId), (NodeId, LinkId)>,
    links: u64,
    dead: BTreeSet<NodeId>,
    outputs: Vec<(NodeId, Output)>,
    frames: u64,
}

impl Web {
    fn of(links: &[(u64, u64)]) -> Self {
        let mut web = Self {
            now: Time::ZERO,
            nodes: BTreeMap::new(),
            ends: BTreeMap::new(),
            links: 0,
            dead: BTreeSet::new(),
            outputs: Vec::new(),
            frames: 0,
        };
        for (one, other) in links {
            web.connect(*one, *other);
        }
        web
    }

    fn full(count: u64) -> Self {
        let pairs = (1..=count).flat_map(|one| (1..one).map(move |other| (one, other)));
        Self::of(&pairs.collect::<Vec<_>>())
    }

    fn random(dice: &mut Dice, count: u64) -> Self {
        let mut links: Vec<(u64, u64)> = (2..=count).map(|n| (n, 1 + dice.below(n - 1))).collect();
        for _ in 0..dice.below(2 * count) {
            let (one, other) = (1 + dice.below(count), 1 + dice.below(count));
            if one != other {
                links.push((one, other));
            }
        }
        Self::of(&links)
    }

    fn connect(&mut self, one: u64, other: u64) {
        self.links += 1;
        let link = LinkId(self.links);
        let ends = [NodeId(one), NodeId(other)];
        for (me, peer) in [(ends[0], ends[1]), (ends[1], ends[0])] {
            self.ends.insert((me, link), (peer, link));
            let now = self.now;
            self.nodes.entry(me).or_insert_with(|| Mesh::new(Config::default(), now, me, 0));
        }
        // Both ends are open before either reads, as with data channels.
        let now = self.now;
        let up = Input::Up { link, peer: ends[0] };
        self.mesh_mut(other).handle(now, up).expect("a link may open");
        self.tell(one, Input::Up { link, peer: ends[1] });
        self.tell(other, Input::Timeout);
    }

    /// Gives everybody the true map.
    fn publish(&mut self) {
        let records: Vec<(NodeId, Vec<NodeId>)> =
            self.nodes.iter().map(|(node, mesh)| (*node, mesh.neighbours())).collect();
        for node in self.nodes.keys().copied().collect::<Vec<_>>() {
            for (of, links) in &records {
                let links = links.iter().map(|peer| (*peer, Cost::UNKNOWN)).collect();
                self.tell(node.0, Input::Links { node: *of, links });
            }
        }
    }

    fn link(&self, one: u64, other: u64) -> LinkId {
        let found = self.ends.iter().find(|((me, _), (peer, _))| (me.0, peer.0) == (one, other));
        found.expect("they are linked").0.1
    }

    fn mesh(&self, node: u64) -> &Mesh {
        &self.nodes[&NodeId(node)]
    }

    fn mesh_mut(&mut self, node: u64) -> &mut Mesh {
        self.nodes.get_mut(&NodeId(node)).expect("it is there")
    }

    fn cast(&mut self, author: u64, payload: &[u8]) {
        self.tell(author, Input::Cast { payload: payload.to_vec(), except: None });
    }

    fn unicast(&mut self, from: u64, to: u64, id: u32, payload: &[u8]) {
        self.tell(from, Input::Unicast { to: NodeId(to), id, payload: payload.to_vec() });
    }

    fn tell(&mut self, node: u64, input: Input) {
        self.try_tell(node, input).expect("the input makes sense");
    }

    /// Lets one take an input in, and everybody what follows.
    fn try_tell(&mut self, node: u64, input: Input) -> Result<(), Error> {
        let now = self.now;
        let result = self.mesh_mut(node).handle(now, input);
        let mut talking = VecDeque::from([NodeId(node)]);
        while let Some(me) = talking.pop_front() {
            while let Some(output) = self.mesh_mut(me.0).poll() {
                if let Output::Flush { link } = output {
                    self.mesh_mut(me.0).handle(now, Input::Flushed { link }).expect("it is a fact");
                }
                let Output::Send { link, frame } = output else {
                    self.outputs.push((me, output));
                    continue;
                };
                self.frames += 1;
                let (peer, link) = self.ends[&(me, link)];
                if !self.dead.contains(&peer) {
                    // A link that is up at one end only refuses what comes over it.
                    self.mesh_mut(peer.0).handle(now, Input::Received { link, frame }).ok();
                    talking.push_back(peer);
                }
            }
        }
        result
    }

    /// Lets time pass in tenths of a second.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.now = self.now + Duration::from_millis(100);
            for node in self.nodes.keys().copied().collect::<Vec<_>>() {
                if !self.dead.contains(&node) {
                    self.tell(node.0, Input::Timeout);
                    assert!(self.mesh(node.0).timeout().is_none_or(|at| at > self.now));
                }
            }
        }
    }

    fn heard(&self, node: u64) -> Vec<(NodeId, Vec<u8>)> {
        self.told(node, |output| {
            let Output::Heard { author, payload } = output else { return None };
            Some((*author, payload.clone()))
        })
    }

    fn got(&self, node: u64) -> Vec<(NodeId, Vec<u8>)> {
        self.told(node, |output| {
            let Output::Got { from, payload } = output else { return None };
            Some((*from, payload.clone()))
        })
    }

    fn no_way(&self, node: u64) -> Vec<(u32, NodeId)> {
        self.told(node, |output| {
            let Output::NoWay { id, to } = output else { return None };
            Some((*id, *to))
        })
    }

    fn told<T>(&self, node: u64, pick: impl Fn(&Output) -> Option<T>) -> Vec<T> {
        let ours = self.outputs.iter().filter(|(by, _)| by.0 == node);
        ours.filter_map(|(_, output)| pick(output)).collect()
    }
}
