//! Talking: what broadcasts cost and how quick they are, and what a newcomer costs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use node::{Listing, Path};

use super::hall::Hall;
use super::{Clock, Curve, Report};
use crate::Broken;
use crate::conference::Act;

/// How many lines rotating senders say.
const LINES: usize = 50;

/// How many speak at once at most.
const CHOIR_MAX: usize = 100;

/// For how many seconds a settled conference is timed.
const STEADY: u64 = 30;

/// One line a second, each by somebody else, as fast as they can be told; how fast, if there is a clock.
pub(super) fn steady(
    hall: &mut Hall,
    report: &mut Report,
    clock: Option<Clock<'_>>,
) -> Result<(), Broken> {
    hall.world.story_mut().close_ledger();
    let begin = clock.map(|clock| clock());
    for line in 0..STEADY {
        let who = hall.somebody();
        hall.say(who, &format!("Minute {line}: nobody objects."))?;
        hall.pass(Duration::from_secs(1))?;
    }
    if let (Some(clock), Some(begin)) = (clock, begin) {
        let took = (clock() - begin).as_secs_f64().max(1e-9);
        let meaning = "seconds of a settled conference with a line a second, told in each";
        report.note("speed", STEADY as f64 / took, "×", meaning);
    }
    Ok(())
}

/// Ten lines a second, each by somebody else.
pub(super) fn rotating(hall: &mut Hall, report: &mut Report) -> Result<(), Broken> {
    let nodes = hall.awake().len();
    hall.world.story_mut().open_ledger();
    let before = hall.story().traffic();
    let mut floods = BTreeMap::new();
    for line in 0..LINES {
        let who = hall.somebody();
        floods.insert(hall.person(who).node.me(), hall.flood(who));
        hall.say(who, &format!("Line {line}: shall we have lunch together at noon?"))?;
        hall.pass(Duration::from_millis(100))?;
    }
    let spent = hall.spent(before);
    let per = (nodes * LINES) as f64;
    hall.pass(Duration::from_secs(15))?;

    let lines: Vec<_> = hall.story().ledger().casts().collect();
    let hops = || lines.iter().flat_map(|(_, tally)| tally.hops.iter().copied());
    let mean = |sum: f64, count: usize| if count == 0 { 0.0 } else { sum / count as f64 };
    let last = |tally: &crate::conference::Tally| (tally.last - tally.sent).as_secs_f64();
    let lasts: f64 = lines.iter().map(|(_, tally)| last(tally)).sum();
    let flooded: f64 =
        lines.iter().filter_map(|(by, _)| floods.get(by)).map(Duration::as_secs_f64).sum();
    let mut count = BTreeMap::new();
    hops().for_each(|hops| *count.entry(hops).or_insert(0_u32) += 1);
    let mut took: Vec<f64> = lines
        .iter()
        .flat_map(|(_, tally)| tally.took.iter().map(|took| took.as_secs_f64() * 1_000.0))
        .collect();
    took.sort_by(f64::total_cmp);

    let redundancy = hall.story().ledger().redundancy();
    let hops_mean = mean(hops().map(f64::from).sum(), hops().count());
    let hops_max = f64::from(hops().max().unwrap_or(0));
    let (lasts_ms, to_flood) = (mean(lasts, lines.len()) * 1_000.0, lasts / flooded.max(1e-9));
    report.note("redundancy", redundancy, "", "copies of a line for each receiver, less one");
    report.note("hops", hops_mean, "", "hops of a delivery, on average");
    report.note("hops_max", hops_max, "", "hops of the longest delivery");
    report.note("delivery", lasts_ms, "ms", "from saying a line until the last has it, on average");
    report.note("delivery_to_flood", to_flood, "×", "the same, against flooding the same links");
    let control = (spent.frames + spent.beats - spent.casts) as f64 / per;
    report.note(
        "control",
        control,
        "",
        "frames that are no line, for each node and line at ten lines a second",
    );
    report.note("bytes", spent.bytes as f64 / per, "B", "bytes sent for each node and line");
    report.note(
        "missing",
        missing(hall, &hall.islands()),
        "%",
        "lines not read everywhere 15 s later",
    );
    let hops = count.into_iter().map(|(hops, n)| (f64::from(hops), f64::from(n))).collect();
    report.curves.push(Curve {
        title: "Hops of a delivery",
        across: "hops",
        up: "deliveries",
        is_count: true,
        points: hops,
    });
    let total = took.len().max(1) as f64;
    let steps = (0..=100).filter_map(|n| Some((*took.get((took.len().max(1) - 1) * n / 100)?, n)));
    let points = steps.map(|(ms, n)| (ms, n as f64 * took.len() as f64 / total)).collect();
    report.draw("Deliveries", "milliseconds", "% delivered", points);
    Ok(())
}

/// How many of a hundred lines are missing with those who are linked, over any way, to one who has them. What those say
/// who play false is left out: they may take it back as they like.
pub(super) fn missing(hall: &Hall, islands: &[BTreeSet<usize>]) -> f64 {
    let messages: Path = "messages".parse().expect("one word is a path");
    let lines = |who: &usize| -> BTreeSet<String> {
        let entries = hall.person(*who).node.list(&messages, Listing::default()).into_iter();
        let fair = entries.filter(|entry| !hall.story().plays_false(entry.by));
        fair.map(|entry| entry.path.to_string()).collect()
    };
    let (mut lacking, mut all) = (0, 0);
    for island in islands {
        let read: Vec<BTreeSet<String>> = island.iter().map(lines).collect();
        let said: BTreeSet<&String> = read.iter().flatten().collect();
        lacking += read.iter().map(|lines| said.len() - lines.len()).sum::<usize>();
        all += said.len() * read.len();
    }
    if all == 0 { 0.0 } else { 100.0 * lacking as f64 / all as f64 }
}

/// Everybody says something in the same moment.
pub(super) fn at_once(hall: &mut Hall, report: &mut Report) -> Result<(), Broken> {
    hall.world.story_mut().open_ledger();
    for who in hall.awake().into_iter().take(CHOIR_MAX) {
        hall.act(Act::Shout(who))?;
    }
    hall.pass(Duration::from_secs(5))?;
    hall.world.story_mut().close_ledger();
    let redundancy = hall.story().ledger().redundancy();
    report.note("redundancy_at_once", redundancy, "", "the same when all speak at once");
    Ok(())
}

/// One more joins, and reads all that was said.
pub(super) fn one_more(hall: &mut Hall, report: &mut Report) -> Result<(), Broken> {
    let before = hall.story().traffic();
    hall.act(Act::Join(Some(0)))?;
    let (took, _) = hall.until_agreed(Duration::from_secs(60))?;
    hall.pass(Duration::from_secs(10))?;
    let spent = hall.spent(before);
    report.note("newcomer_agree", took, "s", "until one more sees what all see, and all see it");
    report.note(
        "newcomer_bytes",
        spent.bytes as f64 / 1_000.0,
        "kB",
        "sent by all together for that",
    );
    Ok(())
}
