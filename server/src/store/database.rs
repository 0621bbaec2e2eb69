//! Where the records are: a SQLite file in the data directory, or a PostgreSQL database that several servers may share.
//!
//! One set of statements serves both. They name their parameters `$1`, and never read a truth value, which SQLite gives as
//! a number.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use sqlx::AnyPool;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::postgres::PgConnectOptions;

use super::file;

/// How many statements run at once on a server, which takes 100 in all unless told otherwise.
const SERVER_CONNECTIONS: u32 = 16;
/// How long a statement waits for a connection. Guess: whoever asked has given up by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where accounts, tokens and what belongs to them are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// In a file in this directory, which is made.
    Folder(PathBuf),
    /// On a PostgreSQL server, by its URL. Holds the password, so it is never shown.
    Postgres(String),
}

impl Database {
    /// The one that the operator named by `url`, else the file in `data`.
    ///
    /// # Errors
    ///
    /// When the URL is none of PostgreSQL.
    pub fn settle(url: Option<&str>, data: &Path) -> anyhow::Result<Self> {
        let Some(url) = url else { return Ok(Self::Folder(data.to_owned())) };
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        // The text is not repeated: it may hold a password.
        if !is_postgres || PgConnectOptions::from_str(url).is_err() {
            bail!(
                "--database is no URL of a PostgreSQL database. Give one such as postgres://hullo:PASSWORD@localhost/hullo, \
                 or leave it out for a file in the data directory"
            );
        }
        Ok(Self::Postgres(url.to_owned()))
    }

    /// Connects, makes what is not there, and brings the tables up to date.
    pub(super) async fn open(&self) -> anyhow::Result<AnyPool> {
        sqlx::any::install_default_drivers();
        let pool = match self {
            Self::Folder(folder) => file::open(folder).await?,
            Self::Postgres(url) => open_server(url).await.with_context(|| {
                format!(
                    "The {self} cannot be used. Check --database, and that PostgreSQL runs there"
                )
            })?,
        };
        bring_up_to_date(&pool).await.map_err(|error| {
            let error = error.context(format!(
                "The accounts in the {self} cannot be brought up to date. If a newer Hullo wrote them, use that one"
            ));
            match self {
                Self::Folder(folder) => file::explain(error, folder),
                Self::Postgres(_) => error,
            }
        })?;
        Ok(pool)
    }

    /// Whether records are there already. A server is asked when it is used.
    pub(crate) fn is_there(&self) -> bool {
        match self {
            Self::Folder(folder) => file::is_there(folder),
            Self::Postgres(_) => true,
        }
    }

    /// Complains where no records are.
    pub(super) fn must_be_there(&self) -> anyhow::Result<()> {
        match self {
            Self::Folder(folder) => file::must_be_there(folder),
            Self::Postgres(_) => Ok(()),
        }
    }
}

/// Without secrets, for people.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "data directory {}", folder.display()),
            Self::Postgres(url) => match PgConnectOptions::from_str(url) {
                Ok(options) => {
                    let name = options.get_database().unwrap_or("hullo");
                    write!(f, "database {name} on {}:{}", options.get_host(), options.get_port())
                }
                Err(_) => f.write_str("database"),
            },
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

/// Records that are nowhere and forgotten with the pool, for what needs some before there are any.
pub(super) async fn open_nowhere() -> anyhow::Result<AnyPool> {
    sqlx::any::install_default_drivers();
    let pool = AnyPoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    bring_up_to_date(&pool).await?;
    Ok(pool)
}

async fn bring_up_to_date(pool: &AnyPool) -> anyhow::Result<()> {
    Ok(sqlx::migrate!("./migrations").run(pool).await?)
}

async fn open_server(url: &str) -> sqlx::Result<AnyPool> {
    let options = AnyConnectOptions::from_str(url)?;
    AnyPoolOptions::new()
        .max_connections(SERVER_CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_shown_to_nobody() {
        let url = "postgres://hullo:tiger@db.lan:5433/calls";
        let database = Database::settle(Some(url), Path::new("data")).unwrap();

        assert_eq!(format!("{database} {database:?}").matches("tiger").count(), 0);
        assert_eq!(database.to_string(), "database calls on db.lan:5433");
    }

    #[test]
    fn an_address_of_something_else_is_explained_and_not_repeated() {
        for url in ["mysql://root:tiger@localhost/x", "tiger", "postgres://a:tiger@[::x"] {
            let error = Database::settle(Some(url), Path::new("data")).unwrap_err().to_string();

            assert!(error.contains("postgres://hullo"), "{error}");
            assert!(!error.contains("tiger"), "{error}");
        }
    }

    #[test]
    fn without_an_address_it_is_a_file() {
        let database = Database::settle(None, Path::new("data")).unwrap();

        assert_eq!(database, Database::Folder("data".into()));
    }
}
