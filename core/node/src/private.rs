//! What is kept below `private/<node>`: sealed, so that only that node reads it.
//!
//! Everybody keeps it and hands it on like anything else; what they have of it is `{"sealed": …}`.

use std::borrow::Cow;

use serde_json::Value;
use tree::{Entry, Path, Resource};
use trust::Purpose;
use wire::{NodeId, base64, object};

use crate::{Error, Misuse, Node};

/// The list of what is private.
const PRIVATE: &str = "private";

/// The one field of a sealed value.
const SEALED: &str = "sealed";

/// Who is to read what is at `path`, if it is only one.
fn addressee(path: &Path) -> Option<NodeId> {
    let mut segments = path.segments();
    let is_private = segments.next() == Some(PRIVATE);
    segments.next().filter(|_| is_private)?.parse().ok()
}

impl Node {
    /// `value` as it may be kept at `path`.
    pub(crate) fn sealed(&mut self, path: &Path, value: Value) -> Result<Value, Error> {
        let Some(to) = addressee(path).filter(|_| value.is_object()) else { return Ok(value) };
        let (trust, plain) = (&self.tree.notary().0, value.to_string());
        let sealed = trust.seal(Purpose::Private, to, plain.as_bytes(), &mut self.dice);
        let sealed = sealed.ok_or(Error::Misuse(Misuse::NoAddressee))?;
        Ok(object([(SEALED, base64::encode(&sealed).into())]))
    }

    /// `value` as `by` meant it, if it is for us; as it is kept, else.
    pub(crate) fn opened(&self, path: &Path, by: NodeId, value: Value) -> Value {
        self.unsealed(path, by, &value).unwrap_or(value)
    }

    fn unsealed(&self, path: &Path, by: NodeId, value: &Value) -> Option<Value> {
        addressee(path).filter(|to| *to == self.me)?;
        let sealed = base64::decode(value.get(SEALED)?.as_str()?)?;
        let plain = self.tree.notary_ref().0.open(Purpose::Private, by, &sealed)?;
        serde_json::from_slice(&plain).ok().filter(Value::is_object)
    }

    pub(crate) fn opened_resource(&self, resource: Resource) -> Resource {
        let Resource { path, value, by } = resource;
        Resource { value: self.opened(&path, by, value), path, by }
    }

    pub(crate) fn opened_entry<'a>(&self, mut entry: Entry<'a>) -> Entry<'a> {
        if addressee(&entry.path) == Some(self.me)
            && let Some(value) = self.unsealed(&entry.path, entry.by, &entry.value())
        {
            entry.json = Cow::Owned(value.to_string());
        }
        entry
    }
}
