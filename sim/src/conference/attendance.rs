//! Who is to be here and who is not: by the links there really are, held against whom each node shows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use node::Event;
use wire::{NodeId, Time};

use super::{Act, Conference, GHOST, State};

/// How often it is looked who shows whom.
const OFTEN: Duration = Duration::from_secs(1);

/// How long two must have been joined before each must show the other: time to prove themselves, to tell, and to be
/// believed to be back.
const JOINED: Duration = Duration::from_secs(20);

/// How long somebody may be seen after it was put out or contradicted itself: one round in which all compare what they
/// have, with whoever they are linked to.
const ROUND: Duration = Duration::from_secs(10);

/// Since when things are as they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attendance {
    /// When it was last looked.
    looked: Time,
    /// Whether two have been linked since it was last noted who is joined.
    have_met: bool,
    /// For each two: whether a way of links joins them, and since when.
    ways: BTreeMap<(usize, usize), Way>,
    /// Since when all who are awake are joined; `None` while they are not.
    whole: Option<Time>,
    /// Who was put out or contradicted itself, and from when on.
    barred: BTreeMap<NodeId, Time>,
}

/// Whether one can reach another.
#[derive(Clone, Copy, Debug)]
struct Way {
    is_joined: bool,
    since: Time,
    /// When somebody was last joined to the other who is, or has been since, joined to the one: until then others may
    /// have told of it in good faith.
    told: Time,
}

/// What one node shows of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    /// Whether it is held to be present.
    is_here: bool,
    /// Whether what it wrote for as long as it is present can be seen.
    is_seen: bool,
    /// Whether it has itself such a thing to show.
    has_some: bool,
}

impl Attendance {
    /// Takes note whether a way joins two.
    fn note(&mut self, pair: (usize, usize), is_joined: bool, now: Time) {
        let way = self.ways.entry(pair).or_insert(Way { is_joined, since: now, told: now });
        if way.is_joined != is_joined {
            (way.is_joined, way.since) = (is_joined, now);
        }
        if is_joined {
            way.told = now;
        }
    }

    /// Takes note which of all are joined, given by a number for each that is equal for those who are; and that what some
    /// of them know of the others is known to all of them.
    fn note_all(&mut self, parts: &[usize], now: Time) {
        let pairs =
            |count| (0..count).flat_map(move |one| (0..count).map(move |other| (one, other)));
        for (one, other) in pairs(parts.len()).filter(|(one, other)| one != other) {
            self.note((one, other), parts[one] == parts[other], now);
        }
        let mut told = BTreeMap::<(usize, usize), Time>::new();
        for ((one, other), way) in &self.ways {
            let last = told.entry((parts[*one], *other)).or_insert(way.told);
            *last = way.told.max(*last);
        }
        for ((one, other), way) in &mut self.ways {
            way.told = told[&(parts[*one], *other)];
        }
    }

    /// What is wrong with what is shown, if anything is.
    fn judge(&self, pair: (usize, usize), shown: Shown, now: Time) -> Option<&'static str> {
        if shown.is_seen && !shown.is_here {
            return Some("shows what passes away with one who is away:");
        }
        let Way { is_joined, since, told } = *self.ways.get(&pair)?;
        if !is_joined && now - told > GHOST && shown.is_here {
            return Some("still counts on one who is out of reach:");
        }
        if !is_joined || now - since <= JOINED {
            return None;
        }
        match shown {
            Shown { is_here: false, .. } => Some("misses one who is within reach:"),
            Shown { is_seen: false, has_some: true, .. } => {
                Some("does not see what one who is back had written:")
            }
            Shown { .. } => None,
        }
    }

    /// Two have been linked: what either side knows is known to both, for however short a time.
    pub(super) fn meet(&mut self) {
        self.have_met = true;
    }

    /// Starts to wait again for one who cannot have heard anything, or has forgotten it.
    pub(super) fn excuse(&mut self, who: usize) {
        self.ways.retain(|(one, other), _| *one != who && *other != who);
    }

    /// Starts to wait again, as after a time in which nobody is held to anything.
    pub(super) fn restart(&mut self) {
        self.ways.clear();
        self.whole = None;
    }
}

impl Conference {
    /// Takes note of who is put out, if whoever says so may, with those who came by it as far as it knows.
    pub(super) fn note_barred(&mut self, act: &Act, now: Time) {
        if let Act::Do(who, node::Command::PutOut(node)) = act
            && self.people[*who].node.is_founder()
        {
            self.attendance.barred.entry(*node).or_insert(now);
            self.truth.distrust(*node);
        }
    }

    /// Takes note of who is proved to have contradicted itself.
    ///
    /// # Errors
    ///
    /// When it plays fair.
    pub(super) fn note_frozen(&mut self, event: &Event, now: Time) -> Result<(), String> {
        let Event::Frozen(node) = event else { return Ok(()) };
        self.attendance.barred.entry(*node).or_insert(now);
        if self.truth.is_false(*node) {
            return Ok(());
        }
        Err(format!("{node} plays fair and is held to have contradicted itself"))
    }

