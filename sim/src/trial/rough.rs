//! A rough while: people talk and write while things go wrong at random, then all is calm and everything must be well.

use std::collections::BTreeSet;
use std::time::Duration;

use node::{Command, Life};
use serde_json::json;
use wire::{NodeId, Time};

use super::hall::Hall;
use super::{Report, foul, weather};
use crate::conference::{Act, State};
use crate::menu::Fault;
use crate::{Broken, Weather};

/// How often something happens.
const STEP: Duration = Duration::from_millis(250);

/// Of how many steps one is a fault.
const FAULT_EVERY: u64 = 5;

/// The fewest who stay.
const FEWEST: usize = 3;

/// How many who are in neither crash nor sleep nor leave.
const STAY: usize = 2;

/// How long all may take to agree once it is calm.
const CALM_MAX: Duration = Duration::from_secs(90);

/// How far a time jumps: less than half of how far a stamp may be ahead. Further, and others take it for the time, and the
/// stamps of whoever of them jumps too are refused as false until it joins again.
const JUMP: Duration = Duration::from_secs(25);

/// An hour, as calendars are off.
const HOUR_MS: i64 = 3_600_000;

/// How many notices are said to all in the calm.
const SHOUTS: usize = 20;

/// How many whispers are tried in the calm.
const WHISPERS: usize = 20;

/// What is to be undone, and when.
type Later = Vec<(Time, Act)>;

/// The rough while, the calm after it, and what is measured of both.
pub(super) fn rough(hall: &mut Hall, report: &mut Report) -> Result<(), Broken> {
    if !report.plan.conditions.are_rough() {
        return Ok(());
    }
    let conditions = report.plan.conditions.clone();
    foul::begin(hall, &conditions.tricks)?;
    hall.world.story_mut().is_rough_from_now_on(true);
    let size = hall.awake().len();
    let begin = hall.world.now();
    let end = begin + Duration::from_secs(conditions.span);
    let (mut later, mut points) = (Later::new(), Vec::new());
    while hall.world.now() < end {
        undo(hall, &mut later, false)?;
        talk(hall)?;
        foul::go_on(hall)?;
        if !conditions.menu.is_empty() && hall.dice.below(FAULT_EVERY) == 0 {
            let faults = conditions.menu.faults();
            let fault = faults[hall.dice.below(faults.len() as u64) as usize];
            go_wrong(hall, fault, size, &mut later)?;
        }
        hall.pass(STEP)?;
        let at = (hall.world.now() - begin).as_secs_f64();
        points.push((at, hall.agreement() * 100.0));
    }
    undo(hall, &mut later, true)?;
    let calm = weather(&report.plan);
    hall.world.story_mut().turn(calm);
    hall.world.story_mut().is_rough_from_now_on(false);
    let took = settle(hall, &mut points, begin)?;
    report.note("rough_agree", took, "s", "from the end of a rough while until all is well again");
    report.draw(
        "A rough while, and the calm after it",
        "seconds",
        "% that see what most see",
        points,
    );
    shout(hall, report)?;
    whisper(hall, report)
}

/// Somebody says or writes something.
fn talk(hall: &mut Hall) -> Result<(), Broken> {
    let fair: Vec<usize> = hall.story().honest().into_iter().collect();
    if fair.is_empty() {
        return Ok(());
    }
    let who = fair[hall.dice.below(fair.len() as u64) as usize];
    let number = hall.dice.below(1_000);
    let path = format!("shared/{}", hall.dice.below(6)).parse().expect("two words are a path");
    let (value, life) = (json!({ "number": number }), Life::Lasting);
    match hall.dice.below(7) {
        0 => hall.act(Act::Shout(who)),
        4 => {
            let other = fair[hall.dice.below(fair.len() as u64) as usize];
            hall.act(Act::Whisper(who, other))
        }
        1 => hall.act(Act::Do(who, Command::Update { path, value, partial: false, life })),
        2 => hall.act(Act::Do(who, Command::Create { path, value, life: Life::Ephemeral })),
        3 => hall.act(Act::Do(who, Command::Delete { path })),
        _ => hall.say(who, &format!("Line {number}")),
    }
}

/// Does what is due, or everything, in another order than it was planned.
fn undo(hall: &mut Hall, later: &mut Later, everything: bool) -> Result<(), Broken> {
    let now = hall.world.now();
    let (due, rest): (Later, Later) =
        std::mem::take(later).into_iter().partition(|(at, _)| everything || *at <= now);
    *later = rest;
    due.into_iter().rev().try_for_each(|(_, act)| hall.act(act))
}

