//! The same stories on PostgreSQL: `TEST_POSTGRES` names a server where databases may be made.

use std::path::Path;

use server::{Database, Server};
use sqlx::postgres::PgConnection;
use sqlx::{AnyConnection, Connection as _};

use crate::harness::{House, WEB, settings_of};

/// What `database` looks for.
const VARIABLE: &str = "TEST_POSTGRES";

/// What PostgreSQL says when a database is there already (`duplicate_database`).
const IS_THERE: &str = "42P04";

/// The database that belongs to a data directory: the file in it, or one of that name on the server under test.
pub(crate) async fn database(data: &Path) -> Database {
    let Ok(server) = std::env::var(VARIABLE) else { return Database::Folder(data.to_owned()) };
    // A temporary directory has a name that no other has.
    let name: String = data
        .components()
        .filter_map(|part| part.as_os_str().to_str()?.strip_prefix(".tmp"))
        .flat_map(str::bytes)
        .fold("t".to_owned(), |name, byte| name + &format!("{byte:02x}"));
    let mut admin =
        PgConnection::connect(&format!("{server}/postgres")).await.expect("PostgreSQL listens");
    let make = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    if let Err(error) = sqlx::query(make).execute(&mut admin).await {
        let code = error.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some(IS_THERE), "{error}");
    }
    Database::settle(Some(&format!("{server}/{name}")), data).expect("an address")
}

/// What `--database` has to be for it.
pub(crate) fn url(database: &Database) -> Option<String> {
    match database {
        Database::Folder(_) => None,
        Database::Postgres(url) => Some(url.clone()),
    }
}

/// Changes records behind the server's back: as time does, or somebody with a shell.
pub(crate) async fn tamper(house: &House, statement: &'static str) {
    let url = match house.database() {
        Database::Folder(folder) => format!("sqlite://{}", folder.join("hullo.db").display()),
        Database::Postgres(url) => url.clone(),
    };
    let mut database = AnyConnection::connect(&url).await.expect("the server uses it");
    let done = sqlx::query(statement).execute(&mut database).await.expect("a statement");
    assert_ne!(done.rows_affected(), 0, "{statement}");
}

#[tokio::test]
async fn a_database_that_is_away_is_an_error_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let away = [("database", "postgres://hullo:tiger@127.0.0.1:9/calls")];
    let settings = settings_of(folder.path().to_owned(), &away).unwrap();

    let Err(error) = Server::start(settings, WEB).await else { panic!("nobody is there") };

    let error = format!("{error:#}");
    assert!(error.contains("database calls on 127.0.0.1:9"), "{error}");
    assert!(error.contains("--database"), "{error}");
    assert!(!error.contains("tiger"), "{error}");
}

#[tokio::test]
async fn two_servers_on_one_database_know_the_same_people() {
    let house = House::open().await;
    if matches!(house.database(), Database::Folder(_)) {
        return; // Only one server uses a file.
    }
    let token = house.token("carol@example.com").await;
    let other = house.open_beside().await;
    let mut here = house.live(&token).await;

    assert_eq!(other.call(&token, "GET", "/session", "").await.status, 200);
    let list = server::who(house.database()).await.unwrap().text;
    assert_eq!(list.lines().count(), 1, "{list}");
    let kicked = server::kick(house.database(), "carol@example.com").await.unwrap();
    assert_eq!(kicked, "Ended the connection of carol@example.com.\n");
    here.hear_goodbye().await;
    other.shut().await;
}
