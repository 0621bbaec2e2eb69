//! Waiting for something to become true, with an end.

use std::thread;
use std::time::{Duration, Instant};

/// How long a person waits for anything that takes no ringing. Guess: a busy machine with two cores and three tests.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How often to look again. Guess: below what a person notices, above what the browser feels.
const GLANCE: Duration = Duration::from_millis(40);

/// Looks until there is something, for as long as [`PATIENCE`] lasts.
///
/// # Panics
/// When it never comes; `what` names it.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look)
}

/// Looks until there is something.
///
/// # Panics
/// When it has not come in time.
pub fn within<T>(patience: Duration, what: &str, look: impl FnMut() -> Option<T>) -> T {
    try_within(patience, look).unwrap_or_else(|| panic!("after {patience:?} still not: {what}"))
}

/// Looks until there is something or the time is over.
pub(crate) fn try_within<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::park_timeout(GLANCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_at_once() {
        let found = within(Duration::ZERO, "a number", || Some(7));

        assert_eq!(found, 7);
    }

    #[test]
    #[should_panic(expected = "still not: rain")]
    fn what_never_comes_is_named() {
        within(Duration::from_millis(1), "rain", || None::<()>);
    }
}
