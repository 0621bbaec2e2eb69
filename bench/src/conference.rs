//! What texts, joins and merges cost, against the figures of a browser conference of 2024 that we measured.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use node::{Command, Life, Listing, Path};
use serde_json::json;
use sim::conference::{Act, Conference, Traffic, What};
use sim::{Weather, World};

use crate::findings::{Bar, Findings, Limit};
use crate::place::Place;

/// The source of the anchors below: message and byte counts of a browser conference of 2024, read by a hook on every
/// send of its data channels; the length of the JSON text counts.
const REFERENCE: &str = "2024";

/// How many of a chain of thirty one text reaches.
const REFERENCE_REACHED: f64 = 6.0;
/// Messages that one text costs in a full mesh of seven.
const REFERENCE_MESH: f64 = 1_236.0;
/// Messages and bytes that one text costs in a star of thirty.
const REFERENCE_STAR: (f64, f64) = (29.0, 6_670.0);
/// Bytes for the last of ten, and of thirty, to join a star with 200 lines said.
const REFERENCE_JOIN: (f64, f64) = (718_000.0, 2_560_000.0);
/// Bytes for six to merge after a cut, where two lines on each side were said.
const REFERENCE_MERGE: f64 = 22_300.0;
/// Seconds after which the browser itself reports that a killed peer is disconnected, and that it has failed. The
/// conference of 2024 took no note of either.
const BROWSER_KILLED: (f64, f64) = (7.1, 17.1);

/// Measures.
pub(crate) fn run(_: &Place) -> Result<Findings> {
    let mut bars = vec![chain()?, mesh()?];
    bars.extend(star()?);
    bars.push(join(
        10,
        "the last of 10 joins a star with 200 lines",
        Limit::None,
        REFERENCE_JOIN.0,
    )?);
    bars.push(join(
        30,
        "the last of 30 joins a star with 200 lines",
        Limit::AtMost(60_000.0),
        REFERENCE_JOIN.1,
    )?);
    bars.push(merge()?);
    bars.extend(killed()?);
    let notes = vec![
        "Anchor *2024*: a browser conference of 2024, measured by us with a hook on every send. It kept no order \
         after a merge, and never noticed who was killed; there the anchor is the browser's own word of it."
            .to_owned(),
        "What would have been sent in the same time anyway (beats of an idle network) is not counted; signatures are."
            .to_owned(),
    ];
    Ok(Findings { bars, notes, ..Findings::default() })
}

fn chain() -> Result<Bar> {
    let mut hall = Hall::joined(30, |who| who.checked_sub(1))?;
    hall.say(0)?;
    hall.pass(Duration::from_secs(2))?;
    let reached = (0..30).filter(|who| hall.lines_of(*who) == 1).count();
    Ok(Bar {
        what: "one text, 30 who invited each other in a chain: reached".to_owned(),
        limit: Limit::AtLeast(30.0),
        anchor: Some((REFERENCE.to_owned(), REFERENCE_REACHED)),
        measured: reached as f64,
        unit: "",
    })
}

fn mesh() -> Result<Bar> {
    let [_, frames, _] = extra(|| {
        let mut hall = Hall::joined(7, |who| who.checked_sub(1))?;
        hall.pass(Duration::from_secs(20))?;
        Ok(hall)
    })?;
    Ok(Bar {
        what: "one text, full mesh of 7: messages".to_owned(),
        limit: Limit::AtMost(12.0),
        anchor: Some((REFERENCE.to_owned(), REFERENCE_MESH)),
        measured: frames,
        unit: "",
    })
}

fn star() -> Result<[Bar; 2]> {
    let [frames, _, bytes] = extra(|| {
        let mut hall = Hall::joined(30, |who| (who > 0).then_some(0))?;
        hall.pass(Duration::from_secs(60))?;
        Ok(hall)
    })?;
    let bar = |what: &str, measured, anchor, unit| Bar {
        what: format!("one text, 30 whom one has invited: {what}"),
        limit: Limit::None,
        anchor: Some((REFERENCE.to_owned(), anchor)),
        measured,
        unit,
    };
    Ok([bar("messages", frames, REFERENCE_STAR.0, ""), bar("bytes", bytes, REFERENCE_STAR.1, "B")])
}

/// What one line costs: the same hall twice, and in one of them a line is said. Frames without beats, frames with
/// beats (of which a line saves some), and bytes.
fn extra(build: impl Fn() -> Result<Hall>) -> Result<[f64; 3]> {
    let spent = |says: bool| {
        let mut hall = build()?;
        let before = hall.traffic();
        if says {
            hall.say(3)?;
        }
        hall.pass(Duration::from_secs(10))?;
        let after = hall.traffic();
        let (frames, beats) = (after.frames - before.frames, after.beats - before.beats);
        anyhow::Ok([frames, frames + beats, after.bytes - before.bytes])
    };
    let (with, without) = (spent(true)?, spent(false)?);
    Ok([0, 1, 2].map(|n| with[n].saturating_sub(without[n]) as f64))
}

