//! The store of a server that is measured, filled past it: senders, receivers with their devices, and many others.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

/// When what is made here ends, in milliseconds since the Unix epoch: far from now.
const FAR: i64 = 4_000_000_000_000;

/// The token of a sender: as long as those that the server makes.
pub(super) fn token(kind: usize, at: u32) -> String {
    format!("sender-{kind}-{at:023}")
}

/// Makes for each load of (contacts, requests) as many senders as requests, a receiver with so many contacts for each of
/// them, and `others`, each with a device and somebody whom they know.
pub(super) async fn fill(file: &Path, others: u32, loads: &[(u32, u32)]) -> Result<()> {
    let mut store =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await?;
    let mut statements = vec!["BEGIN".to_owned()];
    for (kind, (contacts, requests)) in loads.iter().enumerate() {
        for at in 0..*requests {
            let hash =
                Sha256::digest(token(kind, at)).iter().fold(String::new(), |mut hash, byte| {
                    write!(hash, "{byte:02x}").expect("a String takes any text");
                    hash
                });
            let (from, to) =
                (format!("from{kind}-{at}@example.com"), format!("to{kind}-{at}@example.com"));
            statements.push(format!("INSERT INTO users VALUES ('{from}', 1), ('{to}', 1)"));
            statements.push(device(&hash, &from, "live", 1));
            statements.extend((0..*contacts).map(|number| {
                let contact = format!("to{kind}x{at}x{number}:APA91b{}", "x".repeat(40));
                device(&format!("{kind}-{at}-{number}"), &to, &contact, number)
            }));
        }
    }
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {others})"
    );
    let name = "'user' || n || '@example.org'";
    statements.extend([
        format!("INSERT INTO users {numbers} SELECT {name}, 1 FROM numbers"),
        format!(
            "INSERT INTO tokens (hash, user_name, device, created, last_used, contact, instance, contact_expires, \
             minted_by_code) {numbers} SELECT 'other' || n, {name}, 'Phone', 1, {FAR}, 'live', printf('%08x', n), {FAR}, 0 \
             FROM numbers"
        ),
        format!("INSERT INTO relations {numbers} SELECT {name}, 'a@example.org', 'known' FROM numbers"),
        "COMMIT".to_owned(),
    ]);
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut store).await?;
    }
    store.close().await?;
    Ok(())
}

fn device(hash: &str, user: &str, contact: &str, number: u32) -> String {
    format!(
        "INSERT INTO tokens (hash, user_name, device, created, last_used, contact, instance, contact_expires, \
         minted_by_code, wake) VALUES ('{hash}', '{user}', 'Phone', 1, {FAR}, '{contact}', '{number:08x}', {FAR}, 0, \
         '{contact}')"
    )
}
