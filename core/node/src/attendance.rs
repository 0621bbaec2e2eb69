//! Who is present: an account of who came into reach and out of it, and of how long either is doubted.
//!
//! ```text
//!            in reach             out of reach        after a grace
//!   unknown ─────────▶ present ─────────────────▶ lost ───────────▶ gone
//!                         ▲                       ▲  │               │
//!                         │          out of reach │  │ in reach      │ in reach, and for as long
//!                         │                       │  ▼ by others     │ as that is doubted
//!                         └──────────────────── on trial ◀───────────┘
//!                           in reach for a grace
//! ```
//!
//! Islands that meet know of each other what was true before they parted, so somebody may seem to be in reach by records
//! that are old. Whoever is on trial and out of reach again is not given a new grace, or a row of such meetings would keep
//! somebody present who went long ago. A link of our own leaves no doubt.

use wire::{Map, NodeId, Set, Time};

use crate::Config;

/// How somebody can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By a link of our own.
    Near,
    /// By way of others, as far as the map says.
    Far,
    /// Not at all.
    None,
    /// Not any more: it said so, or was put out.
    Left,
}

/// What becomes of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Came,
    Went,
}

/// Who is present.
#[derive(Debug)]
pub(crate) struct Attendance {
    /// Ourselves among them.
    present: Set<NodeId>,
    /// Who was present once, and is not.
    gone: Set<NodeId>,
    /// Who of those present was lost, and from when on it is gone when it is out of reach.
    lost: Map<NodeId, Time>,
    /// Who was lost, or gone, and is within reach again by way of others; from when on that is believed.
    on_trial: Map<NodeId, Time>,
    /// The first moment at which either is over.
    due: Option<Time>,
}

impl Attendance {
    /// `me` alone.
    pub(crate) fn new(me: NodeId) -> Self {
        let (lost, on_trial) = (Map::new(), Map::new());
        Self { present: Set::from_iter([me]), gone: Set::new(), lost, on_trial, due: None }
    }

    pub(crate) fn present(&self) -> &Set<NodeId> {
        &self.present
    }

    /// Whether `node` is present and cannot be reached.
    pub(crate) fn is_lost(&self, node: NodeId) -> bool {
        self.lost.contains_key(&node) && !self.on_trial.contains_key(&node)
    }

    /// The first moment at which somebody is gone, or back, or certain to be here.
    pub(crate) fn due(&self) -> Option<Time> {
        self.due
    }

    /// Who is to be looked at, since time has passed.
    pub(crate) fn doubted(&self, now: Time) -> impl Iterator<Item = NodeId> {
        let is_due = self.due.is_some_and(|at| now >= at);
        self.lost.keys().chain(self.on_trial.keys()).filter(move |_| is_due).copied()
    }

    /// `node` can be reached like this.
    pub(crate) fn look(
        &mut self,
        config: &Config,
        now: Time,
        node: NodeId,
        reach: Reach,
    ) -> Option<Change> {
        let is_present = self.present.contains(&node);
        let before = self.on_trial.remove(&node);
        let change = match reach {
            Reach::Left => is_present.then_some(Change::Went),
            Reach::None if is_present => {
                let gone_at = match (before, self.lost.get(&node)) {
                    (None, Some(gone_at)) => *gone_at,
                    (Some(sure_at), Some(gone_at)) if now < sure_at => {
                        *gone_at.max(&(now + config.doubt))
                    }
                    _ => now + config.grace,
                };
                self.lost.insert(node, gone_at);
                (now >= gone_at).then_some(Change::Went)
            }
            Reach::None => None,
            Reach::Far if self.lost.contains_key(&node) || self.gone.contains(&node) => {
                let pause = if is_present { config.grace } else { config.doubt };
                let sure_at = before.unwrap_or(now + pause);
                if now < sure_at {
                    self.on_trial.insert(node, sure_at);
                    return None;
                }
                (!is_present).then_some(Change::Came)
            }
            Reach::Far | Reach::Near => (!is_present).then_some(Change::Came),
        };
        if change.is_some() || reach != Reach::None {
            self.lost.remove(&node);
        }
        match change? {
            Change::Came => {
                if self.gone.remove(&node) && reach == Reach::Far {
                    self.lost.insert(node, now);
                    self.on_trial.insert(node, now + config.grace);
                }
                self.present.insert(node);
            }
            Change::Went => {
                self.present.remove(&node);
                self.gone.insert(node);
            }
        }
        change
    }

