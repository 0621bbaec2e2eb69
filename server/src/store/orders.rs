//! What commands ask of running servers: written into the store, answered there.

use std::time::Duration;

use super::{Store, millis, now};
use crate::secret::Secret;

/// An order that is older is nobody's: its command has given up.
const ORDER_LASTS: Duration = Duration::from_secs(30);

/// An order as a server reads it: id, verb, subject.
pub(crate) type Order = (String, String, String);

impl Store {
    /// Asks the servers; returns the id to look for answers by. Orders that nobody waits for any more go.
    pub(crate) async fn order(&self, verb: &str, subject: &str) -> anyhow::Result<String> {
        let id = Secret::fresh()?.reveal().to_owned();
        sqlx::query("DELETE FROM orders WHERE at < $1")
            .bind(now() - millis(ORDER_LASTS))
            .execute(&self.0)
            .await?;
        sqlx::query("INSERT INTO orders (id, verb, subject, at) VALUES ($1, $2, $3, $4)")
            .bind(&id)
            .bind(verb)
            .bind(subject)
            .bind(now())
            .execute(&self.0)
            .await?;
        Ok(id)
    }

    /// Takes an order back.
    pub(crate) async fn withdraw(&self, order: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM orders WHERE id = $1").bind(order).execute(&self.0).await?;
        Ok(())
    }

    /// What the servers answered.
    pub(crate) async fn answers(&self, order: &str) -> sqlx::Result<Vec<String>> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT body FROM answers WHERE order_id = $1 ORDER BY server")
                .bind(order)
                .fetch_all(&self.0)
                .await?;
        Ok(rows.into_iter().map(|(body,)| body).collect())
    }

    /// The orders that `server` has not answered.
    pub(crate) async fn orders_for(&self, server: &str) -> sqlx::Result<Vec<Order>> {
        sqlx::query_as(
            "SELECT id, verb, subject FROM orders WHERE at >= $1 AND NOT EXISTS (SELECT 1 FROM answers WHERE order_id \
             = orders.id AND server = $2)",
        )
        .bind(now() - millis(ORDER_LASTS))
        .bind(server)
        .fetch_all(&self.0)
        .await
    }

    /// Answers an order, if somebody still waits for it.
    pub(crate) async fn answer(&self, order: &str, server: &str, body: &str) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO answers (order_id, server, body) SELECT id, $2, $3 FROM orders WHERE id = $1",
        )
        .bind(order)
        .bind(server)
        .bind(body)
        .execute(&self.0)
        .await?;
        Ok(())
    }
}
