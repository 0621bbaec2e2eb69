//! What a server of PeerJS costs: PeerServer, ours, and a relay that does nothing but relay.
//!
//! The cost is processor time of the server's process, as the system counts it, so that neighbours on the machine
//! matter little; the load comes from our own process, one thread of it. Each measurement has a fresh server.

mod bare;
mod clients;
mod load;
mod measure;

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tests::peerjs::{Kind, Service, Setup};

use crate::findings::{Bar, Findings, Limit, Table, number};
use crate::place::Place;
use measure::{Connects, Flood, Latency, Relay, Storm};

pub(crate) use bare::serve as serve_bare;

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contender {
    PeerServer,
    Hullo,
    Bare,
}

const CONTENDERS: [Contender; 3] = [Contender::PeerServer, Contender::Hullo, Contender::Bare];

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::PeerServer => "PeerServer",
            Self::Hullo => "Hullo",
            Self::Bare => "bare relay",
        }
    }

    /// Starts it anew.
    fn start(self) -> Result<Running> {
        let setup = Setup { limit: 100_000, ..Setup::USUAL };
        let service = match self {
            Self::PeerServer => Service::start(Kind::PeerServer, &setup, &[]),
            Self::Hullo => Service::start(Kind::Hullo, &setup, &[]),
            Self::Bare => {
                let program = std::env::current_exe().context("a running program has a path")?;
                Service::run(&[&program.to_string_lossy(), BARE])
            }
        };
        let address = service.origin.trim_start_matches("http://");
        let address = address.parse().with_context(|| format!("{address} is no address"))?;
        Ok(Running { service, address })
    }
}

/// The word by which this program is asked to be the bare relay.
pub(crate) const BARE: &str = "--bare-relay";

/// A contender's process.
struct Running {
    service: Service,
    address: SocketAddr,
}

/// What was measured of one contender.
struct Figures {
    connects: Connects,
    relays: Vec<Relay>,
    storm: Storm,
    latency: Latency,
    /// None of the bare relay, which has nothing against it.
    slow_reader: Option<Flood>,
    nobody: Option<Flood>,
}

/// Measures.
pub(crate) fn run(place: &Place) -> Result<Findings> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut all = Vec::new();
    for contender in CONTENDERS {
        println!("   {}", contender.name());
        all.push(runtime.block_on(figures(contender))?);
    }
    let [peerserver, hullo, bare] = &all[..] else { unreachable!("there are three of them") };

    let mut findings = Findings::default();
    findings.peers.push(format!("npm's peer {}", npm_version(place)?));
    findings.peers.push("a bare relay (a map of sockets, two threads, no parsing)".to_owned());
    findings.notes.push(
        "Processor time is that of the server's process. All are on loopback without TLS; half of the machine makes the load.".to_owned(),
    );
    findings.notes.push(
        "What nobody can have on this machine: where the bare relay needs more than a bar allows, the bar is below what the system's own calls cost. The bare relay reads and writes and does nothing else, so a ratio near 1 to it is the end of the road.".to_owned(),
    );
    bars(&mut findings, peerserver, hullo, bare);
    findings.tables.push(details(&all));
    Ok(findings)
}

async fn figures(contender: Contender) -> Result<Figures> {
    let has_limits = contender != Contender::Bare;
    let connects = measure::connects(&contender.start()?).await?;
    let relays = measure::relays(&contender.start()?).await?;
    let storm = measure::storm(&contender.start()?).await?;
    let latency = measure::latency(&contender.start()?).await?;
    let slow_reader =
        if has_limits { Some(measure::slow_reader(&contender.start()?).await?) } else { None };
    let nobody = if has_limits { Some(measure::nobody(&contender.start()?).await?) } else { None };
    Ok(Figures { connects, relays, storm, latency, slow_reader, nobody })
}

