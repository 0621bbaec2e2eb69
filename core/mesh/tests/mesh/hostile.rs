//! What neighbours and authors do that do not keep to the protocol, and what it costs whom.

use mesh::{Brief, Config, Cost, Error, Input};
use wire::NodeId;

use super::*;

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
fn as_much_as_comes_at_once_is_kept_for_those_who_miss_it() {
    let mut web = Web::of(&[(1, 2), (1, 3), (2, 4), (3, 4)]);
    web.publish();
    web.silent.insert(web.link(2, 4));
    // As many as an author may say at once.
    let many = Config::default().author_burst as u8;

    for nth in 0..many {
        web.tell(1, Input::Cast { payload: vec![nth], except: None, fleeting: true });
    }
    web.pass(2);

    assert_eq!(web.heard(4).len(), usize::from(many));
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
