//! The way to the broker, which one thread of its own owns, with the connections of PeerJS clients beside it.
//!
//! ```text
//!   HTTP, /live, XHR ── orders ──▶ ┌──────────────── one thread ────────────────┐
//!   (any thread)     ◀─ frames ─── │ desk: Broker, and where its words go       │
//!                                  │   ▲ what a client says     │ words         │
//!                                  │   │                        ▼               │
//!                                  │ line  line  line  …  (a socket each, read  │
//!                                  │ and written here, in turns)                │
//!                                  └────────────────────────────────────────────┘
//! ```
//!
//! A relayed message is then one read and one write: no lock, no channel, no waking of another thread. A server with a
//! channel between reader, judge and writer pays more for the hand-overs than for the relaying.

mod desk;
mod line;
mod order;
mod peer;
mod stream;
mod tally;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::ws::Utf8Bytes;
use broker::{
    Device, Failure, Farewell, Input, Line, Parcel, Peer, Proof, PushId, SocketId, Standing, Unsent,
};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use wire::peerjs::PeerId;
use wire::{Address, InviteId, Seed, UserId};

use crate::connections::Seat;
use crate::error::ApiError;
use crate::push::waker::Wake;
use desk::Desk;
pub(crate) use line::{Limits, Wire};
pub(crate) use order::{Expected, Said, Unposted};
use order::{Order, joined};
pub(crate) use stream::Words;
pub(crate) use tally::Tally;

/// Orders that wait for the broker; then whoever gives them waits. Guess.
const ORDERS_MAX: usize = 1_024;
/// Frames that wait for one socket; a reader that is slower is cut off. Guess: a burst of invites and their cancels.
const FRAMES_MAX: usize = 64;

/// What a socket's task writes.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// A text frame.
    Text(Utf8Bytes),
    /// The last words: the device is logged out, or is not the one that rings.
    Goodbye(Farewell),
}

/// A PeerJS client that comes in.
pub(crate) struct Newcomer {
    pub(crate) peer: Peer,
    pub(crate) proof: Proof,
    pub(crate) standing: Standing,
    /// Its place among all that are connected.
    pub(crate) seat: Seat,
    /// The user, if another judge vouches for it: to be noted once it is in.
    pub(crate) vouched: Option<UserId>,
}

/// A PeerJS client that may not come in, and is to hear why.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Whether it may try by another name.
    pub(crate) taken: bool,
    /// The word in metrics; `None` if it is counted already.
    pub(crate) reason: Option<&'static str>,
    pub(crate) message: String,
}

/// What became of a message: to how many devices it went, and which could not be woken.
pub(crate) type Outcome = (Result<u32, Unsent>, Vec<(Device, Failure)>);

/// The way to the broker. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Switchboard {
    orders: mpsc::Sender<Order>,
    sockets: Arc<AtomicU64>,
}

/// Resolves when the thread of the broker has ended: with `Ok` in good order, with an error when it broke.
pub(crate) type Ended = oneshot::Receiver<()>;

impl Switchboard {
    /// Starts the thread, which asks for devices to be woken by `wakes`. It ends when every `Switchboard` is dropped.
    pub(crate) fn start(
        config: broker::Config,
        limits: Limits,
        tally: Tally,
        wakes: mpsc::Sender<Wake>,
        seed: Seed,
    ) -> std::io::Result<(Self, Ended)> {
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("switchboard".to_owned()).spawn(move || {
            let desk = Desk::new(config, limits, seed, tally, wakes);
            tokio::task::LocalSet::new().block_on(&runtime, desk::run(desk, inbox));
            // Nobody may be waiting for it any more.
            end.send(()).ok();
        })?;
        Ok((Self { orders, sockets: Arc::default() }, ended))
    }

    /// Connects a new socket of `device`; what is for it comes out of the receiver, which ends when the socket has
    /// to close.
    pub(crate) async fn open(
        &self,
        device: Device,
        standing: Standing,
    ) -> Result<(SocketId, mpsc::Receiver<Frame>), OpenError> {
        let socket = self.number();
        let (line, frames) = mpsc::channel(FRAMES_MAX);
        let open = |answer| Order::Open { socket, device, standing, line, answer };
        self.ask(open).await.map_err(|_| OpenError::Stopping)?.map_err(OpenError::Refused)?;
        Ok((socket, frames))
    }

    /// Sends a message, and wakes those of the devices it names that are `asleep`; returns to how many devices it went,
    /// and which were not reached.
    pub(crate) async fn send(
        &self,
        from: Device,
        to: Address,
        parcel: Parcel,
        asleep: Vec<Device>,
    ) -> Result<Outcome, ApiError> {
        self.ask(|answer| Order::Send { from, to, parcel, asleep, answer }).await
    }

    /// A device has shown a push; false when it has none of that number to show.
    pub(crate) async fn shown(&self, device: Device, push: PushId) -> Result<bool, ApiError> {
        self.ask(|answer| Order::Shown { device, push, answer }).await
    }

