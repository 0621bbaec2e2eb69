//! Subscriptions: only what is watched is told.

use wire::Map;

use crate::Path;

/// How much of a list is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    /// Nothing that is in it.
    No,
    /// Perhaps something; it has to be looked up.
    Some,
    /// Everything.
    All,
}

/// What is watched, and how often; the empty text stands for everything.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    texts: Map<Box<str>, u32>,
}

impl Watches {
    pub(crate) fn add(&mut self, path: Option<&Path>) {
        *self.texts.get_or_insert_with(text(path), || 0) += 1;
    }

    /// False when it was not watched.
    pub(crate) fn remove(&mut self, path: Option<&Path>) -> bool {
        let text = text(path);
        let Some(count) = self.texts.get_mut(&text) else { return false };
        *count -= 1;
        if *count == 0 {
            self.texts.remove(&text);
        }
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// How much is watched of what is in the list at `list`.
    pub(crate) fn of_list(&self, list: &str) -> Watched {
        if self.texts.keys().any(|text| is_in(text, list)) {
            return Watched::All;
        }
        let is_child = |text: &str| match text.rsplit_once('/') {
            Some((parent, _)) => parent == list,
            None => list.is_empty(),
        };
        if self.texts.keys().any(|text| is_child(text)) { Watched::Some } else { Watched::No }
    }

    pub(crate) fn contains(&self, path: &str) -> bool {
        self.texts.keys().any(|text| **text == *path)
    }
}

fn text(path: Option<&Path>) -> Box<str> {
    path.map(Path::as_str).unwrap_or_default().into()
}

/// Whether `path` is `place` or below it.
fn is_in(place: &str, path: &str) -> bool {
    let rest = path.strip_prefix(place);
    place.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_watched_place_is_watched() {
        let mut watches = Watches::default();
        let path: Path = "a/b".parse().unwrap();
        watches.add(Some(&path));

        assert_eq!(watches.of_list("a/b"), Watched::All);
        assert_eq!(watches.of_list("a/b/c"), Watched::All);
        assert_eq!(watches.of_list("a"), Watched::Some);
        assert_eq!(watches.of_list("a/bc"), Watched::No);
        assert!(watches.contains("a/b") && !watches.contains("a/c"));
    }

    #[test]
    fn a_place_is_watched_until_the_last_has_turned_away() {
        let mut watches = Watches::default();
        watches.add(None);
        watches.add(None);

        assert!(watches.remove(None));
        assert_eq!(watches.of_list(""), Watched::All);
        assert!(watches.remove(None));
        assert_eq!(watches.of_list("a"), Watched::No);
        assert!(!watches.remove(None));
    }
}
