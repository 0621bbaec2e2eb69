//! Everything that must hold before a change is one: `cargo xtask test`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::postgres::Postgres;
use crate::project::Project;
use crate::shell::{Command, Steps};
use crate::tidy;
use crate::web::{self, Sizes};
use crate::{fuzz, install};

/// The crates that run natively: all but the three that only mean something in a browser, and the laboratory, whose peers
/// would switch on features of what all share. Every native step selects the same set, so that features unite in the same
/// way and nothing is built twice.
#[rustfmt::skip]
const NATIVE: [&str; 11] = [
    "--workspace", "--exclude", "app", "--exclude", "platform", "--exclude", "worker", "--exclude", "bench",
    "--exclude", "fuzz",
];

/// The laboratory: checked here, run by its own commands.
const LABORATORY: [&str; 4] = ["--package", "bench", "--package", "fuzz"];

/// The crates that run in a browser.
const WEB: [&str; 6] = ["--package", "app", "--package", "platform", "--package", "worker"];

/// Pages that are loaded together, and how many packed bytes that may cost.
const BUDGETS: [(&str, &[&str], usize); 3] = [
    // Guess: a phone that is woken in a bad network still has it within a second; it is kept afterwards.
    ("waking", &["worker.js"], 60_000),
    ("the answer path", &["index.html"], 150_000),
    // The bar is 250,000; what signatures and seals cost over it is named in ARCHITECTURE.md.
    ("a whole conference", &["wrapper.html", "conference.html"], 275_000),
];

/// For how long conferences are simulated that no test has told before.
const SOAK_SECONDS: &str = "120";

/// Browser tests at a time: each has two to six pages that encode and decode video in software, and keeps two cores
/// busy alone.
const BROWSERS: &str = "--test-threads=1";

/// Tests that need more than Rust, which a plain `cargo test` leaves out: what they are about, their names, and how
/// they run.
const REAL: [(&str, &str, &[&str]); 6] = [
    ("sessions of a real provider", "sessions", &[]),
    ("PeerServer's protocol, on PeerServer and on ours", "conformance", &["--test-threads=4"]),
    ("push services of stand-ins", "push", &["--test-threads=4"]),
    ("clients that mean harm", "hostile", &["--test-threads=4", "--show-output"]),
    ("PeerJS in a browser", "peerjs", &[BROWSERS]),
    ("end to end", "e2e", &[BROWSERS, "--show-output"]),
];

/// The test that needs the simulator's stories as a module.
const REPLAY: &str = "replay";

