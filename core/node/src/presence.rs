//! Who is here: link records, the map that follows from them, and arrivals and departures.

use mesh::{BRIEF_BITS, Brief, Cost};
use serde_json::Value;
use tree::{Life, Path, links_of};
use wire::{Map, NodeId, Time, object};

use crate::attendance::{Change, Reach};
use crate::{Error, Event, Node};

/// What a node says of its own links.
#[derive(Debug)]
struct Record {
    neighbours: Map<Brief, Cost>,
    /// Whether it said that it leaves for good.
    left: bool,
}

/// The digits of a record: a brief name is six of them, its cost one more.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How many digits one neighbour takes.
const NEIGHBOUR_DIGITS: usize = BRIEF_BITS as usize / 6 + 1;

/// With each so many nodes losses are gathered for another while: the more there are, the more it costs to tell them.
const GATHERED: u32 = 100;

/// How soon a change of our links is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// Somebody comes into reach by it, or may be out of it.
    High,
    /// A neighbour has fallen silent: where many crash at once, each of the others loses several one soon after another.
    Some,
    /// They reach each other anyhow, and those who gain a link together do not tell it together.
    None,
}

impl Haste {
    /// For a new link, which brings somebody into reach or does not.
    pub(crate) fn to_tell(bridge: bool) -> Self {
        if bridge { Self::High } else { Self::None }
    }
}

impl Record {
    fn to_value(&self) -> Value {
        if self.left {
            return object([("left", true.into())]);
        }
        let digit = |bits: u64| char::from(DIGITS[(bits & 63) as usize]);
        let mut text = String::with_capacity(self.neighbours.len() * NEIGHBOUR_DIGITS);
        for (name, cost) in &self.neighbours {
            text.extend((0..NEIGHBOUR_DIGITS - 1).map(|place| digit(name.bits() >> (6 * place))));
            text.push(digit(u64::from(cost.level())));
        }
        object([("to", text.into())])
    }

    /// Reads what somebody wrote; what makes no sense counts for nothing.
    fn of(value: &Value) -> Self {
        let text = value.get("to").and_then(Value::as_str).unwrap_or_default();
        let neighbours = text.as_bytes().chunks_exact(NEIGHBOUR_DIGITS).filter_map(neighbour);
        Self {
            neighbours: neighbours.collect(),
            left: value.get("left") == Some(&Value::Bool(true)),
        }
    }
}

fn neighbour(digits: &[u8]) -> Option<(Brief, Cost)> {
    let value = |digit: &u8| DIGITS.iter().position(|known| known == digit);
    let (level, name) = digits.split_last()?;
    let mut bits = 0;
    for (place, digit) in name.iter().enumerate() {
        bits |= (value(digit)? as u64) << (6 * place);
    }
    Some((Brief::of_bits(bits), Cost::of_level(value(level)? as u8)))
}

impl Node {
    /// Our links have changed: say so, together with what changes in the next moment.
    pub(crate) fn on_links_changed(&mut self, now: Time, haste: Haste) {
        self.dial_is_stale = true;
        let gather = self.config.gather;
        let pause = match haste {
            Haste::High => gather,
            Haste::Some => gather * (1 + self.attendance.present().len() as u32 / GATHERED),
            Haste::None => gather * 30 + self.dice.span(gather * 30),
        };
        let at = now + pause;
        self.record_at = Some(self.record_at.map_or(at, |before| before.min(at)));
    }

    /// Whether there was a way to `peer` before its link opened.
    pub(crate) fn is_reached(&self, peer: NodeId) -> bool {
        self.attendance.present().contains(&peer) && !self.attendance.is_lost(peer)
    }

    pub(crate) fn publish_due_record(&mut self, now: Time) -> Result<(), Error> {
        if self.record_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        self.record_at = None;
        let costs = self.mesh.costs();
        let kept = costs.iter().filter(|(peer, _)| !self.retiring.contains_key(peer));
        let neighbours = kept.map(|(peer, cost)| (Brief::of(*peer), *cost)).collect();
        let record = Record { neighbours, left: false };
        self.publish(now, &record)
    }

    /// Takes back what dies with us, and says that we are gone for good.
    pub(crate) fn publish_leave(&mut self, now: Time) -> Result<(), Error> {
        self.tree_input(now, tree::Input::Do(tree::Command::Withdraw))?;
        self.publish(now, &Record { neighbours: Map::new(), left: true })
    }

    fn publish(&mut self, now: Time, record: &Record) -> Result<(), Error> {
        let (path, value) = (links_of(self.me), record.to_value());
        if self.tree.get(&path).as_ref() == Some(&value) {
            return Ok(());
        }
        let life = Life::Lasting;
        let command = tree::Command::Update { path, value, partial: false, life };
        self.tree_input(now, tree::Input::Do(command))
    }

