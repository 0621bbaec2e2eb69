//! What it costs to wake somebody's devices: ours beside a design that sends to one contact after the other.
//!
//! Both have the same store, filled alike, and the same stand-in for Firebase, which checks every signature and message.
//! Each request has a sender and a receiver of its own, and a connection of its own. The cost is processor time of the
//! server's process.

mod one_by_one;
mod records;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::peerjs::{Service, Socket};
use tests::push::Firebase;

use crate::findings::{Bar, Findings, Limit, Table, number};
use crate::place::Place;

pub(crate) use one_by_one::serve as serve_one_by_one;
use records::{fill, token};

/// The word by which this program is asked to be the other design.
pub(crate) const ONE_BY_ONE: &str = "--one-by-one";

/// Contacts of each receiver, and how many requests of that kind.
const LOADS: [(u32, u32); 3] = [(1, 1_200), (3, 600), (100, 40)];

/// What else a call asks of a server, as often as there are senders of the first load.
const ERRANDS: [Errand; 3] = [Errand::Whoami, Errand::Register, Errand::Connect];

/// Other users in the store, each with a device and somebody whom they know: few, and very many.
const OTHERS: [u32; 2] = [1_000, 1_000_000];

/// How long the invites ring, in milliseconds: shorter than it takes until one that nobody has shown is sent again.
const RING: u32 = 7_000;

/// How often the servers take turns within a load.
const TURNS: u32 = 10;

/// Requests at once.
const AT_ONCE: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Contender {
    Hullo,
    TokenKept,
    Fresh,
}

const CONTENDERS: [Contender; 3] = [Contender::Hullo, Contender::TokenKept, Contender::Fresh];

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::Hullo => "Hullo",
            Self::TokenKept => "one by one, access token kept",
            Self::Fresh => "one by one",
        }
    }
}

/// A request that sends nothing.
#[derive(Clone, Copy)]
enum Errand {
    Whoami,
    Register,
    Connect,
}

impl Errand {
    fn name(self) -> &'static str {
        match self {
            Self::Whoami => "GET /contacts",
            Self::Register => "PUT /contacts",
            Self::Connect => "connect to /live",
        }
    }
}

/// What a load took.
struct Cost {
    /// Processor time of a request, in seconds.
    cpu: f64,
    /// Time of a request, in seconds: half took less.
    median: f64,
}

/// What was measured of one server.
#[derive(Default)]
struct Measured {
    /// As in [`LOADS`].
    sends: Vec<Cost>,
    /// As in [`ERRANDS`], for ours.
    errands: Vec<Cost>,
    /// How many messages it has sent by now.
    messages: usize,
}

pub(crate) fn run(place: &Place) -> Result<Findings> {
    let mut findings = Findings::default();
    findings.peers.push(
        "a server that asks three questions of the same store, then sends one message after the other, each with an access \
         token of its own (written for this; the first server of this API does so)"
            .to_owned(),
    );
    findings.notes.push(
        "Processor time is that of the server's process; it is counted in steps of 10 ms. All servers run at once and take \
         turns, a few requests each, so that what else the machine does is shared by all. The stand-in for Firebase runs beside \
         it, takes one connection for each request, and signs nothing. Stores are SQLite files; that PostgreSQL answers every \
         request by its indexes too, a test holds, among 200,000 users."
            .to_owned(),
    );
    let mut all = Vec::new();
    for (at, contender) in CONTENDERS.into_iter().enumerate() {
        all.push(Scene::open(place, &format!("few-{at}"), contender, OTHERS[0])?);
    }
    all.push(Scene::open(place, "many", Contender::Hullo, OTHERS[1])?);
    for scene in &all {
        settle(&scene.server);
    }
    let mut measured: Vec<_> = all.iter().map(|_| Measured::default()).collect();
    for (kind, (contacts, requests)) in LOADS.iter().enumerate() {
        let costs = take_turns(&all, *requests, |scene, at| send(&scene.server.origin, kind, at))?;
        for ((scene, measured), cost) in all.iter().zip(&mut measured).zip(costs) {
            measured.messages += (contacts * requests) as usize;
            let (sent, refusals) = (scene.firebase.count(), scene.firebase.refusals());
            ensure!(sent == measured.messages, "{sent} messages came: {refusals:?}");
            measured.sends.push(cost);
        }
    }
    let (few, many) = (all.remove(0), all.pop().context("it was opened")?);
    drop(all);
    let ours = [few, many];
    for errand in ERRANDS {
        let costs = take_turns(&ours, LOADS[0].1, |scene, at| {
            run_errand(&scene.server.origin, errand, at)
        })?;
        let last = measured.len() - 1;
        for (at, cost) in [0, last].into_iter().zip(costs) {
            measured[at].errands.push(cost);
        }
    }
    let many = measured.pop().context("it was measured")?;
    beside_others(&mut findings, &measured);
    among_many(&mut findings, &measured[0], &many);
    for (scene, users) in ours.iter().zip(["a thousand", "a million"]) {
        findings.notes.push(format!(
            "With {users} users, each with a device, the server takes {} MB in the end.",
            number(megabytes(scene.server.memory()))
        ));
    }
    Ok(findings)
}

