//! What is promised about every call, whatever the people do and the network does not.

use std::time::Duration;

use call::{Config, End, State};
use wire::invite::{CancelReason, Message};
use wire::{Address, NodeId, Time};

use super::CallStory;
use super::plan::Outcome;

impl CallStory {
    /// What must hold at any time.
    pub(super) fn check_now(&self, now: Time) -> Result<(), String> {
        let connected: Vec<usize> =
            (1..self.actors.len()).filter(|&i| self.state(i) == Some(State::Connected)).collect();
        promise(connected.len() <= 1, "at most one device is connected")?;
        for actor in &self.actors {
            promise(actor.applied <= 1, "one answer is applied")?;
            promise(actor.ends <= 1, "a call ends once")?;
        }

        let slack = 2 * self.plan.weather.latency_max + Duration::from_millis(1);
        let rings =
            (1..self.actors.len()).any(|i| matches!(self.state(i), Some(State::Ringing { .. })));
        if let Some(posted) = self.posted {
            let over = posted + Config::default().ring + slack;
            promise(!rings || now <= over, "nobody rings longer than the invite allows")?;
        }
        if let Some(settled) = self.settled
            && self.is_fair()
        {
            promise(!rings || now <= settled + slack, "nobody rings after the end")?;
        }
        Ok(())
    }

    /// Whether a message is for those who should hear it.
    pub(super) fn check_addressee(
        &self,
        from: usize,
        to: &Address,
        message: &Message,
    ) -> Result<(), String> {
        match message {
            Message::Invite(_) => {
                promise(from == 0 && to.instance.is_none(), "Ann invites all of Bob's devices")
            }
            Message::Accept(_) | Message::Decline { .. } | Message::Reject { .. } => {
                promise(*to == self.actors[0].address, "Bob answers the device that called")
            }
            Message::Cancel { reason, by, .. } => {
                promise(from == 0 && to.user == self.actors[1].address.user, "Ann cancels Bob")?;
                let is_winner = by.as_ref() == Some(to) && *reason == CancelReason::Accepted;
                promise(!is_winner, "the winner is not told alone that it won")
            }
        }
    }

    /// What must hold when nothing is left to happen.
    pub(super) fn check_end(&self) -> Result<(), String> {
        for actor in &self.actors {
            if let Some(call) = &actor.call {
                let is_over = call.is_over() || call.state() == State::Connected;
                promise(is_over, "every call ends")?;
            }
        }
        let caller = self.actors[0].call.as_ref().expect("the story began");
        let connected = (1..self.actors.len()).find(|&i| self.state(i) == Some(State::Connected));
        let node = connected.map(|i| NodeId(i as u64));
        promise(caller.peer_node() == node, "both ends of a channel agree")?;

        // Repetition makes up for a message in ten: seven ACCEPTs or DECLINEs are not all lost.
        let is_bearable = self.plan.opens && self.plan.weather.lost_permille <= 100;
        let failed = Some(State::Ended(End::Failed));
        let has_failed = (0..self.actors.len()).any(|actor| self.state(actor) == failed);
        promise(!is_bearable || !has_failed, "who answers is connected, or told why not")?;

        if self.is_fair() {
            let outcome = match (connected, caller.state()) {
                (Some(i), _) => Outcome::Connected(i - 1),
                (None, State::Ended(end)) => Outcome::Ended(end),
                (None, state) => return Err(format!("every call ends: {state:?}")),
            };
            let expected = self.plan.outcome();
            promise(outcome == expected, &format!("{outcome:?} should be {expected:?}"))?;
            self.check_losers(&outcome)?;
        }
        Ok(())
    }

    /// In fair weather those who did not get the call know why.
    fn check_losers(&self, outcome: &Outcome) -> Result<(), String> {
        let Outcome::Connected(winner) = outcome else { return Ok(()) };
        let by = Some(self.actors[winner + 1].address.clone());
        for i in (1..self.actors.len()).filter(|i| *i != winner + 1) {
            match self.state(i) {
                Some(State::Ended(End::AnsweredElsewhere { by: told })) => {
                    promise(told == by, "a loser learns who answered")?;
                }
                Some(State::Ended(End::Rejected(_))) | None => {}
                state => return Err(format!("a loser learns that it lost: {state:?}")),
            }
        }
        Ok(())
    }
}

/// Holds, or breaks with this sentence.
pub(super) fn promise(holds: bool, sentence: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(sentence.to_owned()) }
}
