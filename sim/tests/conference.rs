//! Conferences of two to thirty real nodes, and what they promise.

use std::collections::BTreeSet;
use std::time::Duration;

use node::{Command, Life, Listing, Path};
use serde_json::json;
use sim::conference::{Act, Conference, Traffic, What};
use sim::{Weather, World};
use wire::{Dice, Seed, Time};

#[test]
fn everybody_invited_sees_everybody() {
    for (number, size) in [(1, 2), (2, 3), (3, 5), (4, 8), (5, 12)] {
        let mut hall = Hall::filled(number, size);

        hall.pass(20);

        hall.assert_agreed(0..size);
    }
}

#[test]
fn everybody_comes_in_though_frames_are_lost_and_the_roll_is_told_in_pieces() {
    let lossy = Weather { lost_permille: 50, steady: true, ..Weather::fair() };
    let size = 72;
    let mut hall = Hall::filled_in(2, size, lossy);

    hall.pass(60);

    let people = hall.world.story().people();
    for (who, person) in people.iter().enumerate() {
        assert_eq!(person.node.nodes().count(), size, "{who}");
    }
}

#[test]
fn up_to_eight_are_linked_to_everybody() {
    for (number, size) in [(1, 3), (2, 7), (3, 8)] {
        let mut hall = Hall::filled(number, size);

        hall.pass(20);

        for person in hall.world.story().people() {
            assert_eq!(person.node.neighbours().len(), size - 1, "story {number}");
        }
    }
}

#[test]
fn above_eight_everybody_has_at_least_four_links() {
    let mut hall = Hall::filled(1, 30);

    hall.pass(90);

    hall.assert_agreed(0..30);

    let people = hall.world.story().people();
    let links: Vec<usize> = people.iter().map(|person| person.node.neighbours().len()).collect();
    assert!(links.iter().all(|links| *links >= 4), "{links:?}");
    assert!(links.iter().sum::<usize>() <= 30 * 7, "{links:?}");
}

#[test]
fn a_notice_reaches_everybody_once() {
    for number in 0..4 {
        let size = 3 + 5 * number as usize;
        let mut hall = Hall::filled(number, size);
        // Until no link is dropped any more: what is said in that very moment may pass by whom it led to.
        hall.pass(60);

        for who in 0..size {
            hall.act(Act::Shout(who));
            hall.act(Act::Shout(who));
        }
        hall.pass(3);

        for who in 0..size {
            for from in (0..size).filter(|from| *from != who) {
                assert_eq!(hall.heard(who, from), BTreeSet::from([1, 2]), "story {number}");
            }
        }
    }
}

#[test]
fn what_all_write_at_once_ends_equal() {
    for number in 0..8 {
        let size = 2 + number as usize;
        let mut hall = Hall::filled(number, size);
        hall.pass(20);

        for _ in 0..60 {
            hall.scribble(size);
        }
        hall.pass(15);

        hall.assert_agreed(0..size);
    }
}

#[test]
fn two_halves_that_meet_again_agree_and_what_was_deleted_stays_deleted() {
    for number in 0..6 {
        let size = 4 + number as usize;
        let mut hall = Hall::filled(number, size);
        let topic = path("shared/topic");
        hall.pass(20);
        hall.write(0, &topic);
        hall.write(1, &path("shared/agenda"));
        hall.pass(3);

        let half = size / 2;
        hall.act(Act::Split(vec![(0..half).collect(), (half..size).collect()]));
        hall.pass(15);
        hall.act(Act::Do(size - 1, Command::Delete { path: topic.clone() }));
        for _ in 0..20 {
            hall.scribble(size);
        }
        hall.pass(15);
        hall.assert_agreed(0..half);
        hall.assert_agreed(half..size);
        hall.act(Act::Heal);
        hall.act(Act::Link(0, size - 1));
        hall.pass(30);

        hall.assert_agreed(0..size);
        assert_eq!(hall.world.story().people()[0].node.get(&topic), None, "story {number}");
    }
}

