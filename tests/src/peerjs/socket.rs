//! A client's socket, spoken to message by message.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, HandshakeError, Message, WebSocket, client};

/// How long to wait for a message. Guess: longer than any server of these tests takes for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// The socket.
pub struct Socket(WebSocket<TcpStream>);

/// How a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a close frame, which may name a code.
    Closed(Option<u16>),
    /// Without one: the connection was cut.
    Cut,
}

impl Socket {
    /// Connects. `address` is `host:port`, `target` the path with its query.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn open(address: &str, target: &str) -> Self {
        Self::try_open(address, target, &[])
            .unwrap_or_else(|status| panic!("{target}: refused with {status}"))
    }

    /// Connects, with more headers.
    ///
    /// # Errors
    /// The status of HTTP with which the server refuses.
    ///
    /// # Panics
    /// When there is no server.
    pub fn try_open(address: &str, target: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes a timeout");
        stream.set_nodelay(true).expect("a socket takes an option");
        let mut request = format!("ws://{address}{target}")
            .into_client_request()
            .expect("an address of a socket");
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).expect("a name of a header");
            request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        match client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
            Err(error) => panic!("{target}: {error}"),
        }
    }

    /// Says something.
    ///
    /// # Panics
    /// When the socket is closed.
    pub fn says(&mut self, message: &Value) {
        self.says_text(&message.to_string());
    }

    /// Says something that need not be JSON.
    ///
    /// # Panics
    /// When the socket is closed.
    pub fn says_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).expect("the socket is open");
    }

    /// Says something in a binary frame.
    ///
    /// # Panics
    /// When the socket is closed.
    pub fn says_bytes(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).expect("the socket is open");
    }

    /// The next message.
    ///
    /// # Panics
    /// When none comes, or the socket is closed instead.
    #[track_caller]
    pub fn hears(&mut self) -> Value {
        let text = self.hears_text();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    /// The next message, to the letter.
    ///
    /// # Panics
    /// When none comes, or the socket is closed instead.
    #[track_caller]
    pub fn hears_text(&mut self) -> String {
        self.listens().unwrap_or_else(|end| panic!("no message but {end:?}"))
    }

    /// Waits for the server to close it.
    ///
    /// # Panics
    /// When a message comes instead, or nothing.
    #[track_caller]
    pub fn closes(&mut self) -> End {
        match self.listens() {
            Ok(text) => panic!("not closed but {text}"),
            Err(end) => end,
        }
    }

    /// Answers nothing any more, not even pings, and waits until the server has cut it off.
    ///
    /// # Panics
    /// When the server does not.
    #[track_caller]
    pub fn is_cut_off(self) {
        let mut stream = self.0.get_ref();
        let mut buffer = [0; 1024];
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            match stream.read(&mut buffer) {
                Ok(0) => return,
                // The first byte of a close frame: it is told, and the rest is a matter of time.
                Ok(_) if buffer[0] == 0x88 => return,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return,
                Ok(_) => {}
            }
        }
        panic!("still there after {PATIENCE:?}");
    }

    /// How it ended, if it did so while we listened for this long. What comes meanwhile is passed over.
    ///
    /// # Panics
    /// When the socket takes no timeout.
    pub fn ends_within(&mut self, time: Duration) -> Option<End> {
        let stream = self.0.get_ref();
        stream.set_read_timeout(Some(time)).expect("a socket takes a timeout");
        let ended = loop {
            match self.read() {
                Ok(_) => {}
                Err(Silence::Ended(end)) => break Some(end),
                Err(Silence::Lasts) => break None,
            }
        };
        self.0.get_ref().set_read_timeout(Some(PATIENCE)).expect("a socket takes a timeout");
        ended
    }

    /// Is gone without a word, as when a network is lost and the system ends the connection.
    pub fn breaks_off(self) {
        drop(self);
    }

    /// Closes it and waits until the server has closed too.
    pub fn leaves(mut self) {
        self.0.close(None).ok();
        while self.listens().is_ok() {}
    }

    /// The next message, or how the socket ended.
    ///
    /// # Errors
    /// The end.
    ///
    /// # Panics
    /// When nothing happens.
    #[track_caller]
    pub fn listens(&mut self) -> Result<String, End> {
        match self.read() {
            Ok(text) => Ok(text),
            Err(Silence::Ended(end)) => Err(end),
            Err(Silence::Lasts) => panic!("nothing in {PATIENCE:?}"),
        }
    }

    #[track_caller]
    fn read(&mut self) -> Result<String, Silence> {
        // Pings of the server are no news.
        let end = Instant::now() + PATIENCE;
        loop {
            if Instant::now() >= end {
                return Err(Silence::Lasts);
            }
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(text.as_str().to_owned()),
                Ok(Message::Close(frame)) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    return Err(Silence::Ended(End::Closed(code)));
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Binary(bytes)) => panic!("{} bytes that are no text", bytes.len()),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(Silence::Lasts);
                }
                Err(_) => return Err(Silence::Ended(End::Cut)),
            }
        }
    }
}

/// Why there is no message.
enum Silence {
    /// Nothing came in time.
    Lasts,
    /// Nothing will come.
    Ended(End),
}
