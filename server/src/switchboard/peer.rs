//! What happens on the line of a PeerJS client: it is read, answered, written to, and closed with a reason.

use std::cell::RefCell;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll};

use broker::{Ending, Farewell, Input, SocketId};
use tokio::sync::oneshot;
use tokio::time::Instant;
use wire::peerjs::{self, FromPeer, FromServer, PeerId};

use super::Refused;
use super::desk::{Desk, End, SCRATCH_BYTES};
use super::line::{PeerLine, Stage};
use crate::connections;
use crate::http::peerjs::words;
use crate::websocket::{self, Close, Message};

/// How often a line is read before others have their turn.
const READS: usize = 4;

/// Lets a client in that has a WebSocket, and starts the task of its line.
pub(super) fn join(
    desk: &Rc<RefCell<Desk>>,
    input: Result<Input, Refused>,
    line: PeerLine,
    mut sent: Vec<u8>,
) {
    let line = Rc::new(line);
    let socket = line.socket;
    let mut at = desk.borrow_mut();
    // The line is there before what waits for the client goes out.
    at.ends.insert(socket, End::Peer(line.clone()));
    let judged = input.and_then(|input| at.judge(input).map_err(|error| words::refused(&error)));
    match judged {
        Ok(()) => {
            at.tally.joined.inc();
            at.hear(&line, &mut sent);
        }
        Err(refused) => {
            at.tally.refuse(refused.reason);
            at.ends.remove(&socket);
            at.refuse(&line, &refused);
        }
    }
    at.flush(&line);
    drop(at);
    tokio::task::spawn_local(attend(desk.clone(), line));
}

/// The task of a line, until it is over. A panic ends the line; one of the broker ends the desk too, at its next tick.
async fn attend(desk: Rc<RefCell<Desk>>, line: Rc<PeerLine>) {
    poll_fn(|cx| {
        let turn = AssertUnwindSafe(|| desk.borrow_mut().turn(&line, cx));
        catch_unwind(turn).unwrap_or_else(|_| {
            tracing::error!("A PeerJS client's line panicked");
            desk.borrow_mut().on_panic(&line);
            Poll::Ready(())
        })
    })
    .await;
}

