//! Makes glue short: a phone pays for every byte of it, and nobody reads it there.
//!
//! Each function that a module imports bears a name that ends in a hash of sixteen digits, once in the module and once in
//! its glue. They pack badly, so both get a number instead.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

/// Names by which a module asks its glue for functions, and the short ones that stand for them.
#[derive(Debug, Default)]
pub(super) struct Imports {
    short: BTreeMap<String, String>,
}

impl Imports {
    /// The short name of `name`.
    pub(super) fn rename(&mut self, name: &str) -> String {
        let next = format!("f{}", self.short.len());
        self.short.entry(name.to_owned()).or_insert(next).clone()
    }

    /// The glue with the short names, without what is only for readers: indentation, comments before a function, empty
    /// lines.
    ///
    /// # Errors
    ///
    /// A function that the module asks for is not in its glue.
    pub(super) fn shorten(&self, glue: &str) -> Result<String> {
        let mut short = String::with_capacity(glue.len());
        let (mut is_comment, mut found) = (false, 0);
        for line in glue.lines().map(str::trim) {
            is_comment |= line.starts_with("/**");
            if !is_comment && !line.is_empty() {
                let named = line.split_once(": ");
                match named.and_then(|(name, rest)| Some((self.short.get(name)?, rest))) {
                    Some((name, rest)) => {
                        found += 1;
                        short.extend([name.as_str(), ": ", rest, "\n"]);
                    }
                    None => short.extend([line, "\n"]),
                }
            }
            is_comment &= !line.ends_with("*/");
        }
        ensure!(
            found == self.short.len(),
            "of the {} functions that a module imports, its glue has {found} where they are looked for",
            self.short.len()
        );
        Ok(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_imports_are_numbers_and_the_rest_stays() {
        let mut imports = Imports::default();
        let name = imports.rename("__wbg_now_0123456789abcdef");
        let glue = "/**\n * Starts.\n */\nfunction start() {\n    return {\n\n        \
                    __wbg_now_0123456789abcdef: function() {\n            return now * 2;\n        },\n        \
                    other: function() {},\n    };\n}\n";

        let short = imports.shorten(glue).unwrap();

        assert_eq!(name, "f0");
        assert_eq!(imports.rename("__wbg_now_0123456789abcdef"), "f0");
        assert_eq!(
            short,
            "function start() {\nreturn {\nf0: function() {\nreturn now * 2;\n},\nother: function() {},\n};\n}\n"
        );
        imports.rename("__wbg_new_fedcba9876543210");
        assert!(imports.shorten(glue).is_err(), "it is not there");
    }
}
