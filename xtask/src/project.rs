//! Where things are, and which packages there are, as cargo tells it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::shell::Command;

/// The workspace.
pub(crate) struct Project {
    /// The folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Where builds go; honours `CARGO_TARGET_DIR` and cargo's configuration.
    pub(crate) target: PathBuf,
    /// Its own packages.
    pub(crate) packages: Vec<Package>,
}

/// One crate of the workspace.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One arrow from a crate to another.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

impl Project {
    /// Asks cargo.
    pub(crate) fn read() -> Result<Self> {
        let text = Command::new(cargo())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .read()?;
        let read: Metadata =
            serde_json::from_str(&text).context("cannot read what `cargo metadata` says")?;
        Ok(Self {
            root: read.workspace_root,
            target: read.target_directory,
            packages: read.packages,
        })
    }

    /// Cargo in the root of the workspace. The server embeds the web app from where we put it; every command says so
    /// alike, for cargo builds the server again when it changes.
    pub(crate) fn cargo<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        Command::new(cargo()).args(args).env("HULLO_WEB_DIR", self.web()).dir(&self.root)
    }

    /// Where the web app goes; the server embeds it from there.
    pub(crate) fn web(&self) -> PathBuf {
        self.target.join("web")
    }

    /// A program that cargo built.
    pub(crate) fn binary(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// A path as people write it: from the root.
    pub(crate) fn short<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// The cargo that runs us, so that a chosen toolchain stays chosen.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
