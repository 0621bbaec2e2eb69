//! What a fresh machine lacks: found, brought where we may, else named with the command that brings it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::postgres;
use crate::project::Project;
use crate::shell::Command;

/// The target of the web app.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// What the tests load from npm, as pinned in `tests/npm`.
const NPM_LOCK: &str = "package-lock.json";

/// The checker of licences, bans and sources.
const DENY: &str = "cargo-deny";

/// Names under which Chromium is known.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Where nginx is; Debian keeps it off the path of those who are not root.
const NGINX: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

/// Adds the wasm target. Asked for here since a toolchain file that lists it does nothing where rustup's automatic
/// installs are off.
pub(crate) fn wasm_target() -> Result<()> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).read()?;
    let library = PathBuf::from(sysroot.trim()).join("lib/rustlib").join(WASM).join("lib");
    if library.exists() {
        return Ok(());
    }
    Command::new("rustup").args(["target", "add", WASM]).run().with_context(|| {
        format!("the Rust target {WASM} is missing; install it: rustup target add {WASM}")
    })
}

/// Everything that `test` needs beside Rust. Gives the path of `cargo-deny`.
pub(crate) fn test_tools(project: &Project) -> Result<PathBuf> {
    let mut packages = Vec::new();
    if !CHROMIUM.iter().any(|name| Command::new(name).args(["--version"]).works()) {
        packages.push("chromium");
    }
    if !Command::new("c++").args(["--version"]).works() {
        packages.push("g++"); // libFuzzer is C++
    }
    if !Command::new("npm").args(["--version"]).works() {
        packages.push("npm");
    }
    if !NGINX.iter().any(|path| Command::new(path).args(["-v"]).works()) {
        packages.push("nginx-light");
    }
    if !postgres::is_there() {
        packages.push("postgresql");
    }
    apt(&packages)?;
    npm(project)?;
    deny(project)
}

/// Installs Debian packages where that is ours to do.
fn apt(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    let is_root = Command::new("id").args(["-u"]).read().is_ok_and(|id| id.trim() == "0");
    if !is_root || !Command::new("apt-get").args(["--version"]).works() {
        bail!(
            "missing: {}. On Debian or Ubuntu: sudo apt-get update && sudo {line}",
            packages.join(", ")
        );
    }
    Command::new("apt-get").args(["update"]).run()?;
    Command::new("apt-get")
        .args(line.split(' ').skip(1))
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}

/// Brings what `tests/npm` names into the target directory, unless it is there already. Scripts of packages do not run.
pub(crate) fn npm(project: &Project) -> Result<()> {
    let (pinned, folder) = (project.root.join("tests/npm"), project.target.join("npm"));
    let lock = std::fs::read(pinned.join(NPM_LOCK))?;
    // Written last, so a broken installation is begun again.
    let done = folder.join("node_modules").join("hullo-lock.json");
    if std::fs::read(&done).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    for name in ["package.json", NPM_LOCK] {
        std::fs::copy(pinned.join(name), folder.join(name))?;
    }
    Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .dir(&folder)
        .run()
        .context("the tests' npm packages could not be fetched; is the npm registry in reach?")?;
    Ok(std::fs::write(done, lock)?)
}

/// Finds `cargo-deny`, or builds it below the target directory.
fn deny(project: &Project) -> Result<PathBuf> {
    let tools = project.target.join("tools");
    let own = tools.join("bin").join(format!("{DENY}{}", std::env::consts::EXE_SUFFIX));
    for path in [PathBuf::from(DENY), own.clone()] {
        if Command::new(&path).args(["--version"]).works() {
            return Ok(path);
        }
    }
    let tools = tools.to_string_lossy();
    // Optimising a tool that runs for two seconds costs more than it gives.
    project
        .cargo(["install", DENY, "--locked", "--debug", "--root", &tools])
        .run()
        .with_context(|| format!("{DENY} is missing; install it: cargo install {DENY} --locked"))?;
    Ok(own)
}
