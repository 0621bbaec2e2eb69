//! Who may write what where: a table, judged from the write alone, so that all judge alike.
//!
//! A pattern is a path whose segments may also be
//!
//! | segment | what it stands for |
//! |---|---|
//! | `*` | anything |
//! | `$self` | the name of the author |
//! | `*-$self` | anything, a hyphen, and the name of the author |
//! | `$self-*` | the name of the author, a hyphen, and a number: what [`Command::Add`](crate::Command::Add) makes |
//! | `**`, at the end | one segment or more |
//!
//! The first row that fits for some author decides, and lets only that author write: what belongs to one cannot be
//! written by others through a later row. Where none fits, nobody may write.

use std::borrow::Cow;
use std::cell::OnceCell;

use wire::{Malformed, NodeId, Set, Sure, Timestamp};

use crate::Life;
use crate::Path;
use crate::bytes::Writer;
use crate::place::Name;

/// The list of link records: `links/<node>` says who the neighbours of that node are.
pub const LINKS: &str = "links";

/// What kind of resource it is: how long it lives, and whether others may write over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What a node says about itself whether it is present or not. Passes away with it: it is forgotten when the node
    /// has long been away.
    Record,
    /// What counts only while its author is present.
    Owned,
    /// What stays when its author goes, and is only its author's to change.
    Append,
    /// As [`Kind::Append`], but only one node can read the value.
    Private,
    /// One place that all may write: the latest counts. Of either life.
    Register,
}

/// Who may write, of those whom the pattern lets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    Anyone,
    /// Those whom the rules name.
    Moderators,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which paths it is about.
    pub pattern: Cow<'static, str>,
    /// Who may write there.
    pub who: Who,
    /// What kind of resource it is.
    pub kind: Kind,
    /// The longest value, in bytes of JSON.
    pub value_bytes_max: u32,
    /// The most live entries of one author.
    pub entries_max: u32,
}

impl Row {
    const fn anyone(pattern: &'static str, kind: Kind, bytes: u32, entries: u32) -> Self {
        let (pattern, who) = (Cow::Borrowed(pattern), Who::Anyone);
        Self { pattern, who, kind, value_bytes_max: bytes, entries_max: entries }
    }
}

/// The table. All nodes of a conference must have the same, which [`Rules::to_bytes`] makes easy to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    rows: Vec<Row>,
    /// Of each row: where the pattern of the name begins, and whether the name of the author is asked for before.
    names: Vec<(usize, bool)>,
    moderators: Set<NodeId>,
}

/// Those of a conference.
const CONFERENCE: [Row; 11] = [
    Row::anyone("links/$self", Kind::Record, 4 << 10, 1),
    Row::anyone("users/$self", Kind::Owned, 4 << 10, 1),
    Row::anyone("members/*", Kind::Register, 1 << 10, 256),
    Row::anyone("messages/$self-*", Kind::Append, 16 << 10, 1_500),
    Row::anyone("messages/*-$self", Kind::Append, 16 << 10, 1_500),
    Row::anyone("streams/*-$self/publisher", Kind::Owned, 4 << 10, 16),
    Row::anyone("streams/*/subscribers/$self", Kind::Owned, 1 << 10, 256),
    Row::anyone("private/*/$self-*", Kind::Private, 16 << 10, 500),
    Row::anyone("topic", Kind::Register, 4 << 10, 1),
    Row::anyone("layout", Kind::Register, 16 << 10, 1),
    Row::anyone("shared/**", Kind::Register, 16 << 10, 1_000),
];

/// What moderators write, which all see.
const MODERATION: Row = Row {
    pattern: Cow::Borrowed("moderation/**"),
    who: Who::Moderators,
    kind: Kind::Register,
    value_bytes_max: 1 << 10,
    entries_max: 1_000,
};

impl Default for Rules {
    /// Those of a conference without moderators: what others may not know lies under `private/`, what applications
    /// share under `shared/`; any other path is refused.
    fn default() -> Self {
        let mut rows = CONFERENCE.to_vec();
        rows.push(MODERATION);
        Self::of(rows, Set::new())
    }
}

/// Whether a name fits the last segment of a pattern, for some author.
fn name_fits(pattern: &str, name: &Name) -> bool {
    match (pattern, name) {
        ("*" | "**" | "$self", _) => true,
        ("$self-*", name) => matches!(name, Name::Added(..)),
        ("*-$self", Name::Added(..)) => false,
        ("*-$self", Name::Text(name)) => {
            name.rsplit_once('-').is_some_and(|(_, node)| node.len() == 16)
        }
        (literal, Name::Text(name)) => **name == *literal,
        (literal, name) => *name == Name::of(literal),
    }
}

/// A part of a pattern, as it is compared.
fn segment_fits(pattern: &str, segment: &str, author: &str) -> bool {
    match pattern {
        "*" | "**" => true,
        "$self" => segment == author,
        "*-$self" => segment.strip_suffix(author).is_some_and(|rest| rest.ends_with('-')),
        "$self-*" => segment.strip_prefix(author).is_some_and(|rest| rest.starts_with('-')),
        literal => segment == literal,
    }
}