impl Desk {
    fn turn(&mut self, line: &Rc<PeerLine>, cx: &mut Context<'_>) -> Poll<()> {
        self.look_at_clock();
        line.wait(cx);
        if let Poll::Ready(why) = line.poll_ended(cx) {
            self.send_away(line, why);
        }
        if line.is_blocked() {
            self.flush(line);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut done = None;
        for _ in 0..READS {
            if line.stage.get() == Stage::Over {
                done = Some(Poll::Ready(()));
                break;
            }
            match line.poll_read(cx, &mut scratch) {
                Poll::Ready(Ok(count @ 1..)) => self.hear(line, &mut scratch[..count]),
                Poll::Ready(Ok(0) | Err(_)) => self.end(line, Ending::Lost),
                Poll::Pending => {
                    done = Some(Poll::Pending);
                    break;
                }
            }
        }
        self.scratch = scratch;
        done.unwrap_or_else(|| {
            line.wake();
            Poll::Pending
        })
    }

    /// Its session is over, or the operator ended it: it does not blink, it is gone.
    fn send_away(&mut self, line: &Rc<PeerLine>, why: connections::End) {
        let (close, complaint) = words::sent_away(why);
        let was_known = self.ends.remove(&line.socket).is_some();
        self.close(line, close, Some(complaint));
        if was_known {
            self.feed(Input::Parted { socket: line.socket, ending: Ending::Left });
        }
    }

    fn on_panic(&mut self, line: &Rc<PeerLine>) {
        self.scratch = vec![0; SCRATCH_BYTES].into();
        if !self.judging {
            self.end(line, Ending::Lost);
        }
    }

    /// Bytes have come.
    fn hear(&mut self, line: &Rc<PeerLine>, bytes: &mut [u8]) {
        line.heard_at.set(self.now);
        line.pinged.set(false);
        let mut reader = std::mem::take(&mut *line.reader.borrow_mut());
        let read = reader.read(self.limits.message_bytes_max, bytes, |message| {
            self.on_message(line, &message);
            if line.stage.get() == Stage::Over {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        let since = line.within.get().or(Some(self.now));
        line.within.set(since.filter(|_| reader.is_within_a_message()));
        *line.reader.borrow_mut() = reader;
        if let Err(fault) = read {
            self.tally.malformed.inc();
            self.close(line, fault.close(), None);
        }
    }

    fn on_message(&mut self, line: &Rc<PeerLine>, message: &Message<'_>) {
        let is_open = line.stage.get() == Stage::Open;
        match message {
            Message::Data(bytes) if is_open => self.on_data(line, bytes),
            Message::Ping(payload) if is_open => {
                line.append(&mut self.buffers, |out| websocket::write_pong(out, payload));
                self.mark(line);
            }
            Message::Data(_) | Message::Ping(_) | Message::Pong => {}
            Message::Close(code) => {
                let ending = match code {
                    Some(1001) => Ending::PageGone,
                    Some(_) | None => Ending::Disconnected,
                };
                line.append_close(None, self.now);
                self.flush(line);
                self.end(line, ending);
            }
        }
    }

    fn on_data(&mut self, line: &Rc<PeerLine>, bytes: &[u8]) {
        let mut bucket = line.bucket.get();
        let has_room = bucket.take(self.now);
        line.bucket.set(bucket);
        if !has_room {
            self.tally.hasty.inc();
            let close = Close { code: 1008, reason: "Too many messages" };
            let complaint = "You send more messages in a second than this server takes. Send fewer";
            return self.close(line, close, Some(complaint));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.tally.malformed.inc();
            let close = Close { code: 1007, reason: "Messages are text in UTF-8" };
            return self.close(
                line,
                close,
                Some("The server cannot read a message that is not UTF-8"),
            );
        };
        let signal = match peerjs::read(text) {
            Ok(FromPeer::Signal(signal)) => signal,
            Ok(FromPeer::Gone) => {
                return self.feed(Input::Parted { socket: line.socket, ending: Ending::Left });
            }
            Ok(FromPeer::Heartbeat | FromPeer::Ignored) => return,
            Ok(FromPeer::Watch(ids)) => return self.watch(line.socket, &ids),
            Ok(FromPeer::Unwatch(ids)) => return self.unwatch(line.socket, &ids),
            Err(error) => {
                self.tally.malformed.inc();
                let complaint = format!("The server does not understand a message: the {error}");
                let close = Close { code: 1008, reason: "That is no message of PeerJS" };
                return self.close(line, close, Some(&complaint));
            }
        };
        self.tally.said.inc();
        let socket = line.socket;
        match words::signal(&signal) {
            Ok(signal) => self.feed(Input::Said { socket, signal }),
            // Nobody can have that name, so it is said at once.
            Err(_) => {
                let to = line.name.as_ref().map_or("", PeerId::as_str);
                self.write(line, &FromServer::Expire { from: &signal.to, to });
            }
        }
    }

    /// A client wants to know whether these are reachable. An id that cannot be one is nobody's.
    pub(super) fn watch(&mut self, socket: SocketId, ids: &[String]) {
        if let Err(error) = self.judge(Input::Watch { socket, names: names(ids) }) {
            // No ERROR, by which a client would think that it was cut off.
            let message = words::refused(&error).message;
            self.tell_peer(socket, &FromServer::NotWatched { message: &message });
        }
    }

    pub(super) fn unwatch(&mut self, socket: SocketId, ids: &[String]) {
        self.feed(Input::Unwatch { socket, names: names(ids) });
    }

    /// Writes what the broker says.
    pub(super) fn say(&mut self, line: &Rc<PeerLine>, frame: &FromServer<'_>) {
        self.write(line, frame);
        if line.waiting() > self.limits.waiting_bytes_max && !line.stalled.replace(true) {
            // What the broker says to that goes out in the loop that called us.
            self.note(Input::Stalled { socket: line.socket });
        }
    }

    fn write(&mut self, line: &Rc<PeerLine>, frame: &FromServer<'_>) {
        if line.stage.get() != Stage::Open {
            return;
        }
        let write = |out: &mut Vec<u8>| websocket::write_text(out, |out| frame.write(out));
        line.append(&mut self.buffers, write);
        self.mark(line);
    }

    /// Writes what is to be written to a line, and tells the broker when that takes more again.
    pub(super) fn flush(&mut self, line: &Rc<PeerLine>) {
        match line.flush(self.now) {
            Ok(Some(buffer)) => {
                self.keep(buffer);
                if line.stalled.replace(false) {
                    self.feed(Input::Flowing { socket: line.socket });
                }
            }
            Ok(None) => {}
            Err(_) => self.end(line, Ending::Lost),
        }
    }

    /// The broker lets go of a line.
    pub(super) fn part(&mut self, socket: SocketId, why: Farewell) {
        match self.ends.remove(&socket) {
            Some(End::Peer(line)) => {
                let (close, complaint) = words::farewell(why);
                self.close(&line, close, complaint);
            }
            Some(End::Stream(line)) => {
                if let (_, Some(message)) = words::farewell(why) {
                    let mut text = Vec::new();
                    FromServer::Error { message }.write(&mut text);
                    text.push(b'\n');
                    // If it is full, its client reads too slowly to hear why.
                    line.say(text, usize::MAX).ok();
                }
            }
            Some(End::Page(_)) | None => {}
        }
    }

    /// A newcomer hears why it cannot come in, as PeerServer says it.
    fn refuse(&mut self, line: &Rc<PeerLine>, refused: &Refused) {
        let message = refused.message.as_str();
        let frame = if refused.taken {
            FromServer::IdTaken { message }
        } else {
            FromServer::Error { message }
        };
        self.write(line, &frame);
        let close = Close { code: 1008, reason: "Refused; the message before this says why" };
        self.close(line, close, None);
    }

    /// Says the end to a client, with a message before it if the client should show one.
    pub(super) fn close(&mut self, line: &Rc<PeerLine>, close: Close, complaint: Option<&str>) {
        if line.stage.get() != Stage::Open {
            return;
        }
        if let Some(message) = complaint {
            self.write(line, &FromServer::Error { message });
        }
        line.append_close(Some(close), self.now);
        line.leave();
        self.mark(line);
        self.leaving.push(line.clone());
        if self.ends.remove(&line.socket).is_some() {
            self.note(Input::Parted { socket: line.socket, ending: Ending::Lost });
        }
    }

    /// A line is over.
    fn end(&mut self, line: &Rc<PeerLine>, ending: Ending) {
        line.stage.set(Stage::Over);
        line.leave();
        line.wake();
        if self.ends.remove(&line.socket).is_some() {
            self.feed(Input::Parted { socket: line.socket, ending });
        }
    }

    /// Looks at all lines: who is silent, who takes nothing, who does not go.
    pub(super) fn sweep(&mut self) {
        for line in self.peer_lines() {
            self.look_at(&line);
        }
        for socket in self.stuck_streams() {
            self.cut_off_stream(socket);
        }
        self.drain();
        let (now, farewell) = (self.now, self.limits.farewell);
        let mut leaving = std::mem::take(&mut self.leaving);
        leaving.retain(|line| {
            if matches!(line.stage.get(), Stage::Closing { since } if now - since > farewell) {
                line.stage.set(Stage::Over);
                line.wake();
            }
            line.stage.get() != Stage::Over
        });
        self.leaving = leaving;
        if self.leaving.is_empty() {
            for answer in self.stopping.drain(..) {
                answer.send(()).ok();
            }
        }
    }

    /// Streams whose clients have taken nothing for too long.
    #[expect(clippy::iter_over_hash_type, reason = "each is looked at by itself")]
    fn stuck_streams(&self) -> Vec<SocketId> {
        let mut stuck = Vec::new();
        for (socket, end) in &self.ends {
            if let End::Stream(line) = end
                && line.is_stuck(self.limits.write, self.now)
            {
                stuck.push(*socket);
            }
        }
        stuck
    }

    fn look_at(&mut self, line: &Rc<PeerLine>) {
        let silent = self.now - line.heard_at.get();
        let is_stuck = |since: Instant| self.now - since > self.limits.write;
        if line.blocked.get().is_some_and(is_stuck) {
            tracing::debug!("A slow reader is cut off");
            self.tally.slow.inc();
            self.end(line, Ending::Lost);
        } else if line.within.get().is_some_and(|since| self.now - since > self.limits.message) {
            self.tally.malformed.inc();
            self.close(
                line,
                Close { code: 1008, reason: "A message took too long to arrive" },
                None,
            );
        } else if silent > self.limits.silence {
            self.tally.silent.inc();
            self.close(line, Close { code: 1001, reason: "Nothing was heard for too long" }, None);
        } else if silent > self.limits.ping && !line.pinged.replace(true) {
            line.append(&mut self.buffers, websocket::write_ping);
            self.mark(line);
        }
    }

    /// Closes every line.
    pub(super) fn stop(&mut self, answer: oneshot::Sender<()>) {
        for line in self.peer_lines() {
            self.close(&line, Close { code: 1001, reason: "The server is stopping" }, None);
        }
        // An answer of HTTP ends when nothing more can come.
        self.ends.retain(|_, end| !matches!(end, End::Stream(..)));
        self.stopping.push(answer);
    }

    /// Every line, in no order that matters.
    #[expect(clippy::iter_over_hash_type, reason = "each line is looked at by itself")]
    fn peer_lines(&self) -> Vec<Rc<PeerLine>> {
        let mut lines = Vec::new();
        for end in self.ends.values() {
            if let End::Peer(line) = end {
                lines.push(line.clone());
            }
        }
        lines
    }
}

fn names(ids: &[String]) -> Vec<PeerId> {
    ids.iter().filter_map(|id| id.parse().ok()).collect()
}
