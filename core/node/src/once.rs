//! What came before is not heard again, whoever says it again and however late.
//!
//! Its author numbers what it says from the beginning of a *life*: a page that is loaded anew begins another. Of the lives
//! that an author was heard in last the highest numbers are remembered, and what is lower than all of those is too late.

use wire::{Map, NodeId, Set};

/// How many lives of one author are remembered: more than a page that is loaded anew again and again needs, since what
/// it said before is on its way for seconds.
const LIVES_MAX: usize = 4;

/// How many numbers of one life: more than overtake each other, or come late since a way was lost.
const NUMBERS_MAX: usize = 128;

/// How something came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// For the first time.
    New,
    /// Not for the first time.
    Again,
    /// So late that it cannot be told.
    Late,
}

/// What came of each author.
#[derive(Debug, Default)]
pub(crate) struct Once {
    /// The lives of each, by the number that each began with; the one heard last is the last.
    lives: Map<NodeId, Vec<(u64, Set<u64>)>>,
}

impl Once {
    /// What `author` said as `number` in `life` has come.
    pub(crate) fn hear(&mut self, author: NodeId, life: u64, number: u64) -> Came {
        let lives = self.lives.get_or_insert_with(author, Vec::new);
        let known = lives.iter().position(|(known, _)| *known == life);
        let (_, mut numbers) = known.map(|at| lives.remove(at)).unwrap_or_default();
        let lowest = numbers.iter().next().copied().filter(|_| numbers.len() == NUMBERS_MAX);
        let came = if numbers.contains(&number) {
            Came::Again
        } else if lowest.is_some_and(|lowest| number < lowest) {
            Came::Late
        } else {
            lowest.map(|lowest| numbers.remove(&lowest));
            numbers.insert(number);
            Came::New
        };
        if lives.len() == LIVES_MAX {
            lives.remove(0);
        }
        lives.push((life, numbers));
        came
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: NodeId = NodeId(1);

    fn hear(once: &mut Once, life: u64, numbers: impl IntoIterator<Item = u64>) -> Vec<Came> {
        numbers.into_iter().map(|number| once.hear(ALICE, life, number)).collect()
    }

    #[test]
    fn a_number_is_heard_once_in_whatever_order_they_come() {
        let mut once = Once::default();

        let came = hear(&mut once, 1, [7, 7, 9, 8, 8, 7]);

        use Came::{Again, New};
        assert_eq!(came, [New, Again, New, New, Again, Again]);
        assert_eq!(once.hear(NodeId(2), 1, 7), New);
    }

    #[test]
    fn what_is_older_than_all_that_is_remembered_is_too_late() {
        let mut once = Once::default();
        let max = NUMBERS_MAX as u64;

        assert!(hear(&mut once, 1, 10..10 + max).iter().all(|came| *came == Came::New));

        assert_eq!(hear(&mut once, 1, [9, 10]), [Came::Late, Came::Again]);
        assert_eq!(hear(&mut once, 1, [500, 10, 11]), [Came::New, Came::Late, Came::Again]);
    }

    #[test]
    fn a_new_life_begins_anew_and_an_old_one_is_not_lived_again() {
        let mut once = Once::default();
        hear(&mut once, 9, 0..500);

        // Its calendar was put back, and it was loaded anew.
        assert_eq!(hear(&mut once, 3, [1, 2]), [Came::New; 2]);
        assert_eq!(hear(&mut once, 9, [5, 499]), [Came::Late, Came::Again]);
        assert_eq!(hear(&mut once, 3, [2, 3]), [Came::Again, Came::New]);

        for life in 10..30 {
            hear(&mut once, life, [1]);
        }
        assert_eq!(once.lives.get(&ALICE).map(Vec::len), Some(LIVES_MAX));
    }
}
