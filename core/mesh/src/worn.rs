//! Whose word is worn out: what somebody said of its links long ago, and others have contradicted since.
//!
//! Whoever crashed goes on naming all that it was linked to. Those that play fair stop naming it within seconds; one that
//! does not may go on for ever, and would keep it on the map. But whoever lives hears that it is not named any more, and
//! says something new. So where somebody names one that does not name it, and has said nothing new for
//! [`Config::worn`](crate::Config::worn) after that, none of what it said counts, until it says something new or all
//! whom it names name it.
//!
//! The same holds for a neighbour of ours, sooner, for what we say is never old: where it does not name us for
//! [`Config::unnamed`](crate::Config::unnamed), nobody is reached by way of what it says, and we do not name it either,
//! so that our own word is not worn out. What is sent over the link is the same as ever.

use std::time::Duration;

use wire::{NodeId, Time};

use crate::link::Link;
use crate::map::{Map, Turn};
use crate::{Brief, Config, Mesh};

/// By how much sooner than it should somebody is held to be worn out, so that they are not looked at one by one.
const EARLY: Duration = Duration::from_secs(1);

/// How far what each says of its links can be relied on, by place on the map.
#[derive(Clone, Debug, Default)]
pub(crate) struct Worn {
    is_worn: Vec<bool>,
    /// Since when it has named one that does not name it, and said nothing new.
    since: Vec<Option<Time>>,
    /// No later than the first of those.
    first: Option<Time>,
}

impl Worn {
    /// One more place.
    pub(crate) fn number(&mut self) {
        self.is_worn.push(false);
        self.since.push(None);
    }

    pub(crate) fn is(&self, at: usize) -> bool {
        self.is_worn[at]
    }

    /// It says something new.
    pub(crate) fn renew(&mut self, at: usize) {
        (self.is_worn[at], self.since[at]) = (false, None);
    }

    fn doubt(&mut self, at: usize, now: Time) {
        if !self.is_worn[at] {
            self.since[at].get_or_insert(now);
            self.first.get_or_insert(now);
        }
    }

    /// Gives all that are doubted their time again.
    fn restart(&mut self, now: Time) {
        self.since.iter_mut().flatten().for_each(|since| *since = now);
    }

    /// Who is worn out by now; from now on they are. `own` never is.
    fn take(&mut self, now: Time, patience: Duration, own: usize) -> Vec<usize> {
        if self.first.is_none_or(|first| now < first + patience) {
            return Vec::new();
        }
        self.since[own] = None;
        let since = self.since.iter().enumerate();
        let is_over = |since: &Option<Time>| since.is_some_and(|at| now + EARLY >= at + patience);
        let over: Vec<usize> = since.filter(|(_, at)| is_over(at)).map(|(at, _)| at).collect();
        for at in &over {
            (self.is_worn[*at], self.since[*at]) = (true, None);
        }
        self.first = self.since.iter().flatten().min().copied();
        over
    }
}

impl Map {
    /// Who is doubted since a turn of the map, and who is no more.
    pub(crate) fn note_doubts(&mut self, now: Time, turn: &Turn) {
        for other in &turn.lost {
            self.worn.doubt(*other, now);
        }
        if !self.is_answered(turn.at) {
            self.worn.doubt(turn.at, now);
        }
        for other in turn.gained.iter().chain([&turn.at]) {
            if self.worn.since[*other].is_some() && self.is_answered(*other) {
                self.worn.since[*other] = None;
            }
        }
    }

    /// Whether all whom it names name it.
    fn is_answered(&self, at: usize) -> bool {
        if !self.worn.is(at) {
            return self.edges(at).len() >= self.said(at).len();
        }
        let ours = Brief::of(self.name(at));
        self.said(at).keys().all(|peer| {
            self.called(*peer).any(|other| other != at && self.claim(other, ours).is_some())
        })
    }

    /// Of those named by whoever is at `at`: one that was worn out and whose word counts again.
    fn forgiven(&self, at: usize) -> Option<usize> {
        let named = self.said(at).keys().flat_map(|peer| self.called(*peer));
        named.into_iter().find(|other| self.worn.is(*other) && self.is_answered(*other))
    }

    /// Whether whoever is at `at` names `node`.
    pub(crate) fn names(&self, at: usize, node: NodeId) -> bool {
        self.claim(at, Brief::of(node)).is_some()
    }
}

/// Whether a neighbour names us.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Naming {
    /// Since when it has not, or when it last said something new and did not.
    unnamed: Option<Time>,
    /// Whether it has not for so long that nobody is reached by way of what it says.
    pub(crate) is_leaf: bool,
    /// Whether we do not name it either, until it says something new.
    pub(crate) is_mute: bool,
}

impl Naming {
    pub(crate) fn new(now: Time, is_named: bool) -> Self {
        Self { unnamed: (!is_named).then_some(now), ..Self::default() }
    }

    /// Whether it has not named us for too long; from now on nothing is built on it.
    pub(crate) fn is_late(&mut self, config: &Config, now: Time) -> bool {
        let is_late = !self.is_mute && self.unnamed.is_some_and(|at| now >= at + config.unnamed);
        if is_late {
            (self.is_leaf, self.is_mute) = (true, true);
        }
        is_late
    }

    /// It has said something new; whether that changes anything for us.
    fn turn(&mut self, now: Time, is_named: bool) -> bool {
        let was = (self.is_leaf, self.is_mute);
        if is_named {
            *self = Self::default();
        } else if std::mem::take(&mut self.is_mute) {
            self.unnamed = Some(now);
        } else {
            self.unnamed.get_or_insert(now);
        }
        was != (self.is_leaf, self.is_mute)
    }
}

impl Mesh {
    /// Follows the map after a turn, and lets count again what counts again by it.
    pub(crate) fn on_turn(&mut self, now: Time, turn: Turn) {
        let mut turn = Some(turn);
        while let Some(Turn { at, .. }) = turn {
            turn.iter().for_each(|turn| self.follow(now, turn));
            self.look_at_naming(now, at);
            turn = self.map.forgiven(at).map(|other| {
                self.map.worn.renew(other);
                self.map.redraw(now, other)
            });
        }
    }

    fn look_at_naming(&mut self, now: Time, at: usize) {
        let is_named = self.map.names(at, self.me);
        let theirs = self.links.values_mut().filter(|link| link.place == at);
        let turned = theirs
            .filter_map(|Link { naming, peer, .. }| naming.turn(now, is_named).then_some(*peer));
        for peer in turned.collect::<Vec<_>>() {
            self.turn(now, peer);
        }
    }

    /// Takes off the map what is worn out.
    pub(crate) fn wear_out(&mut self, now: Time, slept: bool) {
        if slept {
            self.map.worn.restart(now);
        }
        let own = self.map.number(self.me);
        let over = self.map.worn.take(now, self.config.worn, own);
        for at in &over {
            self.map.redraw(now, *at);
            self.look_at_naming(now, *at);
        }
        if !over.is_empty() {
            self.find_reach(now);
        }
    }
}
