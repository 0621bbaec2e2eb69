//! Broadcast beside that of iroh-gossip: the same number of nodes, the same latencies, the same crashes.

use std::time::Instant;

use anyhow::Result;
use sim::trial::{Plan, Report, Shape};

use crate::findings::{Bar, Findings, Limit, Table, number};
use crate::gossip;
use crate::place::Place;

/// How many nodes, how many seeds of each side, and which shares crash at once, in percent.
///
/// A thousand nodes take minutes to come to rest, so only the worst is tried with them.
const SIZES: [(usize, u64, &[u64]); 3] =
    [(30, 4, &[10, 20, 30, 40]), (100, 2, &[10, 20, 30, 40]), (1_000, 1, &[40])];

/// What one side did, on average over the seeds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Copies for each receiver, less one.
    pub(crate) redundancy: f64,
    /// The same when all speak in the same moment.
    pub(crate) at_once: f64,
    /// Hops of a delivery.
    pub(crate) hops: f64,
    /// Hops of the longest.
    pub(crate) hops_max: f64,
    /// Until the last has it, in milliseconds.
    pub(crate) last: f64,
    /// The same against flooding the links that there are.
    pub(crate) to_flood: f64,
    /// Messages that are no payload, for each node and broadcast.
    pub(crate) control: f64,
    /// Links of a node.
    pub(crate) degree: f64,
    /// How many seconds of a settled network, in which a line a second is said, are told in one.
    pub(crate) speed: f64,
}

/// Measures.
pub(crate) fn run(_: &Place) -> Result<Findings> {
    let head = [
        "nodes",
        "who",
        "links each",
        "redundancy",
        "… all at once",
        "hops",
        "longest",
        "last delivery, ms",
        "÷ flooding",
        "control messages",
        "told, × real time",
    ];
    let mut steady = Table::new("Rotating senders, ten lines a second, no loss:", head);
    let head = ["nodes", "crash", "ours, missing", "iroh-gossip, missing"];
    let mut crashes = Table::new(
        "Sent in the moment in which some crash; missing at survivors 15 s later:",
        head,
    );
    let mut bars = Vec::new();
    for (nodes, seeds, shares) in SIZES {
        bars.extend(one_size(nodes, seeds, shares, &mut steady, &mut crashes)?);
    }
    let notes = vec![
        "Each link takes the same time for all its messages, from 5 to 100 ms one way, drawn anew for each link. Both \
         sides join node by node, settle for a minute, and then ten lines a second are said by somebody else each time."
            .to_owned(),
        "iroh-gossip's core runs in a small network of ours, with its default settings; a broken link is noticed after \
         its latency, as its own simulator has it. Ours notices a crash by silence, after seconds. It has no \
         synchronisation that could find what was missed; ours has, and its bytes are counted as control."
            .to_owned(),
        "No two broadcasts of iroh-gossip have the same content, for it would take them for one.".to_owned(),
        "A second that is told has one line, and all that keeps the network alive: beats of a second each and signatures \
         in ours, neither in iroh-gossip. Ours is told on all cores, and its promises are checked as it goes. With a \
         thousand nodes, memory that is not at hand is what is waited for."
            .to_owned(),
        "Control is every message that carries no broadcast: hints, beats, measuring, records of links.".to_owned(),
    ];
    Ok(Findings {
        crates: vec!["iroh-gossip"],
        bars,
        tables: vec![steady, crashes],
        notes,
        ..Findings::default()
    })
}

