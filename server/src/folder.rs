//! Directories for the eyes of one user.

use std::path::Path;

/// Makes `folder`, for this user alone; one that is there keeps its rights.
pub(crate) fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Whether this user may make `folder`, or write in it where it is there. Does so in what is there of its path, and leaves
/// nothing behind.
pub(crate) fn try_out(folder: &Path) -> std::io::Result<()> {
    let folder = std::path::absolute(folder)?;
    let there = folder.ancestors().find(|part| part.exists()).unwrap_or(&folder);
    let trial = there.join(format!(".hullo-{}", std::process::id()));
    std::fs::create_dir(&trial)?;
    std::fs::remove_dir(&trial)
}