    /// What somebody recorded has changed; `None` when the record is gone.
    pub(crate) fn on_record(
        &mut self,
        now: Time,
        path: &Path,
        value: Option<&Value>,
    ) -> Result<(), Error> {
        let Ok(node) = path.name().parse() else { return Ok(()) };
        let record = value.map(Record::of);
        let is_left = record.as_ref().is_some_and(|record| record.left) && node != self.me;
        let turned = if is_left { self.left.insert(node) } else { self.left.remove(&node) };
        if turned {
            self.miss_no_more(node);
            self.turned.push(node);
        }
        self.mend_at.get_or_insert(now + self.config.mend);
        let links = record.map(|record| record.neighbours).unwrap_or_default();
        self.mesh_input(now, mesh::Input::Links { node, links })?;
        let hangs_on_us = self.record_at.is_some() && self.mesh.map().degree(node) == 0;
        if hangs_on_us && self.mesh.neighbours().contains(&node) {
            // Nobody else reaches it, and that we do has not been told yet.
            self.on_links_changed(now, Haste::High);
        }
        Ok(())
    }

    /// Whether `node` said that it leaves, or was put out.
    fn has_left(&self, node: NodeId) -> bool {
        self.left.contains(&node) || self.out.contains(&node)
    }

    /// Compares who can be reached with who is present, as far as either has turned; tells who came and who went, if
    /// anybody did.
    pub(crate) fn take_attendance(&mut self, now: Time) -> Option<(Vec<NodeId>, Vec<NodeId>)> {
        let mut turned = std::mem::take(&mut self.turned);
        turned.extend(self.attendance.doubted(now));
        turned.retain(|node| *node != self.me);
        if turned.is_empty() {
            return None;
        }
        let near = self.mesh.neighbours();
        let is_cut_off = self.mesh.costs().is_empty();
        let (mut came, mut went) = (Vec::new(), Vec::new());
        for node in turned {
            let reach = match node {
                node if self.has_left(node) => Reach::Left,
                // A link may be there that carries nothing.
                node if !self.mesh.reaches(node) => Reach::None,
                node if near.contains(&node) => Reach::Near,
                _ => Reach::Far,
            };
            match self.attendance.look(&self.config, now, node, reach) {
                Some(Change::Came) => {
                    self.miss_no_more(node);
                    self.emit(Event::Arrived(node));
                    came.push(node);
                }
                Some(Change::Went) => {
                    if reach != Reach::Left {
                        self.miss(now, node);
                    }
                    self.tries.remove(&node);
                    self.emit(Event::Gone(node));
                    went.push(node);
                }
                None if reach != Reach::None => self.miss_no_more(node),
                None if is_cut_off && self.attendance.is_lost(node) => self.miss(now, node),
                None => {}
            }
        }
        self.attendance.plan();
        let changed = !came.is_empty() || !went.is_empty();
        self.dial_is_stale |= changed;
        changed.then_some((came, went))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use trust::{Bounds, Claim, Trust};
    use wire::{Seed, Timestamp};

    use super::*;
    use crate::Config;

    #[test]
    fn in_a_crowd_losses_are_told_later_and_whoever_comes_into_reach_is_not() {
        let clock = Timestamp(1_795_219_200_000);
        let trust = Trust::found(Seed::story(1), Claim::default(), Bounds::default(), clock);
        let mut node = Node::new(Config::default(), Time::ZERO, clock, trust, Seed::story(2));
        let gather = node.config.gather;

        assert_eq!(told_after(&mut node, &[Haste::High]), gather);
        assert_eq!(told_after(&mut node, &[Haste::Some]), gather);

        (0..300).for_each(|other| {
            node.attendance.look(&node.config, Time::ZERO, NodeId(other), Reach::Near);
        });
        assert_eq!(told_after(&mut node, &[Haste::High]), gather);
        assert_eq!(told_after(&mut node, &[Haste::Some]), gather * 4);
        // What is due sooner is not put off by what may wait.
        assert_eq!(told_after(&mut node, &[Haste::Some, Haste::High, Haste::Some]), gather);
        assert!(told_after(&mut node, &[Haste::None]) >= gather * 30);
    }

    /// How long after these changes of its links, all at once, a node tells them.
    fn told_after(node: &mut Node, changes: &[Haste]) -> Duration {
        node.record_at = None;
        changes.iter().for_each(|haste| node.on_links_changed(Time::ZERO, *haste));
        node.record_at.map_or(Duration::MAX, |at| at - Time::ZERO)
    }

    #[test]
    fn a_record_is_read_as_it_is_written() {
        let neighbours = Map::from_iter([
            (Brief::of(NodeId(1)), Cost::UNKNOWN),
            (Brief::of(NodeId(0xfedc_ba98_7654_3210)), Cost::of_level(63)),
            (Brief::of_bits(u64::MAX), Cost::of_level(7)),
        ]);
        let record = Record { neighbours: neighbours.clone(), left: false };

        let read = Record::of(&record.to_value());

        assert_eq!((read.neighbours, read.left), (neighbours, false));
    }

    #[test]
    fn a_strange_record_counts_for_nothing() {
        for value in [
            json!({}),
            json!({"to": 1}),
            json!({"to": "äöüäöü", "left": "yes"}),
            json!({"to": "*******"}),
        ] {
            let read = Record::of(&value);

            assert!(read.neighbours.is_empty() && !read.left, "{value}");
        }
    }
}
