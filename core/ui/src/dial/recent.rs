//! The list `Recent`: whom the person talked to or tried to, and whose calls were missed or declined.

use call::End;
use wire::{Time, Timestamp, UserId};

use super::{Dial, Effect};

/// What came of the last call with somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The person called, or answered.
    Called,
    /// They called, and nobody answered.
    Missed,
    /// They called, and the person did not want to talk.
    Declined,
}

/// A line of the list.
///
/// It is kept as text: the address, a blank, what came of it, a blank, when. Earlier versions kept the address alone; no
/// address has a blank in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Whom the button calls.
    pub(super) address: String,
    outcome: Outcome,
    /// When; zero when nobody wrote it down.
    at: Timestamp,
}

impl Outcome {
    /// What came of a call that came in; `None` when that is no news, or told otherwise.
    fn of(end: &End) -> Option<Self> {
        match end {
            End::Missed => Some(Self::Missed),
            End::Declined | End::DeclinedElsewhere { .. } => Some(Self::Declined),
            End::AnsweredElsewhere { .. } => Some(Self::Called),
            // Another device of ours may still take it.
            End::Rejected(_)
            // Only once answered, and then the line is there already.
            | End::Failed
            | End::Withdrawn
            | End::Offline
            | End::Refused
            | End::UnknownUser
            // Only for those who call.
            | End::Cancelled
            | End::NoAnswer
            | End::Busy
            | End::CallsBack
            | End::NotReachable => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Called => "called",
            Self::Missed => "missed",
            Self::Declined => "declined",
        }
    }
}

impl Line {
    /// A line about somebody, as of this moment.
    pub(crate) fn new(address: String, outcome: Outcome, at: Timestamp) -> Self {
        Self { address, outcome, at }
    }

    fn read(text: &str) -> Self {
        let mut words = text.split(' ');
        let address = words.next().unwrap_or_default().to_owned();
        let outcome = match words.next() {
            Some("missed") => Outcome::Missed,
            Some("declined") => Outcome::Declined,
            Some(_) | None => Outcome::Called,
        };
        let at = words.next().and_then(|ms| ms.parse().ok()).unwrap_or_default();
        Self { address, outcome, at: Timestamp(at) }
    }

    /// As it is kept.
    pub(crate) fn text(&self) -> String {
        format!("{} {} {}", self.address, self.outcome.word(), self.at.0)
    }

    /// What the list says of a call that nobody took, and when it was.
    pub(super) fn fate(&self) -> Option<(&'static str, Timestamp)> {
        match self.outcome {
            Outcome::Called => None,
            Outcome::Missed => Some(("Missed", self.at)),
            Outcome::Declined => Some(("Declined", self.at)),
        }
    }
}

impl Dial {
    /// The list as it is kept.
    pub(super) fn on_recent(&mut self, texts: &[String]) {
        self.recent = texts.iter().map(|text| Line::read(text)).collect();
        self.recent.truncate(self.config.recent_max);
        self.watch();
    }

    /// What happened while no page was open. What is known already, or was overtaken, changes nothing.
    pub(super) fn on_noted(&mut self, texts: &[String]) {
        let mut is_news = false;
        for line in texts.iter().map(|text| Line::read(text)) {
            let known = self.recent.iter().find(|known| known.address == line.address);
            if known.is_none_or(|known| known.at < line.at) {
                is_news |= self.put(line);
            }
        }
        if is_news {
            self.save();
        }
    }

    /// Puts an address on top.
    pub(super) fn remember(&mut self, now: Time, address: String, outcome: Outcome) {
        let at = crate::calendar(now);
        self.recent.retain(|known| known.address != address);
        self.recent.insert(0, Line { address, outcome, at });
        self.recent.truncate(self.config.recent_max);
        self.save();
    }

    /// Notes how a call ended that came from `user`.
    pub(super) fn remember_end(&mut self, now: Time, user: &UserId, end: &End) {
        if let Some(outcome) = Outcome::of(end) {
            self.remember(now, user.to_string(), outcome);
        }
    }

    /// Puts a line where its time belongs; false when the list is full of later ones.
    fn put(&mut self, line: Line) -> bool {
        self.recent.retain(|known| known.address != line.address);
        let at = self.recent.iter().position(|known| known.at <= line.at);
        let at = at.unwrap_or(self.recent.len());
        self.recent.insert(at, line);
        self.recent.truncate(self.config.recent_max);
        at < self.config.recent_max
    }

    fn save(&mut self) {
        let texts = self.recent.iter().map(Line::text).collect();
        self.effects.push_back(Effect::SaveRecent(texts));
        self.watch();
    }
}
