//! What waits for a link that takes it slowly: bounded, and fair to every author.
//!
//! ```text
//!   a frame ──▶ less than the window sent since the link was last flushed ──▶ Send
//!           └─▶ else it waits in the lane of its author ──▶ Flush … Flushed ──▶ lanes in turn, a quantum each
//! ```
//!
//! Past the bound the longest lane loses its newest, so one loud author silences nobody else. What is lost here is
//! found when digests are compared, or asked for again. What is told to the neighbour alone is never lost, since a part of
//! it would be of no use: whoever tells it asks [`Mesh::busy`] first. Source: deficit round robin, Shreedhar and Varghese, 1995.

use std::collections::VecDeque;

use wire::{LinkId, NodeId, Time};

use crate::frame::{Frame, Piece};
use crate::{Config, Mesh, Output};

/// How many bytes a lane may send before the next has its turn: a few lines, or a part of something long.
const QUANTUM: usize = 4 * 1024;

/// What was sent and not taken yet, and what waits for that.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Bytes sent since everything was last known to be taken.
    sent: usize,
    /// Since when we have been waiting for [`Input::Flushed`](crate::Input::Flushed).
    flushing: Option<Time>,
    /// What waits, lane by lane; the first has its turn.
    lanes: VecDeque<Lane>,
    /// Bytes of lanes that may lose some.
    bytes: usize,
    /// How many messages went in pieces, modulo 256.
    cut: u8,
}

#[derive(Debug)]
struct Lane {
    whose: Whose,
    /// How many bytes it may still send in this turn.
    deficit: usize,
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
}

/// On whose behalf a frame is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Of this author, by whatever way it came.
    Author(NodeId),
    /// Ours, for this neighbour alone.
    Told,
}

impl Queue {
    fn is_free(&self, config: &Config) -> bool {
        self.sent < config.window_bytes
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// When the link has been stalled for too long.
    pub(crate) fn stalled_at(&self, config: &Config) -> Option<Time> {
        self.flushing.map(|since| since + config.stalled)
    }

    /// Lets a frame wait, and drops what is too much.
    fn push(&mut self, config: &Config, whose: Whose, frame: Vec<u8>) {
        if whose != Whose::Told {
            self.bytes += frame.len();
        }
        let lane = match self.lanes.iter().position(|lane| lane.whose == whose) {
            Some(at) => &mut self.lanes[at],
            None => {
                let (frames, bytes) = (VecDeque::new(), 0);
                self.lanes.push_back(Lane { whose, deficit: 0, frames, bytes });
                self.lanes.back_mut().expect("it has just been put there")
            }
        };
        lane.bytes += frame.len();
        lane.frames.push_back(frame);
        while self.bytes > config.queue_bytes_max {
            let lossy = self.lanes.iter_mut().filter(|lane| lane.whose != Whose::Told);
            let longest = lossy.max_by_key(|lane| lane.bytes);
            let Some(lane) = longest else { return };
            let Some(dropped) = lane.frames.pop_back() else { return };
            lane.bytes -= dropped.len();
            self.bytes -= dropped.len();
            self.lanes.retain(|lane| !lane.frames.is_empty());
        }
    }

    /// What goes next, when anything does.
    fn pop(&mut self) -> Option<Vec<u8>> {
        loop {
            let lane = self.lanes.front_mut()?;
            let next = lane.frames.front().map_or(0, Vec::len);
            if next > lane.deficit {
                lane.deficit += QUANTUM;
                self.lanes.rotate_left(1);
                continue;
            }
            lane.deficit -= next;
            lane.bytes -= next;
            if lane.whose != Whose::Told {
                self.bytes -= next;
            }
            let frame = lane.frames.pop_front();
            if lane.frames.is_empty() {
                self.lanes.pop_front();
            }
            return frame;
        }
    }
}

impl Mesh {
    /// The neighbours to whom something that was told to them alone has not gone out yet. To tell them more then is to
    /// let memory grow.
    pub fn busy(&self) -> impl Iterator<Item = NodeId> {
        let is_busy = |queue: &Queue| queue.lanes.iter().any(|lane| lane.whose == Whose::Told);
        self.links.values().filter(move |link| is_busy(&link.queue)).map(|link| link.peer)
    }

