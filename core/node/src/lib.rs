//! One participant of a conference: the network and the shared tree behind one input and one output.

mod api;

use std::time::Duration;

use serde_json::Value;
use wire::{NodeId, Seed, Time, Timestamp};

pub use api::{Command, Error, Event, FIRST_OWN_LINK, Input, Misuse, Output};
pub use tree::{Entry, Life, Listing, Path};

/// The bounds of a node.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long a node stays present after the last way to it was lost. Long enough for a link to be dialled anew.
    pub grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { grace: Duration::from_secs(3) }
    }
}

/// One participant.
#[derive(Debug)]
pub struct Node {
    me: NodeId,
}

impl Node {
    /// A node called `me`, alone.
    #[must_use]
    pub fn new(_config: Config, _now: Time, _clock: Timestamp, me: NodeId, _seed: Seed) -> Self {
        Self { me }
    }

    /// Takes in what happened.
    ///
    /// # Errors
    ///
    /// See [`Error`]; the node is as it was.
    pub fn handle(&mut self, _now: Time, _input: Input) -> Result<(), Error> {
        Ok(())
    }

    /// What to do next, until `None`.
    pub fn poll(&mut self) -> Option<Output> {
        None
    }

    /// When to come back with [`Input::Timeout`]; `None` when nothing waits for time.
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        None
    }

    /// Our own name.
    #[must_use]
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// The resource at `path`.
    #[must_use]
    pub fn get(&self, _path: &Path) -> Option<&Value> {
        None
    }

    /// The resource at `path`, with who wrote it and when.
    #[must_use]
    pub fn entry(&self, _path: &Path) -> Option<Entry<'_>> {
        None
    }

    /// The resources directly in the list at `path`, oldest first, in the same order on every node.
    #[must_use]
    pub fn list(&self, _path: &Path, _listing: Listing) -> Vec<Entry<'_>> {
        Vec::new()
    }

    /// The nodes present, ourselves included, in the order of their names.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        std::iter::once(self.me)
    }
}
