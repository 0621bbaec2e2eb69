//! `cargo xtask fuzz`: builds the fuzz targets with coverage counters and runs them, on the stable toolchain.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::project::Project;

/// How long each target runs when nothing is said.
pub(crate) const SECONDS: u64 = 60;

/// Targets at a time. More would only share the cores of a small machine.
const AT_ONCE: usize = 2;

/// The longest input, in bytes: a frame and then some.
const BYTES_MAX: &str = "65536";

/// What the compiler adds so that libFuzzer sees which code an input reaches. `-Z sanitizer` would do the same, but only
/// in a nightly toolchain.
const COUNTERS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// What `cargo xtask fuzz` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Which targets; all when empty.
    targets: Vec<String>,
    /// How long each.
    seconds: u64,
    /// An input to run once instead.
    replay: Option<PathBuf>,
    /// Whether what reaches new code goes into the repository, and what adds nothing leaves it.
    keep: bool,
}

impl Wish {
    /// Every target for so long.
    pub(crate) fn all(seconds: u64) -> Self {
        Self { targets: Vec::new(), seconds, replay: None, keep: false }
    }

    /// Reads the command line.
    pub(crate) fn read(args: &[String]) -> Result<Self> {
        let mut wish = Self::all(SECONDS);
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--seconds" => {
                    let text = args.next().context("--seconds wants a number")?;
                    wish.seconds =
                        text.parse().ok().filter(|seconds| *seconds > 0).with_context(|| {
                            format!("--seconds wants a number above 0, not {text}")
                        })?;
                }
                "--replay" => {
                    wish.replay = Some(args.next().context("--replay wants a file")?.into());
                }
                "--keep" => wish.keep = true,
                flag if flag.starts_with('-') => {
                    bail!("there is no {flag}: choose from --seconds, --replay and --keep")
                }
                target => wish.targets.push(target.to_owned()),
            }
        }
        ensure!(
            wish.replay.is_none() || wish.targets.len() == 1,
            "--replay needs one target: cargo xtask fuzz TARGET --replay FILE"
        );
        Ok(wish)
    }
}

/// Builds the targets and runs those that are wished for.
pub(crate) fn run(project: &Project, wish: &Wish) -> Result<()> {
    let known = targets(&fs::read_to_string(project.root.join("fuzz/src/main.rs"))?);
    if let Some(name) = wish.targets.iter().find(|name| !known.contains(name)) {
        bail!("there is no target {name}: choose from {}", known.join(", "));
    }
    let program = build(project)?;
    let chosen = if wish.targets.is_empty() { &known } else { &wish.targets };
    if let (Some(file), [target]) = (&wish.replay, &chosen[..]) {
        let status = command(&program, target).arg(file).status()?;
        ensure!(status.success(), "{target} fails with {}", file.display());
        return Ok(());
    }
    for pair in chosen.chunks(AT_ONCE) {
        let running = pair.iter().map(|target| Run::start(project, &program, target, wish.seconds));
        let running: Vec<Run> = running.collect::<Result<_>>()?;
        for run in running {
            run.finish()?;
        }
    }
    if wish.keep {
        chosen.iter().try_for_each(|target| keep(project, &program, target))?;
    }
    Ok(())
}

/// The names of the targets, as the program itself lists them.
fn targets(code: &str) -> Vec<String> {
    let list = code.lines().skip_while(|line| !line.starts_with("const TARGETS"));
    let names = list.take_while(|line| *line != "];").filter_map(|line| line.split('"').nth(1));
    names.map(str::to_owned).collect()
}

/// Builds into a target directory of its own: everything is compiled with counters. A target is named so that build
/// scripts and macros are not.
fn build(project: &Project) -> Result<PathBuf> {
    let host = crate::shell::Command::new("rustc").args(["-vV"]).read()?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not tell its host")?.to_owned();
    let target = project.target.join("fuzz");
    let folder = target.to_string_lossy().into_owned();
    project
        .cargo(["build", "--quiet", "--package", "fuzz", "--profile", "fuzz", "--target", &host])
        .args(["--target-dir", &folder])
        .env("CARGO_ENCODED_RUSTFLAGS", COUNTERS.join("\u{1f}"))
        .run()
        .context("the fuzz targets need a C++ compiler beside Rust: apt-get install g++")?;
    Ok(target.join(host).join("fuzz").join(format!("fuzz{}", std::env::consts::EXE_SUFFIX)))
}

fn command(program: &Path, target: &str) -> process::Command {
    let mut command = process::Command::new(program);
    command.env("HULLO_FUZZ", target);
    command
}

/// Inputs that the repository keeps.
fn kept(project: &Project, target: &str) -> PathBuf {
    project.root.join("fuzz/corpus").join(target)
}

