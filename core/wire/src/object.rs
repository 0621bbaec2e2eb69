//! JSON objects with few members.

use serde_json::{Map, Value};

/// The object of these members. For what is a value already; `json!` turns each into one, and carries the words for all the
/// ways in which that could fail, which are kilobytes on each phone.
#[must_use]
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let mut object = Map::new();
    for (name, value) in members {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}
