//! What a mesh of a few nodes carries, by way of whom, and what it does about those who fall silent or talk rubbish.

mod hostile;
mod links;
mod ways;
mod worn;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mesh::{Brief, Config, Cost, Error, Input, Mesh, Output, Verdict};
use wire::{Dice, LinkId, NodeId, Time};

/// What everybody finds to be made up.
const LIE: &[u8] = b"a lie";

/// What everybody has had from others.
const OLD: &[u8] = b"old news";

/// What nobody can tell.
const RIDDLE: &[u8] = b"a riddle";

/// What only an addressee finds in a message.
fn receipt(payload: &[u8]) -> [u8; 8] {
    [payload.len() as u8; 8]
}

/// The bytes of a cast.
fn cast_frame(author: u64, seq: u64, hops: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![1];
    frame.extend(author.to_le_bytes());
    let mut rest = seq;
    while rest >= 0x80 {
        frame.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    frame.extend([rest as u8, 0, 0, 0, 0, hops, payload.len() as u8]);
    frame.extend(payload);
    frame
}

/// Nodes and links between them; frames arrive at once, in order.
struct Web {
    now: Time,
    nodes: BTreeMap<NodeId, Mesh>,
    /// The other end of each link.
    ends: BTreeMap<(NodeId, LinkId), (NodeId, LinkId)>,
    links: u64,
    dead: BTreeSet<NodeId>,
    /// Links whose buffers never empty.
    clogged: BTreeSet<LinkId>,
    /// Links that carry no cast.
    silent: BTreeSet<LinkId>,
    outputs: Vec<(NodeId, Output)>,
    frames: u64,
    /// How many messages to one came by each node.
    visits: BTreeMap<NodeId, u32>,
}

impl Web {
    fn of(links: &[(u64, u64)]) -> Self {
        let mut web = Self {
            now: Time::ZERO,
            nodes: BTreeMap::new(),
            ends: BTreeMap::new(),
            links: 0,
            dead: BTreeSet::new(),
            clogged: BTreeSet::new(),
            silent: BTreeSet::new(),
            outputs: Vec::new(),
            frames: 0,
            visits: BTreeMap::new(),
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
                let links = links.iter().map(|peer| (Brief::of(*peer), Cost::UNKNOWN)).collect();
                self.tell(node.0, Input::Links { node: *of, links });
            }
        }
    }

    /// Gives each some of the true map, and some of what is not there.
    fn publish_some(&mut self, dice: &mut Dice) {
        let records: Vec<(NodeId, Vec<NodeId>)> =
            self.nodes.iter().map(|(node, mesh)| (*node, mesh.neighbours())).collect();
        let count = records.len() as u64;
        for node in self.nodes.keys().copied().collect::<Vec<_>>() {
            for (of, links) in &records {
                let links = links.iter().copied().filter(|_| dice.below(6) > 0);
                let mut links: wire::Map<Brief, Cost> =
                    links.map(|peer| (Brief::of(peer), Cost::UNKNOWN)).collect();
                if dice.below(3) == 0 {
                    links.insert(Brief::of(NodeId(1 + dice.below(count))), Cost::UNKNOWN);
                }
                self.tell(node.0, Input::Links { node: *of, links });
            }
        }
    }

    /// Tells all but those who are dead what one says of its links.
    fn say(&mut self, node: u64, peers: &[u64]) {
        let links: wire::Map<Brief, Cost> =
            peers.iter().map(|peer| (Brief::of(NodeId(*peer)), Cost::UNKNOWN)).collect();
        for to in
            self.nodes.keys().copied().filter(|to| !self.dead.contains(to)).collect::<Vec<_>>()
        {
            self.tell(to.0, Input::Links { node: NodeId(node), links: links.clone() });
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
        self.tell(author, Input::Cast { payload: payload.to_vec(), except: None, fleeting: false });
    }

    /// `liar` says something to a neighbour in the name of `author`.
    fn pose(&mut self, liar: u64, to: u64, author: u64, seq: u64, payload: &[u8]) {
        let (link, frame) = (self.link(to, liar), cast_frame(author, seq, 64, payload));
        self.tell(to, Input::Received { link, frame });
    }

    fn unicast(&mut self, from: u64, to: u64, id: u32, payload: &[u8]) {
        let receipt = receipt(payload);
        self.tell(from, Input::Unicast { to: NodeId(to), id, receipt, payload: payload.to_vec() });
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
                if let Output::Flush { link } = output
                    && !self.clogged.contains(&link)
                {
                    self.mesh_mut(me.0).handle(now, Input::Flushed { link }).expect("it is a fact");
                }
                if let Output::Heard { payload, .. } = &output {
                    let verdict = match payload.as_slice() {
                        LIE => Verdict::Bad,
                        OLD => Verdict::Old,
                        payload if payload.starts_with(RIDDLE) => Verdict::Unknown,
                        _ => Verdict::Good,
                    };
                    let judged = Input::Judged(verdict);
                    self.mesh_mut(me.0).handle(now, judged).expect("it is a judgement");
                }
                if let Output::Got { payload, .. } = &output {
                    let opened = (payload != LIE).then(|| receipt(payload));
                    self.mesh_mut(me.0).handle(now, Input::Opened(opened)).expect("it is open");
                }
                let Output::Send { link, frame } = output else {
                    self.outputs.push((me, output));
                    continue;
                };
                let is_cast = matches!(mesh::glance(&frame), mesh::Glance::Cast { .. });
                if is_cast && self.silent.contains(&link) {
                    continue;
                }
                self.frames += 1;
                assert!(self.frames < 1_000_000, "they talk without end");
                if mesh::glance(&frame) == mesh::Glance::Unicast {
                    *self.visits.entry(self.ends[&(me, link)].0).or_default() += 1;
                }
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

    /// Lets the buffer of a link empty.
    fn unclog(&mut self, from: u64, to: u64) {
        let link = self.link(from, to);
        self.clogged.remove(&link);
        self.tell(from, Input::Flushed { link });
    }

    /// Lets time pass in tenths of a second.
    fn pass(&mut self, seconds: u64) {
        self.pass_millis(seconds * 1_000);
    }

    fn pass_millis(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
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
        let mut got = self.told(node, |output| {
            let Output::Got { from, id, payload } = output else { return None };
            Some((*from, *id, payload.clone()))
        });
        // One whose receipt was lost is said again.
        let mut opened = BTreeSet::new();
        got.retain(|(from, id, _)| opened.insert((*from, *id)));
        got.into_iter().map(|(from, _, payload)| (from, payload)).collect()
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
