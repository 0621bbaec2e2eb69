//! The bounds of a tree, and the rules of who may write what.

use std::time::Duration;

use crate::Rules;

/// The bounds of a tree. All nodes of a conference must have the same rules and quotas.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who may write what where.
    pub rules: Rules,
    /// The longest value, in bytes of JSON. Guess: a session description and half.
    pub value_bytes_max: usize,
    /// The most live entries of one author. Guess: the chat lines of a long day.
    pub entries_max: usize,
    /// The most bytes of paths and values of one author.
    pub author_bytes_max: usize,
    /// The most authors ever seen in one conference, 16 bytes each once they are gone.
    pub authors_max: usize,
    /// How far the stamp of a write may be ahead of our clock. Guess: what a badly kept clock is off.
    pub ahead: Duration,
    /// How many broadcasts wait for others that are missing; of one author a quarter of that.
    pub early_max: usize,
    /// How many bytes of them.
    pub early_bytes_max: usize,
    /// How many writes of one author that are no longer live can be told one by one; who lacks older ones is told what
    /// is left instead. 16 bytes each. Guess: some minutes of a lively meeting.
    pub gone_max: usize,
    /// How many statements of one author are kept, to find out whether it contradicts itself. 140 bytes each.
    pub seals_max: usize,
    /// How many places can be watched.
    pub watches_max: usize,
    /// How long to wait for a write that others overtook, before asking a neighbour for it. Longer than a detour.
    pub patience: Duration,
    /// How long the ephemeral entries of somebody who is away are kept for a return.
    pub forget: Duration,
    /// How many bytes of a delta go into one message. Below the 64 KiB that every browser takes.
    pub delta_bytes_max: usize,
    /// How long not to ask one neighbour again because its digest differs.
    pub ask_again: Duration,
    /// For how long at most what a neighbour brings that was out of reach is handed on.
    pub bridged: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            value_bytes_max: 16 * 1024,
            entries_max: 2_000,
            author_bytes_max: 1 << 20,
            authors_max: 4_096,
            ahead: Duration::from_secs(60),
            early_max: 256,
            early_bytes_max: 256 * 1024,
            gone_max: 512,
            seals_max: 8,
            watches_max: 256,
            patience: Duration::from_millis(300),
            forget: Duration::from_secs(600),
            delta_bytes_max: 32 * 1024,
            ask_again: Duration::from_secs(2),
            bridged: Duration::from_secs(10),
        }
    }
}
