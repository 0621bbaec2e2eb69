//! The replicated tree of resources: everybody writes, everybody sees the same.
//!
//! Each node owns a map with a version that only it changes, so merging two copies of it needs no rule: the higher
//! number wins. What a reader sees at a path is worked out from the maps of all authors when it is read.
//!
//! ```text
//!   author 3f…   7: topic = {…}    9: messages/3f…-9 = {…}      at 9
//!   author a0…   4: topic = {…}                                 at 4      one map per author, in every node
//!   author c1…   2: topic ⌀ hide   6: users/c1… = {…} while c1… is present
//!                        │
//!                        ▼  the latest (stamp, author) of those that count
//!   view         topic, messages/3f…-9, users/c1…
//!
//!   write ──▶ Part, cast to all ──▶ applied in its turn, or kept until the gap before it is closed
//!   link  ──▶ Have, from both ──▶ Delta: a Part of each author of whom the other lacks something
//!   beat  ──▶ a digest of all versions; when it stays different, Have and Delta again
//!
//!   Part = from, upto, the writes since that are live, the numbers that no longer are, the author's proof
//! ```
//!
//! Deleting one's own entry drops it and leaves no tombstone; deleting what others wrote leaves one entry that hides
//! what is older. An ephemeral resource counts only while its author is present: it vanishes without a write and
//! comes back without one.
//! After [`Config::forget`] away, its ephemeral entries are dropped for good; should it return yet, it is asked for
//! whole.
//! Whoever lost its memory takes up from its neighbours what it wrote before and what outlives it.
//! A node whose own entry has been outranked takes it back, so that nothing lies hidden for ever.
//!
//! **Invariant:** equal digests mean equal maps; equal maps and equal presence mean equal views, order included.
//! **Invariant:** the number of an author never goes back, and each write is applied once.
//! **Invariant:** a stamp is never more than [`Config::ahead`] past our own clock. A node that joins takes over the
//! clock of those it joins, so that a wrong clock at home does no harm.
//! **Invariant:** handing on a delta hands on its deletions.
//! **Invariant:** what is refused has changed nothing: a part is taken in whole, after its author's quota, the
//! [`Rules`] and the [`Notary`] have let it.
//! **Invariant:** of an author who is proved to have stated two maps under one number, nothing counts, anywhere; nor
//! does anything of one who was put out, where that is known.
//!
//! **The notary.** The tree knows no keys. Whoever owns it gives it a [`Notary`], which is asked three things:
//!
//! * whether it [`knows`](Notary::knows) an author;
//! * to [`sign`](Notary::sign) a [`Claim`] of ours with each batch of writes that goes out;
//! * to [`check`](Notary::check) the [`Claim`] of an author, with its [`Proof`], before anything of what came is taken in.
//!
//! [`Claim::statement`] is worked out on demand, so that a notary that does not ask for it costs nothing. What is
//! signed is [`Statement::to_bytes`]: author, number, and a root over all entries that are live right after that
//! write. So the newest proof of an author vouches for its whole map, and whoever hands on a part of it can neither
//! alter nor leave out anything.
//! [`Tree::notary`] reaches it, for example to tell it of a new member; [`Input::Known`] then asks again for what a
//! stranger wrote.
//!
//! Limits: [`Config`], [`PATH_BYTES_MAX`], [`SEGMENTS_MAX`], [`SEGMENT_BYTES_MAX`]. A write past the quota of its
//! author is refused by everyone alike, since all know the state before it.
//!
//! Sources: hybrid clocks after Kulkarni et al., "Logical Physical Clocks", 2014; version vectors after Parker et
//! al., 1983.

mod api;
mod apply;
mod author;
mod away;
mod bytes;
mod check;
mod config;
#[cfg(test)]
mod court;
mod edit;
mod fork;
mod index;
mod json;
mod notary;
mod order;
mod path;
mod place;
mod read;
mod recall;
mod respell;
mod rules;
mod shelf;
mod stamp;
mod sync;
mod view;
mod watch;
mod words;
mod write;

use std::collections::VecDeque;

use wire::{Map, NodeId, Set, Time, Timestamp};

pub use api::{Command, Error, Event, Input, Misuse, Output};
pub use config::Config;
pub use notary::{Claim, Notary, Proof, Root, Statement, Unsigned};
pub use path::{PATH_BYTES_MAX, Path, SEGMENT_BYTES_MAX, SEGMENTS_MAX};
pub use respell::{leave_out, respell};
pub use rules::{Kind, LINKS, Row, Rules, Who, first_number, links_of};
pub use view::{Entry, Life, Listing, Order, Resource, Weight};

use author::Author;
use index::Index;
use place::{Key, Lists};
use shelf::Record;
use stamp::Clock;
use sync::{Early, Session};
use watch::Watches;
use words::Say;

