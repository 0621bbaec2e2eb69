//! The conversation: what was said, in one order for all, and who is typing.

use serde::{Deserialize, Serialize};

use wire::{Map, NodeId, Time, Timestamp};

use crate::Parting;

/// One line of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Names the line; lines sort by it.
    pub id: LineId,
    /// What it is.
    pub what: What,
}

/// When a line was written, and by whom: the order of the conversation.
///
/// The time is a Lamport clock fed by the calendar: later than everything its writer had seen, so that an answer
/// never stands above its question, whatever the clocks of the devices say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId {
    /// When.
    pub at: Timestamp,
    /// By whom, or about whom.
    pub node: NodeId,
    /// Notes that we derive sort after what is said in the same millisecond.
    is_note: bool,
}

impl LineId {
    /// The last segment of the path under `messages/`.
    pub(crate) fn segment(self) -> String {
        format!("{:012x}-{}", self.at.0, self.node)
    }

    /// Reads a path under `messages/`.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let (at, node) = path.strip_prefix("messages/")?.split_once('-')?;
        if at.len() != 12 || !at.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let at = Timestamp(u64::from_str_radix(at, 16).ok()?);
        Some(Self { at, node: node.parse().ok()?, is_note: false })
    }
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Somebody wrote it.
    Said {
        /// Who, as they called themselves or as others vouched.
        name: String,
        /// The text, never to be read as HTML.
        text: String,
        /// Whether we wrote it.
        is_own: bool,
    },
    /// Somebody came. Derived by each participant for itself, never sent.
    Joined {
        /// Who.
        name: String,
    },
    /// Somebody went. Derived by each participant for itself, never sent.
    Left {
        /// Who.
        name: String,
        /// How.
        how: Parting,
    },
}

/// A message as it stands in the tree.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) text: String,
    /// What the writer calls itself, for those who come when it has gone.
    pub(crate) from: String,
}

/// The lines that are shown, and the clock that orders them.
#[derive(Debug)]
pub(crate) struct Chat {
    lines_max: usize,
    lines: Map<LineId, What>,
    latest: u64,
}

impl Chat {
    pub(crate) fn new(lines_max: usize) -> Self {
        Self { lines_max, lines: Map::new(), latest: 0 }
    }

    /// Lines, oldest first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (LineId, &What)> {
        self.lines.iter().map(|(id, what)| (*id, what))
    }

    /// The place of a new line of `node`, after everything seen so far.
    pub(crate) fn stamp(&mut self, calendar: Timestamp, node: NodeId) -> LineId {
        self.latest = calendar.0.max(self.latest + 1);
        LineId { at: Timestamp(self.latest), node, is_note: false }
    }

    /// Adds a line in its place; false when it was there already. Over the limit the oldest goes.
    pub(crate) fn insert(&mut self, id: LineId, what: What) -> bool {
        self.latest = self.latest.max(id.at.0);
        let is_new = self.lines.insert(id, what).is_none();
        if self.lines.len() > self.lines_max {
            self.lines.pop_first();
        }
        is_new
    }

    /// Adds a note about `node` where the conversation stands now.
    pub(crate) fn note(&mut self, calendar: Timestamp, node: NodeId, what: What) {
        let at = Timestamp(calendar.0.max(self.latest));
        let mut id = LineId { at, node, is_note: true };
        while self.lines.contains_key(&id) {
            id.at.0 += 1;
        }
        self.insert(id, what);
    }

    /// Takes a line away that its writer took away.
    pub(crate) fn remove(&mut self, id: LineId) {
        self.lines.remove(&id);
    }
}

/// Who is typing, and whether we said that we are.
#[derive(Debug)]
pub(crate) struct Typing {
    every: std::time::Duration,
    lasts: std::time::Duration,
    people_max: usize,
    people: Map<NodeId, Time>,
    said: Option<Time>,
}

impl Typing {
    pub(crate) fn new(bounds: crate::Talk) -> Self {
        Self {
            every: bounds.typing_every,
            lasts: bounds.typing_lasts,
            people_max: bounds.people_max,
            people: Map::new(),
            said: None,
        }
    }

    /// Whether the others have to be told that we type, or that we stopped.
    pub(crate) fn tell(&mut self, now: Time, is_typing: bool) -> bool {
        let is_due = match self.said {
            Some(said) => !is_typing || now - said >= self.every,
            None => is_typing,
        };
        if is_due {
            self.said = is_typing.then_some(now);
        }
        is_due
    }

    /// What `node` told.
    pub(crate) fn on_notice(&mut self, now: Time, node: NodeId, is_typing: bool) {
        if !is_typing {
            self.people.remove(&node);
        } else if self.people.len() < self.people_max || self.people.contains_key(&node) {
            self.people.insert(node, now + self.lasts);
        }
    }

    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.people.contains_key(&node)
    }

    pub(crate) fn forget(&mut self, node: NodeId) {
        self.people.remove(&node);
    }

    /// Forgets who has not typed for a while; true when that was anybody.
    pub(crate) fn on_timeout(&mut self, now: Time) -> bool {
        let before = self.people.len();
        self.people.retain(|_, until| *until > now);
        self.people.len() != before
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.people.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: NodeId = NodeId(1);
    const BOB: NodeId = NodeId(2);

    fn said(text: &str) -> What {
        What::Said { name: "alice".to_owned(), text: text.to_owned(), is_own: false }
    }

    #[test]
    fn an_answer_stands_below_its_question_though_the_clock_is_slow() {
        let mut fast = Chat::new(10);
        let question = fast.stamp(Timestamp(9_000), ALICE);
        let mut slow = Chat::new(10);
        slow.insert(question, said("?"));

        let answer = slow.stamp(Timestamp(1_000), BOB);

        assert!(answer > question);
    }

    #[test]
    fn a_line_is_found_again_by_its_path() {
        let line = Chat::new(10).stamp(Timestamp(1_700_000_000_123), BOB);

        let path = format!("messages/{}", line.segment());

        assert_eq!(LineId::parse(&path), Some(line));
        assert_eq!(LineId::parse("messages/+00000000001-0000000000000002"), None);
        assert_eq!(LineId::parse("messages/zz"), None);
    }

    #[test]
    fn over_the_limit_the_oldest_line_goes() {
        let mut chat = Chat::new(2);

        for at in [3, 1, 2] {
            let line = LineId { at: Timestamp(at), node: ALICE, is_note: false };
            chat.insert(line, said("x"));
        }

        assert_eq!(chat.lines().map(|(id, _)| id.at.0).collect::<Vec<_>>(), [2, 3]);
    }
}
