//! Who comes, and who comes back with a memory that is lost.

use std::time::Duration;

use node::{Command, Input, Life};
use serde_json::json;
use trust::Trust;
use wire::{Time, Timestamp};

use super::hostile::Trick;
use super::person::{self, Person};
use super::watch::Watch;
use super::{Conference, What, clock};
use crate::Agenda;

/// By how much the clock of a twin is behind that of the first one, in milliseconds; further off, it would take over
/// that of others.
const TWIN_BEHIND_MS: i64 = 20_000;

/// Longer than any story.
const FOR_EVER: Duration = Duration::from_secs(1 << 30);

/// How many times as much as the others somebody keeps who writes more than it may.
const GREED: usize = 8;

impl Conference {
    pub(super) fn join(
        &mut self,
        inviter: Option<usize>,
        calendar: i64,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        let who = self.people.len();
        let seed = self.dice.seed();
        let watch = self.surroundings.watch(&mut self.dice);
        let trust = self.desk.arrive(seed, clock(agenda.now()));
        let node = self.fresh(trust, agenda.now(), watch, calendar);
        let nat = self.surroundings.nat(&mut self.dice);
        let mut person = Person::new(node);
        (person.watch, person.calendar, person.nat) = (watch, calendar, nat);
        self.people.push(person);
        self.sign_in(who, agenda)?;
        match inviter {
            Some(inviter) => self.link(inviter, who, agenda),
            None => Ok(()),
        }
    }

    /// Somebody comes a second time, with the keys and the seat it has already.
    pub(super) fn double(
        &mut self,
        who: usize,
        inviter: usize,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        self.turn_false(who, Trick::Equivocate);
        let Person { watch, calendar, nat, .. } = self.people[who];
        let trust = self.desk.double(who, self.people[who].node.seat());
        // Its clock is behind, so that it counts on from where the other one is, and not from a number of its own.
        let node = self.fresh(trust, agenda.now(), watch, calendar - TWIN_BEHIND_MS);
        let twin = self.people.len();
        let mut person = Person::new(node);
        (person.watch, person.calendar, person.nat) = (watch, calendar, nat);
        self.people.push(person);
        self.turn_false(twin, Trick::Equivocate);
        self.sign_in(twin, agenda)?;
        self.link(inviter, twin, agenda)
    }

    pub(super) fn reload(&mut self, who: usize, agenda: &mut Agenda<What>) -> Result<(), String> {
        for (wire, end) in self.links.of(who) {
            if let Some((_, link)) = self.links.arrive(wire, end) {
                self.links.hang(who, link, end, agenda);
            }
        }
        let Person { watch, calendar, .. } = self.people[who];
        let trust = self.desk.come_back(who, self.people[who].node.seat());
        let mut config = self.config.clone();
        if self.people[who].trick() == Some(Trick::Hoard) {
            config.tree.author_bytes_max *= GREED;
            config.tree.entries_max *= GREED;
            config.tree.value_bytes_max *= GREED;
        }
        if self.keeps_links(who) {
            // It is contradicted, and does not care.
            (config.mesh.unnamed, config.mesh.worn) = (FOR_EVER, FOR_EVER);
            agenda.push(agenda.now(), What::Haunts(who));
        }
        let node = self.fresh_within(config, trust, agenda.now(), watch, calendar);
        self.people[who].renewed(node);
        self.attendance.excuse(who);
        self.sign_in(who, agenda)
    }

    fn fresh(&mut self, trust: Trust, now: Time, watch: Watch, calendar: i64) -> node::Node {
        let config = self.config.clone();
        self.fresh_within(config, trust, now, watch, calendar)
    }

    fn fresh_within(
        &mut self,
        config: node::Config,
        trust: Trust,
        now: Time,
        watch: Watch,
        calendar: i64,
    ) -> node::Node {
        let clock = Timestamp(clock(now).0.saturating_add_signed(calendar));
        node::Node::new(config, watch.shows(now), clock, trust, self.dice.seed())
    }

    fn sign_in(&mut self, who: usize, agenda: &mut Agenda<What>) -> Result<(), String> {
        for path in person::lists() {
            self.tell(who, Input::Do(Command::Subscribe { path }), agenda)?;
        }
        let path = Self::roster(self.people[who].node.me());
        let value = json!({ "name": format!("Person {who}") });
        self.tell(who, Input::Do(Command::Create { path, value, life: Life::Ephemeral }), agenda)
    }
}
