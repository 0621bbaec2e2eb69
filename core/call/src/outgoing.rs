//! The caller's side: rings every device of the callee, takes the first that accepts, and tells the rest.

use serde::{Deserialize, Serialize};
use wire::invite::{Accept, CancelReason, DESCRIPTION_BYTES_MAX, Letter, Message, RejectReason};
use wire::{Address, NodeId, Time};

use crate::calling::Calling;
use crate::words::{Describe, End, Error, Event, Input, Output, State, Unsent};
use crate::{Config, Outgoing, Outputs, send};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Caller {
    outgoing: Outgoing,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The offer is being made; nobody has heard of us.
    Starting { until: Time },
    /// The INVITE is out.
    Calling(Calling),
    /// A device accepted; its answer is applied.
    Connecting { winner: Winner, until: Time },
    /// The channel is open. We stay to tell those who accept too late.
    Connected { winner: Winner },
    /// Over. We stay to tell those who accept too late.
    Ended { end: End, farewell: Farewell },
}

/// The device that accepted first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Winner {
    by: Address,
    node: NodeId,
}

/// What a device is told that accepts too late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Farewell {
    reason: CancelReason,
    by: Option<Address>,
}

impl Caller {
    pub(crate) fn new(config: &Config, now: Time, outgoing: Outgoing, out: &mut Outputs) -> Self {
        out.push_back(Output::Describe(Describe::Offer));
        Self { outgoing, stage: Stage::Starting { until: now + config.describe } }
    }

    pub(crate) fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    pub(crate) fn peer_device(&self) -> Option<&Address> {
        match &self.stage {
            Stage::Connecting { winner, .. } | Stage::Connected { winner } => Some(&winner.by),
            Stage::Starting { .. } | Stage::Calling(_) | Stage::Ended { .. } => None,
        }
    }

    pub(crate) fn peer_node(&self) -> Option<NodeId> {
        match &self.stage {
            Stage::Connecting { winner, .. } | Stage::Connected { winner } => Some(winner.node),
            Stage::Starting { .. } | Stage::Calling(_) | Stage::Ended { .. } => None,
        }
    }

    pub(crate) fn state(&self) -> State {
        match &self.stage {
            Stage::Starting { .. } => State::Starting,
            Stage::Calling(calling) => calling.state(),
            Stage::Connecting { .. } => State::Connecting,
            Stage::Connected { .. } => State::Connected,
            Stage::Ended { end, .. } => State::Ended(end.clone()),
        }
    }

    pub(crate) fn timeout(&self, config: &Config) -> Option<Time> {
        match &self.stage {
            Stage::Starting { until } | Stage::Connecting { until, .. } => Some(*until),
            Stage::Calling(calling) => Some(calling.timeout(config)),
            Stage::Connected { .. } | Stage::Ended { .. } => None,
        }
    }

    pub(crate) fn handle(
        &mut self,
        config: &Config,
        now: Time,
        input: Input,
        out: &mut Outputs,
    ) -> Result<(), Error> {
        match (&mut self.stage, input) {
            (_, Input::Timeout) => self.on_timeout(config, now, out),
            (_, Input::Received(letter)) => return self.on_letter(config, now, letter, out),

            (Stage::Starting { .. }, Input::Described(offer)) => {
                if offer.len() > DESCRIPTION_BYTES_MAX {
                    return Err(Error::Limit { what: "bytes of an offer" });
                }
                let calling = Calling::new(now, offer);
                send(out, &self.outgoing.to, calling.invite(config, now, &self.outgoing));
                self.stage = Stage::Calling(calling);
            }
            (Stage::Starting { .. }, Input::Undescribed) => self.end(End::Failed, None, out),
            // Nobody has heard of us, so nobody is told.
            (Stage::Starting { .. }, Input::Cancel) => self.end(End::Cancelled, None, out),

            (Stage::Calling(calling), Input::Sent { count }) => {
                calling.on_sent(count);
                self.end_if_all_rejected(out);
            }
            (Stage::Calling(calling), Input::Unsent(why)) => {
                if !calling.is_heard() {
                    self.on_unheard(why, out);
                }
                // Else it was a repetition that failed; the devices that have the first one ring on.
            }
            (Stage::Calling(_), Input::Receipt { from }) => {
                return self.on_receipt(config, from, out);
            }
            (Stage::Calling(_), Input::Cancel) => self.take_back(End::Cancelled, out),
            (Stage::Calling(calling), Input::Repeat) => {
                let invite = calling.invite(config, now, &self.outgoing);
                send(out, &self.outgoing.to, invite);
            }
            // It is posted when the offer is there; or it has been answered, or taken back.
            (
                Stage::Starting { .. }
                | Stage::Connecting { .. }
                | Stage::Connected { .. }
                | Stage::Ended { .. },
                Input::Repeat,
            ) => {}

            (Stage::Connecting { .. }, Input::Connected) => self.on_connected(out),
            (Stage::Connecting { winner, .. }, input @ (Input::Disconnected | Input::Cancel)) => {
                let end = if input == Input::Cancel { End::Cancelled } else { End::Failed };
                let winner = winner.clone();
                self.give_up(end, winner, out);
            }

            // What came of a posting, and who rings, is no news once the invite is settled.
            (
                Stage::Connecting { .. } | Stage::Connected { .. } | Stage::Ended { .. },
                Input::Sent { .. } | Input::Unsent(_) | Input::Receipt { .. },
            ) => {}
            // The driver's work may finish, and the person press, just after the end.
            (
                Stage::Ended { .. },
                Input::Described(_)
                | Input::Undescribed
                | Input::Cancel
                | Input::Connected
                | Input::Disconnected,
            ) => {}

            (
                Stage::Starting { .. }
                | Stage::Calling(_)
                | Stage::Connecting { .. }
                | Stage::Connected { .. }
                | Stage::Ended { .. },
                input,
            ) => return Err(Error::misuse(&input, &self.state())),
        }
        Ok(())
    }

