//! Reads what a person types as an address, and says clearly what is wrong with it.

use wire::{Address, UserId};

/// The address that `typed` means, for somebody logged in as `me`.
///
/// Forgives what keyboards and copying add: spaces around it, `mailto:`, `Bob <bob@example.com>`, and capital letters
/// in mail addresses, which are the same person to the post; those beyond a to z the page has written small already.
///
/// # Errors
///
/// A sentence for the person: what is wrong and what to do.
pub(crate) fn read(typed: &str, me: &UserId) -> Result<Address, String> {
    let text = bare(typed);
    if text.is_empty() {
        return Err("Type whom you want to call, for example bob@example.com.".to_owned());
    }
    if text.contains(char::is_whitespace) {
        return Err("An address has no spaces in it. Take them out, then call again.".to_owned());
    }
    if text.contains(char::is_control) {
        return Err("This address has an invisible character in it. Type it by hand.".to_owned());
    }
    let text = if text.contains('@') { text.to_ascii_lowercase() } else { text.to_owned() };
    let (user, instance) = match text.split_once('/') {
        Some((user, instance)) => (user, Some(instance)),
        None => (text.as_str(), None),
    };
    if user.is_empty() || user.starts_with('@') || user.ends_with('@') {
        return Err("Part of this address is missing. Write it like bob@example.com.".to_owned());
    }
    let user: UserId = user
        .parse()
        .map_err(|_| "This address is too long to be one. Check what you pasted.".to_owned())?;
    let Some(instance) = instance else {
        if user == *me {
            return Err("This is your own address. Type whom you want to call.".to_owned());
        }
        return Ok(Address::of(user));
    };
    let instance = instance.parse().map_err(|_| {
        format!(
            "What follows the slash should be a device, eight digits or letters a to f. \
             Leave it out to ring all devices: {user}."
        )
    })?;
    Ok(Address::at(user, instance))
}

/// The address itself, without what mail programs put around it.
fn bare(typed: &str) -> &str {
    let text = typed.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or(rest).trim(),
        None => text.trim(),
    }
}

#[cfg(test)]
mod tests {
    fn read(typed: &str) -> Result<String, String> {
        super::read(typed, &"ann@x.org".parse().unwrap()).map(|address| address.to_string())
    }

    #[test]
    fn what_keyboards_and_copying_add_is_forgiven() {
        for typed in
            ["bob@x.org", "  bob@x.org ", "Bob@X.org", "mailto:bob@x.org", "Bob B <bob@x.org>"]
        {
            assert_eq!(read(typed), Ok("bob@x.org".to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn a_name_that_is_no_mail_address_is_taken_as_it_is() {
        assert_eq!(read("Bob"), Ok("Bob".to_owned()));
        assert_eq!(read("+4930123"), Ok("+4930123".to_owned()));
    }

    #[test]
    fn one_device_can_be_called_even_of_ones_own() {
        assert_eq!(read("ann@x.org/5C7C87A2"), Ok("ann@x.org/5c7c87a2".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (typed, words) in [
            ("", "Type whom"),
            ("   ", "Type whom"),
            ("bob smith", "no spaces"),
            ("bob\u{7}", "invisible"),
            ("@x.org", "missing"),
            ("bob@", "missing"),
            ("/5c7c87a2", "missing"),
            ("ann@x.org", "your own"),
            ("bob@x.org/laptop", "ring all devices: bob@x.org"),
        ] {
            let said = read(typed).unwrap_err();
            assert!(said.contains(words), "{typed:?}: {said}");
        }
        assert!(read(&"b".repeat(300)).unwrap_err().contains("too long"));
    }
}