/// Both sides with so many nodes.
fn one_size(
    nodes: usize,
    seeds: u64,
    shares: &[u64],
    steady: &mut Table,
    crashes: &mut Table,
) -> Result<Vec<Bar>> {
    let mut bars = Vec::new();
    let mut trials = Vec::new();
    for crash in shares {
        let told = (1..=seeds).map(|seed| trial(nodes, *crash, seed));
        trials.push((*crash, told.collect::<Result<Vec<_>>>()?));
    }
    // Whatever crashes later, they begin alike.
    let calm = trials.first().map_or(&[][..], |(_, reports)| reports);
    let (ours, theirs) = (ours(calm), gossip::steady(nodes, seeds));
    for (who, outcome) in [("ours", ours), ("iroh-gossip", theirs)] {
        let cells = [
            outcome.degree,
            outcome.redundancy,
            outcome.at_once,
            outcome.hops,
            outcome.hops_max,
            outcome.last,
            outcome.to_flood,
            outcome.control,
            outcome.speed,
        ];
        let cells = cells.map(number);
        steady.row([nodes.to_string(), who.to_owned()].into_iter().chain(cells));
    }
    for (what, limit, of) in asked(nodes) {
        bars.push(Bar {
            what: format!("{what}, {nodes} nodes"),
            limit,
            anchor: Some(("iroh-gossip".to_owned(), of(&theirs))),
            measured: of(&ours),
            unit: "",
        });
    }
    let mut worst = (0.0_f64, 0.0_f64);
    for (crash, reports) in &trials {
        let (ours, theirs) = (missing(reports), gossip::missing(nodes, seeds, *crash));
        worst = (worst.0.max(ours), worst.1.max(theirs));
        let percent = |value| format!("{} %", number(value));
        crashes.row([nodes.to_string(), format!("{crash} %"), percent(ours), percent(theirs)]);
    }
    bars.push(Bar {
        what: format!("missing after up to 40 % crash, {nodes} nodes"),
        limit: Limit::AtMost(0.01),
        anchor: Some(("iroh-gossip".to_owned(), worst.1)),
        measured: worst.0,
        unit: "%",
    });
    Ok(bars)
}

type Of = fn(&Outcome) -> f64;

/// What is asked, and of what.
fn asked(nodes: usize) -> Vec<(&'static str, Limit, Of)> {
    let is_large = nodes >= 1_000;
    let only = |here: bool, most: f64| if here { Limit::AtMost(most) } else { Limit::None };
    vec![
        ("redundancy, rotating senders", only(is_large, 0.05), |outcome| outcome.redundancy),
        ("redundancy, all at once", only(nodes == 30, 0.1), |outcome| outcome.at_once),
        ("last delivery ÷ flooding", Limit::AtMost(1.1), |outcome| outcome.to_flood),
        ("control messages for each node and broadcast", Limit::AtMost(1.0), |outcome| {
            outcome.control
        }),
        (
            "seconds of a settled network told in each",
            if is_large { Limit::AtLeast(250.0) } else { Limit::None },
            |outcome| outcome.speed,
        ),
    ]
}

fn ours(reports: &[Report]) -> Outcome {
    let mean = |name| {
        let sum: f64 = reports.iter().map(|report| measure(report, name)).sum();
        sum / reports.len().max(1) as f64
    };
    Outcome {
        redundancy: mean("redundancy"),
        at_once: mean("redundancy_at_once"),
        hops: mean("hops"),
        hops_max: mean("hops_max"),
        last: mean("delivery"),
        to_flood: mean("delivery_to_flood"),
        control: mean("control"),
        degree: mean("degree"),
        speed: mean("speed"),
    }
}

fn missing(reports: &[Report]) -> f64 {
    let sum: f64 = reports.iter().map(|report| measure(report, "crash_missing")).sum();
    sum / reports.len().max(1) as f64
}

fn trial(nodes: usize, crash: u64, seed: u64) -> Result<Report> {
    let plan = Plan { nodes, loss: 0, shape: Shape::None, crash, seed, ..Plan::default() };
    let begin = Instant::now();
    Ok(sim::trial::run_timed(&plan, &|| begin.elapsed())?)
}

/// What was measured under that name; nothing is missing where survivors are no longer one network, which the trial
/// leaves out.
fn measure(report: &Report, name: &str) -> f64 {
    report.measures.iter().find(|measure| measure.name == name).map_or(0.0, |measure| measure.value)
}