    fn on_timeout(&mut self, config: &Config, now: Time, out: &mut Outputs) {
        match &mut self.stage {
            Stage::Starting { until } if *until <= now => self.end(End::Failed, None, out),
            Stage::Calling(calling) if calling.is_over(config, now) => {
                let end = calling.verdict();
                self.take_back(end, out);
            }
            Stage::Calling(calling) => {
                if calling.is_due_again(config, now) {
                    let invite = calling.invite(config, now, &self.outgoing);
                    send(out, &self.outgoing.to, invite);
                }
            }
            Stage::Connecting { winner, until } if *until <= now => {
                let winner = winner.clone();
                self.give_up(End::Failed, winner, out);
            }
            // Early, or nothing is due.
            Stage::Starting { .. }
            | Stage::Connecting { .. }
            | Stage::Connected { .. }
            | Stage::Ended { .. } => {}
        }
    }

    fn on_unheard(&mut self, why: Unsent, out: &mut Outputs) {
        match why {
            Unsent::UnknownUser => self.end(End::UnknownUser, None, out),
            Unsent::NotReachable => self.end(End::NotReachable, None, out),
            Unsent::Refused => self.end(End::Refused, None, out),
            // The request may have arrived and only its answer be lost, so somebody may ring.
            Unsent::Offline => self.take_back(End::Offline, out),
        }
    }

    fn on_receipt(
        &mut self,
        config: &Config,
        from: Address,
        out: &mut Outputs,
    ) -> Result<(), Error> {
        let (is_invited, state) = (self.is_invited(&from), self.state());
        let Stage::Calling(calling) = &mut self.stage else { return Ok(()) };
        if !is_invited {
            return Err(Error::PeerMisbehaved { method: "Receipt", state: state.name() });
        }
        if calling.on_receipt(config, from)? {
            out.push_back(Output::Event(calling.rings()));
        }
        Ok(())
    }

    fn on_letter(
        &mut self,
        config: &Config,
        now: Time,
        letter: Letter,
        out: &mut Outputs,
    ) -> Result<(), Error> {
        let Letter { from, message, .. } = letter;
        if !self.is_invited(&from) {
            return Err(Error::misbehaved(&message, &self.state()));
        }
        match (&mut self.stage, message) {
            (Stage::Calling(_), Message::Accept(accept)) => {
                return self.on_accept(config, now, from, accept, out);
            }
            (Stage::Calling(_), Message::Decline { .. }) => {
                self.say_all(CancelReason::Declined, Some(from.clone()), out);
                self.end(
                    End::Declined,
                    Some(Farewell { reason: CancelReason::Declined, by: Some(from) }),
                    out,
                );
            }
            (Stage::Calling(calling), Message::Reject { reason, .. }) => {
                if calling.on_reject(config, from, reason)? {
                    out.push_back(Output::Event(calling.rings()));
                }
                self.end_if_all_rejected(out);
            }

            // The winner repeats itself until its channel is open.
            (
                Stage::Connecting { winner, .. } | Stage::Connected { winner },
                Message::Accept(_),
            ) if winner.by == from => {}
            (
                Stage::Connecting { winner, .. } | Stage::Connected { winner },
                Message::Accept(_),
            ) => {
                let by = Some(winner.by.clone());
                self.say(&from, CancelReason::Accepted, by, out);
            }
            // The person at the winner thought better of it.
            (Stage::Connecting { winner, .. }, Message::Decline { .. }) if winner.by == from => {
                let winner = winner.clone();
                self.give_up(End::Declined, winner, out);
            }
            (
                Stage::Connecting { winner, .. },
                Message::Reject { reason: RejectReason::Failed, .. },
            ) if winner.by == from => {
                let winner = winner.clone();
                self.give_up(End::Failed, winner, out);
            }
            // It did not win and was told already; or another window of the winner that still rang.
            (
                Stage::Connecting { .. } | Stage::Connected { .. } | Stage::Ended { .. },
                Message::Reject { .. },
            ) => {}
            // It repeats this until it hears a CANCEL, and ours may be lost.
            (
                Stage::Connecting { winner, .. } | Stage::Connected { winner },
                Message::Decline { .. },
            ) => {
                let by = Some(winner.by.clone());
                self.say(&from, CancelReason::Accepted, by, out);
            }
            (Stage::Ended { farewell, .. }, Message::Accept(_) | Message::Decline { .. }) => {
                let Farewell { reason, by } = farewell.clone().for_device(&from);
                self.say(&from, reason, by, out);
            }

            // Nobody but us invites and cancels here, and nobody can answer what was not asked.
            (
                Stage::Starting { .. }
                | Stage::Calling(_)
                | Stage::Connecting { .. }
                | Stage::Connected { .. }
                | Stage::Ended { .. },
                message,
            ) => return Err(Error::misbehaved(&message, &self.state())),
        }
        Ok(())
    }

