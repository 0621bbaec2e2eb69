//! The connection of one PeerJS client: its socket, what is to be written, and what it may take.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use broker::SocketId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use wire::peerjs::PeerId;

use crate::connections::{self, Seat};
use crate::rate::{Bucket, Rate};
use crate::websocket::{self, Close, Reader};

/// What PeerJS clients may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How fast a client may speak.
    pub(crate) rate: Rate,
    /// The largest message, in bytes. Guess: a hundred usual offers; PeerServer takes 100 MiB.
    pub(crate) message_bytes_max: usize,
    /// Bytes that wait for a client before the broker keeps the rest. Guess: what a phone reads in a second.
    pub(crate) waiting_bytes_max: usize,
    /// How long a client may read nothing while something waits for it. Guess: a phone in a lift.
    pub(crate) write: Duration,
    /// After how much silence a client is pinged. Four of its heartbeats.
    pub(crate) ping: Duration,
    /// How long a client may be silent. PeerServer's `alive_timeout`.
    pub(crate) silence: Duration,
    /// How long a message may take to arrive. Guess: the largest at 10 KB a second.
    pub(crate) message: Duration,
    /// How long a connection that is being closed may take over it. Guess: a round trip, and some.
    pub(crate) farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate: Rate::default(),
            message_bytes_max: 256 * 1024,
            waiting_bytes_max: 64 * 1024,
            write: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(60),
            message: Duration::from_secs(25),
            farewell: Duration::from_secs(2),
        }
    }
}

/// Anything that bytes go over both ways, for example TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What a line goes over. A plain socket is not hidden behind a pointer, for it is the usual case: TLS often ends at a
/// proxy.
pub(crate) enum Wire {
    /// TCP; registered with the runtime of whoever uses it.
    Tcp(std::net::TcpStream),
    /// Something else.
    Other(Box<dyn Stream>),
}

enum Io {
    Tcp(RefCell<TcpStream>),
    Other(RefCell<Box<dyn Stream>>),
}

/// How far a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It talks.
    Open,
    /// The end has been said, and is waited for.
    Closing { since: Instant },
    /// It is over; the task ends.
    Over,
}

/// One line.
pub(super) struct PeerLine {
    pub(super) socket: SocketId,
    /// What its client is called; `None` if it was not let in.
    pub(super) name: Option<PeerId>,
    /// Its place among all that are connected, which may be taken from it; `None` if it was not let in.
    seat: RefCell<Option<Seat>>,
    io: Io,
    /// What has come of a message.
    pub(super) reader: RefCell<Reader>,
    /// What is to be written; empty and without a buffer for nearly all lines at nearly all times.
    out: RefCell<Vec<u8>>,
    /// How much of that has been written.
    written: Cell<usize>,
    /// Whether TLS holds sealed bytes that have not left.
    sealed: Cell<bool>,
    /// Whether it stands in the list of those to be written to.
    pub(super) dirty: Cell<bool>,
    /// Whether the broker keeps what is for it.
    pub(super) stalled: Cell<bool>,
    /// Since when it takes nothing, while something waits.
    pub(super) blocked: Cell<Option<Instant>>,
    pub(super) heard_at: Cell<Instant>,
    /// What it may say yet.
    pub(super) bucket: Cell<Bucket>,
    pub(super) pinged: Cell<bool>,
    /// Since when a message has begun and not ended.
    pub(super) within: Cell<Option<Instant>>,
    pub(super) stage: Cell<Stage>,
    waker: RefCell<Waker>,
}

impl PeerLine {
    pub(super) fn new(
        socket: SocketId,
        name: Option<PeerId>,
        seat: Option<Seat>,
        wire: Wire,
        rate: Rate,
        now: Instant,
    ) -> io::Result<Self> {
        let io = match wire {
            Wire::Tcp(stream) => Io::Tcp(TcpStream::from_std(stream)?.into()),
            Wire::Other(stream) => Io::Other(RefCell::new(stream)),
        };
        Ok(Self {
            socket,
            name,
            seat: RefCell::new(seat),
            io,
            reader: RefCell::default(),
            out: RefCell::default(),
            written: Cell::new(0),
            sealed: Cell::new(false),
            dirty: Cell::new(false),
            stalled: Cell::new(false),
            blocked: Cell::new(None),
            heard_at: Cell::new(now),
            bucket: Cell::new(rate.bucket(now)),
            pinged: Cell::new(false),
            within: Cell::new(None),
            stage: Cell::new(Stage::Open),
            waker: RefCell::new(Waker::noop().clone()),
        })
    }

