//! iroh-gossip's protocol core in a small deterministic network: late by the latency of each link, cut by crashes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::{Duration, Instant};

use iroh_gossip::proto::state::MessageKind;
use iroh_gossip::proto::{
    Command, Config, DeliveryScope, Event, InEvent, OutEvent, PeerData, Scope, State, TopicId,
};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use wire::{Dice, Seed};

use crate::broadcast::Outcome;

/// How many lines rotating senders say: as in a trial of ours.
const LINES: usize = 50;

/// How many are said in the moment of a crash.
const LAST_WORDS: usize = 10;

/// How many speak at once at most.
const CHOIR_MAX: usize = 100;

/// Nodes that everybody knows from the beginning, as in its own simulator.
const BOOTSTRAP: usize = 3;

/// Rotating senders, then all at once.
pub(crate) fn steady(nodes: usize, seeds: u64) -> Outcome {
    let mut sum = Outcome::default();
    for seed in 1..=seeds {
        let mut net = Network::joined(nodes, seed);
        sum.speed += net.speed();
        let (mut lasts, mut floods) = (0.0, 0.0);
        net.count_anew();
        for line in 0..LINES {
            let who = net.dice.below(nodes as u64) as usize;
            floods += net.flood(who).as_secs_f64();
            net.say(who, line);
            net.pass(Duration::from_millis(100));
        }
        let control = net.control as f64 / (nodes * LINES) as f64;
        net.pass(Duration::from_secs(15));
        lasts += net.heard.values().map(|heard| heard.last.as_secs_f64()).sum::<f64>();
        let hops: Vec<u16> =
            net.heard.values().flat_map(|heard| heard.hops.values().copied()).collect();
        sum.redundancy += net.redundancy();
        sum.hops += hops.iter().map(|hops| f64::from(*hops)).sum::<f64>() / hops.len() as f64;
        sum.hops_max += f64::from(hops.iter().copied().max().unwrap_or(0));
        sum.last += lasts * 1_000.0 / LINES as f64;
        sum.to_flood += lasts / floods;
        sum.control += control;
        sum.degree += net.links().len() as f64 * 2.0 / nodes as f64;
        net.count_anew();
        (0..nodes.min(CHOIR_MAX)).for_each(|who| net.say(who, LINES + who));
        net.pass(Duration::from_secs(5));
        sum.at_once += net.redundancy();
    }
    let mean = |sum: f64| sum / seeds as f64;
    Outcome {
        redundancy: mean(sum.redundancy),
        at_once: mean(sum.at_once),
        hops: mean(sum.hops),
        hops_max: mean(sum.hops_max),
        last: mean(sum.last),
        to_flood: mean(sum.to_flood),
        control: mean(sum.control),
        degree: mean(sum.degree),
        speed: mean(sum.speed),
    }
}

/// How many of a hundred lines are missing with survivors, when so many crash as the lines are said.
pub(crate) fn missing(nodes: usize, seeds: u64, crash: u64) -> f64 {
    let mut sum = 0.0;
    for seed in 1..=seeds {
        let mut net = Network::joined(nodes, seed);
        net.count_anew();
        for line in 0..LAST_WORDS {
            let who = net.dice.below(nodes as u64) as usize;
            net.say(who, line);
        }
        for _ in 0..nodes * crash as usize / 100 {
            let alive: Vec<usize> = net.alive.iter().copied().collect();
            let victim = alive[net.dice.below(alive.len() as u64) as usize];
            net.crash(victim);
        }
        net.pass(Duration::from_secs(15));
        // Against whoever has most, so that a line that nobody was left to tell is not counted.
        let has =
            |who: &usize| net.heard.values().filter(|heard| heard.hops.contains_key(who)).count();
        let counts: Vec<usize> = net.alive.iter().map(has).collect();
        let most = counts.iter().copied().max().unwrap_or(0);
        let lacking: usize = counts.iter().map(|count| most - count).sum();
        sum += 100.0 * lacking as f64 / (most.max(1) * counts.len()) as f64;
    }
    sum / seeds as f64
}

/// What became of one line.
struct Heard {
    said: Duration,
    last: Duration,
    hops: BTreeMap<usize, u16>,
}

type Input = InEvent<u64>;

/// What is due: when, in which order, at whom, and which of the inputs that wait.
type Due = Reverse<(Duration, u64, usize)>;

