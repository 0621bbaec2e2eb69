//! The binary as an operator runs it: several processes on one data directory.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

#[test]
fn a_demo_server_prints_where_it_is_and_who_can_log_in() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut server = Running::start(data.path());

    let alice = server.line();
    let bob = server.line();

    assert_eq!(server.get("/healthz", ""), (200, "ok".to_owned()));
    let link = format!("login alice@example.com {}/#code=", server.url);
    assert!(alice.starts_with(&link), "{alice}");
    assert!(bob.starts_with("login bob@example.com http://"), "{bob}");
}

#[test]
fn accounts_are_made_and_revoked_while_the_server_runs_and_outlive_it() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let server = Running::start(data.path());

    assert!(hullo(data.path(), &["user", "add", "carol@example.com"]).status.success());
    let token = said(&hullo(data.path(), &["token", "new", "carol@example.com"]));
    assert_eq!(server.get("/session", &token).0, 200);

    server.stop();
    let server = Running::start(data.path());
    assert_eq!(server.get("/session", &token).0, 200);

    let list = said(&hullo(data.path(), &["token", "list", "carol@example.com"]));
    let id = list.split('\t').next().expect("an id");
    assert!(hullo(data.path(), &["token", "revoke", id]).status.success());
    assert_eq!(server.get("/session", &token).0, 401);
    server.stop();
}

#[test]
fn a_simulation_prints_the_same_for_the_same_seed() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let page = data.path().join("page.html");
    let page = page.to_str().expect("a plain path");
    let tell = |more: &[&str]| {
        let told =
            said(&simulate(&[&["--nodes", "5", "--crash", "0", "--seed", "3"], more].concat()));
        // How fast this machine told it is no part of the story.
        told.lines().filter(|line| !line.contains("speed")).collect::<Vec<_>>().join("\n")
    };

    assert_eq!(tell(&["--html", page]), tell(&[]));
    let lines = tell(&["--json"]);
    assert!(lines.lines().all(|line| line.starts_with('{')), "{lines}");
    let html = std::fs::read_to_string(page).expect("the page is written");
    assert!(html.starts_with("<!doctype html>") && html.contains("<svg"), "{html}");
}

#[test]
fn a_simulation_that_cannot_be_says_what_to_change() {
    for (arguments, part) in [
        (&["--nodes", "1"][..], "--nodes a number from 2"),
        (&["--loss", "90"], "--loss a number from 0 to 50"),
        (&["--partition", "quarters"], "none, halves, thirds, one, flapping"),
        (&["--nodes", "2", "--html", "/nowhere/at/all.html"], "Give --html a file"),
        (&["--check", "--seed", "1"], "cannot be used with"),
    ] {
        let output = simulate(arguments);

        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(part), "{arguments:?}: {error}");
    }
}

#[test]
fn what_cannot_be_honoured_is_an_error_that_says_what_to_do() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let server = Running::start(data.path());
    let taken = server.url.trim_start_matches("http://").to_owned();
    let file = data.path().join("hullo.toml");
    std::fs::write(&file, "lisen = true\n").expect("a file");
    let file = file.to_str().expect("a plain path");

    for (arguments, part) in [
        (vec!["serve", "--listen", &taken], "is taken by another program"),
        (vec!["serve", "--demo", "--listen", "0.0.0.0:0"], "loopback"),
        (vec!["serve", "--listen", "everywhere"], "such as 127.0.0.1:8080"),
        (vec!["serve", "--log-format", "xml"], "human or json"),
        (vec!["serve", "--config", file], "no setting lisen"),
        (vec!["serve", "--config", "/nowhere.toml"], "Check --config"),
        (vec!["token", "new", "nobody"], "hullo user add nobody"),
        (vec!["user", "remove", "nobody"], "hullo user list"),
        (vec!["token", "revoke", "nothing"], "hullo token list"),
    ] {
        let output = hullo(data.path(), &arguments);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(complaint.contains(part), "{arguments:?}: {complaint}");
        assert!(!complaint.contains("backtrace"), "{arguments:?}: {complaint}");
    }
}

#[test]
fn settings_come_from_the_file_and_the_environment_and_flags_win() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "listen = \"nonsense\"\nbase_path = \"/calls\"\n").expect("a file");

    let mut server = Running::spawn(
        Command::new(env!("CARGO_BIN_EXE_hullo"))
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(&file)
            .env("HULLO_DATA", folder.path().join("data"))
            .env("HULLO_DEMO", "true"),
    );

    assert!(server.url.ends_with("/calls"), "{}", server.url);
    assert!(server.line().contains("/calls/#code="));
    assert!(folder.path().join("data/hullo.db").is_file());

    let output = Command::new(env!("CARGO_BIN_EXE_hullo"))
        .args(["user", "list"])
        .env("HULLO_LISTNE", "x")
        .output()
        .expect("it runs");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && complaint.contains("listne"), "{complaint}");
}

/// Runs a command on `data` to its end.
fn hullo(data: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hullo"))
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env("RUST_BACKTRACE", "1")
        .output()
        .expect("the binary runs")
}

fn simulate(arguments: &[&str]) -> Output {
    let mut hullo = Command::new(env!("CARGO_BIN_EXE_hullo"));
    hullo.arg("sim").args(arguments).output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A server process, killed when dropped.
struct Running {
    process: Child,
    lines: BufReader<ChildStdout>,
    url: String,
}

impl Running {
    fn start(data: &Path) -> Self {
        Self::spawn(
            Command::new(env!("CARGO_BIN_EXE_hullo"))
                .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data"])
                .arg(data),
        )
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the binary runs");
        let lines = BufReader::new(process.stdout.take().expect("it was piped"));
        let mut running = Self { process, lines, url: String::new() };
        let line = running.line();
        running.url = line.strip_prefix("listening on ").expect("the first line").to_owned();
        running
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("it prints text");
        line.trim_end().to_owned()
    }

    /// Status and body of a `GET`, with a bearer token if there is one.
    fn get(&self, path: &str, token: &str) -> (u16, String) {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("it listens");
        let bearer = if token.is_empty() {
            String::new()
        } else {
            format!("Authorization: Bearer {token}\r\n")
        };
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{bearer}\r\n")
            .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), body.to_owned())
    }

    /// Asks it to stop, which it does without complaint.
    fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        assert!(self.process.wait().expect("it ends").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
