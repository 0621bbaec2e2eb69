//! How latencies are spread between the shortest and the longest.

use std::fmt;
use std::str::FromStr;

use crate::trial::Misfit;

/// A distribution between two bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// Any is as likely as any other.
    #[default]
    Even,
    /// Most are short and a few are as long as can be: Pareto's, cut at the end.
    Tail,
    /// Half are near, half are on another continent.
    Continents,
}

impl Spread {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Even, Self::Tail, Self::Continents];

    /// How it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Even => "even",
            Self::Tail => "tail",
            Self::Continents => "continents",
        }
    }

    /// Where between the shortest (0) and the longest (a million) a throw from 0 to a million lies.
    #[must_use]
    pub fn place(self, throw: u64) -> u64 {
        let million = 1_000_000;
        let throw = throw.min(million);
        match self {
            Self::Even => throw,
            // With an exponent of one: a place twice as far is half as likely to be passed.
            Self::Tail => throw / (1 + (million - throw) / 20_000),
            Self::Continents if throw < million / 2 => throw / 5,
            Self::Continents => million - (million - throw) / 5,
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Spread {
    type Err = Misfit;

    fn from_str(text: &str) -> Result<Self, Misfit> {
        Self::ALL.into_iter().find(|spread| spread.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Misfit::new(format!("There is no spread called {text}. Choose from {names}."))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spread_reaches_from_end_to_end_and_never_turns_back() {
        for spread in Spread::ALL {
            let places: Vec<u64> = (0..=1_000).map(|throw| spread.place(throw * 1_000)).collect();

            assert!(places.is_sorted(), "{spread}");
            assert_eq!((places[0], places[1_000]), (0, 1_000_000), "{spread}");
            assert_eq!(spread.to_string().parse(), Ok(spread));
        }
    }

    #[test]
    fn a_tail_is_short_in_the_middle_and_continents_have_none() {
        assert!(Spread::Tail.place(500_000) < 50_000);
        assert!(!(100_000..900_000).contains(&Spread::Continents.place(500_000)));
    }
}
