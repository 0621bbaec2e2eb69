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

use crate::map::{Map, Turn};
use crate::{Brief, Config, Mesh};

/// By how much sooner than it should somebody is held to be worn out, so that they are not looked at one by one.
const EARLY: Duration = Duration::from_secs(1);

/// How far what each says of its links can be relied on, by place on the map.
#[derive(Clone, Debug, Default)]
pub(crate) struct Worn {
    words: Vec<Word>,
    /// No later than since when the first of them is doubted.
    first: Option<Time>,
}

/// How far what one says can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Good,
    /// Since then it has named one that does not name it, and said nothing new.
    Doubted(Time),
    Worn,
}

impl Worn {
    /// One more place.
    pub(crate) fn number(&mut self) {
        self.words.push(Word::Good);
    }

    pub(crate) fn is(&self, at: usize) -> bool {
        self.words[at] == Word::Worn
    }

    /// It says something new.
    pub(crate) fn renew(&mut self, at: usize) {
        self.words[at] = Word::Good;
    }

    fn doubt(&mut self, at: usize, now: Time) {
        if self.words[at] == Word::Good {
            self.words[at] = Word::Doubted(now);
            self.first.get_or_insert(now);
        }
    }

    /// Who is worn out by now; from now on they are. `own` never is. Whoever `slept` gives all their time again.
    fn take(&mut self, now: Time, patience: Duration, own: usize, slept: bool) -> Vec<usize> {
        let mut over = Vec::new();
        if self.first.is_none_or(|first| now < first + patience) {
            return over;
        }
        self.first = None;
        for (at, word) in self.words.iter_mut().enumerate() {
            let Word::Doubted(since) = word else { continue };
            if slept {
                *since = now;
            }
            if at == own {
                *word = Word::Good;
            } else if now + EARLY >= *since + patience {
                *word = Word::Worn;
                over.push(at);
            } else {
                let since = *since;
                self.first = Some(self.first.map_or(since, |first| first.min(since)));
            }
        }
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
            if !self.worn.is(*other) && self.is_answered(*other) {
                self.worn.renew(*other);
            }
        }
    }

    /// Whether all whom it names name it. Where it is worn out and they are too, they must be named likewise, or two would
    /// keep each other worn out for ever.
    fn is_answered(&self, at: usize) -> bool {
        if !self.worn.is(at) {
            return self.edges(at).len() >= self.said(at).len();
        }
        let mut group = vec![at];
        let mut next = 0;
        while let Some(one) = group.get(next).copied() {
            next += 1;
            let ours = Brief::of(self.name(one));
            for peer in self.said(one).keys() {
                let naming = || {
                    let named = |other: &usize| self.said(*other).contains_key(&ours);
                    self.called(*peer).filter(move |other| *other != one && named(other))
                };
                match naming().find(|other| !self.worn.is(*other)).or_else(|| naming().next()) {
                    Some(other) if self.worn.is(other) && !group.contains(&other) => {
                        group.push(other);
                    }
                    Some(_) => {}
                    None => return false,
                }
            }
        }
        true
    }

    /// Of those named by whoever is at `at`: one that was worn out and whose word counts again.
    fn forgiven(&self, at: usize) -> Option<usize> {
        for peer in self.said(at).keys() {
            for other in self.called(*peer) {
                if self.worn.is(other) && self.is_answered(other) {
                    return Some(other);
                }
            }
        }
        None
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
        self.follow(now, &turn);
        self.look_at_naming(now, turn.at);
        let mut turned = vec![turn.at];
        while let Some(at) = turned.pop() {
            while let Some(other) = self.map.forgiven(at) {
                self.map.worn.renew(other);
                let turn = self.map.redraw(now, other);
                self.follow(now, &turn);
                self.look_at_naming(now, other);
                turned.push(other);
            }
        }
    }

    fn look_at_naming(&mut self, now: Time, at: usize) {
        let is_named = self.map.names(at, self.me);
        let mut turned = None;
        for link in self.links.values_mut().filter(|link| link.place == at) {
            if link.naming.turn(now, is_named) {
                turned = Some(link.peer);
            }
        }
        if let Some(peer) = turned {
            self.turn(now, peer);
        }
    }

    /// Takes off the map what is worn out.
    pub(crate) fn wear_out(&mut self, now: Time, slept: bool) {
        let own = self.map.number(self.me);
        let over = self.map.worn.take(now, self.config.worn, own, slept);
        for at in &over {
            self.map.redraw(now, *at);
            self.look_at_naming(now, *at);
        }
        if !over.is_empty() {
            self.find_reach(now);
        }
    }
}
