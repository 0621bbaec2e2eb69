//! The conformance suite: each case on the real PeerServer and on ours, or on a server that runs already.
//!
//! `PEERJS_SERVER=host:port cargo test -p tests --test conformance` tries the server there, with what is alike on all.

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use tests::peerjs::Kind;
use tests::peerjs::conformance::{Case, Target, cases, table};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match std::env::var("PEERJS_SERVER") {
        Ok(address) => elsewhere(&address),
        Err(_) => everywhere(),
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// All cases on both, and what is written about them.
fn everywhere() -> Vec<Trial> {
    let on_both = cases().into_iter().flat_map(|case| {
        [(case.reference, "peerserver"), (Kind::Hullo, "hullo")].map(|(kind, whose)| {
            trial(&format!("{whose}::{}", case.name), case, move || Target::ours(kind, &case.setup))
        })
    });
    on_both
        .chain([Trial::test("docs::every_difference_is_told", || {
            differences_are_told();
            Ok(())
        })])
        .collect()
}

/// What any server must do as it comes out of the box.
fn elsewhere(address: &str) -> Vec<Trial> {
    let usual = |case: &&Case| {
        case.is_alike()
            && case.setup == tests::peerjs::Setup::USUAL
            && case.reference == Kind::PeerServer
    };
    let cases = cases().into_iter().filter(usual);
    cases
        .map(|case| {
            let address = address.to_owned();
            trial(case.name, case, move || Target::foreign(&address))
        })
        .collect()
}

fn trial(
    name: &str,
    case: &'static Case,
    target: impl FnOnce() -> Target + Send + 'static,
) -> Trial {
    Trial::test(name, move || {
        case.prove(&target());
        Ok::<(), Failed>(())
    })
}

/// The table in the documentation is the one that the cases make.
fn differences_are_told() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/peerserver.md");
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(text.contains(&table()), "docs/peerserver.md must hold this table:\n\n{}", table());
}
