//! Frames and messages between participants: a neighbour that says anything, in any order, and how little harm it does.

use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use mesh::Verdict;
use node::{Config, Input, Node, Output};
use trust::{Bounds, Claim, Trust};
use wire::{InviteId, LinkId, NodeId, Seed, Time, Timestamp};

/// A tree whose words are believed.
type Tree = tree::Tree<tree::Unsigned>;

/// What the calendar says.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Whose memory we are after.
const ME: NodeId = NodeId(1);

/// The neighbour that says what the fuzzer wants, and another one.
const LIAR: NodeId = NodeId(2);
const OTHER: NodeId = NodeId(3);

/// The most steps of a story.
const STEPS_MAX: usize = 64;

/// A frame reads and writes the same, and whoever glances at what is written sees one.
pub(crate) fn frame(bytes: &[u8]) {
    std::hint::black_box(mesh::glance(bytes));
    if let Some(again) = mesh::reread(bytes) {
        assert_eq!(mesh::reread(&again), Some(again.clone()), "once settled it stays");
        assert!(again.len() <= bytes.len(), "ours is the shortest way to write it");
        assert_ne!(mesh::glance(&again), mesh::Glance::Rubbish);
    }
}

/// A mesh under frames of one neighbour: what it sends are frames, within the bounds, and the other neighbour is kept.
pub(crate) fn mesh(bytes: &[u8]) {
    let config = mesh::Config::default();
    let frame_max = config.frame_bytes_max + 64;
    let mut mesh = mesh::Mesh::new(config, Time::ZERO, ME, 1);
    let mut now = Time::ZERO;
    for (link, peer) in [(LinkId(1), LIAR), (LinkId(2), OTHER)] {
        mesh.handle(now, mesh::Input::Up { link, peer }).expect("a link that is new");
    }
    let mut heard = 0;
    for step in Steps(bytes).take(STEPS_MAX) {
        now = now + step.pause;
        let frame = step.bytes.to_vec();
        let result = mesh.handle(now, mesh::Input::Received { link: LinkId(1), frame });
        if let Err(error) = result {
            let is_theirs = matches!(
                error,
                mesh::Error::PeerMisbehaved { peer: LIAR, .. }
                    | mesh::Error::UnknownLink
                    | mesh::Error::Limit(_)
            );
            assert!(is_theirs, "{error}");
        }
        if step.wakes {
            mesh.handle(now, mesh::Input::Timeout).expect("a timeout is always welcome");
            assert!(mesh.timeout().is_none_or(|at| at > now), "a deadline that was met is gone");
        }
        let mut sent = 0;
        while let Some(output) = mesh.poll() {
            match output {
                mesh::Output::Send { frame, .. } => {
                    sent += 1;
                    assert!(frame.len() <= frame_max, "{} bytes", frame.len());
                    assert_ne!(mesh::glance(&frame), mesh::Glance::Rubbish);
                }
                mesh::Output::Heard { author, .. } => {
                    heard += 1;
                    assert_ne!(author, ME, "nobody speaks for us");
                    let verdicts = [Verdict::Good, Verdict::Unknown, Verdict::Old, Verdict::Bad];
                    let verdict = verdicts[heard % verdicts.len()];
                    mesh.handle(now, mesh::Input::Judged(verdict)).expect("it is a judgement");
                }
                mesh::Output::Got { id, .. } => {
                    let opened = mesh::Input::Opened((id % 2 == 0).then_some([1; 8]));
                    mesh.handle(now, opened).expect("it is open");
                }
                mesh::Output::Flush { .. }
                | mesh::Output::Reached { .. }
                | mesh::Output::Lost { .. }
                | mesh::Output::Hang { .. }
                | mesh::Output::Opened { .. }
                | mesh::Output::Closed { .. }
                | mesh::Output::Turned { .. }
                | mesh::Output::Told { .. }
                | mesh::Output::Digest { .. }
                | mesh::Output::NoWay { .. } => {}
            }
        }
        // What it keeps for those who want it is given out again, but nothing grows by itself.
        assert!(sent <= 512, "{sent} frames for one");
    }
    assert!(heard <= STEPS_MAX);
}

