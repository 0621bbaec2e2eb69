//! Stories of one call: a caller, the devices of a callee, and a server that forks.
//!
//! ```text
//!   Ann ──post──▶ server ──push──▶ Bob's device 1, 2, …
//!    ▲              │ ◀──────────────post / ack──┘
//!    └──push, receipt
//! ```
//!
//! Checked after every step: at most one device is connected to the caller; messages go to whom they are for; honest
//! devices are never refused; a call makes progress, applies one answer and ends once; nobody rings longer than the
//! invite allows. Checked at the end: every call is over or connected on both sides, and in fair weather exactly as a
//! reference that knows no messages says.

mod plan;
mod promises;

use std::collections::BTreeSet;
use std::time::Duration;

use call::{Call, Config, Describe, Event, Input, Outgoing, Output, Settled, State, Unsent};
use wire::invite::{Letter, Message, RejectReason};
use wire::{Address, Dice, InstanceId, InviteId, NodeId, Seed, Time, UserId};

use crate::{Agenda, Broken, Net, Story, Weather, World};
use plan::{Does, Plan};
use promises::promise;

/// After this everything must be over: the ring time, the time to connect, and as much again.
const LAST: Duration = Duration::from_secs(180);

/// More steps than any call takes.
const STEPS_MAX: u64 = 5_000;

/// After this a request without an answer has failed.
const REQUEST: Duration = Duration::from_secs(3);

const ID: InviteId = InviteId(1);

/// What became of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where the caller's call stands at the end.
    pub caller: State,
    /// Where the calls of the devices stand, for those that rang.
    pub devices: Vec<Option<State>>,
    /// How many things happened.
    pub steps: u64,
}

/// Tells story `number` in this weather.
///
/// # Errors
///
/// When a promise breaks.
pub fn tell(number: u64, weather: Weather) -> Result<Told, Broken> {
    let mut dice = Dice::new(Seed::story(number));
    let plan = Plan::new(&mut dice, weather);
    let mut world = World::new(number, CallStory::new(plan, &mut dice));
    world.push(Time::ZERO, What::Starts);
    world.run_until(Time::at(LAST), STEPS_MAX)?;
    world.story().check_end().map_err(|promise| world.broken(promise))?;

    let states = |actor: &Actor| actor.call.as_ref().map(Call::state);
    let actors = &world.story().actors;
    Ok(Told {
        caller: states(&actors[0]).expect("the story began"),
        devices: actors[1..].iter().map(states).collect(),
        steps: world.steps(),
    })
}

/// Ann is actor 0, Bob's devices are the others.
#[derive(Debug)]
struct CallStory {
    plan: Plan,
    net: Net<(usize, Hop)>,
    actors: Vec<Actor>,
    /// What the server remembers: who has acknowledged.
    receipts: BTreeSet<usize>,
    /// When the first INVITE was posted.
    posted: Option<Time>,
    /// When the caller's call ended or was connected.
    settled: Option<Time>,
}

/// The two ways of a device's path to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hop {
    Up,
    Down,
}

#[derive(Clone, Debug)]
struct Actor {
    address: Address,
    call: Option<Call>,
    heard: Settled,
    wakes: Option<Time>,
    applied: u32,
    ends: u32,
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum What {
    /// Ann calls Bob.
    Starts,
    /// A request reaches the server.
    Posted { from: usize, to: Address, message: Message },
    /// The server's acknowledgement from a device.
    Acked { from: usize },
    /// A push reaches a device.
    Pushed { to: usize, letter: Letter },
    /// A call hears of something else.
    Hears { actor: usize, input: Input },
    /// The person does what they meant to, if it still rings.
    Decides { actor: usize },
    /// The person hangs up, if it is not connected yet.
    Regrets { actor: usize },
    /// The channel between Ann and this device opens, or it is clear that it never will.
    Opens { actor: usize },
    /// A deadline, which may be an old one.
    Wakes { actor: usize },
}

impl Story for CallStory {
    type What = What;

    fn happen(&mut self, what: What, agenda: &mut Agenda<What>) -> Result<(), String> {
        let now = agenda.now();
        match what {
            What::Starts => self.on_start(agenda),
            What::Posted { from, to, message } => self.on_post(from, &to, &message, agenda),
            What::Acked { from } => {
                if self.receipts.insert(from) {
                    let from = self.actors[from].address.clone();
                    self.carry(
                        0,
                        Hop::Down,
                        agenda,
                        &What::Hears { actor: 0, input: Input::Receipt { from } },
                    );
                }
                Ok(())
            }
            What::Pushed { to, letter } => self.on_push(to, letter, agenda),
            What::Hears { actor, input } => self.give(actor, input, agenda),
            What::Decides { actor } => self.on_decision(actor, agenda),
            What::Regrets { actor } => match self.state(actor) {
                Some(State::Starting | State::Connecting) => {
                    self.give(actor, Input::Cancel, agenda)
                }
                Some(
                    State::Calling | State::Ringing { .. } | State::Connected | State::Ended(_),
                )
                | None => Ok(()),
            },
            What::Opens { actor } => {
                let is_up =
                    [0, actor].iter().all(|&end| self.state(end) == Some(State::Connecting));
                let input = if self.plan.opens { Input::Connected } else { Input::Disconnected };
                if is_up {
                    self.give(0, input.clone(), agenda)?;
                    self.give(actor, input, agenda)?;
                }
                Ok(())
            }
            What::Wakes { actor } => {
                if self.actors[actor].wakes == Some(now) {
                    self.actors[actor].wakes = None;
                }
                self.give(actor, Input::Timeout, agenda)?;
                let due = self.actors[actor].call.as_ref().and_then(Call::timeout);
                promise(due.is_none_or(|at| at > now), "a deadline that was met is gone")
            }
        }
    }

