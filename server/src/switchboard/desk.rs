//! The thread itself: the broker, and where what it says goes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use broker::{
    Broker, Device, Ending, Farewell, Input, Output, PushId, RequestId, SocketId, Woken, Word,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use wire::live::{FromServer, Seen};
use wire::peerjs::{self, PeerId};
use wire::{Seed, Time};

use super::line::{Limits, PeerLine};
use super::order::Order;
use super::stream::{Full, StreamLine};
use super::tally::Tally;
use super::{Frame, Outcome, text};
use crate::http::peerjs::words;
use crate::push::waker::Wake;

/// How often the desk looks at what is due. The broker's deadlines are seconds away; a message that expires this much
/// late harms nobody, and asking for the next deadline after each message would cost more than this.
const TICK: Duration = Duration::from_millis(50);
/// How often it looks for lines that are silent or take nothing, in ticks.
const SWEEP_TICKS: u32 = 20;
/// The buffer that all lines are read into.
pub(super) const SCRATCH_BYTES: usize = 64 * 1024;
/// Empty buffers that are kept for the next writes. Guess: the lines that are written to in one turn.
const BUFFERS_MAX: usize = 64;
/// The largest buffer that is kept.
const BUFFER_BYTES_MAX: usize = 16 * 1024;

/// Where words for a socket go.
pub(super) enum End {
    /// To the task of a live socket.
    Page(mpsc::Sender<Frame>),
    /// To a PeerJS client's WebSocket.
    Peer(Rc<PeerLine>),
    /// To the answer of a PeerJS client's XHR.
    Stream(Box<StreamLine>),
}

pub(super) struct Desk {
    pub(super) broker: Broker,
    pub(super) limits: Limits,
    pub(super) tally: Tally,
    start: Instant,
    /// The present, as of the beginning of this turn.
    pub(super) now: Instant,
    pub(super) ends: HashMap<SocketId, End>,
    /// Lines that the broker has forgotten, and which are to say goodbye.
    pub(super) leaving: Vec<Rc<PeerLine>>,
    pub(super) answers: HashMap<RequestId, oneshot::Sender<Outcome>>,
    wakes: mpsc::Sender<Wake>,
    pub(super) requests: u64,
    pub(super) scratch: Box<[u8]>,
    pub(super) buffers: Vec<Vec<u8>>,
    /// Lines with something to be written, in this turn.
    dirty: Vec<Rc<PeerLine>>,
    flusher: Waker,
    /// Those who wait until every line has said goodbye.
    pub(super) stopping: Vec<oneshot::Sender<()>>,
    /// Whether the broker is at work; if that is so outside of a turn, it has panicked.
    pub(super) judging: bool,
}

/// Runs the desk until nobody can give orders any more.
///
/// # Panics
///
/// When the broker has panicked: its promises are gone.
pub(super) async fn run(desk: Desk, mut inbox: mpsc::Receiver<Order>) {
    let desk = Rc::new(RefCell::new(desk));
    let mut flusher = tokio::task::spawn_local(flush(desk.clone()));
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks: u32 = 0;
    loop {
        tokio::select! {
            order = inbox.recv() => match order {
                Some(order) => order.carry_out(&desk),
                None => return,
            },
            _ = tick.tick() => {
                ticks = ticks.wrapping_add(1);
                let mut desk = desk.borrow_mut();
                assert!(!desk.judging, "the broker has panicked");
                desk.look_at_clock();
                desk.on_tick();
                if ticks.is_multiple_of(SWEEP_TICKS) || !desk.stopping.is_empty() {
                    desk.sweep();
                }
            }
            // It never ends, unless what it does has panicked.
            broken = &mut flusher => panic!("what is to be written cannot be: {broken:?}"),
        }
    }
}

/// Writes to the lines that have something to be written, after everybody who is ready has been heard: several messages
/// for one client leave in one write.
async fn flush(desk: Rc<RefCell<Desk>>) {
    poll_fn(|cx: &mut Context<'_>| {
        let mut desk = desk.borrow_mut();
        desk.flusher.clone_from(cx.waker());
        desk.flush_dirty();
        Poll::<()>::Pending
    })
    .await;
}

