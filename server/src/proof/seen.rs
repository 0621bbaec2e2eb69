//! The numbers of proofs that were used, for as long as their time is believed, so that none is used twice.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Mutex;

use super::{FUTURE_SECONDS, Flaw, PAST_SECONDS, Proven, Thumbprint};

/// How many proofs of one key are remembered. Guess: three a second for as long as they are; a device may send five
/// messages a second, and not for minutes.
const OF_KEY_MAX: u32 = 1_024;
/// How many proofs are remembered in all. Some 100 bytes each.
const ALL_MAX: usize = 500_000;

/// No further proof can be remembered now, so none is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full {
    /// When the first of those that stand in the way is forgotten.
    pub(crate) seconds: u64,
}

/// Proofs that were used lately.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    /// Until when, in the order in which they are forgotten.
    order: VecDeque<(u64, Thumbprint, u128)>,
    numbers: HashSet<u128>,
    of_key: HashMap<Thumbprint, u32>,
}

impl Seen {
    /// Uses a proof up. `now` is in seconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`Flaw::Replayed`] for one that was used; [`Full`] when there is no room to remember it.
    pub(crate) fn use_up(&self, proven: &Proven, now: u64) -> Result<Result<(), Flaw>, Full> {
        let mut table = self.0.lock().expect("nobody panics with it");
        table.forget(now);
        table.note(proven, now)
    }
}

impl Table {
    fn forget(&mut self, now: u64) {
        while self.order.front().is_some_and(|(until, ..)| *until < now) {
            let Some((_, key, number)) = self.order.pop_front() else { return };
            self.numbers.remove(&number);
            if let Some(count) = self.of_key.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.of_key.remove(&key);
                }
            }
        }
    }

    fn note(&mut self, proven: &Proven, now: u64) -> Result<Result<(), Flaw>, Full> {
        if self.numbers.contains(&proven.number) {
            return Ok(Err(Flaw::Replayed));
        }
        let own = self.of_key.get(&proven.key).copied().unwrap_or(0);
        if own >= OF_KEY_MAX || self.numbers.len() >= ALL_MAX {
            let mut standing = self.order.iter();
            let first = standing.find(|(_, key, _)| own < OF_KEY_MAX || *key == proven.key);
            let until = first.map_or(now, |(until, ..)| *until);
            return Err(Full { seconds: until.saturating_sub(now) + 1 });
        }
        // One that was made in the future is believed for longest.
        let until = now + PAST_SECONDS + FUTURE_SECONDS;
        self.order.push_back((until, proven.key.clone(), proven.number));
        self.numbers.insert(proven.number);
        *self.of_key.entry(proven.key.clone()).or_default() += 1;
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_good_once_for_as_long_as_its_time_is_believed() {
        let seen = Seen::default();

        assert_eq!(seen.use_up(&proven("a", 1), 1_000), Ok(Ok(())));
        assert_eq!(seen.use_up(&proven("a", 1), 1_360), Ok(Err(Flaw::Replayed)));
        assert_eq!(seen.use_up(&proven("a", 2), 1_361), Ok(Ok(())));
        let table = seen.0.lock().unwrap();
        assert_eq!((table.numbers.len(), table.order.len(), table.of_key.len()), (1, 1, 1));
    }

    #[test]
    fn one_key_fills_its_own_share_and_no_more() {
        let seen = Seen::default();
        for number in 0..u128::from(OF_KEY_MAX) {
            assert_eq!(seen.use_up(&proven("a", number), 1_000), Ok(Ok(())));
        }

        assert_eq!(seen.use_up(&proven("a", 5_000), 1_100), Err(Full { seconds: 261 }));
        assert_eq!(seen.use_up(&proven("b", 5_001), 1_100), Ok(Ok(())));
        assert_eq!(seen.use_up(&proven("a", 5_000), 1_361), Ok(Ok(())));
    }

    fn proven(key: &str, number: u128) -> Proven {
        Proven { key: Thumbprint::stored(key.to_owned()), number }
    }
}
