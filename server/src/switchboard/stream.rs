//! The line of a PeerJS client without WebSocket: an answer of HTTP that another task writes, at its own pace.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::rate::Bucket;

/// Messages that wait for one stream; a client that leaves so many is cut off. Guess: ten offers with their candidates.
const WORDS_MAX: usize = 256;

/// How much waits for a stream, counted at both ends.
#[derive(Debug, Default)]
struct Flow {
    bytes: AtomicUsize,
    /// How many words have gone.
    passed: AtomicUsize,
    /// Whether the broker keeps what is for it.
    stalled: AtomicBool,
}

/// Where words for a stream go in.
pub(super) struct StreamLine {
    words: mpsc::Sender<Vec<u8>>,
    flow: Arc<Flow>,
    /// Whether the broker keeps what is for it.
    pub(super) stalled: Cell<bool>,
    /// How many words had gone, and since when.
    seen: Cell<(usize, Instant)>,
    /// What its client may say yet.
    pub(super) bucket: Cell<Bucket>,
}

/// Where they come out.
pub(crate) struct Words {
    words: mpsc::Receiver<Vec<u8>>,
    flow: Arc<Flow>,
}

/// A word does not fit any more: its client does not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// Both ends of a stream.
pub(super) fn stream(bucket: Bucket, now: Instant) -> (StreamLine, Words) {
    let (into, out) = mpsc::channel(WORDS_MAX);
    let flow = Arc::new(Flow::default());
    let (stalled, seen, bucket) = (Cell::new(false), Cell::new((0, now)), Cell::new(bucket));
    let line = StreamLine { words: into, flow: flow.clone(), stalled, seen, bucket };
    (line, Words { words: out, flow })
}

impl StreamLine {
    /// Queues a word. Whether from now on the broker must keep what is for this client, because more than `bytes_max`
    /// wait, or half of all words that may.
    pub(super) fn say(&self, word: Vec<u8>, bytes_max: usize) -> Result<bool, Full> {
        // Before it can come out.
        let bytes = self.flow.bytes.fetch_add(word.len(), Ordering::SeqCst) + word.len();
        self.words.try_send(word).map_err(|_| Full)?;
        let is_much = bytes > bytes_max || self.words.capacity() < WORDS_MAX / 2;
        if !is_much || self.stalled.get() {
            return Ok(false);
        }
        self.flow.stalled.store(true, Ordering::SeqCst);
        // All may have come out just now, and nobody would say that it flows.
        let is_out = self.flow.bytes.load(Ordering::SeqCst) == 0;
        if is_out && self.flow.stalled.swap(false, Ordering::SeqCst) {
            return Ok(false);
        }
        self.stalled.set(true);
        Ok(true)
    }

    /// Whether something waits, and nothing has gone for longer than `patience`. To be asked again and again.
    pub(super) fn is_stuck(&self, patience: Duration, now: Instant) -> bool {
        let passed = self.flow.passed.load(Ordering::SeqCst);
        let (before, since) = self.seen.get();
        if passed != before || self.flow.bytes.load(Ordering::SeqCst) == 0 {
            self.seen.set((passed, now));
            return false;
        }
        now - since > patience
    }
}

impl Words {
    /// The next word; `None` at the end.
    pub(crate) fn poll(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Vec<u8>>> {
        self.words.poll_recv(cx)
    }

    /// A word of that many bytes is on its way. Whether the broker is to be told that it flows again.
    pub(crate) fn pass(&self, bytes: usize) -> bool {
        self.flow.passed.fetch_add(1, Ordering::SeqCst);
        let before = self.flow.bytes.fetch_sub(bytes, Ordering::SeqCst);
        before == bytes && self.flow.stalled.swap(false, Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::rate::Rate;

    #[test]
    fn a_stream_with_much_to_read_is_stalled_until_it_has_read_all() {
        let now = Instant::now();
        let (line, mut words) = stream(Rate::default().bucket(now), now);

        assert_eq!(line.say(vec![0; 60], 100), Ok(false));
        assert_eq!(line.say(vec![0; 60], 100), Ok(true));
        assert_eq!(line.say(vec![0; 60], 100), Ok(false), "that is known");

        let mut flows = Vec::new();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(word)) = words.poll(&mut cx) {
            flows.push(words.pass(word.len()));
        }
        assert_eq!(flows, [false, false, true]);
    }

    #[test]
    fn a_stream_is_stuck_when_something_waits_and_nothing_goes() {
        let (now, patience) = (Instant::now(), Duration::from_secs(10));
        let (line, mut words) = stream(Rate::default().bucket(now), now);
        let later = |seconds| now + Duration::from_secs(seconds);
        let stuck = |at| line.is_stuck(patience, later(at));

        assert!(!stuck(60), "nothing waits");
        line.say(vec![0; 60], 100).unwrap();
        line.say(vec![0; 60], 100).unwrap();
        assert!(!stuck(61));
        assert!(stuck(71));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(matches!(words.poll(&mut cx), Poll::Ready(Some(_))));
        words.pass(60);
        assert!(!stuck(72), "one has gone");
        assert!(stuck(83));
    }

    #[test]
    fn small_words_are_counted_and_too_many_do_not_fit() {
        let now = Instant::now();
        let (line, _words) = stream(Rate::default().bucket(now), now);

        let stalled: Vec<_> = (0..=WORDS_MAX).map(|_| line.say(vec![0], 1_000_000)).collect();

        assert_eq!(stalled.iter().position(|stalled| *stalled == Ok(true)), Some(WORDS_MAX / 2));
        assert_eq!(stalled.last(), Some(&Err(Full)));
    }
}