    fn check(&self, now: Time) -> Result<(), String> {
        self.check_now(now)
    }
}

impl CallStory {
    fn new(plan: Plan, dice: &mut Dice) -> Self {
        let user = |name: &str| name.parse::<UserId>().expect("a name");
        let mut addresses = vec![Address::at(user("ann@x.org"), InstanceId(1))];
        let devices = plan.devices.iter().zip(2..);
        addresses.extend(devices.map(|(_, i)| Address::at(user("bob@x.org"), InstanceId(i))));
        let actors = addresses.into_iter().map(Actor::new).collect();
        let net = Net::new(plan.weather.clone(), dice.seed());
        Self { plan, net, actors, receipts: BTreeSet::new(), posted: None, settled: None }
    }

    fn state(&self, actor: usize) -> Option<State> {
        self.actors[actor].call.as_ref().map(Call::state)
    }

    fn is_fair(&self) -> bool {
        self.plan.weather.lost_permille == 0 && !self.plan.weather.reorders
    }

    fn on_start(&mut self, agenda: &mut Agenda<What>) -> Result<(), String> {
        let outgoing = Outgoing {
            id: ID,
            to: "bob@x.org".parse().expect("an address"),
            node: NodeId(0),
            location: "https://x.org/conference?data.path=sessions/c".to_owned(),
            topic: None,
        };
        let call = Call::outgoing(Config::default(), agenda.now(), outgoing);
        self.actors[0].call = Some(call);
        if let Some(span) = self.plan.gives_up {
            agenda.push(agenda.now() + span, What::Decides { actor: 0 });
        }
        self.settle(0, agenda);
        Ok(())
    }

    /// The server: forks to all devices of the user, and counts those that are there.
    fn on_post(
        &mut self,
        from: usize,
        to: &Address,
        message: &Message,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        self.check_addressee(from, to, message)?;
        let meant: Vec<usize> = (0..self.actors.len())
            .filter(|&i| {
                let address = &self.actors[i].address;
                let is_there = i == 0 || self.plan.devices[i - 1].is_there;
                let is_meant = to.instance.is_none() || to.instance == address.instance;
                is_there && address.user == to.user && is_meant
            })
            .collect();
        for &device in &meant {
            let letter = Letter {
                from: self.actors[from].address.clone(),
                to: self.actors[device].address.clone(),
                message: message.clone(),
            };
            self.carry(device, Hop::Down, agenda, &What::Pushed { to: device, letter });
        }

        if wants_result(message) {
            let count = u32::try_from(meant.len()).expect("there are a few devices");
            let result = if count == 0 {
                Input::Unsent(Unsent::NotReachable)
            } else {
                Input::Sent { count }
            };
            self.reply(from, result, agenda);
        }
        Ok(())
    }

    fn on_push(
        &mut self,
        to: usize,
        letter: Letter,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        promise(letter.to == self.actors[to].address, "a letter reaches whom it is for")?;
        if matches!(letter.message, Message::Invite(_))
            && (self.actors[to].call.is_some() || !self.actors[to].heard.has(ID))
        {
            self.carry(to, Hop::Up, agenda, &What::Acked { from: to });
        }
        if self.actors[to].call.is_some() {
            return self.give(to, Input::Received(letter), agenda);
        }
        match letter.message {
            Message::Invite(invite) if !self.actors[to].heard.has(ID) => {
                let now = agenda.now();
                let call = Call::incoming(Config::default(), now, letter.from, letter.to, invite);
                self.actors[to].call = Some(call);
                agenda.push(now + self.plan.devices[to - 1].after, What::Decides { actor: to });
                self.settle(to, agenda);
            }
            // Cancelled before it came.
            Message::Invite(_) => {}
            Message::Cancel { .. } => self.actors[to].heard.note(ID),
            Message::Accept(_) | Message::Decline { .. } | Message::Reject { .. } => {
                return Err("answers go to somebody who asked".to_owned());
            }
        }
        Ok(())
    }

