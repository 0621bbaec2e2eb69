//! The callee's side, on one device: rings, answers or declines, and stops when another device was first.

use serde::{Deserialize, Serialize};
use wire::invite::{
    Accept, CancelReason, DESCRIPTION_BYTES_MAX, Invite, Letter, Message, RejectReason,
};
use wire::{Address, NodeId, Time};

use crate::words::{Describe, End, Error, Event, Input, Output, State, Unsent};
use crate::{Config, Outputs, send};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Callee {
    /// The device that calls.
    from: Address,
    /// This device.
    me: Address,
    invite: Invite,
    stage: Stage,
}

/// A call that rings, as one page of a browser hands it to another: all that there is to it before it is answered.
/// To read a whole [`Call`](crate::Call) takes many times the code, and a phone pays for code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ringing {
    from: Address,
    me: Address,
    invite: Invite,
    until: Time,
}

impl From<Ringing> for Callee {
    fn from(Ringing { from, me, invite, until }: Ringing) -> Self {
        Self { from, me, invite, stage: Stage::Ringing { until } }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The person has not decided.
    Ringing { until: Time },
    /// The person answered; the answer is being made.
    Answering { node: NodeId, until: Time },
    /// ACCEPT is out.
    Connecting { node: NodeId, answer: String, again: Time, until: Time },
    /// The channel is open.
    Connected { node: NodeId },
    /// Over for the person, but the caller may not have heard our DECLINE.
    Declining { end: End, again: Time, until: Time },
    /// Over.
    Ended { end: End },
}

impl Callee {
    pub(crate) fn new(
        config: &Config,
        now: Time,
        from: Address,
        me: Address,
        invite: Invite,
    ) -> Self {
        let span = std::time::Duration::from_millis(invite.ttl_ms).min(config.ring_longest);
        Self { from, me, invite, stage: Stage::Ringing { until: now + span } }
    }

    /// What another page needs to ring on.
    pub(crate) fn hand_over(&self) -> Option<Ringing> {
        let Stage::Ringing { until } = self.stage else { return None };
        let Self { from, me, invite, .. } = self.clone();
        Some(Ringing { from, me, invite, until })
    }

    pub(crate) fn from(&self) -> &Address {
        &self.from
    }

    pub(crate) fn me(&self) -> &Address {
        &self.me
    }

    pub(crate) fn invite(&self) -> &Invite {
        &self.invite
    }

    pub(crate) fn node(&self) -> Option<NodeId> {
        match &self.stage {
            Stage::Answering { node, .. }
            | Stage::Connecting { node, .. }
            | Stage::Connected { node } => Some(*node),
            Stage::Ringing { .. } | Stage::Declining { .. } | Stage::Ended { .. } => None,
        }
    }

