//! Random towns of users with several devices, and of guests, who call, answer, decline, crash, come back, read slowly
//! and say things twice, judged by what the policies promise.
//!
//! Every message has a number, every call a connection of its own. The judge knows which pages a call rang on, whose
//! answer reached the caller, and what became of each message. A page that crashed is half open for a while: the broker
//! does not know yet, and what it writes there is swallowed.

mod judge;
mod town;

use town::Town;

#[test]
fn calls_reach_whom_they_are_for_among_a_few_who_often_meet() {
    let judged: Judged = (0..150).map(|story| Town::new(story, 5).live(1_500)).sum();

    judged.is_enough();
}

#[test]
fn calls_reach_whom_they_are_for_among_thousands() {
    let judged = Town::new(11, 1_600).live(120_000);

    judged.is_enough();
}

/// How often each promise could have been broken.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) won: u64,
    pub(crate) losers_told: u64,
    pub(crate) silenced: u64,
    pub(crate) capable: u64,
    pub(crate) refused: u64,
    pub(crate) lost: u64,
    pub(crate) swallowed: u64,
}

impl Judged {
    /// Asserts that none of the promises was hardly tried.
    fn is_enough(&self) {
        let counts = [
            self.won,
            self.losers_told,
            self.silenced,
            self.capable,
            self.refused,
            self.lost,
            self.swallowed,
        ];
        assert!(counts.iter().all(|count| *count > 50), "{self:?}");
    }
}

impl std::iter::Sum for Judged {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |one, other| Self {
            won: one.won + other.won,
            losers_told: one.losers_told + other.losers_told,
            silenced: one.silenced + other.silenced,
            capable: one.capable + other.capable,
            refused: one.refused + other.refused,
            lost: one.lost + other.lost,
            swallowed: one.swallowed + other.swallowed,
        })
    }
}