#[test]
fn a_crash_is_noticed_by_everybody_within_fifteen_seconds() {
    for number in 0..5 {
        let size = 3 + 3 * number as usize;
        let mut hall = Hall::filled(number, size);
        hall.pass(20);
        let crashed = hall.dice.below(size as u64) as usize;
        let name = hall.world.story().people()[crashed].node.me();

        let at = hall.world.now();
        hall.act(Act::Crash(crashed));
        hall.pass(16);

        for (n, person) in hall.world.story().people().iter().enumerate() {
            if n != crashed {
                let gone = person.gone_at(name).expect("it is noticed");
                assert!(
                    gone - at < Duration::from_secs(15),
                    "story {number}: {n} after {:?}",
                    gone - at
                );
            }
        }
    }
}

#[test]
fn a_short_sleep_harms_nobody_and_a_long_one_ends_with_a_new_link() {
    let mut hall = Hall::filled(3, 5);
    hall.pass(20);

    hall.act(Act::Sleep(2));
    hall.pass(2);
    hall.act(Act::Wake(2));
    hall.pass(5);
    hall.assert_agreed(0..5);

    hall.act(Act::Sleep(2));
    hall.write(0, &path("shared/while-away"));
    hall.pass(60);
    hall.act(Act::Wake(2));
    hall.pass(20);
    hall.act(Act::Link(0, 2));
    hall.pass(20);
    hall.assert_agreed(0..5);
}

#[test]
fn whoever_leaves_is_gone_at_once_but_what_was_said_stays() {
    let mut hall = Hall::filled(5, 6);
    hall.pass(20);
    let name = hall.world.story().people()[5].node.me();
    hall.act(Act::Do(5, line("goodbye")));
    hall.pass(1);

    let at = hall.world.now();
    hall.act(Act::Leave(5));
    hall.pass(5);

    for person in &hall.world.story().people()[..5] {
        assert!(person.gone_at(name).expect("it is noticed") - at < Duration::from_secs(1));
        assert_eq!(
            person.view().iter().filter(|(path, ..)| path.starts_with("messages")).count(),
            1
        );
    }
    hall.assert_agreed(0..5);
}

#[test]
fn of_two_that_create_the_same_one_wins_and_the_other_hears_it() {
    let mut hall = Hall::filled(2, 4);
    hall.pass(20);
    let place = path("shared/lock");

    for who in [1, 3] {
        let (path, value) = (place.clone(), json!({ "holder": who }));
        hall.act(Act::Do(who, Command::Create { path, value, life: Life::Lasting }));
    }
    hall.pass(5);

    hall.assert_agreed(0..4);
    let people = hall.world.story().people();
    let losers: Vec<usize> = (0..4).filter(|n| !people[*n].refused().is_empty()).collect();
    assert!(losers == [1] || losers == [3], "{losers:?}");
}

#[test]
fn rubbish_costs_only_the_links_it_came_over() {
    let mut hall = Hall::filled(4, 6);
    hall.pass(20);

    hall.act(Act::Rubbish(2));
    hall.pass(2);
    hall.act(Act::Shout(0));
    hall.pass(2);

    for who in [1, 3, 4, 5] {
        assert_eq!(hall.heard(who, 0), BTreeSet::from([1]));
    }
    hall.pass(20);
    // It is invited again, and behaves.
    hall.assert_agreed(0..6);
}

#[test]
fn a_line_of_chat_costs_one_message_for_each_listener() {
    for size in [3, 7] {
        let mut hall = Hall::filled(1, size);
        hall.pass(20);
        let before = hall.traffic();

        hall.act(Act::Do(1, line("Shall we have lunch together at noon?")));
        hall.pass(2);

        let spent = hall.spent(before);
        assert_eq!(spent.frames, size as u64 - 1);
        assert!(spent.bytes < 185 * (size as u64 - 1), "{spent:?}");
    }
}

#[test]
fn the_last_to_join_seven_brings_little_traffic() {
    let mut hall = Hall::filled(1, 6);
    hall.pass(20);
    let before = hall.traffic();

    hall.act(Act::Join(Some(0)));
    hall.pass(10);

    let spent = hall.spent(before);
    // Six links are proved, five of them signalled in sealed steps of 256 bytes, and one certificate goes to all.
    let other = spent.bytes - spent.signals;
    assert!(spent.frames < 310 && spent.signals < 20_000 && other < 18_000, "{spent:?}");
}

