//! One Chromium, started and ended by us.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use serde_json::json;
use tempfile::TempDir;

use crate::cdp::Wire;
use crate::person::{Person, Screen};

/// What a browser has for a camera and a microphone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Devices {
    /// A moving picture and a beep each second.
    Fake,
    /// Nothing is plugged in.
    None,
}

/// A running browser.
pub struct Browser {
    wire: Wire,
    devices: Devices,
    /// Holds the pipe whose end the watcher waits for.
    guard: Child,
    _profile: TempDir,
}

/// Names under which Chromium is known.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Quiet, headless, and no further than this machine: names of other hosts are not even looked up. Pages in the
/// background run like the one in front, for a test has several people on one screen.
const FLAGS: [&str; 16] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
];

/// Runs the browser and ends it when our end of the pipe closes, however we ended.
const WATCH: &str =
    r#""$@" & browser=$!; cat >/dev/null; kill $browser 2>/dev/null; wait $browser 2>/dev/null"#;

impl Browser {
    /// The one browser with fake devices that all tests of this run share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Browser> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start(Devices::Fake).expect("Chromium starts; `cargo xtask test` installs it")
        })
    }

    /// Starts one of one's own.
    ///
    /// # Errors
    /// When there is no Chromium or it does not come up.
    pub fn start(devices: Devices) -> Result<Self> {
        Self::start_with(devices, &[])
    }

    /// Starts one that takes the certificate with this public key, as the browser wants it told: the SHA-256 of the key
    /// in DER form, in base64.
    ///
    /// # Errors
    /// When there is no Chromium or it does not come up.
    pub fn trusting(key: &str) -> Result<Self> {
        let flag = format!("--ignore-certificate-errors-spki-list={key}");
        Self::start_with(Devices::Fake, &[flag])
    }

    fn start_with(devices: Devices, more: &[String]) -> Result<Self> {
        let profile = TempDir::new()?;
        let name = NAMES.iter().find(|name| Command::new(name).arg("--version").output().is_ok());
        let name =
            name.context("there is no Chromium here; on Debian: apt-get install chromium")?;
        let fake: &[&str] = match devices {
            Devices::Fake => &["--use-fake-device-for-media-stream"],
            Devices::None => &[],
        };
        let mut guard = Command::new("sh")
            .args(["-c", WATCH, "sh", name])
            .args(FLAGS.iter().chain(fake))
            .args(more)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start Chromium")?;
        let mut lines = BufReader::new(guard.stderr.take().expect("it is piped")).lines();
        let address = loop {
            let Some(line) = lines.next() else { bail!("Chromium ended before it listened") };
            if let Some((_, address)) = line?.split_once("DevTools listening on ") {
                break address.to_owned();
            }
        };
        // A full pipe would stop the browser: somebody must read on.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let wire = Wire::connect(&address)?;
        // A service worker that had to wait for us would miss what it was started for.
        let filter = ["service_worker", "browser", "tab"]
            .map(|kind| json!({ "type": kind, "exclude": true }));
        let filter = filter.into_iter().chain([json!({})]).collect::<Vec<_>>();
        let attach = json!({
            "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true, "filter": filter,
        });
        wire.call("", "Target.setAutoAttach", attach)?;
        wire.call("", "Target.setDiscoverTargets", json!({ "discover": true }))?;
        Ok(Self { wire, devices, guard, _profile: profile })
    }

    /// Somebody new at this browser, with a profile of their own.
    ///
    /// # Panics
    /// When the browser has gone.
    #[must_use]
    pub fn person(&self, name: &str, screen: Screen) -> Person {
        Person::new(self.wire.clone(), name, screen).expect("the browser takes another profile")
    }

    /// What it has plugged in.
    #[must_use]
    pub fn devices(&self) -> Devices {
        self.devices
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().ok();
    }
}
