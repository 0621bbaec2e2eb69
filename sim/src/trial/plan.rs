//! What is to be tried, and the bars that hold for it.

use std::fmt;
use std::str::FromStr;

use super::Conditions;

/// What is to be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many take part.
    pub nodes: usize,
    /// How many frames of a hundred are lost for good; a data channel would send them again.
    pub loss: u64,
    /// How the network falls apart for a while.
    pub shape: Shape,
    /// How many of a hundred crash at once in the end.
    pub crash: u64,
    /// Which story: equal seeds tell equal stories.
    pub seed: u64,
    /// What else goes wrong, and where people are.
    pub conditions: Conditions,
}

impl Default for Plan {
    /// Thirty people on a good day.
    fn default() -> Self {
        let (shape, conditions) = (Shape::None, Conditions::default());
        Self { nodes: 30, loss: 0, shape, crash: 0, seed: 1, conditions }
    }
}

/// The most nodes of a trial. Measured: a thousand take six minutes and more than 3 GB, since each knows of each; both grow
/// with the square.
const NODES_MAX: usize = 3_000;

/// Why there is no such [`Plan`], with the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misfit(String);

impl Misfit {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }
}

impl Plan {
    /// The plan, if it makes sense.
    ///
    /// # Errors
    ///
    /// What does not fit.
    pub fn settled(self) -> Result<Self, Misfit> {
        if !(2..=NODES_MAX).contains(&self.nodes) {
            return Err(Misfit(format!(
                "{} nodes make no trial. Give --nodes a number from 2 to {NODES_MAX}.",
                self.nodes
            )));
        }
        if self.loss > 50 {
            return Err(Misfit(format!(
                "With {} % of all frames lost nothing settles. Give --loss a number from 0 to 50.",
                self.loss
            )));
        }
        if self.crash > 90 {
            return Err(Misfit(format!(
                "When {} % crash, too few are left to measure. Give --crash a number from 0 to 90.",
                self.crash
            )));
        }
        self.conditions.check(self.nodes)?;
        Ok(self)
    }

    /// The command that tells this very story again.
    #[must_use]
    pub fn command(&self) -> String {
        let Self { nodes, loss, shape, crash, seed, conditions } = self;
        format!(
            "hullo sim --nodes {nodes} --loss {loss} --partition {shape} --crash {crash} --seed {seed}{}",
            conditions.flags()
        )
    }

    /// The most that the measure called `name` may be under this plan; `None` when no bar is set for it.
    pub(crate) fn bar(&self, name: &str) -> Option<f64> {
        let fair = self.loss == 0 && self.conditions.are_plain();
        match name {
            "twice" => Some(0.0),
            "redundancy" if fair => Some(0.05),
            "redundancy_at_once" if fair => Some(0.1),
            "delivery_to_flood" if fair => Some(1.1),
            "control" if fair && self.nodes >= 9 => Some(1.0),
            "missing" => Some(0.0),
            "heal_round_trips" if fair && self.nodes <= 100 => Some(10.0),
            "split_by_one" if self.nodes >= 4 => Some(0.0),
            "detect" if fair => Some(3.5),
            "crash_agree" if fair && self.crash <= 40 => Some(15.0),
            "crash_missing" if self.crash <= 40 => Some(0.01),
            // In a larger network some who lose all their neighbours are invited again only after that.
            "crash_islands" if self.crash <= 20 || self.nodes <= 100 && self.crash <= 40 => {
                Some(1.0)
            }
            "join_complete" if fair => Some(10.0),
            "partition_agree" => Some(30.0),
            // Few share little, and one who was alone is told by several at once.
            "partition_share" if fair && self.nodes >= 30 && self.shape != Shape::One => {
                Some(500.0)
            }
            // In a larger network links are given up for a minute, one or another all the time.
            "join_agree" if self.nodes <= 300 => Some(if self.loss == 0 { 30.0 } else { 60.0 }),
            "rough_agree" => Some(60.0),
            "whispers_lost" | "shouts_lost" => Some(0.0),
            _ => None,
        }
    }
}

/// How a network falls apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// It does not.
    None,
    /// Into two halves.
    Halves,
    /// Into three thirds.
    Thirds,
    /// One node against all others.
    One,
    /// Into two halves that meet and part three times.
    Flapping,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::None, Self::Halves, Self::Thirds, Self::One, Self::Flapping];

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Halves => "halves",
            Self::Thirds => "thirds",
            Self::One => "one",
            Self::Flapping => "flapping",
        }
    }

    /// In which of how many groups number `n` of `count` is.
    pub(crate) fn group(self, n: usize, count: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Halves | Self::Flapping => n * 2 / count,
            Self::Thirds => n * 3 / count,
            Self::One => usize::from(n + 1 == count),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Shape {
    type Err = Misfit;

    fn from_str(text: &str) -> Result<Self, Misfit> {
        Self::ALL.into_iter().find(|shape| shape.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Misfit(format!("There is no partition called {text}. Choose one of {names}."))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_read_by_its_name_and_what_is_none_is_refused_with_the_choice() {
        for shape in Shape::ALL {
            assert_eq!(shape.to_string().parse(), Ok(shape));
        }
        let refused = "quarters".parse::<Shape>().unwrap_err().to_string();
        assert!(refused.contains("quarters") && refused.contains("halves"), "{refused}");
    }

    #[test]
    fn a_plan_that_makes_no_sense_is_refused_with_the_remedy() {
        let plan = Plan { nodes: 5, ..Plan::default() };
        for (plan, flag) in [
            (Plan { nodes: 1, ..plan.clone() }, "--nodes"),
            (Plan { loss: 51, ..plan.clone() }, "--loss"),
            (Plan { crash: 91, ..plan.clone() }, "--crash"),
        ] {
            let refused = plan.settled().unwrap_err().to_string();
            assert!(refused.contains(flag), "{refused}");
        }
        assert_eq!(plan.clone().settled(), Ok(plan));
    }

    #[test]
    fn every_shape_but_none_has_more_than_one_group() {
        for shape in Shape::ALL {
            let groups: std::collections::BTreeSet<usize> =
                (0..10).map(|n| shape.group(n, 10)).collect();
            assert_eq!(groups.len() > 1, shape != Shape::None, "{shape}");
        }
    }
}
