//! One who plays false among eleven who do not: the honest ones see the same, show nothing that nobody wrote, hold no more
//! than they must, and stay together.

use sim::conference::Trick;
use sim::trial::{Conditions, Plan, run};

fn one(trick: Trick) {
    let conditions = Conditions { tricks: vec![trick], span: 30, ..Conditions::default() };
    let plan = Plan { nodes: 12, conditions, ..Plan::default() };
    let command = plan.command();

    let report = run(&plan).unwrap_or_else(|broken| panic!("{command}\n{broken}"));

    for name in ["rough_agree", "shouts_lost", "whispers_lost"] {
        let measure = report.measures.iter().find(|measure| measure.name == name);
        assert!(
            measure.is_some_and(sim::trial::Measure::holds),
            "{name}: {command}\n{}",
            sim::report::table(&report)
        );
    }
}

#[test]
fn a_flood_wastes_only_the_links_of_its_sender() {
    one(Trick::Flood);
}

#[test]
fn bits_that_are_turned_over_are_noticed() {
    one(Trick::Flip);
}

#[test]
fn frames_that_are_cut_short_are_noticed() {
    one(Trick::Truncate);
}

#[test]
fn what_is_said_again_is_not_heard_again() {
    one(Trick::Replay);
}

#[test]
fn a_black_hole_is_gone_around() {
    one(Trick::BlackHole);
}

#[test]
fn whoever_keeps_messages_to_others_deceives_nobody_with_a_receipt() {
    one(Trick::Swallow);
}

#[test]
fn links_that_there_are_not_lead_nobody_astray_and_keep_nobody_alive() {
    one(Trick::FalseLinks);
}

#[test]
fn whoever_withholds_is_not_the_only_one_who_is_asked() {
    one(Trick::Withhold);
}

#[test]
fn what_was_forged_on_its_way_is_not_believed() {
    one(Trick::Forge);
}

#[test]
fn whoever_contradicts_itself_confuses_nobody() {
    one(Trick::Equivocate);
}

#[test]
fn whoever_speaks_in_the_names_of_others_silences_nobody() {
    one(Trick::Pose);
}

#[test]
fn what_is_left_out_is_missed() {
    one(Trick::Trim);
}

#[test]
fn whoever_writes_more_than_it_may_is_read_no_further_than_that() {
    one(Trick::Hoard);
}

#[test]
fn whoever_invites_more_than_it_may_brings_in_no_more() {
    one(Trick::Sybil);
}
