//! Which pushes of invites can still be acknowledged, who wants to know, and what was acknowledged lately.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

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

/// An invite, as its sender knows it.
type Sent = (Device, InviteId);

/// **Invariant:** every key of `open` stands in `order`, which is sorted by time because all live equally long; likewise
/// `shown` and `shown_order`.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    open: BTreeMap<PushId, Receipt>,
    order: VecDeque<(Time, PushId)>,
    /// The devices that show an invite, for senders who ask because they have no live socket.
    shown: BTreeMap<Sent, BTreeSet<Device>>,
    shown_order: VecDeque<(Time, Sent)>,
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
    pub(crate) fn settle(
        &mut self,
        config: &Config,
        now: Time,
        device: &Device,
        push: PushId,
    ) -> Option<Receipt> {
        if self.open.get(&push).is_none_or(|receipt| receipt.target != *device) {
            return None;
        }
        let receipt = self.open.remove(&push)?;
        let sent = (receipt.sender.clone(), receipt.invite);
        if !self.shown.contains_key(&sent) {
            while self.shown_order.len() >= config.receipts_max.max(1) {
                if let Some((_, oldest)) = self.shown_order.pop_front() {
                    self.shown.remove(&oldest);
                }
            }
            self.shown_order.push_back((now + config.receipt, sent.clone()));
        }
        self.shown.entry(sent).or_default().insert(receipt.target.clone());
        Some(receipt)
    }

    /// The devices that show an invite.
    pub(crate) fn shown(&self, sender: &Device, invite: InviteId) -> impl Iterator<Item = &Device> {
        self.shown.get(&(sender.clone(), invite)).into_iter().flatten()
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        let open = self.order.front().map(|(at, _)| *at);
        let shown = self.shown_order.front().map(|(at, _)| *at);
        open.into_iter().chain(shown).min()
    }

    pub(crate) fn on_timeout(&mut self, now: Time) {
        while self.order.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, push)) = self.order.pop_front() {
                self.open.remove(&push);
            }
        }
        while self.shown_order.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, sent)) = self.shown_order.pop_front() {
                self.shown.remove(&sent);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}
