//! The one task that owns the broker. Everything else reaches it by a bounded channel.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use broker::{Broker, Device, Input, Output, Parcel, PushId, RequestId, SocketId, Unsent};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use wire::live::FromServer;
use wire::{Address, Seed, Time};

use crate::error::ApiError;

/// Orders that wait for the broker; then whoever gives them waits. Guess.
const ORDERS_MAX: usize = 1_024;
/// Frames that wait for one socket; a reader that is slower is cut off. Guess: a burst of invites and their cancels.
const FRAMES_MAX: usize = 64;

/// What a socket's task writes.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// A text frame.
    Text(Utf8Bytes),
    /// The last words: the device is logged out.
    Goodbye,
}

enum Order {
    Open {
        socket: SocketId,
        device: Device,
        line: mpsc::Sender<Frame>,
        answer: oneshot::Sender<Result<(), broker::Error>>,
    },
    Send {
        from: Device,
        to: Address,
        parcel: Parcel,
        answer: oneshot::Sender<Result<u32, Unsent>>,
    },
    Tell(Input),
}

/// The way to the broker. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Switchboard {
    orders: mpsc::Sender<Order>,
    sockets: Arc<AtomicU64>,
}

impl Switchboard {
    /// Starts the task. It ends when every `Switchboard` is dropped.
    pub(crate) fn start(config: broker::Config, seed: Seed) -> (Self, tokio::task::JoinHandle<()>) {
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let desk = Desk {
            broker: Broker::new(config, seed),
            start: Instant::now(),
            lines: BTreeMap::new(),
            answers: BTreeMap::new(),
            requests: 0,
        };
        (Self { orders, sockets: Arc::default() }, tokio::spawn(desk.run(inbox)))
    }

    /// Connects a new socket of `device`; what is for it comes out of the receiver, which ends when the socket has
    /// to close.
    pub(crate) async fn open(
        &self,
        device: Device,
    ) -> Result<(SocketId, mpsc::Receiver<Frame>), OpenError> {
        let socket = SocketId(self.sockets.fetch_add(1, Ordering::Relaxed));
        let (line, frames) = mpsc::channel(FRAMES_MAX);
        let (answer, opened) = oneshot::channel();
        let order = Order::Open { socket, device, line, answer };
        self.orders.send(order).await.map_err(|_| OpenError::Stopping)?;
        opened.await.map_err(|_| OpenError::Stopping)?.map_err(OpenError::Refused)?;
        Ok((socket, frames))
    }

    /// Sends a message; returns to how many devices it went.
    pub(crate) async fn send(
        &self,
        from: Device,
        to: Address,
        parcel: Parcel,
    ) -> Result<Result<u32, Unsent>, ApiError> {
        let (answer, sent) = oneshot::channel();
        let order = Order::Send { from, to, parcel, answer };
        self.orders.send(order).await.map_err(|_| ApiError::Stopping)?;
        sent.await.map_err(|_| ApiError::Stopping)
    }

    /// A socket is closed.
    pub(crate) async fn close(&self, socket: SocketId) {
        self.tell(Input::Closed { socket }).await;
    }

    /// A page has shown a push.
    pub(crate) async fn acknowledge(&self, socket: SocketId, push: PushId) {
        self.tell(Input::Acknowledged { socket, push }).await;
    }

    /// A device, or all of a user's, are logged out.
    pub(crate) async fn dismiss(&self, who: Address) {
        self.tell(Input::Dismissed { who }).await;
    }

    async fn tell(&self, input: Input) {
        if self.orders.send(Order::Tell(input)).await.is_err() {
            tracing::debug!("The switchboard has stopped");
        }
    }
}

/// Why a socket could not be connected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("the server is stopping")]
    Stopping,
    #[error(transparent)]
    Refused(broker::Error),
}

/// The task itself: the broker, and the ends of the lines to the sockets.
struct Desk {
    broker: Broker,
    start: Instant,
    lines: BTreeMap<SocketId, mpsc::Sender<Frame>>,
    answers: BTreeMap<RequestId, oneshot::Sender<Result<u32, Unsent>>>,
    requests: u64,
}