/// Ours beside the designs that send to one contact after the other.
fn beside_others(findings: &mut Findings, all: &[Measured]) {
    let mut table = Table::new(
        "POST /contacts, 1,000 other users in the store:",
        ["contacts", "server", "requests per CPU second", "CPU, ms", "half take less than, ms"],
    );
    for (at, (contacts, _)) in LOADS.iter().enumerate() {
        for (contender, measured) in CONTENDERS.iter().zip(all) {
            let Cost { cpu, median } = measured.sends[at];
            table.row([
                contacts.to_string(),
                contender.name().to_owned(),
                number(1.0 / cpu),
                number(cpu * 1e3),
                number(median * 1e3),
            ]);
        }
        let rate = |of: &Measured| 1.0 / of.sends[at].cpu;
        for (other, is_asked) in [(2, true), (1, false)] {
            let limit = if is_asked { Limit::AtLeast(rate(&all[other])) } else { Limit::None };
            findings.bars.push(Bar {
                what: format!("POST /contacts to {contacts}: requests"),
                limit,
                anchor: Some((CONTENDERS[other].name().to_owned(), rate(&all[other]))),
                measured: rate(&all[0]),
                unit: "per CPU second",
            });
        }
    }
    findings.tables.push(table);
}

/// What a call asks of the server, among a million users and among a thousand.
fn among_many(findings: &mut Findings, few: &Measured, many: &Measured) {
    let sends = LOADS.iter().map(|(contacts, _)| format!("POST /contacts to {contacts}"));
    let names = sends.chain(ERRANDS.iter().map(|errand| errand.name().to_owned()));
    let of = |measured: &Measured| -> Vec<f64> {
        measured.sends.iter().chain(&measured.errands).map(|cost| cost.cpu * 1e3).collect()
    };
    for ((name, few), many) in names.zip(of(few)).zip(of(many)) {
        findings.bars.push(Bar {
            what: format!("{name} among a million users: CPU"),
            limit: Limit::AtMost(few * 1.5),
            anchor: Some(("among a thousand".to_owned(), few)),
            measured: many,
            unit: "ms",
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "no machine has so much memory")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A running server, and whom it sends to.
struct Scene {
    server: Service,
    firebase: Firebase,
}

impl Scene {
    /// A fresh server whose store holds so many others.
    fn open(place: &Place, name: &str, contender: Contender, others: u32) -> Result<Self> {
        println!("   {}, {others} others", contender.name());
        let folder = place.folder("push")?.join(name);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder)?;
        let hullo = std::env::current_exe()?.with_file_name("hullo");
        let firebase = Firebase::start();
        let account = folder.join("project.json");
        fs::write(&account, firebase.project("bench").account.to_string())?;
        let mut make = Command::new(&hullo);
        make.args(["user", "add", "seed@example.com"]).env("HULLO_DATA", &folder);
        ensure!(make.output()?.status.success(), "hullo makes a store");
        let start = |contender| start(contender, &hullo, &folder, &account, &firebase.origin());
        // What push services know a server by is there when ours has run once, and the other design reads it too.
        drop(start(Contender::Hullo)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(fill(&folder.join("hullo.db"), others, &LOADS))?;
        Ok(Self { server: start(contender)?, firebase })
    }
}

fn start(
    contender: Contender,
    hullo: &Path,
    folder: &Path,
    account: &Path,
    firebase: &str,
) -> Result<Service> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut words = match contender {
        Contender::Hullo => vec![
            text(hullo),
            "serve".to_owned(),
            "--listen=127.0.0.1:0".to_owned(),
            "--limit-http-connections-per-address=1000".to_owned(),
            format!("--data={}", text(folder)),
            format!("--fcm-projects={}", text(account)),
            format!("--fcm-endpoint={firebase}"),
        ],
        Contender::TokenKept | Contender::Fresh => {
            let program = std::env::current_exe().context("a running program has a path")?;
            let store = text(&folder.join("hullo.db"));
            vec![text(&program), ONE_BY_ONE.to_owned(), store, text(account), firebase.to_owned()]
        }
    };
    if contender == Contender::TokenKept {
        words.push("kept".to_owned());
    }
    Ok(Service::run(&words.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Waits until a server has done what it does when it starts: it learns the names of all users.
fn settle(server: &Service) {
    let mut quiet = 0;
    let mut before = server.cpu();
    // At most a minute: one that never rests is measured as it is.
    for _ in 0..200 {
        if quiet == 4 {
            break;
        }
        std::thread::sleep(Duration::from_millis(300));
        let now = server.cpu();
        quiet = if now == before { quiet + 1 } else { 0 };
        before = now;
    }
}

/// What so many requests cost each server; they take turns.
fn take_turns(
    scenes: &[Scene],
    requests: u32,
    ask: impl Fn(&Scene, u32) -> Result<()> + Sync,
) -> Result<Vec<Cost>> {
    let before: Vec<_> = scenes.iter().map(|scene| scene.server.cpu()).collect();
    let mut times: Vec<_> = scenes.iter().map(|_| Vec::new()).collect();
    for turn in 0..TURNS {
        let range = requests * turn / TURNS..requests * (turn + 1) / TURNS;
        for (scene, times) in scenes.iter().zip(&mut times) {
            times.extend(at_once(range.clone(), |at| ask(scene, at))?);
        }
    }
    let mut costs = Vec::new();
    for ((scene, before), mut times) in scenes.iter().zip(before).zip(times) {
        let cpu = (scene.server.cpu() - before).as_secs_f64() / f64::from(requests);
        times.sort_by(f64::total_cmp);
        costs.push(Cost { cpu, median: times[times.len() / 2] });
    }
    Ok(costs)
}

/// Makes these requests, a few at once; how long each took, in seconds.
fn at_once(
    requests: std::ops::Range<u32>,
    ask: impl Fn(u32) -> Result<()> + Sync,
) -> Result<Vec<f64>> {
    let next = AtomicU32::new(requests.start);
    let work = || -> Result<Vec<f64>> {
        let mut times = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= requests.end {
                return Ok(times);
            }
            let started = Instant::now();
            ask(at)?;
            times.push(started.elapsed().as_secs_f64());
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let mut times = Vec::new();
        for worker in workers {
            times.extend(worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??);
        }
        Ok(times)
    })
}

/// Sends an invite to everybody's devices.
fn send(origin: &str, kind: usize, at: u32) -> Result<()> {
    let offer = "o".repeat(2_000);
    let data =
        json!({ "method": "INVITE", "ReqId": format!("{at:016x}"), "TTL": RING, "offer": offer });
    let body = json!({ "to": format!("to{kind}-{at}@example.com"), "data": data });
    let answer = ask(origin, "POST", &token(kind, at), &body)?;
    ensure!(answer["count"] == LOADS[kind].0, "{answer}");
    Ok(())
}

fn run_errand(origin: &str, errand: Errand, at: u32) -> Result<()> {
    let token = token(0, at);
    match errand {
        Errand::Whoami => {
            let answer = ask(origin, "GET", &token, &Value::Null)?;
            ensure!(answer["email"] == format!("from0-{at}@example.com"), "{answer}");
        }
        Errand::Register => {
            let answer = ask(origin, "PUT", &token, &json!({ "contact": "live" }))?;
            ensure!(answer["instance"].is_string(), "{answer}");
        }
        Errand::Connect => {
            let host = origin.trim_start_matches("http://");
            let bearer = format!("Bearer {token}");
            let socket = Socket::try_open(host, "/live", &[("authorization", &bearer)]);
            let mut socket = socket.map_err(|status| anyhow::anyhow!("refused with {status}"))?;
            let welcome = socket.hears();
            ensure!(welcome["type"] == "welcome", "{welcome}");
        }
    }
    Ok(())
}

/// One request to `/contacts` on a connection of its own; the JSON of the answer.
fn ask(origin: &str, method: &str, token: &str, body: &Value) -> Result<Value> {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{origin}/contacts"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(if body.is_null() { String::new() } else { body.to_string() })?;
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.run(request)?;
    let text = answer.body_mut().read_to_string()?;
    serde_json::from_str(&text).with_context(|| text.clone())
}