    /// The first ACCEPT: its device wins, all others are told.
    fn on_accept(
        &mut self,
        config: &Config,
        now: Time,
        from: Address,
        accept: Accept,
        out: &mut Outputs,
    ) -> Result<(), Error> {
        let Accept { node, answer, .. } = accept;
        if node == self.outgoing.node {
            return Err(Error::PeerMisbehaved { method: "ACCEPT", state: self.state().name() });
        }
        out.push_back(Output::Apply { answer });
        self.say_all(CancelReason::Accepted, Some(from.clone()), out);
        out.push_back(Output::Event(Event::Answered { by: from.clone(), node }));
        let winner = Winner { by: from, node };
        self.stage = Stage::Connecting { winner, until: now + config.connect };
        Ok(())
    }

    fn on_connected(&mut self, out: &mut Outputs) {
        if let Stage::Connecting { winner, .. } = &self.stage {
            self.stage = Stage::Connected { winner: winner.clone() };
            out.push_back(Output::Event(Event::Connected));
        }
    }

    /// Ends at once when every device the server counted has rejected.
    fn end_if_all_rejected(&mut self, out: &mut Outputs) {
        if let Stage::Calling(calling) = &self.stage
            && calling.is_rejected_by_all()
        {
            let end = calling.verdict();
            self.take_back(end, out);
        }
    }

    /// Ends while devices may ring: all are told.
    fn take_back(&mut self, end: End, out: &mut Outputs) {
        self.say_all(CancelReason::Cancel, None, out);
        self.end(end, None, out);
    }

    /// Ends after a device accepted: that one is told, the others were.
    fn give_up(&mut self, end: End, winner: Winner, out: &mut Outputs) {
        self.say(&winner.by, CancelReason::Cancel, None, out);
        let farewell = Farewell { reason: CancelReason::Accepted, by: Some(winner.by) };
        self.end(end, Some(farewell), out);
    }

    /// The only place that ends.
    fn end(&mut self, end: End, farewell: Option<Farewell>, out: &mut Outputs) {
        debug_assert!(!matches!(self.stage, Stage::Ended { .. }), "a call ends once");
        let farewell = farewell.unwrap_or(Farewell { reason: CancelReason::Cancel, by: None });
        self.stage = Stage::Ended { end: end.clone(), farewell };
        out.push_back(Output::Event(Event::Ended(end)));
    }

    /// Whether `device` is one of those we invited.
    fn is_invited(&self, device: &Address) -> bool {
        let to = &self.outgoing.to;
        device.user == to.user
            && device.instance.is_some()
            && (to.instance.is_none() || to.instance == device.instance)
    }

    /// Tells everyone we invited.
    fn say_all(&self, reason: CancelReason, by: Option<Address>, out: &mut Outputs) {
        self.say(&self.outgoing.to, reason, by, out);
    }

    fn say(&self, to: &Address, reason: CancelReason, by: Option<Address>, out: &mut Outputs) {
        send(out, to, Message::Cancel { id: self.outgoing.id, reason, by });
    }
}

impl Farewell {
    /// What `device` is told: the winner itself did not lose to the winner.
    fn for_device(self, device: &Address) -> Self {
        match self.reason {
            CancelReason::Accepted if self.by.as_ref() == Some(device) => {
                Self { reason: CancelReason::Cancel, by: None }
            }
            CancelReason::Accepted | CancelReason::Declined | CancelReason::Cancel => self,
        }
    }
}
