//! What a server must do so that unmodified PeerJS works: cases for any URL, and a table of deliberate differences.
//!
//! A case is either alike on every server, or a *difference*: then it says what PeerServer does, what Hullo does and
//! why, and proves both. A difference that is not in the table cannot be tested, and one that is not tested cannot be
//! in the table, because the row and the test are one value.

mod connecting;
mod lasting;
mod relaying;
mod requests;
mod streams;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::http::{self, Answer};
use super::{Kind, Service, Setup, Socket};

/// One thing that a server must do.
pub struct Case {
    /// A sentence, as a name.
    pub name: &'static str,
    /// How the server must be set up.
    pub setup: Setup,
    /// Which PeerServer it is proven on.
    pub reference: Kind,
    proof: Proof,
}

enum Proof {
    Alike(fn(&Target)),
    Differs(fn(&Either<'_>), Difference),
}

/// Where Hullo differs from PeerServer on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// What happens to whom.
    pub when: &'static str,
    /// What PeerServer does then.
    pub peerserver: &'static str,
    /// What Hullo does.
    pub hullo: &'static str,
    /// Why, and why unmodified clients do not mind.
    pub why: &'static str,
}

impl Case {
    const fn alike(name: &'static str, setup: Setup, proof: fn(&Target)) -> Self {
        Self { name, setup, reference: Kind::PeerServer, proof: Proof::Alike(proof) }
    }

    const fn differs(
        name: &'static str,
        setup: Setup,
        row: Difference,
        proof: fn(&Either<'_>),
    ) -> Self {
        Self { name, setup, reference: Kind::PeerServer, proof: Proof::Differs(proof, row) }
    }

    /// The same case, proven on the last PeerServer that streamed over HTTP.
    const fn with_xhr(self) -> Self {
        Self { reference: Kind::WithXhr, ..self }
    }

    /// The row of the table, if it is a difference.
    #[must_use]
    pub fn difference(&self) -> Option<&Difference> {
        match &self.proof {
            Proof::Alike(_) => None,
            Proof::Differs(_, row) => Some(row),
        }
    }

    /// Whether it says the same of every server.
    #[must_use]
    pub fn is_alike(&self) -> bool {
        self.difference().is_none()
    }

    /// Proves it on a server.
    ///
    /// # Panics
    /// When the server does something else.
    pub fn prove(&self, target: &Target) {
        match &self.proof {
            Proof::Alike(proof) => proof(target),
            Proof::Differs(proof, _) => proof(&Either(target)),
        }
    }
}

/// All cases, by theme.
#[must_use]
pub fn cases() -> Vec<&'static Case> {
    let themes = [
        requests::CASES,
        connecting::CASES,
        relaying::CASES,
        waiting::CASES,
        lasting::CASES,
        streams::CASES,
    ];
    themes.into_iter().flatten().collect()
}

/// The table of differences, as the documentation shows it.
#[must_use]
pub fn table() -> String {
    let mut table = "| when | PeerServer | Hullo | why |\n|---|---|---|---|\n".to_owned();
    for row in cases().into_iter().filter_map(Case::difference) {
        let cells = [row.when, row.peerserver, row.hullo, row.why];
        table.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    table
}

/// A server under test, as a client sees it.
pub struct Target {
    /// `host:port`
    address: String,
    setup: Setup,
    is_hullo: bool,
    _service: Option<Arc<Service>>,
}

impl Target {
    /// One that we start, or have started.
    #[must_use]
    pub fn ours(kind: Kind, setup: &Setup) -> Self {
        let service = Service::shared(kind, setup);
        let address = service.origin.trim_start_matches("http://").to_owned();
        Self {
            address,
            setup: setup.clone(),
            is_hullo: kind == Kind::Hullo,
            _service: Some(service),
        }
    }

    /// One that runs somewhere, as it comes out of the box; `address` is `host:port`.
    #[must_use]
    pub fn foreign(address: &str) -> Self {
        let address = address.to_owned();
        Self { address, setup: Setup::USUAL, is_hullo: false, _service: None }
    }

    /// The address of a route, such as `peerjs/id`, below the server's path.
    fn url(&self, route: &str) -> String {
        format!("http://{}{}{route}", self.address, self.setup.path)
    }

    fn get(&self, route: &str) -> Answer {
        http::get(&self.url(route))
    }

    /// A socket with this query, of which nothing is known yet.
    fn socket(&self, query: &str) -> Socket {
        Socket::open(&self.address, &format!("{}peerjs?{query}", self.setup.path))
    }

    /// A socket of somebody with this token.
    fn knock(&self, id: &str, token: &str) -> Socket {
        self.socket(&format!("key={}&id={id}&token={token}", self.setup.key))
    }

    /// Somebody who has been let in.
    #[track_caller]
    fn enter(&self, id: &str, token: &str) -> Socket {
        let mut socket = self.knock(id, token);
        assert_eq!(socket.hears(), open());
        socket
    }

    /// Somebody new, let in.
    #[track_caller]
    fn guest(&self, name: &str) -> (String, Socket) {
        let id = fresh(name);
        let socket = self.enter(&id, "token");
        (id, socket)
    }
}

/// A server of which it matters whose it is.
struct Either<'a>(&'a Target);

impl Either<'_> {
    /// What is to be expected of whom.
    fn choose<T>(&self, peerserver: T, hullo: T) -> T {
        if self.0.is_hullo { hullo } else { peerserver }
    }

    fn is_hullo(&self) -> bool {
        self.0.is_hullo
    }
}

impl std::ops::Deref for Either<'_> {
    type Target = Target;

    fn deref(&self) -> &Target {
        self.0
    }
}

/// An id that nobody has, in this run or a run beside it.
fn fresh(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn open() -> Value {
    json!({ "type": "OPEN" })
}

/// A message of any type, with a number to know it by.
fn message(kind: &str, dst: &str, number: u32) -> Value {
    json!({ "type": kind, "payload": { "n": number }, "dst": dst })
}

/// The same as it arrives.
fn arrived(kind: &str, src: &str, dst: &str, number: u32) -> Value {
    json!({ "type": kind, "src": src, "dst": dst, "payload": { "n": number } })
}

/// Asserts that nothing has come: what somebody says to themselves is the next that they hear.
#[track_caller]
fn assert_silent(id: &str, socket: &mut Socket) {
    socket.says(&message("CANDIDATE", id, 4711));
    assert_eq!(socket.hears(), arrived("CANDIDATE", id, id, 4711));
}