    /// Notes whom to wake when something happens to the line.
    pub(super) fn wait(&self, cx: &Context<'_>) {
        self.waker.borrow_mut().clone_from(cx.waker());
    }

    /// Lets its task look at it.
    pub(super) fn wake(&self) {
        self.waker.borrow().wake_by_ref();
    }

    /// Frees the place of the client among all that are connected.
    pub(super) fn leave(&self) {
        self.seat.borrow_mut().take();
    }

    /// Resolves when the client has to go.
    pub(super) fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<connections::End> {
        match &mut *self.seat.borrow_mut() {
            Some(seat) => seat.poll_ended(cx),
            None => Poll::Pending,
        }
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(scratch);
        match &self.io {
            // Not `try_read`: this remembers that a read which does not fill the buffer has taken all there was, and
            // saves the one that would find nothing.
            Io::Tcp(stream) => {
                ready!(Pin::new(&mut *stream.borrow_mut()).poll_read(cx, &mut buffer))?;
            }
            Io::Other(stream) => {
                ready!(Pin::new(&mut **stream.borrow_mut()).poll_read(cx, &mut buffer))?;
            }
        }
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Appends to what is to be written. When there is nothing yet, one of `buffers` is used for it.
    pub(super) fn append(&self, buffers: &mut Vec<Vec<u8>>, write: impl FnOnce(&mut Vec<u8>)) {
        let mut out = self.out.borrow_mut();
        if out.capacity() == 0 {
            *out = buffers.pop().unwrap_or_default();
        }
        write(&mut out);
    }

    /// Appends the end. Nothing is to be written after it.
    pub(super) fn append_close(&self, close: Option<Close>, now: Instant) {
        if self.stage.get() == Stage::Open {
            websocket::write_close(&mut self.out.borrow_mut(), close);
            self.stage.set(Stage::Closing { since: now });
        }
    }

    /// Whether the last write could not be finished.
    pub(super) fn is_blocked(&self) -> bool {
        self.sealed.get() || self.waiting() > 0
    }

    /// How many bytes wait to be written.
    pub(super) fn waiting(&self) -> usize {
        self.out.borrow().len() - self.written.get()
    }

    /// Writes what is to be written, as far as it is taken. Returns the buffer when it is empty.
    pub(super) fn flush(&self, now: Instant) -> io::Result<Option<Vec<u8>>> {
        let mut out = self.out.borrow_mut();
        while self.written.get() < out.len() {
            match self.try_write(&out[self.written.get()..]) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.written.set(self.written.get() + count);
                    self.blocked.set(None);
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => {
                    if self.blocked.get().is_none() {
                        self.blocked.set(Some(now));
                    }
                    // What is written already is not kept for as long as it is much.
                    if self.written.get() > out.len() / 2 {
                        out.drain(..self.written.replace(0));
                    }
                    return Ok(None);
                }
            }
        }
        self.written.set(0);
        let is_out = self.push_out()?;
        self.sealed.set(!is_out);
        self.blocked.set(if is_out { None } else { self.blocked.get().or(Some(now)) });
        Ok(Some(std::mem::take(&mut out)))
    }

    /// When nothing is taken, the line's own task is woken once something is.
    fn try_write(&self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let waker = self.waker.borrow();
        let mut cx = Context::from_waker(&waker);
        match &self.io {
            Io::Tcp(stream) => Pin::new(&mut *stream.borrow_mut()).poll_write(&mut cx, bytes),
            Io::Other(stream) => Pin::new(&mut **stream.borrow_mut()).poll_write(&mut cx, bytes),
        }
    }

    /// What TLS has sealed must leave too. False when it cannot yet.
    fn push_out(&self) -> io::Result<bool> {
        let Io::Other(stream) = &self.io else { return Ok(true) };
        let waker = self.waker.borrow();
        let mut cx = Context::from_waker(&waker);
        match Pin::new(&mut **stream.borrow_mut()).poll_flush(&mut cx) {
            Poll::Ready(done) => done.map(|()| true),
            Poll::Pending => Ok(false),
        }
    }
}
