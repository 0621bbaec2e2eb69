//! Records in a SQLite file. What keeps it from being used is found before there is a pool: a pool tries again until its
//! patience ends, whatever the reason, and forgets which it was.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyPool, ConnectOptions as _, Connection as _, Executor as _};

/// The file in the data directory.
const FILE: &str = "hullo.db";
/// How many statements run at once, where one at a time writes. Guess: two cores and some waiting.
const CONNECTIONS: u32 = 4;
/// How long a statement waits for a connection: longer than a writer waits for another process.
const PATIENCE: Duration = Duration::from_secs(10);
/// How a file is used: what is committed outlives this program, readers do not wait for a writer, and a writer waits 5 s
/// for another process.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
    PRAGMA foreign_keys = ON";
/// Reads, and writes what is taken back: a file that may only be read is opened without a word.
const TRIAL: &str =
    "SELECT COUNT(*) FROM sqlite_master; BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK";

/// Opens the file in `folder`, and makes both where they are not there.
///
/// # Errors
///
/// When it cannot be read and written, or is damaged.
pub(super) async fn open(folder: &Path) -> anyhow::Result<AnyPool> {
    no_file(folder)?;
    crate::folder::make_private(folder).with_context(|| no_writing(folder))?;
    let file = std::path::absolute(folder).with_context(|| no_writing(folder))?.join(FILE);
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    match try_out(&options).await {
        Err(error) if !is_busy(&error) => return Err(explain(error.into(), folder)),
        // Who is only kept waiting waits on with the pool.
        Ok(()) | Err(_) => {}
    }
    AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(PRAGMAS).await.map(drop) })
        })
        .connect_with(AnyConnectOptions::from_url(&options.to_url_lossy())?)
        .await
        .with_context(|| no_writing(folder))
}

/// Complains where nothing was ever kept in `folder`, so that a slip of the pen does not look as if all users were gone.
pub(super) fn must_be_there(folder: &Path) -> anyhow::Result<()> {
    no_file(folder)?;
    let shown = folder.display();
    let remedy = "Give --data the directory that the server uses, or begin with `hullo serve` or `hullo user add`";
    if is_absent(folder) {
        bail!("There is no data directory {shown}. {remedy}");
    }
    if !is_there(folder) {
        bail!("There are no accounts in the data directory {shown}. {remedy}");
    }
    Ok(())
}

/// Whether there are records in `folder`, as far as this user may know.
pub(super) fn is_there(folder: &Path) -> bool {
    !is_absent(&path(folder))
}

fn is_absent(path: &Path) -> bool {
    match path.try_exists() {
        Ok(is_there) => !is_there,
        // What this user may not see may be there.
        Err(error) => error.kind() == std::io::ErrorKind::NotADirectory,
    }
}

/// What an error of the file in `folder` comes from and what to do about it, if it says so.
pub(super) fn explain(error: anyhow::Error, folder: &Path) -> anyhow::Error {
    let file = path(folder);
    let code = error.chain().find_map(|cause| code(cause.downcast_ref()?));
    match code {
        Some(Code::Damaged) => anyhow::anyhow!(
            "{} is damaged, or no database of Hullo. Put a backup in its place; or move it away, and {FILE}-wal with it, to \
             begin without accounts",
            file.display()
        ),
        Some(Code::Forbidden) if file.exists() => anyhow::anyhow!(
            "This user may not write {}. Give them the right to write it and its directory, or be the user whose it is",
            file.display()
        ),
        Some(Code::Forbidden | Code::Busy) | None => error.context(no_writing(folder)),
    }
}

async fn try_out(options: &SqliteConnectOptions) -> sqlx::Result<()> {
    let mut connection = options.connect().await?;
    connection.execute(PRAGMAS).await?;
    connection.execute(TRIAL).await?;
    connection.close().await
}

/// What SQLite says by number (<https://sqlite.org/rescode.html>), as far as it makes a difference here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    Busy,
    Forbidden,
    Damaged,
}

fn code(error: &sqlx::Error) -> Option<Code> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    // The other bytes tell more than is needed.
    match code & 0xff {
        5 | 6 => Some(Code::Busy),
        3 | 8 | 14 => Some(Code::Forbidden),
        11 | 26 => Some(Code::Damaged),
        _ => None,
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    code(error) == Some(Code::Busy)
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

fn no_file(folder: &Path) -> anyhow::Result<()> {
    if folder.is_file() {
        bail!("{} is a file, not a directory. Give --data a directory", folder.display());
    }
    Ok(())
}

fn no_writing(folder: &Path) -> String {
    format!(
        "The data directory {} cannot be written. Give this user the right to write there, or choose another with --data \
         DIR",
        folder.display()
    )
}
