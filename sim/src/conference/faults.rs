//! What people suffer beside cuts and crashes: clocks, translators of addresses, and their own falseness.

use std::time::Duration;

use wire::{Dice, LinkId};

use super::hostile::{Liar, Trick};
use super::watch::Watch;
use super::{Conference, State, What};
use crate::Agenda;
use crate::menu::Nat;
use node::Input;

/// How often somebody who goes on with links that there are not hears over them that all is well.
const HAUNTS: Duration = Duration::from_secs(1);

/// What it hears.
const BEAT: [u8; 5] = [0; 5];

/// What people are placed in when they arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// What they are behind, each as likely as any other; nothing when empty.
    pub nats: Vec<Nat>,
    /// Whether those who cannot meet are helped by a relay.
    pub has_relay: bool,
    /// By how many millionths a clock may run too fast or too slow.
    pub skew_max: u32,
}

impl Surroundings {
    pub(crate) fn nat(&self, dice: &mut Dice) -> Nat {
        match self.nats.len() {
            0 => Nat::default(),
            count => self.nats[dice.below(count as u64) as usize],
        }
    }

    pub(crate) fn watch(&self, dice: &mut Dice) -> Watch {
        match self.skew_max {
            0 => Watch::default(),
            most => {
                let throw = dice.below(2 * u64::from(most) + 1);
                Watch::with_skew(throw as i64 - i64::from(most))
            }
        }
    }

    pub(crate) fn lets_meet(&self, [one, other]: [Nat; 2]) -> bool {
        self.has_relay || one.meets(other)
    }
}

impl Conference {
    /// Places those who arrive from now on.
    pub fn place(&mut self, surroundings: Surroundings) {
        self.surroundings = surroundings;
    }

    /// The conference that is founded next lets one member, but for the founder, invite so many.
    pub fn limit_invites(&mut self, most: u16) {
        self.desk.limit_invites(most);
    }

    /// While it is rough, nobody is held to how soon they miss those who crash from then on: who sleeps, or is cut off,
    /// cannot know. In the calm that follows all must.
    pub fn is_rough_from_now_on(&mut self, is_rough: bool) {
        self.is_rough = is_rough;
        self.attendance.restart();
    }

    /// The number of the last notice that somebody said.
    #[must_use]
    pub fn last_notice(&self, who: usize) -> u64 {
        self.shouts.get(&who).copied().unwrap_or(0)
    }

    /// Lets those who arrive from now on have these bounds.
    pub fn bound(&mut self, config: node::Config) {
        self.config = config;
    }

    pub(crate) fn jump(
        &mut self,
        who: usize,
        by: Duration,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        self.people[who].watch.jump(by);
        if self.people[who].state == State::Awake {
            self.tell(who, Input::Timeout, agenda)?;
        }
        Ok(())
    }

    /// Somebody goes on, and hears what has come meanwhile.
    pub(crate) fn wake(&mut self, who: usize, agenda: &mut Agenda<What>) -> Result<(), String> {
        let now = agenda.now();
        self.people[who].wake(now);
        // It may still count on links that are gone, and others on it.
        self.attendance.restart();
        for (end, wire, frame) in self.people[who].take_waiting() {
            agenda.push(now, What::Arrives { wire, end, frame });
        }
        self.links.flush_again(Some(who), agenda);
        self.tell(who, Input::Timeout, agenda)
    }

    pub(crate) fn turn_false(&mut self, who: usize, trick: Trick) {
        self.people[who].liar = Some(Liar::new(trick));
        self.truth.distrust(self.people[who].node.me());
    }

    /// Whether somebody goes on with links that there are not.
    pub(super) fn keeps_links(&self, who: usize) -> bool {
        self.people[who].trick() == Some(Trick::FalseLinks)
    }

    /// It hears over all its links that the others are there, whether they are or not.
    pub(super) fn haunt(&mut self, who: usize, agenda: &mut Agenda<What>) -> Result<(), String> {
        for (wire, end) in self.links.of(who) {
            if let Some((_, link)) = self.links.arrive(wire, end) {
                let frame = BEAT.to_vec();
                self.try_tell(who, Input::Received { link, frame }, agenda)?.ok();
            }
        }
        agenda.push(agenda.now() + HAUNTS, What::Haunts(who));
        Ok(())
    }

    /// Sends what the node of `who` said, or what `who` makes of it.
    pub(crate) fn send(
        &mut self,
        who: usize,
        link: LinkId,
        frame: Vec<u8>,
        agenda: &mut Agenda<What>,
    ) -> Result<(), String> {
        let me = self.people[who].node.me();
        let reader = self.links.reader(who, link).filter(|_| self.keeps_links(who));
        if reader.is_some_and(|reader| self.keeps_links(reader)) && !Liar::keeps_up(&frame) {
            return Ok(());
        }
        let Some(liar) = &mut self.people[who].liar else {
            return self.links.send(who, link, frame, agenda);
        };
        for frame in liar.turn(me, frame, &mut self.dice) {
            // Whoever plays false lets as much wait as it likes: what it cannot send is its own loss.
            self.links.send(who, link, frame, agenda).ok();
        }
        Ok(())
    }
}
