//! Benchmarks: what the bars of this project ask, measured beside its peers in one run, told in `docs/benchmarks.md`.
//!
//! A *section* is a module with one function from a [`Place`] to [`Findings`], and a line in [`SECTIONS`].
//! What it finds is a list of bars (measured, against an anchor, against what is asked) and tables of details; the page
//! is made of them, and a section that is run alone replaces only its own part of the page.
//!
//! ```text
//!   cargo xtask bench storage ─▶ bench ROOT TARGET storage ─▶ section ─▶ Findings ─▶ terminal, docs/benchmarks.md
//! ```
//!
//! **Invariant:** a ratio is of two things measured in the same run, or names the source of the other.
//! **Invariant:** nothing here fails because the machine is slow: a bar that is missed is told, and judged by people.
#![expect(clippy::print_stdout, reason = "it is a tool for a terminal")]

mod broadcast;
mod broker;
mod conference;
mod findings;
mod gossip;
mod page;
mod place;
mod push;
mod size;
mod storage;

use anyhow::{Result, bail};

use findings::Findings;
use place::Place;

/// One part of the page.
struct Section {
    /// How it is called on the command line and on the page.
    name: &'static str,
    /// What it is about, as a sentence for readers of the page.
    about: &'static str,
    /// Measures.
    run: fn(&Place) -> Result<Findings>,
}

/// All sections, in the order of the page.
const SECTIONS: &[Section] = &[
    Section {
        name: "conference",
        about: "What a conference costs its participants, in simulated networks of real nodes, against what a browser \
                conference of 2024 cost when we measured it.",
        run: conference::run,
    },
    Section {
        name: "broadcast",
        about: "Reaching everybody: our nodes in the simulator beside the protocol of iroh-gossip.",
        run: broadcast::run,
    },
    Section {
        name: "storage",
        about: "The shared tree beside replicated stores of others, under one workload.",
        run: storage::run,
    },
    Section {
        name: "broker",
        about: "What a server costs that brings PeerJS clients together, beside PeerServer and beside a relay that does \
            nothing but relay.",
        run: broker::run,
    },
    Section {
        name: "push",
        about: "Waking the devices of somebody, beside a design that sends to one after the other; and among a million users.",
        run: push::run,
    },
    Section {
        name: "size",
        about: "What a page loads before it can talk to anybody.",
        run: size::run,
    },
];

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    if std::env::args().nth(1).is_some_and(|word| word == broker::BARE) {
        return broker::serve_bare();
    }
    if std::env::args().nth(1).is_some_and(|word| word == push::ONE_BY_ONE) {
        return push::serve_one_by_one(&std::env::args().skip(2).collect::<Vec<_>>());
    }
    let (Some(root), Some(target)) = (args.next(), args.next()) else {
        bail!("usage: bench ROOT TARGET [SECTION…]; `cargo xtask bench` says it all");
    };
    let place = Place::new(root.into(), target.into())?;
    let wanted: Vec<String> = args.collect();
    for name in &wanted {
        if !SECTIONS.iter().any(|section| section.name == name) {
            let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
            bail!("there is no section {name}: choose from {}", names.join(", "));
        }
    }

    for section in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|name| name == section.name) {
            println!("── {}", section.name);
            let findings = (section.run)(&place)?;
            let text = page::part(section, &findings, &place);
            println!("{text}");
            page::replace(&place, section.name, &text)?;
        }
    }
    println!("written: {}", place.page().display());
    Ok(())
}