impl Desk {
    pub(super) fn new(
        config: broker::Config,
        limits: Limits,
        seed: Seed,
        tally: Tally,
        wakes: mpsc::Sender<Wake>,
    ) -> Self {
        let now = Instant::now();
        Self {
            broker: Broker::new(config, seed),
            limits,
            tally,
            start: now,
            now,
            ends: HashMap::new(),
            leaving: Vec::new(),
            answers: HashMap::new(),
            wakes,
            requests: 0,
            scratch: vec![0; SCRATCH_BYTES].into(),
            buffers: Vec::new(),
            dirty: Vec::new(),
            flusher: Waker::noop().clone(),
            stopping: Vec::new(),
            judging: false,
        }
    }

    pub(super) fn look_at_clock(&mut self) {
        self.now = Instant::now();
    }

    pub(super) fn time(&self) -> Time {
        Time::at(self.now - self.start)
    }

    fn on_tick(&mut self) {
        let load = self.broker.load();
        let bytes = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        self.tally.peers.set(bytes(load.peers));
        self.tally.letters.set(bytes(load.letters_bytes));
        self.tally.pushes.set(bytes(load.waiting_bytes));
        let now = self.time();
        if self.broker.timeout().is_some_and(|at| at <= now) {
            self.feed(Input::Timeout);
        }
    }

    /// Asks the broker, and does what it says.
    pub(super) fn judge(&mut self, input: Input) -> Result<(), broker::Error> {
        let done = self.ask(input);
        self.drain();
        done
    }

    pub(super) fn feed(&mut self, input: Input) {
        if let Err(error) = self.judge(input) {
            tracing::debug!(%error, "The broker refused an input");
        }
    }

    /// The broker hears something while what it says is being done; what it says to that is done in the same loop.
    pub(super) fn note(&mut self, input: Input) {
        if let Err(error) = self.ask(input) {
            tracing::debug!(%error, "The broker refused an input");
        }
    }

    fn ask(&mut self, input: Input) -> Result<(), broker::Error> {
        self.judging = true;
        let done = self.broker.handle(self.time(), input);
        self.judging = false;
        done
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.broker.poll() {
            match output {
                Output::Push { sockets, push, from, to, text } => {
                    self.write_pages(&sockets, &push_frame(push, &from, &to, &text));
                }
                Output::Receipt { sockets, invite, from } => {
                    let frame = text(&FromServer::Receipt { invite, from: from.into() });
                    self.write_pages(&sockets, &frame);
                }
                Output::Wake { push, from, to, text, left, about } => {
                    let wake = Wake { push, from, to, text, left, about };
                    if self.wakes.try_send(wake).is_err() {
                        tracing::warn!("Too many devices are to be woken at once");
                        self.note(Input::Woken { push, outcome: Woken::Later(None) });
                    }
                }
                Output::Sent { request, outcome, failed } => {
                    let answer = self.answers.remove(&request);
                    if answer.is_some_and(|answer| answer.send((outcome, failed)).is_err()) {
                        tracing::debug!("A sender did not wait for its answer");
                    }
                }
                Output::Dismiss { socket, why } => self.dismiss(socket, why),
                Output::Presence { socket, states } => self.show(socket, &states),
                Output::Tell { socket, word } => self.tell(socket, &word),
                Output::Part { socket, why } => self.part(socket, why),
            }
        }
    }

    fn dismiss(&mut self, socket: SocketId, why: Farewell) {
        // Dropping the line ends the socket's task after this frame; if the line is full, at once.
        if let Some(End::Page(line)) = self.ends.remove(&socket)
            && line.try_send(Frame::Goodbye(why)).is_err()
        {
            tracing::debug!("A dismissed socket did not hear why");
        }
    }

    /// Tells one who watches whether others are reachable.
    fn show(&mut self, socket: SocketId, states: &[(PeerId, bool)]) {
        if let Some(End::Page(_)) = self.ends.get(&socket) {
            let seen = |(name, reachable): &(PeerId, bool)| {
                Some(Seen { user: name.as_str().parse().ok()?, reachable: *reachable })
            };
            let of = states.iter().filter_map(seen).collect();
            return self.write_pages(&[socket], &text(&FromServer::Presence { of }));
        }
        let name = self.broker.name_at(socket).cloned();
        let Some(to) = name else { return };
        for (of, reachable) in states {
            let (of, to, reachable) = (of.as_str(), to.as_str(), *reachable);
            self.tell_peer(socket, &peerjs::FromServer::Presence { of, to, reachable });
        }
    }