    /// Looks, once in a while, who shows whom.
    ///
    /// # Errors
    ///
    /// When somebody who is away is shown, somebody within reach is not, or somebody who was put out is.
    pub(super) fn look_at_attendance(&mut self, now: Time) -> Result<(), String> {
        let is_large = self.people.len() > super::LARGE;
        let pause = if is_large { super::SELDOM } else { OFTEN };
        let is_due = now >= self.attendance.looked + pause;
        let have_met = std::mem::take(&mut self.attendance.have_met) && !is_large;
        if !is_due && !have_met {
            return Ok(());
        }
        if is_due {
            self.attendance.looked = now;
            self.look_at_all_heads(now)?;
        }
        if is_large {
            return self.check_barred(false);
        }
        let is_calm = !self.is_rough
            && self.people.iter().all(|person| !person.is_false())
            && self.links.are_plain();
        if !is_calm {
            self.attendance.restart();
        }
        let parts = self.parts();
        let honest = self.honest();
        let joined = honest.iter().map(|who| parts[*who]).collect::<BTreeSet<_>>().len() == 1;
        self.attendance.whole = self.attendance.whole.filter(|_| joined);
        if joined && is_calm {
            self.attendance.whole.get_or_insert(now);
        }
        if is_calm {
            self.attendance.note_all(&parts, now);
        }
        if !is_due {
            return Ok(());
        }
        for one in &honest {
            for (other, person) in self.people.iter().enumerate().filter(|(other, _)| other != one)
            {
                // Of two with one name nobody can tell which is meant.
                let is_barred = self.attendance.barred.contains_key(&person.node.me());
                let shown = self.shown(*one, other);
                let wrong = self.attendance.judge((*one, other), shown, now);
                if let Some(wrong) = wrong.filter(|_| !person.is_false() && !is_barred) {
                    return Err(format!("{one} {wrong} {other}"));
                }
            }
        }
        self.check_barred(false)
    }

    /// What `one` shows of `other`.
    fn shown(&self, one: usize, other: usize) -> Shown {
        let (node, them) = (&self.people[one].node, &self.people[other]);
        let (name, is_awake) = (them.node.me(), them.state == State::Awake);
        let path = Self::roster(name);
        Shown {
            is_here: node.nodes().any(|node| node == name),
            is_seen: node.get(&path).is_some(),
            has_some: is_awake && them.node.get(&path).is_some(),
        }
    }

    /// For each of all people a number, equal for those who are joined by links that carry something both ways. Whoever
    /// is not awake stands alone.
    fn parts(&self) -> Vec<usize> {
        let mut part: Vec<usize> = (0..self.people.len()).collect();
        fn root(part: &[usize], mut at: usize) -> usize {
            while part[at] != at {
                at = part[at];
            }
            at
        }
        for (one, other) in self.overlay().into_keys() {
            let (one, other) = (root(&part, one), root(&part, other));
            part[one] = other;
        }
        (0..part.len()).map(|at| root(&part, at)).collect()
    }

    /// Nobody who plays fair shows who was put out or contradicted itself, nor anything of it; `at_once`, or when there
    /// has been time to tell.
    pub(super) fn check_barred(&self, at_once: bool) -> Result<(), String> {
        let Attendance { barred, whole, looked, .. } = &self.attendance;
        let is_due =
            |since: Time| at_once || whole.is_some_and(|whole| *looked > whole.max(since) + ROUND);
        for (node, _) in barred.iter().filter(|(_, since)| is_due(**since)) {
            for who in self.honest() {
                let person = &self.people[who];
                if person.node.me() == *node {
                    continue;
                }
                if person.node.nodes().any(|present| present == *node) {
                    return Err(format!("{who} still counts on {node}, who is out"));
                }
                if let Some((path, ..)) = person.view().iter().find(|(.., by)| by == node) {
                    return Err(format!("{who} still shows {path} of {node}, who is out"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::at(Duration::from_secs(seconds))
    }

    const HERE: Shown = Shown { is_here: true, is_seen: true, has_some: true };
    const AWAY: Shown = Shown { is_here: false, is_seen: false, has_some: true };

    #[test]
    fn who_is_out_of_reach_may_not_be_shown_for_longer_than_it_takes_to_notice() {
        let mut attendance = Attendance::default();
        attendance.note((0, 1), false, at(10));
        attendance.note((0, 1), false, at(20));

        assert_eq!(attendance.judge((0, 1), HERE, at(25)), None);
        assert!(attendance.judge((0, 1), HERE, at(26)).is_some());
        assert_eq!(attendance.judge((0, 1), AWAY, at(26)), None);
    }

    #[test]
    fn whoever_meets_one_who_heard_of_somebody_later_may_show_it_for_as_long() {
        let mut attendance = Attendance::default();
        attendance.note_all(&[0, 1, 1], at(10));
        attendance.note_all(&[0, 1, 1], at(20));
        assert!(attendance.judge((0, 2), HERE, at(26)).is_some());

        // The third goes, and only then the first meets the second.
        attendance.note_all(&[0, 0, 2], at(21));

        assert_eq!(attendance.judge((0, 2), HERE, at(35)), None);
        assert!(attendance.judge((0, 2), HERE, at(36)).is_some());
        // Meeting once more makes nothing newer.
        attendance.note_all(&[0, 1, 2], at(30));
        attendance.note_all(&[0, 0, 2], at(31));
        assert!(attendance.judge((0, 2), HERE, at(36)).is_some());
    }

    #[test]
    fn who_is_within_reach_must_be_shown_with_what_it_wrote() {
        let mut attendance = Attendance::default();
        attendance.note((0, 1), false, at(0));
        attendance.note((0, 1), true, at(10));

        assert_eq!(attendance.judge((0, 1), AWAY, at(30)), None);
        assert!(attendance.judge((0, 1), AWAY, at(31)).is_some());
        assert!(attendance.judge((0, 1), Shown { is_seen: false, ..HERE }, at(31)).is_some());
        let silent = Shown { is_here: true, is_seen: false, has_some: false };
        assert_eq!(attendance.judge((0, 1), silent, at(31)), None);
        assert_eq!(attendance.judge((0, 1), HERE, at(31)), None);
    }

    #[test]
    fn what_passes_away_with_its_owner_is_not_seen_without_it() {
        let seen = Shown { is_here: false, is_seen: true, has_some: true };

        assert!(Attendance::default().judge((0, 1), seen, at(0)).is_some());
    }
}
