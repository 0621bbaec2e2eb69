//! Messages to and fro between pairs, a fixed number of them under way.

use std::cell::Cell;
use std::rc::Rc;

use anyhow::{Context, Result};
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::timeout;

use super::clients::{Client, PATIENCE, offer};

/// Has pairs (each even client with the one after it) pass messages to and fro until that many have arrived.
/// `under_way` is for each pair. Gives the clients back.
pub(super) async fn to_and_fro(
    clients: Vec<Client>,
    under_way: u32,
    bytes: usize,
    messages: u32,
) -> Result<Vec<Client>> {
    let pairs = u32::try_from(clients.len() / 2).context("there are not so many")?;
    let count =
        Rc::new(Count { to_send: Cell::new(messages), under_way: Cell::new(pairs * under_way) });
    let (stop, stopped) = watch::channel(false);
    let stop = Rc::new(stop);
    let names: Vec<_> = clients.iter().map(|client| client.id.clone()).collect();
    let local = LocalSet::new();
    let tasks: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(at, client)| {
            let begins = if at % 2 == 0 { under_way } else { 0 };
            let message = offer(&names[at ^ 1], bytes);
            let (count, stop, mut stopped) = (count.clone(), stop.clone(), stopped.clone());
            local.spawn_local(async move {
                let mut client = client;
                for _ in 0..begins {
                    client.says(&message).await?;
                }
                loop {
                    tokio::select! {
                        heard = client.hears() => {
                            heard?;
                            if count.goes_on() {
                                client.says(&message).await?;
                            } else if count.ends() {
                                stop.send_replace(true);
                            }
                        }
                        // All that were under way have arrived.
                        _ = stopped.changed() => return Ok::<_, anyhow::Error>(client),
                    }
                }
            })
        })
        .collect();
    local
        .run_until(async {
            let mut back = Vec::new();
            for task in tasks {
                let done = timeout(PATIENCE, task).await.context("messages are lost or slow")?;
                back.push(done??);
            }
            Ok(back)
        })
        .await
}

struct Count {
    to_send: Cell<u32>,
    under_way: Cell<u32>,
}

impl Count {
    /// Whether one more is to be sent for one that arrived.
    fn goes_on(&self) -> bool {
        let left = self.to_send.get();
        self.to_send.set(left.saturating_sub(1));
        left > 0
    }

    /// Whether the one that arrived was the last.
    fn ends(&self) -> bool {
        self.under_way.set(self.under_way.get() - 1);
        self.under_way.get() == 0
    }
}
