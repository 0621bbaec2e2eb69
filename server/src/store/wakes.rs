//! How devices are woken, and the secrets that push services know this server by.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use broker::Device;
use wire::{Address, InstanceId};

use super::{Store, now};
use crate::secret::Secret;

/// The devices of an address that can be woken.
pub(super) const ASLEEP: &str = "SELECT instance FROM tokens WHERE user_name = $1 AND wake IS NOT NULL AND instance IS NOT NULL AND \
             contact_expires > $2 AND ($3 IS NULL OR instance = $3)";

/// How one of them is.
pub(super) const WAKE_OF: &str = "SELECT wake, namespace FROM tokens WHERE user_name = $1 AND instance = $2 AND wake IS NOT NULL";

impl Store {
    /// Notes how the device of `token` is woken while its pages are closed; `None` if it is not any more.
    pub(crate) async fn set_wake(&self, token: &Secret, wake: Option<&str>) -> sqlx::Result<()> {
        sqlx::query("UPDATE tokens SET wake = $1 WHERE hash = $2")
            .bind(wake)
            .bind(token.hash())
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// The devices that `address` names and that can be woken.
    pub(crate) async fn asleep(&self, address: &Address) -> anyhow::Result<Vec<InstanceId>> {
        let instance = address.instance.map(|instance| instance.to_string());
        let rows: Vec<(String,)> = sqlx::query_as(ASLEEP)
            .bind(address.user.as_str())
            .bind(now())
            .bind(instance)
            .fetch_all(&self.0)
            .await?;
        rows.into_iter().map(|(instance,)| Ok(instance.parse()?)).collect()
    }

    /// How a device is woken, and the namespace of its token.
    pub(crate) async fn wake_of(
        &self,
        device: &Device,
    ) -> sqlx::Result<Option<(String, Option<String>)>> {
        sqlx::query_as(WAKE_OF)
            .bind(device.user.as_str())
            .bind(device.instance.to_string())
            .fetch_optional(&self.0)
            .await
    }

    /// The Firebase project of a token.
    pub(crate) async fn namespace(&self, token: &Secret) -> sqlx::Result<Option<String>> {
        let row: Option<(Option<String>,)> =
            sqlx::query_as("SELECT namespace FROM tokens WHERE hash = $1")
                .bind(token.hash())
                .fetch_optional(&self.0)
                .await?;
        Ok(row.and_then(|(namespace,)| namespace))
    }

    /// Has a token be one of a Firebase project.
    pub(crate) async fn set_namespace(&self, token: &Secret, name: &str) -> sqlx::Result<()> {
        sqlx::query("UPDATE tokens SET namespace = $1 WHERE hash = $2")
            .bind(name)
            .bind(token.hash())
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Forgets that a device is woken by `wake`, unless it is woken otherwise by now.
    pub(crate) async fn forget_wake(&self, device: &Device, wake: &str) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE tokens SET wake = NULL WHERE user_name = $1 AND instance = $2 AND wake = $3",
        )
        .bind(device.user.as_str())
        .bind(device.instance.to_string())
        .bind(wake)
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Notes where people reach a server that starts.
    pub(crate) async fn note_address(&self, url: &str) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO last_address (only_row, url) VALUES (1, $1) ON CONFLICT (only_row) DO UPDATE SET url = $1",
        )
        .bind(url)
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Where people reach the server that started last; `None` when none has.
    pub(crate) async fn last_address(&self) -> sqlx::Result<Option<String>> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT url FROM last_address").fetch_optional(&self.0).await?;
        Ok(row.map(|(url,)| url))
    }

    /// The secret of this name, which is `fresh` the first time that anybody asks.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is damaged.
    pub(crate) async fn secret(&self, name: &str, fresh: &[u8]) -> anyhow::Result<Vec<u8>> {
        sqlx::query(
            "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(STANDARD.encode(fresh))
        .execute(&self.0)
        .await?;
        let (value,): (String,) = sqlx::query_as("SELECT value FROM secrets WHERE name = $1")
            .bind(name)
            .fetch_one(&self.0)
            .await?;
        Ok(STANDARD.decode(value)?)
    }
}
