//! Random stories, judged after every step by a naive model that knows only the promises.
//!
//! The model keeps, for each device, its open sockets and when the last one closed; and for each message that was
//! counted, the devices it is still owed to. It has no queues, bounds or timers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::{
    Broker, Config, Device, Farewell, Input, Output, Parcel, RequestId, SocketId, Standing, Unsent,
};
use wire::{Address, Dice, InstanceId, Seed, Time};

const USERS: [&str; 3] = ["alice", "bob", "carol"];
const DEVICES_PER_USER: u64 = 3;

#[test]
fn nothing_goes_astray_in_any_story() {
    for story in 0..300 {
        let mut world = World::new(story);
        for _ in 0..400 {
            world.step();
        }
        world.end();
    }
}

/// Which message, to whom, and until when it is owed.
type Owed = (u64, Device, Time);

struct World {
    story: u64,
    dice: Dice,
    config: Config,
    broker: Broker,
    now: Time,
    next: u64,
    open: BTreeMap<Device, BTreeSet<SocketId>>,
    closed_at: BTreeMap<Device, Time>,
    owed: Vec<Owed>,
    /// The last message that each socket got, to see that order is kept.
    last: BTreeMap<SocketId, u64>,
}

impl World {
    fn new(story: u64) -> Self {
        let mut dice = Dice::new(Seed::story(story));
        let config = Config {
            waiting_max: 8,
            waiting_bytes_max: 4_000,
            waiting_bytes_max_total: 8_000,
            sockets_max: 6,
            sockets_max_per_device: 2,
            devices_max_per_user: 3,
            burst: 1_000,
            ..Config::default()
        };
        let broker = Broker::new(config.clone(), dice.seed());
        Self {
            story,
            dice,
            config,
            broker,
            now: Time::ZERO,
            next: 0,
            open: BTreeMap::new(),
            closed_at: BTreeMap::new(),
            owed: Vec::new(),
            last: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        match self.dice.below(10) {
            0..=2 => self.open_one(),
            3..=4 => self.close_one(),
            5..=7 => self.send_one(),
            8 => self.dismiss_one(),
            _ => self.pass(),
        }
        self.check();
    }

    fn open_one(&mut self) {
        let device = self.any_device();
        self.next += 1;
        let socket = SocketId(self.next);
        let input = Input::Opened { socket, device: device.clone(), standing: Standing::default() };
        if self.broker.handle(self.now, input).is_err() {
            return;
        }
        // What is owed to the device goes to this socket now, in order, unless it has expired.
        let due: Vec<u64> = self.owed.iter().filter(|owed| owed.1 == device).map(|o| o.0).collect();
        self.owed.retain(|owed| owed.1 != device);
        self.open.entry(device.clone()).or_default().insert(socket);
        self.closed_at.remove(&device);
        let got: Vec<u64> =
            self.outputs().into_iter().map(|output| self.on_push(output, &device)).collect();
        assert_eq!(got, due, "story {}", self.story);
    }

    fn close_one(&mut self) {
        let Some((device, socket)) = self.any_socket() else { return };
        self.broker.handle(self.now, Input::Closed { socket }).expect("it is open");
        let sockets = self.open.get_mut(&device).expect("the device is here");
        sockets.remove(&socket);
        if sockets.is_empty() {
            self.open.remove(&device);
            self.closed_at.insert(device, self.now);
        }
        assert!(self.outputs().is_empty(), "story {}", self.story);
    }

    fn send_one(&mut self) {
        let from = self.any_device();
        let to = self.any_address();
        self.next += 1;
        let message = self.next;
        let ttl = Duration::from_secs(1 + self.dice.below(90));
        let padding = "x".repeat(self.dice.below(600) as usize);
        let text = format!("{message} {padding}").into();
        let request = RequestId(message);
        let parcel = Parcel { text, ttl: Some(ttl), ..Parcel::default() };
        let input = Input::Send { request, from, to: to.clone(), parcel, asleep: Vec::new() };
        self.broker.handle(self.now, input).expect("sending is always answered");

        let mut outputs = self.outputs();
        let Some(Output::Sent { outcome, .. }) = outputs.pop() else {
            panic!("story {}: no answer", self.story);
        };
        let here = self.named(&to, self.open.keys());
        let blinking: Vec<Device> = self
            .named(&to, self.closed_at.keys())
            .into_iter()
            .filter(|device| self.now - self.closed_at[device] < self.config.grace)
            .collect();
        for (output, device) in outputs.iter().zip(&here) {
            assert_eq!(self.on_push(output.clone(), device), message);
        }
        assert_eq!(outputs.len(), here.len(), "story {}", self.story);

        let count = outcome.unwrap_or(0) as usize;
        assert!(count >= here.len() && count <= here.len() + blinking.len());
        match outcome {
            Err(Unsent::NotReachable) => assert!(here.is_empty() && blinking.is_empty()),
            Err(Unsent::Full) => assert!(here.is_empty() && !blinking.is_empty()),
            Err(Unsent::TooMany { .. } | Unsent::TooManyRings) => panic!("the burst is large"),
            Err(Unsent::NotCapable) => panic!("nothing was needed"),
            Ok(_) => {}
        }
        // A full queue takes none; which one it was shows in the bytes that wait.
        let expires = self.now + ttl.min(self.config.patience);
        let taken = count - here.len();
        if taken == blinking.len() {
            self.owed.extend(blinking.into_iter().map(|device| (message, device, expires)));
        } else {
            // Ambiguous among several blinking devices: send everyone away and start afresh.
            self.dismiss_all();
        }
    }

    fn dismiss_one(&mut self) {
        let who = self.any_address();
        self.broker.handle(self.now, Input::Dismissed { who: who.clone() }).expect("harmless");
        let told: BTreeSet<SocketId> = self
            .outputs()
            .into_iter()
            .map(|output| {
                let Output::Dismiss { socket, why: Farewell::Dismissed } = output else {
                    panic!("story {}: {output:?}", self.story);
                };
                socket
            })
            .collect();
        let gone: BTreeSet<SocketId> = self
            .named(&who, self.open.keys())
            .iter()
            .flat_map(|device| self.open.remove(device).expect("it is here"))
            .collect();
        for device in self.named(&who, self.closed_at.keys()) {
            self.closed_at.remove(&device);
        }
        self.owed.retain(|(_, device, _)| !names(&who, device));
        assert_eq!(told, gone, "story {}", self.story);
    }

    fn dismiss_all(&mut self) {
        for user in USERS {
            let who = Address::of(user.parse().expect("a user"));
            self.broker.handle(self.now, Input::Dismissed { who }).expect("harmless");
        }
        self.outputs();
        self.open.clear();
        self.closed_at.clear();
        self.owed.clear();
    }

    fn pass(&mut self) {
        let end = self.now + Duration::from_millis(self.dice.below(15_000));
        while let Some(at) = self.broker.timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.broker.handle(self.now, Input::Timeout).expect("a timeout is harmless");
            assert!(self.broker.timeout().is_none_or(|next| next > self.now), "no progress");
        }
        self.now = end;
        let now = self.now;
        self.owed.retain(|(_, _, expires)| *expires > now);
        assert!(self.outputs().is_empty(), "story {}: time sends nothing", self.story);
    }

