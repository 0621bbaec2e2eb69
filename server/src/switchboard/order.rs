//! What the rest of the server wants of the desk, and how it is carried out.

use std::cell::RefCell;
use std::rc::Rc;

use broker::{
    Device, Ending, Input, Line, Parcel, Peer, Proof, PushId, RequestId, Signal, SocketId, Standing,
};
use tokio::sync::{mpsc, oneshot};
use wire::peerjs::PeerId;
use wire::{Address, InviteId, UserId};

use super::desk::{Desk, End};
use super::line::{PeerLine, Wire};
use super::stream::{Words, stream};
use super::{Frame, Newcomer, Outcome, Refused};
use crate::connections::Seat;

/// One wish.
pub(super) enum Order {
    Open {
        socket: SocketId,
        device: Device,
        standing: Standing,
        line: mpsc::Sender<Frame>,
        answer: oneshot::Sender<Result<(), broker::Error>>,
    },
    Send {
        from: Device,
        to: Address,
        parcel: Parcel,
        asleep: Vec<Device>,
        answer: oneshot::Sender<Outcome>,
    },
    Shown {
        device: Device,
        push: PushId,
        answer: oneshot::Sender<bool>,
    },
    WhoShows {
        sender: Device,
        invite: InviteId,
        answer: oneshot::Sender<Vec<Device>>,
    },
    Join {
        socket: SocketId,
        newcomer: Result<Newcomer, Refused>,
        wire: Wire,
        sent: Vec<u8>,
    },
    Stream {
        socket: SocketId,
        input: Input,
        answer: oneshot::Sender<Result<Words, broker::Error>>,
    },
    Post {
        name: PeerId,
        proof: Proof,
        said: Said,
        answer: oneshot::Sender<Result<(), Unposted>>,
    },
    Watch {
        socket: SocketId,
        names: Vec<PeerId>,
        answer: oneshot::Sender<Result<(), broker::Error>>,
    },
    See {
        user: Option<UserId>,
        names: Vec<PeerId>,
        answer: oneshot::Sender<Vec<bool>>,
    },
    Expects {
        who: Expected,
        answer: oneshot::Sender<bool>,
    },
    Peers {
        answer: oneshot::Sender<Vec<PeerId>>,
    },
    Stop {
        answer: oneshot::Sender<()>,
    },
    Tell(Input),
}

/// What a PeerJS client says by a request of its own.
#[derive(Debug)]
pub(crate) enum Said {
    /// Something to another.
    Signal(Signal),
    /// That it leaves for good.
    Gone,
    /// That it wants to know whether these are reachable.
    Watch(Vec<String>),
    /// That it does not any more.
    Unwatch(Vec<String>),
}

/// Why a request of a PeerJS client was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unposted {
    /// Nobody is here by that name and token.
    Unproven,
    /// It speaks too fast.
    Hasty,
}

/// Who may have been here a moment ago, and now comes back.
#[derive(Debug)]
pub(crate) enum Expected {
    /// A page of the app.
    Device(Device),
    /// A PeerJS client.
    Peer(Peer, Proof),
}