    fn on_decision(&mut self, actor: usize, agenda: &mut Agenda<What>) -> Result<(), String> {
        match (actor, self.state(actor)) {
            (0, Some(State::Connected | State::Ended(_)) | None) => Ok(()),
            (0, Some(_)) => self.give(0, Input::Cancel, agenda),
            (_, Some(State::Ringing { .. })) => match self.plan.devices[actor - 1].does {
                Does::Answer => {
                    if let Some(span) = self.plan.devices[actor - 1].regrets {
                        agenda.push(agenda.now() + span, What::Regrets { actor });
                    }
                    self.give(actor, Input::Answer { node: NodeId(actor as u64) }, agenda)
                }
                Does::Decline => self.give(actor, Input::Decline, agenda),
                Does::Busy => self.give(actor, Input::Reject(RejectReason::Busy), agenda),
                Does::Nothing => Ok(()),
            },
            // The card is gone.
            (_, _) => Ok(()),
        }
    }

    /// Gives an actor's call an input, and does what it asks for.
    fn give(
        &mut self,
        actor: usize,
        input: Input,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        let Some(call) = &mut self.actors[actor].call else { return Ok(()) };
        if self.plan.stores {
            let stored = serde_json::to_string(call).map_err(|error| error.to_string())?;
            *call = serde_json::from_str(&stored).map_err(|error| error.to_string())?;
        }
        let refused = call.handle(agenda.now(), input);
        refused.map_err(|error| format!("honest people are never refused: {error}"))?;
        self.settle(actor, agenda);
        Ok(())
    }

    /// Does what a call asks for, and arms its deadline.
    fn settle(&mut self, actor: usize, agenda: &mut Agenda<What>) {
        let now = agenda.now();
        while let Some(output) = self.actors[actor].call.as_mut().and_then(Call::poll) {
            match output {
                Output::Describe(describe) => {
                    let (span, text) = match describe {
                        Describe::Offer => (self.plan.offer, "offer".to_owned()),
                        Describe::Answer { .. } => {
                            (self.plan.devices[actor - 1].answer, actor.to_string())
                        }
                    };
                    agenda.push(now + span, What::Hears { actor, input: Input::Described(text) });
                }
                Output::Apply { answer } => {
                    self.actors[actor].applied += 1;
                    let winner = answer.parse().expect("answers name their device");
                    agenda.push(now + self.plan.channel, What::Opens { actor: winner });
                }
                Output::Send { to, message } => self.post(actor, to, message, agenda),
                Output::Event(Event::Ended(_)) => self.actors[actor].ends += 1,
                Output::Event(
                    Event::Ringing { .. } | Event::Answered { .. } | Event::Connected,
                ) => {}
            }
        }
        if actor == 0
            && self.settled.is_none()
            && matches!(self.state(0), Some(State::Connected | State::Ended(_)))
        {
            self.settled = Some(now);
        }
        let due = self.actors[actor].call.as_ref().and_then(Call::timeout);
        if let Some(at) = due
            && self.actors[actor].wakes.is_none_or(|armed| at < armed)
        {
            self.actors[actor].wakes = Some(at);
            agenda.push(at, What::Wakes { actor });
        }
    }

    /// A request, which is retried by nobody: when it or its answer is lost, the sender hears that after a while.
    fn post(&mut self, from: usize, to: Address, message: Message, agenda: &mut Agenda<What>) {
        if matches!(message, Message::Invite(_)) {
            self.posted.get_or_insert(agenda.now());
        }
        let wants_result = wants_result(&message);
        // One request is one request: the copies of a doubled one are the same.
        match self.net.carry(agenda.now(), (from, Hop::Up)).next() {
            Some(at) => agenda.push(at, What::Posted { from, to, message }),
            None if wants_result => {
                let input = Input::Unsent(Unsent::Offline);
                agenda.push(agenda.now() + REQUEST, What::Hears { actor: from, input });
            }
            None => {}
        }
    }

    fn reply(&mut self, to: usize, result: Input, agenda: &mut Agenda<What>) {
        let now = agenda.now();
        let (at, input) = match self.net.carry(now, (to, Hop::Down)).next() {
            Some(at) => (at, result),
            None => (now + REQUEST, Input::Unsent(Unsent::Offline)),
        };
        agenda.push(at, What::Hears { actor: to, input });
    }

    /// Something that nobody waits for, which the network may lose or double.
    fn carry(&mut self, device: usize, hop: Hop, agenda: &mut Agenda<What>, what: &What) {
        for at in self.net.carry(agenda.now(), (device, hop)) {
            agenda.push(at, what.clone());
        }
    }
}

impl Actor {
    fn new(address: Address) -> Self {
        Self { address, call: None, heard: Settled::default(), wakes: None, applied: 0, ends: 0 }
    }
}

/// Whether the sender waits for what became of this.
fn wants_result(message: &Message) -> bool {
    matches!(message, Message::Invite(_) | Message::Accept(_))
}