    fn check(&self) {
        let load = self.broker.load();
        let sockets: usize = self.open.values().map(BTreeSet::len).sum();
        assert_eq!(load.sockets, sockets, "story {}", self.story);
        assert!(load.waiting_bytes <= self.config.waiting_bytes_max_total);
        assert_eq!(load.waiting_bytes == 0, self.owed.is_empty(), "story {}", self.story);
        for user in USERS {
            let user = Address::of(user.parse().expect("a user"));
            let expected: BTreeSet<Device> = self
                .named(&user, self.open.keys())
                .into_iter()
                .chain(
                    self.named(&user, self.closed_at.keys())
                        .into_iter()
                        .filter(|device| self.now - self.closed_at[device] < self.config.grace),
                )
                .collect();
            let reachable: BTreeSet<Device> =
                self.broker.reachable(self.now, &user).cloned().collect();
            assert_eq!(reachable, expected, "story {}", self.story);
        }
    }

    fn end(&mut self) {
        self.dismiss_all();
        self.now = self.now + Duration::from_secs(600);
        while self.broker.timeout().is_some() {
            self.broker.handle(self.now, Input::Timeout).expect("a timeout is harmless");
        }
        assert_eq!(self.broker.load(), broker::Load::default(), "story {}", self.story);
    }

    /// Checks a push against its device and the order on its sockets; returns which message it is.
    fn on_push(&mut self, output: Output, device: &Device) -> u64 {
        let Output::Push { sockets, to, text, .. } = output else {
            panic!("story {}: {output:?}", self.story);
        };
        assert_eq!(to, *device, "story {}: the wrong device", self.story);
        let open = &self.open[device];
        assert_eq!(sockets.iter().copied().collect::<BTreeSet<_>>(), *open);
        let message = text.split(' ').next().expect("a number").parse().expect("a number");
        for socket in sockets {
            let last = self.last.insert(socket, message);
            assert!(last < Some(message), "story {}: order or twice", self.story);
        }
        message
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.broker.poll()).collect()
    }

    fn named<'a>(&self, who: &Address, devices: impl Iterator<Item = &'a Device>) -> Vec<Device> {
        devices.filter(|device| names(who, device)).cloned().collect()
    }

    fn any_device(&mut self) -> Device {
        let user = USERS[self.dice.below(USERS.len() as u64) as usize];
        let instance = InstanceId(self.dice.below(DEVICES_PER_USER) as u32);
        Device { user: user.parse().expect("a user"), instance }
    }

    fn any_address(&mut self) -> Address {
        let device = self.any_device();
        if self.dice.below(2) == 0 { device.into() } else { Address::of(device.user) }
    }

    fn any_socket(&mut self) -> Option<(Device, SocketId)> {
        let all: Vec<(Device, SocketId)> = self
            .open
            .iter()
            .flat_map(|(device, sockets)| sockets.iter().map(|s| (device.clone(), *s)))
            .collect();
        let index = self.dice.below(all.len() as u64) as usize;
        all.get(index).cloned()
    }
}

fn names(who: &Address, device: &Device) -> bool {
    who.user == device.user && who.instance.is_none_or(|instance| instance == device.instance)
}
