//! More than anybody can take.

use tests::peerjs::Setup;

use crate::Scene;
use crate::raw::{Raw, text};

#[test]
fn a_million_addresses_cost_bounded_memory() {
    let mut scene = Scene::begin();
    let mut raw = Raw::enter(&scene.server, "mallory");
    raw.listens_apart();

    let mut sent = 0_u32;
    while sent < 1_000_000 {
        let batch: Vec<u8> = (sent..sent + 1000)
            .flat_map(|n| text(&format!(r#"{{"type":"OFFER","dst":"nobody-{n}","payload":"x"}}"#)))
            .collect();
        if !raw.says(&batch) {
            break;
        }
        sent += 1000;
    }

    println!("{sent} messages were taken");
    scene.is_unharmed("a million addresses");
}

#[test]
fn who_does_not_read_costs_bounded_memory_and_is_cut_off() {
    let mut scene = Scene::with(&Setup { discovery: true, ..Setup::USUAL });
    let reader = Raw::enter(&scene.server, "sleeper");

    flood(&mut scene);

    scene.is_gone("sleeper");
    // And hears no more than what lay in the buffers of the system.
    let heard = reader.ends().len();
    assert!(heard < 64 << 20, "{heard} bytes");
    scene.is_unharmed("the end of one who does not read");
}

#[test]
fn who_does_not_read_a_stream_costs_bounded_memory() {
    let mut scene = Scene::begin();
    let reader = Raw::enter_by_stream(&scene.server, "sleeper");

    flood(&mut scene);

    drop(reader);
    scene.is_unharmed("the end of one who did not read a stream");
}

/// Sends two hundred megabytes to the sleeper.
#[track_caller]
fn flood(scene: &mut Scene) {
    let mut sender = Raw::enter(&scene.server, "mallory");
    sender.listens_apart();
    let message =
        text(&format!(r#"{{"type":"OFFER","dst":"sleeper","payload":"{}"}}"#, "x".repeat(16_000)));
    let mut sent = 0;
    while sent < 12_500 && sender.says(&message) {
        sent += 1;
    }
    println!("{sent} messages were taken");
    scene.is_unharmed("one who does not read");
}

#[test]
fn many_who_come_and_go_leave_nothing_behind() {
    let mut scene = Scene::with(&Setup::USUAL);
    for round in 0..3_000 {
        let mut raw = Raw::enter(&scene.server, &format!("passer-by-{round}"));
        raw.says(&text(&format!(
            r#"{{"type":"OFFER","dst":"passer-by-{}","payload":"x"}}"#,
            round + 1
        )));
    }

    scene.is_unharmed("three thousand who came and went");
}
