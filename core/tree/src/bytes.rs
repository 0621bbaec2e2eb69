//! Bytes read and written by hand: numbers in their shortest form, so that a message has one spelling only.

use wire::NodeId;

/// Reads a message from its beginning; `None` once it is not what it should be.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// Seven bits a byte, the low ones first, the high bit set on all but the last (LEB128).
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                // A last byte of nothing could have been left out.
                return (byte != 0 || shift == 0).then_some(number);
            }
        }
        None
    }

    /// A number of either sign: zero, minus one, one, minus two, and so on.
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(crate) fn node(&mut self) -> Option<NodeId> {
        self.array().map(|bytes| NodeId(u64::from_le_bytes(bytes)))
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// How many things follow, each of at least `bytes_min` bytes: never more than there can be.
    pub(crate) fn count(&mut self, bytes_min: usize) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.rest.len() / bytes_min).then_some(count)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Writes a message.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    pub(crate) fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    pub(crate) fn node(&mut self, node: NodeId) {
        self.raw(&node.0.to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.raw(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for number in [0, 1, 127, 128, 300, 1 << 53, u64::MAX] {
            let mut writer = Writer::default();
            writer.number(number);
            writer.signed(number as i64);
            writer.signed((number as i64).wrapping_neg());

            let mut reader = Reader::new(&writer.bytes);

            assert_eq!(reader.number(), Some(number));
            assert_eq!(reader.signed(), Some(number as i64));
            assert_eq!(reader.signed(), Some((number as i64).wrapping_neg()));
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn only_the_shortest_form_of_a_number_is_one() {
        for bytes in [&[0x80, 0][..], &[0x85, 0x80, 0], &[0xff; 9], &[0xff; 11], &[]] {
            assert_eq!(Reader::new(bytes).number(), None, "{bytes:?}");
        }
        let too_long = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2];
        assert_eq!(Reader::new(&too_long).number(), None);
    }

    #[test]
    fn nobody_announces_more_than_follows() {
        assert_eq!(Reader::new(&[3, 0, 0, 0]).count(1), Some(3));
        assert_eq!(Reader::new(&[3, 0, 0, 0]).count(2), None);
        assert_eq!(Reader::new(&[9, b'a']).text(), None);
    }
}