#[test]
fn a_page_that_is_reloaded_is_itself_again() {
    let mut hall = Hall::filled(2, 5);
    hall.pass(10);
    hall.act(Act::Do(3, line("before")));
    hall.pass(2);

    hall.act(Act::Reload(3));
    hall.act(Act::Link(0, 3));
    hall.act(Act::Do(3, line("after")));
    hall.pass(20);

    hall.assert_agreed(0..5);
    let people = hall.world.story().people();
    assert_eq!(people[1].node.nodes().count(), 5);
    // It goes on from what it said before.
    let lines = people[3].node.list(&path("messages"), Listing::default());
    assert_eq!(lines.len(), 2);
}

#[test]
fn coming_and_going_for_long_stays_small() {
    let mut hall = Hall::filled(8, 6);
    hall.pass(10);

    for round in 0..12 {
        let size = hall.world.story().people().len();
        hall.act(Act::Join(Some(0)));
        hall.pass(4);
        hall.act(if round % 2 == 0 { Act::Crash(size) } else { Act::Leave(size) });
        hall.pass(16);
    }

    hall.assert_agreed(0..6);
    hall.pass(720);

    // What is left of the twelve: their number, and the record of those who left properly.
    let weight = hall.world.story().people()[1].node.weight();
    assert_eq!(weight.authors, 18);
    assert!(weight.entries <= 12 + 6, "{weight:?}");
}

#[test]
fn three_thousand_who_came_and_went_cost_those_who_are_there_little() {
    const THERE: usize = 4;
    let world = World::quiet(9, Conference::new(9, Weather::fair()));
    let mut hall = Hall::of(world, 9, THERE);
    hall.pass(10);
    let size = |hall: &Hall| hall.world.story().people().len();

    // Who has been there longest leaves, and somebody else comes.
    while size(&hall) < 3_000 {
        let newcomer = size(&hall);
        hall.act(Act::Join(Some(newcomer - 1)));
        hall.pass(1);
        hall.act(Act::Leave(newcomer - THERE));
    }
    // Longer than those who are away are remembered.
    hall.pass(720);

    let last = size(&hall) - THERE..size(&hall);
    hall.assert_agreed(last.clone());
    for who in last {
        let node = &hall.world.story().people()[who].node;
        assert_eq!(node.nodes().count(), THERE);
        // Of those who left: their number, and what keeps it from being taken anew.
        let weight = node.weight();
        assert_eq!(weight.authors, 3_000);
        assert!(weight.entries <= 2 * THERE && weight.bytes < 1_000, "{weight:?}");
    }
}

#[test]
fn random_stories_end_well() {
    // In the last three somebody came back by records of before, and was lost again.
    for number in (100..108).chain([1_318, 1_742, 2_291]) {
        let mut hall = Hall::filled(number, 9);
        hall.pass(5);

        for _ in 0..25 {
            hall.adventure(9);
            let pause = hall.dice.below(4);
            hall.pass(pause);
        }
        hall.act(Act::Heal);
        (0..9).for_each(|who| hall.act(Act::Wake(who)));
        (0..9).for_each(|who| hall.act(Act::Link(who, (who + 1) % 9)));
        hall.pass(45);

        hall.assert_agreed(0..9);
    }
}

#[test]
fn equal_seeds_tell_equal_stories() {
    let tell = || {
        let mut hall = Hall::filled(9, 9);
        for _ in 0..20 {
            hall.adventure(9);
            hall.pass(1);
        }
        (hall.traffic(), hall.world.steps())
    };

    assert_eq!(tell(), tell());
}

fn path(text: &str) -> Path {
    text.parse().expect("tests name paths well")
}

fn line(text: &str) -> Command {
    Command::Add { path: path("messages"), value: json!({ "text": text }), life: Life::Lasting }
}

/// A conference being told.
struct Hall {
    world: World<Conference>,
    dice: Dice,
}

