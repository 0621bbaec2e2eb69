//! Clients that mean harm, against the real process: it stays up, its memory stays bounded, and others notice nothing.
#![expect(clippy::print_stdout, reason = "how much was sent is for whoever runs the tests")]

mod floods;
mod frames;
mod raw;
mod requests;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::peerjs::{Kind, Service, Setup, Socket, http};

/// By how many bytes the server's memory may grow under any attack: what may wait in all, as much again for what it is
/// kept in, and the buffers of those who attack.
const GROWTH_MAX: u64 = 192 << 20;

/// How long a server may take to let go of somebody. Guess: its own patience with slow readers, and some.
const PATIENCE: Duration = Duration::from_secs(40);

/// A server, two who talk over it, and how much memory it had then.
struct Scene {
    server: Service,
    pair: [(String, Socket); 2],
    memory: u64,
}

impl Scene {
    fn begin() -> Self {
        Self::with(&Setup::USUAL)
    }

    fn with(setup: &Setup) -> Self {
        let server = Service::start(Kind::Hullo, setup, &[]);
        let pair = ["alice", "bob"].map(|name| (name.to_owned(), enter(&server, name)));
        let memory = server.memory();
        Self { server, pair, memory }
    }

    /// Takes from bob what mallory was free to send him.
    fn drain_of_mallory(&mut self) {
        let [(_, alice), (_, bob)] = &mut self.pair;
        alice.says(&json!({ "type": "CANDIDATE", "payload": "mark", "dst": "bob" }));
        while bob.hears()["payload"] != "mark" {}
    }

    /// Waits until one is no more among those who are there.
    #[track_caller]
    fn is_gone(&self, name: &str) {
        let end = Instant::now() + PATIENCE;
        let url = format!("{}/peerjs/peers", self.server.origin);
        while http::get(&url).json().as_array().is_some_and(|all| all.contains(&json!(name))) {
            assert!(Instant::now() < end, "{name} is still there after {PATIENCE:?}");
            std::thread::yield_now();
        }
    }

    /// The two still talk, somebody new can come, and memory is in bounds.
    #[track_caller]
    fn is_unharmed(&mut self, after: &str) {
        for _ in 0..2 {
            self.pair.reverse();
            let [(from_id, from), (to_id, to)] = &mut self.pair;
            let payload = json!({ "after": after });
            from.says(&json!({ "type": "OFFER", "payload": payload, "dst": to_id }));
            let heard =
                json!({ "type": "OFFER", "src": from_id, "dst": to_id, "payload": payload });
            assert_eq!(to.hears(), heard, "after {after}");
        }
        enter(&self.server, "newcomer").leaves();
        let grown = self.server.memory().saturating_sub(self.memory);
        assert!(grown <= GROWTH_MAX, "after {after} it has {grown} bytes more");
    }
}

fn enter(server: &Service, id: &str) -> Socket {
    let address = server.origin.trim_start_matches("http://");
    let mut socket = Socket::open(address, &format!("/peerjs?key=peerjs&id={id}&token=t"));
    assert_eq!(socket.hears(), open(), "{id}");
    socket
}

fn open() -> Value {
    json!({ "type": "OPEN" })
}
