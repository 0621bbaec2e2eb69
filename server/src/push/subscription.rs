//! Contacts of devices that are reached through a push service, as they stand in the store.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::guard::{Guard, Refusal};
use super::seal::Recipient;

/// The longest contact. Guess: twice the longest seen.
const CONTACT_BYTES_MAX: usize = 4_096;

/// How a device is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PushContact {
    /// By standard Web Push.
    Web {
        /// Where the push service takes messages for it.
        endpoint: reqwest::Url,
        /// Whom they are sealed to.
        recipient: Recipient,
    },
    /// By Firebase Cloud Messaging.
    Fcm {
        /// The registration token.
        token: String,
    },
}

/// Why a text is not a contact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// Too long to be one.
    #[error("a contact is at most {CONTACT_BYTES_MAX} bytes long")]
    TooLong,
    /// Neither the JSON of a push subscription nor a registration token.
    #[error(
        "a contact is \"live\", the JSON of a push subscription, or a Firebase registration token"
    )]
    Unreadable,
    /// Its keys are none.
    #[error("the keys of the push subscription are not those that a browser gives")]
    Keys,
    /// Its push service is not asked.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// `PushSubscription.toJSON()`.
#[derive(Deserialize)]
struct Json {
    endpoint: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

impl PushContact {
    /// Reads a contact: the JSON of a push subscription, or a registration token.
    ///
    /// # Errors
    ///
    /// See [`Malformed`].
    pub(crate) fn parse(text: &str, guard: &Guard) -> Result<Self, Malformed> {
        if text.len() > CONTACT_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        if !text.trim_start().starts_with('{') {
            return fcm_token(text).ok_or(Malformed::Unreadable);
        }
        let Json { endpoint, keys } =
            serde_json::from_str(text).map_err(|_| Malformed::Unreadable)?;
        let key = decode(&keys.p256dh).ok_or(Malformed::Keys)?;
        let auth = decode(&keys.auth).ok_or(Malformed::Keys)?;
        let recipient = Recipient { key, auth };
        Ok(Self::Web { endpoint: guard.check(&endpoint)?, recipient })
    }
}

/// A registration token: opaque to us, but of the characters that Firebase uses, so that it is no mistyped something.
fn fcm_token(text: &str) -> Option<PushContact> {
    let is_one = text.len() >= 32
        && text.contains(':')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:-".contains(&b));
    is_one.then(|| PushContact::Fcm { token: text.to_owned() })
}

/// Browsers give URL-safe base64; some libraries the standard kind.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.trim_end_matches('=');
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| STANDARD.decode(format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4))));
    bytes.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = r#""keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}"#;

    fn parse(text: &str) -> Result<PushContact, Malformed> {
        PushContact::parse(text, &Guard::default())
    }

    #[test]
    fn what_a_browser_gives_is_read() {
        let text = format!(
            r#"{{"endpoint":"https://web.push.apple.com/x","expirationTime":null,{KEYS}}}"#
        );

        let contact = parse(&text).unwrap();

        assert!(matches!(contact, PushContact::Web { recipient, .. } if recipient.key[0] == 4));
    }

    #[test]
    fn a_registration_token_is_read() {
        let token = "dGhpcyBpcyBub3QgYSB0b2tlbg:APA91bExampleExampleExample_-1";

        assert_eq!(parse(token), Ok(PushContact::Fcm { token: token.to_owned() }));
    }

    #[test]
    fn what_is_neither_says_what_it_should_be() {
        let foreign = format!(r#"{{"endpoint":"https://127.0.0.1/x",{KEYS}}}"#);
        let keyless = r#"{"endpoint":"https://web.push.apple.com/x"}"#;
        let off =
            r#"{"endpoint":"https://web.push.apple.com/x","keys":{"p256dh":"eA","auth":"eA"}}"#;

        assert!(matches!(parse(&foreign), Err(Malformed::Refused(_))));
        assert_eq!(parse(keyless), Err(Malformed::Unreadable));
        assert_eq!(parse(off), Err(Malformed::Keys));
        assert_eq!(parse("bob@example.com"), Err(Malformed::Unreadable));
        assert_eq!(parse(&"x".repeat(5_000)), Err(Malformed::TooLong));
    }
}