/// What is asked of us: see the quality bars in ARCHITECTURE.md.
fn bars(findings: &mut Findings, peerserver: &Figures, hullo: &Figures, bare: &Figures) {
    let mut bar = |what: &str, limit, anchor: (&str, f64), measured, unit| {
        let anchor = Some((anchor.0.to_owned(), anchor.1));
        findings.bars.push(Bar { what: what.to_owned(), limit, anchor, measured, unit });
    };
    let unit = "s of CPU";
    for ((theirs, ours), ceiling) in peerserver.relays.iter().zip(&hullo.relays).zip(&bare.relays) {
        let what = format!("100,000 messages, {}", ours.name);
        let is_asked = ours.is_asked;
        let limit = |most: f64| if is_asked { Limit::AtMost(most) } else { Limit::None };
        bar(&what, limit(theirs.cpu / 5.0), ("PeerServer", theirs.cpu), ours.cpu, unit);
        bar(&what, limit(ceiling.cpu * 1.25), ("bare relay", ceiling.cpu), ours.cpu, unit);
    }
    let (theirs, ours, ceiling) = (&peerserver.connects, &hullo.connects, &bare.connects);
    let what = "1,000 connects";
    bar(what, Limit::AtMost(theirs.cpu / 8.0), ("PeerServer", theirs.cpu), ours.cpu, unit);
    bar(what, Limit::None, ("bare relay", ceiling.cpu), ours.cpu, unit);
    for (at, count) in measure::CROWDS.iter().enumerate() {
        let what = format!("memory of an idle connection, {} of them", number(f64::from(*count)));
        bar(&what, Limit::AtMost(3072.0), ("PeerServer", theirs.memory[at]), ours.memory[at], "B");
    }
    let (theirs, ours) = (&peerserver.storm, &hullo.storm);
    let what = "2,000 return at once: who are let in";
    bar(what, Limit::AtLeast(2000.0), ("PeerServer", theirs.opened), ours.opened, "");
    bar("2,000 return at once: CPU", Limit::None, ("PeerServer", theirs.cpu), ours.cpu, unit);
    for (what, theirs, ours) in [
        ("200 MB to one who does not read: memory", &peerserver.slow_reader, &hullo.slow_reader),
        ("100 MB to nobody: memory", &peerserver.nobody, &hullo.nobody),
    ] {
        if let (Some(theirs), Some(ours)) = (theirs, ours) {
            bar(what, Limit::AtMost(64.0), ("PeerServer", theirs.grown), ours.grown, "MB");
        }
    }
}

fn details(all: &[Figures]) -> Table {
    let names = CONTENDERS.iter().map(|contender| contender.name());
    let mut table = Table::new("All that was measured:", ["what"].into_iter().chain(names));
    let mut row = |what: &str, cell: &dyn Fn(&Figures) -> String| {
        table.row([what.to_owned()].into_iter().chain(all.iter().map(cell)));
    };
    row("memory of the empty process, MB", &|of| number(of.connects.empty / 1e6));
    for (at, count) in measure::CROWDS.iter().enumerate() {
        let what = format!("memory of a connection, {count} idle, B");
        row(&what, &|of| number(of.connects.memory[at]));
    }
    row("CPU of 1,000 connects, s", &|of| number(of.connects.cpu));
    row("connects in a second", &|of| number(of.connects.rate));
    for at in 0..all[0].relays.len() {
        let what = format!("CPU of 100,000 messages, {}, s", all[0].relays[at].name);
        row(&what, &|of| number(of.relays[at].cpu));
        row("… messages in a second", &|of| number(of.relays[at].rate));
    }
    row("2,000 return at once: all in after, s", &|of| number(of.storm.took));
    row("… CPU, s", &|of| number(of.storm.cpu));
    row("there and back, 500 a second, 2 KB: half are quicker than, ms", &|of| {
        number(of.latency.median)
    });
    row("… 99 of 100 are", &|of| number(of.latency.p99));
    let flood = |flood: &Option<Flood>, tell: fn(&Flood) -> String| {
        flood.as_ref().map_or_else(|| "–".to_owned(), tell)
    };
    let grown = |of: &Flood| number(of.grown);
    row("200 MB to one who does not read: memory grows by, MB", &|of| {
        flood(&of.slow_reader, grown)
    });
    row("… the reader", &|of| flood(&of.slow_reader, |of| of.end.clone()));
    row("… 99 of 100 messages of others come within, ms", &|of| {
        flood(&of.slow_reader, |of| number(of.others))
    });
    row("100 MB to 1,000 who are not there: memory grows by, MB", &|of| flood(&of.nobody, grown));
    row("… the sender", &|of| flood(&of.nobody, |of| of.end.clone()));
    table
}

/// The version of PeerServer that was measured.
fn npm_version(place: &Place) -> Result<String> {
    let manifest = place.root().join("tests/npm/package.json");
    let manifest: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(manifest)?)?;
    Ok(manifest["dependencies"]["peer"].as_str().unwrap_or("of unknown version").to_owned())
}
