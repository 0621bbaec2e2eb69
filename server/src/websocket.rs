//! WebSocket frames (RFC 6455) of a server, without a buffer for each connection.
//!
//! The libraries keep one or two kilobytes or more for every connection that is open, written to or not. A server of
//! PeerJS has thousands that say a word every five seconds. So here a frame is read in place, in whatever buffer it came
//! with, and only a frame that has not arrived in full is kept. Nothing is negotiated: no extensions, no subprotocols.

use std::ops::ControlFlow;

/// The longest payload of a control frame (§5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// What a client has sent, as a whole.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text, or bytes that claim to be none.
    Data(&'a [u8]),
    /// To be answered with the same bytes.
    Ping(&'a [u8]),
    /// The answer to a ping, or just a sign of life.
    Pong,
    /// The end, and the code that was given for it.
    Close(Option<u16>),
}

/// What a client did that ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not keep to the protocol.
    Protocol(&'static str),
    /// Its message is larger than allowed.
    TooLarge,
}

impl Fault {
    /// The close code (§7.4.1) and a reason for people.
    #[must_use]
    pub fn close(self) -> Close {
        match self {
            Self::Protocol(reason) => Close { code: 1002, reason },
            Self::TooLarge => {
                Close { code: 1009, reason: "That message is larger than this server takes" }
            }
        }
    }
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The code (§7.4.1).
    pub code: u16,
    /// For people; at most 123 bytes.
    pub reason: &'static str,
}

/// Puts the messages of one client together.
#[derive(Debug, Default)]
pub struct Reader {
    /// The beginning of a frame.
    partial: Vec<u8>,
    /// The beginning of a message that comes in several frames; `Some` while one does.
    message: Option<Vec<u8>>,
}

impl Reader {
    /// Reads what has come, which is changed in place, and hands every message that is complete to `hear`, until that
    /// breaks off.
    ///
    /// # Errors
    ///
    /// When the client does not keep to the protocol, or a message is longer than `bytes_max`. Nothing more can be read.
    pub fn read(
        &mut self,
        bytes_max: usize,
        come: &mut [u8],
        mut hear: impl FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Fault> {
        if self.partial.is_empty() {
            let (used, flow) = self.read_frames(bytes_max, come, &mut hear)?;
            // What is kept is as long as it must be, for there may be thousands.
            self.partial = come[used..].to_vec();
            return Ok(flow);
        }
        let mut partial = std::mem::take(&mut self.partial);
        partial.extend_from_slice(come);
        let (used, flow) = self.read_frames(bytes_max, &mut partial, &mut hear)?;
        if used == partial.len() {
            return Ok(flow);
        }
        partial.drain(..used);
        self.partial = partial;
        Ok(flow)
    }

    /// Whether a message has begun and is not complete.
    #[must_use]
    pub fn is_within_a_message(&self) -> bool {
        !self.partial.is_empty() || self.message.is_some()
    }

    fn read_frames(
        &mut self,
        bytes_max: usize,
        bytes: &mut [u8],
        hear: &mut impl FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Result<(usize, ControlFlow<()>), Fault> {
        let mut used = 0;
        while let Some(head) = Head::read(&bytes[used..])? {
            let before = self.message.as_ref().map_or(0, Vec::len);
            if head.length > bytes_max || (!head.is_control() && before + head.length > bytes_max) {
                return Err(Fault::TooLarge);
            }
            let from = used + head.size;
            let Some(payload) = bytes.get_mut(from..from + head.length) else { break };
            unmask(payload, head.mask);
            used = from + head.length;
            if self.on_frame(&head, payload, hear)?.is_break() {
                return Ok((used, ControlFlow::Break(())));
            }
        }
        Ok((used, ControlFlow::Continue(())))
    }

    fn on_frame(
        &mut self,
        head: &Head,
        payload: &[u8],
        hear: &mut impl FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Fault> {
        Ok(match (head.opcode, self.message.as_mut()) {
            (8, _) => {
                if payload.len() == 1 {
                    return Err(Fault::Protocol("A close code has two bytes"));
                }
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                hear(Message::Close(code))
            }
            (9, _) => hear(Message::Ping(payload)),
            (10, _) => hear(Message::Pong),
            (0, Some(message)) => {
                message.extend_from_slice(payload);
                if !head.is_last {
                    return Ok(ControlFlow::Continue(()));
                }
                let message = self.message.take().unwrap_or_default();
                hear(Message::Data(&message))
            }
            (1 | 2, None) if head.is_last => hear(Message::Data(payload)),
            (1 | 2, None) => {
                self.message = Some(payload.to_vec());
                ControlFlow::Continue(())
            }
            (0, None) => return Err(Fault::Protocol("A message goes on that has not begun")),
            (1 | 2, Some(_)) => return Err(Fault::Protocol("A message begins within another")),
            (_, _) => return Err(Fault::Protocol("There is no such kind of frame")),
        })
    }
}

/// The beginning of a frame (§5.2).
struct Head {
    is_last: bool,
    opcode: u8,
    mask: [u8; 4],
    length: usize,
    /// How many bytes it takes itself.
    size: usize,
}

impl Head {
    /// `None` when it has not arrived in full.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Fault> {
        let Some([first, second]) = bytes.first_chunk() else { return Ok(None) };
        let (is_last, opcode) = (first & 0x80 != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err(Fault::Protocol("No extension was agreed on"));
        }
        if second & 0x80 == 0 {
            return Err(Fault::Protocol("Frames of a client are masked"));
        }
        let short = usize::from(second & 0x7f);
        if opcode >= 8 && (!is_last || short > CONTROL_BYTES_MAX) {
            return Err(Fault::Protocol("A control frame is short and in one piece"));
        }
        let rest = &bytes[2..];
        let (length, extra) = match short {
            126 => (rest.first_chunk().map(|length| u64::from(u16::from_be_bytes(*length))), 2),
            127 => (rest.first_chunk().map(|length| u64::from_be_bytes(*length)), 8),
            short => (Some(short as u64), 0),
        };
        let (Some(length), Some(mask)) = (length, rest.get(extra..).and_then(<[u8]>::first_chunk))
        else {
            return Ok(None);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Some(Self { is_last, opcode, mask: *mask, length, size: 2 + extra + 4 }))
    }

    fn is_control(&self) -> bool {
        self.opcode >= 8
    }
}

/// Takes the mask off, eight bytes at a time (§5.3).
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, tail) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in tail.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    if let Some(rest) = tail.get_mut(4..) {
        for (byte, mask) in rest.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}

/// Appends a text frame to `out`, whose payload is what `write` appends.
pub fn write_text(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    write_frame(out, 1, write);
}

/// Appends a ping.
pub fn write_ping(out: &mut Vec<u8>) {
    write_frame(out, 9, |_| {});
}

/// Appends the answer to a ping.
pub fn write_pong(out: &mut Vec<u8>, payload: &[u8]) {
    write_frame(out, 10, |out| out.extend_from_slice(payload));
}

/// Appends the end; without a reason, the code alone is told back.
pub fn write_close(out: &mut Vec<u8>, close: Option<Close>) {
    write_frame(out, 8, |out| {
        if let Some(Close { code, reason }) = close {
            out.extend_from_slice(&code.to_be_bytes());
            out.extend_from_slice(reason.as_bytes());
        }
    });
}

fn write_frame(out: &mut Vec<u8>, opcode: u8, write: impl FnOnce(&mut Vec<u8>)) {
    // The length stands in front and is known at the end; most messages need two bytes for it.
    let from = out.len();
    out.extend_from_slice(&[0x80 | opcode, 126, 0, 0]);
    write(out);
    let length = out.len() - from - 4;
    if let (Ok(short @ 0..=125), head) = (u8::try_from(length), &mut out[from..]) {
        head[1] = short;
        head.copy_within(4.., 2);
        out.truncate(from + 2 + length);
    } else if let Ok(length) = u16::try_from(length) {
        out[from + 2..from + 4].copy_from_slice(&length.to_be_bytes());
    } else {
        let long = (length as u64).to_be_bytes();
        out[from + 1] = 127;
        out[from + 2..from + 4].copy_from_slice(&long[..2]);
        out.splice(from + 4..from + 4, long[2..].iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_however_it_is_cut() {
        for length in [0, 1, 7, 8, 9, 125, 126, 300, 65_535, 65_536, 70_000] {
            let payload: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let frame = masked(0x81, &payload);
            for cut in [1, 2, 5, 13, 100, frame.len()] {
                let mut reader = Reader::default();
                let mut heard = Vec::new();
                for piece in frame.chunks(cut) {
                    let flow = reader.read(100_000, &mut piece.to_vec(), |message| {
                        heard.push(format!("{message:?}"));
                        ControlFlow::Continue(())
                    });
                    assert_eq!(flow, Ok(ControlFlow::Continue(())));
                }

                assert_eq!(heard, [format!("{:?}", Message::Data(&payload))], "{length} by {cut}");
                assert!(!reader.is_within_a_message());
                if length > 66_000 {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_ping_may_come_within_a_message() {
        let frames = [masked(0x01, b"he"), masked(0x89, b"?"), masked(0x80, b"llo")].concat();

        assert_eq!(read(&frames), Ok(vec![ping(b"?"), data(b"hello")]));
    }

    #[test]
    fn what_is_no_frame_of_a_client_says_why() {
        for (frame, fault) in [
            (vec![0x81, 0x01, b'a'], "Frames of a client are masked"),
            (masked(0xc1, b"a"), "No extension was agreed on"),
            (masked(0x83, b"a"), "There is no such kind of frame"),
            (masked(0x80, b"a"), "A message goes on that has not begun"),
            (masked(0x09, b"a"), "A control frame is short and in one piece"),
            (masked(0x89, &[0; 126]), "A control frame is short and in one piece"),
            (masked(0x88, b"a"), "A close code has two bytes"),
            ([masked(0x01, b"a"), masked(0x01, b"b")].concat(), "A message begins within another"),
        ] {
            assert_eq!(read(&frame), Err(Fault::Protocol(fault)), "{frame:?}");
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_refused_by_its_head() {
        let mut head = masked(0x81, &[b'a'; 1_001]);
        head.truncate(8);
        assert_eq!(read(&head), Err(Fault::TooLarge));

        let pieces = [masked(0x01, &[b'a'; 600]), masked(0x80, &[b'a'; 600])].concat();
        assert_eq!(read(&pieces), Err(Fault::TooLarge));

        let absurd = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        assert_eq!(read(&absurd), Err(Fault::TooLarge));
    }

    #[test]
    fn a_frame_is_written_with_the_shortest_length() {
        for (length, head) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = b"before".to_vec();
            write_text(&mut out, |out| out.extend(std::iter::repeat_n(b'x', length)));

            assert_eq!(out[6..6 + head.len()], head, "{length}");
            assert_eq!(out.len(), 6 + head.len() + length);
            assert!(out[6 + head.len()..].iter().all(|b| *b == b'x'));
        }
    }

    #[test]
    fn whatever_comes_nothing_breaks() {
        let mut dice = wire::Dice::new(wire::Seed::story(3));
        for _ in 0..3_000 {
            let mut reader = Reader::default();
            for _ in 0..dice.below(5) {
                let mut bytes: Vec<u8> =
                    (0..dice.below(40)).map(|_| dice.below(256) as u8).collect();
                if reader.read(1_000, &mut bytes, |_| ControlFlow::Continue(())).is_err() {
                    break;
                }
                assert!(reader.partial.len() <= 1_014);
            }
        }
    }

    fn data(bytes: &[u8]) -> String {
        format!("{:?}", Message::Data(bytes))
    }

    fn ping(bytes: &[u8]) -> String {
        format!("{:?}", Message::Ping(bytes))
    }

    fn read(bytes: &[u8]) -> Result<Vec<String>, Fault> {
        let mut heard = Vec::new();
        let flow = Reader::default().read(1_000, &mut bytes.to_vec(), |message| {
            heard.push(format!("{message:?}"));
            ControlFlow::Continue(())
        })?;
        assert!(flow.is_continue());
        Ok(heard)
    }

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        write_text(&mut frame, |out| out.extend_from_slice(payload));
        let head = frame.len() - payload.len();
        frame[0] = first;
        frame[1] |= 0x80;
        let mask = [0x11, 0x80, 0xff, 0x07];
        let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        frame.truncate(head);
        frame.extend_from_slice(&mask);
        frame.extend(masked);
        frame
    }
}
