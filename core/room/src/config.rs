//! The bounds of a room.

use std::time::Duration;

/// The bounds of a room.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The bounds of the network and the tree below.
    pub node: node::Config,
    /// Of people, and of what they write.
    pub talk: Talk,
    /// Of what they show and say.
    pub flows: Flows,
}

/// The bounds of people, and of what they write.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// The most participants that are shown. Guess: far above what media connections allow.
    pub people_max: usize,
    /// The longest name, in characters. Guess: the longest mail address is 254 bytes.
    pub name_chars_max: usize,
    /// The longest message, in characters. Guess: a page of text.
    pub text_chars_max: usize,
    /// How many lines of the conversation are kept on screen; over it the oldest go. Guess.
    pub lines_max: usize,
    /// How often typing is told at most. Guess: well below `typing_lasts`.
    pub typing_every: Duration,
    /// How long somebody counts as typing after they said so. Guess: a pause for thought.
    pub typing_lasts: Duration,
}

/// The bounds of media connections.
#[derive(Clone, Copy, Debug)]
pub struct Flows {
    /// The most at one time. Twice the pairs of eight participants, for cameras and screens.
    pub pairs_max: usize,
    /// The most candidates that wait for a description. Guess: measured 4 to 12 on a laptop.
    pub candidates_max: usize,
    /// The longest candidate, in bytes. Measured: 250.
    pub candidate_bytes_max: usize,
    /// The longest description, in bytes. Measured: 6 KB for sound and picture.
    pub description_bytes_max: usize,
    /// How long a subscriber waits for media the first time; it doubles with each failure, four times. Guess.
    pub open: Duration,
    /// How long a silent media connection may take to come back by itself. Browsers give up after ten more seconds.
    pub stall: Duration,
    /// How long media is kept that flows while its participant is out of reach. Ours: a Wi-Fi change takes 3 to 10 s.
    pub grace: Duration,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            people_max: 64,
            name_chars_max: 254,
            text_chars_max: 4_000,
            lines_max: 500,
            typing_every: Duration::from_secs(2),
            typing_lasts: Duration::from_secs(5),
        }
    }
}

impl Default for Flows {
    fn default() -> Self {
        Self {
            pairs_max: 28,
            candidates_max: 64,
            candidate_bytes_max: 2 * 1024,
            description_bytes_max: 32 * 1024,
            open: Duration::from_secs(8),
            stall: Duration::from_secs(5),
            grace: Duration::from_secs(15),
        }
    }
}
