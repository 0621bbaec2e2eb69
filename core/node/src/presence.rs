//! Who is here: link records, the map that follows from them, and arrivals and departures.

use std::collections::BTreeSet;

use mesh::Map;
use serde_json::{Value, json};
use tree::{Life, Path, links_of};
use wire::{NodeId, Time};

use crate::{Error, Event, Node};

/// What a node says of its own links.
#[derive(Debug)]
pub(crate) struct Record {
    neighbours: BTreeSet<NodeId>,
    /// Whether it said that it leaves for good.
    left: bool,
}

impl Record {
    fn to_value(&self) -> Value {
        let names: String = self.neighbours.iter().map(ToString::to_string).collect();
        if self.left { json!({ "left": true }) } else { json!({ "to": names }) }
    }

    /// Reads what somebody wrote; what makes no sense counts for nothing.
    fn of(value: &Value) -> Self {
        let names = value.get("to").and_then(Value::as_str).unwrap_or_default();
        let names = names.as_bytes().chunks(16).filter_map(|name| std::str::from_utf8(name).ok());
        let neighbours = names.filter_map(|name| name.parse().ok()).collect();
        Self { neighbours, left: value.get("left") == Some(&Value::Bool(true)) }
    }
}

impl Node {
    /// Our links have changed: say so, together with what changes in the next moment. A link between two who reached
    /// each other before makes no haste, and those who gain one together do not tell it together.
    pub(crate) fn on_links_changed(&mut self, now: Time, urgent: bool) {
        let lazy = self.config.gather * 10;
        let at = if urgent {
            now + self.config.gather
        } else {
            now + lazy + lazy.mul_f64(self.dice.below(1_000) as f64 / 1_000.0)
        };
        self.record_at = Some(self.record_at.map_or(at, |before| before.min(at)));
    }

    /// Whether there was a way to `peer` before its link opened.
    pub(crate) fn is_reached(&self, peer: NodeId) -> bool {
        matches!(self.present.get(&peer), Some(None))
    }

    pub(crate) fn publish_due_record(&mut self, now: Time) -> Result<(), Error> {
        if self.record_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        self.record_at = None;
        let record = Record { neighbours: self.mesh.neighbours(), left: false };
        self.publish(now, &record)
    }

    /// Takes back what dies with us, and says that we are gone for good.
    pub(crate) fn publish_leave(&mut self, now: Time) -> Result<(), Error> {
        self.tree_input(now, tree::Input::Do(tree::Command::Withdraw))?;
        self.publish(now, &Record { neighbours: BTreeSet::new(), left: true })
    }

    fn publish(&mut self, now: Time, record: &Record) -> Result<(), Error> {
        let (path, value) = (links_of(self.me), record.to_value());
        if self.tree.get(&path) == Some(&value) {
            return Ok(());
        }
        let life = Life::Lasting;
        let command = tree::Command::Update { path, value, partial: false, life };
        self.tree_input(now, tree::Input::Do(command))
    }

    /// What somebody recorded has changed; `None` when the record is gone.
    pub(crate) fn on_record(&mut self, path: &Path, value: Option<&Value>) {
        let Ok(node) = path.name().parse() else { return };
        match value {
            Some(value) => self.records.insert(node, Record::of(value)),
            None => self.records.remove(&node),
        };
        self.map_is_stale = true;
    }

    /// The map that follows from all records.
    pub(crate) fn draw_map(&self) -> Map {
        Map::new(self.records.iter().map(|(node, record)| (*node, &record.neighbours)))
    }

    fn has_left(&self, node: NodeId) -> bool {
        node != self.me && self.records.get(&node).is_some_and(|record| record.left)
    }

    /// Compares who can be reached with who is present; true when somebody came or went.
    pub(crate) fn take_attendance(&mut self, now: Time) -> bool {
        let is_late = |until: &Option<Time>| until.is_some_and(|until| now >= until);
        if self.attended == self.mesh.version() && !self.present.values().any(is_late) {
            return false;
        }
        self.attended = self.mesh.version();
        let mut reach = self.mesh.reach();
        reach.retain(|node| !self.has_left(*node));
        let mut changed = false;
        for node in &reach {
            if self.present.insert(*node, None).is_none() {
                changed = true;
                self.emit(Event::Arrived(*node));
            }
        }
        let until = now + self.config.grace;
        let lost = self.present.iter_mut().filter(|(node, _)| !reach.contains(node));
        let lost: Vec<(NodeId, Time)> =
            lost.map(|(node, lost)| (*node, *lost.get_or_insert(until))).collect();
        for (node, until) in lost {
            if now >= until || self.has_left(node) {
                changed = true;
                self.present.remove(&node);
                self.tries.remove(&node);
                self.emit(Event::Gone(node));
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_is_written() {
        let neighbours = BTreeSet::from([NodeId(1), NodeId(0xfedc_ba98_7654_3210)]);
        let record = Record { neighbours: neighbours.clone(), left: false };

        let read = Record::of(&record.to_value());

        assert_eq!((read.neighbours, read.left), (neighbours, false));
    }

    #[test]
    fn a_strange_record_counts_for_nothing() {
        for value in [json!({}), json!({"to": 1}), json!({"to": "äöü", "left": "yes"})] {
            let read = Record::of(&value);

            assert!(read.neighbours.is_empty() && !read.left, "{value}");
        }
    }
}
