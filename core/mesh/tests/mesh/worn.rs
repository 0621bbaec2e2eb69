//! What somebody said of its links and others contradict: for how long it counts.

use super::*;

/// A square in which 4 has crashed, 3 says so, and 2 goes on naming it.
fn haunted() -> Web {
    let mut web = Web::of(&[(1, 2), (1, 3), (2, 4), (3, 4)]);
    web.publish();
    web.dead.insert(NodeId(4));
    web.pass(9);
    web.say(3, &[1]);
    web
}

#[test]
fn one_who_crashed_is_out_of_reach_though_a_neighbour_of_it_goes_on_naming_it() {
    let mut web = haunted();
    assert!(web.mesh(1).reaches(NodeId(4)));

    for _ in 0..4 {
        web.pass(9);
        // However often it says so.
        web.say(2, &[1, 4]);
        web.say(2, &[4, 1, 9]);
    }

    assert_eq!([1, 3].map(|node| web.mesh(node).reaches(NodeId(4))), [false; 2]);
    assert!(web.mesh(3).reaches(NodeId(2)));
    assert_eq!(web.mesh(1).map().neighbours(NodeId(4)).count(), 0);
}

#[test]
fn those_who_crashed_together_do_not_keep_each_other_up() {
    let mut web = Web::of(&[(1, 2), (1, 3), (3, 4), (4, 2), (1, 5), (5, 2)]);
    web.publish();
    web.dead.extend([NodeId(3), NodeId(4)]);
    web.pass(9);

    web.say(1, &[2, 5]);
    // 2 names 4 for ever, which names but it and 3.
    web.pass(62);

    assert_eq!([3, 4].map(|node| web.mesh(5).reaches(NodeId(node))), [false; 2]);
}

#[test]
fn whoever_is_slow_to_be_named_counts_again_as_soon_as_it_is() {
    let mut web = haunted();
    web.pass(31);
    assert!(!web.mesh(1).reaches(NodeId(4)));

    web.dead.remove(&NodeId(4));
    web.say(3, &[1, 4]);

    assert!(web.mesh(1).reaches(NodeId(4)));
}

#[test]
fn all_who_were_slow_to_be_named_count_again_though_they_name_each_other() {
    for of_5 in [vec![3], vec![3, 4]] {
        let mut web = Web::of(&[(1, 2), (2, 3), (3, 4), (3, 5), (4, 5)]);
        let of_4 = if of_5.len() > 1 { vec![3, 5] } else { vec![3] };
        for (node, peers) in [(1, vec![2]), (2, vec![1, 3]), (3, vec![2]), (4, of_4), (5, of_5)] {
            web.say(node, &peers);
        }
        web.pass(31);
        assert!(!web.mesh(1).reaches(NodeId(4)) && !web.mesh(1).reaches(NodeId(5)));

        web.say(3, &[2, 4, 5]);

        assert!(web.mesh(1).reaches(NodeId(4)) && web.mesh(1).reaches(NodeId(5)));
    }
}

#[test]
fn whoever_lives_does_not_name_those_who_do_not_name_it_and_so_stays() {
    let mut web = Web::of(&[(1, 2), (1, 3), (2, 4), (3, 4)]);
    web.publish();
    web.say(2, &[1]);
    web.pass(16);
    let told =
        |web: &Web| web.told(4, |output| matches!(output, Output::Turned { .. }).then_some(()));
    assert_eq!(told(&web).len(), 1);

    let named: Vec<u64> = web.mesh(4).costs().keys().map(|node| node.0).collect();
    assert_eq!(named, [3]);
    web.say(4, &named);
    web.pass(60);
    assert!([1, 2, 3].iter().all(|node| web.mesh(*node).reaches(NodeId(4))));

    // It gives one who says something new another chance.
    web.say(2, &[1, 9]);
    assert_eq!(web.mesh(4).costs().len(), 2);
    web.pass(16);
    assert_eq!(web.mesh(4).costs().len(), 1);
    web.say(2, &[1, 4]);
    web.pass(16);
    assert_eq!(web.mesh(4).costs().len(), 2);
}

#[test]
fn nobody_is_reached_by_way_of_a_neighbour_that_does_not_name_us() {
    let mut web = Web::of(&[(1, 2), (2, 3)]);
    web.say(2, &[3]);
    web.say(3, &[2]);
    assert!(web.mesh(1).reaches(NodeId(3)), "a link that is new has time");

    web.pass(16);
    assert_eq!([2, 3].map(|node| web.mesh(1).reaches(NodeId(node))), [true, false]);
    web.say(4, &[2]);
    web.say(2, &[3, 4]);
    web.pass(1);
    assert_eq!([2, 3, 4].map(|node| web.mesh(1).reaches(NodeId(node))), [true, false, false]);

    web.say(2, &[1, 3]);
    assert!(web.mesh(1).reaches(NodeId(3)));
}

#[test]
fn whoever_slept_gives_the_others_time_again() {
    let mut web = haunted();
    web.pass(20);
    web.now = web.now + Duration::from_secs(600);
    web.pass(20);
    assert!(web.mesh(1).reaches(NodeId(4)));

    web.pass(12);
    assert!(!web.mesh(1).reaches(NodeId(4)));
}
