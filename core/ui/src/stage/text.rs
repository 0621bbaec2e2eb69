//! Text of others, made fit to be shown: links found, names shortened.

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Shown as it is.
    Text(String),
    /// Shown as it is, and opens as an address.
    Link(String),
}

/// Finds the web addresses in a message. Nothing else is special.
#[must_use]
pub fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut plain = String::new();
    while let Some(at) = next_address(rest) {
        let (before, from) = rest.split_at(at);
        let end = from.find(char::is_whitespace).unwrap_or(from.len());
        let link =
            from[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'', '>']);
        plain.push_str(before);
        if link.ends_with("//") {
            plain.push_str(&from[..end]); // A scheme alone leads nowhere.
        } else {
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Link(link.to_owned()));
            plain.push_str(&from[link.len()..end]);
        }
        rest = &from[end..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

fn next_address(text: &str) -> Option<usize> {
    ["http://", "https://"].iter().filter_map(|scheme| text.find(scheme)).min()
}

/// One or two letters that stand for a name. The page writes all of them as capitals: tables of those of every script
/// would be heavier than a page.
#[must_use]
pub fn initials(name: &str) -> String {
    let person = name.split('@').next().unwrap_or(name);
    let is_between = |c: char| c.is_whitespace() || c.is_ascii() && !c.is_ascii_alphanumeric();
    let words = person.split(is_between).filter(|word| !word.is_empty());
    let letters: String = words.filter_map(|word| word.chars().next()).take(2).collect();
    if letters.is_empty() { "?".to_owned() } else { letters.to_ascii_uppercase() }
}

/// The name without the part after `@`, for places too small for all of it.
#[must_use]
pub fn short(name: &str) -> &str {
    match name.split_once('@') {
        Some((person, _)) if !person.is_empty() => person,
        Some(_) | None => name,
    }
}

/// One of eight colours that stands for a name, the same on every screen.
#[must_use]
pub fn colour(name: &str) -> u8 {
    name.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_without_the_full_stop_behind_it() {
        let found = parts("see https://example.com/a?b=c. Or (http://x.org)!");

        assert_eq!(
            found,
            [
                text("see "),
                Part::Link("https://example.com/a?b=c".to_owned()),
                text(". Or ("),
                Part::Link("http://x.org".to_owned()),
                text(")!"),
            ]
        );
    }

    #[test]
    fn nothing_but_web_addresses_becomes_a_link() {
        for plain in ["javascript:alert(1)", "<b>x</b>", "ftp://x", "https://", "data:text/html,x"]
        {
            assert_eq!(parts(plain), [text(plain)]);
        }
    }

    #[test]
    fn a_name_has_initials() {
        for (name, letters) in
            [("alice@example.com", "A"), ("Ann B. Cole", "AB"), ("élan-vital@x", "éV"), ("@", "?")]
        {
            assert_eq!(initials(name), letters);
        }
    }

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }
}
