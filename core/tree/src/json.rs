//! The JSON of values: checked when it comes, read when it is needed.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use wire::Sure;

/// The deepest nesting of a value. Guess: five times what the conference uses.
const DEPTH_MAX: u32 = 16;

/// The most keys and items of a value. Guess: a hundred times what the conference uses.
const KEYS_MAX: u32 = 1_000;

/// Whether `json` is an object, not too deep and not of too many keys, so that no page chokes on it. Nothing is built.
pub(crate) fn is_modest(json: &str) -> bool {
    if !json.starts_with('{') {
        return false;
    }
    let mut keys = 0;
    let mut reader = serde_json::Deserializer::from_str(json);
    Shape { depth: 0, keys: &mut keys }.deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

/// Reads what has been found modest.
pub(crate) fn read(json: &str) -> Value {
    serde_json::from_str(json).sure("a value is checked before it is kept")
}

/// Follows a value without keeping it.
struct Shape<'a> {
    depth: u32,
    keys: &'a mut u32,
}

impl Shape<'_> {
    fn below(&mut self) -> Shape<'_> {
        Shape { depth: self.depth + 1, keys: self.keys }
    }

    fn count<E: Error>(&mut self) -> Result<(), E> {
        *self.keys += 1;
        if *self.keys > KEYS_MAX { Err(E::custom("too many keys")) } else { Ok(()) }
    }

    fn enter<E: Error>(&self) -> Result<(), E> {
        if self.depth >= DEPTH_MAX { Err(E::custom("too deep")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Shape<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.enter()?;
        while items.next_element_seed(self.below())?.is_some() {
            self.count()?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.enter()?;
        while entries.next_key_seed(self.below())?.is_some() {
            entries.next_value_seed(self.below())?;
            self.count()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_modest_object_is_a_value() {
        let deep = |depth| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let wide = |items| format!(r#"{{"a":[{}0]}}"#, "0,".repeat(items));

        for good in [r#"{"a":[1,{"b":2.5},null,true,"é\n"]}"#, "{}", &deep(16), &wide(998)] {
            assert!(is_modest(good), "{good}");
            assert!(read(good).is_object());
        }
        let bad = ["", "1", "[]", " {}", "{", "{}{}", r#"{"a":1e999}"#, r#"{"a":"\ud800"}"#];
        for bad in bad.into_iter().chain([&*deep(17), &*wide(999)]) {
            assert!(!is_modest(bad), "{bad}");
        }
    }
}