/// Nodes and the links between them.
struct Network {
    dice: Dice,
    /// The protocol wants a moment of a real clock; only differences count.
    origin: Instant,
    now: Duration,
    seq: u64,
    due: BinaryHeap<Due>,
    inputs: BTreeMap<u64, Input>,
    states: Vec<State<u64, StdRng>>,
    alive: BTreeSet<usize>,
    latencies: BTreeMap<(usize, usize), Duration>,
    /// Who has whom for a neighbour, by what they were told.
    neighbours: BTreeSet<(usize, usize)>,
    /// When the last message from one to another arrives: links keep their order.
    arrives: BTreeMap<(usize, usize), Duration>,
    heard: BTreeMap<usize, Heard>,
    copies: u64,
    control: u64,
}

impl Network {
    /// So many nodes that joined one after the other and came to rest.
    fn joined(nodes: usize, seed: u64) -> Self {
        let mut net = Self {
            dice: Dice::new(Seed::story(seed)),
            origin: Instant::now(),
            now: Duration::ZERO,
            seq: 0,
            due: BinaryHeap::new(),
            inputs: BTreeMap::new(),
            states: Vec::new(),
            alive: BTreeSet::new(),
            latencies: BTreeMap::new(),
            neighbours: BTreeSet::new(),
            arrives: BTreeMap::new(),
            heard: BTreeMap::new(),
            copies: 0,
            control: 0,
        };
        let pause = Duration::from_millis((20_000 / nodes as u64).min(200));
        for who in 0..nodes {
            let rng = StdRng::seed_from_u64(seed << 32 | who as u64);
            net.states.push(State::new(who as u64, PeerData::default(), Config::default(), rng));
            net.alive.insert(who);
            let known = if who < BOOTSTRAP { 0..who.min(1) } else { 0..BOOTSTRAP };
            let known = known.map(|peer| peer as u64).collect();
            net.give(who, InEvent::Command(topic(), Command::Join(known)));
            net.pass(pause);
        }
        net.pass(Duration::from_secs(60));
        net
    }

    /// How many seconds with a line in each are told in one, measured over half a minute.
    fn speed(&mut self) -> f64 {
        const SECONDS: usize = 30;
        let begin = Instant::now();
        for line in 0..SECONDS {
            let who = self.dice.below(self.states.len() as u64) as usize;
            self.say(who, 1_000_000 + line);
            self.pass(Duration::from_secs(1));
        }
        SECONDS as f64 / begin.elapsed().as_secs_f64().max(1e-9)
    }

    fn count_anew(&mut self) {
        self.heard.clear();
        self.copies = 0;
        self.control = 0;
    }

    fn redundancy(&self) -> f64 {
        let receivers: usize =
            self.heard.values().map(|heard| heard.hops.len().saturating_sub(1)).sum();
        self.copies as f64 / receivers.max(1) as f64 - 1.0
    }

    fn say(&mut self, who: usize, line: usize) {
        let said = self.now;
        let hops = BTreeMap::from([(who, 0)]);
        self.heard.insert(line, Heard { said, last: Duration::ZERO, hops });
        let text = format!("{line} Shall we have lunch together at noon?");
        let command = Command::Broadcast(text.into_bytes().into(), Scope::Swarm);
        self.give(who, InEvent::Command(topic(), command));
    }

    fn crash(&mut self, who: usize) {
        self.alive.remove(&who);
        let links: Vec<(usize, usize)> =
            self.links().into_iter().filter(|(a, b)| *a == who || *b == who).collect();
        for (one, other) in links {
            let peer = if one == who { other } else { one };
            let at = self.now + self.latency(who, peer);
            self.plan(at, peer, InEvent::PeerDisconnected(who as u64));
        }
        self.neighbours.retain(|(one, other)| *one != who && *other != who);
    }

    /// Links that at least one end counts on, once each.
    fn links(&self) -> BTreeSet<(usize, usize)> {
        self.neighbours.iter().map(|(one, other)| (*one.min(other), *one.max(other))).collect()
    }

