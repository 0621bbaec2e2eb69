//! Who may take part: the desk that gives each participant its keys, and one memory of checked signatures for all.

use std::sync::{Arc, Mutex};

use trust::{Bounds, Checks, Claim, Memo, Seat, Signature, Trust};
use wire::{ConferenceId, Seed, Timestamp};

/// How many checked signatures are remembered: those that thousands of nodes ask about at one time.
const CHECKS_MAX: usize = 1 << 18;

/// A simulated conference has no limits but those of its machine.
const BOUNDS: Bounds = Bounds { members_max: u16::MAX, invites_max: u16::MAX, hours: u16::MAX };

/// What is asked for once is known to all nodes of one simulation, so that a thousand of them check as fast as one.
#[derive(Clone, Debug)]
struct Shared(Arc<Mutex<Memo>>);

impl Checks for Shared {
    fn verify(&mut self, key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
        self.0.lock().expect("no check panics").verify(key, message, signature)
    }
}

/// Seats, by the number of the participant.
#[derive(Debug)]
pub(crate) struct Desk {
    conference: Option<ConferenceId>,
    bounds: Bounds,
    seeds: Vec<Seed>,
    checks: Shared,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let checks = Shared(Arc::new(Mutex::new(Memo::new(CHECKS_MAX))));
        Self { conference: None, bounds: BOUNDS, seeds: Vec::new(), checks }
    }

    /// The conference that is founded next lets one member invite so many.
    pub(crate) fn limit_invites(&mut self, most: u16) {
        self.bounds.invites_max = most;
    }

    /// How many one member may invite.
    pub(crate) fn invites_max(&self) -> usize {
        usize::from(self.bounds.invites_max)
    }

    /// For the next participant. The first one founds the conference.
    pub(crate) fn arrive(&mut self, seed: Seed, clock: Timestamp) -> Trust {
        self.seeds.push(seed);
        let trust = match &self.conference {
            Some(conference) => Trust::apply(seed, conference.clone()),
            None => Trust::found(seed, Claim::default(), self.bounds, clock),
        };
        self.conference = Some(trust.conference().clone());
        trust.with_checks(Box::new(self.checks.clone()))
    }

    /// For one who is there a second time, with the same keys.
    pub(crate) fn double(&mut self, who: usize, seat: Option<Seat>) -> Trust {
        self.seeds.push(self.seeds[who]);
        self.come_back(who, seat)
    }

    /// For one who comes back as itself; as an applicant if it was not in before.
    pub(crate) fn come_back(&self, who: usize, seat: Option<Seat>) -> Trust {
        let seed = self.seeds[who];
        let resumed = seat.and_then(|seat| Trust::resume(seed, seat));
        let conference = self.conference.clone().expect("somebody came before");
        let trust = resumed.unwrap_or_else(|| Trust::apply(seed, conference));
        trust.with_checks(Box::new(self.checks.clone()))
    }
}
