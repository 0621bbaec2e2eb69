//! Random crowds of PeerJS clients that come, break off, come back, read slowly and go, judged by their promises.
//!
//! Every message has a number. The judge knows who holds which name, and for each message what became of it: it was
//! handed over, or its sender was told, or it still waits and its time is not up.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use broker::{
    Broker, Capabilities, Config, Ending, Input, Line, Output, Peer, Proof, Signal, SocketId,
    Standing, Word,
};
use wire::peerjs::{Kind, PeerId};
use wire::{Dice, Seed, Time};

#[test]
fn nothing_goes_astray_among_a_few_who_often_meet() {
    let lost: u64 = (0..120).map(|story| Crowd::new(story, 8).live(1_500)).sum();

    assert!(lost > 500, "hardly anything was lost, so little was judged: {lost}");
}

#[test]
fn nothing_goes_astray_among_thousands() {
    let lost = Crowd::new(7, 3_000).live(60_000);

    assert!(lost > 500, "hardly anything was lost, so little was judged: {lost}");
}

/// The judge is judged: whatever promise is broken behind the broker's back, it says which.
#[test]
fn a_broker_that_broke_a_promise_would_be_found_out() {
    for (fault, words) in [
        (Fault::Swallows, "was lost in silence"),
        (Fault::HidesLoss, "was lost in silence"),
        (Fault::Repeats, "twice"),
        (Fault::Swaps, "out of order"),
        (Fault::Misdelivers, "to the wrong one"),
        (Fault::Forges, "a forged source"),
    ] {
        let crowd = Crowd { fault: Some(fault), ..Crowd::new(3, 8) };

        let told = catch_unwind(AssertUnwindSafe(|| crowd.live(3_000)));

        let panic = told.expect_err("it was not found out");
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default();
        assert!(said.contains(words), "{fault:?}: {said}");
    }
}

/// What goes wrong between the broker and the lines, now and then.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A message is not written.
    Swallows,
    /// Nobody hears that a message was lost.
    HidesLoss,
    /// A message is written twice.
    Repeats,
    /// What is handed over together is written from the end.
    Swaps,
    /// A message says that it is for somebody else.
    Misdelivers,
    /// A message says that somebody else has sent it.
    Forges,
}

/// How often a message is spoiled: one of so many.
const SPOILED: u64 = 20;

/// A message on its way.
struct Sent {
    number: u64,
    from: u64,
    to: u64,
    kind: Kind,
    at: Time,
}

struct Crowd {
    dice: Dice,
    config: Config,
    broker: Broker,
    /// What goes wrong, in the story about the judge.
    fault: Option<Fault>,
    now: Time,
    /// How many names there are.
    names: u64,
    next: u64,
    /// Who is here by which line, and whether it reads.
    here: BTreeMap<u64, (SocketId, bool)>,
    /// Whose line it is, or was.
    lines: BTreeMap<SocketId, u64>,
    pending: Vec<Sent>,
    /// When each sender was told that a name cannot be reached.
    told: BTreeMap<(u64, u64), Vec<Time>>,
    /// Since when each has been here and reading.
    undisturbed_since: BTreeMap<u64, Time>,
    /// How many lost messages were judged.
    judged: u64,
    /// The last number that each has heard from each.
    last: BTreeMap<(u64, u64), u64>,
    heard: BTreeSet<u64>,
}

impl Crowd {
    fn new(story: u64, names: u64) -> Self {
        let mut dice = Dice::new(Seed::story(story));
        let config = Config {
            open: true,
            letters_max: 6,
            letters_bytes_max: 4_000,
            letters_bytes_max_per_sender: 8_000,
            letters_bytes_max_total: 200_000,
            ..Config::default()
        };
        let broker = Broker::new(config.clone(), dice.seed());
        Self {
            dice,
            config,
            broker,
            fault: None,
            now: Time::ZERO,
            names,
            next: 0,
            here: BTreeMap::new(),
            lines: BTreeMap::new(),
            pending: Vec::new(),
            told: BTreeMap::new(),
            undisturbed_since: BTreeMap::new(),
            judged: 0,
            last: BTreeMap::new(),
            heard: BTreeSet::new(),
        }
    }

