//! As much of HTTP/1.1 as the clients of push services speak.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The largest request that is read. What the standards allow is far smaller.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, with the query.
    pub path: String,
    /// By lower-case names.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// What a header says, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, beside those that every answer has.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// One without further headers.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

/// Lets nobody go on before so many have come.
#[derive(Default)]
pub(crate) struct Gate {
    /// How many are waited for, and how many have come.
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn wait_for(&self, many: usize) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (many, 0);
    }

    /// Comes, and waits for the others; false when they do not come while a push is worth waiting for.
    pub(crate) fn pass(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 += 1;
        self.changed.notify_all();
        let lacks = |state: &mut (usize, usize)| state.1 < state.0;
        let waited = self.changed.wait_timeout_while(state, Duration::from_secs(6), lacks);
        waited.is_ok_and(|(_, timed)| !timed.timed_out())
    }
}

/// Listens on a port that the system chose until it is dropped.
pub struct Listener {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

impl Listener {
    /// Starts one that answers so.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let (is_over, connections) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (over, counted, answer) = (is_over.clone(), Arc::clone(&connections), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                // Whoever leaves early is told by its own test.
                thread::spawn(move || serve(&stream, &*answer).ok());
            }
        });
        Self { address, is_over, connections }
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often somebody connected.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // It waits for the next connection: this is the last.
        TcpStream::connect(self.address).ok();
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(&Request) -> Answer) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let mut request = Request {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok());
    request.body = vec![0; length.unwrap_or(0_usize).min(BODY_BYTES_MAX)];
    reader.read_exact(&mut request.body)?;

    let Answer { status, headers, body } = answer(&request);
    let mut text = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let mut stream = stream;
    stream.write_all(text.as_bytes())
}
