//! The key that push services know this server by, in the data directory.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use super::Vapid;

/// Reads the key, or makes it on the first start. Whoever loses it loses all subscriptions, which are bound to it.
///
/// # Errors
///
/// When the data directory cannot be written, or holds something else under that name.
pub(crate) fn find_or_make(data: &Path, contact: Option<String>) -> anyhow::Result<Vapid> {
    let path = data.join("push-key.p8");
    let remedy = || {
        format!(
            "The key for push messages cannot be kept in {}. Give this user the right to write there, or choose \
             another with --data DIR",
            data.display()
        )
    };
    if !path.is_file() {
        write_once(&path, &Vapid::fresh()?).with_context(remedy)?;
    }
    let pkcs8 = std::fs::read(&path).with_context(remedy)?;
    Vapid::new(&pkcs8, contact).with_context(|| {
        format!(
            "{} is damaged. Put back a copy of it, or remove it: then a new key is made, and every browser must turn on \
             ringing again",
            path.display()
        )
    })
}

/// Writes a file for this user's eyes only, unless another server has just made it.
fn write_once(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(mut file) => file.write_all(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_the_same() {
        let data = tempfile::tempdir().unwrap();

        let first = find_or_make(data.path(), None).unwrap().public_key();

        assert_eq!(find_or_make(data.path(), None).unwrap().public_key(), first);
    }

    #[test]
    fn a_damaged_key_says_what_to_do() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("push-key.p8"), b"x").unwrap();

        let error = find_or_make(data.path(), None).unwrap_err().to_string();

        assert!(error.contains("remove it"), "{error}");
    }
}