impl Desk {
    async fn run(mut self, mut inbox: mpsc::Receiver<Order>) {
        loop {
            let due = self.broker.timeout().map(|at| self.start + at.since_origin());
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(order) => self.on_order(order),
                    None => return,
                },
                () = sleep_until(due) => self.feed(Input::Timeout),
            }
        }
    }

    fn on_order(&mut self, order: Order) {
        match order {
            Order::Open { socket, device, line, answer } => {
                // The line is there before what waits for the device goes out.
                self.lines.insert(socket, line);
                let opened = self.broker.handle(self.now(), Input::Opened { socket, device });
                if opened.is_err() {
                    self.lines.remove(&socket);
                }
                if answer.send(opened).is_err() {
                    tracing::debug!("A socket closed while it was opened");
                    self.feed(Input::Closed { socket });
                }
                self.drain();
            }
            Order::Send { from, to, parcel, answer } => {
                let request = RequestId(self.requests);
                self.requests += 1;
                self.answers.insert(request, answer);
                self.feed(Input::Send { request, from, to, parcel });
            }
            Order::Tell(input) => {
                if let Input::Closed { socket } = input
                    && self.lines.remove(&socket).is_none()
                {
                    return; // We closed it ourselves; the broker knows.
                }
                self.feed(input);
            }
        }
    }

    fn now(&self) -> Time {
        Time::at(self.start.elapsed())
    }

    fn feed(&mut self, input: Input) {
        if let Err(error) = self.broker.handle(self.now(), input) {
            tracing::debug!(%error, "The broker refused an input");
        }
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.broker.poll() {
            match output {
                Output::Push { sockets, push, from, to, text } => {
                    self.write(&sockets, push_frame(push, &from, &to, &text));
                }
                Output::Receipt { sockets, invite, from } => {
                    self.write(&sockets, text(&FromServer::Receipt { invite, from: from.into() }));
                }
                Output::Sent { request, outcome } => {
                    let answer = self.answers.remove(&request);
                    if answer.is_some_and(|answer| answer.send(outcome).is_err()) {
                        tracing::debug!("A sender did not wait for its answer");
                    }
                }
                Output::Dismiss { socket } => {
                    // Dropping the line ends the socket's task after this frame; if the line is full, at once.
                    if let Some(line) = self.lines.remove(&socket)
                        && line.try_send(Frame::Goodbye).is_err()
                    {
                        tracing::debug!("A dismissed socket did not hear why");
                    }
                }
            }
        }
    }

    fn write(&mut self, sockets: &[SocketId], frame: Utf8Bytes) {
        for socket in sockets {
            let Some(line) = self.lines.get(socket) else { continue };
            if line.try_send(Frame::Text(frame.clone())).is_err() {
                tracing::debug!(?socket, "A slow reader is cut off");
                self.lines.remove(socket);
                if let Err(error) =
                    self.broker.handle(self.now(), Input::Closed { socket: *socket })
                {
                    tracing::debug!(%error, "The broker refused an input");
                }
            }
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        // A little late rather than early, so that what is due is due.
        Some(due) => tokio::time::sleep_until(due + Duration::from_millis(1)).await,
        None => std::future::pending().await,
    }
}

/// A frame as text.
pub(crate) fn text(frame: &impl Serialize) -> Utf8Bytes {
    serde_json::to_string(frame).expect("our frames are plain data").into()
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
    use super::*;

    #[tokio::test]
    async fn a_reader_that_is_too_slow_is_cut_off_and_others_are_unharmed() {
        let config = broker::Config { burst: 1_000, ..broker::Config::default() };
        let (switchboard, _desk) = Switchboard::start(config, Seed::story(1));
        let (_, mut slow) = switchboard.open(device("bob@x/00000002")).await.unwrap();
        let (_, mut quick) = switchboard.open(device("bob@x/00000003")).await.unwrap();
        let bob: Address = "bob@x".parse().unwrap();
        let parcel = Parcel { text: "".into(), ttl: None, invite: None };

        for _ in 0..=FRAMES_MAX {
            let from = device("alice@x/00000001");
            let sent = switchboard.send(from, bob.clone(), parcel.clone()).await.unwrap();
            assert_eq!(sent, Ok(2));
            assert!(matches!(quick.recv().await, Some(Frame::Text(_))));
        }

        let mut heard = 0;
        while slow.recv().await.is_some() {
            heard += 1;
        }
        assert_eq!(heard, FRAMES_MAX, "then its line ends");
        let (_, mut back) = switchboard.open(device("bob@x/00000002")).await.unwrap();
        switchboard.send(device("alice@x/00000001"), bob, parcel).await.unwrap().unwrap();
        assert!(back.recv().await.is_some(), "it may return");
    }

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
