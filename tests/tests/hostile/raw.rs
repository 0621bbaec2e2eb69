//! A connection on which anything can be said, right or wrong.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use tests::peerjs::Service;

/// How long a server may take to end what it will not have. Guess: its own patience with slow heads, and some.
const PATIENCE: Duration = Duration::from_secs(40);

/// The connection.
pub(crate) struct Raw(TcpStream);

impl Raw {
    /// Connects, and says nothing yet.
    pub(crate) fn connect(to: &Service) -> Self {
        let stream = TcpStream::connect(to.origin.trim_start_matches("http://"));
        let stream = stream.expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket takes a timeout");
        Self(stream)
    }

    /// Connects as a client of PeerJS, and is let in.
    pub(crate) fn enter(to: &Service, id: &str) -> Self {
        let mut raw = Self::connect(to);
        let head = format!(
            "GET /peerjs?key=peerjs&id={id}&token=t HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        raw.asks(&head);
        raw
    }

    /// Connects as a client that has no socket, and is let in.
    pub(crate) fn enter_by_stream(to: &Service, id: &str) -> Self {
        let mut raw = Self::connect(to);
        let head = format!(
            "POST /peerjs/{id}/t/id?i=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        raw.asks(&head);
        raw
    }

    /// Sends a request, and reads until it is open.
    fn asks(&mut self, head: &str) {
        assert!(self.says(head.as_bytes()), "a server that is there takes a request");
        let mut come = Vec::new();
        while !come.windows(6).any(|word| word == b"\"OPEN\"") {
            let mut buffer = [0; 1024];
            let length = self.0.read(&mut buffer).expect("an answer");
            assert!(length > 0, "not let in: {}", String::from_utf8_lossy(&come));
            come.extend_from_slice(&buffer[..length]);
        }
    }

    /// Sends bytes; whether the server still took them.
    pub(crate) fn says(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Has no more to say, but listens.
    pub(crate) fn falls_silent(&self) {
        // Whoever is cut off already has no more to say either.
        self.0.shutdown(Shutdown::Write).ok();
    }

    /// Waits until the server ends the connection, and gives what it said until then.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub(crate) fn ends(mut self) -> Vec<u8> {
        let mut come = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) => return come,
                Ok(length) => come.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("it is still there after {PATIENCE:?}, having said {come:?}")
                }
                // Cut off.
                Err(_) => return come,
            }
        }
    }

    /// Reads and forgets all that comes, on a thread of its own, until the end.
    pub(crate) fn listens_apart(&self) {
        let mut apart = self.0.try_clone().expect("a socket can be shared");
        std::thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            while apart.read(&mut buffer).is_ok_and(|length| length > 0) {}
        });
    }
}

/// A frame of a client: the first byte as given, masked as it must be.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(first, 0x80, payload.len() as u64);
    // A mask of zeros is a mask.
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// A text in one frame.
pub(crate) fn text(words: &str) -> Vec<u8> {
    frame(0x81, words.as_bytes())
}

/// The head of a frame, up to its mask.
pub(crate) fn head(first: u8, masked: u8, length: u64) -> Vec<u8> {
    let mut head = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..=125), _) => head.push(masked | length),
        (_, Ok(length)) => {
            head.push(masked | 126);
            head.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            head.push(masked | 127);
            head.extend_from_slice(&length.to_be_bytes());
        }
    }
    head
}
