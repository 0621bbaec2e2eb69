//! What holds once nothing bad has happened for a while: the same view everywhere, enough links, bounded memory, sane clocks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use node::Listing;
use wire::{NodeId, Time};

use super::{BEGINNING, Conference, State, Trick};

/// How far a stamp may be past the true time (in milliseconds): what a node bears, and twice what clocks are off.
const STAMP_AHEAD_MS: u64 = 60_000;

/// What a node may hold beside its authors' quotas: 256 bytes for each member, and a megabyte.
const MEMBER_BYTES: usize = 256;

impl Conference {
    /// Those who are awake and play fair.
    #[must_use]
    pub fn honest(&self) -> BTreeSet<usize> {
        let people = self.people.iter().enumerate();
        people
            .filter(|(_, person)| person.state == State::Awake && !person.is_false())
            .map(|(who, _)| who)
            .collect()
    }

    /// Checks that all of `who` see the same resources in the same order, and exactly each other.
    ///
    /// # Errors
    ///
    /// What differs.
    pub fn agree(&self, who: &BTreeSet<usize>) -> Result<(), String> {
        let names: BTreeSet<NodeId> = who.iter().map(|n| self.people[*n].node.me()).collect();
        let mut first = None;
        for n in who {
            let present: BTreeSet<NodeId> = self.people[*n].node.nodes().collect();
            if present != names {
                return Err(format!("{n} has {present:?} present instead of {names:?}"));
            }
            let view = self.people[*n].view();
            match &first {
                None => first = Some((*n, view)),
                Some((_, same)) if *same == view => {}
                Some((one, other)) => {
                    return Err(format!("{one} sees {other:?}\nbut {n} sees {view:?}"));
                }
            }
        }
        Ok(())
    }

    /// Checks all that holds in quiet, for those who are awake and play fair. `now` is the true time.
    ///
    /// # Errors
    ///
    /// The first promise that is broken.
    pub fn check_quiet(&self, now: Time) -> Result<(), String> {
        let honest = self.honest();
        let all_fair = self.people.iter().all(|person| !person.is_false());
        if all_fair {
            self.agree(&honest)?;
        } else {
            self.agree_on(&honest)?;
        }
        for who in &honest {
            self.people[*who].believes_right()?;
            self.check_stamps(*who, now)?;
            self.check_memory(*who)?;
            self.check_shares(*who)?;
        }
        self.check_barred(true)?;
        self.check_degrees(&honest, all_fair)
    }

    /// Checks that all of `who` see the same, whatever those who play false have told them, and nobody who is not there:
    /// only what these say and what lies below it is left out.
    fn agree_on(&self, who: &BTreeSet<usize>) -> Result<(), String> {
        let names: BTreeSet<NodeId> = who.iter().map(|n| self.people[*n].node.me()).collect();
        let mut views = Vec::new();
        for n in who {
            let person = &self.people[*n];
            if let Some(absent) =
                names.iter().find(|name| !person.node.nodes().any(|node| node == **name))
            {
                return Err(format!("{n} misses {absent}"));
            }
            let is_ghost = |node: &NodeId| !names.contains(node) && !self.truth.is_false(*node);
            if let Some(ghost) = person.node.nodes().find(is_ghost) {
                return Err(format!("{n} counts on {ghost}, who is not there"));
            }
            views.push((*n, person.view()));
        }
        let all = views.iter().flat_map(|(_, view)| view);
        let of_false = all.filter(|(.., by)| self.truth.is_false(*by));
        let covered: BTreeSet<String> = of_false.map(|(path, ..)| path.clone()).collect();
        for (_, view) in &mut views {
            view.retain(|(path, ..)| !covered.contains(path));
        }
        let pairs = views.windows(2).find(|pair| pair[0].1 != pair[1].1);
        pairs.map_or(Ok(()), |pair| {
            let [(one, view), (other, theirs)] = pair else { return Ok(()) };
            Err(format!("{one} sees {view:?}\nbut {other} sees {theirs:?}"))
        })
    }

    /// No stamp is further ahead than clocks may be wrong, whatever anybody's calendar says.
    fn check_stamps(&self, who: usize, now: Time) -> Result<(), String> {
        let wall = BEGINNING.0 + now.since_origin().as_millis() as u64;
        for list in ["users", "messages", "shared"] {
            let list = list.parse().expect("one word is a path");
            let entries = self.people[who].node.list(&list, Listing::default());
            let ahead = entries.iter().find(|entry| entry.written.0 > wall + STAMP_AHEAD_MS);
            if let Some(entry) = ahead {
                let by = Duration::from_millis(entry.written.0 - wall);
                return Err(format!(
                    "{who} shows {}, stamped {by:?} ahead of the time",
                    entry.path
                ));
            }
        }
        Ok(())
    }

    /// No more is held than the quotas of all who ever wrote.
    fn check_memory(&self, who: usize) -> Result<(), String> {
        let weight = self.people[who].node.weight();
        let quota = tree_quota();
        let most = weight.authors * (quota + MEMBER_BYTES) + (1 << 20);
        if weight.bytes > most {
            return Err(format!(
                "{who} holds {} bytes of {} authors",
                weight.bytes, weight.authors
            ));
        }
        if weight.authors > self.people.len() {
            return Err(format!("{who} believes in {} authors", weight.authors));
        }
        Ok(())
    }

    /// Nobody shows more of one who plays false than anybody may have, nor more of those whom it brought than it may.
    fn check_shares(&self, who: usize) -> Result<(), String> {
        let mut bytes: BTreeMap<NodeId, usize> = BTreeMap::new();
        let person = &self.people[who];
        for (path, value, by) in person.view() {
            *bytes.entry(by).or_default() += path.len() + value.to_string().len();
        }
        if let Some((by, bytes)) = bytes.iter().find(|(_, bytes)| **bytes > tree_quota()) {
            return Err(format!("{who} shows {bytes} bytes of {by}"));
        }
        let is_foe = |node: &NodeId| self.truth.is_false(*node);
        let foes = person.node.nodes().filter(is_foe).count();
        let inviters = self.people.iter().filter(|person| person.trick() == Some(Trick::Sybil));
        let most = inviters.count() * (self.desk.invites_max() + 1);
        if most > 0 && foes > most {
            return Err(format!("{who} counts on {foes} who were brought by one who may not"));
        }
        Ok(())
    }

    /// Everybody has as many links as keep a network whole, and not many more.
    fn check_degrees(&self, who: &BTreeSet<usize>, all_fair: bool) -> Result<(), String> {
        let floor =
            if self.surroundings.nats.is_empty() || self.surroundings.has_relay { 2 } else { 1 };
        let floor = floor.min(who.len().saturating_sub(1));
        for n in who {
            let links = self.people[*n].node.trusted().len();
            let most = self.config.links_max.max(self.config.full_mesh_max) + 4;
            if all_fair && links < floor || links > most {
                return Err(format!("{n} has {links} links in quiet, not {floor} to {most}"));
            }
        }
        Ok(())
    }
}

/// The bytes of one author.
fn tree_quota() -> usize {
    1 << 20
}