impl Order {
    pub(super) fn carry_out(self, at: &Rc<RefCell<Desk>>) {
        let mut desk = at.borrow_mut();
        desk.look_at_clock();
        match self {
            Self::Open { socket, device, standing, line, answer } => {
                let input = Input::Opened { socket, device, standing };
                desk.connect(
                    socket,
                    End::Page(line),
                    input,
                    (answer, ()),
                    Input::Closed { socket },
                );
            }
            Self::Stream { socket, input, answer } => {
                let undo = Input::Parted { socket, ending: Ending::Lost };
                let (line, words) = stream(desk.limits.rate.bucket(desk.now), desk.now);
                desk.connect(socket, End::Stream(Box::new(line)), input, (answer, words), undo);
            }
            Self::Send { from, to, parcel, asleep, answer } => {
                let request = RequestId(desk.requests);
                desk.requests += 1;
                desk.answers.insert(request, answer);
                desk.feed(Input::Send { request, from, to, parcel, asleep });
            }
            Self::Shown { device, push, answer } => {
                tell(answer, desk.judge(Input::Shown { device, push }).is_ok());
            }
            Self::WhoShows { sender, invite, answer } => {
                tell(answer, desk.broker.shown(&sender, invite).cloned().collect());
            }
            Self::Join { socket, newcomer, wire, sent } => {
                let name = newcomer.as_ref().ok().map(|newcomer| newcomer.peer.name());
                let (input, seat) = match newcomer {
                    Ok(newcomer) => {
                        let (input, seat) = joined(socket, newcomer, Line::Socket);
                        (Ok(input), Some(seat))
                    }
                    Err(refused) => (Err(refused), None),
                };
                let line = PeerLine::new(socket, name, seat, wire, desk.limits.rate, desk.now);
                drop(desk);
                match line {
                    Ok(line) => super::peer::join(at, input, line, sent),
                    Err(error) => tracing::warn!(%error, "A connection cannot be watched"),
                }
            }
            Self::Post { name, proof, said, answer } => tell(answer, desk.post(name, proof, said)),
            Self::Watch { socket, names, answer } => {
                tell(answer, desk.judge(Input::Watch { socket, names }));
            }
            Self::See { user, names, answer } => {
                let now = desk.time();
                let sees = |name| desk.broker.sees(now, user.as_ref(), name);
                tell(answer, names.iter().map(sees).collect());
            }
            Self::Expects { who, answer } => tell(
                answer,
                match who {
                    Expected::Device(device) => desk.broker.blinks(&device),
                    Expected::Peer(peer, proof) => desk.broker.has_place(&peer, proof),
                },
            ),
            Self::Peers { answer } => tell(answer, desk.broker.peers().cloned().collect()),
            Self::Stop { answer } => desk.stop(answer),
            Self::Tell(input) => desk.hear_of(input),
        }
    }
}

fn tell<T>(answer: oneshot::Sender<T>, what: T) {
    if answer.send(what).is_err() {
        tracing::debug!("Nobody waited for an answer");
    }
}

impl Desk {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only these inputs are about a socket's end"
    )]
    fn hear_of(&mut self, input: Input) {
        if let Input::Flowing { socket } = &input
            && let Some(End::Stream(line)) = self.ends.get(socket)
        {
            line.stalled.set(false);
        }
        let closed = match &input {
            Input::Closed { socket } | Input::Parted { socket, .. } => Some(*socket),
            _ => None,
        };
        // One that we closed ourselves is known to the broker.
        if closed.is_none_or(|socket| self.ends.remove(&socket).is_some()) {
            self.feed(input);
        }
    }

    /// A PeerJS client says something by a request of its own; it has as much to say as by a socket.
    fn post(&mut self, name: PeerId, proof: Proof, said: Said) -> Result<(), Unposted> {
        let socket = self.broker.line(&name, proof).ok_or(Unposted::Unproven)?;
        let bucket = match self.ends.get(&socket) {
            Some(End::Peer(line)) => Some(&line.bucket),
            Some(End::Stream(line)) => Some(&line.bucket),
            Some(End::Page(_)) | None => None,
        };
        if let Some(bucket) = bucket {
            let mut left = bucket.get();
            let has_room = left.take(self.now);
            bucket.set(left);
            if !has_room {
                return Err(Unposted::Hasty);
            }
        }
        let signal = match said {
            Said::Signal(signal) => Some(signal),
            Said::Gone => None,
            Said::Watch(ids) => {
                self.watch(socket, &ids);
                return Ok(());
            }
            Said::Unwatch(ids) => {
                self.unwatch(socket, &ids);
                return Ok(());
            }
        };
        self.tally.said.inc();
        self.judge(Input::Posted { name, proof, signal }).map_err(|_| Unposted::Unproven)
    }

    /// Lets a socket in whose task has a channel; `undo` when that is gone already.
    fn connect<T>(
        &mut self,
        socket: SocketId,
        end: End,
        input: Input,
        (answer, gets): (oneshot::Sender<Result<T, broker::Error>>, T),
        undo: Input,
    ) {
        // The end is there before what waits for it goes out.
        self.ends.insert(socket, end);
        let opened = self.judge(input);
        if opened.is_err() {
            self.ends.remove(&socket);
        }
        if answer.send(opened.map(|()| gets)).is_err() {
            tracing::debug!("A socket closed while it was opened");
            if self.ends.remove(&socket).is_some() {
                self.feed(undo);
            }
        }
    }
}

pub(super) fn joined(socket: SocketId, newcomer: Newcomer, line: Line) -> (Input, Seat) {
    let Newcomer { peer, proof, standing, seat, vouched: _ } = newcomer;
    (Input::Joined { socket, peer, proof, line, standing }, seat)
}
