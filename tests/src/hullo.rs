//! The real `hullo` with flags of the test's choice, and no users of its own.

use serde_json::Value;
use tempfile::TempDir;

use crate::guard::Guard;

/// Where a talkative one logs, in its data directory.
const LOG: &str = "test.log";

/// A running server.
pub struct Hullo {
    guard: Guard,
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    data: TempDir,
}

impl Hullo {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(flags: &[(&str, &str)]) -> Self {
        Self::launch(TempDir::new().expect("there is room for a data directory"), flags)
    }

    /// Starts one that logs all that it and what it is made of can log, to a file: [`Self::log`].
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start_talkative(flags: &[(&str, &str)]) -> Self {
        let data = TempDir::new().expect("there is room for a data directory");
        let log = data.path().join(LOG);
        let log = log.to_string_lossy();
        let shell = ["sh", "-c", r#"log="$1"; shift; exec "$@" 2>>"$log""#, "sh", &*log];
        Self::launch_by(&shell, &[("RUST_LOG", "trace")], data, flags)
    }

    /// What one that is talkative has logged so far.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join(LOG)).expect("it logs to a file")
    }

    /// Ends it and starts it again on the same data, with other flags.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn restart(self, flags: &[(&str, &str)]) -> Self {
        let Self { guard, data, .. } = self;
        drop(guard);
        Self::launch(data, flags)
    }

    fn launch(data: TempDir, flags: &[(&str, &str)]) -> Self {
        Self::launch_by(&[], &[], data, flags)
    }

    fn launch_by(
        shell: &[&str],
        environment: &[(&str, &str)],
        data: TempDir,
        flags: &[(&str, &str)],
    ) -> Self {
        let binary = crate::server::binary();
        let (binary, folder) = (binary.to_string_lossy(), data.path().to_string_lossy());
        let mut words = shell.to_vec();
        words.extend([&*binary, "serve", "--listen", "127.0.0.1:0", "--data", &*folder]);
        words.extend(flags.iter().flat_map(|(flag, value)| [*flag, *value]));
        let ready = |line: &str| line.strip_prefix("listening on ").map(str::to_owned);
        let (guard, origin) = Guard::start(&words, environment, ready).expect("it starts");
        Self { guard, origin, data }
    }

    /// Waits until its log has these words.
    ///
    /// # Panics
    /// When they do not come.
    pub fn says(&self, words: &str) {
        crate::eventually(words, || self.guard.said().contains(words).then_some(()));
    }

    /// What `hullo check` says with these flags, on an empty data directory.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn check(flags: &[(&str, &str)]) -> String {
        let data = TempDir::new().expect("there is room for a data directory");
        let mut command = std::process::Command::new(crate::server::binary());
        command.args(["check", "--listen", "127.0.0.1:0"]).env("HULLO_DATA", data.path());
        command.args(flags.iter().flat_map(|(flag, value)| [flag, value]));
        let done = command.output().expect("the server's program runs");
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
    }

    /// A token for a device of a user, who is added when new; `more` are further words for `hullo token new`.
    ///
    /// # Panics
    /// When the commands fail.
    #[must_use]
    pub fn token(&self, user: &str, more: &[&str]) -> String {
        let run = |words: &[&str]| {
            let mut command = std::process::Command::new(crate::server::binary());
            command.args(words).env("HULLO_DATA", self.data.path());
            command.output().expect("the server's program runs")
        };
        // It may be there already.
        run(&["user", "add", user]);
        let made = run(&[&["token", "new", user], more].concat());
        let error = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "hullo token new {user} {more:?}: {error}");
        String::from_utf8_lossy(&made.stdout).trim().to_owned()
    }

    /// Asks as the device of this token; gives the status and the body, `null` when there is none.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn ask_as(&self, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(if body.is_null() { String::new() } else { body.to_string() })
            .expect("a request");
        let mut answer = agent().run(request).expect("an answer");
        let body = answer.body_mut().read_to_string().expect("a body");
        (answer.status().as_u16(), serde_json::from_str(&body).unwrap_or_default())
    }

    /// The status of the answer to a request with these headers.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn knock(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let request = ureq::http::Request::builder();
        let request = request.method(method).uri(format!("{}{path}", self.origin));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(body.to_owned()).expect("a request");
        agent().run(request).expect("an answer").status().as_u16()
    }

    /// Status and JSON of an answer.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin))
            .header("content-type", "application/json")
            .body(body.map_or(String::new(), |body| body.to_string()))
            .expect("a request");
        let mut answer = agent().run(request).expect("an answer");
        let body = answer.body_mut().read_to_string().expect("a body");
        (answer.status().as_u16(), serde_json::from_str(&body).unwrap_or_default())
    }

    /// Status, place and cookies of the answer to somebody who follows a link.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn open(&self, path: &str, cookie: &str) -> (u16, String, Vec<String>) {
        let request = agent().get(format!("{}{path}", self.origin)).header("cookie", cookie);
        let answer = request.call().expect("an answer");
        let all = |name| {
            let values = answer.headers().get_all(name).into_iter();
            values.filter_map(|value| Some(value.to_str().ok()?.to_owned())).collect::<Vec<_>>()
        };
        (answer.status().as_u16(), all("location").concat(), all("set-cookie"))
    }

    /// Status and user, when one comes with this token.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn who_is(&self, token: &str) -> (u16, String) {
        let mut answer = agent()
            .get(format!("{}/session", self.origin))
            .header("authorization", format!("Bearer {token}"))
            .call()
            .expect("an answer");
        let body = answer.body_mut().read_to_string().expect("a body");
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let user = body["email"].as_str().unwrap_or_default().to_owned();
        (answer.status().as_u16(), user)
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}
