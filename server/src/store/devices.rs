//! What users and operators decided about devices.

use broker::{Capabilities, Device, Policy, Standing};
use wire::UserId;

use super::Store;

/// A policy by its word.
pub(crate) fn policy(word: &str) -> Option<Policy> {
    Some(match word {
        "all" => Policy::All,
        "capable" => Policy::Capable,
        "nominated" => Policy::Nominated,
        _ => return None,
    })
}

/// The word of a policy.
pub(crate) fn word(policy: Policy) -> &'static str {
    match policy {
        Policy::All => "all",
        Policy::Capable => "capable",
        Policy::Nominated => "nominated",
    }
}

impl Store {
    /// What is known of a device; `usual` is the policy of users who have none of their own.
    pub(crate) async fn standing(
        &self,
        device: &Device,
        usual: Policy,
    ) -> anyhow::Result<Standing> {
        let of_user: Option<(Option<String>, Option<String>)> =
            sqlx::query_as("SELECT policy, nominated FROM device_policies WHERE user_name = $1")
                .bind(device.user.as_str())
                .fetch_optional(&self.0)
                .await?;
        let words: Option<(String,)> = sqlx::query_as(
            "SELECT words FROM device_capabilities WHERE user_name = $1 AND instance = $2",
        )
        .bind(device.user.as_str())
        .bind(device.instance.to_string())
        .fetch_optional(&self.0)
        .await?;
        let (own, nominated) = of_user.unwrap_or_default();
        let words = words.map_or(String::new(), |(words,)| words);
        Ok(Standing {
            policy: own.as_deref().and_then(policy).unwrap_or(usual),
            nominated: nominated.and_then(|instance| instance.parse().ok()),
            capabilities: Capabilities::new(words.split_whitespace()).unwrap_or_default(),
        })
    }

    /// Sets the policy of a user; `None` for the operator's default.
    pub(crate) async fn set_policy(&self, user: &UserId, own: Option<Policy>) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO device_policies (user_name, policy) VALUES ($1, $2) ON CONFLICT (user_name) DO UPDATE SET \
             policy = excluded.policy",
        )
        .bind(user.as_str())
        .bind(own.map(word))
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Nominates a device, or takes its nomination back; that of another device stays then.
    pub(crate) async fn nominate(&self, device: &Device, is: bool) -> sqlx::Result<()> {
        let statement = if is {
            "INSERT INTO device_policies (user_name, nominated) VALUES ($1, $2) ON CONFLICT (user_name) DO UPDATE SET \
             nominated = excluded.nominated"
        } else {
            "UPDATE device_policies SET nominated = NULL WHERE user_name = $1 AND nominated = $2"
        };
        sqlx::query(statement)
            .bind(device.user.as_str())
            .bind(device.instance.to_string())
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Notes what a device can do.
    pub(crate) async fn declare(&self, device: &Device, able: &Capabilities) -> sqlx::Result<()> {
        let words: Vec<&str> = able.words().collect();
        sqlx::query(
            "INSERT INTO device_capabilities (user_name, instance, words) VALUES ($1, $2, $3) ON CONFLICT (user_name, \
             instance) DO UPDATE SET words = excluded.words",
        )
        .bind(device.user.as_str())
        .bind(device.instance.to_string())
        .bind(words.join(" "))
        .execute(&self.0)
        .await?;
        Ok(())
    }
}
