//! What users and operators decided about devices, and about who may see them.

use broker::{Audience, Capabilities, Device, Policy, Standing};
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

/// What is known of a device as it is read: policy, nominated instance, capabilities, audience, whom the user blocks.
type Row = (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

/// Reads that of the device $2 of $1, with $3 between names. One statement, by primary keys only, for it runs whenever
/// somebody connects.
pub(super) const STANDING: &str = "SELECT (SELECT policy FROM device_policies WHERE user_name = $1), (SELECT nominated FROM device_policies WHERE \
     user_name = $1), (SELECT words FROM device_capabilities WHERE user_name = $1 AND instance = $2), (SELECT names FROM \
     audiences WHERE user_name = $1), (SELECT STRING_AGG(other, CAST($3 AS TEXT)) FROM relations WHERE user_name = $1 \
     AND standing = 'blocked')";

/// What stands between names. No name has one in it.
const BETWEEN: &str = "\n";

/// The users of a list. A name that cannot be one is nobody's.
fn audience(names: &str) -> Audience {
    names.lines().filter_map(|name| name.parse().ok()).collect()
}

impl Store {
    /// What is known of a device; `usual` is the policy of users who have none of their own.
    pub(crate) async fn standing(
        &self,
        device: &Device,
        usual: Policy,
    ) -> anyhow::Result<Standing> {
        let (own, nominated, words, names, blocked): Row = sqlx::query_as(STANDING)
            .bind(device.user.as_str())
            .bind(device.instance.to_string())
            .bind(BETWEEN)
            .fetch_one(&self.0)
            .await?;
        let words = words.unwrap_or_default();
        Ok(Standing {
            policy: own.as_deref().and_then(policy).unwrap_or(usual),
            nominated: nominated.and_then(|instance| instance.parse().ok()),
            capabilities: Capabilities::new(words.split_whitespace()).unwrap_or_default(),
            audience: names.map(|names| audience(&names)),
            hidden_from: blocked.map(|names| audience(&names)).unwrap_or_default(),
        })
    }

    /// Notes whom a user shows themselves to; `None` for whomever the operator's default does.
    pub(crate) async fn show_to(
        &self,
        user: &UserId,
        audience: Option<&Audience>,
    ) -> sqlx::Result<()> {
        let Some(audience) = audience else {
            sqlx::query("DELETE FROM audiences WHERE user_name = $1")
                .bind(user.as_str())
                .execute(&self.0)
                .await?;
            return Ok(());
        };
        let names: Vec<&str> = audience.users().map(UserId::as_str).collect();
        sqlx::query(
            "INSERT INTO audiences (user_name, names) VALUES ($1, $2) ON CONFLICT (user_name) DO UPDATE SET names = \
             excluded.names",
        )
        .bind(user.as_str())
        .bind(names.join(BETWEEN))
        .execute(&self.0)
        .await?;
        Ok(())
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
