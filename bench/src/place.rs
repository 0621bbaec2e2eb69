//! Where and when it is measured, and which versions of peers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// Where and when.
pub(crate) struct Place {
    root: PathBuf,
    target: PathBuf,
    lock: String,
}

impl Place {
    /// The project at `root`, which builds into `target`.
    pub(crate) fn new(root: PathBuf, target: PathBuf) -> Result<Self> {
        let lock = root.join("Cargo.lock");
        let lock =
            fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        Ok(Self { root, target, lock })
    }

    /// The folder of the root manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A folder below the target directory, for a section to work in.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("bench").join(name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// The page of results.
    pub(crate) fn page(&self) -> PathBuf {
        self.root.join("docs/benchmarks.md")
    }

    /// A crate with the version that was built.
    pub(crate) fn version(&self, name: &str) -> String {
        format!("{name} {}", self.number(name))
    }

    /// The version of a crate, alone.
    pub(crate) fn number(&self, name: &str) -> &str {
        let entry = format!("name = \"{name}\"\nversion = \"");
        let version = self.lock.split_once(&entry).and_then(|(_, rest)| rest.split_once('"'));
        version.map_or("of unknown version", |(version, _)| version)
    }

    /// The machine, as far as numbers depend on it.
    pub(crate) fn machine(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kilobytes = memory.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok());
        let memory = kilobytes.map_or(String::new(), |kb| format!(" and {} GB", kb / 1_000_000));
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        format!("{cores} cores ({arch}, {os}){memory}, shared with other work")
    }

    /// The date.
    pub(crate) fn today(&self) -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        date(since.as_secs() / 86_400)
    }
}

/// The date of a day since 1970-01-01, by the calendar's rules: whole years first, then whole months.
fn date(mut day: u64) -> String {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (day, text) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_819, "2027-01-01")]
        {
            assert_eq!(date(day), text);
        }
    }
}
