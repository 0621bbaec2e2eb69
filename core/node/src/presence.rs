//! Who is here: link records, the map that follows from them, and arrivals and departures.

use std::collections::BTreeSet;

use mesh::Map;
use serde_json::{Value, json};
use tree::{LINKS, Life, Listing, links_of};
use wire::{NodeId, Time};

use crate::{Error, Event, Node};

/// What a node says of its own links.
struct Record {
    neighbours: BTreeSet<NodeId>,
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
    /// Our links have changed: say so, together with what changes in the next moment.
    pub(crate) fn on_links_changed(&mut self, now: Time) {
        self.record_at.get_or_insert(now + self.config.gather);
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

    /// Reads all records anew.
    pub(crate) fn read_map(&mut self) -> Map {
        let list = LINKS.parse().expect("one word is a path");
        let records = self.tree.list(&list, Listing::default());
        let records = records.into_iter().map(|entry| (entry.by, Record::of(entry.value)));
        let records: Vec<(NodeId, Record)> = records.collect();
        self.left = records.iter().filter(|(_, record)| record.left).map(|(node, _)| *node).collect();
        Map::new(records.into_iter().map(|(node, record)| (node, record.neighbours)))
    }

    /// Compares who can be reached with who is present; true when somebody came or went.
    pub(crate) fn take_attendance(&mut self, now: Time) -> bool {
        let mut reach = self.mesh.reach();
        reach.retain(|node| !self.left.contains(node) || *node == self.me);
        let mut changed = false;
        for node in &reach {
            match self.present.insert(*node, None) {
                Some(_) => {}
                None => {
                    changed = true;
                    self.emit(Event::Arrived(*node));
                }
            }
        }
        let mut gone = Vec::new();
        for (node, lost_until) in &mut self.present {
            if reach.contains(node) {
                continue;
            }
            let until = *lost_until.get_or_insert(now + self.config.grace);
            if now >= until || self.left.contains(node) {
                gone.push(*node);
            }
        }
        for node in gone {
            changed = true;
            self.present.remove(&node);
            self.tries.remove(&node);
            self.emit(Event::Gone(node));
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
