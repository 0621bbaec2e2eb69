//! Where resources are, held small: lists are kept once, and the names that writes give cost no text.

use std::fmt::Write;

use wire::NodeId;

use crate::path::{self, Path};
use crate::rules::{NUMBER_MAX, Rules};
use crate::watch::{Watched, Watches};

/// The name of a resource in its list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    /// `<author>-<number>`, as a write that adds to a list names it.
    Added(NodeId, u64),
    /// Anything else.
    Text(Box<str>),
}

impl Name {
    pub(crate) fn of(text: &str) -> Self {
        added(text).map_or_else(|| Self::Text(text.into()), |(node, seq)| Self::Added(node, seq))
    }

    pub(crate) fn push_to(&self, text: &mut String) {
        match self {
            Self::Added(node, seq) => {
                write!(text, "{node}-{seq}").expect("a string takes all that is written");
            }
            Self::Text(name) => text.push_str(name),
        }
    }

    /// How many characters it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Added(_, seq) => 18 + seq.checked_ilog10().unwrap_or(0) as usize,
            Self::Text(name) => name.len(),
        }
    }
}

/// Reads `<author>-<number>`, spelled in the one way in which it is written.
pub(crate) fn added(text: &str) -> Option<(NodeId, u64)> {
    let (node, number) = text.split_at_checked(16)?;
    let number = number.strip_prefix('-')?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if !node.bytes().all(is_digit) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seq = number.parse().ok().filter(|seq| (1..=NUMBER_MAX).contains(seq))?;
    (!number.starts_with('0')).then_some((node.parse().ok()?, seq))
}

/// One list, by its place among [`Lists`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListId(u32);

/// The place of one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) list: ListId,
    pub(crate) name: Name,
}

/// A list that something is in.
#[derive(Debug)]
pub(crate) struct List {
    /// Its path, empty for that of the topmost resources.
    pub(crate) text: Box<str>,
    /// How many segments its path has.
    pub(crate) depth: usize,
    /// The rows of the rules that may be about what is in it.
    pub(crate) rows: Box<[u8]>,
    pub(crate) watched: Watched,
    /// How many records are in it.
    uses: u32,
}

/// All lists that something is in, each kept once.
///
/// **Invariant:** `sorted` names the lists in use, in the order of their texts.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    all: Vec<List>,
    sorted: Vec<ListId>,
    free: Vec<ListId>,
}

impl Lists {
    pub(crate) fn get(&self, id: ListId) -> &List {
        &self.all[id.0 as usize]
    }

    fn search(&self, text: &str) -> Result<usize, usize> {
        self.sorted.binary_search_by(|id| (*self.get(*id).text).cmp(text))
    }

    pub(crate) fn find(&self, text: &str) -> Option<ListId> {
        self.search(text).ok().map(|at| self.sorted[at])
    }

    /// The list at `text`, made first when there is none; `None` when that is not a path.
    pub(crate) fn intern(
        &mut self,
        text: &str,
        rules: &Rules,
        watches: &Watches,
    ) -> Option<ListId> {
        let at = match self.search(text) {
            Ok(at) => return Some(self.sorted[at]),
            Err(at) => at,
        };
        if !text.is_empty() {
            path::check(text).ok()?;
        }
        let depth = if text.is_empty() { 0 } else { text.split('/').count() };
        let (rows, watched) = (rules.rows_of(text), watches.of_list(text));
        let list = List { text: text.into(), depth, rows, watched, uses: 0 };
        let id = match self.free.pop() {
            Some(id) => {
                self.all[id.0 as usize] = list;
                id
            }
            None => {
                self.all.push(list);
                ListId(u32::try_from(self.all.len() - 1).ok()?)
            }
        };
        self.sorted.insert(at, id);
        Some(id)
    }

    pub(crate) fn take(&mut self, id: ListId) {
        self.all[id.0 as usize].uses += 1;
    }

    pub(crate) fn release(&mut self, id: ListId) {
        self.all[id.0 as usize].uses -= 1;
        self.sweep(id);
    }

    /// Forgets the list when nothing is in it.
    pub(crate) fn sweep(&mut self, id: ListId) {
        if self.get(id).uses == 0
            && let Ok(at) = self.search(&self.get(id).text)
        {
            self.sorted.remove(at);
            self.all[id.0 as usize].text = Box::default();
            self.free.push(id);
        }
    }

    /// The list at `path` and all below it.
    pub(crate) fn below<'a>(&'a self, path: &'a str) -> impl Iterator<Item = ListId> + 'a {
        let from = self.sorted.partition_point(|id| *self.get(*id).text < *path);
        let is_below = move |id: &ListId| {
            let rest = self.get(*id).text.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        // Between a list and those below it are those whose names go on with a character before the slash.
        let starts = move |id: &ListId| self.get(*id).text.starts_with(path);
        self.sorted[from..].iter().copied().take_while(starts).filter(is_below)
    }

    /// Works out anew who watches what.
    pub(crate) fn rewatch(&mut self, watches: &Watches) {
        for list in &mut self.all {
            list.watched = watches.of_list(&list.text);
        }
    }

    /// The whole path of a resource.
    pub(crate) fn path(&self, list: ListId, name: &Name) -> Path {
        Path::of_checked(self.text(list, name))
    }

    pub(crate) fn text(&self, list: ListId, name: &Name) -> String {
        let list = &self.get(list).text;
        let mut text = String::with_capacity(list.len() + 1 + name.len());
        text.push_str(list);
        if !list.is_empty() {
            text.push('/');
        }
        name.push_to(&mut text);
        text
    }

    /// How many characters the path of a resource has.
    pub(crate) fn path_len(&self, list: ListId, name: &Name) -> usize {
        let list = self.get(list).text.len();
        list + usize::from(list > 0) + name.len()
    }

    /// How many lists there are.
    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for text in ["0123456789abcdef-7", "0123456789abcdef-9007199254740991", "camera", "0123-4"]
        {
            let name = Name::of(text);
            let mut written = String::new();
            name.push_to(&mut written);

            assert_eq!(written, text);
            assert_eq!(name.len(), text.len());
        }
        let added = |text: &str| matches!(Name::of(text), Name::Added(..));
        assert!(added("0123456789abcdef-10"));
        for text in ["0123456789ABCDEF-1", "0123456789abcdef-01", "0123456789abcdef-0"] {
            assert!(!added(text), "{text}");
        }
        assert!(!added("0123456789abcdef-9007199254740992"));
    }

    #[test]
    fn a_list_is_forgotten_with_the_last_that_was_in_it() {
        let (rules, watches) = (Rules::default(), Watches::default());
        let mut lists = Lists::default();
        let mut intern = |text| {
            let id = lists.intern(text, &rules, &watches).unwrap();
            lists.take(id);
            id
        };
        let (one, other) = (intern("users"), intern("streams/camera"));

        lists.release(one);

        assert_eq!(lists.find("users"), None);
        assert_eq!(lists.find("streams/camera"), Some(other));
        assert_eq!(lists.intern("messages", &rules, &watches), Some(one));
    }

    #[test]
    fn what_is_below_a_path_is_found_and_nothing_else() {
        let (rules, watches) = (Rules::default(), Watches::default());
        let mut lists = Lists::default();
        for text in ["a", "a-b", "a/b", "a/b/c", "a0", "ab", "b"] {
            lists.intern(text, &rules, &watches).unwrap();
        }

        let below: Vec<&str> = lists.below("a").map(|id| &*lists.get(id).text).collect();

        assert_eq!(below, ["a", "a/b", "a/b/c"]);
        assert_eq!(lists.intern("a//b", &rules, &watches), None);
    }
}