/// Inputs that this machine has found, and those that fail.
fn found(project: &Project, target: &str) -> Result<(PathBuf, PathBuf)> {
    let folder = project.target.join("fuzz");
    let (corpus, failing) = (folder.join("corpus").join(target), folder.join("failing"));
    for folder in [&corpus, &failing] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    Ok((corpus, failing))
}

/// A target that is running.
struct Run {
    target: String,
    child: process::Child,
    log: PathBuf,
    failing: PathBuf,
}

impl Run {
    fn start(project: &Project, program: &Path, target: &str, seconds: u64) -> Result<Self> {
        let (corpus, failing) = found(project, target)?;
        let failing = failing.join(format!("{target}-"));
        let log = project.target.join("fuzz").join(format!("{target}.log"));
        let out = fs::File::create(&log)?;
        let mut command = command(program, target);
        command.arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-max_len={BYTES_MAX}")).args(["-timeout=20", "-rss_limit_mb=1024"]);
        command.arg(format!("-artifact_prefix={}", failing.display()));
        command.arg("-print_final_stats=1").arg(corpus);
        let kept = kept(project, target);
        if kept.exists() {
            command.arg(kept);
        }
        command.stdout(out.try_clone()?).stderr(out);
        let child =
            command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { target: target.to_owned(), child, log, failing })
    }

    /// Waits for its end, and tells how it went.
    fn finish(mut self) -> Result<()> {
        let status = self.child.wait()?;
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let stat = |name: &str| {
            log.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim().to_owned()
        };
        if status.success() {
            let runs = stat("stat::number_of_executed_units:");
            let covered = log.lines().rev().find_map(|line| line.split(" cov: ").nth(1));
            let covered = covered.and_then(|rest| rest.split(' ').next()).unwrap_or("?");
            println!("   {}: {runs} inputs, {covered} places in the code reached", self.target);
            return Ok(());
        }
        let tail: Vec<&str> = log.lines().rev().take(30).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        let input = log.lines().find_map(|line| line.split("Test unit written to ").nth(1));
        let input = input.map_or_else(|| self.failing.display().to_string(), str::to_owned);
        bail!(
            "{}\n\nthe target {} fails; run it again: cargo xtask fuzz {} --replay {input}",
            tail.join("\n"),
            self.target,
            self.target
        );
    }
}

/// Writes the smallest set of inputs that reaches all that was reached into the repository.
fn keep(project: &Project, program: &Path, target: &str) -> Result<()> {
    let (corpus, _) = found(project, target)?;
    let (kept, fresh) = (kept(project, target), project.target.join("fuzz/kept").join(target));
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    let mut command = command(program, target);
    // Covers all with few: a merge in the plain sense keeps every input that counted something differently.
    command
        .args(["-set_cover_merge=1", "-use_counters=0", "-max_len=4096"])
        .arg(&fresh)
        .arg(&corpus);
    if kept.exists() {
        command.arg(&kept);
    }
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    if kept.exists() {
        fs::remove_dir_all(&kept)?;
    }
    fs::create_dir_all(&kept)?;
    let mut count = 0;
    for entry in fs::read_dir(&fresh)? {
        let path = entry?.path();
        fs::copy(&path, kept.join(path.file_name().unwrap_or_default()))?;
        count += 1;
    }
    println!("   {target}: {count} inputs kept in {}", project.short(&kept));
    Ok(())
}

/// The longest that all targets may take, to tell people before it begins.
pub(crate) fn span(project: &Project, seconds: u64) -> Duration {
    let code = fs::read_to_string(project.root.join("fuzz/src/main.rs")).unwrap_or_default();
    let rounds = targets(&code).len().div_ceil(AT_ONCE) as u64;
    Duration::from_secs(rounds * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_their_list() {
        let code = "use x;\nconst TARGETS: &[T] = &[\n    (\"one\", a::b),\n    (\"two\", c),\n];\nfn x() { \"three\" }\n";

        assert_eq!(targets(code), ["one", "two"]);
    }

    #[test]
    fn a_wish_is_read_and_a_wrong_one_is_named() {
        let read = |args: &[&str]| {
            Wish::read(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
        };

        let wish = read(&["frame", "--seconds", "5", "--keep"]).expect("a wish");
        assert_eq!((wish.targets, wish.seconds, wish.keep), (vec!["frame".to_owned()], 5, true));
        assert_eq!(read(&[]).expect("all"), Wish::all(SECONDS));
        for (args, word) in [
            (&["--seconds", "0"][..], "above 0"),
            (&["--seconds"], "a number"),
            (&["--fast"], "--fast"),
            (&["--replay", "x"], "one target"),
        ] {
            let error = read(args).expect_err("it is refused").to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
