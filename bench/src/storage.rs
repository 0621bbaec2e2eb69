//! Stores beside one another: how fast writes are taken in, what meeting again costs, what is held.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use bench::stores::NAMES;

use crate::findings::{Bar, Findings, Limit, Table, number};
use crate::place::Place;

/// The peer that is built apart, and with what.
const LORO: &str = "1.17.1";

/// How often the small task is repeated; the middle one counts.
const TIMES: &str = "5";

/// Writes of the small, the middling and the large task.
const SMALL: &str = "10000";
const MIDDLE: &str = "100000";
const LARGE: &str = "1000000";

/// Stores that take a million writes one by one within minutes.
const QUICK: [&str; 2] = ["ours", "yrs"];

/// What one store did in one task, by name.
type Results = BTreeMap<String, f64>;

/// A program that measures one store.
struct Program {
    name: &'static str,
    times: PathBuf,
    heap: PathBuf,
}

/// Measures.
pub(crate) fn run(place: &Place) -> Result<Findings> {
    let here = std::env::current_exe()?;
    let beside =
        |name: &str| here.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let ours = NAMES.map(|name| Program { name, times: beside("store"), heap: beside("heap") });
    let mut programs: Vec<Program> = ours.into();
    programs.push(loro(place)?);

    let mut small = BTreeMap::new();
    for program in &programs {
        let mut results = ask(&program.times, &[program.name, "apply", SMALL, TIMES])?;
        let weight = ask(&program.heap, &[program.name, "apply", SMALL, "1"])?;
        results.insert("heap_bytes".to_owned(), weight["heap_bytes"]);
        results.extend(ask(&program.times, &[program.name, "meet", SMALL])?);
        let long = ask(&program.times, &[program.name, "meet", MIDDLE])?;
        results.extend(long.into_iter().map(|(name, value)| (format!("long_{name}"), value)));
        if QUICK.contains(&program.name) {
            let large = ask(&program.times, &[program.name, "apply", LARGE, "1"])?;
            results.extend(large.into_iter().map(|(name, value)| (format!("large_{name}"), value)));
        }
        small.insert(program.name, results);
    }
    let names: Vec<&str> = programs.iter().map(|program| program.name).collect();
    let notes = vec![
        "Ten people write: of ten writes eight are chat lines that stay and two are fields of which the latest stays; \
         one write is one update. Quotas are lifted, since a million writes are more than they allow."
            .to_owned(),
        "What is new when two meet again is counted as keys and values as all stores but ours write them; ours names an \
         added line by its list and number, and so may need less."
            .to_owned(),
        "Loro is built apart from the lock file, since some of what it leans on is under a licence we do not take."
            .to_owned(),
    ];
    Ok(Findings {
        crates: vec!["yrs", "automerge"],
        peers: vec![format!("loro {LORO}")],
        bars: bars(&small),
        tables: vec![table(&names, &small)],
        notes,
    })
}

/// Runs a program and reads its lines.
fn ask(program: &PathBuf, args: &[&str]) -> Result<Results> {
    let output = Command::new(program)
        .args(args)
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(
        output.status.success(),
        "{} {} failed: {}",
        program.display(),
        args.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| Ok((name.to_owned(), value.parse()?))).collect()
}

/// Builds the program for Loro, once to be timed and once with an allocator that counts.
fn loro(place: &Place) -> Result<Program> {
    let folder = place.folder("loro")?;
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[workspace]\n\n[package]\nname = \"loro-program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [features]\ncount = []\n\n[dependencies]\nloro = \"={LORO}\"\nflate2 = \"={}\"\npeak_alloc = \"={}\"\n\n\
         [profile.release]\nlto = \"thin\"\n",
        place.number("flate2"),
        place.number("peak_alloc"),
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    let measure = place.root().join("bench/src/stores/measure.rs");
    let code = include_str!("../peers/loro.rs")
        .replace("../../../../bench/src/stores/measure.rs", &measure.to_string_lossy());
    fs::write(folder.join("src/main.rs"), code)?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let build = |target: &str, feature: &[&str]| {
        let status = Command::new(&cargo)
            .args(["build", "--quiet", "--release", "--target-dir", target])
            .args(feature)
            .current_dir(&folder)
            .status()
            .context("cannot start cargo")?;
        ensure!(status.success(), "the program for loro was not built (see above)");
        let file = format!("loro-program{}", std::env::consts::EXE_SUFFIX);
        anyhow::Ok(folder.join(target).join("release").join(file))
    };
    let times = build("plain", &[])?;
    let heap = build("counted", &["--features", "count"])?;
    Ok(Program { name: "loro", times, heap })
}

