//! Stores under one workload, shared by the programs that time them and those that weigh them.

pub mod stores;

use std::io::Write as _;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use stores::measure::{Task, Weigh};

/// Does what the command line asks for: `STORE apply COUNT TIMES` or `STORE meet COUNT`.
///
/// # Errors
///
/// When it asks for nothing that there is.
pub fn asked(weigh: Weigh) -> Result<String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (name, task) = match words[..] {
        [name, "apply", count, times] => (name, Task::Apply(count.parse()?, times.parse()?)),
        [name, "meet", count] => (name, Task::Meet(count.parse()?)),
        _ => bail!("usage: STORE apply COUNT TIMES, or STORE meet COUNT"),
    };
    stores::run(name, task, weigh, pack).with_context(|| format!("there is no store {name}"))
}

/// How many bytes are left of these when they are packed as a web server packs them.
#[must_use]
pub fn pack(bytes: &[u8]) -> usize {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).and_then(|()| packer.finish()).map_or(0, |packed| packed.len())
}