fn join(size: usize, what: &str, limit: Limit, anchor: f64) -> Result<Bar> {
    let mut hall = Hall::joined(size - 1, |who| (who > 0).then_some(0))?;
    for line in 0..200 {
        hall.say(line % (size - 1))?;
    }
    hall.pass(Duration::from_secs(120))?;
    let before = hall.traffic();
    hall.act(Act::Join(Some(0)))?;
    hall.pass(Duration::from_secs(10))?;
    anyhow::ensure!(hall.lines_of(size - 1) == 200, "the newcomer lacks lines");
    Ok(Bar {
        what: format!("{what}: bytes of all"),
        limit,
        anchor: Some((REFERENCE.to_owned(), anchor)),
        measured: (hall.traffic().bytes - before.bytes) as f64,
        unit: "B",
    })
}

fn merge() -> Result<Bar> {
    // The same merge with and without lines to merge, so that what a merge costs anyway is not counted as data.
    let spent = |lines: usize| {
        let mut hall = Hall::joined(6, |who| who.checked_sub(1))?;
        hall.pass(Duration::from_secs(10))?;
        hall.act(Act::Split(vec![(0..5).collect(), BTreeSet::from([5])]))?;
        hall.pass(Duration::from_secs(15))?;
        for who in [0, 4, 5].into_iter().cycle().take(lines) {
            hall.say(who)?;
        }
        hall.pass(Duration::from_secs(10))?;
        let before = hall.traffic();
        hall.act(Act::Heal)?;
        hall.act(Act::Link(4, 5))?;
        hall.pass(Duration::from_secs(20))?;
        hall.assert_agreed()?;
        anyhow::Ok((hall.traffic().bytes - before.bytes) as f64)
    };
    Ok(Bar {
        what: "6 merge after a cut, with 6 lines said meanwhile: bytes of all".to_owned(),
        limit: Limit::None,
        anchor: Some((REFERENCE.to_owned(), REFERENCE_MERGE)),
        measured: spent(6)?,
        unit: "B",
    })
}

fn killed() -> Result<[Bar; 2]> {
    let mut hall = Hall::joined(12, |who| who.checked_sub(1))?;
    hall.pass(Duration::from_secs(20))?;
    let (name, begin) = (hall.world.story().people()[4].node.me(), hall.world.now());
    hall.act(Act::Crash(4))?;
    let step = Duration::from_millis(20);
    let mut until = |is_over: &dyn Fn(&Conference) -> bool| {
        while !is_over(hall.world.story()) && hall.world.now() - begin < Duration::from_secs(60) {
            hall.pass(step)?;
        }
        anyhow::Ok((hall.world.now() - begin).as_secs_f64())
    };
    let others = || (0..12).filter(|who| *who != 4);
    let detected =
        until(&|story| others().all(|who| !story.people()[who].node.trusted().contains(&name)))?;
    let gone = until(&|story| others().all(|who| story.people()[who].gone_at(name).is_some()))?;
    let bar = |what: &str, most, anchor, measured| Bar {
        what: format!("one of 12 is killed: {what}"),
        limit: Limit::AtMost(most),
        anchor: Some(anchor),
        measured,
        unit: "s",
    };
    Ok([
        bar(
            "all neighbours know",
            3.5,
            ("Chromium, disconnected".to_owned(), BROWSER_KILLED.0),
            detected,
        ),
        bar(
            "gone from every roster",
            15.0,
            ("Chromium, failed".to_owned(), BROWSER_KILLED.1),
            gone,
        ),
    ])
}

/// A conference being measured.
struct Hall {
    world: World<Conference>,
}

impl Hall {
    /// `size` people who joined one after the other, each invited by whom `inviter` names, and have come to rest.
    fn joined(size: usize, inviter: impl Fn(usize) -> Option<usize>) -> Result<Self> {
        let mut hall = Self { world: World::quiet(1, Conference::new(1, Weather::fair())) };
        for who in 0..size {
            hall.act(Act::Join(inviter(who)))?;
            hall.pass(Duration::from_millis(300))?;
        }
        hall.pass(Duration::from_secs(5))?;
        Ok(hall)
    }

    fn act(&mut self, act: Act) -> Result<()> {
        self.world.push(self.world.now(), What::Act(act));
        self.pass(Duration::ZERO)
    }

    fn pass(&mut self, span: Duration) -> Result<()> {
        Ok(self.world.run_until(self.world.now() + span, u64::MAX)?)
    }

    fn say(&mut self, who: usize) -> Result<()> {
        let path: Path = "messages".parse()?;
        let value = json!({ "text": "Shall we have lunch together at noon?" });
        self.act(Act::Do(who, Command::Add { path, value, life: Life::Lasting }))
    }

    fn traffic(&self) -> Traffic {
        self.world.story().traffic()
    }

    fn lines_of(&self, who: usize) -> usize {
        let messages = "messages".parse().expect("one word is a path");
        self.world.story().people()[who].node.list(&messages, Listing::default()).len()
    }

    fn assert_agreed(&self) -> Result<()> {
        let all = (0..self.world.story().people().len()).collect();
        self.world.story().agree(&all).map_err(anyhow::Error::msg)
    }
}
