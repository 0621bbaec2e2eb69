//! The harness of the end-to-end tests: real browsers, the real server, and people who use them.
//!
//! A test reads like a story. It opens a house, lets people press buttons that they find as a screen reader would, by
//! role and name, and says what they must see and hear in the end:
//!
//! ```text
//!   Server    the real `hullo`, its own data, a port the system chose; killed and started again at will
//!   Browser   one Chromium for all tests of a run
//!    └ Person    a profile of it: own cookies and storage, a screen, permissions
//!       └ Page      a tab: controls, text, media, screenshots, accessibility
//!          └ Record    what it said on the console and whom it called
//!       └ Worker    the service worker of a site, and what it shows
//!   Provider  a real OpenID Connect provider, and a person who logs in there
//!   MailServer  a real mail server, and what arrived there
//!   Hullo     the real `hullo` with any flags
//!   push      the vendors of push messages, stood in for
//!   peerjs    what PeerJS clients need, held against PeerServer and ours
//! ```
//!
//! Chromium is driven by its own protocol (CDP) and not through WebDriver. One WebSocket client of some hundred lines
//! speaks it now and can speak WebDriver BiDi to Firefox later, both being JSON over one socket. A person is a context
//! of a browser that runs already, which costs milliseconds and little memory, where a WebDriver session is a whole
//! browser: on two cores that decides whether three people fit into one test. And what WebDriver lacks is needed
//! anyway: denied devices, other people's colours, the accessibility tree, the requests of a page.
//!
//! The harness blocks. A test is one person after the other, so futures would only add words; the socket has a thread
//! of its own.
//!
//! **Invariant:** nothing sleeps. Who waits, waits for the browser to say something, looks again, and gives up at a
//! deadline with a description of what is there instead (see `wait.rs`).
//! **Invariant:** nothing of the harness is in the page but `witness.js`, which only notes peer connections and times;
//! the accessibility checker runs in a world of its own, so the content security policy stays in force.
//! **Invariant:** no test shares a server, a profile or a port with another one.
//! **Invariant:** when the tests die, so do the browser and the servers: both watch our end of a pipe.
//!
//! Limits: Chromium only, so far. `Network.emulateNetworkConditions` does not touch WebRTC, so bad networks belong to
//! the simulator.
//!
//! Sources: <https://chromedevtools.github.io/devtools-protocol/>, <https://w3c.github.io/webdriver-bidi/>,
//! <https://github.com/dequelabs/axe-core/blob/develop/doc/API.md>.
#![expect(clippy::print_stderr, reason = "a failed test tells what the browser showed")]

mod axe;
mod browser;
mod cdp;
mod control;
mod guard;
mod hullo;
mod mail;
mod media;
mod page;
pub mod peerjs;
mod person;
pub mod provider;
pub mod push;
mod record;
mod server;
mod wait;
mod worker;

pub use browser::{Browser, Devices};
pub use control::Control;
pub use hullo::Hullo;
pub use mail::{Mail, MailServer};
pub use media::Media;
pub use page::Page;
pub use person::{Look, Person, Screen};
pub use provider::Provider;
pub use record::Record;
pub use server::Server;
pub use wait::{PATIENCE, eventually, within};
pub use worker::{Notification, Worker};

use std::path::PathBuf;

/// The folder that cargo builds into.
#[must_use]
pub fn target_dir() -> PathBuf {
    profile_dir().parent().expect("a profile's folder lies in the target folder").to_owned()
}

/// The folder of what npm brought.
fn npm_dir() -> PathBuf {
    target_dir().join("npm/node_modules")
}

/// The folder of the built programs: this program lies in `<target>/<profile>`, or in `deps` there if it is a test.
fn profile_dir() -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    let folder = program.parent().expect("a program lies in a folder");
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    profile.expect("tests lie in <target>/<profile>/deps").to_owned()
}
