//! To all and to one, on any graph, whatever the maps.

use mesh::Input;
use wire::{Dice, NodeId, Seed};

use super::*;

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
fn what_one_side_hears_of_another_goes_once_to_each() {
    let side = |first: u64| {
        (first..first + 6).flat_map(move |one| (first..one).map(move |other| (one, other)))
    };
    let mut web = Web::of(&side(1).chain(side(11)).collect::<Vec<_>>());
    // Everybody knows of the other side, and of no way to it.
    web.publish();
    web.connect(6, 11);

    let before = web.frames;
    web.cast(1, b"hello");

    assert!((2..=6).chain(11..=16).all(|node| web.heard(node).len() == 1));
    assert_eq!(web.frames - before, 11);
}

#[test]
fn what_is_no_news_ends_where_it_comes() {
    let mut web = Web::of(&[(1, 2), (2, 3), (1, 4)]);

    web.cast(1, OLD);
    // Nobody is hinted at it either.
    web.pass(5);

    assert_eq!(web.heard(2).len(), 1);
    assert_eq!(web.heard(3).len(), 0);
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
