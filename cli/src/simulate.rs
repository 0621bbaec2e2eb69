//! `hullo sim`: flags to a plan, a report to the screen.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use sim::conference::{Surroundings, Trick};
use sim::menu::{Menu, Nat, Spread};
use sim::trial::{Conditions, Measure, Plan, Report, Shape};
use sim::{Broken, report, rounds, trial};
use wire::{Dice, Seed};

/// What `hullo sim` is to do.
#[derive(clap::Args)]
pub(crate) struct Flags {
    /// How many take part
    #[arg(long, value_name = "NUMBER", default_value_t = 30)]
    nodes: usize,
    /// How many frames of a hundred are lost for good
    #[arg(long, value_name = "PERCENT", default_value_t = 0)]
    loss: u64,
    /// How the network falls apart for a while: none, halves, thirds, one or flapping
    #[arg(long, value_name = "SHAPE", default_value_t = Shape::Halves)]
    partition: Shape,
    /// How many of a hundred crash at once in the end
    #[arg(long, value_name = "PERCENT", default_value_t = 20)]
    crash: u64,
    /// What goes wrong at random: all, none, or names with commas between them; a wrong name lists them
    #[arg(long, value_name = "NAMES", default_value = "none")]
    faults: Menu,
    /// How some play false, one each: names with commas between them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    tricks: Vec<Trick>,
    /// For how many seconds faults and tricks go on
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    span: u64,
    /// How latencies are spread: even, tail or continents
    #[arg(long, value_name = "SPREAD", default_value_t = Spread::Even)]
    spread: Spread,
    /// The two ways of a link take different times
    #[arg(long)]
    lopsided: bool,
    /// How many kilobytes a second a link takes; 0 for any number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    bandwidth: u64,
    /// What people are behind (RFC 4787): open, address, port, symmetric, with commas between them
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    nat: Vec<Nat>,
    /// A relay links those whose NATs keep them apart
    #[arg(long)]
    relay: bool,
    /// By how many millionths clocks run too fast or too slow at most
    #[arg(long, value_name = "MILLIONTHS", default_value_t = 0)]
    skew: u32,
    /// Which story to tell; equal seeds tell equal stories [default: a fresh one, printed]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Print one line of JSON for each measure
    #[arg(long)]
    json: bool,
    /// Write a page with plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Run the fixed plans that every change must pass
    #[arg(long, conflicts_with_all = ["nodes", "loss", "partition", "crash", "faults", "tricks", "seed", "html", "soak"])]
    check: bool,
    /// Run random plans for so long
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["nodes", "loss", "partition", "crash", "faults", "tricks", "html"])]
    soak: Option<u64>,
}

impl Flags {
    /// Does it; `say` prints results, `note` what is not one.
    pub(crate) fn run(
        self,
        say: impl Fn(&str) -> anyhow::Result<()>,
        note: impl Fn(&str),
    ) -> anyhow::Result<()> {
        if self.check {
            return each(rounds::fixed(), |_| true, self.json, say);
        }
        let seed = self.seed.map_or_else(fresh_seed, Ok)?;
        if let Some(seconds) = self.soak {
            note(&format!("seed {seed}\n"));
            let until = Instant::now() + Duration::from_secs(seconds);
            let plans = (0..).map(|n| rounds::soak(seed, n));
            let plans = plans.take_while(|_| Instant::now() < until);
            return each(plans, Measure::is_promise, self.json, say);
        }
        let Self {
            nodes, loss, partition: shape, crash, span, spread, lopsided, bandwidth, ..
        } = self;
        let surroundings =
            Surroundings { nats: self.nat, has_relay: self.relay, skew_max: self.skew };
        let (menu, tricks) = (self.faults, self.tricks);
        let conditions =
            Conditions { menu, span, tricks, spread, lopsided, bandwidth, surroundings };
        let plan = Plan { nodes, loss, shape, crash, seed, conditions }.settled()?;
        let begin = Instant::now();
        let told = trial::run_timed(&plan, &|| begin.elapsed());
        let result = told.with_context(|| again(&plan))?;
        let speed = result.seconds / begin.elapsed().as_secs_f64().max(1e-9);
        say(&if self.json { report::lines(&result) } else { report::table(&result) })?;
        note(&format!("{speed:.0} times as fast as real time\n"));
        if let Some(file) = &self.html {
            let place = file.display();
            fs::write(file, report::page(&result)).with_context(|| {
                format!("The page cannot be written to {place}. Give --html a file in a folder that exists")
            })?;
        }
        Ok(())
    }
}

/// Runs as many plans at a time as there are cores, and fails at the end when a promise broke or a measure that `counts`
/// was over its bar.
fn each(
    plans: impl IntoIterator<Item = Plan>,
    counts: impl Fn(&Measure) -> bool,
    json: bool,
    say: impl Fn(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut plans = plans.into_iter();
    let (mut count, mut failed) = (0, Vec::new());
    loop {
        let some: Vec<Plan> = plans.by_ref().take(rayon::current_num_threads()).collect();
        if some.is_empty() {
            break;
        }
        let told: Vec<_> = some.par_iter().map(trial::run).collect();
        for (plan, told) in some.iter().zip(told) {
            count += 1;
            if !tell(plan, told, &counts, json, &say)? {
                failed.push(plan.command());
            }
        }
    }
    if !failed.is_empty() {
        bail!(
            "{} of {count} stories broke a promise or were over a bar. To see one again:\n  {}",
            failed.len(),
            failed.join("\n  ")
        );
    }
    if !json {
        say(&format!("{count} stories held\n"))?;
    }
    Ok(())
}

/// Says what became of a story; whether it held.
fn tell(
    plan: &Plan,
    told: Result<Report, Broken>,
    counts: impl Fn(&Measure) -> bool,
    json: bool,
    say: impl Fn(&str) -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    let line = report::headline(plan);
    let result = match told {
        Ok(result) => result,
        Err(broken) => {
            say(&format!("BROKEN  {line}: {}\n", broken.promise))?;
            return Ok(false);
        }
    };
    let over: Vec<&Measure> = result.measures.iter().filter(|measure| !measure.holds()).collect();
    let faults: Vec<String> =
        over.iter().map(|measure| format!("{} is {}", measure.name, measure.value)).collect();
    let is_failed = over.iter().any(|measure| counts(measure));
    match (json, is_failed, faults.is_empty()) {
        (true, ..) => say(&report::lines(&result))?,
        (false, false, true) => say(&format!("held    {line}\n"))?,
        (false, false, false) => {
            say(&format!("held    {line}, but {}\n", faults.join(", ")))?;
        }
        (false, true, _) => say(&format!("FAILED  {line}: {}\n", faults.join(", ")))?,
    }
    Ok(!is_failed)
}

fn again(plan: &Plan) -> String {
    format!("A promise broke. To see it again: {}", plan.command())
}

/// A seed that is easy to type.
fn fresh_seed() -> anyhow::Result<u64> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("The system gives no random numbers. Give --seed")?;
    Ok(Dice::new(Seed(bytes)).below(1_000_000))
}