fn bars(all: &BTreeMap<&str, Results>) -> Vec<Bar> {
    let value =
        |store: &str, name: &str| all.get(store).and_then(|results| results.get(name)).copied();
    let rate = |store: &str, name: &str| value(store, name).map(|nanos| 1e9 / nanos);
    let peers = || ["loro", "yrs", "automerge"].into_iter();
    let best = |score: &dyn Fn(&str) -> Option<f64>, is_more_better: bool| {
        let scores = peers().filter_map(|peer| Some((peer.to_owned(), score(peer)?)));
        let by = |a: &(String, f64), b: &(String, f64)| a.1.total_cmp(&b.1);
        if is_more_better { scores.max_by(by) } else { scores.min_by(by) }
    };
    let over = |store: &str, prefix: &str| {
        let bytes = value(store, &format!("{prefix}meet_bytes"))?;
        Some(bytes / value(store, &format!("{prefix}new_bytes"))?)
    };
    let mut bars = Vec::new();
    for (what, name, least) in [
        ("taken in one by one, 10,000 writes", "apply_ns", 1e6),
        ("taken in one by one, 1,000,000 writes", "large_apply_ns", 6e5),
    ] {
        bars.push(Bar {
            what: format!("{what}, unsigned"),
            limit: Limit::AtLeast(least),
            anchor: best(&|store| rate(store, name), true),
            measured: rate("ours", name).unwrap_or(f64::NAN),
            unit: "per s",
        });
    }
    for (what, prefix) in [("", ""), (", after 100,000 writes", "long_")] {
        for store in ["ours, signed", "ours"] {
            let signed = if store == "ours" { "unsigned" } else { "signed" };
            bars.push(Bar {
                what: format!(
                    "bytes of two who meet again ÷ keys and values of what is new{what}, {signed}"
                ),
                limit: if store == "ours" { Limit::None } else { Limit::AtMost(1.2) },
                anchor: best(&|store| over(store, prefix), false),
                measured: over(store, prefix).unwrap_or(f64::NAN),
                unit: "",
            });
        }
    }
    bars.push(Bar {
        what: "two who meet again, signed: how often messages cross (two is there and back)"
            .to_owned(),
        limit: Limit::AtMost(2.0),
        anchor: best(&|store| value(store, "meet_flights"), false),
        measured: value("ours, signed", "meet_flights").unwrap_or(f64::NAN),
        unit: "",
    });
    for store in ["ours, signed", "ours"] {
        let each = |store: &str| Some(value(store, "heap_bytes")? / value(store, "entries")?);
        bars.push(Bar {
            what: format!("memory for each live entry{}", store.strip_prefix("ours").unwrap_or("")),
            limit: Limit::None,
            anchor: best(&each, false),
            measured: each(store).unwrap_or(f64::NAN),
            unit: "B",
        });
    }
    bars
}

fn table(names: &[&str], all: &BTreeMap<&str, Results>) -> Table {
    let head = std::iter::once("10,000 writes by ten people").chain(names.iter().copied());
    let mut table = Table::new("Details:", head);
    let mut row = |what: &str, value: &dyn Fn(&Results) -> Option<f64>| {
        let cells = names.iter().map(|name| value(&all[name]).map_or("–".to_owned(), number));
        table.row(std::iter::once(what.to_owned()).chain(cells));
    };
    let get = |name: &'static str| move |results: &Results| results.get(name).copied();
    row("write, µs", &|results| Some(results.get("write_ns")? / 1_000.0));
    row("update, B", &get("update_bytes"));
    row("take in one by one, µs", &|results| Some(results.get("apply_ns")? / 1_000.0));
    row("take in at once, µs each", &|results| Some(results.get("batch_ns")? / 1_000.0));
    row("all of it, B", &get("snapshot_bytes"));
    row("all of it, packed, B", &get("snapshot_packed"));
    row("memory, B", &get("heap_bytes"));
    row("meet again, B", &get("meet_bytes"));
    row("meet again, packed, B", &get("meet_packed"));
    row("… keys and values that are new, B", &get("new_bytes"));
    row("… the same packed, B", &get("new_packed"));
    row("meet again, messages", &get("meet_messages"));
    row("… crossing so often", &get("meet_flights"));
    row("meet again, ms", &get("meet_ms"));
    row("meet again after 100,000 writes, B", &get("long_meet_bytes"));
    row("meet again after 100,000 writes, ms", &get("long_meet_ms"));
    row("1,000,000 writes, one by one, µs each", &|results| {
        Some(results.get("large_apply_ns")? / 1_000.0)
    });
    table
}
