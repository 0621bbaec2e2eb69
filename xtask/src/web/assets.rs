//! Files whose names carry a hash of their content, so that a browser may keep them for ever; each also packed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// Names as pages write them, without the hash.
pub(crate) type Names = BTreeSet<String>;

/// The folder of assets while it is made.
pub(crate) struct Assets {
    folder: PathBuf,
    made: BTreeMap<String, Asset>,
}

struct Asset {
    /// The name with the hash in it.
    file: String,
    /// Size when packed, in bytes.
    packed: usize,
}

impl Assets {
    pub(crate) fn new(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder, made: BTreeMap::new() })
    }

    /// Adds every file of a folder but the pages, types, which no browser reads, and those `apart`; files that name others
    /// come after those.
    pub(crate) fn add_files(&mut self, folder: &Path, apart: &[&str]) -> Result<()> {
        let mut later = Vec::new();
        let mut paths = Vec::new();
        for entry in
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            paths.push(entry?.path());
        }
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if apart.contains(&name.as_str()) {
                continue;
            }
            let content =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            match String::from_utf8(content) {
                Ok(_) if name.ends_with(".html") || name.ends_with(".d.ts") => {}
                Ok(text) if text.contains("{{") => later.push((name, text)),
                Ok(text) => self.add(&name, text.as_bytes())?,
                Err(binary) => self.add(&name, binary.as_bytes())?,
            }
        }
        for (name, text) in later {
            let (filled, _) = self.fill(&text, "").with_context(|| format!("in {name}"))?;
            self.add(&name, filled.as_bytes())?;
        }
        Ok(())
    }

    /// Adds one file, raw and packed. What is there already under its hash is not packed again.
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) -> Result<()> {
        let file = hashed(name, content);
        let packed = self.folder.join(format!("{file}.br"));
        if !packed.exists() {
            write(&packed, &brotli(content))?;
        }
        write(&self.folder.join(&file), content)?;
        let packed =
            usize::try_from(fs::metadata(&packed)?.len()).context("a file fits into memory")?;
        self.made.insert(name.to_owned(), Asset { file, packed });
        Ok(())
    }

    /// The name with the hash in it.
    pub(crate) fn file(&self, name: &str) -> Result<&str> {
        match self.made.get(name) {
            Some(asset) => Ok(&asset.file),
            None => bail!("there is no asset `{name}`; there are: {:?}", self.made.keys()),
        }
    }

    /// Size of an asset when packed, in bytes.
    pub(crate) fn packed(&self, name: &str) -> usize {
        self.made.get(name).map_or(0, |asset| asset.packed)
    }

    /// Puts addresses in place of `{{name}}`; also gives the names that were met.
    pub(crate) fn fill(&self, text: &str, prefix: &str) -> Result<(String, Names)> {
        let mut filled = String::with_capacity(text.len());
        let mut names = Names::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, tail) = after.split_once("}}").context("a `{{` without its `}}`")?;
            filled.push_str(before);
            filled.push_str(prefix);
            filled.push_str(self.file(name.trim())?);
            names.insert(name.trim().to_owned());
            rest = tail;
        }
        filled.push_str(rest);
        Ok((filled, names))
    }

    /// Removes what earlier builds left.
    pub(crate) fn sweep(&self) -> Result<()> {
        let keep: BTreeSet<_> = self
            .made
            .values()
            .flat_map(|asset| [asset.file.clone(), format!("{}.br", asset.file)])
            .collect();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if !keep.contains(&*entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Writes a file unless it says that already: an untouched file does not make the server build again.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Packs as tightly as brotli can: it is done once and read many times.
pub(crate) fn brotli(content: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    // Measured: in small blocks an app of 770 KB takes 321 bytes less.
    let settings = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        lgblock: 16,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*content, &mut packed, &settings)
        .expect("memory can be read and written");
    packed
}

/// `style.css` to `style.0123456789abcdef.css`.
fn hashed(name: &str, content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
        None => format!("{name}.{hash}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gets_the_address_of_what_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let mut assets = Assets::new(folder.path().join("assets")).unwrap();
        assets.add("style.css", b"body {}").unwrap();

        let (html, names) = assets.fill("<link href=\"{{ style.css }}\">", "assets/").unwrap();

        let file = assets.file("style.css").unwrap();
        assert_eq!(html, format!("<link href=\"assets/{file}\">"));
        assert!(file.starts_with("style.") && file.ends_with(".css") && file.len() == 26);
        assert!(names.contains("style.css"));
    }

    #[test]
    fn a_name_that_is_nowhere_stops_the_build() {
        let folder = tempfile::tempdir().unwrap();
        let assets = Assets::new(folder.path().to_owned()).unwrap();

        let refused = assets.fill("{{nowhere.css}}", "").unwrap_err();

        assert!(refused.to_string().contains("nowhere.css"));
    }

    #[test]
    fn what_an_earlier_build_left_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let mut old = Assets::new(folder.path().to_owned()).unwrap();
        old.add("a.js", b"old").unwrap();
        let mut assets = Assets::new(folder.path().to_owned()).unwrap();
        assets.add("a.js", b"new").unwrap();

        assets.sweep().unwrap();

        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "the new file and its packed form");
    }
}
