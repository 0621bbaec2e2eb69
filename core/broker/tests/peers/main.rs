//! Stories of PeerJS clients that come, call, blink and leave, through the public interface.

mod bounds;
mod devices;
mod guests;

use std::time::Duration;

use broker::{
    Broker, Capabilities, Config, Device, Ending, Error, Input, Line, Output, Peer, Policy, Proof,
    Signal, SocketId, Standing, Word,
};
use wire::peerjs::{Kind, PeerId};
use wire::{InstanceId, Seed, Time};

/// A broker, and the words that came out of it.
struct Town {
    broker: Broker,
    now: Time,
    needs: Capabilities,
}

impl Town {
    fn open() -> Self {
        Self::with(Config { open: true, ..Config::default() })
    }

    fn with(config: Config) -> Self {
        let broker = Broker::new(config, Seed::story(1));
        Self { broker, now: Time::ZERO, needs: Capabilities::default() }
    }

    /// Alice at 1 and Bob at 2 have exchanged an offer and an answer.
    fn talking() -> Self {
        let mut town = Self::open();
        town.join(1, "alice");
        town.join(2, "bob");
        town.say(1, Kind::Offer, "bob");
        town.say(2, Kind::Answer, "alice");
        town.heard();
        town
    }

    /// Alice, a guest at 1, has made an offer to Bob, a user with two devices at 2 and 3.
    fn ringing(policy: Policy) -> Self {
        let mut town = Self::open();
        town.user("bob");
        town.join(1, "alice");
        for (socket, instance) in [(2, 1), (3, 2)] {
            let standing = Standing { policy, ..Standing::default() };
            town.device(socket, "bob", instance, standing).expect("there is room");
        }
        town.heard();
        town.say(1, Kind::Offer, "bob");
        town
    }

    fn user(&mut self, name: &str) {
        self.tell(Input::User { user: name.parse().expect("a user") }).expect("harmless");
    }

    /// A guest, whose token is as its name.
    fn join(&mut self, socket: u64, name: &str) {
        let proof = name.bytes().fold(0, |proof, byte| proof * 256 + u128::from(byte));
        let proof = if name == "alice" { 1 } else { proof };
        self.join_as(socket, guest(name), proof, Line::Socket, Standing::default())
            .expect("it may come in");
    }

    fn device(
        &mut self,
        socket: u64,
        user: &str,
        instance: u32,
        standing: Standing,
    ) -> Result<(), Error> {
        let peer = Peer::Device(device(user, instance));
        self.join_as(socket, peer, u128::from(instance), Line::Socket, standing)
    }

    fn join_as(
        &mut self,
        socket: u64,
        peer: Peer,
        proof: u128,
        line: Line,
        standing: Standing,
    ) -> Result<(), Error> {
        let (socket, proof) = (SocketId(socket), Proof(proof));
        self.tell(Input::Joined { socket, peer, proof, line, standing })
    }

    fn say(&mut self, socket: u64, kind: Kind, to: &str) {
        self.say_about(socket, kind, to, "first");
    }

    fn say_about(&mut self, socket: u64, kind: Kind, to: &str, connection: &str) {
        let needs = self.needs.clone();
        let connection = Some(connection.into());
        let signal = Signal { needs, connection, ..signal(kind, to) };
        self.tell(Input::Said { socket: SocketId(socket), signal }).expect("the line is open");
    }

    fn part(&mut self, socket: u64, ending: Ending) {
        self.tell(Input::Parted { socket: SocketId(socket), ending }).expect("the line is open");
    }

    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.broker.timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tell(Input::Timeout).expect("harmless");
            assert!(self.broker.timeout().is_none_or(|next| next > self.now), "no progress");
        }
        self.now = end;
    }

    fn tell(&mut self, input: Input) -> Result<(), Error> {
        self.broker.handle(self.now, input)
    }

    fn heard(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.broker.poll()).filter_map(|output| shown(&output)).collect()
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is for devices of the app")]
fn shown(output: &Output) -> Option<String> {
    match output {
        Output::Tell { socket, word } => Some(match word {
            Word::Open => format!("{} OPEN", socket.0),
            Word::Signal { kind, from, to, .. } => {
                format!("{} {} {from}>{to}", socket.0, kind.as_str())
            }
            Word::Expire { from, to } => format!("{} EXPIRE {from}>{to}", socket.0),
        }),
        Output::Part { socket, why } => Some(format!("{} ends: {why:?}", socket.0)),
        _ => None,
    }
}

fn signal(kind: Kind, to: &str) -> Signal {
    let needs = Capabilities::default();
    Signal { kind, to: id(to), payload: None, connection: None, needs }
}

fn id(name: &str) -> PeerId {
    name.parse().expect("a name")
}

fn guest(name: &str) -> Peer {
    Peer::Guest(id(name))
}

fn device(user: &str, instance: u32) -> Device {
    Device { user: user.parse().expect("a user"), instance: InstanceId(instance) }
}
