//! `hullo who` and `hullo kick`: what a command asks of running servers, and how they answer.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use wire::Timestamp;

use crate::commands::Printout;
use crate::connections::{Connections, Shown};
use crate::store::{Database, Store};

/// How long a command waits. Servers look once a second.
const PATIENCE: Duration = Duration::from_secs(4);

/// How often a command looks for an answer.
const LOOK: Duration = Duration::from_millis(50);

const LIST: &str = "list";
const KICK: &str = "kick";

/// A connection, in the answer to [`LIST`].
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    kind: String,
    name: String,
    user: Option<String>,
    from: String,
    since: u64,
}

/// Does what `order` asks, and says what came of it.
pub(crate) fn carry_out(verb: &str, subject: &str, connections: &Connections) -> String {
    match verb {
        LIST => {
            let lines: Vec<_> = connections.list().into_iter().map(line).collect();
            serde_json::to_string(&lines).expect("lines are plain data")
        }
        KICK => {
            let count = connections.kick(subject);
            tracing::info!(count, "The operator ended connections");
            count.to_string()
        }
        // Of a command that is newer than this server.
        _ => String::new(),
    }
}

fn line(shown: Shown) -> Line {
    Line {
        kind: shown.kind.word().to_owned(),
        name: shown.name,
        user: shown.user.map(|user| user.to_string()),
        from: shown.from.to_string(),
        since: shown.since.0,
    }
}

/// Who is connected to the servers on `database`; returns what to print.
///
/// # Errors
///
/// When no server answers, or the store cannot be read.
pub async fn who(database: &Database) -> anyhow::Result<Printout> {
    let mut list = String::new();
    for answer in ask(database, LIST, "").await? {
        let lines: Vec<Line> = serde_json::from_str(&answer)
            .context("The server answers in words that this hullo does not know")?;
        for Line { kind, name, user, from, since } in lines {
            let user = user.as_deref().unwrap_or("-");
            let since = Timestamp(since).minute();
            writeln!(list, "{name}\t{user}\t{kind}\t{from}\tsince {since}")
                .expect("a String takes any text");
        }
    }
    let none = "Nobody is connected. `hullo user link USER` makes a link to log in with";
    Ok(Printout::list(list, none))
}

/// Ends every connection of `name`, a user, a device or the id of a PeerJS client; returns what to print.
///
/// # Errors
///
/// When nobody of that name is connected, no server answers, or the store cannot be read.
pub async fn kick(database: &Database, name: &str) -> anyhow::Result<String> {
    let answers = ask(database, KICK, name).await?;
    let count: u64 = answers.iter().filter_map(|answer| answer.parse::<u64>().ok()).sum();
    match count {
        0 => bail!("{name} is not connected. `hullo who` lists who is"),
        1 => Ok(format!("Ended the connection of {name}.\n")),
        count => Ok(format!("Ended {count} connections of {name}.\n")),
    }
}

/// Whether a server runs on `database`.
pub(crate) async fn is_anybody_there(database: &Database) -> bool {
    ask(database, LIST, "").await.is_ok()
}

async fn ask(database: &Database, verb: &str, subject: &str) -> anyhow::Result<Vec<String>> {
    let store = Store::find(database).await?;
    let order = store.order(verb, subject).await?;
    let asked = Instant::now();
    let answers = loop {
        let answers = store.answers(&order).await?;
        // Only one server uses a file, but several may share a database.
        let is_all = !answers.is_empty() && matches!(database, Database::Folder(_));
        if is_all || asked.elapsed() > PATIENCE {
            break answers;
        }
        tokio::time::sleep(LOOK).await;
    };
    store.withdraw(&order).await?;
    store.close().await;
    if answers.is_empty() {
        bail!(
            "No server on the {database} answers. Start it with `hullo serve`, or name what it uses with --data or \
             --database"
        );
    }
    Ok(answers)
}
