//! What waits for one device that blinked: in order, and bounded by count, bytes and time.

use std::collections::VecDeque;
use std::sync::Arc;

use wire::{InviteId, Time};

use crate::{Config, Device, PushId};

/// Something for one device.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Push { push: PushId, from: Device, text: Arc<str> },
    Receipt { invite: InviteId, from: Device },
}

/// What an item counts beside its text: the record itself, roughly.
const ITEM_BYTES: usize = 256;

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Push { text, .. } => ITEM_BYTES + text.len(),
            Self::Receipt { .. } => ITEM_BYTES,
        }
    }
}

/// **Invariant:** `bytes` is the sum over `items`.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    items: VecDeque<(Time, Item)>,
    bytes: usize,
}

impl Waiting {
    /// Queues `item` until `expires`; false when it does not fit beside what waits here, or beside the `elsewhere`
    /// bytes that wait for other devices.
    pub(crate) fn push(
        &mut self,
        config: &Config,
        elsewhere: usize,
        expires: Time,
        item: Item,
    ) -> bool {
        let bytes = self.bytes + item.bytes();
        if self.items.len() >= config.waiting_max
            || bytes > config.waiting_bytes_max
            || elsewhere + bytes > config.waiting_bytes_max_total
        {
            return false;
        }
        self.bytes = bytes;
        self.items.push_back((expires, item));
        true
    }

    /// Forgets what has expired.
    pub(crate) fn expire(&mut self, now: Time) {
        self.items.retain(|(expires, _)| *expires > now);
        self.bytes = self.items.iter().map(|(_, item)| item.bytes()).sum();
    }

    /// When the next item expires.
    pub(crate) fn timeout(&self) -> Option<Time> {
        self.items.iter().map(|(expires, _)| *expires).min()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Everything, the oldest first.
    pub(crate) fn into_items(self) -> impl Iterator<Item = Item> {
        self.items.into_iter().map(|(_, item)| item)
    }
}