/// Whether a list may be the list of what `pattern` is about, for some author or for this one.
fn list_fits(pattern: &str, list: &str, author: Option<&str>) -> bool {
    let fits = |pattern: &str, segment: &str| match author {
        Some(author) => segment_fits(pattern, segment, author),
        None => pattern.contains('$') || segment_fits(pattern, segment, ""),
    };
    let mut segments = list.split('/').filter(|segment| !segment.is_empty());
    let (list_pattern, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    for pattern in list_pattern.split('/').filter(|pattern| !pattern.is_empty()) {
        if !segments.next().is_some_and(|segment| fits(pattern, segment)) {
            return false;
        }
    }
    last == "**" || segments.next().is_none()
}

impl Rules {
    /// A table of ones own. The link records of nodes are added in front, since no conference goes without.
    ///
    /// # Errors
    ///
    /// When there are more than 200 rows, or a pattern is none.
    pub fn new(
        rows: impl IntoIterator<Item = Row>,
        moderators: Set<NodeId>,
    ) -> Result<Self, Malformed> {
        let problem = |problem| Malformed { word: "rules", problem };
        let rows: Vec<Row> = CONFERENCE[..1].iter().cloned().chain(rows).collect();
        if rows.len() > 200 {
            return Err(problem("have more than 200 rows"));
        }
        for row in &rows {
            let segments: Vec<&str> = row.pattern.split('/').collect();
            let (last, before) = segments.split_last().expect("a split has a part");
            let is_literal =
                |segment: &str| !segment.contains(['*', '$']) && segment.parse::<Path>().is_ok();
            let is_one = |segment: &str| {
                matches!(segment, "*" | "$self" | "*-$self" | "$self-*") || is_literal(segment)
            };
            if !before.iter().all(|segment| is_one(segment)) || !(is_one(last) || *last == "**") {
                return Err(problem("have a pattern with a segment that is none"));
            }
        }
        Ok(Self::of(rows, moderators))
    }

    fn of(rows: Vec<Row>, moderators: Set<NodeId>) -> Self {
        let name = |row: &Row| {
            let start = row.pattern.rfind('/').map_or(0, |slash| slash + 1);
            (start, row.pattern[..start].contains('$'))
        };
        let names = rows.iter().map(name).collect();
        Self { rows, names, moderators }
    }

    /// Those of a conference with these moderators.
    #[must_use]
    pub fn moderated(moderators: Set<NodeId>) -> Self {
        Self { moderators, ..Self::default() }
    }

    /// The rows, in the order in which they are tried.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// One spelling of the whole table, to be hashed or compared.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.number(self.rows.len() as u64);
        for row in &self.rows {
            to.text(&row.pattern);
            to.byte(row.who as u8);
            to.byte(row.kind as u8);
            to.number(u64::from(row.value_bytes_max));
            to.number(u64::from(row.entries_max));
        }
        to.number(self.moderators.len() as u64);
        self.moderators.iter().for_each(|node| to.node(*node));
        to.bytes
    }

    /// The rows that may be about what is in `list`.
    pub(crate) fn rows_of(&self, list: &str) -> Box<[u8]> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| list_fits(&row.pattern, list, None))
            .map(|(at, _)| at as u8)
            .collect()
    }

    /// The row that lets `author` write `name` in `list` as its write `seq`; `None` when none does. `rows` are those
    /// that may be about the list.
    pub(crate) fn row_for(
        &self,
        rows: &[u8],
        list: &str,
        name: &Name,
        author: NodeId,
        seq: u64,
    ) -> Option<u8> {
        // Nobody names an entry after a write of ones own that is yet to come, for then it could be taken already.
        if matches!(name, Name::Added(node, number) if *node == author && *number > seq) {
            return None;
        }
        let last = |row: u8| {
            let at = usize::from(row);
            &self.rows[at].pattern[self.names[at].0..]
        };
        let row = rows.iter().copied().find(|row| name_fits(last(*row), name))?;
        let (line, is_list_owned) = (&self.rows[usize::from(row)], self.names[usize::from(row)].1);
        let author_text = OnceCell::new();
        let text = || author_text.get_or_init(|| author.to_string()).as_str();
        if is_list_owned && !list_fits(&line.pattern, list, Some(text())) {
            return None;
        }
        let is_own = match (last(row), name) {
            ("$self-*", Name::Added(node, _)) => *node == author,
            ("$self" | "*-$self", Name::Text(name)) => segment_fits(last(row), name, text()),
            ("$self" | "*-$self" | "$self-*", _) => false,
            _ => true,
        };
        let is_allowed = match line.who {
            Who::Anyone => true,
            Who::Moderators => self.moderators.contains(&author),
        };
        (is_own && is_allowed).then_some(row)
    }
}

impl Kind {
    /// Whether what is written there may have that life.
    pub(crate) fn allows(self, life: Life) -> bool {
        match self {
            Self::Record | Self::Append | Self::Private => life == Life::Lasting,
            Self::Owned => life == Life::Ephemeral,
            Self::Register => true,
        }
    }