    /// The devices that show an invite of this sender.
    pub(crate) async fn who_shows(
        &self,
        sender: Device,
        invite: InviteId,
    ) -> Result<Vec<Device>, ApiError> {
        self.ask(|answer| Order::WhoShows { sender, invite, answer }).await
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

    /// Tells the broker something.
    pub(crate) async fn tell(&self, input: Input) {
        if self.orders.send(Order::Tell(input)).await.is_err() {
            tracing::debug!("The switchboard has stopped");
        }
    }

    /// Hands a WebSocket of a PeerJS client over, with what it has sent already. If the client may not come in, by
    /// `newcomer` or by the broker's judgement, it is told why.
    pub(crate) async fn join(
        &self,
        newcomer: Result<Newcomer, Refused>,
        wire: Wire,
        sent: Vec<u8>,
    ) {
        let order = Order::Join { socket: self.number(), newcomer, wire, sent };
        if self.orders.send(order).await.is_err() {
            tracing::debug!("The switchboard has stopped");
        }
    }

    /// Connects the XHR stream of a PeerJS client; the words for it end when the stream has to.
    pub(crate) async fn stream(
        &self,
        newcomer: Newcomer,
        fresh: bool,
    ) -> Result<(SocketId, Seat, Words), OpenError> {
        let socket = self.number();
        let (input, seat) = joined(socket, newcomer, Line::Stream { fresh });
        let stream = |answer| Order::Stream { socket, input, answer };
        let opened = self.ask(stream).await.map_err(|_| OpenError::Stopping)?;
        let words = opened.map_err(OpenError::Refused)?;
        Ok((socket, seat, words))
    }

    /// Tells the broker what became of an XHR stream. Does not wait, for it is called while its answer is polled or
    /// dropped.
    pub(crate) fn tell_of_stream(&self, input: Input) {
        let order = Order::Tell(input);
        if let Err(mpsc::error::TrySendError::Full(order)) = self.orders.try_send(order) {
            let orders = self.orders.clone();
            tokio::spawn(async move { orders.send(order).await.ok() });
        }
    }

    /// A PeerJS client says something by a request of its own.
    pub(crate) async fn post(
        &self,
        name: PeerId,
        proof: Proof,
        said: Said,
    ) -> Result<Result<(), Unposted>, ApiError> {
        self.ask(|answer| Order::Post { name, proof, said, answer }).await
    }

    /// A socket wants to know whether these are reachable.
    pub(crate) async fn watch(
        &self,
        socket: SocketId,
        names: Vec<PeerId>,
    ) -> Result<Result<(), broker::Error>, ApiError> {
        self.ask(|answer| Order::Watch { socket, names, answer }).await
    }

    /// Whether each of `names` is reachable, as far as `user` may know; `None` for a guest.
    pub(crate) async fn see(
        &self,
        user: Option<UserId>,
        names: Vec<PeerId>,
    ) -> Result<Vec<bool>, ApiError> {
        self.ask(|answer| Order::See { user, names, answer }).await
    }

    /// Whether somebody was here a moment ago, so that their place is to be had although all are taken.
    pub(crate) async fn expects(&self, who: Expected) -> bool {
        self.ask(|answer| Order::Expects { who, answer }).await.unwrap_or(false)
    }

    /// The names of those who are here by PeerJS.
    pub(crate) async fn peers(&self) -> Result<Vec<PeerId>, ApiError> {
        self.ask(|answer| Order::Peers { answer }).await
    }

    /// Closes the connections of PeerJS clients, and returns when they have heard why, or after a moment.
    pub(crate) async fn stop(&self) {
        self.ask(|answer| Order::Stop { answer }).await.ok();
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, ApiError> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(order(answer)).await.map_err(|_| ApiError::Stopping)?;
        answered.await.map_err(|_| ApiError::Stopping)
    }

    fn number(&self) -> SocketId {
        SocketId(self.sockets.fetch_add(1, Ordering::Relaxed))
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

/// A frame as text.
pub(crate) fn text(frame: &impl Serialize) -> Utf8Bytes {
    serde_json::to_string(frame).expect("our frames are plain data").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_that_is_too_slow_is_cut_off_and_others_are_unharmed() {
        let config = broker::Config { burst: 1_000, ..broker::Config::default() };
        let (switchboard, _desk) = start(config);
        let (_, mut slow) =
            switchboard.open(device("bob@x/00000002"), Standing::default()).await.unwrap();
        let (_, mut quick) =
            switchboard.open(device("bob@x/00000003"), Standing::default()).await.unwrap();
        let bob: Address = "bob@x".parse().unwrap();
        let parcel = Parcel::default();

        for _ in 0..=FRAMES_MAX {
            let from = device("alice@x/00000001");
            let sent =
                switchboard.send(from, bob.clone(), parcel.clone(), Vec::new()).await.unwrap();
            assert_eq!(sent.0, Ok(2));
            assert!(matches!(quick.recv().await, Some(Frame::Text(_))));
        }

        let mut heard = 0;
        while slow.recv().await.is_some() {
            heard += 1;
        }
        assert_eq!(heard, FRAMES_MAX, "then its line ends");
        let (_, mut back) =
            switchboard.open(device("bob@x/00000002"), Standing::default()).await.unwrap();
        let from = device("alice@x/00000001");
        switchboard.send(from, bob, parcel, Vec::new()).await.unwrap().0.unwrap();
        assert!(back.recv().await.is_some(), "it may return");
    }

    fn start(config: broker::Config) -> (Switchboard, Ended) {
        let (wakes, _) = mpsc::channel(1);
        let (limits, tally) = (Limits::default(), Tally::default());
        Switchboard::start(config, limits, tally, wakes, Seed::story(1)).expect("a thread")
    }

    fn device(text: &str) -> Device {
        let address: Address = text.parse().expect("an address");
        Device { user: address.user, instance: address.instance.expect("of a device") }
    }
}