impl Hall {
    /// `size` people, each invited by a random one before, a fifth of a second apart.
    fn filled(number: u64, size: usize) -> Self {
        Self::filled_in(number, size, Weather::fair())
    }

    fn filled_in(number: u64, size: usize, weather: Weather) -> Self {
        let world = World::new(number, Conference::new(number, weather));
        Self::of(world, number, size)
    }

    fn of(world: World<Conference>, number: u64, size: usize) -> Self {
        let mut hall = Self { world, dice: Dice::new(Seed::story(number + 1_000)) };
        for who in 0..size {
            let inviter = hall.dice.below(who as u64) as usize;
            hall.act(Act::Join((who > 0).then_some(inviter)));
            hall.pass_for(Duration::from_millis(200));
        }
        hall
    }

    fn act(&mut self, act: Act) {
        self.world.push(self.world.now(), What::Act(act));
        self.pass_for(Duration::ZERO);
    }

    fn pass(&mut self, seconds: u64) {
        self.pass_for(Duration::from_secs(seconds));
    }

    fn pass_for(&mut self, span: Duration) {
        let last: Time = self.world.now() + span;
        if let Err(broken) = self.world.run_until(last, 1_000_000) {
            panic!("{broken}");
        }
    }

    fn write(&mut self, who: usize, path: &Path) {
        let (path, value) = (path.clone(), json!({ "by": who }));
        self.act(Act::Do(
            who,
            Command::Update { path, value, partial: false, life: Life::Lasting },
        ));
    }

    /// Somebody writes something somewhere.
    fn scribble(&mut self, size: usize) {
        let who = self.dice.below(size as u64) as usize;
        let place = path(&format!("shared/{}", self.dice.below(5)));
        let value = json!({ "n": self.dice.below(1_000) });
        let life = if self.dice.below(4) == 0 { Life::Ephemeral } else { Life::Lasting };
        let command = match self.dice.below(6) {
            0 => Command::Create { path: place, value, life },
            1 => Command::Update { path: place, value, partial: true, life },
            2 => Command::Update { path: place, value, partial: false, life },
            3 => Command::Delete { path: place },
            _ => line("hello"),
        };
        self.act(Act::Do(who, command));
        let pause = self.dice.below(120);
        self.pass_for(Duration::from_millis(pause));
    }

    /// Something happens to somebody.
    fn adventure(&mut self, size: usize) {
        let who = self.dice.below(size as u64) as usize;
        let other = self.dice.below(size as u64) as usize;
        match self.dice.below(12) {
            0 => self.act(Act::Sleep(who)),
            1 => self.act(Act::Wake(who)),
            2 if who != other => self.act(Act::Cut(who, other)),
            3 if who != other => self.act(Act::Link(who, other)),
            4 => {
                let group = (0..size).filter(|_| self.dice.below(2) == 0).collect();
                self.act(Act::Split(vec![group]));
            }
            5 => self.act(Act::Heal),
            6 => self.act(Act::Shout(who)),
            7 => self.act(Act::Rubbish(who)),
            _ => self.scribble(size),
        }
    }

    fn heard(&self, who: usize, from: usize) -> BTreeSet<u64> {
        let people = self.world.story().people();
        people[who].heard(people[from].node.me())
    }

    fn traffic(&self) -> Traffic {
        self.world.story().traffic()
    }

    fn spent(&self, before: Traffic) -> Traffic {
        let now = self.traffic();
        Traffic {
            frames: now.frames - before.frames,
            casts: now.casts - before.casts,
            bytes: now.bytes - before.bytes,
            signals: now.signals - before.signals,
            beats: now.beats - before.beats,
        }
    }

    fn assert_agreed(&self, who: impl IntoIterator<Item = usize>) {
        let who: BTreeSet<usize> = who.into_iter().collect();
        let story = self.world.story();
        let agreed = story
            .agree(&who)
            .and_then(|()| who.iter().try_for_each(|n| story.people()[*n].believes_right()));
        if let Err(promise) = agreed {
            panic!("{}", self.world.broken(promise));
        }
    }
}
