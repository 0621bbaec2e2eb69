//! Watches for revoked tokens, by whichever process, and ends the live sockets of their devices.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::store::Store;
use crate::switchboard::Switchboard;

/// How often to look. A revoked device is out within this, and a little.
const INTERVAL: Duration = Duration::from_secs(1);
/// How far back to look: slack for a slow look and for clocks that differ. Dismissing twice is harmless, for the
/// token of a revoked device never comes back.
const LOOK_BACK: Duration = Duration::from_secs(30);

/// Runs until it is aborted.
pub(crate) async fn run(store: Store, switchboard: Switchboard) {
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match store.revoked_within(LOOK_BACK).await {
            Ok(devices) => {
                for device in devices {
                    switchboard.dismiss(device).await;
                }
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "Revocations could not be read");
            }
        }
    }
}