    /// Whether it passes away with its author.
    pub(crate) fn passes(self, life: Option<Life>) -> bool {
        self == Self::Record || life == Some(Life::Ephemeral)
    }
}

/// The path of the link record of `node`.
#[must_use]
pub fn links_of(node: NodeId) -> Path {
    format!("{LINKS}/{node}").parse().sure("sixteen digits are a segment")
}

/// The highest number of a write: what JavaScript counts exactly.
pub(crate) const NUMBER_MAX: u64 = (1 << 53) - 1;

/// In place of the number of somebody who is frozen: more than any.
pub(crate) const FROZEN: u64 = NUMBER_MAX + 1;

/// 2026-01-01 in milliseconds since the Unix epoch.
const FIRST_YEAR: u64 = 1_767_225_600_000;

/// More writes in a second than anyone is allowed on average.
const WRITES_PER_SECOND: u64 = 32;

/// The number before the first write of a node that starts at `clock`.
///
/// It grows with the calendar, so that a node that lost its memory, as a page does when it is reloaded, does not use
/// a number again.
#[must_use]
pub fn first_number(clock: Timestamp) -> u64 {
    let since = clock.0.saturating_sub(FIRST_YEAR);
    (since.saturating_mul(WRITES_PER_SECOND) / 1_000).min(NUMBER_MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: NodeId = NodeId(0xa1);
    const YOU: NodeId = NodeId(0xb2);

    fn kind(rules: &Rules, author: NodeId, path: &str) -> Option<Kind> {
        let path = path.replace("ME", &ME.to_string()).replace("YOU", &YOU.to_string());
        let (list, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let rows = rules.rows_of(list);
        let row = rules.row_for(&rows, list, &Name::of(name), author, 9)?;
        Some(rules.rows()[usize::from(row)].kind)
    }

    #[test]
    fn in_a_conference_everybody_writes_under_their_own_name() {
        let rules = Rules::default();
        for (path, expected) in [
            ("links/ME", Some(Kind::Record)),
            ("links/YOU", None),
            ("links/ME/x", None),
            ("links", None),
            ("users/ME", Some(Kind::Owned)),
            ("users/YOU", None),
            ("messages/ME-9", Some(Kind::Append)),
            ("messages/ME-10", None),
            ("messages/YOU-3", None),
            ("messages/0123456789ab-ME", Some(Kind::Append)),
            ("streams/camera-ME/publisher", Some(Kind::Owned)),
            ("streams/camera-YOU/publisher", None),
            ("streams/camera-YOU/subscribers/ME", Some(Kind::Owned)),
            ("streams/camera-YOU/subscribers/YOU", None),
            ("private/YOU/ME-4", Some(Kind::Private)),
            ("private/ME/YOU-4", None),
            ("members/YOU", Some(Kind::Register)),
            ("topic", Some(Kind::Register)),
            ("topic/below", None),
            ("shared/a", Some(Kind::Register)),
            ("shared/a/b/c", Some(Kind::Register)),
            ("shared", None),
            ("elsewhere", None),
        ] {
            assert_eq!(kind(&rules, ME, path), expected, "{path}");
        }
    }

    #[test]
    fn only_moderators_moderate() {
        let rules = Rules::moderated(Set::from_iter([YOU]));

        assert_eq!(kind(&rules, ME, "moderation/x"), None);
        assert_eq!(kind(&rules, YOU, "moderation/x"), Some(Kind::Register));
    }

    #[test]
    fn the_first_row_that_fits_decides() {
        let rows =
            [Row::anyone("a/b", Kind::Append, 1, 1), Row::anyone("a/**", Kind::Register, 1, 1)];
        let rules = Rules::new(rows, Set::new()).unwrap();

        assert_eq!(kind(&rules, ME, "a/b"), Some(Kind::Append));
        assert_eq!(kind(&rules, ME, "a/c"), Some(Kind::Register));
        assert_eq!(kind(&rules, ME, "links/ME"), Some(Kind::Record));
    }

    #[test]
    fn what_is_no_pattern_makes_no_rules() {
        for pattern in ["", "a//b", "**/a", "a*", "$you", "a/$self*", "é"] {
            let row = Row::anyone(pattern, Kind::Append, 1, 1);

            assert!(Rules::new([row], Set::new()).is_err(), "{pattern}");
        }
    }

    #[test]
    fn tables_that_differ_are_told_apart_by_their_bytes() {
        let plain = Rules::default().to_bytes();

        assert_eq!(Rules::default().to_bytes(), plain);
        assert_ne!(Rules::moderated(Set::from_iter([ME])).to_bytes(), plain);
    }

    #[test]
    fn a_later_start_has_higher_numbers() {
        let second = 1_000;
        let day = 1_798_000_000_000;

        assert!(first_number(Timestamp(day)) + 31 < first_number(Timestamp(day + second)));
        assert_eq!(first_number(Timestamp(5)), 0);
        assert!(first_number(Timestamp(u64::MAX)) < NUMBER_MAX);
    }
}
