//! Who rings this person: everybody, or those they know; and whom they blocked.

use wire::contacts::{ChangeRules, Ring, Rules};
use wire::{Address, InviteId, UserId};

use super::view::{Blocked, Button, Offer, RulesView};
use super::words::{Effect, Gesture};
use super::{Dial, tell};

/// What is said when the server did not take a change.
pub(super) const FAILED: &str =
    "The server cannot be reached, so who may ring you is as before. Try again.";

/// What is said about the rules, and what can be done.
pub(super) fn view(rules: &Rules) -> RulesView {
    let (text, label, ring) = match rules.ring {
        Ring::Everybody => (
            "Whoever has your address can ring you.",
            "Only people I have called or answered",
            Ring::Known,
        ),
        Ring::Known => (
            "Only people whom you have called or answered can ring you.",
            "Let everybody ring",
            Ring::Everybody,
        ),
    };
    let change = Button { label, gesture: Gesture::LetRing(ring) };
    let blocked = rules.blocked.iter().map(|user| Blocked {
        address: user.to_string(),
        label: format!("Unblock {user}"),
        gesture: Gesture::Unblock(user.clone()),
    });
    RulesView { text, change, blocked: blocked.collect() }
}

/// Offers to block somebody whom we talked to; nobody twice, and not before we know who is.
pub(super) fn offer(rules: Option<&Rules>, address: &str) -> Option<Offer> {
    let user = address.parse::<Address>().ok()?.user;
    let is_free = rules.is_some_and(|rules| !rules.blocked.contains(&user));
    is_free.then(|| Offer { label: format!("Block {user}"), gesture: Gesture::BlockUser(user) })
}

impl Dial {
    /// Nothing of this caller arrives any more; the call is declined.
    pub(super) fn block(&mut self, now: wire::Time, id: InviteId) {
        let Some(call) = self.calls.iter_mut().find(|call| call.id() == id) else { return };
        let user = call.peer().user.clone();
        tell(call, now, call::Input::Decline);
        self.block_user(user);
    }

    pub(super) fn block_user(&mut self, user: UserId) {
        self.change_rules(ChangeRules { block: vec![user], ..ChangeRules::default() });
    }

    pub(super) fn unblock(&mut self, user: UserId) {
        self.change_rules(ChangeRules { unblock: vec![user], ..ChangeRules::default() });
    }

    pub(super) fn let_ring(&mut self, ring: Ring) {
        self.change_rules(ChangeRules { ring: Some(ring), ..ChangeRules::default() });
    }

    fn change_rules(&mut self, change: ChangeRules) {
        if self.me().is_some() {
            self.effects.push_back(Effect::ChangeRules(change));
        }
    }
}