/// Lets one thing go wrong.
fn go_wrong(hall: &mut Hall, fault: Fault, size: usize, later: &mut Later) -> Result<(), Broken> {
    let now = hall.world.now();
    let mut awake: Vec<usize> = hall.story().honest().into_iter().collect();
    // Who is in comes first: two of them stay, for a conference dies with the last who may let somebody in.
    awake.sort_by_key(|who| !hall.person(*who).is_in());
    if awake.len() < 2 {
        return Ok(());
    }
    let mut pick = || hall.dice.below(awake.len() as u64) as usize;
    let (first, second) = (pick(), pick());
    let (one, other) = (awake[first], awake[second]);
    let may_go = awake.len() > FEWEST && first >= STAY;
    let after = |seconds| now + Duration::from_secs(seconds);
    match fault {
        Fault::Crash if may_go => {
            hall.act(Act::Crash(one))?;
            join(hall, 0)
        }
        Fault::Freeze if may_go => {
            later.push((after(30), Act::Wake(one)));
            hall.act(Act::Sleep(one))
        }
        Fault::Sleep if may_go => {
            later.push((after(120), Act::Wake(one)));
            hall.act(Act::Sleep(one))
        }
        Fault::Reload if one != other => {
            hall.act(Act::Reload(one))?;
            hall.act(Act::Link(one, other))
        }
        Fault::Jump => hall.act(Act::Jump(one, JUMP)),
        Fault::Calendar if hall.awake().len() < 2 * size => {
            let ahead = if hall.dice.below(2) == 0 { HOUR_MS } else { -HOUR_MS };
            join(hall, ahead)?;
            // Until it has asked those it joined for the time.
            hall.pass(Duration::from_secs(3))
        }
        Fault::HalfOpen if one != other => hall.act(Act::HalfOpen(one, other)),
        Fault::Clog if one != other => {
            let span = 1 + hall.dice.below(10);
            later.push((after(span), Act::Unclog(one, other)));
            hall.act(Act::Clog(one, other))
        }
        Fault::Islands => {
            let part: BTreeSet<usize> =
                awake.iter().copied().filter(|_| hall.dice.below(2) == 0).collect();
            let span = 1 + hall.dice.below(20);
            later.push((after(span), Act::Heal));
            hall.act(Act::Split(vec![part]))
        }
        Fault::MassLeave if awake.len() >= 3 * FEWEST => {
            leave(hall, &awake[STAY..STAY + awake.len() / 3])
        }
        Fault::Glare if one != other => {
            hall.act(Act::Link(one, other))?;
            hall.act(Act::Link(other, one))
        }
        Fault::Churn if awake.len() > FEWEST => {
            leave(hall, &awake[STAY..])?;
            (STAY..size).try_for_each(|_| join(hall, 0))
        }
        Fault::Loss => turn(hall, |weather| weather.lost_permille = 100),
        Fault::Doubles => turn(hall, |weather| weather.doubled_permille = 200),
        Fault::Reorder => turn(hall, |weather| weather.reorders = true),
        // There are too few to do that to.
        Fault::Crash
        | Fault::Freeze
        | Fault::Sleep
        | Fault::Reload
        | Fault::Calendar
        | Fault::HalfOpen => Ok(()),
        Fault::Clog | Fault::MassLeave | Fault::Glare | Fault::Churn => Ok(()),
    }
}

/// Another weather, until the next one.
fn turn(hall: &mut Hall, change: impl Fn(&mut Weather)) -> Result<(), Broken> {
    let mut weather = Weather { steady: true, ..Weather::fair() };
    change(&mut weather);
    hall.world.story_mut().turn(weather);
    Ok(())
}

fn leave(hall: &mut Hall, who: &[usize]) -> Result<(), Broken> {
    who.iter().try_for_each(|who| hall.act(Act::Leave(*who)))
}

/// Somebody joins by an invite of somebody who is there.
fn join(hall: &mut Hall, calendar: i64) -> Result<(), Broken> {
    let fair = hall.story().honest().into_iter();
    let fair: Vec<usize> = fair.filter(|who| hall.person(*who).is_in()).collect();
    if fair.is_empty() {
        return Ok(());
    }
    let inviter = fair[hall.dice.below(fair.len() as u64) as usize];
    hall.act(Act::Stranger(Some(inviter), calendar))
}