/// Runs every check, the quick ones first.
pub(crate) fn all(project: &Project, steps: &mut Steps) -> Result<()> {
    steps.step("format", || project.cargo(["fmt", "--all", "--check"]).run())?;
    steps.step("tidy", || tidy::check(project))?;
    let deny = steps.step("tools", || install::test_tools(project))?;
    steps.step("licences, bans, sources", || {
        Command::new(deny)
            .args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"])
            .dir(&project.root)
            .run()
    })?;
    let sizes = web::build(project, steps)?;
    steps.step("size budgets", || budgets(&sizes))?;
    steps.step("clippy, web", || {
        let target = ["clippy", "--quiet", "--target", install::WASM];
        project.cargo(target.into_iter().chain(WEB).chain(["--", "--deny", "warnings"])).run()
    })?;
    steps.step("clippy, native", || {
        // The browser tests are no part of `--all-targets`, for a plain `cargo test` is to do without a browser.
        let outside = REAL.iter().map(|(_, test, _)| *test).chain([REPLAY]);
        let outside = outside.flat_map(|test| ["--test", test]).collect::<Vec<_>>();
        for targets in [&["--all-targets"][..], &outside] {
            let strict = targets.iter().copied().chain(["--", "--deny", "warnings"]);
            project.cargo(["clippy", "--quiet"].into_iter().chain(NATIVE).chain(strict)).run()?;
        }
        Ok(())
    })?;
    steps.step("clippy, laboratory", || {
        let strict = ["--all-targets", "--", "--deny", "warnings"];
        project.cargo(["clippy", "--quiet"].into_iter().chain(LABORATORY).chain(strict)).run()
    })?;
    steps.step("docs", || docs(project))?;
    steps.step("build", || {
        // Binaries beside tests, in one selection: the browser tests start the real `hullo`.
        project
            .cargo(["build", "--quiet"].into_iter().chain(NATIVE).chain(["--bins", "--tests"]))
            .run()
    })?;
    steps.step("unit, scenario and world tests", || {
        project.cargo(["test", "--quiet"].into_iter().chain(NATIVE)).run()
    })?;
    steps.step("the server on PostgreSQL", || {
        let postgres = Postgres::start()?;
        project
            .cargo(["test", "--quiet"].into_iter().chain(NATIVE).chain(["--test", "http"]))
            .env("TEST_POSTGRES", &postgres.url)
            .run()
    })?;
    // The program that was built for the browser tests: with all assertions on, and built for speed.
    let hullo = project.target.join("debug/hullo");
    let simulate =
        |flags: &[&str]| Command::new(&hullo).args(["sim"]).args(flags).dir(&project.root).run();
    steps.step("simulated conferences", || simulate(&["--check"]))?;
    // Fresh ones, told by the seed that is printed first. One that breaks is printed as the command that tells it again.
    steps.step("simulated conferences nobody has seen", || simulate(&["--soak", SOAK_SECONDS]))?;
    replay(project, steps)?;
    let seconds = fuzz::span(project, fuzz::SECONDS).as_secs();
    println!("   the fuzz targets take {seconds} s");
    steps.step("fuzz", || fuzz::run(project, &fuzz::Wish::all(fuzz::SECONDS)))?;
    for (name, test, how) in REAL {
        steps.step(name, || {
            let words = ["--test", test, "--"].into_iter().chain(how.iter().copied());
            project.cargo(["test"].into_iter().chain(NATIVE).chain(words)).run()
        })?;
    }
    steps.summary();
    Ok(())
}

/// Stories that are the same on every machine: here, and in the engine that browsers run wasm with.
pub(crate) fn replay(project: &Project, steps: &mut Steps) -> Result<()> {
    steps.step("stories to wasm", || web::replay(project))?;
    steps.step("the same stories here and in wasm", || {
        project.cargo(["test"].into_iter().chain(NATIVE).chain(["--test", REPLAY])).run()
    })
}

/// Documentation of both sides, with warnings denied.
fn docs(project: &Project) -> Result<()> {
    let strict = |command: Command| command.env("RUSTDOCFLAGS", "--deny warnings").run();
    let doc = ["doc", "--quiet", "--no-deps", "--document-private-items"];
    strict(project.cargo(doc.into_iter().chain(NATIVE)))?;
    strict(project.cargo(doc.into_iter().chain(WEB).chain(["--target", install::WASM])))
}

/// A page that grows past its budget fails the build.
fn budgets(sizes: &Sizes) -> Result<()> {
    for (what, pages, most) in BUDGETS {
        // A file that several pages name travels once.
        let files: BTreeMap<_, _> =
            pages.iter().filter_map(|page| sizes.get(page)).flatten().collect();
        let sum = files.into_values().sum::<usize>();
        println!("   {what}: {sum} of {most} B");
        if sum > most {
            bail!("{what} takes {sum} B on the wire, {} more than it may", sum - most);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_two_pages_counts_once() {
        let sizes =
            sizes(&[("page", 1), ("shared", 200_000)], &[("other page", 1), ("shared", 200_000)]);

        let verdict = budgets(&sizes);

        assert!(verdict.is_ok());
    }

    #[test]
    fn a_byte_too_many_is_named() {
        let sizes = sizes(&[("page", 1)], &[("other page", 275_000)]);

        let verdict = budgets(&sizes).unwrap_err();

        assert_eq!(
            verdict.to_string(),
            "a whole conference takes 275001 B on the wire, 1 more than it may"
        );
    }

    fn sizes(wrapper: &[(&str, usize)], conference: &[(&str, usize)]) -> Sizes {
        let files = |files: &[(&str, usize)]| {
            files.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect()
        };
        Sizes::from([("wrapper.html", files(wrapper)), ("conference.html", files(conference))])
    }
}
