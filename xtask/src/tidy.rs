//! The rules that no compiler knows: which crate leans on which, how long a file may be, what a file begins with.
//!
//! Each rule is a plain function from what it looks at to what it dislikes, so each can be shown to see red.

mod arrows;
mod files;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::Project;

/// Checks the whole project and names everything that is out of order.
pub(crate) fn check(project: &Project) -> Result<()> {
    let mut faults = arrows::check(&project.packages);
    for path in sources(project)? {
        let short = project.short(&path).to_string().replace('\\', "/");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {short}"))?;
        faults.extend(files::check(&short, &text));
    }
    faults.extend(files::stale_exceptions(|path| fs::read_to_string(project.root.join(path)).ok()));
    for package in &project.packages {
        let text = fs::read_to_string(&package.manifest_path)?;
        faults.extend(arrows::check_manifest(&package.name, &text));
    }
    if !faults.is_empty() {
        bail!("{} faults:\n  {}", faults.len(), faults.join("\n  "));
    }
    Ok(())
}

/// Every file that people write by hand.
fn sources(project: &Project) -> Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![project.root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && path != project.target {
                    folders.push(path);
                }
            } else if is_source(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_source(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    ["rs", "js", "css", "html", "sql", "toml", "md"].contains(&extension.as_str())
}
