//! What was really written, by what each node told its own application; whatever another one shows is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use node::{Event, Path};
use serde_json::Value;
use wire::NodeId;

/// All that honest people wrote.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    written: BTreeMap<NodeId, BTreeSet<u64>>,
    /// Whoever plays false may write what it likes in its own name.
    false_names: BTreeSet<NodeId>,
}

impl Truth {
    /// From now on nothing is held against what stands under that name.
    pub(crate) fn distrust(&mut self, node: NodeId) {
        self.false_names.insert(node);
    }

    /// Whether anything may stand under that name.
    pub(crate) fn is_false(&self, node: NodeId) -> bool {
        self.false_names.contains(&node)
    }

    /// Holds what `at` is told against what was written.
    ///
    /// # Errors
    ///
    /// When it was never written by whom it is said to be.
    pub(crate) fn hear(&mut self, at: NodeId, event: &Event) -> Result<(), String> {
        let (Event::Created { path, value, by } | Event::Updated { path, value, by, .. }) = event
        else {
            return Ok(());
        };
        if at == *by {
            self.written.entry(*by).or_default().insert(mark(path, value));
            return Ok(());
        }
        let is_known = self.written.get(by).is_some_and(|all| all.contains(&mark(path, value)));
        if is_known || self.false_names.contains(by) {
            return Ok(());
        }
        Err(format!("{at} shows {value} at {path} as written by {by}, who never wrote it"))
    }
}

/// A number that is equal for equal writes, and hardly ever for others.
fn mark(path: &Path, value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.as_str().hash(&mut hasher);
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_wrote_is_a_forgery_unless_its_author_plays_false() {
        let event = |text: &str, by| Event::Created {
            path: "messages/1".parse().expect("a path"),
            value: json!({ "text": text }),
            by: NodeId(by),
        };
        let mut truth = Truth::default();
        assert_eq!(truth.hear(NodeId(1), &event("lunch", 1)), Ok(()));

        assert_eq!(truth.hear(NodeId(2), &event("lunch", 1)), Ok(()));
        assert!(truth.hear(NodeId(2), &event("dinner", 1)).is_err());
        assert!(truth.hear(NodeId(2), &event("lunch", 3)).is_err());

        truth.distrust(NodeId(3));
        assert_eq!(truth.hear(NodeId(2), &event("lunch", 3)), Ok(()));
    }
}
