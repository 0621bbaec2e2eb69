//! Once a second: which tokens were revoked or bound, by whichever process, whose time is up, and what do commands ask?

use std::time::Duration;

use broker::Input;
use tokio::time::{Instant, MissedTickBehavior};

use crate::connections::{Connections, End};
use crate::orders;
use crate::store::{self, Revoked, Store};
use crate::switchboard::Switchboard;

/// How often to look. A revoked device is out within this, and a little.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often to forget contacts that have ended: they are of no use from that moment on, and only take room.
const AGES: Duration = Duration::from_secs(60 * 60);
/// How far back to look: slack for a slow look and for clocks that differ. Dismissing twice is harmless, for the
/// token of a revoked device never comes back.
const LOOK_BACK: Duration = Duration::from_secs(30);

/// What is looked after.
pub(crate) struct Watch {
    /// What this server is called among those on one store: a number drawn when it starts.
    pub(crate) server: String,
    pub(crate) store: Store,
    pub(crate) switchboard: Switchboard,
    pub(crate) connections: Connections,
}

impl Watch {
    /// Runs until it is aborted.
    pub(crate) async fn run(self) {
        let server = &self.server;
        let mut users_known_until = 0;
        let mut aged_at: Option<Instant> = None;
        let mut tick = tokio::time::interval(INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.connections.end_expired();
            if let Err(error) = self.revocations().await {
                tracing::warn!(error = format!("{error:#}"), "Revocations could not be read");
            }
            if aged_at.is_none_or(|at| at.elapsed() >= AGES) {
                aged_at = Some(Instant::now());
                self.age_out().await;
            }
            users_known_until = self.announce_users(users_known_until).await;
            if let Err(error) = self.orders(server).await {
                tracing::warn!(%error, "Orders could not be read");
            }
        }
    }

    async fn revocations(&self) -> anyhow::Result<()> {
        for Revoked { hash, device } in self.store.revoked_within(LOOK_BACK).await? {
            self.connections.end_token(&hash, End::Revoked);
            if let Some(device) = device {
                self.switchboard.dismiss(device).await;
            }
        }
        for hash in self.store.bound_within(LOOK_BACK).await? {
            self.connections.end_unproven(&hash);
        }
        Ok(())
    }

    async fn age_out(&self) {
        match self.store.age_out(store::now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "Contacts have ended that nobody refreshed"),
            Err(error) => tracing::warn!(%error, "Contacts that have ended could not be forgotten"),
        }
    }

    async fn orders(&self, server: &str) -> sqlx::Result<()> {
        for (id, verb, subject) in self.store.orders_for(server).await? {
            let answer = orders::carry_out(&verb, &subject, &self.connections);
            self.store.answer(&id, server, &answer).await?;
        }
        Ok(())
    }

    /// Tells the broker of users that were added since, by whichever process; no guest may have their names. Returns the
    /// time from which to look again.
    async fn announce_users(&self, since: i64) -> i64 {
        match self.store.users_since(since).await {
            Ok((users, latest)) => {
                for user in users {
                    self.switchboard.tell(Input::User { user }).await;
                }
                latest
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "The users could not be read");
                since
            }
        }
    }
}
