//! A program that a test starts, and that ends when the test's process does, however that ended.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Says which process it starts, and ends it when our end of the pipe closes. The program alone holds the other pipe,
/// which so ends with it.
const WATCH: &str = r#"sh -c 'echo $$; exec "$@"' sh "$@" 2>&1 </dev/null & child=$!
    exec >/dev/null 2>&1; cat; kill -KILL $child; wait $child"#;

/// The running program.
pub(crate) struct Guard {
    shell: Child,
    pid: u32,
    said: Arc<Mutex<String>>,
}

impl Guard {
    /// Starts it and reads what it says until `ready` finds in a line what it looks for.
    ///
    /// # Errors
    /// When it cannot be started or ends before that.
    pub(crate) fn start<T>(
        command: &[&str],
        environment: &[(&str, &str)],
        mut ready: impl FnMut(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let mut shell = Command::new("sh")
            .args(["-c", WATCH, "sh"])
            .args(command)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command[0]))?;
        let mut lines =
            BufReader::new(shell.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let pid = lines.next().and_then(|line| line.parse().ok());
        let pid = pid.context("the shell says whom it started")?;
        let said = Arc::new(Mutex::new(String::new()));
        let guard = Self { shell, pid, said: said.clone() };
        let found = loop {
            let Some(line) = lines.next() else {
                bail!("{} ended before it was ready: {}", command[0], guard.said());
            };
            note(&said, &line);
            if let Some(found) = ready(&line) {
                break found;
            }
        };
        // A full pipe would stop the program: somebody must read on.
        thread::spawn(move || lines.for_each(|line| note(&said, &line)));
        Ok((guard, found))
    }

    /// What it wrote so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().map(|said| said.clone()).unwrap_or_default()
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&self) -> bool {
        // A process that has ended and is not waited for yet is a zombie.
        self.stat().is_some_and(|stat| !stat.starts_with('Z'))
    }

    /// Its memory in this moment, in bytes.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib * 1024)
    }

    /// The processor time that it has used, all threads together.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        let stat = self.stat()?;
        // utime and stime: fields 14 and 15 of the line, of which two are cut off.
        let ticks = stat.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().ok());
        let ticks: u64 = ticks.sum::<Option<u64>>()?;
        Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Its process's line of `/proc`, from the state on.
    fn stat(&self) -> Option<String> {
        let line = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        line.rsplit_once(") ").map(|(_, rest)| rest.to_owned())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().ok();
        if thread::panicking() {
            eprintln!("--- process {} wrote:\n{}", self.pid, self.said());
        }
    }
}

/// The unit in which Linux tells processor time, on every architecture that it runs on today.
const TICKS_PER_SECOND: u64 = 100;

/// How much of what a program says is kept, in bytes. Guess: the last few screens.
const KEPT: usize = 16 * 1024;

fn note(said: &Mutex<String>, line: &str) {
    let Ok(mut said) = said.lock() else { return };
    said.push_str(line);
    said.push('\n');
    if said.len() > KEPT {
        let from = said.len() - KEPT / 2;
        let from = (from..said.len()).find(|at| said.is_char_boundary(*at)).unwrap_or(0);
        said.drain(..from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_ready_when_it_says_so() {
        let script = "echo first; echo ready 7; sleep 60";

        let (guard, number) = Guard::start(&["sh", "-c", script], &[], |line| {
            line.strip_prefix("ready ").map(str::to_owned)
        })
        .unwrap();

        assert_eq!(number, "7");
        assert!(guard.is_alive());
        assert!(guard.memory().is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn one_that_ends_early_is_told_with_its_words() {
        let started = Guard::start(&["sh", "-c", "echo no port left"], &[], |_| None::<()>);

        let error = started.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("no port left"), "{error}");
    }
}
