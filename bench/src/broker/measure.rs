//! What is measured of a server, one thing after the other.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::{StreamExt, stream};
use tokio::time::{interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::Running;
use super::clients::{Client, PATIENCE, crowd, name, offer};
use super::load::to_and_fro;

/// How many idle connections, in turn.
pub(super) const CROWDS: [u32; 2] = [5_000, 10_000];

/// How often a load is repeated; the median counts.
const RUNS: usize = 3;

/// Entering and staying.
pub(super) struct Connects {
    /// Memory of the process before anybody came, in bytes.
    pub(super) empty: f64,
    /// Processor time of 1,000 connects, in seconds.
    pub(super) cpu: f64,
    /// Connects in a second.
    pub(super) rate: f64,
    /// Memory of each connection, in bytes, for each of [`CROWDS`].
    pub(super) memory: Vec<f64>,
}

/// A load of messages.
pub(super) struct Relay {
    pub(super) name: String,
    /// Whether it is the one that a bar is about.
    pub(super) is_asked: bool,
    /// Processor time of 100,000 messages, in seconds.
    pub(super) cpu: f64,
    /// Messages in a second.
    pub(super) rate: f64,
}

/// Everybody returns at once.
pub(super) struct Storm {
    /// How many were let in.
    pub(super) opened: f64,
    /// When the last was, in seconds.
    pub(super) took: f64,
    /// Processor time, in seconds.
    pub(super) cpu: f64,
}

/// How long a message takes there and back, in milliseconds.
pub(super) struct Latency {
    pub(super) median: f64,
    pub(super) p99: f64,
}

/// Much more than can be delivered.
pub(super) struct Flood {
    /// By how much memory grew at most, in MB.
    pub(super) grown: f64,
    /// What became of the one it was about.
    pub(super) end: String,
    /// What 99 of 100 messages of others took at most, in milliseconds.
    pub(super) others: f64,
}

pub(super) async fn connects(at: &Running) -> Result<Connects> {
    let empty = memory(at);
    let (cpu, started) = (at.service.cpu(), Instant::now());
    let mut all = crowd(at.address, 0..CROWDS[0]).await?;
    let (cpu, took) = (at.service.cpu() - cpu, started.elapsed());
    let mut each = Vec::new();
    for count in CROWDS {
        let known = u32::try_from(all.len())?;
        all.extend(crowd(at.address, known..count).await?);
        // As PeerJS does; whatever a server keeps for a connection that has spoken is there then.
        let beat = Message::text(r#"{"type":"HEARTBEAT"}"#);
        for client in &mut all {
            client.says(&beat).await?;
        }
        all = settle(all).await?;
        each.push((memory(at) - empty) / f64::from(count));
    }
    let thousands = f64::from(CROWDS[0]) / 1000.0;
    Ok(Connects {
        empty,
        cpu: cpu.as_secs_f64() / thousands,
        rate: f64::from(CROWDS[0]) / took.as_secs_f64(),
        memory: each,
    })
}

/// Waits until the server has read what was sent before: the last pair talks, and is heard.
async fn settle(mut all: Vec<Client>) -> Result<Vec<Client>> {
    let last = all.split_off(all.len() - 2);
    all.extend(to_and_fro(last, 1, 200, 10).await?);
    Ok(all)
}

pub(super) async fn relays(at: &Running) -> Result<Vec<Relay>> {
    let mut all = crowd(at.address, 0..1000).await?;
    let mut relays = Vec::new();
    for (pairs, under_way) in [(500, 1), (50, 4)] {
        for bytes in [2_000, 200] {
            let mut runs = Vec::new();
            let rest = all.split_off(pairs * 2);
            all = to_and_fro(all, under_way, bytes, 20_000).await?;
            for _ in 0..RUNS {
                let (cpu, started) = (at.service.cpu(), Instant::now());
                all = to_and_fro(all, under_way, bytes, 100_000).await?;
                runs.push((
                    (at.service.cpu() - cpu).as_secs_f64(),
                    started.elapsed().as_secs_f64(),
                ));
            }
            all.extend(rest);
            runs.sort_by(|one, other| one.0.total_cmp(&other.0));
            let (cpu, took) = runs[RUNS / 2];
            let size = if bytes >= 1000 { "2 KB" } else { "200 B" };
            relays.push(Relay {
                name: format!("{size}, {pairs} pairs with {under_way} under way"),
                is_asked: bytes >= 1000 && under_way == 1,
                cpu,
                rate: 100_000.0 / took,
            });
        }
    }
    Ok(relays)
}

pub(super) async fn storm(at: &Running) -> Result<Storm> {
    let all = crowd(at.address, 0..2000).await?;
    let (cpu, started) = (at.service.cpu(), Instant::now());
    // The line is cut, and everybody is back in the same moment.
    drop(all);
    let entered =
        stream::iter(0..2000)
            .map(|number| async move {
                Client::enter(at.address, name(number), &name(number ^ 1)).await
            })
            .buffer_unordered(2000)
            .collect::<Vec<_>>()
            .await;
    let took = started.elapsed().as_secs_f64();
    let opened = entered.iter().filter(|entered| entered.is_ok()).count();
    let cpu = (at.service.cpu() - cpu).as_secs_f64();
    Ok(Storm { opened: f64::from(u32::try_from(opened)?), took, cpu })
}

pub(super) async fn latency(at: &Running) -> Result<Latency> {
    let mut pair = crowd(at.address, 0..2).await?;
    let mut times = there_and_back(&mut pair, 2_000, 5_000).await?;
    let p99 = percentile(&mut times, 99);
    Ok(Latency { median: percentile(&mut times, 50), p99 })
}

/// Sends messages there and back, 500 a second, and gives how long each took, in milliseconds.
async fn there_and_back(pair: &mut [Client], bytes: usize, messages: u32) -> Result<Vec<f64>> {
    let [one, other] = pair else { anyhow::bail!("a pair is two") };
    let (go, back) = (offer(&other.id, bytes), offer(&one.id, bytes));
    let mut ticks = interval(Duration::from_millis(2));
    let mut times = Vec::new();
    for _ in 0..messages {
        ticks.tick().await;
        let started = Instant::now();
        let round = async {
            one.says(&go).await?;
            other.hears().await?;
            other.says(&back).await?;
            one.hears().await
        };
        timeout(PATIENCE, round).await.context("a message is lost")??;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}

/// The value that so many of a hundred do not exceed.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() * percent / 100).copied().unwrap_or_default()
}

pub(super) async fn slow_reader(at: &Running) -> Result<Flood> {
    let mut pair = crowd(at.address, 10..12).await?;
    let mut sender = Client::enter(at.address, name(0), &name(1)).await?;
    let mut reader = Client::enter(at.address, name(1), &name(0)).await?;
    let message = offer(&reader.id, 2_000);
    let before = memory(at);

    let flood = async {
        for _ in 0..100_000 {
            // A server that pushes back, or hangs up on the sender, has found its answer too.
            match timeout(Duration::from_secs(2), sender.says(&message)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => break,
            }
        }
        Ok::<_, anyhow::Error>(())
    };
    let others = there_and_back(&mut pair, 2_000, 1_000);
    let (others, grown) = watch(at, before, async { tokio::try_join!(flood, others) }).await;
    let mut others = others?.1;

    // Now it reads: all there is, until it is cut off or nothing more comes.
    let end = loop {
        match timeout(Duration::from_secs(2), reader.hears()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => break error.to_string(),
            Err(_) => break "stays".to_owned(),
        }
    };
    Ok(Flood { grown, end, others: percentile(&mut others, 99) })
}

pub(super) async fn nobody(at: &Running) -> Result<Flood> {
    let mut sender = Client::enter(at.address, name(0), &name(1)).await?;
    let before = memory(at);

    let flood = async {
        let mut expired = 0;
        let mut end = None;
        for number in 0..50_000_u32 {
            let message = offer(&format!("nobody-{}", number % 1000), 2_000);
            if let Err(error) = sender.says(&message).await {
                end = Some(error.to_string());
                break;
            }
        }
        while end.is_none() {
            match timeout(Duration::from_secs(7), sender.hears()).await {
                Ok(Ok(_)) => expired += 1,
                Ok(Err(error)) => end = Some(error.to_string()),
                Err(_) => break,
            }
        }
        format!("{}, {expired} times told", end.unwrap_or_else(|| "stays".to_owned()))
    };
    let (end, grown) = watch(at, before, flood).await;
    Ok(Flood { grown, end, others: 0.0 })
}

/// Does something, and gives by how much the server's memory grew meanwhile at most, in MB.
async fn watch<T>(at: &Running, before: f64, doing: impl Future<Output = T>) -> (T, f64) {
    let mut most = before;
    tokio::pin!(doing);
    let done = loop {
        tokio::select! {
            done = &mut doing => break done,
            () = sleep(Duration::from_millis(20)) => most = most.max(memory(at)),
        }
    };
    (done, (most.max(memory(at)) - before) / 1e6)
}

fn memory(at: &Running) -> f64 {
    // Exact up to eight petabytes.
    at.service.memory() as f64
}
