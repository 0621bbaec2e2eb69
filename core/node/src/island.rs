//! Being cut off: nobody can be dialled whom no message reaches, so the application is asked to bring links by another way.
//!
//! Whoever had a link to a lost node by such a way asks for it: its application knows where to look. Beyond that, those
//! who can still reach each other leave it to one of them, the lowest name, which asks for a few of those they miss at a
//! time, at random, since nobody can tell who crashed from who is only out of reach. The other side does the same; that
//! both act does no harm.
//!
//! Those who are gone are asked for, and whoever has lost all links asks at once: nothing can come by itself there.

use wire::{NodeId, Time};

use crate::{Event, Node};

/// How many times as often whoever had a link by another way asks for it. Guess: with the pauses that grow, for two hours.
const PATIENCE: u32 = 10;

/// Somebody who went without a word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missed {
    /// When to ask for it.
    next: Time,
    /// How often we have.
    asks: u32,
}

impl Node {
    /// `node` has gone without a word, or is out of reach together with everybody else.
    pub(crate) fn miss(&mut self, now: Time, node: NodeId) {
        self.missed.get_or_insert_with(node, || Missed { next: now, asks: 0 });
        // Others have missed it in the same moment. It does not wait for those whom we have missed for long.
        let jitter = self.dice.span(self.config.seek) / 3;
        let at = now + jitter;
        self.seek_at = Some(self.seek_at.map_or(at, |before| before.min(at)));
    }

    /// `node` is back, or has said that it leaves.
    pub(crate) fn miss_no_more(&mut self, node: NodeId) {
        self.missed.remove(&node);
    }

    /// Asks for a few of those we miss, a few others next time, and for each of them now and then while there is hope.
    pub(crate) fn seek(&mut self, now: Time) {
        if self.seek_at.is_none_or(|at| now < at) {
            return;
        }
        let asks_max = self.config.seek_asks_max.max(1);
        let is_ours = {
            let mut reached =
                self.attendance.present().iter().filter(|node| !self.attendance.is_lost(**node));
            reached.next() == Some(&self.me)
        };
        let due = self.missed.iter().filter(|(_, missed)| now >= missed.next);
        let due = due.map(|(node, _)| *node);
        let (mut asked, mut others): (Vec<NodeId>, Vec<NodeId>) =
            due.partition(|node| self.brought.contains(node));
        let known = asked.len();
        for _ in 0..self.config.seek_count.min(others.len()) {
            asked.push(others.swap_remove(self.dice.below(others.len() as u64) as usize));
        }
        for (at, from) in asked.into_iter().enumerate() {
            if let Some(missed) = self.missed.get_mut(&from) {
                missed.next = now + self.config.seek_again * (1 + missed.asks / asks_max);
                missed.asks += 1;
            }
            if is_ours || at < known {
                self.emit(Event::Parted { from });
            }
        }
        // A way that was there once may take hours to come back; it is asked for less and less.
        let long = asks_max.saturating_mul(PATIENCE);
        let brought = &self.brought;
        self.missed.retain(|node, missed| {
            missed.asks < if brought.contains(node) { long } else { asks_max }
        });
        let next = self.missed.values().map(|missed| missed.next).min();
        self.seek_at = next.map(|next| next.max(now + self.config.seek));
    }
}
