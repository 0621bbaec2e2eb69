//! Words that come as JSON objects of several shapes, read by hand: serde would bring a reader of its own for each,
//! several times as heavy as what it reads, and a phone pays for code.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::Malformed;

/// The fields of an object. Those that nobody asks for are ignored.
pub(crate) struct Fields {
    word: &'static str,
    all: Map<String, Value>,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Map::deserialize(from).map(|all| Self { word: "message", all })
    }
}

impl Fields {
    /// Those of a value that is a field itself.
    pub(crate) fn of(value: Value) -> Option<Self> {
        let Value::Object(all) = value else { return None };
        Some(Self { word: "message", all })
    }

    /// What is read, for errors.
    pub(crate) fn called(self, word: &'static str) -> Self {
        Self { word, ..self }
    }

    /// The field that says which shape the object has.
    pub(crate) fn shape(&self, key: &str) -> &str {
        self.all.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// An error about all of it.
    pub(crate) fn malformed(&self, problem: &'static str) -> Malformed {
        Malformed { word: self.word, problem }
    }

    /// A field that may be absent.
    pub(crate) fn maybe(&mut self, key: &str) -> Option<Value> {
        // Taking it out of the map would bring what keeps a tree in balance along.
        self.all.get_mut(key).map(Value::take).filter(|value| !value.is_null())
    }

    /// A text that may be absent.
    pub(crate) fn maybe_text(&mut self, key: &str) -> Result<Option<String>, Malformed> {
        match self.maybe(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.malformed("has a field that should be a text")),
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &str) -> Result<String, Malformed> {
        let lacking = self.malformed("lacks a field that its kind needs");
        self.maybe_text(key)?.ok_or(lacking)
    }

    /// A name that may be absent.
    pub(crate) fn maybe_name<T: FromStr>(&mut self, key: &str) -> Result<Option<T>, Malformed> {
        let Some(text) = self.maybe_text(key)? else { return Ok(None) };
        let read = text.parse().map_err(|_| self.malformed("has a name that is none"))?;
        Ok(Some(read))
    }

    /// A name.
    pub(crate) fn name<T: FromStr>(&mut self, key: &str) -> Result<T, Malformed> {
        let lacking = self.malformed("lacks a field that its kind needs");
        self.maybe_name(key)?.ok_or(lacking)
    }
}
