//! Whether calls reach this device, and whether those on the list `Recent` are reachable.

use wire::live::Seen;
use wire::{Address, Time, UserId};

use super::{Dial, Effect};

/// This device could not be made the one that rings.
pub(super) const STILL_ELSEWHERE: &str = "Calls still ring on your other device, because the server cannot be reached. Try again when it is back.";

impl Dial {
    /// Tells the server that this device is here, and how it is woken by now.
    pub(super) fn register(&mut self, now: Time) {
        self.effects.push_back(Effect::Register);
        self.register_at = Some(now + self.config.refresh);
    }

    /// The same, when it is due.
    pub(super) fn register_again(&mut self, now: Time) {
        if self.register_at.is_some_and(|at| at <= now) {
            self.register(now);
        }
    }

    /// Another page of this browser did it.
    pub(super) fn on_registered(&mut self, now: Time) {
        if self.me().is_some() {
            self.register_at = Some(now + self.config.refresh);
        }
    }

    /// The live socket is open; whether the server tells who is reachable.
    pub(super) fn on_server_back(&mut self, presence: bool) {
        self.is_server_away = false;
        self.is_passive = false;
        self.presence = presence.then(Vec::new);
        self.watch();
    }

    pub(super) fn on_server_away(&mut self) {
        self.is_server_away = true;
        self.presence = None;
    }

    pub(super) fn on_seen(&mut self, seen: Vec<Seen>) {
        let Some(there) = &mut self.presence else { return };
        for Seen { user, reachable } in seen {
            there.retain(|known| *known != user);
            if reachable {
                there.push(user);
            }
        }
    }

    /// Asks about those on the list, if anybody tells.
    pub(super) fn watch(&mut self) {
        let users: Vec<UserId> =
            self.recent.iter().filter_map(|line| user_of(&line.address)).collect();
        if self.presence.is_some() && !users.is_empty() {
            self.effects.push_back(Effect::Watch(users));
        }
    }

    /// Whether somebody on the list is known to be reachable.
    pub(super) fn is_reachable(&self, address: &str) -> bool {
        let there = self.presence.as_deref().unwrap_or_default();
        user_of(address).is_some_and(|user| there.contains(&user))
    }
}

fn user_of(address: &str) -> Option<UserId> {
    Some(address.parse::<Address>().ok()?.user)
}
