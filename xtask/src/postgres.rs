//! A PostgreSQL server for the length of a step: on a free port of loopback, with its data in a directory of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::shell::Command;

/// Who runs it when we are root, which PostgreSQL refuses to be. Debian's package makes this user.
const USER: &str = "postgres";

/// What it says when it can be used.
const READY: &str = "database system is ready to accept connections";

/// A running server.
pub(crate) struct Postgres {
    server: Child,
    folder: PathBuf,
    /// Its address, without a database.
    pub(crate) url: String,
}

impl Postgres {
    /// Starts one.
    ///
    /// # Errors
    /// When PostgreSQL is missing or does not come up.
    pub(crate) fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("hullo-postgres-{}", std::process::id()));
        let (data, shown) = (folder.join("data"), folder.to_string_lossy().into_owned());
        let is_root = Command::new("id").args(["-u"]).read().is_ok_and(|id| id.trim() == "0");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {shown}"))?;
        if is_root {
            Command::new("chown").args([USER, &shown]).run()?;
        }
        let data = data.to_string_lossy();
        let user = if is_root { Some(USER) } else { None };
        let made = program("initdb", user)
            .args(["--pgdata", &data, "--username", USER, "--auth", "trust", "--no-sync"])
            .args(["--encoding", "UTF8", "--locale", "C"])
            .dir(&folder)
            .read();
        made.inspect_err(|_| drop(fs::remove_dir_all(&folder)))?;

        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let mut server = program("postgres", user)
            .args(["-D", &data, "-p", &port, "-h", "127.0.0.1", "-k", "", "-F"])
            .args(["-c", "max_connections=400", "-c", "log_min_messages=warning"])
            .dir(&folder)
            .child()
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("PostgreSQL does not start")?;
        let stderr = server.stderr.take().expect("it is piped");
        let url = format!("postgres://{USER}@127.0.0.1:{port}");
        let started = Self { server, folder, url };
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let mut said = String::new();
        loop {
            match lines.next() {
                Some(line) if line.contains(READY) => break,
                Some(line) => said = said + &line + "\n",
                None => bail!("PostgreSQL ended before it was ready: {said}"),
            }
        }
        // What it says later is read and let go: a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(started)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The quick way to stop: it ends its sessions and itself.
        let pid = self.server.id().to_string();
        Command::new("kill").args(["-INT", &pid]).works();
        self.server.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Whether `initdb` and `postgres` are there.
pub(crate) fn is_there() -> bool {
    ["initdb", "postgres"].iter().all(|name| Command::new(find(name)).args(["--version"]).works())
}

/// One of PostgreSQL's programs, run by `user`. It ends when we do, however that is.
fn program(name: &str, user: Option<&str>) -> Command {
    let path = find(name);
    match user {
        Some(user) => Command::new("setpriv")
            .args(["--reuid", user, "--regid", user, "--clear-groups", "--pdeathsig", "INT", "--"])
            .args([path]),
        None => Command::new(path),
    }
}

/// Where one of PostgreSQL's programs is. Debian keeps them off the path, by version.
fn find(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.is_file());
    found.sort();
    found.pop().unwrap_or_else(|| Path::new(name).to_owned())
}