/// One node's copy of the tree.
#[derive(Debug)]
pub struct Tree<N> {
    config: Config,
    me: NodeId,
    notary: N,
    /// The calendar at `Time::ZERO`, in milliseconds; may be before the epoch.
    calendar_at_zero: i128,
    clock: Clock,
    lists: Lists,
    authors: Map<NodeId, Box<Author>>,
    /// Who has a live write where.
    index: Index,
    watches: Watches,
    present: Set<NodeId>,
    /// Who was put out. What they wrote is kept and handed on like everything, so that digests agree, and seen by nobody.
    out: Set<NodeId>,
    digest: u32,
    sessions: Map<NodeId, Session>,
    /// Broadcasts that came before their turn.
    early: Vec<Early>,
    /// Whose parts were not looked at since nobody has vouched for them yet, and who told us one.
    strangers: Map<NodeId, NodeId>,
    /// When to ask for writes that are missing, while any are.
    ask_at: Option<Time>,
    /// When to look for authors who have been away for too long, while any are away.
    sweep_at: Option<Time>,
    /// The number of our last write that was cast.
    cast_from: u64,
    /// What others still have where we have written since.
    replaced: Map<Key, Record>,
    /// Whether we have written since, so that there is something to cast.
    has_written: bool,
    /// The number of our last write that was vouched for.
    sealed_at: u64,
    /// Whether all has come that those had whom we joined.
    is_ready: bool,
    /// Who is about to tell us what we wrote in an earlier life.
    recalling: Option<NodeId>,
    outputs: VecDeque<Output>,
}

impl<N: Notary> Tree<N> {
    /// An empty tree of node `me`. `clock` is what the calendar says `now`.
    #[must_use]
    pub fn new(config: Config, now: Time, clock: Timestamp, me: NodeId, notary: N) -> Self {
        let calendar_at_zero = i128::from(clock.0) - now.since_origin().as_millis() as i128;
        let first = first_number(clock);
        let mut tree = Self {
            config,
            me,
            notary,
            calendar_at_zero,
            clock: Clock::default(),
            lists: Lists::default(),
            authors: Map::from_iter([(me, Box::new(Author::starting_at(first)))]),
            index: Index::default(),
            watches: Watches::default(),
            present: Set::from_iter([me]),
            out: Set::new(),
            digest: 0,
            sessions: Map::new(),
            early: Vec::new(),
            strangers: Map::new(),
            ask_at: None,
            sweep_at: None,
            cast_from: first,
            replaced: Map::new(),
            has_written: false,
            sealed_at: 0,
            is_ready: false,
            recalling: None,
            outputs: VecDeque::new(),
        };
        tree.seal();
        tree
    }

    /// Takes in what happened.
    ///
    /// # Errors
    ///
    /// See [`Error`]; what was refused has changed nothing.
    pub fn handle(&mut self, now: Time, input: Input) -> Result<(), Error> {
        let result = self.take(now, input);
        if std::mem::take(&mut self.has_written) {
            self.cast_written();
        }
        result
    }

    fn take(&mut self, now: Time, input: Input) -> Result<(), Error> {
        match input {
            Input::Timeout => {
                self.ask_for_missing(now);
                self.sweep(now);
            }
            Input::Do(command) => return self.on_command(now, command),
            Input::Opened { peer, bridge } => self.on_opened(now, peer, bridge),
            Input::Closed { peer } => {
                self.sessions.remove(&peer);
                self.recalling.take_if(|teller| *teller == peer);
            }
            Input::Heard { author, bytes } => return self.on_heard(now, author, &bytes),
            Input::Told { peer, bytes } => return self.on_told(now, peer, &bytes),
            Input::Known(author) => self.on_known(now, author),
            Input::Out(author) => self.on_out(author),
            Input::Watch { path } => return self.watch(path),
            Input::Unwatch { path } => return self.unwatch(path.as_ref()),
            Input::Digest { peer, digest, compare } => self.on_digest(now, peer, digest, compare),
            Input::Present { came, went } => self.on_present(now, &came, &went),
        }
        Ok(())
    }

    /// What to do next, until `None`.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`]; `None` when nothing is missing and nobody is away.
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        self.ask_at.into_iter().chain(self.sweep_at).min()
    }

    /// A number that is equal in two nodes exactly when they have the same writes, give or take one in four billion.
    #[must_use]
    pub fn digest(&self) -> u32 {
        self.digest
    }

    /// Whether a broadcast tells what one side lacked before two met, and nothing of it is news here.
    #[must_use]
    pub fn has_all(&self, bytes: &[u8]) -> bool {
        let at = |author| self.authors.get(author).map_or(0, |map| map.at);
        let said = Say::decode(bytes, self.me);
        matches!(said, Some(Say::Delta { parts, .. }) if parts.iter().all(|part| part.upto <= at(&part.author)))
    }

    /// Whether `peer` has told of somebody unknown, and nobody has said since who that is.
    #[must_use]
    pub fn has_stranger_of(&self, peer: NodeId) -> bool {
        self.strangers.values().any(|teller| *teller == peer)
    }

    /// Who vouches.
    pub fn notary(&mut self) -> &mut N {
        &mut self.notary
    }

    /// Who vouches, to be asked what changes nothing.
    #[must_use]
    pub fn notary_ref(&self) -> &N {
        &self.notary
    }

    fn watch(&mut self, path: Option<Path>) -> Result<(), Error> {
        if self.watches.len() >= self.config.watches_max {
            return Err(Error::Limit("the number of places that are watched"));
        }
        self.watches.add(path.as_ref());
        self.lists.rewatch(&self.watches);
        let resources = self.resources(path.as_ref());
        self.emit(Event::Loaded { path, resources });
        Ok(())
    }

    fn unwatch(&mut self, path: Option<&Path>) -> Result<(), Error> {
        if !self.watches.remove(path) {
            return Err(Error::Misuse(Misuse::NotWatched));
        }
        self.lists.rewatch(&self.watches);
        Ok(())
    }

    fn wall(&self, now: Time) -> Timestamp {
        let wall = self.calendar_at_zero + now.since_origin().as_millis() as i128;
        Timestamp(u64::try_from(wall).unwrap_or(0))
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