/// A tree under messages of one neighbour: within its quotas, and what it has taken in another one can take from it.
pub(crate) fn tree(bytes: &[u8]) {
    let new = |me| tree::Tree::new(tree::Config::default(), Time::ZERO, NOW, me, tree::Unsigned);
    let (mut tree, mut twin) = (new(ME), new(ME));
    let mut now = Time::ZERO;
    for tree in [&mut tree, &mut twin] {
        tree.handle(now, tree::Input::Opened { peer: LIAR, bridge: true }).expect("a neighbour");
    }
    for step in Steps(bytes).take(STEPS_MAX) {
        now = now + step.pause;
        let bytes = step.bytes.to_vec();
        let input = if step.wakes {
            tree::Input::Heard { author: LIAR, bytes }
        } else {
            tree::Input::Told { peer: LIAR, bytes }
        };
        let (digest, weight) = (tree.digest(), tree.weight());
        let result = tree.handle(now, input.clone());
        let same = twin.handle(now, input);
        assert_eq!(result, same, "equal trees answer alike");
        if result.is_err() && !step.wakes {
            // A message of several parts may have been right in its first ones.
            assert!(tree.digest() == digest || tree.weight().bytes <= weight.bytes + (1 << 20));
        }
        let outputs = std::iter::from_fn(|| tree.poll()).count();
        assert_eq!(std::iter::from_fn(|| twin.poll()).count(), outputs);
        assert!(outputs <= 8 + 2 * step.bytes.len(), "{outputs} outputs for {}", step.bytes.len());
    }
    assert_eq!(tree.digest(), twin.digest());
    let (weight, config) = (tree.weight(), tree::Config::default());
    assert!(weight.entries <= weight.authors * config.entries_max);
    assert!(weight.bytes <= weight.authors * config.author_bytes_max);
    // Of this one somebody may have made up a map whose numbers are too high to go on from; where words are proved nobody
    // can.
    hand_on(OTHER, twin, new(OTHER), now);
    let name = newcomer(bytes);
    assert!(hand_on(name, tree, new(name), now), "a newcomer ends up with an equal digest");
}

/// Somebody whose name follows from all that was said, so that nothing of it can be about them.
fn newcomer(bytes: &[u8]) -> NodeId {
    let mut hasher = std::hash::DefaultHasher::new();
    bytes.hash(&mut hasher);
    NodeId(hasher.finish() | 1 << 63)
}

/// A newcomer takes from `tree` what it has; whether, with nobody in between, they end up with equal digests.
///
/// What they say to all counts too, and so does comparing digests, as neighbours do with every beat: somebody may have
/// made up a map of the newcomer, which takes that for its past, or hears later that others do.
fn hand_on(name: NodeId, mut tree: Tree, mut other: Tree, mut now: Time) -> bool {
    let opened = |peer| tree::Input::Opened { peer, bridge: true };
    tree.handle(now, opened(name)).expect("a neighbour");
    other.handle(now, opened(ME)).expect("a neighbour");
    for _ in 0..64 {
        let mut to_other = said(&mut tree, ME, name);
        let mut to_tree = said(&mut other, name, ME);
        if to_other.is_empty() && to_tree.is_empty() {
            if tree.digest() == other.digest() {
                break;
            }
            now = now + Duration::from_secs(1);
            to_other.push(tree::Input::Digest { peer: ME, digest: tree.digest(), compare: true });
            to_tree.push(tree::Input::Digest { peer: name, digest: other.digest(), compare: true });
        }
        for (tree, inputs) in [(&mut other, to_other), (&mut tree, to_tree)] {
            for input in inputs {
                let taken = tree.handle(now, input);
                assert!(taken.is_ok(), "what one has taken in another one takes: {taken:?}");
            }
        }
    }
    tree.digest() == other.digest()
}