    /// Returns how many messages were lost whose senders were listening.
    fn live(mut self, steps: u32) -> u64 {
        for _ in 0..steps {
            let who = self.dice.below(self.names);
            match self.dice.below(20) {
                0..=4 => self.come(who),
                5 => self.go(who),
                6..=15 => self.say(who),
                16 => self.read_slowly(who),
                17 => self.read_again(who),
                _ => {
                    let span = self.dice.below(1_500);
                    self.pass(Duration::from_millis(span));
                }
            }
            let bytes = self.broker.load().letters_bytes;
            assert!(bytes <= self.config.letters_bytes_max_total, "{bytes} bytes wait");
            assert_eq!(self.broker.load().lines, self.here.len());
        }
        self.end()
    }

    fn come(&mut self, who: u64) {
        let socket = SocketId(self.fresh());
        let (peer, proof) = (Peer::Guest(name(who)), Proof(u128::from(who)));
        let input = Input::Joined {
            socket,
            peer,
            proof,
            line: Line::Socket,
            standing: Standing::default(),
        };
        self.broker.handle(self.now, input).expect("its place is its own");
        self.lines.insert(socket, who);
        let old = self.here.insert(who, (socket, true));
        self.undisturbed_since.entry(who).or_insert(self.now);
        self.settle(old.map(|(socket, _)| socket));
        // Whoever comes by another token is refused, always.
        let socket = SocketId(self.fresh());
        let (peer, proof) = (Peer::Guest(name(who)), Proof(u128::MAX));
        let thief = Input::Joined {
            socket,
            peer,
            proof,
            line: Line::Socket,
            standing: Standing::default(),
        };
        self.broker.handle(self.now, thief).expect_err("it is taken");
    }

    fn go(&mut self, who: u64) {
        let Some((socket, _)) = self.here.remove(&who) else { return };
        self.undisturbed_since.remove(&who);
        let endings = [Ending::Lost, Ending::PageGone, Ending::Disconnected];
        let ending = endings[self.dice.below(3) as usize];
        self.broker.handle(self.now, Input::Parted { socket, ending }).expect("it is open");
        self.settle(None);
    }

    fn say(&mut self, who: u64) {
        let Some((socket, _)) = self.here.get(&who).copied() else { return };
        let to = self.dice.below(self.names);
        let kind = if self.dice.below(3) == 0 { Kind::Offer } else { Kind::Candidate };
        let number = self.fresh();
        self.pending.push(Sent { number, from: who, to, kind, at: self.now });
        let signal = Signal {
            kind,
            to: name(to),
            payload: Some(number.to_string().into()),
            connection: None,
            needs: Capabilities::default(),
        };
        self.broker.handle(self.now, Input::Said { socket, signal }).expect("it is open");
        self.settle(None);
    }

    fn read_slowly(&mut self, who: u64) {
        if let Some((socket, reads)) = self.here.get_mut(&who) {
            *reads = false;
            self.undisturbed_since.remove(&who);
            self.broker.handle(self.now, Input::Stalled { socket: *socket }).expect("it is open");
        }
        self.settle(None);
    }

