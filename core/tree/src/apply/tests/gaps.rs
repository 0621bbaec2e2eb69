//! What comes before its turn, in parts, or not at all, and is found later within bounds.

use wire::Time;

use crate::court::Court;
use crate::words::{Part, Say};
use crate::{Config, Error, Input, Root, Tree, Weight};

use super::*;

#[test]
fn a_change_that_does_not_fit_is_asked_for_whole_and_only_once() {
    let mut ann = tree(ANN);
    let mut bob = opened(introduced(&mut ann, tree(BOB)), CAROL);
    present(&mut bob, &[ANN], &[]);
    let at = ann.own().at;
    write(&mut ann, update("shared/topic", "new"));
    write(&mut ann, update("shared/other", "new"));
    let whole = whole(&mut ann, CAROL);
    let part = ann.own().since(ANN, at, &ann.lists);
    let mut live = part.live.clone();
    live.pop();
    let delta = Say::Delta { last: true, parts: vec![Part { live, ..part }] }.encode();
    let before = (view(&bob), bob.digest());

    told(&mut bob, CAROL, &delta).expect("it may be Ann who contradicts herself");
    let mut asked = tells(&mut bob, CAROL);
    for _ in 0..3 {
        told(&mut bob, CAROL, &delta).expect("that may have been on its way");
        asked.extend(tells(&mut bob, CAROL));
    }
    let again = told(&mut bob, CAROL, &delta);

    let is_about_ann = |bytes: &&Vec<u8>| matches!(Say::decode(bytes, BOB), Some(Say::Have(have)) if !have.heads.iter().any(|head| head.0 == ANN));
    assert_eq!(asked.iter().filter(is_about_ann).count(), 1, "the whole map is asked for");
    assert!(matches!(again, Err(Error::PeerMisbehaved { peer: CAROL, .. })), "{again:?}");
    assert_eq!((view(&bob), bob.digest()), before);
    told(&mut bob, CAROL, &whole).expect("Ann wrote that");
    assert_eq!(view(&bob), view(&ann));
}

#[test]
fn what_a_stranger_wrote_is_asked_for_again_once_it_is_known() {
    let mut ann = tree(ANN);
    introduced(&mut ann, tree(BOB));
    let delta = whole(&mut ann, CAROL);
    let mut carol = opened(tree(CAROL), BOB);
    carol.notary().known.remove(&ANN);
    told(&mut carol, BOB, &delta).expect("Ann is unknown, which is nobody's fault");
    assert_eq!(carol.weight(), Weight { authors: 1, ..Default::default() });

    carol.notary().known.insert(ANN);
    carol.handle(Time::ZERO, Input::Known(ANN)).expect("that is news");

    let asked = tells(&mut carol, BOB);
    assert!(matches!(Say::decode(&asked[0], BOB), Some(Say::Have(_))));
    present(&mut carol, &[ANN], &[]);
    told(&mut carol, BOB, &delta).expect("Ann wrote that");
    assert_eq!(view(&carol), view(&ann));
}

#[test]
fn what_passed_away_is_vouched_for_by_its_root_alone() {
    let mut ann = tree(ANN);
    let mut bob = introduced(&mut ann, tree(BOB));
    present(&mut bob, &[ANN], &[]);
    present(&mut bob, &[], &[ANN]);
    let later = Time::ZERO + Config::default().forget * 2;
    bob.handle(later, Input::Timeout).expect("time passes");
    let delta = whole(&mut bob, CAROL);
    let is_pruned = |part: &Part<'_>| part.author == ANN && part.pruned.is_some();
    assert!(
        matches!(Say::decode(&delta, BOB), Some(Say::Delta { parts, .. }) if parts.iter().any(is_pruned))
    );

    // A false root is found out; the true one lets the rest be checked.
    let false_root = altered(&delta, |part| part.pruned = Some(Root([1; 32])));
    let mut carol = opened(tree(CAROL), BOB);
    let result = told(&mut carol, BOB, &false_root);
    assert!(matches!(result, Err(Error::PeerMisbehaved { peer: BOB, .. })), "{result:?}");
    told(&mut carol, BOB, &delta).expect("Ann wrote that");
    let head = |tree: &Tree<Court>| tree.authors.get(&ANN).map(|map| map.head());
    assert_eq!((carol.weight().entries, head(&carol)), (3, head(&ann)));

    // When she is back she is had whole, from whoever has her so.
    present(&mut carol, &[ANN], &[]);
    assert_ne!(carol.digest(), ann.digest());
    meet(&mut ann, &mut carol);
    assert_eq!(view(&carol), view(&ann));
    assert_eq!(carol.digest(), ann.digest());
}

#[test]
fn after_a_restart_with_a_clock_that_stood_still_nobody_is_frozen() {
    let mut ann = tree(ANN);
    let mut bob = introduced(&mut ann, tree(BOB));
    write(&mut ann, add("before"));
    casts(&mut ann).iter().for_each(|part| hear(&mut bob, ANN, part).expect("Ann wrote that"));

    for writes in 0..8 {
        let mut ann = tree(ANN);
        (0..writes).for_each(|n| write(&mut ann, add(&format!("after {n}"))));
        casts(&mut ann);
        meet(&mut ann, &mut bob);
        meet(&mut ann, &mut bob);

        assert!(!bob.is_frozen(ANN) && !ann.is_frozen(ANN), "after {writes} writes");
        assert_eq!(view(&bob), view(&ann), "after {writes} writes");
        assert!(view(&bob).len() >= writes + 2, "after {writes} writes");
        assert_eq!(bob.digest(), ann.digest());
    }
}

