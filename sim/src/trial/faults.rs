//! Bad things: the network falls apart, one crashes, many crash at once.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Report;
use super::hall::Hall;
use super::plan::Shape;
use super::talk::missing;
use crate::Broken;
use crate::conference::Act;

/// How many links everybody is to have after a crash, if there are that many others.
const LINKS_MIN: usize = 4;

/// How many lines are said in the moment of the crash of many.
const LAST_WORDS: usize = 10;

/// The network falls apart as planned, both sides go on talking, and one link brings them together again.
pub(super) fn partition(hall: &mut Hall, report: &mut Report) -> Result<(), Broken> {
    let shape = report.plan.shape;
    if shape == Shape::None {
        return Ok(());
    }
    let awake = hall.awake();
    let group = |n: usize| shape.group(n, awake.len());
    let mut groups = vec![BTreeSet::new(); group(awake.len() - 1) + 1];
    for (n, who) in awake.iter().enumerate() {
        groups[group(n)].insert(*who);
    }
    if shape == Shape::Flapping {
        for _ in 0..3 {
            hall.act(Act::Split(groups.clone()))?;
            hall.pass(Duration::from_secs(5))?;
            hall.act(Act::Heal)?;
            hall.pass(Duration::from_secs(2))?;
        }
    }
    hall.act(Act::Split(groups.clone()))?;
    hall.pass(Duration::from_secs(15))?;
    for (side, group) in groups.iter().enumerate() {
        let who = group.first().copied().unwrap_or(0);
        hall.say(who, &format!("Side {side} is still here."))?;
    }
    hall.pass(Duration::from_secs(10))?;
    let before = hall.story().traffic();
    hall.act(Act::Heal)?;
    // A side may have fallen into parts, since its links went by way of another. One of each part is invited again.
    for pair in hall.islands().windows(2) {
        if let (Some(one), Some(other)) = (pair[0].first(), pair[1].first()) {
            hall.act(Act::Link(*one, *other))?;
        }
    }
    let (took, points) = hall.until_agreed(Duration::from_secs(60))?;
    let spent = hall.spent(before);
    report.note("partition_agree", took, "s", "from the end of a partition until all see the same");
    report.note(
        "partition_bytes",
        spent.bytes as f64 / 1_000.0,
        "kB",
        "sent by all together for that",
    );
    let pairs: usize = groups.iter().map(|group| group.len() * (awake.len() - group.len())).sum();
    report.note(
        "partition_share",
        spent.bytes as f64 / pairs as f64,
        "B",
        "the same for each of them and each other whom it had lost",
    );
    report.draw("After a partition", "seconds", "% that see what most see", points);
    hall.pass(Duration::from_secs(20))
}

/// One crashes without a word.
pub(super) fn one_crash(hall: &mut Hall, report: &mut Report) -> Result<(), Broken> {
    if hall.awake().len() < 3 {
        return Ok(());
    }
    let victim = hall.somebody();
    let name = hall.person(victim).node.me();
    let begin = hall.world.now();
    hall.act(Act::Crash(victim))?;
    let step = if hall.awake().len() > 100 { 50 } else { 10 };
    let knows = |hall: &Hall| {
        hall.awake().iter().all(|who| !hall.person(*who).node.trusted().contains(&name))
    };
    while !knows(hall) && hall.world.now() - begin < Duration::from_secs(20) {
        hall.pass(Duration::from_millis(step))?;
    }
    let detected = hall.world.now();
    report.note(
        "detect",
        (detected - begin).as_secs_f64(),
        "s",
        "until all neighbours of one that crashed know",
    );
    let (healed, split) = heal(hall, Duration::from_millis(step), report)?;
    let latencies = hall.story().overlay();
    let sum: Duration = latencies.values().flatten().sum();
    let round_trip = sum.as_secs_f64() * 2.0 / latencies.len().max(1) as f64;
    report.note("heal", healed, "s", "from then until all have their links again");
    report.note(
        "heal_round_trips",
        healed / round_trip.max(1e-9),
        "",
        "the same in round trips of a link",
    );
    report.note("split_by_one", split, "", "parts that one crash left, less one");
    hall.pass(Duration::from_secs(10))
}

/// Waits until everybody has enough links; how long that took, and into how many more parts than one the
/// network fell meanwhile.
fn heal(hall: &mut Hall, step: Duration, report: &mut Report) -> Result<(f64, f64), Broken> {
    let begin = hall.world.now();
    let (mut split, mut points) = (0, Vec::new());
    loop {
        let awake = hall.awake();
        let enough = LINKS_MIN.min(awake.len() - 1);
        let well = |who: &&usize| hall.person(**who).node.trusted().len() >= enough;
        let well = awake.iter().filter(well).count();
        split = split.max(hall.islands().len() - 1);
        let waited = hall.world.now() - begin;
        points.push((waited.as_secs_f64(), 100.0 * well as f64 / awake.len() as f64));
        if well == awake.len() || waited > Duration::from_secs(60) {
            report.draw("After one crash", "seconds", "% that have their links", points);
            return Ok((waited.as_secs_f64(), split as f64));
        }
        hall.pass(step)?;
    }
}

/// A share of all crashes in the moment in which some of the others speak.
pub(super) fn many_crash(hall: &mut Hall, report: &mut Report) -> Result<(), Broken> {
    let awake = hall.awake();
    let count = awake.len() * report.plan.crash as usize / 100;
    if count == 0 || awake.len() - count < 2 {
        return Ok(());
    }
    for _ in 0..LAST_WORDS {
        let who = hall.somebody();
        hall.say(who, "Is anybody still there?")?;
    }
    let speakers_done = hall.world.now();
    for _ in 0..count {
        let victim = hall.somebody();
        hall.act(Act::Crash(victim))?;
    }
    let mut points = Vec::new();
    for tick in 0..30 {
        points.push((f64::from(tick) / 2.0, hall.agreement() * 100.0));
        hall.pass(Duration::from_millis(500))?;
    }
    let islands = hall.islands();
    report.note("crash_islands", islands.len() as f64, "", "parts 15 s after many crashed at once");
    let meaning =
        "lines said in that moment, not read by all then who are linked to one that has them";
    report.note("crash_missing", missing(hall, &islands), "%", meaning);
    let offset = (hall.world.now() - speakers_done).as_secs_f64();
    let (_, later) = hall.until_agreed(Duration::from_secs(60))?;
    points.extend(later.into_iter().map(|(at, share)| (at + offset, share)));
    // From when on it stayed so.
    let apart = points.iter().rposition(|(_, share)| *share < 100.0).map_or(0, |at| at + 1);
    let whole = points.get(apart).or(points.last()).map_or(offset, |(at, _)| *at);
    report.note("crash_agree", whole, "s", "from that crash until all that are left see the same");
    report.draw("After many crashed", "seconds", "% that see what most see", points);
    Ok(())
}
