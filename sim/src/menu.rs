//! The menu of faults: what can go wrong in a story, by names that people type.

mod nat;
mod spread;

use std::fmt;
use std::str::FromStr;

pub use nat::Nat;
pub use spread::Spread;

use crate::trial::Misfit;

/// One kind of thing that goes wrong while people talk, at random times and places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Somebody stops without a word, and somebody else joins instead.
    Crash,
    /// Somebody's page hangs for half a minute, and goes on as if nothing had been.
    Freeze,
    /// A lid is closed for minutes, and opened.
    Sleep,
    /// A page is loaded anew: its memory is gone, its name is not.
    Reload,
    /// Somebody's time jumps half a minute ahead, as after a stall that no timer noticed.
    Jump,
    /// Somebody joins whose calendar is an hour off.
    Calendar,
    /// A link carries frames one way only, and neither end is told.
    HalfOpen,
    /// Links stall one by one and are released in another order.
    Clog,
    /// The network falls into islands that meet and part.
    Islands,
    /// A third leaves at once.
    MassLeave,
    /// Two open links to each other in the same moment.
    Glare,
    /// All but two leave, and as many join again.
    Churn,
    /// Frames are lost for good for a while.
    Loss,
    /// Frames come twice for a while.
    Doubles,
    /// Frames overtake each other for a while.
    Reorder,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Crash,
        Self::Freeze,
        Self::Sleep,
        Self::Reload,
        Self::Jump,
        Self::Calendar,
        Self::HalfOpen,
        Self::Clog,
        Self::Islands,
        Self::MassLeave,
        Self::Glare,
        Self::Churn,
        Self::Loss,
        Self::Doubles,
        Self::Reorder,
    ];

    /// How it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Freeze => "freeze",
            Self::Sleep => "sleep",
            Self::Reload => "reload",
            Self::Jump => "jump",
            Self::Calendar => "calendar",
            Self::HalfOpen => "half-open",
            Self::Clog => "clog",
            Self::Islands => "islands",
            Self::MassLeave => "mass-leave",
            Self::Glare => "glare",
            Self::Churn => "churn",
            Self::Loss => "loss",
            Self::Doubles => "doubles",
            Self::Reorder => "reorder",
        }
    }
}

/// A choice from the menu, in the order of the menu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menu(Vec<Fault>);

impl Menu {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self(Fault::ALL.to_vec())
    }

    /// These.
    #[must_use]
    pub fn of(faults: impl IntoIterator<Item = Fault>) -> Self {
        let mut faults: Vec<Fault> = faults.into_iter().collect();
        faults.sort();
        faults.dedup();
        Self(faults)
    }

    /// The faults.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.0
    }

    /// Whether nothing goes wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Menu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() == Fault::ALL.len() {
            return f.write_str("all");
        }
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let names: Vec<&str> = self.0.iter().map(|fault| fault.name()).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for Menu {
    type Err = Misfit;

    fn from_str(text: &str) -> Result<Self, Misfit> {
        match text {
            "all" => return Ok(Self::all()),
            "none" => return Ok(Self::default()),
            _ => {}
        }
        let one = |word: &str| {
            let fault = Fault::ALL.into_iter().find(|fault| fault.name() == word);
            fault.ok_or_else(|| {
                let names = Fault::ALL.map(Fault::name).join(", ");
                Misfit::new(format!(
                    "There is no fault called {word}. Choose all, none, or some of {names}, with commas between them."
                ))
            })
        };
        text.split(',').map(one).collect::<Result<Vec<_>, _>>().map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_is_read_as_it_is_written() {
        for menu in [Menu::all(), Menu::default(), Menu::of([Fault::Clog, Fault::Crash])] {
            assert_eq!(menu.to_string().parse(), Ok(menu));
        }
        assert_eq!("clog,crash,clog".parse::<Menu>().unwrap().to_string(), "crash,clog");
    }

    #[test]
    fn what_is_not_on_the_menu_is_refused_with_the_choice() {
        let refused = "crash,earthquake".parse::<Menu>().unwrap_err().to_string();

        assert!(refused.contains("earthquake") && refused.contains("half-open"), "{refused}");
    }
}
