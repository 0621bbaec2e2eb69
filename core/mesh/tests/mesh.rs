//! What a mesh of a few nodes carries, by way of whom, and what it does about those who fall silent or talk rubbish.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mesh::{Brief, Config, Cost, Error, Input, Mesh, Output, Verdict};
use wire::{Dice, LinkId, NodeId, Seed, Time};

/// What everybody finds to be made up.
const LIE: &[u8] = b"a lie";

/// What nobody can tell.
const RIDDLE: &[u8] = b"a riddle";

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
    let too_long = Input::Cast { payload: vec![0; 70_000], except: None, fleeting: false };
    assert_eq!(web.try_tell(1, too_long), Err(Error::Limit("the size of a message")));
}

#[test]
fn what_lacks_a_piece_is_dropped_and_the_next_one_comes_whole() {
    let mut web = Web::of(&[(1, 2)]);
    let (link, now) = (web.link(1, 2), web.now);
    let long = |byte: u8| vec![byte; 60_000];
    for (lost, byte) in [(0, 7), (2, 8), (3, 9)] {
        web.mesh_mut(1).handle(now, Input::Flushed { link }).expect("it is a fact");
        let cast = Input::Cast { payload: long(byte), except: None, fleeting: false };
        web.mesh_mut(1).handle(now, cast).expect("it is not too long");
        let outputs = std::iter::from_fn(|| web.mesh_mut(1).poll());
        let frames = outputs.filter_map(|output| {
            if let Output::Send { frame, .. } = output { Some(frame) } else { None }
        });
        let frames: Vec<Vec<u8>> = frames.collect();
        assert_eq!(frames.len(), 4);
        let rest = frames.into_iter().enumerate().filter(|(at, _)| *at != lost);
        for (_, frame) in rest {
            web.tell(2, Input::Received { link, frame });
        }
    }

    web.cast(1, &long(10));

    assert_eq!(web.heard(2), [(NodeId(1), long(10))]);
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

#[test]
fn a_second_link_takes_over_from_one_that_fell_silent_and_that_is_told() {
    let mut mesh = Mesh::new(Config::default(), Time::ZERO, NodeId(1), 0);
    let at = |seconds| Time::at(Duration::from_secs(seconds));
    mesh.handle(at(0), Input::Up { link: LinkId(1), peer: NodeId(2) }).expect("a link may open");
    (1..=4).for_each(|now| mesh.handle(at(now), Input::Timeout).expect("time passes"));
    assert_eq!(mesh.trusted(), []);
    mesh.handle(at(4), Input::Up { link: LinkId(2), peer: NodeId(2) }).expect("a second one, too");
    while mesh.poll().is_some() {}

    mesh.handle(at(4), Input::Down { link: LinkId(1) }).expect("and the first may close");

    assert_eq!(mesh.trusted(), [NodeId(2)]);
    assert_eq!(mesh.poll(), Some(Output::Turned { peer: NodeId(2) }));
}

#[test]
fn a_link_that_takes_slowly_is_sent_a_window_and_one_that_takes_nothing_is_hung_up() {
    let mut web = Web::of(&[(1, 2), (1, 3)]);
    web.publish();
    web.clogged.insert(web.link(1, 2));

    for nth in 0..150_u8 {
        web.cast(1, &[nth; 4_000]);
        web.pass_millis(100);
    }

    let before = web.heard(2).len();
    assert!((64 / 4..=64 / 4 + 2).contains(&before), "{before}");
    assert_eq!(web.heard(3).len(), 150);
    web.pass(20);
    assert_eq!(web.mesh(1).neighbours(), [NodeId(3)]);
}

#[test]
fn what_waited_for_a_slow_link_goes_on_when_it_has_taken_the_rest() {
    let mut web = Web::of(&[(1, 2)]);
    web.clogged.insert(web.link(1, 2));
    for nth in 0..30_u8 {
        web.cast(1, &[nth; 4_000]);
    }

    web.unclog(1, 2);

    let heard: Vec<u8> = web.heard(2).into_iter().map(|(_, payload)| payload[0]).collect();
    assert_eq!(heard, (0..30).collect::<Vec<u8>>());
}

#[test]
fn a_loud_author_does_not_keep_a_quiet_one_waiting() {
    let mut web = Web::of(&[(1, 2), (4, 2), (2, 3)]);
    web.publish();
    web.clogged.insert(web.link(2, 3));
    for nth in 0..199_u8 {
        web.cast(1, &[nth; 900]);
    }
    web.cast(4, b"May I?");

    web.unclog(2, 3);

    let heard = web.heard(3);
    let quiet = heard.iter().position(|(author, _)| *author == NodeId(4));
    assert!(quiet.is_some_and(|at| at <= 80), "{quiet:?} of {}", heard.len());
}

#[test]
fn an_author_is_heard_as_fast_as_it_may_speak() {
    let mut web = Web::of(&[(1, 2), (2, 3)]);
    web.publish();

    (0..500_u32).for_each(|nth| web.cast(1, &nth.to_le_bytes()));
    assert_eq!([web.heard(2).len(), web.heard(3).len()], [200; 2]);
    web.pass(2);
    (0..500_u32).for_each(|nth| web.cast(1, &nth.to_le_bytes()));

    assert_eq!([web.heard(2).len(), web.heard(3).len()], [300; 2]);
}

#[test]
fn a_neighbour_that_floods_loses_its_link_and_nobody_elses() {
    let mut web = Web::of(&[(1, 2), (1, 3)]);
    let link = web.link(1, 2);
    let beat = || Input::Received { link, frame: vec![0, 1, 2, 3, 4] };

    let refused = (0..30_000).find_map(|_| web.try_tell(1, beat()).err());

    assert_eq!(refused, Some(Error::PeerMisbehaved { peer: NodeId(2), what: "a flood" }));
    assert_eq!(web.mesh(1).neighbours(), [NodeId(3)]);
}

#[test]
fn what_is_said_at_once_over_a_link_that_joins_two_halves_reaches_both() {
    let mut web = Web::of(&[(1, 2), (3, 4)]);
    web.publish();
    web.cast(1, b"Is anybody there?");
    web.pass(1);

    web.connect(2, 3);
    web.cast(2, b"Here they are.");

    assert_eq!([web.heard(1).len(), web.heard(3).len(), web.heard(4).len()], [1; 3]);
}

#[test]
fn a_link_that_only_one_end_claims_leads_nowhere() {
    let mut web = Web::of(&[(1, 2)]);
    web.publish();
    let links = |peers: &[u64]| {
        peers.iter().map(|peer| (Brief::of(NodeId(*peer)), Cost::UNKNOWN)).collect()
    };

    web.tell(1, Input::Links { node: NodeId(2), links: links(&[1, 9]) });
    assert!(!web.mesh(1).reaches(NodeId(9)));
    web.tell(1, Input::Links { node: NodeId(9), links: links(&[2]) });

    assert!(web.mesh(1).reaches(NodeId(9)));
}

#[test]
fn nobody_has_more_links_than_anybody_may() {
    let mut web = Web::of(&[(1, 2)]);
    let all: wire::Map<Brief, Cost> =
        (10..200).map(|n| (Brief::of(NodeId(n)), Cost::UNKNOWN)).collect();

    web.tell(1, Input::Links { node: NodeId(2), links: all });
    for node in (10..200).map(NodeId) {
        let links = [(Brief::of(NodeId(2)), Cost::UNKNOWN)].into_iter().collect();
        web.tell(1, Input::Links { node, links });
    }

    assert_eq!(web.mesh(1).map().degree(NodeId(2)), Config::default().links_max);
}

#[test]
fn a_cast_reaches_everybody_once_though_every_map_is_another() {
    for story in 0..30 {
        let mut dice = Dice::new(Seed::story(story));
        // Some stories are of networks so large that trees are not drawn with every change.
        let count = if story % 5 == 0 { 80 } else { 2 + dice.below(12) };
        let mut web = Web::random(&mut dice, count);
        web.publish_some(&mut dice);

        for author in 1..=count.min(9) {
            web.cast(author, &author.to_le_bytes());
        }
        web.pass(3);

        for node in 1..=count {
            let mut heard: Vec<NodeId> = web.heard(node).into_iter().map(|(by, _)| by).collect();
            heard.sort();
            let others = (1..=count.min(9)).filter(|by| *by != node).map(NodeId);
            assert_eq!(heard, others.collect::<Vec<_>>(), "story {story}");
        }
    }
}

#[test]
fn a_message_to_one_visits_nobody_twice_though_every_map_is_another() {
    let (mut got, mut stuck) = (0, 0);
    for story in 0..120 {
        let mut dice = Dice::new(Seed::story(story));
        let count = 3 + dice.below(12);
        let mut web = Web::random(&mut dice, count);
        web.publish_some(&mut dice);
        let (from, to) = (1, 2 + dice.below(count - 1));

        web.visits.clear();
        web.unicast(from, to, 7, b"psst");
        // There, and back as a receipt or as word of where it got stuck.
        let most = web.visits.values().max().copied().unwrap_or(0);
        assert!(most <= 2, "story {story}: {:?}", web.visits);
        web.pass(6);

        let (arrived, told) = (web.got(to).len(), web.no_way(from).len());
        assert!(arrived <= 1 && arrived + told >= 1, "story {story}: {arrived} {told}");
        got += arrived;
        stuck += told;
    }
    assert!(got > 60 && stuck > 0, "{got} arrived, {stuck} did not");
}

#[test]
fn a_route_that_leads_in_a_circle_costs_the_link_it_came_over() {
    let mut web = Web::of(&[(1, 2), (1, 3)]);
    let link = web.link(1, 2);
    // From 2 to 9 by way of 1, 3 and 1 again.
    let mut frame = vec![2, 2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 4];
    for hop in [1, 3, 1, 9] {
        frame.extend([hop, 0, 0]);
    }
    frame.extend([0, 1, 42]);

    let refused = web.try_tell(1, Input::Received { link, frame });

    assert!(matches!(refused, Err(Error::PeerMisbehaved { peer: NodeId(2), .. })), "{refused:?}");
}

#[test]
fn what_is_made_up_goes_no_further_than_to_a_neighbour() {
    let mut web = Web::of(&[(1, 2), (2, 3)]);
    web.publish();

    web.cast(1, LIE);

    assert_eq!([web.heard(2).len(), web.heard(3).len()], [1, 0]);
}

#[test]
fn nobody_takes_up_the_numbers_of_another_nor_its_share_of_the_network() {
    let mut web = Web::of(&[(1, 2), (2, 3), (4, 2)]);
    web.publish();

    // Under every number that 1 is about to use, and under one far beyond, and more than anybody may say.
    for seq in (1..=600).chain([1 << 60]) {
        web.pose(4, 2, 1, seq, LIE);
    }
    (0..100_u8).for_each(|nth| web.cast(1, &[nth]));

    let truth = |node| web.heard(node).iter().filter(|(_, payload)| payload != LIE).count();
    assert_eq!([truth(2), truth(3)], [100; 2]);
    assert!(web.heard(2).len() <= 100 + Config::default().waste_burst as usize);
    assert_eq!(web.heard(3).len(), 100);
}

#[test]
fn what_nobody_can_judge_goes_on_slowly_and_once_for_each_number() {
    let mut web = Web::of(&[(1, 2), (2, 3), (4, 2)]);
    web.publish();

    (0..1_000).for_each(|seq| web.pose(4, 2, 1, seq, RIDDLE));
    web.cast(1, b"Good morning.");

    let burst = Config::default().doubt_burst as usize;
    assert_eq!(web.heard(3).len(), burst + 1);

    web.pass(60);
    for nth in 0..50_u8 {
        web.pose(4, 2, 1, 5_000, &[RIDDLE, &[nth]].concat());
    }
    assert_eq!(web.heard(3).len(), burst + 2);
}

#[test]
fn what_is_fleeting_passes_by_a_hop_that_swallows_it() {
    for fleeting in [false, true] {
        let mut web = Web::of(&[(1, 2), (1, 3), (2, 4), (3, 4)]);
        web.publish();
        // Of two that are equally near, 4 hangs on the one with the lower name.
        web.silent.insert(web.link(2, 4));

        web.tell(1, Input::Cast { payload: b"A show of hands!".to_vec(), except: None, fleeting });
        web.pass(1);

        assert_eq!(web.heard(4).len(), usize::from(fleeting));
        assert_eq!([web.heard(2).len(), web.heard(3).len()], [1; 2]);
    }
}

#[test]
fn a_cast_that_was_sent_without_hops_goes_on_where_it_is_asked_for() {
    let mut web = Web::of(&[(1, 2), (2, 3), (3, 4)]);
    web.publish();
    let link = web.link(2, 1);

    let frame = cast_frame(1, 7, 0, b"hello");
    web.tell(2, Input::Received { link, frame });
    web.pass(2);

    assert_eq!([web.heard(2).len(), web.heard(3).len(), web.heard(4).len()], [1; 3]);
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
                if let Output::Flush { link } = output
                    && !self.clogged.contains(&link)
                {
                    self.mesh_mut(me.0).handle(now, Input::Flushed { link }).expect("it is a fact");
                }
                if let Output::Heard { payload, .. } = &output {
                    let verdict = match payload.as_slice() {
                        LIE => Verdict::Bad,
                        payload if payload.starts_with(RIDDLE) => Verdict::Unknown,
                        _ => Verdict::Good,
                    };
                    let judged = Input::Judged(verdict);
                    self.mesh_mut(me.0).handle(now, judged).expect("it is a judgement");
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
