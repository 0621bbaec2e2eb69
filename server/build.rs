//! Embeds the web app: writes a sorted table of its files, raw and compressed, with their entity tags.
//!
//! The files come from `HULLO_WEB_DIR`, which `cargo xtask build` sets, else from `target/web` beside this crate's
//! workspace, else there are none and the server says so on its front page. A `target/web` that appears later is
//! noticed at the next change of this crate only: watching a folder that is not there would rebuild the server
//! every time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=HULLO_WEB_DIR");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=migrations");

    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let folder = env::var_os("HULLO_WEB_DIR")
        .map_or_else(|| manifest.join("../target/web"), |folder| manifest.join(folder));

    let mut files = BTreeMap::new();
    if folder.is_dir() {
        println!("cargo::rerun-if-changed={}", folder.display());
        collect(&folder, "", &mut files)?;
    }

    let mut table = String::from("&[\n");
    for (name, path) in files.iter().filter(|(name, _)| !name.ends_with(".br")) {
        entry(&mut table, name, path)?;
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("web_files.rs"), table)
}

/// Finds all files below `folder`, by the names that the server knows them by and searches them in.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, entry.path().canonicalize()?);
        }
    }
    Ok(())
}

fn entry(table: &mut String, name: &str, path: &Path) -> io::Result<()> {
    let mut compressed = path.as_os_str().to_owned();
    compressed.push(".br");
    let brotli = if Path::new(&compressed).is_file() {
        format!("Some(include_bytes!({compressed:?}))")
    } else {
        "None".to_owned()
    };
    let digest = Sha256::digest(fs::read(path)?);
    let tag: String = digest.iter().take(12).fold(String::new(), |mut tag, byte| {
        write!(tag, "{byte:02x}").expect("a String takes any text");
        tag
    });
    writeln!(
        table,
        "    File {{ path: {name:?}, raw: include_bytes!({path:?}), brotli: {brotli}, tag: {tag:?} }},"
    )
    .expect("a String takes any text");
    Ok(())
}
