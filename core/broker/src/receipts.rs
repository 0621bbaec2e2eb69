//! Which pushes of invites can still be acknowledged, and who wants to know.

use std::collections::{BTreeMap, VecDeque};

use wire::{InviteId, Time};

use crate::{Config, Device, PushId};

/// An invite on its way to one device.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    /// Who sent the invite, and hears of the receipt.
    pub(crate) sender: Device,
    /// The device that it was sent to: the only one that can acknowledge it.
    pub(crate) target: Device,
    pub(crate) invite: InviteId,
}

/// **Invariant:** every key of `open` stands in `order`, which is sorted by time because all live equally long.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    open: BTreeMap<PushId, Receipt>,
    order: VecDeque<(Time, PushId)>,
}

impl Receipts {
    pub(crate) fn expect(&mut self, config: &Config, now: Time, push: PushId, receipt: Receipt) {
        while self.order.len() >= config.receipts_max.max(1) {
            if let Some((_, oldest)) = self.order.pop_front() {
                self.open.remove(&oldest);
            }
        }
        self.open.insert(push, receipt);
        self.order.push_back((now + config.receipt, push));
    }

    /// The receipt of `push`, if `device` is the one to give it and has not yet.
    pub(crate) fn settle(&mut self, device: &Device, push: PushId) -> Option<Receipt> {
        if self.open.get(&push).is_none_or(|receipt| receipt.target != *device) {
            return None;
        }
        self.open.remove(&push)
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.order.front().map(|(at, _)| *at)
    }

    pub(crate) fn on_timeout(&mut self, now: Time) {
        while self.order.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, push)) = self.order.pop_front() {
                self.open.remove(&push);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}
