//! All that ever happened, in one number: two stories with the same number are the same, on whatever machine.

use wire::{LinkId, NodeId, Time};

use super::{Act, What};

/// A number that everything goes into, in its order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace(u64);

impl Trace {
    pub(crate) fn value(self) -> u64 {
        self.0
    }

    /// One thing happens.
    pub(crate) fn add(&mut self, now: Time, what: &What) {
        self.number(u64::try_from(now.since_origin().as_nanos()).unwrap_or(u64::MAX));
        match what {
            What::Act(act) => self.act(act),
            What::Wakes(who) => self.numbers([1, *who as u64]),
            What::Arrives { wire, end, frame } => {
                self.numbers([2, *wire, *end as u64]);
                self.bytes(frame);
            }
            What::Described { who, link: LinkId(link), description } => {
                self.numbers([3, *who as u64, *link]);
                self.bytes(description.as_bytes());
            }
            What::Flushed { who, link: LinkId(link) } => self.numbers([4, *who as u64, *link]),
            What::Opens([(one, LinkId(ours)), (other, LinkId(theirs))]) => {
                self.numbers([5, *one as u64, *ours, *other as u64, *theirs]);
            }
            What::Reunites(who, NodeId(node)) => self.numbers([6, *who as u64, *node]),
            What::Audit(path) => {
                self.number(7);
                self.bytes(path.as_str().as_bytes());
            }
            What::Haunts(who) => self.numbers([10, *who as u64]),
            What::Closes { wire, end } => self.numbers([8, *wire, *end as u64]),
        }
    }

    /// Acts are few and told in words.
    fn act(&mut self, act: &Act) {
        self.number(9);
        self.bytes(format!("{act:?}").as_bytes());
    }

    fn numbers<const N: usize>(&mut self, numbers: [u64; N]) {
        numbers.into_iter().for_each(|number| self.number(number));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.number(u64::from_le_bytes(word));
        }
    }

    /// A multiplication spreads each bit to those above it, the rotation brings it down again.
    fn number(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn trace(things: &[(u64, What)]) -> u64 {
        let mut trace = Trace::default();
        for (millis, what) in things {
            trace.add(Time::at(Duration::from_millis(*millis)), what);
        }
        trace.value()
    }

    #[test]
    fn another_bit_another_moment_or_another_order_is_another_trace() {
        let frame = |byte| What::Arrives { wire: 1, end: 0, frame: vec![7, byte] };
        let story = [(1, frame(0)), (2, What::Wakes(3)), (2, frame(1))];

        assert_eq!(trace(&story), trace(&story.clone()));
        for other in [
            [(1, frame(2)), (2, What::Wakes(3)), (2, frame(1))],
            [(1, frame(0)), (3, What::Wakes(3)), (3, frame(1))],
            [(1, frame(0)), (2, frame(1)), (2, What::Wakes(3))],
            [(1, frame(0)), (2, What::Wakes(4)), (2, frame(1))],
            [(1, frame(0)), (2, What::Act(Act::Heal)), (2, frame(1))],
        ] {
            assert_ne!(trace(&story), trace(&other), "{other:?}");
        }
    }
}