/// What `tree` has to say, as its neighbour hears it.
fn said(tree: &mut Tree, me: NodeId, neighbour: NodeId) -> Vec<tree::Input> {
    let heard = |output| match output {
        tree::Output::Tell { peer, bytes } if peer == neighbour => {
            Some(tree::Input::Told { peer: me, bytes })
        }
        tree::Output::Cast { bytes, except } if except != Some(neighbour) => {
            Some(tree::Input::Heard { author: me, bytes })
        }
        tree::Output::Tell { .. } | tree::Output::Cast { .. } | tree::Output::Event(_) => None,
    };
    std::iter::from_fn(|| tree.poll()).filter_map(heard).collect()
}

/// A whole participant under frames of one neighbour who has been let in.
pub(crate) fn node(bytes: &[u8]) {
    lie(hosted(true), bytes);
}

/// A whole participant under frames of somebody who stands at the door.
pub(crate) fn door(bytes: &[u8]) {
    lie(hosted(false), bytes);
}

/// A participant with a link to a good guest and one to the liar, who has proved itself if it `is_in`.
fn hosted(is_in: bool) -> Node {
    let founder = Trust::found(Seed([7; 32]), Claim::default(), Bounds::default(), NOW);
    let conference = founder.conference().clone();
    let new = |trust| Node::new(Config::default(), Time::ZERO, NOW, trust, Seed([7; 32]));
    let mut host = new(founder);
    for number in [1, 2] {
        let mut guest = new(Trust::apply(Seed([number; 32]), conference.clone()));
        let up = |peer| {
            let (link, invite) = (LinkId(number.into()), Some(InviteId(number.into())));
            Input::Up { link, peer, binding: Vec::new(), claim: Claim::default(), invite }
        };
        host.handle(Time::ZERO, up(guest.me())).expect("a link that is new");
        guest.handle(Time::ZERO, up(host.me())).expect("a link that is new");
        if number == 1 && !is_in {
            continue;
        }
        for _ in 0..16 {
            carry(&mut host, &mut guest, LinkId(number.into()));
            carry(&mut guest, &mut host, LinkId(number.into()));
        }
    }
    host
}

fn carry(from: &mut Node, to: &mut Node, over: LinkId) {
    while let Some(output) = from.poll() {
        if let Output::Send { link, frame } = output
            && link == over
        {
            to.handle(Time::ZERO, Input::Received { link, frame }).expect("both are honest");
        }
    }
}

fn lie(mut node: Node, bytes: &[u8]) {
    let mut now = Time::ZERO;
    let mut dialled = 0;
    for step in Steps(bytes).take(STEPS_MAX) {
        now = now + step.pause;
        let frame = step.bytes.to_vec();
        // Refused or not: it must do no harm.
        node.handle(now, Input::Received { link: LinkId(1), frame }).ok();
        if step.wakes {
            node.handle(now, Input::Timeout).expect("a timeout is always welcome");
            assert!(node.timeout().is_none_or(|at| at > now), "a deadline that was met is gone");
        }
        while let Some(output) = node.poll() {
            match output {
                Output::Send { frame, .. } => {
                    let is_at_door = frame.first() == Some(&0x7f);
                    assert!(is_at_door || mesh::glance(&frame) != mesh::Glance::Rubbish);
                }
                Output::Dial { .. } | Output::Answer { .. } => dialled += 1,
                Output::Flush { .. }
                | Output::Apply { .. }
                | Output::Hang { .. }
                | Output::Event(_) => {}
            }
        }
    }
    assert!(dialled <= 2 * STEPS_MAX, "{dialled} links");
    let weight = node.weight();
    assert!(weight.bytes <= weight.authors << 20, "{weight:?}");
}

/// One thing that the liar does.
struct Step<'a> {
    pause: Duration,
    wakes: bool,
    bytes: &'a [u8],
}

/// Bytes as steps: one for the pause and whether a timeout follows, two for the length, then the message.
struct Steps<'a>(&'a [u8]);

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let [how, low, high, rest @ ..] = self.0 else { return None };
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (bytes, rest) = rest.split_at(length);
        self.0 = rest;
        let pause = Duration::from_millis(u64::from(how & 0x7f) * 100);
        Some(Step { pause, wakes: how & 0x80 != 0, bytes })
    }
}
