//! Asks about those who are connected, again and again, so that a session that was taken back loses its sockets.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::MissedTickBehavior;

use super::{Refusal, Verifier};
use crate::connections::{Connections, End};

/// Tokens asked about in one go, where the judge takes them so.
const BATCH: usize = 200;

/// Questions at once, so that newcomers find half of the way free.
const QUESTIONS_MAX: usize = 16;

/// Runs until it is aborted. A round that takes longer than `every` is followed by the next at once.
pub(crate) async fn run(verifier: Verifier, connections: Connections, every: Duration) {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        round(&verifier, &connections).await;
    }
}

/// Asks once about every token that is in use.
pub(crate) async fn round(verifier: &Verifier, connections: &Connections) {
    let tokens = connections.asked_about();
    let size = if verifier.takes_batches() { BATCH } else { 1 };
    futures_util::stream::iter(tokens.chunks(size))
        .for_each_concurrent(QUESTIONS_MAX, |batch| async move {
            let tokens: Vec<_> = batch.iter().map(|(token, _)| token.clone()).collect();
            let verdicts = match verifier.verify_all_again(&tokens).await {
                Ok(verdicts) => verdicts,
                Err(error) => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "Sessions could not be asked about"
                    );
                    return;
                }
            };
            for ((token, user), verdict) in batch.iter().zip(verdicts) {
                match verdict {
                    Ok(identity) if identity.user == *user => {
                        connections.prolong(&token.hash(), identity.until);
                    }
                    // The token is another's now, so it is not this one's.
                    Ok(_) | Err(Refusal::Refused(_)) => {
                        connections.end_token(&token.hash(), End::Revoked);
                    }
                    // Those who were let in stay.
                    Err(Refusal::Unavailable) => {}
                }
            }
        })
        .await;
}
