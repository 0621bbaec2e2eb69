//! The real `hullo`, with data of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// A running server with two demo accounts.
pub struct Server {
    data: TempDir,
    flags: Vec<String>,
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    logins: Vec<(String, String)>,
    child: Option<Child>,
}

impl Server {
    /// Starts it on a port that the system chooses.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with more flags.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start_with(flags: &[&str]) -> Self {
        let data = TempDir::new().expect("there is room for a data directory");
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut server =
            Self { data, flags, origin: String::new(), logins: Vec::new(), child: None };
        server.launch("127.0.0.1:0");
        server
    }

    /// The log-in link of a demo account.
    ///
    /// # Panics
    /// When there is no such account.
    #[must_use]
    pub fn login(&self, user: &str) -> &str {
        let found = self.logins.iter().find(|(name, _)| name == user);
        &found.unwrap_or_else(|| panic!("no log-in link for {user} in {:?}", self.logins)).1
    }

    /// Adds an account while the server runs and gives an access token for it.
    ///
    /// # Panics
    /// When the commands fail.
    #[must_use]
    pub fn add_user(&self, user: &str) -> String {
        self.command(&["user", "add", user]);
        self.new_token(user)
    }

    /// Another access token of a user.
    ///
    /// # Panics
    /// When the command fails.
    #[must_use]
    pub fn new_token(&self, user: &str) -> String {
        self.command(&["token", "new", user]).trim().to_owned()
    }

    /// Ends it as a power cut would.
    ///
    /// # Panics
    /// When it is not running.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("a child can be killed");
        child.wait().expect("a killed child ends");
    }

    /// Ends it as an operator would, and gives whether it went in peace.
    ///
    /// # Panics
    /// When it is not running.
    pub fn stop(&mut self) -> bool {
        let mut child = self.child.take().expect("it runs");
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()), "a child can be told");
        child.wait().expect("a child that was told ends").success()
    }

    /// Starts it again, on the same port and the same data.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restart(&mut self) {
        let address = self.origin.trim_start_matches("http://").to_owned();
        self.launch(&address);
    }

    fn launch(&mut self, listen: &str) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("the log can be written");
        let mut child = Command::new(binary())
            .args(["serve", "--demo", "--listen", listen, "--data"])
            .arg(self.data.path())
            .args(&self.flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary().display()));
        let mut lines =
            BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        self.child = Some(child);
        self.logins.clear();
        while self.logins.len() < 2 {
            let line = lines.next().unwrap_or_else(|| panic!("the server ended: {}", self.words()));
            if let Some(origin) = line.strip_prefix("listening on ") {
                self.origin = origin.trim_end_matches('/').to_owned();
            } else if let Some((user, link)) =
                line.strip_prefix("login ").and_then(|rest| rest.split_once(' '))
            {
                self.logins.push((user.to_owned(), link.to_owned()));
            }
        }
        thread::spawn(move || lines.for_each(drop));
    }

    /// Status and body of the answer to a program that asks at `path` with these headers.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn ask(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let request = agent.get(format!("{}{path}", self.origin));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let mut answer = request.call().expect("an answer");
        let body = answer.body_mut().read_to_string().expect("a body");
        (answer.status().as_u16(), body)
    }

    fn command(&self, words: &[&str]) -> String {
        let output =
            Command::new(binary()).args(words).env("HULLO_DATA", self.data.path()).output();
        let output = output.expect("the server's program runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "hullo {words:?}: {error}");
        String::from_utf8(output.stdout).expect("it writes text")
    }

    fn log(&self) -> PathBuf {
        self.data.path().join("test.log")
    }

    /// What it wrote for its operator.
    fn words(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
        if thread::panicking() {
            eprintln!("--- the server wrote:\n{}", self.words());
        }
    }
}

/// The server's program, built beside us.
pub(crate) fn binary() -> PathBuf {
    crate::profile_dir().join(format!("hullo{}", std::env::consts::EXE_SUFFIX))
}
