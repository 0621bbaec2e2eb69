//! What a fresh machine lacks: found, brought where we may, else named with the command that brings it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::shell::Command;

/// The target of the web app.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The accessibility checker that the browser tests load into pages. Pinned: new rules come when we choose.
const AXE: &str = "axe-core@4.10.3";

/// The checker of licences, bans and sources.
const DENY: &str = "cargo-deny";

/// Names under which Chromium is known.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

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
    if !Command::new("npm").args(["--version"]).works() {
        packages.push("npm");
    }
    apt(&packages)?;
    axe(project)?;
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

fn axe(project: &Project) -> Result<()> {
    let folder = project.target.join("npm");
    let version = AXE.rsplit_once('@').map_or("", |(_, version)| version);
    let manifest = folder.join("node_modules/axe-core/package.json");
    if std::fs::read_to_string(manifest)
        .is_ok_and(|text| text.contains(&format!("\"version\": \"{version}\"")))
    {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    Command::new("npm")
        .args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .args([folder.as_os_str()])
        .args([AXE])
        .run()
        .with_context(|| format!("the accessibility checker {AXE} could not be fetched; is the npm registry in reach?"))
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
