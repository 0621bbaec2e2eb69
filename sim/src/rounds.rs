//! Many trials: the fixed ones that every change must pass, and fresh ones for as long as there is time.

use wire::{Dice, Seed};

use crate::conference::{Surroundings, Trick};
use crate::menu::{Fault, Menu, Nat, Spread};
use crate::trial::{Conditions, Plan, Shape};

/// The plans that every change must pass: small and large, fair and lossy, every shape of partition.
#[must_use]
pub fn fixed() -> Vec<Plan> {
    let plan = |nodes, loss, shape, crash, seed| Plan {
        nodes,
        loss,
        shape,
        crash,
        seed,
        ..Plan::default()
    };
    let mut plans = vec![
        plan(2, 0, Shape::Halves, 0, 1),
        plan(3, 0, Shape::One, 0, 1),
        plan(7, 0, Shape::Halves, 20, 1),
        plan(8, 2, Shape::Flapping, 20, 1),
        plan(9, 0, Shape::Thirds, 20, 1),
    ];
    for (seed, shape) in (1..).zip(Shape::ALL) {
        plans.push(plan(30, 0, shape, 10 * seed.min(4), seed));
        plans.push(plan(15, 5, shape, 0, seed));
    }
    plans.push(plan(100, 0, Shape::Thirds, 20, 1));
    // Somebody lost all neighbours, and was found late, since others were missed from before.
    plans.push(plan(100, 0, Shape::None, 40, 7));
    // News of those who crashed reached some late, since a write said just before had not.
    plans.push(plan(30, 0, Shape::Thirds, 30, 43));
    // The last link between two sides was about to be dropped when those by way of whom they knew each other crashed.
    plans.push(plan(21, 0, Shape::Halves, 30, 16_877_414_912_883));
    // Parts that met one by one brought back, again and again, those who were out of reach.
    plans.push(soak(676_111, 44));
    // Somebody took back links that it was about to drop, and kept twenty for ever.
    plans.push(soak(987_654, 64));
    // Where there are many, links are kept, and what all say at once after a crash comes to be known in time.
    plans.push(plan(300, 0, Shape::None, 40, 3));
    // Links that there are not, and messages to one that are kept and acknowledged.
    let tricks = vec![Trick::FalseLinks, Trick::Swallow];
    let menu = Menu::of([Fault::Crash, Fault::MassLeave]);
    let conditions = Conditions { menu, tricks, span: 40, ..Conditions::default() };
    plans.push(Plan { conditions, ..plan(20, 0, Shape::Halves, 10, 2) });
    plans
}

/// What goes wrong in one of the plans of a soak: half of them are plain.
fn conditions(dice: &mut Dice, nodes: usize) -> Conditions {
    let mut conditions = Conditions::default();
    if nodes < 4 || dice.below(2) == 0 {
        return conditions;
    }
    let some = dice.below(1 << Fault::ALL.len());
    let chosen = Fault::ALL.into_iter().enumerate().filter(|(n, _)| some >> n & 1 == 1);
    let chosen = chosen.map(|(_, fault)| fault);
    // Two whose calendars are an hour off may meet on an island first, and then neither gives in.
    conditions.menu = Menu::of(chosen.filter(|fault| *fault != Fault::Calendar));
    conditions.span = 20 + dice.below(60);
    conditions.spread = Spread::ALL[dice.below(Spread::ALL.len() as u64) as usize];
    conditions.lopsided = dice.below(2) == 0;
    conditions.bandwidth = [0, 0, 100, 1_000][dice.below(4) as usize];
    if dice.below(2) == 0 {
        conditions.surroundings =
            Surroundings { nats: Nat::ALL.to_vec(), has_relay: true, skew_max: 1_000 };
    }
    if nodes >= 12 && dice.below(2) == 0 {
        let trick = Trick::ALL[dice.below(Trick::ALL.len() as u64) as usize];
        // Where few may invite many, all others who come by the same few are kept out too.
        if trick != Trick::Sybil || conditions.menu.is_empty() {
            conditions.tricks = vec![trick];
        }
    }
    conditions
}

/// Plan number `n` of a soak with this seed.
#[must_use]
pub fn soak(seed: u64, n: u64) -> Plan {
    let mut dice = Dice::new(Seed::story(seed.wrapping_mul(1_000_003).wrapping_add(n)));
    let nodes = match dice.below(4) {
        0 => 2 + dice.below(7),
        1 | 2 => 9 + dice.below(32),
        _ => 40 + dice.below(80),
    };
    let shape = Shape::ALL[dice.below(Shape::ALL.len() as u64) as usize];
    let (crash, seed) = (10 * dice.below(4), dice.bits() >> 20);
    let conditions = conditions(&mut dice, nodes as usize);
    Plan { nodes: nodes as usize, loss: 0, shape, crash, seed, conditions }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_of_a_round_makes_sense() {
        for plan in fixed().into_iter().chain((0..200).map(|n| soak(7, n))) {
            assert_eq!(plan.clone().settled(), Ok(plan));
        }
    }

    #[test]
    fn a_soak_is_told_by_its_seed() {
        assert_eq!(soak(1, 5), soak(1, 5));
        assert_ne!(soak(1, 5), soak(2, 5));
        assert_ne!(soak(1, 5), soak(1, 6));
    }
}