    fn write_pages(&mut self, sockets: &[SocketId], frame: &Utf8Bytes) {
        for socket in sockets {
            let Some(End::Page(line)) = self.ends.get(socket) else { continue };
            if line.try_send(Frame::Text(frame.clone())).is_err() {
                tracing::debug!(?socket, "A slow reader is cut off");
                self.tally.slow.inc();
                self.ends.remove(socket);
                self.note(Input::Closed { socket: *socket });
            }
        }
    }

    fn tell(&mut self, socket: SocketId, word: &Word) {
        if matches!(word, Word::Expire { .. }) {
            self.tally.expired.inc();
        }
        self.tell_peer(socket, &words::frame(word));
    }

    /// Writes a frame to a PeerJS client, by whichever way it has.
    pub(super) fn tell_peer(&mut self, socket: SocketId, frame: &peerjs::FromServer<'_>) {
        self.tally.told.inc();
        match self.ends.get(&socket) {
            Some(End::Peer(line)) => {
                let line = line.clone();
                self.say(&line, frame);
            }
            Some(End::Stream(line)) => {
                let mut text = Vec::new();
                frame.write(&mut text);
                text.push(b'\n');
                match line.say(text, self.limits.waiting_bytes_max) {
                    Ok(false) => {}
                    Ok(true) => self.note(Input::Stalled { socket }),
                    Err(Full) => self.cut_off_stream(socket),
                }
            }
            Some(End::Page(_)) | None => {}
        }
    }

    /// The client of a stream does not read.
    pub(super) fn cut_off_stream(&mut self, socket: SocketId) {
        tracing::debug!(?socket, "A slow stream is cut off");
        self.tally.slow.inc();
        self.ends.remove(&socket);
        self.note(Input::Parted { socket, ending: Ending::Lost });
    }

    /// Has a line written to at the end of this turn.
    pub(super) fn mark(&mut self, line: &Rc<PeerLine>) {
        if !line.dirty.replace(true) {
            if self.dirty.is_empty() {
                self.flusher.wake_by_ref();
            }
            self.dirty.push(line.clone());
        }
    }

    fn flush_dirty(&mut self) {
        // Writing lets the broker go on, which marks more lines; a line that takes nothing is not marked again.
        while let Some(line) = self.dirty.pop() {
            line.dirty.set(false);
            self.flush(&line);
        }
    }

    /// Keeps a buffer that was emptied, for the next line.
    pub(super) fn keep(&mut self, mut buffer: Vec<u8>) {
        let fits = (1..=BUFFER_BYTES_MAX).contains(&buffer.capacity());
        if fits && self.buffers.len() < BUFFERS_MAX {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}

/// `{"type":"push","id":…,"data":{"From":…,"To":…,<the message's own members>}}`.
fn push_frame(push: PushId, from: &Device, to: &Device, members: &str) -> Utf8Bytes {
    let quoted = |device: &Device| {
        serde_json::to_string(&device.to_string()).expect("text can always be quoted")
    };
    let (from, to) = (quoted(from), quoted(to));
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"type":"push","id":"{push}","data":{{"From":{from},"To":{to}{comma}{members}}}}}"#)
        .into()
}

#[cfg(test)]
mod tests {
    use wire::Address;

    use super::*;

    #[test]
    fn a_push_is_the_message_with_its_sender_and_its_receiver() {
        let members = r#""method":"DECLINE","ReqId":"000000000000001f""#;

        let frame = push_frame(
            PushId(7),
            &device("al\"ice@x/00000001"),
            &device("bob@x/00000002"),
            members,
        );

        let FromServer::Push { id, data } = serde_json::from_str(&frame).unwrap() else {
            panic!("not a push: {frame}");
        };
        assert_eq!(id, "0000000000000007");
        assert_eq!(data.from.to_string(), "al\"ice@x/00000001");
        assert_eq!(data.to.to_string(), "bob@x/00000002");
        assert_eq!(data.message.method(), "DECLINE");
    }

    fn device(text: &str) -> Device {
        let address: Address = text.parse().expect("an address");
        Device { user: address.user, instance: address.instance.expect("of a device") }
    }
}
