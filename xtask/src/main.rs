//! The one tool of this project: builds the web app, runs the product, and checks everything that must hold.
//!
//! ```text
//!   cargo xtask run    web ─▶ hullo serve --demo            a fresh machine to two log-in links
//!   cargo xtask web    app ─▶ wasm ─▶ glue ─▶ assets + .br  target/web, which the server embeds
//!   cargo xtask build  web ─▶ target/release/hullo          one file to carry to a server
//!   cargo xtask test   everything below, in order           what .ci/run calls
//!                      fmt · tidy · web + budgets · clippy · tests · docs · deny · browsers
//!   cargo xtask tidy   the rules that no compiler knows
//!   cargo xtask fuzz   target/fuzz ─▶ fuzz/corpus           every reader of remote bytes, for a minute
//!   cargo xtask replay sim ─▶ wasm ─▶ Node                the same stories natively and in wasm, to the last bit
//!   cargo xtask bench  docs/benchmarks.md                   us beside our peers, in one run
//! ```
//!
//! It is a program and not a pile of scripts so that it runs wherever Rust runs, is checked like the rest, and shares
//! the workspace's lock file: the glue maker must be of the very version of `wasm-bindgen` that the app links.
//!
//! **Invariant:** a command either does all of what it names or ends with a line that says what failed and what to do.
//! **Invariant:** what is downloaded goes below the target directory or comes from the system's own packages;
//! `rustup target add` is the one exception.
//! **Invariant:** there is one selection of packages for native builds (see `checks::NATIVE`) and one for the web, since
//! cargo unites features per selection and another one would build the tree again.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a tool for a terminal")]

mod checks;
mod fuzz;
mod install;
mod postgres;
mod project;
mod shell;
mod tidy;
mod web;

use std::process::ExitCode;

use anyhow::{Result, bail};

use project::Project;
use shell::Steps;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  run [ARGS]  build the web app and start `hullo serve --demo` (ARGS go to hullo serve)
  web         build the web app into target/web
  build       build the release binary with the web app inside: target/release/hullo
  test        check everything that CI checks; installs what is missing where it may (also: ci)
  tidy        check the rules of the house alone
  replay      tell the same stories natively and in wasm: to the last bit, the same must happen
  bench [SECTION…]
              measure all sections, or these, beside our peers, and write docs/benchmarks.md
  fuzz [TARGET…] [--seconds N] [--keep] [--replay FILE]
              try to break readers of remote bytes; --keep puts what reaches new code into the repository";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    match dispatch(&command, &args.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, rest: &[String]) -> Result<()> {
    let steps = &mut Steps::new();
    match command {
        "run" => run(steps, rest),
        "web" => web::build(&Project::read()?, steps).map(drop),
        "build" => build(steps),
        "test" | "ci" => checks::all(&Project::read()?, steps),
        "bench" => bench(steps, rest),
        "replay" => checks::replay(&Project::read()?, steps),
        "fuzz" => fuzz::run(&Project::read()?, &fuzz::Wish::read(rest)?),
        "tidy" => steps.step("tidy", || tidy::check(&Project::read()?)),
        "" | "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("there is no such command\n\n{USAGE}"),
    }
}

/// Builds all there is and starts the server with two accounts to try it with.
fn run(steps: &mut Steps, args: &[String]) -> Result<()> {
    let project = Project::read()?;
    web::build(&project, steps)?;
    steps.step("build hullo", || project.cargo(["build", "--package", "cli"]).run())?;
    println!(
        "\nOpen each log-in link below in its own browser or profile; Ctrl-C stops the server.\n"
    );
    let mut serve = shell::Command::new(project.binary("debug", "hullo")).args(["serve", "--demo"]);
    // Accounts to try things with do not belong among those of a server that this machine may run too.
    if !args.iter().any(|arg| arg == "--data" || arg.starts_with("--data=")) {
        serve = serve.args(["--data", &project.target.join("run").to_string_lossy()]);
    }
    serve.args(args).run()
}

/// Builds the binary that is given to others.
fn build(steps: &mut Steps) -> Result<()> {
    let project = Project::read()?;
    web::build(&project, steps)?;
    steps
        .step("build hullo", || project.cargo(["build", "--release", "--package", "cli"]).run())?;
    println!("{}", project.binary("release", "hullo").display());
    Ok(())
}

/// Measures us and our peers. Optimised as what is shipped, and one binary for each kind of measurement.
fn bench(steps: &mut Steps, sections: &[String]) -> Result<()> {
    let project = Project::read()?;
    let package = ["--release", "--package", "bench"];
    steps.step("build", || {
        // The server that is measured lies beside the program that measures it.
        let packages = package.into_iter().chain(["--package", "cli"]);
        project.cargo(["build"].into_iter().chain(packages).chain(["--bins"])).run()
    })?;
    steps.step("packages of npm", || install::npm(&project))?;
    shell::Command::new(project.binary("release", "bench"))
        .args([&project.root, &project.target])
        .args(sections)
        .run()
}