    pub(crate) fn state(&self) -> State {
        match &self.stage {
            Stage::Ringing { .. } => State::Ringing { devices: 1 },
            Stage::Answering { .. } => State::Starting,
            Stage::Connecting { .. } => State::Connecting,
            Stage::Connected { .. } => State::Connected,
            Stage::Declining { end, .. } | Stage::Ended { end } => State::Ended(end.clone()),
        }
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        match &self.stage {
            Stage::Ringing { until } | Stage::Answering { until, .. } => Some(*until),
            Stage::Connecting { again, until, .. } | Stage::Declining { again, until, .. } => {
                Some(*again.min(until))
            }
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
            (_, Input::Received(letter)) => return self.on_letter(letter, out),

            (Stage::Ringing { .. }, Input::Answer { node }) => {
                if node == self.invite.node {
                    return Err(Error::misuse(&Input::Answer { node }, &self.state()));
                }
                let offer = self.invite.offer.clone();
                out.push_back(Output::Describe(Describe::Answer { offer }));
                self.stage = Stage::Answering { node, until: now + config.describe };
            }
            (Stage::Ringing { .. }, Input::Decline) => {
                self.decline(config, now, End::Declined, out);
            }
            (Stage::Ringing { .. }, Input::Reject(reason)) => {
                self.reject(reason, End::Rejected(reason), out);
            }

            (Stage::Answering { node, .. }, Input::Described(answer)) => {
                let node = *node;
                return self.on_described(config, now, node, answer, out);
            }
            (Stage::Answering { .. }, Input::Undescribed)
            | (Stage::Connecting { .. }, Input::Disconnected) => {
                self.reject(RejectReason::Failed, End::Failed, out);
            }
            (Stage::Answering { .. } | Stage::Connecting { .. }, Input::Cancel) => {
                self.decline(config, now, End::Cancelled, out);
            }

            (Stage::Connecting { node, .. }, Input::Connected) => {
                self.stage = Stage::Connected { node: *node };
                out.push_back(Output::Event(Event::Connected));
            }
            (Stage::Connecting { .. }, Input::Unsent(Unsent::UnknownUser)) => {
                self.end(End::UnknownUser, out);
            }
            (Stage::Connecting { .. }, Input::Unsent(Unsent::Refused)) => {
                self.end(End::Refused, out);
            }
            // The caller or the server may be back before the next ACCEPT.
            (
                Stage::Connecting { .. },
                Input::Unsent(Unsent::NotReachable | Unsent::Offline) | Input::Sent { .. },
            ) => {}

            // What came of an ACCEPT is no news once the invite is settled.
            (
                Stage::Connected { .. } | Stage::Declining { .. } | Stage::Ended { .. },
                Input::Sent { .. } | Input::Unsent(_),
            ) => {}
            // The driver's work may finish, and the person press, just after the end.
            (
                Stage::Declining { .. } | Stage::Ended { .. },
                Input::Answer { .. }
                | Input::Decline
                | Input::Reject(_)
                | Input::Described(_)
                | Input::Undescribed
                | Input::Cancel
                | Input::Connected
                | Input::Disconnected,
            ) => {}

            (
                Stage::Ringing { .. }
                | Stage::Answering { .. }
                | Stage::Connecting { .. }
                | Stage::Connected { .. }
                | Stage::Declining { .. }
                | Stage::Ended { .. },
                input,
            ) => return Err(Error::misuse(&input, &self.state())),
        }
        Ok(())
    }

    /// Accepts.
    fn on_described(
        &mut self,
        config: &Config,
        now: Time,
        node: NodeId,
        answer: String,
        out: &mut Outputs,
    ) -> Result<(), Error> {
        if answer.len() > DESCRIPTION_BYTES_MAX {
            return Err(Error::Limit { what: "bytes of an answer" });
        }
        let accept = Accept { id: self.invite.id, node, answer: answer.clone() };
        send(out, &self.from, Message::Accept(accept));
        self.stage = Stage::Connecting {
            node,
            answer,
            again: now + config.accept_again,
            until: now + config.connect,
        };
        Ok(())
    }

    fn on_timeout(&mut self, config: &Config, now: Time, out: &mut Outputs) {
        match &mut self.stage {
            Stage::Ringing { until } if *until <= now => {
                self.reject(RejectReason::Timeout, End::Missed, out);
            }
            Stage::Answering { until, .. } | Stage::Connecting { until, .. } if *until <= now => {
                self.reject(RejectReason::Failed, End::Failed, out);
            }
            Stage::Connecting { node, answer, again, .. } if *again <= now => {
                *again = now + config.accept_again;
                let accept = Accept { id: self.invite.id, node: *node, answer: answer.clone() };
                send(out, &self.from, Message::Accept(accept));
            }
            Stage::Declining { end, until, .. } if *until <= now => {
                self.stage = Stage::Ended { end: end.clone() };
            }
            Stage::Declining { again, .. } if *again <= now => {
                *again = now + config.decline_again;
                send(out, &self.from, Message::Decline { id: self.invite.id });
            }
            // Early, or nothing is due.
            Stage::Ringing { .. }
            | Stage::Answering { .. }
            | Stage::Connecting { .. }
            | Stage::Connected { .. }
            | Stage::Declining { .. }
            | Stage::Ended { .. } => {}
        }
    }