    /// When the last would hear of `who` if everybody forwarded to everybody.
    fn flood(&self, who: usize) -> Duration {
        let mut next = BTreeSet::from([(Duration::ZERO, who)]);
        let mut at = BTreeMap::new();
        let links = self.links();
        let mut ways: BTreeMap<usize, Vec<(usize, Duration)>> = BTreeMap::new();
        for (one, other) in links {
            let latency = self.latencies.get(&(one, other)).copied().unwrap_or_default();
            ways.entry(one).or_default().push((other, latency));
            ways.entry(other).or_default().push((one, latency));
        }
        while let Some((when, who)) = next.pop_first() {
            if at.contains_key(&who) {
                continue;
            }
            at.insert(who, when);
            for (to, latency) in ways.get(&who).into_iter().flatten() {
                next.insert((when + *latency, *to));
            }
        }
        at.into_values().max().unwrap_or_default()
    }

    fn latency(&mut self, one: usize, other: usize) -> Duration {
        let dice = &mut self.dice;
        let key = (one.min(other), one.max(other));
        *self
            .latencies
            .entry(key)
            .or_insert_with(|| Duration::from_micros(5_000 + dice.below(95_001)))
    }

    fn plan(&mut self, at: Duration, who: usize, input: Input) {
        self.due.push(Reverse((at, self.seq, who)));
        self.inputs.insert(self.seq, input);
        self.seq += 1;
    }

    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(&Reverse((at, seq, who))) = self.due.peek()
            && at <= until
        {
            self.due.pop();
            self.now = at;
            if let Some(input) = self.inputs.remove(&seq) {
                self.give(who, input);
            }
        }
        self.now = until;
    }

    fn give(&mut self, who: usize, input: Input) {
        if !self.alive.contains(&who) {
            return;
        }
        if let InEvent::RecvMessage(_, message) = &input
            && matches!(message.kind(), MessageKind::Data)
        {
            self.copies += 1;
        }
        let outputs: Vec<_> =
            self.states[who].handle(input, (self.origin + self.now).into(), None).collect();
        for output in outputs {
            self.carry_out(who, output);
        }
    }

    fn carry_out(&mut self, who: usize, output: OutEvent<u64>) {
        match output {
            OutEvent::SendMessage(to, message) => {
                if matches!(message.kind(), MessageKind::Control) {
                    self.control += 1;
                }
                let to = to as usize;
                let at = self.now + self.latency(who, to);
                let last = self.arrives.entry((who, to)).or_default();
                *last = at.max(*last);
                let at = *last;
                if self.alive.contains(&to) {
                    self.plan(at, to, InEvent::RecvMessage(who as u64, message));
                } else {
                    // Nobody is there to be dialled.
                    self.plan(at, who, InEvent::PeerDisconnected(to as u64));
                }
            }
            OutEvent::ScheduleTimer(span, timer) => {
                self.plan(self.now + span, who, InEvent::TimerExpired(timer));
            }
            OutEvent::DisconnectPeer(peer) => {
                let at = self.now + self.latency(who, peer as usize) + Duration::from_micros(1);
                self.plan(at, peer as usize, InEvent::PeerDisconnected(who as u64));
            }
            OutEvent::EmitEvent(_, Event::NeighborUp(peer)) => {
                self.neighbours.insert((who, peer as usize));
            }
            OutEvent::EmitEvent(_, Event::NeighborDown(peer)) => {
                self.neighbours.remove(&(who, peer as usize));
            }
            OutEvent::EmitEvent(_, Event::Received(event)) => {
                self.hear(who, &event.content, event.scope);
            }
            OutEvent::PeerData(..) => {}
        }
    }

    fn hear(&mut self, who: usize, content: &[u8], scope: DeliveryScope) {
        let text = String::from_utf8_lossy(content);
        let line = text.split(' ').next().and_then(|line| line.parse::<usize>().ok());
        let Some(heard) = line.and_then(|line| self.heard.get_mut(&line)) else { return };
        // It counts from zero: what came from the author itself has gone one hop.
        let hops = match scope {
            DeliveryScope::Swarm(round) => {
                format!("{round:?}").chars().filter(char::is_ascii_digit).collect()
            }
            DeliveryScope::Neighbors => "0".to_owned(),
        };
        let hops = hops.parse::<u16>().map_or(1, |hops| hops + 1);
        heard.hops.entry(who).or_insert(hops);
        heard.last = heard.last.max(self.now - heard.said);
    }
}

fn topic() -> TopicId {
    TopicId::from_bytes([7; 32])
}