    /// All who were to be looked at have been.
    pub(crate) fn plan(&mut self) {
        let lost = self.lost.iter().filter(|(node, _)| !self.on_trial.contains_key(node));
        self.due = lost.map(|(_, at)| at).chain(self.on_trial.values()).min().copied();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: NodeId = NodeId(7);

    /// One of whom a node has heard at the beginning, by way of others; at each of these seconds it can be reached like
    /// that. From when to when it is present, to the second.
    fn spans(looks: &[(u64, Reach)], last: u64) -> Vec<(u64, u64)> {
        let config = Config::default();
        let mut attendance = Attendance::new(NodeId(1));
        let (mut spans, mut reach, mut since) = (Vec::new(), Reach::None, None);
        for second in 0..=last {
            let turned = looks.iter().find(|(at, _)| *at == second);
            reach = turned.map_or(reach, |(_, reach)| *reach);
            let now = Time::at(std::time::Duration::from_secs(second));
            let is_due = attendance.doubted(now).any(|node| node == WHO);
            if turned.is_some() || is_due {
                match attendance.look(&config, now, WHO, reach) {
                    Some(Change::Came) => since = Some(second),
                    Some(Change::Went) => spans.extend(since.take().map(|since| (since, second))),
                    None => {}
                }
                attendance.plan();
            }
            assert_eq!(attendance.present().contains(&WHO), since.is_some(), "second {second}");
        }
        spans.extend(since.map(|since| (since, last)));
        spans
    }

    #[test]
    fn who_is_lost_is_gone_when_its_grace_is_over_and_who_leaves_at_once() {
        assert_eq!(spans(&[(0, Reach::Far), (10, Reach::None)], 30), [(0, 14)]);
        assert_eq!(spans(&[(0, Reach::Far), (10, Reach::None), (13, Reach::Far)], 30), [(0, 30)]);
        assert_eq!(spans(&[(0, Reach::Far), (10, Reach::Left)], 30), [(0, 10)]);
        assert_eq!(spans(&[(0, Reach::Far), (10, Reach::None), (12, Reach::Left)], 30), [(0, 12)]);
    }

    #[test]
    fn who_was_gone_is_back_when_that_has_been_doubted_and_a_neighbour_at_once() {
        let gone = [(0, Reach::Far), (10, Reach::None)];

        assert_eq!(spans(&[&gone[..], &[(20, Reach::Far)]].concat(), 30), [(0, 14), (21, 30)]);
        assert_eq!(spans(&[&gone[..], &[(20, Reach::Near)]].concat(), 30), [(0, 14), (20, 30)]);
    }

    #[test]
    fn records_of_before_keep_nobody_present_who_was_lost() {
        let flickers = [(0, Reach::Far), (10, Reach::None), (13, Reach::Far), (16, Reach::None)];

        // The grace it had was over at 14.
        assert_eq!(spans(&flickers, 30), [(0, 17)]);
        let returns = [(0, Reach::Far), (10, Reach::None), (20, Reach::Far), (23, Reach::None)];
        assert_eq!(spans(&returns, 30), [(0, 14), (21, 24)]);
    }

    #[test]
    fn who_has_stood_its_trial_or_is_a_neighbour_has_its_whole_grace_again() {
        let stands = [(0, Reach::Far), (10, Reach::None), (13, Reach::Far), (17, Reach::None)];
        assert_eq!(spans(&stands, 30), [(0, 21)]);
        let near = [(0, Reach::Far), (10, Reach::None), (13, Reach::Near), (14, Reach::None)];
        assert_eq!(spans(&near, 30), [(0, 18)]);
    }
}