    fn on_letter(&mut self, letter: Letter, out: &mut Outputs) -> Result<(), Error> {
        let Letter { from, message, .. } = letter;
        if from != self.from {
            return Err(Error::misbehaved(&message, &self.state()));
        }
        match message {
            // Posted again because our receipt was slow, or delivered twice.
            Message::Invite(_) => Ok(()),
            Message::Cancel { reason, by, .. } => {
                self.on_cancel(reason, by, out);
                Ok(())
            }
            Message::Accept(_) | Message::Decline { .. } | Message::Reject { .. } => {
                Err(Error::misbehaved(&message, &self.state()))
            }
        }
    }

    fn on_cancel(&mut self, reason: CancelReason, by: Option<Address>, out: &mut Outputs) {
        match (&self.stage, reason) {
            (Stage::Ringing { .. }, CancelReason::Cancel) => self.end(End::Missed, out),
            // By this very device too: then another of its windows was first.
            (Stage::Ringing { .. }, CancelReason::Accepted) => {
                self.end(End::AnsweredElsewhere { by }, out);
            }
            (Stage::Ringing { .. }, CancelReason::Declined) => {
                self.end(End::DeclinedElsewhere { by }, out);
            }
            (Stage::Answering { .. } | Stage::Connecting { .. }, CancelReason::Cancel) => {
                self.end(End::Withdrawn, out);
            }
            // We won; or the caller does not say who, and then the channel will show it.
            (
                Stage::Answering { .. } | Stage::Connecting { .. },
                CancelReason::Accepted | CancelReason::Declined,
            ) if by.is_none() || by.as_ref() == Some(&self.me) => {}
            (Stage::Answering { .. } | Stage::Connecting { .. }, CancelReason::Accepted) => {
                self.end(End::AnsweredElsewhere { by }, out);
            }
            (Stage::Answering { .. } | Stage::Connecting { .. }, CancelReason::Declined) => {
                self.end(End::DeclinedElsewhere { by }, out);
            }
            // It crossed with our DECLINE: the caller has our ACCEPT and waits for the channel.
            (Stage::Declining { .. }, CancelReason::Accepted)
                if by.is_none() || by.as_ref() == Some(&self.me) => {}
            // Whatever else the reason, the caller has settled it: no need to repeat ourselves.
            (
                Stage::Declining { end, .. },
                CancelReason::Cancel | CancelReason::Accepted | CancelReason::Declined,
            ) => {
                self.stage = Stage::Ended { end: end.clone() };
            }
            // The open channel settles who won; and what is over is over.
            (
                Stage::Connected { .. } | Stage::Ended { .. },
                CancelReason::Cancel | CancelReason::Accepted | CancelReason::Declined,
            ) => {}
        }
    }

    /// Ends for all devices, and repeats it until the caller confirms.
    fn decline(&mut self, config: &Config, now: Time, end: End, out: &mut Outputs) {
        send(out, &self.from, Message::Decline { id: self.invite.id });
        self.end(end.clone(), out);
        self.stage = Stage::Declining {
            end,
            again: now + config.decline_again,
            until: now + config.decline_longest,
        };
    }

    /// Ends for this device.
    fn reject(&mut self, reason: RejectReason, end: End, out: &mut Outputs) {
        send(out, &self.from, Message::Reject { id: self.invite.id, reason });
        self.end(end, out);
    }

    /// The only place that ends.
    fn end(&mut self, end: End, out: &mut Outputs) {
        debug_assert!(!matches!(self.state(), State::Ended(_)), "a call ends once");
        self.stage = Stage::Ended { end: end.clone() };
        out.push_back(Output::Event(Event::Ended(end)));
    }
}
