//! Every limit of the broker, with its unit and its source.

use std::time::Duration;

use crate::Showing;

/// How long things last and how much of them there may be.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long a device whose last socket closed still counts as reachable. Guess: a page reload, or a phone
    /// changing from Wi-Fi to mobile, takes under ten seconds.
    pub grace: Duration,
    /// How long a message waits for a device that blinked, at most. The reference gives a push 60 s.
    pub patience: Duration,
    /// Messages that wait for one device. Guess: a call needs fewer than ten.
    pub waiting_max: usize,
    /// Bytes that wait for one device. Guess: sixteen offers of the largest size.
    pub waiting_bytes_max: usize,
    /// Bytes that wait for all devices together. Guess: what a small machine can spare.
    pub waiting_bytes_max_total: usize,
    /// Sockets that may be open at once. Guess: at 3 KB each, 60 MB.
    pub sockets_max: usize,
    /// Sockets of one device: its call pages and wrappers. Guess.
    pub sockets_max_per_device: usize,
    /// Devices of one user that are reachable at once. Guess.
    pub devices_max_per_user: usize,
    /// How long a push can be acknowledged. A ring lasts 45 s; the rest is for slow phones.
    pub receipt: Duration,
    /// Pushes that can be acknowledged at once; the oldest gives way. Guess: 5,000 rings on three devices.
    pub receipts_max: usize,
    /// Messages that one device may send in a burst. Guess: inviting eight people with repeats.
    pub burst: u32,
    /// How often a device that used up its burst may send. Guess: a repeated ACCEPT every 2 s in several calls.
    pub pace: Duration,
    /// How long a page that is open may take to show an invite before its device is woken too, for pages freeze. Guess.
    pub wake: Duration,
    /// How long after a push service took an invite it is sent again, unless it was shown; twice that after the next.
    /// A ring lasts 45 s.
    pub rewake: Duration,
    /// How often a message is handed to a push service at most.
    pub wakes_tries_max: u32,
    /// Bytes of messages that wake somebody, with what it costs to keep them. Guess: what a small machine can spare.
    pub wakes_bytes_max: usize,
    /// How often one user may wake another in a burst, counted by messages. Guess: a person calls again ten times.
    pub wakes_burst: u32,
    /// How often after that. Guess: who does not answer for a minute will not.
    pub wakes_pace: Duration,
    /// How often all others together may wake one user in a burst. Guess: a busy support line.
    pub woken_burst: u32,
    /// How often after that. Guess: likewise.
    pub woken_pace: Duration,
    /// Invites of one user that ring on one sleeping device. Guess: a person calls again twice.
    pub rings_max: usize,
    /// Whether somebody may come by a name that is not known yet: a guest, or a user for whom others vouch.
    pub open: bool,
    /// Lines of PeerJS clients at once. Guess: at 3 KB each, 30 MB.
    pub lines_max: usize,
    /// How long a PeerJS client that went without a word keeps its place. Guess: as for a device.
    pub peer_grace: Duration,
    /// How long a PeerJS message waits for somebody who is not here. PeerServer's `expire_timeout`.
    pub letter: Duration,
    /// Messages that wait in one place. Guess: ten offers, each with its candidates.
    pub letters_max: usize,
    /// Bytes that wait in one place. Guess: a hundred offers.
    pub letters_bytes_max: usize,
    /// Bytes that wait on behalf of one sender. Guess: a mesh of thirty that starts all at once.
    pub letters_bytes_max_per_sender: usize,
    /// Bytes that wait in all places together. Guess: what a small machine can spare.
    pub letters_bytes_max_total: usize,
    /// Others whom a peer is known to talk with; the one longest unheard gives way. Guess: the largest mesh of browsers.
    pub partners_max: usize,
    /// Connections between a peer and one device of a user that are known as theirs; the oldest gives way. Guess: data
    /// and media, each made anew several times.
    pub connections_max: usize,
    /// How long an offer to a user goes to the device that the last one went to, because it belongs to the same call.
    /// Guess: a data connection beside a media call is opened within a second or two.
    pub dialog: Duration,
    /// How long an offer to several devices may be answered. Guess: nobody lets it ring for longer.
    pub fork: Duration,
    /// Such offers at once; the oldest gives way. Guess: 5,000 rings, and some.
    pub forks_max: usize,
    /// Messages that a device may send before its answer. PeerJS sends its candidates after it.
    pub early_max: usize,
    /// Who may know whether somebody is reachable.
    pub showing: Showing,
    /// Names that one socket may watch. Guess: a long list of contacts.
    pub watched_max_per_socket: usize,
    /// Names that all sockets may watch together. Guess: at 200 B each, 40 MB.
    pub watched_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(10),
            patience: Duration::from_secs(60),
            waiting_max: 64,
            waiting_bytes_max: 256 * 1024,
            waiting_bytes_max_total: 64 * 1024 * 1024,
            sockets_max: 20_000,
            sockets_max_per_device: 32,
            devices_max_per_user: 64,
            receipt: Duration::from_secs(90),
            receipts_max: 16_384,
            burst: 60,
            pace: Duration::from_millis(200),
            wake: Duration::from_secs(3),
            rewake: Duration::from_secs(8),
            wakes_tries_max: 3,
            wakes_bytes_max: 64 * 1024 * 1024,
            wakes_burst: 20,
            wakes_pace: Duration::from_secs(30),
            woken_burst: 100,
            woken_pace: Duration::from_secs(3),
            rings_max: 3,
            open: false,
            lines_max: 10_000,
            peer_grace: Duration::from_secs(10),
            letter: Duration::from_secs(5),
            letters_max: 256,
            letters_bytes_max: 512 * 1024,
            letters_bytes_max_per_sender: 1024 * 1024,
            letters_bytes_max_total: 64 * 1024 * 1024,
            partners_max: 64,
            connections_max: 8,
            dialog: Duration::from_secs(10),
            fork: Duration::from_secs(600),
            forks_max: 8_192,
            early_max: 32,
            showing: Showing::default(),
            watched_max_per_socket: 256,
            watched_max: 200_000,
        }
    }
}
