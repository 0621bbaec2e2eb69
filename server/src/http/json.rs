//! JSON that comes from outside, read so that whoever wrote it hears what is wrong, and where, in words of the interface.

use serde::de::DeserializeOwned;

/// What serde calls things, and what authors of clients call them.
const WORDS: [(&str, &str); 6] = [
    ("invalid type: map,", "invalid type: object,"),
    ("invalid type: sequence,", "invalid type: list,"),
    ("expected a map", "expected an object"),
    ("expected a sequence", "expected a list"),
    ("unknown variant ", "unknown word "),
    ("invalid length ", "wrong number of members: "),
];

/// Reads a JSON object. An array is none, although serde would take the members in their order.
///
/// # Errors
///
/// With what is wrong, to be told to whoever sent it.
pub(super) fn object<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(|first| *first != b'{') {
        // It may be no JSON at all, which is to be said first.
        let read = serde_json::from_slice::<serde::de::IgnoredAny>(text);
        return Err(read.err().map_or_else(
            || "it is JSON, but no object".to_owned(),
            |error| format!("it is no JSON: {error}"),
        ));
    }
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        said(&path, error.inner())
    })?;
    reader.end().map_err(|error| said(".", &error))?;
    Ok(value)
}

fn said(path: &str, error: &serde_json::Error) -> String {
    if !error.is_data() {
        return format!("it is no JSON: {error}");
    }
    let mut text = error.to_string();
    // The path says where.
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.truncate(text.strip_suffix(&place).unwrap_or(&text).len());
    for (theirs, ours) in WORDS {
        // What was sent is repeated in backquotes and quotes, and stays as it is.
        if text.starts_with(theirs) || text.ends_with(theirs) {
            text = text.replacen(theirs, ours, 1);
        }
    }
    if path == "." { text } else { format!("{path}: {text}") }
}

#[cfg(test)]
mod tests {
    use wire::contacts::{ChangeRules, Contact, Login, Send};
    use wire::live::FromPage;

    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_in_words_of_the_interface() {
        for (said, problem) in [
            (refusal::<Contact>("7"), "it is JSON, but no object"),
            (refusal::<Contact>(r#"["live"]"#), "it is JSON, but no object"),
            (refusal::<Contact>("hello"), "it is no JSON: expected value at line 1 column 1"),
            (refusal::<Contact>("{}"), "missing field `contact`"),
            (
                refusal::<Contact>(r#"{"contact":{"a":1}}"#),
                "contact: invalid type: object, expected a string",
            ),
            (
                refusal::<Contact>(r#"{"contact":"live"} x"#),
                "it is no JSON: trailing characters at line 1 column 20",
            ),
            (
                refusal::<ChangeRules>(r#"{"block":["a@x.org",7]}"#),
                "block[1]: invalid type: integer `7`, expected a string",
            ),
            (
                refusal::<ChangeRules>(r#"{"block":"a@x.org"}"#),
                "block: invalid type: string \"a@x.org\", expected a list",
            ),
            (
                refusal::<ChangeRules>(r#"{"ring":"nobody"}"#),
                "ring: unknown word `nobody`, expected `everybody` or `known`",
            ),
            (
                refusal::<Send>(r#"{"to":"bob@x.org","data":[1]}"#),
                "data: invalid type: list, expected an object",
            ),
            (refusal::<Login>("{}"), "give either a token or a code"),
            (refusal::<Login>(r#"{"token":"a","code":"b"}"#), "give either a token or a code"),
            (
                refusal::<Login>(r#"{"token":7}"#),
                "token: invalid type: integer `7`, expected a string",
            ),
            (refusal::<FromPage>("{}"), "missing field `type`"),
            (
                refusal::<FromPage>(r#"{"type":"shout"}"#),
                "type: unknown word `shout`, expected one of `ack`, `ping`, `watch`, `unwatch`",
            ),
            (refusal::<FromPage>(r#"{"type":"ack"}"#), "an ack has an id"),
            (
                refusal::<FromPage>(r#"{"type":"watch","users":[7]}"#),
                "users[0]: invalid type: integer `7`, expected a string",
            ),
        ] {
            assert_eq!(said, problem);
        }
    }

    #[test]
    fn what_somebody_wrote_is_repeated_as_it_is() {
        assert_eq!(
            refusal::<ChangeRules>(r#"{"ring":"expected a map"}"#),
            "ring: unknown word `expected a map`, expected `everybody` or `known`"
        );
    }

    fn refusal<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
        object::<T>(text.as_bytes()).expect_err("it is wrong")
    }
}
