//! What a file must begin with, how long it may be, and which words it may not hold.

/// Lines a file may have, tests not counted.
const LINES_MAX: usize = 600;

/// Lines a JavaScript shim may have: it forwards to Rust and decides nothing.
const SHIM_LINES_MAX: usize = 99;

/// Files that are longer, and by how much. This list only ever gets shorter: see [`stale_exceptions`].
const LONGER: [(&str, usize); 0] = [];

/// Words that say that something is not finished. Put together here so that this file holds none of them.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

/// Names that say nothing; see STYLE.md on names.
const VAGUE: [&str; 4] =
    [concat!("Man", "ager"), concat!("Help", "er"), concat!("Ut", "ils"), concat!("Hand", "ler")];

/// Everything that is wrong with one file. `path` is from the root, with `/`.
pub(super) fn check(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let code = path.ends_with(".rs");
    if code && !text.starts_with("//! ") {
        faults.push(format!("{path} does not begin with a `//!` sentence"));
    }
    if path.ends_with(".js") && text.lines().count() > SHIM_LINES_MAX {
        faults.push(format!(
            "{path} is JavaScript of more than {SHIM_LINES_MAX} lines: write it in Rust"
        ));
    }
    let length = if code { untested_lines(path, text) } else { 0 };
    if length > allowed(path) {
        faults.push(format!(
            "{path} has {length} lines, tests not counted; {} is the end",
            allowed(path)
        ));
    }
    for (number, line) in text.lines().enumerate() {
        let at = number + 1;
        if let Some(word) = UNFINISHED.iter().find(|word| has_word(line, word)) {
            faults.push(format!("{path}:{at} says `{word}`: finish it or open an issue"));
        }
        if code && let Some(name) = VAGUE.iter().find(|name| names_type(line, name)) {
            faults.push(format!("{path}:{at} names a type `…{name}`, which says nothing"));
        }
        if path.starts_with("core/") && code && has_word(before_comment(line), "async") {
            faults.push(format!("{path}:{at} is async: a core is driven, it does not wait"));
        }
    }
    faults
}

/// Exceptions that are no longer needed, or allow more than is there: they must shrink with their file.
pub(super) fn stale_exceptions(read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let stale =
        |(path, most): &(&str, usize)| match read(path).map(|text| untested_lines(path, &text)) {
            None => Some(format!("the exception for {path} outlives its file")),
            Some(lines) if lines < *most => {
                Some(format!("{path} has only {lines} lines now: lower its exception"))
            }
            Some(_) => None,
        };
    LONGER.iter().filter_map(stale).collect()
}

fn allowed(path: &str) -> usize {
    LONGER.iter().find(|(longer, _)| *longer == path).map_or(LINES_MAX, |(_, lines)| *lines)
}

/// Lines up to the tests; a file of tests has none.
fn untested_lines(path: &str, text: &str) -> usize {
    if path.ends_with("/tests.rs") || path.starts_with("tests/tests/") || path.contains("/tests/") {
        return 0;
    }
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

/// Whether the word stands in the line as a word of its own.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part) && (word.ends_with('(') || !after.is_some_and(part))
    })
}

/// Whether the line declares a type whose name ends so.
fn names_type(line: &str, ending: &str) -> bool {
    let mut words =
        line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let declares = words.by_ref().any(|word| ["struct", "enum", "trait", "type"].contains(&word));
    declares
        && !line.trim_start().starts_with("//")
        && words.next().is_some_and(|name| name.ends_with(ending))
}

fn before_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_file_passes() {
        let faults = check(
            "core/call/src/lib.rs",
            "//! One call.\n\n// async is a word in a comment\nstruct Call;\n",
        );

        assert_eq!(faults, [""; 0]);
    }

    #[test]
    fn a_file_without_its_sentence_is_named() {
        let faults = check("cli/src/main.rs", "fn main() {}\n");

        assert_eq!(faults, ["cli/src/main.rs does not begin with a `//!` sentence"]);
    }

    #[test]
    fn a_core_that_waits_is_named_with_its_line() {
        let faults = check("core/call/src/lib.rs", "//! One call.\nasync fn ring() {}\n");

        assert_eq!(faults, ["core/call/src/lib.rs:2 is async: a core is driven, it does not wait"]);
    }

    #[test]
    fn a_shell_may_wait() {
        assert!(check("server/src/lib.rs", "//! The server.\nasync fn serve() {}\n").is_empty());
    }

    #[test]
    fn a_line_too_many_is_a_fault_and_tests_do_not_count() {
        let long = format!("//! Long.\n{}", "x\n".repeat(LINES_MAX - 1));
        let tested = format!("{long}#[cfg(test)]\n{}", "y\n".repeat(500));

        assert!(check("a.rs", &tested).is_empty());
        assert_eq!(
            check("a.rs", &format!("{long}x\n")),
            ["a.rs has 601 lines, tests not counted; 600 is the end"]
        );
    }

    #[test]
    fn a_shim_that_grows_is_a_fault() {
        let shim = "forward();\n".repeat(SHIM_LINES_MAX);

        assert!(check("web/pages/a.js", &shim).is_empty());
        assert_eq!(check("web/pages/a.js", &format!("{shim}more();\n")).len(), 1);
    }

    #[test]
    fn what_is_unfinished_is_found_in_any_kind_of_file() {
        let word = UNFINISHED[0];

        let faults = check("web/pages/a.css", &format!("/* {word}: colours */\n"));

        assert_eq!(
            faults,
            [format!("web/pages/a.css:1 says `{word}`: finish it or open an issue")]
        );
    }

    #[test]
    fn a_word_within_a_word_is_another_word() {
        assert!(!has_word("METHOD and MASTODON", UNFINISHED[0]));
        assert!(has_word(&format!("// {}(me)", UNFINISHED[0]), UNFINISHED[0]));
    }

    #[test]
    fn a_type_with_a_vague_name_is_a_fault() {
        let vague = format!("//! X.\npub(crate) struct Call{} {{}}\n", VAGUE[0]);

        assert_eq!(check("a.rs", &vague).len(), 1);
    }
}
