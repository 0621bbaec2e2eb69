//! Walks through JSON text once, checks it, and copies nothing.
//!
//! A relayed description is two kilobytes, nearly all of it inside one string. So strings are walked eight bytes at a
//! time, and nothing is built of what is passed over. Nesting is a bit each, not a call each: depth costs no stack.
//!
//! Unlike RFC 8259 §8.2 leaves open, a lone surrogate is taken where it is passed over, as browsers do, and refused
//! where the text itself is wanted.

use std::borrow::Cow;

use crate::Malformed;

/// The deepest nesting. As in the JSON libraries that read such frames elsewhere.
const DEPTH_MAX: u32 = 128;

/// Eight times the same byte.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The high bit of each byte.
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Where we are in a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The place, for [`Scanner::since`].
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What was walked through since `from`.
    pub(super) fn since(&self, from: usize) -> &'a str {
        &self.text[from..self.at]
    }

    /// Whether an object begins here.
    pub(super) fn is_object(&self) -> bool {
        self.peek() == Some(b'{')
    }

    /// Walks through an object; `member` is called at each value, with its key, and must walk through it.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.space();
        self.expect(b'{')?;
        self.space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.space();
            self.expect(b':')?;
            self.space();
            member(self, &key)?;
            self.space();
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
            self.space();
        }
    }

    /// The string that is here; `None` for a value of another type, which is passed over.
    pub(super) fn text_or_skip(&mut self) -> Result<Option<Cow<'a, str>>, Malformed> {
        if self.peek() == Some(b'"') {
            return self.string().map(Some);
        }
        self.skip()?;
        Ok(None)
    }

    /// Passes over one value.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        // One bit for each level: whether it is an object.
        let mut objects: u128 = 0;
        let mut depth: u32 = 0;
        loop {
            // At a value.
            match self.peek() {
                Some(b'"') => {
                    self.string_span()?;
                }
                Some(open @ (b'{' | b'[')) => {
                    self.at += 1;
                    self.space();
                    let is_object = open == b'{';
                    if !self.take(if is_object { b'}' } else { b']' }) {
                        if depth == DEPTH_MAX {
                            return Err(wrong("is nested too deep"));
                        }
                        objects = objects << 1 | u128::from(is_object);
                        depth += 1;
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b't') => self.word("true")?,
                Some(b'f') => self.word("false")?,
                Some(b'n') => self.word("null")?,
                Some(_) | None => self.number()?,
            }
            // Behind a value: what ends here, and is there another?
            loop {
                if depth == 0 {
                    return Ok(());
                }
                self.space();
                let is_object = objects & 1 == 1;
                if self.take(b',') {
                    self.space();
                    if is_object {
                        self.key()?;
                    }
                    break;
                }
                self.expect(if is_object { b'}' } else { b']' })?;
                objects >>= 1;
                depth -= 1;
            }
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Result<(), Malformed> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(wrong("goes on after its end")) }
    }

    fn key(&mut self) -> Result<(), Malformed> {
        self.string_span()?;
        self.space();
        self.expect(b':')?;
        self.space();
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let from = self.at;
        let escaped = self.string_span()?;
        let quoted = &self.text[from..self.at];
        if escaped {
            let text =
                serde_json::from_str(quoted).map_err(|_| wrong("has a string that is no text"));
            return text.map(Cow::Owned);
        }
        Ok(Cow::Borrowed(&quoted[1..quoted.len() - 1]))
    }

    /// Passes over a string; whether it has escapes.
    fn string_span(&mut self) -> Result<bool, Malformed> {
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            self.plain();
            match self.next() {
                Some(b'"') => return Ok(escaped),
                Some(b'\\') => {
                    escaped = true;
                    match self.next() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        Some(b'u') => {
                            for _ in 0..4 {
                                if !self.next().is_some_and(|b| b.is_ascii_hexdigit()) {
                                    return Err(wrong("has an escape that is none"));
                                }
                            }
                        }
                        Some(_) | None => return Err(wrong("has an escape that is none")),
                    }
                }
                Some(_) => return Err(wrong("has a control character in a string")),
                None => return Err(wrong("ends within a string")),
            }
        }
    }

    /// Moves to the next quote, backslash or control character.
    fn plain(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let (words, tail) = rest.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            let stops = stops(u64::from_le_bytes(*word));
            if stops != 0 {
                self.at += index * 8 + stops.trailing_zeros() as usize / 8;
                return;
            }
        }
        let stop = |b: &u8| *b == b'"' || *b == b'\\' || *b < b' ';
        self.at += words.len() * 8 + tail.iter().position(stop).unwrap_or(tail.len());
    }

    fn number(&mut self) -> Result<(), Malformed> {
        self.take(b'-');
        if !self.take(b'0') && !self.digits() {
            return Err(wrong("has a value that is none"));
        }
        if self.take(b'.') && !self.digits() {
            return Err(wrong("has a number that is none"));
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            if !self.digits() {
                return Err(wrong("has a number that is none"));
            }
        }
        Ok(())
    }

    /// Passes over digits; whether there are any.
    fn digits(&mut self) -> bool {
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at > from
    }

    fn word(&mut self, word: &str) -> Result<(), Malformed> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(wrong("has a value that is none"));
        }
        self.at += word.len();
        Ok(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(wrong("is no JSON object")) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// Has the high bit set in the first byte that is a quote, a backslash or a control character, and perhaps in later ones.
/// A borrow can only mark bytes above one that is truly marked, so the lowest mark is right.
fn stops(word: u64) -> u64 {
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
    zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c)) | controls
}

fn wrong(problem: &'static str) -> Malformed {
    Malformed { word: "frame", problem }
}
