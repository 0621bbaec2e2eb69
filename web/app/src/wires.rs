//! Links to other nodes: a connection with one data channel each, under whatever name the page gives it.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use platform::Fault;
use platform::peer::{Channel, Connection, Happened, Heard, Payload, State, part};
use wire::Map;
use wire::sdp::{lengthen, shorten};

/// What becomes of a link. Always told in a turn of its own.
pub(crate) enum Told {
    /// Our end is described: the offer or the answer, shortened.
    Described(String),
    /// Our end could not be described.
    Undescribed,
    /// It can be used.
    Opened,
    /// A frame came.
    Received(Vec<u8>),
    /// Next to nothing waits to be sent.
    Flushed,
    /// It is over, or something could not be sent.
    Closed,
}

/// All links of a page.
pub(crate) struct Wires<K> {
    tell: fn(K, Told),
    wires: Shared<K>,
}

type Shared<K> = Rc<RefCell<Map<K, Wire>>>;

/// One link. The channel is dropped before the connection, so that nobody hears it close.
struct Wire {
    channel: Option<Channel>,
    connection: Connection,
}

impl<K: Copy + Ord + 'static> Wires<K> {
    /// No links yet; what becomes of them is told by `tell`.
    pub(crate) fn new(tell: fn(K, Told)) -> Self {
        Self { tell, wires: Shared::default() }
    }

    /// Makes an offer for a new link.
    pub(crate) fn dial(&self, name: K) {
        let Some(connection) = self.connect(name) else { return };
        let mut channel = connection.channel("signal");
        channel.listen(hear(name, self.tell));
        self.describe(name, connection.complete_offer());
        self.wires.borrow_mut().insert(name, Wire { channel: Some(channel), connection });
    }

    /// Makes the answer for a new link.
    pub(crate) fn answer(&self, name: K, offer: &str) {
        let Some(connection) = self.connect(name) else { return };
        self.describe(name, connection.complete_answer(&lengthen(offer)));
        self.wires.borrow_mut().insert(name, Wire { channel: None, connection });
    }

    /// Takes the answer of the other end.
    pub(crate) fn apply(&self, name: K, answer: &str) {
        let wires = self.wires.borrow();
        let Some(wire) = wires.get(&name) else { return };
        let (applied, tell) = (wire.connection.apply(&lengthen(answer)), self.tell);
        platform::spawn(async move {
            if applied.await.is_err() {
                tell(name, Told::Closed);
            }
        });
    }

    /// Sends one frame.
    pub(crate) fn send(&self, name: K, frame: Vec<u8>) {
        let wires = self.wires.borrow();
        let channel = wires.get(&name).and_then(|wire| wire.channel.as_ref());
        let sent = channel.map(|channel| channel.send(&Payload::Bytes(frame)));
        if !matches!(sent, Some(Ok(()))) {
            self.tell_later(name, Told::Closed); // What cannot be sent would be missing at the other end.
        }
    }

    /// The fingerprints of both ends, the same text at both; `None` when they are not known.
    pub(crate) fn binding(&self, name: K) -> Option<String> {
        self.wires.borrow().get(&name)?.connection.binding()
    }

    /// Tells when next to nothing waits to be sent; in a turn of its own when that is so now.
    pub(crate) fn flush(&self, name: K) {
        let wires = self.wires.borrow();
        let channel = wires.get(&name).and_then(|wire| wire.channel.as_ref());
        if channel.is_some_and(Channel::is_drained) {
            self.tell_later(name, Told::Flushed);
        }
    }

    /// Closes a link, once what was sent over it has arrived.
    pub(crate) fn hang(&self, name: K) {
        if let Some(wire) = self.take(name) {
            platform::spawn(part(wire.connection, wire.channel));
        }
    }

    /// Closes a link at once. The other end hears of it from the transport alone.
    pub(crate) fn cut(&self, name: K) {
        drop(self.take(name));
    }

    fn take(&self, name: K) -> Option<Wire> {
        self.wires.borrow_mut().remove(&name)
    }

    fn connect(&self, name: K) -> Option<Connection> {
        let (wires, tell) = (Rc::downgrade(&self.wires), self.tell);
        let connection = Connection::new(move |happened| match happened {
            Happened::Channel(channel) => keep(&wires, name, channel, tell),
            Happened::State(State::Failed) => tell(name, Told::Closed),
            // The network hears by its own heartbeats whether the other end is there. Candidates are inside the
            // descriptions, and a link carries neither media nor new offers.
            Happened::State(
                State::Connecting | State::Connected | State::Disconnected | State::Closed,
            )
            | Happened::Candidate(_)
            | Happened::Track(..)
            | Happened::NegotiationNeeded => {}
        });
        if connection.is_err() {
            self.tell_later(name, Told::Undescribed);
        }
        connection.ok()
    }

    fn describe(&self, name: K, made: impl Future<Output = Result<String, Fault>> + 'static) {
        let tell = self.tell;
        platform::spawn(async move {
            let made = made.await.map(|description| shorten(&description));
            tell(name, made.map_or(Told::Undescribed, Told::Described));
        });
    }

    fn tell_later(&self, name: K, told: Told) {
        let tell = self.tell;
        platform::spawn(async move { tell(name, told) });
    }
}

/// Keeps the channel that the other end opened.
fn keep<K: Copy + Ord + 'static>(
    wires: &Weak<RefCell<Map<K, Wire>>>,
    name: K,
    mut channel: Channel,
    tell: fn(K, Told),
) {
    if let Some(wires) = wires.upgrade()
        && let Some(wire) = wires.borrow_mut().get_mut(&name)
    {
        channel.listen(hear(name, tell));
        wire.channel = Some(channel);
    }
}

fn hear<K: Copy + 'static>(name: K, tell: fn(K, Told)) -> impl FnMut(Heard) + 'static {
    move |heard| match heard {
        Heard::Opened => tell(name, Told::Opened),
        Heard::Message(Payload::Bytes(frame)) => tell(name, Told::Received(frame)),
        // Frames are bytes.
        Heard::Message(Payload::Text(_)) => {}
        Heard::Drained => tell(name, Told::Flushed),
        Heard::Closed => tell(name, Told::Closed),
    }
}