    /// Sends an encoded frame, or lets it wait for its turn.
    pub(crate) fn send_bytes(&mut self, now: Time, id: LinkId, whose: Whose, frame: Vec<u8>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.queue.is_waiting() || !link.queue.is_free(&self.config) {
            link.queue.push(&self.config, whose, frame);
            return;
        }
        self.put_out(now, id, frame);
    }

    /// All that was sent over the link has been taken: what waited goes on.
    pub(crate) fn on_flushed(&mut self, now: Time, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.queue.sent = 0;
        link.queue.flushing = None;
        while let Some(link) = self.links.get_mut(&id)
            && link.queue.is_free(&self.config)
            && let Some(frame) = link.queue.pop()
        {
            self.put_out(now, id, frame);
        }
    }

    fn put_out(&mut self, now: Time, id: LinkId, frame: Vec<u8>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.sent = now;
        link.queue.sent += frame.len();
        let is_full = !link.queue.is_free(&self.config) && link.queue.flushing.is_none();
        if is_full {
            link.queue.flushing = Some(now);
        }
        if frame.len() <= self.config.frame_bytes_max {
            self.outputs.push_back(Output::Send { link: id, frame });
        } else {
            link.queue.cut = link.queue.cut.wrapping_add(1);
            let of = link.queue.cut;
            // A piece wraps its bytes in a tag, its place, a flag and a length.
            let mut pieces = (0..).zip(frame.chunks(self.config.frame_bytes_max - 8)).peekable();
            while let Some((at, bytes)) = pieces.next() {
                let (more, bytes) = (pieces.peek().is_some(), bytes.to_vec());
                let piece = Frame::Piece(Piece { of, at, more, bytes });
                self.outputs.push_back(Output::Send { link: id, frame: piece.encode() });
            }
        }
        if is_full {
            self.outputs.push_back(Output::Flush { link: id });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(queue: &mut Queue) -> Vec<u8> {
        std::iter::from_fn(|| queue.pop()).map(|frame| frame[0]).collect()
    }

    #[test]
    fn a_loud_author_leaves_room_for_a_quiet_one() {
        let (mut queue, config) = (Queue::default(), Config::default());
        for _ in 0..40 {
            queue.push(&config, Whose::Author(NodeId(1)), vec![1; 4_000]);
        }
        queue.push(&config, Whose::Author(NodeId(2)), vec![2; 100]);

        let order = frames(&mut queue);

        let quiet = order.iter().position(|author| *author == 2);
        assert!(quiet.is_some_and(|at| at <= 2), "{order:?}");
        assert_eq!((order.len(), queue.bytes), (41, 0));
    }

    #[test]
    fn too_much_costs_the_loudest_its_newest() {
        let (mut queue, config) = (Queue::default(), Config::default());
        queue.push(&config, Whose::Author(NodeId(2)), vec![2; 100]);
        for nth in 0..100 {
            queue.push(&config, Whose::Author(NodeId(1)), vec![nth; 4_000]);
        }

        assert!(queue.bytes <= config.queue_bytes_max && queue.bytes > config.queue_bytes_max / 2);
        let order = frames(&mut queue);
        assert_eq!(order.iter().filter(|nth| **nth == 2).count(), 2);
        assert!(order.iter().filter(|nth| **nth != 2).is_sorted(), "{order:?}");
    }

    #[test]
    fn what_is_told_is_never_lost() {
        let (mut queue, config) = (Queue::default(), Config::default());
        for nth in 0..100 {
            queue.push(&config, Whose::Told, vec![nth; 4_000]);
            queue.push(&config, Whose::Author(NodeId(1)), vec![200; 4_000]);
        }

        let told: Vec<u8> = frames(&mut queue).into_iter().filter(|nth| *nth < 200).collect();

        assert_eq!(told, (0..100).collect::<Vec<u8>>());
    }
}
