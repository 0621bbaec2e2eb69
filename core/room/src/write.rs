//! What the room writes into the tree, and says below its own paths.

use serde_json::Value;

use node::{Life, Path};
use wire::{NodeId, Sure, Time};

use crate::Room;

impl Room {
    pub(crate) fn write_profile(&mut self, now: Time) {
        let path = format!("users/{}", self.node.me());
        self.put(now, &path, to_json(&self.profile), Life::Ephemeral);
    }

    pub(crate) fn put(&mut self, now: Time, path: &str, value: Value, life: Life) {
        let path = own_path(path);
        self.command_node(now, node::Command::Update { path, value, partial: false, life });
    }

    pub(crate) fn delete(&mut self, now: Time, path: &str) {
        self.command_node(now, node::Command::Delete { path: own_path(path) });
    }

    pub(crate) fn notify(&mut self, now: Time, to: Option<NodeId>, path: &str, data: Value) {
        self.command_node(now, node::Command::Notify { path: own_path(path), data, to });
    }

    /// Tells the node. It may be over a limit of its own, and then the write is lost: a subscription is tried again,
    /// a profile is written again with the next change.
    pub(crate) fn command_node(&mut self, now: Time, command: node::Command) {
        self.node.handle(now, node::Input::Do(command)).ok();
    }
}

/// The node that a path directly below `list` names.
pub(crate) fn below(path: &str, list: &str) -> Option<NodeId> {
    path.strip_prefix(list)?.parse().ok()
}

fn own_path(path: &str) -> Path {
    path.parse().sure("the room's own paths are short and plain")
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).sure("texts, numbers and flags are always JSON")
}
