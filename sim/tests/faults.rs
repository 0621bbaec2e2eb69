//! One fault at a time, again and again while people talk: afterwards all is well, whatever it was.

use sim::conference::Surroundings;
use sim::menu::{Fault, Menu, Nat, Spread};
use sim::trial::{Conditions, Plan, Report, Shape, run};

/// Tells a story under these conditions, and looks at what must hold after it.
fn tell(nodes: usize, conditions: Conditions) -> Report {
    let plan = Plan { nodes, shape: Shape::None, conditions, ..Plan::default() };
    let command = plan.command();
    let report = run(&plan).unwrap_or_else(|broken| panic!("{command}\n{broken}"));
    assert!(report.holds(), "{command}\n{}", sim::report::table(&report));
    report
}

fn one(fault: Fault) {
    let conditions = Conditions { menu: Menu::of([fault]), span: 40, ..Conditions::default() };
    let report = tell(10, conditions);
    assert!(report.measures.iter().any(|measure| measure.name == "rough_agree"));
}

#[test]
fn people_who_crash_and_are_replaced() {
    one(Fault::Crash);
}

#[test]
fn pages_that_hang_for_half_a_minute() {
    one(Fault::Freeze);
}

#[test]
fn lids_that_are_closed_and_opened() {
    one(Fault::Sleep);
}

#[test]
fn pages_that_are_loaded_anew() {
    one(Fault::Reload);
}

#[test]
fn clocks_that_jump_half_a_minute() {
    one(Fault::Jump);
}

#[test]
fn calendars_that_are_an_hour_off() {
    one(Fault::Calendar);
}

#[test]
fn links_that_carry_one_way_only() {
    one(Fault::HalfOpen);
}

#[test]
fn links_that_stall_one_by_one() {
    one(Fault::Clog);
}

#[test]
fn islands_that_meet_and_part() {
    one(Fault::Islands);
}

#[test]
fn a_third_that_leaves_at_once() {
    one(Fault::MassLeave);
}

#[test]
fn two_who_link_to_each_other_at_once() {
    one(Fault::Glare);
}

#[test]
fn all_but_two_who_leave_and_as_many_who_come() {
    one(Fault::Churn);
}

#[test]
fn frames_that_are_lost() {
    one(Fault::Loss);
}

#[test]
fn frames_that_come_twice() {
    one(Fault::Doubles);
}

#[test]
fn frames_that_overtake_each_other() {
    one(Fault::Reorder);
}

#[test]
fn people_whom_translators_of_addresses_keep_apart() {
    let nats = vec![Nat::Open, Nat::Port, Nat::Symmetric];
    let surroundings = Surroundings { nats, has_relay: false, skew_max: 0 };
    tell(12, Conditions { surroundings, ..Conditions::default() });
}

#[test]
fn slow_lopsided_links_across_continents_and_clocks_that_run_wrong() {
    let surroundings = Surroundings { nats: Vec::new(), has_relay: false, skew_max: 10_000 };
    let (spread, lopsided, bandwidth) = (Spread::Continents, true, 50);
    tell(12, Conditions { surroundings, spread, lopsided, bandwidth, ..Conditions::default() });
}

#[test]
fn everything_at_once() {
    // Without calendars: when islands form, two who are an hour off may meet first, and then neither gives in.
    let all = Fault::ALL.into_iter().filter(|fault| *fault != Fault::Calendar);
    tell(12, Conditions { menu: Menu::of(all), ..Conditions::default() });
}
