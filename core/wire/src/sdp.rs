//! Session descriptions in a quarter of their bytes, for where they are sealed and pass through others.
//!
//! Most of a description is the same in all of them, so it is told by numbers: control characters, which JSON text does
//! not contain. What is not foreseen stays as it is.

use crate::invite::DESCRIPTION_BYTES_MAX;

/// What is told by one character each: by its place here, from 1. Longer ones before those that they contain.
const PHRASES: [&str; 30] = [
    r#"{"type":"offer","sdp":"v=0\r\no=- "#,
    r#"{"type":"answer","sdp":"v=0\r\no=- "#,
    concat!(
        r" 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed",
        r"\r\na=msid-semantic: WMS\r\nm=application "
    ),
    r" UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 ",
    r"\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:",
    r"\r\na=setup:active\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:",
    r#"262144\r\n"}"#,
    r"\r\na=candidate:",
    r"\r\na=ice-options:trickle\r\na=",
    r"\r\na=ice-ufrag:",
    r"\r\na=ice-pwd:",
    "fingerprint:sha-256 ",
    " typ host generation 0 network-id ",
    " typ host generation 0 network-cost ",
    " typ srflx raddr ",
    " typ relay raddr ",
    " typ host",
    " generation 0 network-id ",
    " generation 0",
    " network-cost ",
    " tcptype active",
    " rport ",
    " 1 udp ",
    " 1 tcp ",
    ".local ",
    "127.0.0.1",
    "0.0.0.0",
    "IN IP4 ",
    r"\r\na=",
    r"\r\n",
];

/// Follows the phrase of the fingerprint when that is told by the digits of its bytes.
const PRINT: char = '\u{1f}';

/// The bytes of a fingerprint by SHA-256, and its characters: two digits each, with colons between.
const PRINT_BYTES: usize = 32;
const PRINT_CHARS: usize = PRINT_BYTES * 3 - 1;

/// Five bits of a fingerprint.
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// How many of them a fingerprint takes.
const DIGITS_COUNT: usize = (PRINT_BYTES * 8).div_ceil(5);

/// JSON of a description, shortened. Text with control characters, which is no JSON, is not for this.
#[must_use]
pub fn shorten(description: &str) -> String {
    let mut short = String::with_capacity(description.len() / 3);
    let mut rest = description;
    while let Some(first) = rest.chars().next() {
        let phrase = PHRASES.iter().position(|phrase| rest.starts_with(phrase));
        if let Some(at) = phrase {
            short.push(mark(at));
            rest = &rest[PHRASES[at].len()..];
        } else if let Some(print) = rest.get(..PRINT_CHARS).and_then(print_of) {
            short.push(PRINT);
            short.push_str(&print);
            rest = &rest[PRINT_CHARS..];
        } else {
            short.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    short
}

/// The description that was shortened; cut off soon after [`DESCRIPTION_BYTES_MAX`], so that nobody can blow it up.
#[must_use]
pub fn lengthen(short: &str) -> String {
    let mut description = String::with_capacity(short.len() * 4);
    let mut rest = short;
    while let Some(first) =
        rest.chars().next().filter(|_| description.len() < DESCRIPTION_BYTES_MAX)
    {
        rest = &rest[first.len_utf8()..];
        if first == PRINT
            && let Some(print) = rest.get(..DIGITS_COUNT).and_then(print_from)
        {
            description.push_str(&print);
            rest = &rest[DIGITS_COUNT..];
        } else if let Some(phrase) = (first as usize).checked_sub(1).and_then(|at| PHRASES.get(at))
        {
            description.push_str(phrase);
        } else {
            description.push(first);
        }
    }
    description
}

fn mark(at: usize) -> char {
    // There are fewer phrases than control characters.
    char::from(at as u8 + 1)
}

/// The digits of the fingerprint that `text` is.
fn print_of(text: &str) -> Option<String> {
    let mut bits = Vec::with_capacity(PRINT_BYTES * 8);
    for (at, pair) in text.split(':').enumerate() {
        let is_pair = pair.len() == 2
            && at < PRINT_BYTES
            && pair.bytes().all(|digit| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit));
        let byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_pair)?;
        bits.extend((0..8).rev().map(|bit| byte >> bit & 1));
    }
    let digit = |bits: &[u8]| {
        let value = bits.iter().fold(0, |value, bit| value << 1 | bit) << (5 - bits.len());
        char::from(DIGITS[usize::from(value)])
    };
    (bits.len() == PRINT_BYTES * 8).then(|| bits.chunks(5).map(digit).collect())
}

/// The fingerprint that has these digits.
fn print_from(digits: &str) -> Option<String> {
    let mut bits = Vec::with_capacity(DIGITS_COUNT * 5);
    for digit in digits.bytes() {
        let value = DIGITS.iter().position(|known| *known == digit)? as u8;
        bits.extend((0..5).rev().map(|bit| value >> bit & 1));
    }
    let byte = |bits: &[u8]| format!("{:02X}", bits.iter().fold(0, |value, bit| value << 1 | bit));
    let pairs: Vec<String> = bits[..PRINT_BYTES * 8].chunks(8).map(byte).collect();
    Some(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dice, Seed};

    /// As Chromium makes it, with one candidate that hides its address.
    const OFFER: &str = concat!(
        r#"{"type":"offer","sdp":"v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0"#,
        r"\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS",
        r"\r\nm=application 49203 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0",
        r"\r\na=candidate:2413312089 1 udp 2113937151 f0c5c1b9-2f44-4f9c-a4a3-5f6a0b9d9d3e.local 49203",
        r" typ host generation 0 network-cost 999\r\na=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
        r"\r\na=ice-options:trickle\r\na=fingerprint:sha-256 0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:",
        r"E8:F9:0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9",
        r#"\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"}"#,
    );

    #[test]
    fn a_description_takes_a_quarter_and_comes_back_as_it_was() {
        let short = shorten(OFFER);

        assert_eq!(lengthen(&short), OFFER);
        // With a byte or two around it, it fills one step of what is sealed.
        assert!(short.len() < 220 && short.len() < OFFER.len() / 3, "{}: {short:?}", short.len());
    }

    #[test]
    fn what_is_not_foreseen_comes_back_as_it_was() {
        let mut dice = Dice::new(Seed::story(1));
        for text in ["", "{}", r"\r\n", "0A:1B", "äöü\u{1f600}", r#"{"type":"offer"}"#] {
            assert_eq!(lengthen(&shorten(text)), text);
        }
        for _ in 0..2_000 {
            let (from, to) = (dice.below(900) as usize, dice.below(900) as usize);
            let mut text = OFFER[from.min(OFFER.len())..].to_owned();
            text.push_str(&OFFER[..to.min(OFFER.len())]);
            text.replace_range(..0, &"é"[..if dice.below(2) == 0 { 2 } else { 0 }]);

            assert_eq!(lengthen(&shorten(&text)), text);
        }
    }

    #[test]
    fn what_nobody_shortened_does_no_harm() {
        let mut dice = Dice::new(Seed::story(2));
        for _ in 0..5_000 {
            let bytes = dice.bytes::<64>();
            let text: String = bytes.iter().map(|byte| char::from(byte & 0x3f)).collect();

            let long = lengthen(&text.repeat(100));

            assert!(long.len() < DESCRIPTION_BYTES_MAX + 200);
        }
    }
}
