//! One link: whether it lives, how much it takes, and messages in pieces.

use std::time::Duration;

use mesh::{Config, Error, Input, Mesh, Output};
use wire::{LinkId, NodeId, Time};

use super::*;

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
fn what_a_loss_has_kept_from_us_is_asked_for_though_much_changes() {
    let mut crowd = Crowd::of(&[2, 3]);
    crowd.pass(6, &[2, 3]);

    let asked = crowd.pass(9, &[2]);

    // Whoever 3 was to tell us by; and again, for it may have lacked it too.
    assert_eq!(asked, [NodeId(2); 2]);
}

#[test]
fn whoever_has_just_come_to_many_compares_though_much_changes() {
    let mut crowd = Crowd::of(&[2]);

    // Who let us in may have just come too.
    assert_eq!(crowd.pass(5, &[2]), [NodeId(2); 2]);
    assert_eq!(crowd.pass(9, &[2]), []);
}

#[test]
fn what_stays_away_is_asked_for_though_much_changes() {
    let mut crowd = Crowd::of(&[2, 3]);
    crowd.pass(10, &[2, 3]);

    // Long before what differs from beat to beat would be asked for.
    let asked = crowd.pass_with(3, &[2], |ours| ours ^ 0x0909_0909);

    assert_eq!(asked, [NodeId(2); 2]);
}

/// Us in a crowd: what a neighbour has and we do not is on its way, more often than not.
struct Crowd {
    mesh: Mesh,
    tenths: u64,
    digest: u32,
}

impl Crowd {
    /// With a link to each of these, by its number.
    fn of(neighbours: &[u64]) -> Self {
        let mut mesh = Mesh::new(Config::default(), Time::ZERO, NodeId(1), 0);
        for node in neighbours {
            let up = Input::Up { link: LinkId(*node), peer: NodeId(*node) };
            mesh.handle(Time::ZERO, up).expect("there is room");
        }
        for node in 4..4_000 {
            let links = Input::Links { node: NodeId(node), links: wire::Map::new() };
            mesh.handle(Time::ZERO, links).expect("it is news");
        }
        Self { mesh, tenths: 0, digest: 0 }
    }

    /// Lets time pass in which these beat, always with the same digest, and ours changes; with whom we compare.
    fn pass(&mut self, seconds: u64, beating: &[u64]) -> Vec<NodeId> {
        self.pass_with(seconds, beating, |_| 0x0909_0909)
    }

    /// The same where their digest depends on ours.
    fn pass_with(
        &mut self,
        seconds: u64,
        beating: &[u64],
        theirs: impl Fn(u32) -> u32,
    ) -> Vec<NodeId> {
        let mut asked = Vec::new();
        for tenth in self.tenths..self.tenths + 10 * seconds {
            let now = Time::at(Duration::from_millis(100 * tenth));
            let digest = theirs(self.digest);
            for link in beating.iter().filter(|_| tenth % 10 == 0) {
                let frame = [&[0][..], &digest.to_le_bytes()].concat();
                let input = Input::Received { link: LinkId(*link), frame };
                self.mesh.handle(now, input).expect("it is a beat");
            }
            self.digest = tenth as u32;
            self.mesh.handle(now, Input::Digest(self.digest)).expect("it is news");
            self.mesh.handle(now, Input::Timeout).expect("time passes");
            asked.extend(std::iter::from_fn(|| self.mesh.poll()).filter_map(|output| {
                let Output::Digest { peer, compare: true, .. } = output else { return None };
                Some(peer)
            }));
        }
        self.tenths += 10 * seconds;
        asked
    }
}
