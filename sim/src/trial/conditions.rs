//! What goes wrong while people talk, who plays false, and what they are placed in.

use std::fmt;

use super::Misfit;
use crate::conference::{Surroundings, Trick};
use crate::menu::{Menu, Spread};

/// What a plan has beside its size, its partition and its crashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// What goes wrong at random.
    pub menu: Menu,
    /// For how long, in seconds.
    pub span: u64,
    /// How some play false, one each.
    pub tricks: Vec<Trick>,
    /// How latencies are spread.
    pub spread: Spread,
    /// Whether the two ways of a link take different times.
    pub lopsided: bool,
    /// How many kilobytes a second a link takes; zero for any number.
    pub bandwidth: u64,
    /// What people are behind, and how wrong their clocks run.
    pub surroundings: Surroundings,
}

impl Default for Conditions {
    /// Nothing of it, for a minute.
    fn default() -> Self {
        Self {
            menu: Menu::default(),
            span: 60,
            tricks: Vec::new(),
            spread: Spread::Even,
            lopsided: false,
            bandwidth: 0,
            surroundings: Surroundings::default(),
        }
    }
}

impl Conditions {
    /// Whether anything goes wrong at random, or anybody plays false.
    pub(crate) fn are_rough(&self) -> bool {
        !self.menu.is_empty() || !self.tricks.is_empty()
    }

    /// Whether there is nothing of it.
    pub(crate) fn are_plain(&self) -> bool {
        *self == Self { span: self.span, ..Self::default() }
    }

    /// Checks that they make sense for so many nodes.
    pub(crate) fn check(&self, nodes: usize) -> Result<(), Misfit> {
        let Self { span, tricks, bandwidth, surroundings, .. } = self;
        let misfit = |why: String| Err(Misfit::new(why));
        if !(1..=3_600).contains(span) {
            return misfit(format!(
                "Faults for {span} s make no trial. Give --span a number from 1 to 3600."
            ));
        }
        if !tricks.is_empty() && tricks.len() * 3 >= nodes {
            return misfit(format!(
                "{} of {nodes} who play false leave too few who are honest. Give --tricks fewer than a third of --nodes.",
                tricks.len(),
            ));
        }
        if (1..10).contains(bandwidth) {
            return misfit(format!(
                "{bandwidth} kB/s are too few to talk. Give --bandwidth 0 for any, or at least 10."
            ));
        }
        if surroundings.skew_max > 100_000 {
            return misfit(format!(
                "No clock is {} millionths wrong. Give --skew a number up to 100000.",
                surroundings.skew_max
            ));
        }
        Ok(())
    }

    /// The flags that ask for them, each with a space before it.
    pub(crate) fn flags(&self) -> String {
        let Self { menu, span, tricks, spread, lopsided, bandwidth, surroundings } = self;
        let flags = [
            ("faults", !menu.is_empty(), menu.to_string()),
            ("tricks", !tricks.is_empty(), names(tricks)),
            ("span", self.are_rough(), span.to_string()),
            ("spread", *spread != Spread::Even, spread.to_string()),
            ("bandwidth", *bandwidth > 0, bandwidth.to_string()),
            ("nat", !surroundings.nats.is_empty(), names(&surroundings.nats)),
            ("skew", surroundings.skew_max > 0, surroundings.skew_max.to_string()),
            ("relay", surroundings.has_relay, String::new()),
            ("lopsided", *lopsided, String::new()),
        ];
        let flags = flags.into_iter().filter(|(_, is_set, _)| *is_set);
        flags.map(|(flag, _, value)| format!(" --{flag} {value}").trim_end().to_owned()).collect()
    }
}

/// Names with commas between them.
fn names<T: fmt::Display>(words: &[T]) -> String {
    words.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::{Fault, Nat};

    #[test]
    fn conditions_that_make_no_sense_are_refused_with_the_remedy() {
        let with = |change: fn(&mut Conditions)| {
            let mut conditions = Conditions::default();
            change(&mut conditions);
            conditions
        };
        for (conditions, flag) in [
            (with(|conditions| conditions.span = 0), "--span"),
            (with(|conditions| conditions.tricks = vec![Trick::Flood; 2]), "--tricks"),
            (with(|conditions| conditions.bandwidth = 3), "--bandwidth"),
            (with(|conditions| conditions.surroundings.skew_max = 200_000), "--skew"),
        ] {
            let refused = conditions.check(5).unwrap_err().to_string();
            assert!(refused.contains(flag), "{refused}");
        }
        assert_eq!(Conditions::default().check(5), Ok(()));
    }

    #[test]
    fn what_is_not_plain_is_told_by_its_flags() {
        assert_eq!(Conditions::default().flags(), "");
        let conditions = Conditions {
            menu: Menu::of([Fault::Clog, Fault::Freeze]),
            surroundings: Surroundings {
                nats: vec![Nat::Open, Nat::Symmetric],
                has_relay: true,
                skew_max: 0,
            },
            ..Conditions::default()
        };
        assert_eq!(
            conditions.flags(),
            " --faults freeze,clog --span 60 --nat open,symmetric --relay"
        );
    }
}
