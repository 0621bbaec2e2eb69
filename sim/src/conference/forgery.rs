//! Frames taken apart and put together again, as somebody does who plays false. The bytes are those of
//! `docs/protocol.md`.

use wire::NodeId;

/// The first byte of a cast.
const CAST: u8 = 1;

/// The first byte of a message to one.
const UNICAST: u8 = 2;

/// The first byte of what is told to a neighbour.
const TELL: u8 = 3;

/// A message to all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cast {
    pub(crate) author: NodeId,
    pub(crate) seq: u64,
    /// The hash of a map and how many hops are left.
    way: [u8; 5],
    pub(crate) payload: Vec<u8>,
}

impl Cast {
    /// Reads one.
    pub(crate) fn read(frame: &[u8]) -> Option<Self> {
        let (author, rest) = frame.strip_prefix(&[CAST])?.split_first_chunk()?;
        let (seq, rest) = number(rest)?;
        let (way, rest) = rest.split_first_chunk()?;
        let (length, payload) = number(rest)?;
        let author = NodeId(u64::from_le_bytes(*author));
        let payload = payload.to_vec();
        (length == payload.len() as u64).then_some(Self { author, seq, way: *way, payload })
    }

    /// The frame.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut frame = vec![CAST];
        frame.extend(self.author.0.to_le_bytes());
        put_number(&mut frame, self.seq);
        frame.extend(self.way);
        put_number(&mut frame, self.payload.len() as u64);
        frame.extend(&self.payload);
        frame
    }
}

/// To whom a message is that is on its way, and a receipt for it in the name of that one, which shows what it guesses to
/// be in it; `None` for any other frame.
pub(crate) fn receipt(frame: &[u8], guess: [u8; 8]) -> Option<(NodeId, Vec<u8>)> {
    let (from, rest) = frame.strip_prefix(&[UNICAST])?.split_first_chunk::<8>()?;
    let (to, rest) = rest.split_first_chunk::<8>()?;
    let (id, rest) = number(rest)?;
    let ([_, at], rest) = rest.split_first_chunk()?;
    let (_, rest) = number(rest)?;
    let at = usize::from(*at);
    let visited = rest.get(..3 * at)?.chunks(3).rev().map(<[u8]>::to_vec);
    let x = u64::from_le_bytes(*from);
    let home = (x ^ x >> 24 ^ x >> 48).to_le_bytes()[..3].to_vec();
    let route: Vec<Vec<u8>> = visited.chain([home]).collect();
    let mut answer = vec![UNICAST];
    answer.extend(to.iter().chain(from));
    put_number(&mut answer, id);
    answer.extend([0, 0]);
    put_number(&mut answer, route.len() as u64);
    answer.extend(route.concat());
    answer.push(2);
    answer.extend(guess);
    Some((NodeId(u64::from_le_bytes(*to)), answer))
}

/// The frame that tells a neighbour `change(said)` where this one says something of the tree; `None` for any other, or
/// when there is nothing to change.
pub(crate) fn retold(
    frame: &[u8],
    change: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let (_, words) = number(frame.strip_prefix(&[TELL])?)?;
    let (_, said) = number(words.strip_prefix(&[0])?)?;
    let said = change(said)?;
    let mut words = vec![0];
    put_number(&mut words, said.len() as u64);
    words.extend(said);
    let mut frame = vec![TELL];
    put_number(&mut frame, words.len() as u64);
    frame.extend(words);
    Some(frame)
}

/// A number in base 128, the low digits first.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().take(10).position(|byte| *byte < 0x80)? + 1;
    let digits = bytes[..length].iter().rev();
    let number = digits.fold(0_u64, |number, digit| number << 7 | u64::from(digit & 0x7f));
    Some((number, &bytes[length..]))
}

fn put_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cast_is_put_together_as_it_was_taken_apart_and_is_one_for_the_mesh() {
        let mut frame = vec![CAST, 7, 0, 0, 0, 0, 0, 0, 0, 0xac, 2, 1, 2, 3, 4, 64, 2, 8, 9];
        let mut cast = Cast::read(&frame).expect("it is one");

        assert_eq!((cast.author, cast.seq, cast.payload.as_slice()), (NodeId(7), 300, &[8, 9][..]));
        assert_eq!(cast.write(), frame);
        cast.seq = 1 << 60;
        let seen = mesh::glance(&cast.write());
        assert_eq!(seen, mesh::Glance::Cast { author: NodeId(7), seq: 1 << 60, hops: 1 });
        frame.pop();
        assert_eq!(Cast::read(&frame), None);
    }

    #[test]
    fn a_receipt_goes_back_the_way_that_the_message_came() {
        let name = |name: u8| [name, 0, 0, 0, 0, 0, 0, 0];
        let frame = |from, to, way: &[u8], body: &[u8]| {
            [&[UNICAST], &name(from)[..], &name(to), &[5], way, body].concat()
        };
        // From 1 by way of 7, 8 and 9 to 4, and now at 8.
        let said = frame(1, 4, &[0, 1, 4, 7, 0, 0, 8, 0, 0, 9, 0, 0, 4, 0, 0], &[0, 1, 9]);
        let answer = frame(4, 1, &[0, 0, 2, 7, 0, 0, 1, 0, 0], &[2, 6, 6, 6, 6, 6, 6, 6, 6]);

        assert_eq!(receipt(&said, [6; 8]), Some((NodeId(4), answer.clone())));
        assert_eq!(mesh::reread(&answer), Some(answer));
        assert_eq!(receipt(&[TELL, 1, 0], [6; 8]), None);
    }

    #[test]
    fn what_is_told_of_the_tree_can_be_changed_and_nothing_else() {
        let frame = [TELL, 4, 0, 2, 5, 6];

        let turned = retold(&frame, |said| Some(said.iter().rev().copied().collect()));

        assert_eq!(turned, Some(vec![TELL, 4, 0, 2, 6, 5]));
        assert_eq!(retold(&[TELL, 2, 1, 0], |said| Some(said.to_vec())), None);
    }
}