/// Wakes everybody, joins what fell apart as a second plane would, and waits until all is well.
fn settle(hall: &mut Hall, points: &mut Vec<(f64, f64)>, begin: Time) -> Result<f64, Broken> {
    hall.act(Act::Heal)?;
    let asleep: Vec<usize> = (0..hall.story().people().len())
        .filter(|who| hall.person(*who).state == State::Asleep)
        .collect();
    asleep.into_iter().try_for_each(|who| hall.act(Act::Wake(who)))?;
    let calm = hall.world.now();
    loop {
        let waited = hall.world.now() - calm;
        if waited.as_secs().is_multiple_of(5) {
            bridge(hall)?;
        }
        let well = hall.story().check_quiet(hall.world.now());
        match well {
            Ok(()) => return Ok(waited.as_secs_f64()),
            Err(promise) if waited >= CALM_MAX => return Err(hall.world.broken(promise)),
            Err(_) => {}
        }
        hall.pass(Duration::from_secs(1))?;
        points.push(((hall.world.now() - begin).as_secs_f64(), hall.agreement() * 100.0));
    }
}

/// A link to each island from one where somebody may let others in: what an invite over another way makes.
fn bridge(hall: &mut Hall) -> Result<(), Broken> {
    let fair = hall.story().honest();
    let islands = hall.islands();
    let is_in = |who: &&usize| fair.contains(*who) && hall.person(**who).is_in();
    let hosts = |island: &BTreeSet<usize>| island.iter().filter(is_in).copied().collect();
    let mainland: Option<(usize, Vec<usize>)> =
        islands.iter().map(hosts).enumerate().find(|(_, hosts): &(_, Vec<_>)| !hosts.is_empty());
    let Some((home, hosts)) = mainland else { return Ok(()) };
    let others = islands.iter().enumerate().filter(|(at, _)| *at != home);
    let firsts = others.filter_map(|(_, island)| island.intersection(&fair).next().copied());
    let pairs: Vec<(usize, usize)> = hosts.into_iter().cycle().zip(firsts).collect();
    pairs.into_iter().try_for_each(|(host, first)| hall.act(Act::Link(host, first)))
}

/// Notices to all, in the calm, while those who play false go on: all who play fair hear each.
fn shout(hall: &mut Hall, report: &mut Report) -> Result<(), Broken> {
    let fair: Vec<usize> = hall.story().honest().into_iter().collect();
    let mut said = Vec::new();
    for _ in 0..SHOUTS {
        let who = fair[hall.dice.below(fair.len() as u64) as usize];
        hall.act(Act::Shout(who))?;
        said.push((hall.person(who).node.me(), who, hall.story().last_notice(who)));
        hall.pass(STEP)?;
    }
    hall.pass(Duration::from_secs(5))?;
    let misses = |(name, by, number): &(NodeId, usize, u64)| {
        let others = fair.iter().filter(|who| *who != by);
        others.filter(|who| !hall.person(**who).heard(*name).contains(number)).count()
    };
    let lost: usize = said.iter().map(misses).sum();
    let meaning = "of notices to all, not heard by somebody who plays fair";
    report.note("shouts_lost", lost as f64, "", meaning);
    Ok(())
}

/// Messages to one, in the calm: each arrives, or its sender is told that it did not.
fn whisper(hall: &mut Hall, report: &mut Report) -> Result<(), Broken> {
    let fair: Vec<usize> = hall.story().honest().into_iter().collect();
    let mut said = Vec::new();
    for _ in 0..WHISPERS {
        let mut pick = || fair[hall.dice.below(fair.len() as u64) as usize];
        let (one, other) = (pick(), pick());
        if one != other {
            let told = hall.person(one).undelivered();
            hall.act(Act::Whisper(one, other))?;
            said.push((one, other, hall.story().last_notice(one), told));
        }
    }
    hall.pass(Duration::from_secs(10))?;
    let is_lost = |(one, other, number, told): &&(usize, usize, u64, u64)| {
        let name = hall.person(*one).node.me();
        let came = hall.person(*other).heard(name).contains(number);
        !came && hall.person(*one).undelivered() == *told
    };
    let lost = said.iter().filter(is_lost).count();
    report.note(
        "whispers_lost",
        lost as f64,
        "",
        "messages to one that neither arrived within 10 s nor were told to be lost",
    );
    Ok(())
}
