//! What happened while nobody looked, in one line each.

use std::time::Duration;

use call::End;
use wire::{Address, Time, UserId};

/// How long a notice stays that asks for nothing. Guess: long enough to be read twice.
const GLANCE: Duration = Duration::from_secs(8);

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) id: u64,
    pub(super) what: What,
    /// When it goes by itself; `None` when it waits for the person.
    pub(super) until: Option<Time>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// So many calls of this person were not answered.
    Missed { from: UserId, count: u32 },
    /// Another device of ours answered this person.
    AnsweredElsewhere { from: UserId },
    /// Another device of ours declined this person.
    DeclinedElsewhere { from: UserId },
}

impl What {
    /// What to tell about a call that ended on this page; `None` when the person knows, because they did it here.
    pub(super) fn of(end: &End, from: &UserId, me: Option<&Address>) -> Option<Self> {
        let from = from.clone();
        match end {
            End::Missed => Some(Self::Missed { from, count: 1 }),
            End::AnsweredElsewhere { by } if by.as_ref() != me => {
                Some(Self::AnsweredElsewhere { from })
            }
            End::DeclinedElsewhere { by } if by.as_ref() != me => {
                Some(Self::DeclinedElsewhere { from })
            }
            // Another window of this browser did it.
            End::AnsweredElsewhere { .. }
            | End::DeclinedElsewhere { .. }
            // Done here, by the person.
            | End::Cancelled
            | End::Declined
            | End::Rejected(_)
            // Only once answered, and then the wrapper tells.
            | End::Failed
            | End::Withdrawn
            | End::Offline
            | End::Refused
            | End::UnknownUser
            // Only for those who call.
            | End::NoAnswer
            | End::Busy
            | End::CallsBack
            | End::NotReachable => None,
        }
    }

    /// When it goes by itself.
    pub(super) fn until(&self, now: Time) -> Option<Time> {
        match self {
            Self::Missed { .. } => None,
            Self::AnsweredElsewhere { .. } | Self::DeclinedElsewhere { .. } => Some(now + GLANCE),
        }
    }
}

impl Notice {
    pub(super) fn is_missed(&self) -> bool {
        matches!(self.what, What::Missed { .. })
    }

    /// Who can be called back about it.
    pub(super) fn caller(&self) -> Option<&UserId> {
        match &self.what {
            What::Missed { from, .. } | What::DeclinedElsewhere { from } => Some(from),
            What::AnsweredElsewhere { .. } => None,
        }
    }

    pub(super) fn text(&self) -> String {
        match &self.what {
            What::Missed { from, count: 1 } => format!("Missed call from {from}"),
            What::Missed { from, count } => format!("{count} missed calls from {from}"),
            What::AnsweredElsewhere { from } => {
                format!("Answered on another device: the call from {from} goes on there")
            }
            What::DeclinedElsewhere { from } => {
                format!("Declined on another device: the call from {from}")
            }
        }
    }
}