#[test]
fn what_comes_before_its_turn_is_kept_within_bounds() {
    let mut ann = tree(ANN);
    let mut bob = introduced(&mut ann, tree(BOB));
    let at = ann.own().at;

    for number in 0..1_000 {
        let part = ann.own().since(ANN, at - 1, &ann.lists);
        let (from, upto) = (at + number * 2 + 1, at + number * 2 + 2);
        let early = Part { from, upto, live: Vec::new(), ..part };
        hear(&mut bob, ANN, &Say::Delta { last: false, parts: vec![early] }.encode())
            .expect("it may be true");
    }

    assert_eq!(bob.early.len(), bob.config.early_max / 4);
    for _ in 0..10 {
        let Some(at) = bob.timeout() else { break };
        bob.handle(at, Input::Timeout).expect("time passes");
    }
    assert!(bob.early.is_empty(), "nobody is there to ask");
}

#[test]
fn what_somebody_forged_to_come_before_its_turn_is_nobodys_fault_when_its_turn_comes() {
    let mut ann = tree(ANN);
    let mut bob = introduced(&mut ann, tree(BOB));
    let at = ann.own().at;
    for upto in [at + 5, u64::MAX / 2] {
        let part = ann.own().since(ANN, at - 1, &ann.lists);
        let early = Part { from: at + 1, upto, live: Vec::new(), ..part };
        hear(&mut bob, CAROL, &Say::Delta { last: false, parts: vec![early] }.encode())
            .expect("it may be true");
    }

    write(&mut ann, add("to all"));
    let said = casts(&mut ann);

    hear(&mut bob, ANN, &said[0]).expect("Ann wrote that");
    assert_eq!(bob.authors.get(&ANN).map(|map| map.head()), Some(ann.own().head()));
}

#[test]
fn a_change_of_what_one_does_not_have_is_left_and_found_later() {
    let mut ann = tree(ANN);
    let mut bob = introduced(&mut ann, tree(BOB));
    write(&mut ann, update("shared/topic", "a new topic"));
    let lost = casts(&mut ann);
    write(&mut ann, update("shared/topic", "a newer topic"));
    let said = casts(&mut ann);
    assert!(said[0].len() < lost[0].len(), "only what is new is said");
    let before = (view(&bob), bob.digest());
    // As if it went on from what Bob has: it changes what is later, which nobody says, or what never was.
    for (old, is_readable) in [(None, false), (Some(1), true)] {
        let Some(Say::Own(mut part)) = Say::decode(&said[0], ANN) else { panic!("not her own") };
        part.from -= 1;
        let edit = part.live[0].edit.as_mut().expect("only what is new is said");
        edit.old = old.unwrap_or(edit.old);

        let result = hear(&mut bob, ANN, &Say::Own(part).encode());

        assert_eq!(result.is_ok(), is_readable, "{result:?}");
        assert_eq!((view(&bob), bob.digest()), before);
    }
    hear(&mut bob, ANN, &lost[0]).expect("Ann wrote that");
    hear(&mut bob, ANN, &said[0]).expect("Ann wrote that");
    assert_eq!(bob.authors.get(&ANN).map(|map| map.head()), Some(ann.own().head()));
}

#[test]
fn a_part_without_end_is_cut_off() {
    let mut ann = tree(ANN);
    let mut bob = opened(introduced(&mut ann, tree(BOB)), CAROL);
    let json = format!(r#"{{"text":"{}"}}"#, "x".repeat(15_000));
    let mut told_bytes = 0;

    let result = (0..1_000).try_for_each(|_| {
        let mut part = ann.own().since(ANN, 0, &ann.lists);
        (part.more, part.live[0].json) = (true, &json);
        let bytes = Say::Delta { last: false, parts: vec![part] }.encode();
        told_bytes += bytes.len();
        told(&mut bob, CAROL, &bytes)
    });

    assert!(matches!(result, Err(Error::PeerMisbehaved { peer: CAROL, .. })), "{result:?}");
    assert!(told_bytes < 3 << 20, "{told_bytes}");
}

#[test]
fn a_part_over_the_quota_changes_nothing() {
    let mut ann = tree(ANN);
    for n in 0..40 {
        write(&mut ann, add(&format!("line {n}")));
    }
    let delta = whole(&mut ann, CAROL);
    let config = Config { entries_max: 39, ..Config::default() };
    let carol = Tree::new(config, Time::ZERO, NOON, CAROL, Court::of(CAROL));
    let mut carol = opened(carol, BOB);

    let result = told(&mut carol, BOB, &delta);

    assert_eq!(result, Err(Error::Limit("the number of entries of an author")));
    assert_eq!((carol.weight().entries, carol.weight().bytes, carol.weight().lists), (0, 0, 0));
}
