//! Who is here: what participants say about themselves, and what others say about them.

use serde::{Deserialize, Serialize};

use wire::{Map, NodeId, Timestamp, UserId};

use crate::Parting;

/// What a participant says about itself, at `users/<node>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What it wants to be called.
    pub name: String,
    /// Whether its microphone is open.
    #[serde(default)]
    pub microphone: bool,
    /// Whether its camera is on.
    #[serde(default)]
    pub camera: bool,
    /// Since when it takes part, by its own clock. Orders the pictures on screen.
    #[serde(default)]
    pub since: Timestamp,
}

/// What one participant says about another, at `members/<node>`: the server told it who that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Voucher {
    pub(crate) user: UserId,
}

/// One participant, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Which node.
    pub node: NodeId,
    /// The user that somebody vouched for, else what the participant calls itself.
    pub name: String,
    /// Whether somebody vouched for the name. Ours is always verified to ourselves.
    pub is_verified: bool,
    /// Whether this is us.
    pub is_me: bool,
    /// Whether the microphone is open.
    pub microphone: bool,
    /// Whether the camera is on.
    pub camera: bool,
    /// Whether the person is writing a message.
    pub is_typing: bool,
    /// Whether the connection is being mended.
    pub is_reconnecting: bool,
    /// Since when it takes part.
    pub since: Timestamp,
}

/// Somebody who came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Came { node: NodeId, name: String },
    Went { node: NodeId, name: String, how: Parting },
}

/// Everyone we know of.
///
/// **Invariant:** who is shown came once and has not gone.
#[derive(Debug)]
pub(crate) struct Roster {
    me: NodeId,
    people_max: usize,
    /// What the tree shows.
    profiles: Map<NodeId, Profile>,
    /// Who is on screen; the last profile of those whose link is away.
    shown: Map<NodeId, Profile>,
    /// The users that others vouched for, and who did.
    vouched: Map<NodeId, (NodeId, UserId)>,
    /// The users that we vouched for ourselves. What we know outweighs what we hear.
    witnessed: Map<NodeId, UserId>,
}

impl Roster {
    pub(crate) fn new(me: NodeId, people_max: usize) -> Self {
        Self {
            me,
            people_max,
            profiles: Map::new(),
            shown: Map::new(),
            vouched: Map::new(),
            witnessed: Map::new(),
        }
    }

    /// Takes in what `node` says about itself.
    pub(crate) fn on_profile(&mut self, node: NodeId, profile: Profile) {
        if self.profiles.len() < self.people_max || self.profiles.contains_key(&node) {
            self.profiles.insert(node, profile);
        }
    }

    /// Forgets what `node` said.
    pub(crate) fn on_profile_gone(&mut self, node: NodeId) {
        self.profiles.remove(&node);
    }

    /// Takes in what `by` says about `node`. Nobody can vouch for itself.
    pub(crate) fn on_voucher(&mut self, node: NodeId, by: NodeId, user: UserId) {
        let has_room = self.vouched.len() < self.people_max * 4 || self.vouched.contains_key(&node);
        if by != node && has_room {
            self.vouched.insert(node, (by, user));
        }
    }

    /// Forgets what was said about `node`.
    pub(crate) fn on_voucher_gone(&mut self, node: NodeId) {
        self.vouched.remove(&node);
    }

    /// Vouches for `node` ourselves.
    pub(crate) fn witness(&mut self, node: NodeId, user: UserId) {
        self.witnessed.insert(node, user);
    }

    /// Compares what is shown with what the tree shows. Who is out of view but `kept` stays.
    pub(crate) fn refresh(
        &mut self,
        kept: impl Fn(NodeId) -> bool,
        how: impl Fn(NodeId) -> Parting,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for (&node, profile) in &self.profiles {
            if self.shown.insert(node, profile.clone()).is_none() && node != self.me {
                changes.push(Change::Came { node, name: self.name(node, &profile.name) });
            }
        }
        let gone: Vec<(NodeId, String)> = self
            .shown
            .iter()
            .filter(|(node, _)| !self.profiles.contains_key(node) && !kept(**node))
            .map(|(node, profile)| (*node, self.name(*node, &profile.name)))
            .collect();
        for (node, name) in gone {
            self.shown.remove(&node);
            if node != self.me {
                changes.push(Change::Went { node, name, how: how(node) });
            }
        }
        changes
    }

    /// What to call `node`, which calls itself `claimed`.
    pub(crate) fn name(&self, node: NodeId, claimed: &str) -> String {
        self.user(node).map_or_else(|| claimed.to_owned(), ToString::to_string)
    }

    /// Everyone, in the order in which they came, which is the same for all.
    pub(crate) fn people(
        &self,
        is_typing: impl Fn(NodeId) -> bool,
        is_reconnecting: impl Fn(NodeId) -> bool,
    ) -> Vec<Person> {
        let people = self.shown.iter().map(|(&node, profile)| {
            let person = Person {
                node,
                name: self.name(node, &profile.name),
                is_verified: node == self.me || self.user(node).is_some(),
                is_me: node == self.me,
                microphone: profile.microphone,
                camera: profile.camera,
                is_typing: is_typing(node),
                is_reconnecting: node != self.me && is_reconnecting(node),
                since: profile.since,
            };
            ((profile.since, node), person)
        });
        people.collect::<Map<_, _>>().into_values().collect()
    }

    pub(crate) fn user(&self, node: NodeId) -> Option<&UserId> {
        if node == self.me {
            return None; // We are called what we call ourselves.
        }
        self.witnessed.get(&node).or_else(|| self.vouched.get(&node).map(|(_, user)| user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: NodeId = NodeId(1);
    const BOB: NodeId = NodeId(2);
    const CAROL: NodeId = NodeId(3);

    #[test]
    fn nobody_vouches_for_itself() {
        let mut roster = roster_with_bob();

        roster.on_voucher(BOB, BOB, user("pope@example.com"));

        assert_eq!(bob(&roster), ("Bob".to_owned(), false));
    }

    #[test]
    fn what_we_know_outweighs_what_we_hear() {
        let mut roster = roster_with_bob();
        roster.witness(BOB, user("bob@example.com"));

        roster.on_voucher(BOB, CAROL, user("pope@example.com"));

        assert_eq!(bob(&roster), ("bob@example.com".to_owned(), true));
    }

    #[test]
    fn who_is_kept_stays_and_then_goes_once() {
        let mut roster = roster_with_bob();
        roster.on_profile_gone(BOB);

        let while_kept = roster.refresh(|node| node == BOB, |_| Parting::Lost);
        let after = roster.refresh(|_| false, |_| Parting::Lost);
        let later = roster.refresh(|_| false, |_| Parting::Lost);

        let name = "Bob".to_owned();
        assert_eq!(while_kept, []);
        assert_eq!(after, [Change::Went { node: BOB, name, how: Parting::Lost }]);
        assert_eq!(later, []);
    }

    fn roster_with_bob() -> Roster {
        let mut roster = Roster::new(ME, 8);
        let profile =
            Profile { name: "Bob".to_owned(), microphone: true, camera: true, since: Timestamp(5) };
        roster.on_profile(BOB, profile);
        assert_eq!(roster.refresh(|_| false, |_| Parting::Left).len(), 1);
        roster
    }

    fn user(text: &str) -> UserId {
        text.parse().unwrap()
    }

    fn bob(roster: &Roster) -> (String, bool) {
        let people = roster.people(|_| false, |_| false);
        let bob = people.iter().find(|person| person.node == BOB).unwrap();
        (bob.name.clone(), bob.is_verified)
    }
}