    fn read_again(&mut self, who: u64) {
        if let Some((socket, reads)) = self.here.get_mut(&who) {
            *reads = true;
            self.undisturbed_since.entry(who).or_insert(self.now);
            self.broker.handle(self.now, Input::Flowing { socket: *socket }).expect("it is open");
        }
        self.settle(None);
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.broker.timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.broker.handle(self.now, Input::Timeout).expect("harmless");
            assert!(self.broker.timeout().is_none_or(|next| next > self.now), "no progress");
            self.settle(None);
        }
        self.now = end;
        self.look_for_lost();
    }

    /// Everybody reads, and all that waits has gone out or has been told.
    fn end(mut self) -> u64 {
        for who in 0..self.names {
            self.come(who);
        }
        self.pass(Duration::from_secs(60));
        assert_eq!(self.broker.load().letters_bytes, 0);
        assert!(self.pending.is_empty(), "{} were lost", self.pending.len());
        assert!(self.heard.len() > 100, "hardly anything was heard");
        self.judged
    }

    /// Judges what the broker says; `superseded` is a line that it has to end.
    fn settle(&mut self, superseded: Option<SocketId>) {
        let mut ended = None;
        let mut outputs: Vec<Output> = std::iter::from_fn(|| self.broker.poll()).collect();
        if matches!(self.fault, Some(Fault::Swaps)) {
            outputs.reverse();
        }
        for output in outputs.into_iter().flat_map(|output| self.spoil(output)).collect::<Vec<_>>()
        {
            match output {
                Output::Tell { socket, word } => self.on_word(socket, word),
                Output::Part { socket, .. } => ended = Some(socket),
                Output::Push { .. }
                | Output::Wake { .. }
                | Output::Receipt { .. }
                | Output::Sent { .. }
                | Output::Dismiss { .. }
                | Output::Presence { .. } => panic!("that is not for PeerJS"),
            }
        }
        assert_eq!(ended, superseded);
    }

    /// What becomes of an output on its way to the lines.
    fn spoil(&mut self, output: Output) -> Vec<Output> {
        let Some(fault) = self.fault else { return vec![output] };
        let Output::Tell { socket, word } = &output else { return vec![output] };
        let Word::Signal { kind, from, to, payload } = word else {
            let is_hidden = matches!((fault, word), (Fault::HidesLoss, Word::Expire { .. }));
            return if is_hidden { Vec::new() } else { vec![output] };
        };
        if self.dice.below(SPOILED) > 0 {
            return vec![output];
        }
        let changed = |from: &PeerId, to: &PeerId| {
            let (from, to, payload) = (from.clone(), to.clone(), payload.clone());
            let word = Word::Signal { kind: *kind, from, to, payload };
            vec![Output::Tell { socket: *socket, word }]
        };
        match fault {
            Fault::Swallows => Vec::new(),
            Fault::HidesLoss | Fault::Swaps => vec![output],
            Fault::Repeats => vec![output.clone(), output],
            Fault::Misdelivers => changed(from, &name(self.names)),
            Fault::Forges => changed(&name(self.names), to),
        }
    }

    fn on_word(&mut self, socket: SocketId, word: Word) {
        let who = self.lines[&socket];
        let (line, reads) = self.here[&who];
        assert_eq!(line, socket, "a word to a line that is gone");
        assert!(reads || word == Word::Open, "a word to one who does not read");
        match word {
            Word::Open | Word::Signal { kind: Kind::Leave, .. } => {}
            Word::Expire { from, to } => {
                assert_eq!(to, name(who), "told to somebody else");
                self.told.entry((who, number_of(&from))).or_default().push(self.now);
            }
            Word::Signal { from, to, payload, .. } => {
                assert_eq!(to, name(who), "to the wrong one");
                let number: u64 = payload.expect("a number").parse().expect("a number");
                let at = self.pending.iter().position(|sent| sent.number == number);
                if let Some(at) = at {
                    let sent = self.pending.remove(at);
                    assert_eq!((name(sent.from), sent.to), (from.clone(), who), "a forged source");
                    assert!(self.now - sent.at <= self.config.letter, "too late");
                }
                assert!(self.heard.insert(number), "twice");
                let last = self.last.insert((number_of(&from), who), number);
                assert!(last < Some(number), "out of order");
            }
        }
    }

    /// An offer that was not heard in time was told about in time; a candidate then too, or it belongs to an offer that
    /// was. Who was away or did not read in the meantime may have missed the word.
    fn look_for_lost(&mut self) {
        let (now, due) = (self.now, self.config.letter);
        let (told, undisturbed_since) = (&self.told, &self.undisturbed_since);
        let mut judged = 0;
        self.pending.retain(|sent| {
            if now - sent.at <= due {
                return true;
            }
            let listened = undisturbed_since.get(&sent.from).is_some_and(|since| *since < sent.at);
            if listened {
                let times = told.get(&(sent.from, sent.to)).map_or(&[][..], Vec::as_slice);
                let in_time = |at: &Time| *at >= sent.at && *at - sent.at <= due;
                let is_told = times.iter().any(in_time)
                    || (sent.kind == Kind::Candidate && times.iter().any(|at| *at <= sent.at));
                assert!(
                    is_told,
                    "{} was lost in silence: {:?} {}>{} at {:?}, told {times:?}, now {now:?}",
                    sent.number, sent.kind, sent.from, sent.to, sent.at
                );
                judged += 1;
            }
            false
        });
        self.judged += judged;
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

fn name(who: u64) -> PeerId {
    format!("peer-{who}").parse().expect("a name")
}

fn number_of(name: &PeerId) -> u64 {
    name.as_str().trim_start_matches("peer-").parse().expect("a number")
}
