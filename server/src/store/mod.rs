//! Accounts and tokens, shared by the servers and the commands.

mod database;
pub(crate) mod devices;
mod file;
pub(crate) mod links;
mod orders;
pub(crate) mod relations;
mod wakes;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use sqlx::AnyPool;
use wire::{Address, InstanceId, Timestamp, UserId};

use crate::proof::Thumbprint;
use crate::secret::Secret;
pub use database::Database;

/// How often the last use of a token is written down. Guess: nobody reads it to the second.
const USE_NOTED: Duration = Duration::from_secs(60);
/// How long a revocation is remembered for running servers, which read it every second.
const REVOCATION_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A row of tokens as `hullo token list` shows it: hash, user, device, created, last used, contact, key.
type Row = (String, String, String, i64, Option<i64>, Option<String>, Option<String>);

/// A row of tokens as every request reads it: user, last used, instance, contact's end, minted by a code, key.
type OwnerRow = (String, Option<i64>, Option<String>, Option<i64>, i64, Option<String>);

/// Whose a token is, and how its device is reached.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    /// The user.
    pub(crate) user: UserId,
    /// The device, while it has a contact.
    pub(crate) instance: Option<InstanceId>,
    /// Whether the token was made for one browser, and goes when that browser logs out.
    pub(crate) minted_by_code: bool,
    /// The key that it is bound to, since that was proved first.
    pub(crate) key: Option<Thumbprint>,
}

/// A token that counts no longer.
#[derive(Clone, Debug)]
pub(crate) struct Revoked {
    /// Its hash.
    pub(crate) hash: String,
    /// The device that it was for, if that had a contact.
    pub(crate) device: Option<Address>,
}

/// A token as the operator sees it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The first digits of its hash; names it without giving it away.
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) user: String,
    /// What people call the device.
    pub(crate) device: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// When it was last used.
    pub(crate) last_used: Option<Timestamp>,
    /// Whether the device has a contact.
    pub(crate) has_contact: bool,
    /// Whether it is bound to a key, so that it is of no use to whoever copies it.
    pub(crate) is_bound: bool,
}

/// Whose a token is.
const OWNER: &str = "SELECT user_name, last_used, instance, contact_expires, CASE WHEN minted_by_code THEN 1 ELSE 0 END, \
             bound_key FROM tokens WHERE hash = $1";

/// Binds a token that is bound to no key yet.
const BIND: &str =
    "UPDATE tokens SET bound_key = $1, bound_at = $2 WHERE hash = $3 AND bound_key IS NULL";

/// The key that a token is bound to.
const BOUND_KEY: &str = "SELECT bound_key FROM tokens WHERE hash = $1";

/// The tokens that were bound lately.
const BOUND_SINCE: &str = "SELECT hash FROM tokens WHERE bound_at >= $1";

/// Notes that a token is used.
const USED: &str = "UPDATE tokens SET last_used = $1 WHERE hash = $2";

/// Notes how a device is reached.
const SET_CONTACT: &str =
    "UPDATE tokens SET contact = $1, instance = $2, contact_expires = $3 WHERE hash = $4";

/// Forgets how a device is reached.
const CLEAR_CONTACT: &str = "UPDATE tokens SET contact = NULL, instance = NULL, contact_expires = NULL, wake = NULL \
                             WHERE hash = $1";

/// Forgets how all those are reached of whom nothing was heard for too long.
const AGE_OUT: &str = "UPDATE tokens SET contact = NULL, instance = NULL, contact_expires = NULL, wake = NULL WHERE \
                       contact_expires <= $1";

/// The tokens of a user.
const TOKENS_OF: &str = "SELECT hash, user_name, device, created, last_used, contact, bound_key FROM tokens WHERE \
                         user_name = $1 ORDER BY created";

/// Digits of a hash that name a token in lists and commands.
pub(crate) const ID_DIGITS: usize = 8;

/// The accounts of one database. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store(AnyPool);

impl Store {
    /// Opens the store, and makes what is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be reached or written, or holds the data of a newer Hullo.
    pub(crate) async fn open(database: &Database) -> anyhow::Result<Self> {
        Ok(Self(database.open().await?))
    }

    /// Opens the store that is there, and makes none: for commands about users whom somebody added before.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], and when there is none.
    pub(crate) async fn find(database: &Database) -> anyhow::Result<Self> {
        database.must_be_there()?;
        Self::open(database).await
    }

    /// An empty one that is nowhere.
    ///
    /// # Errors
    ///
    /// When there is no memory for it.
    pub(crate) async fn nowhere() -> anyhow::Result<Self> {
        Ok(Self(database::open_nowhere().await?))
    }

    /// Adds a user; false when it is there already.
    pub(crate) async fn add_user(&self, user: &UserId) -> sqlx::Result<bool> {
        let done = sqlx::query(
            "INSERT INTO users (name, created) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(user.as_str())
        .bind(now())
        .execute(&self.0)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// All users, with how many tokens each has.
    pub(crate) async fn users(&self) -> sqlx::Result<Vec<(String, i64)>> {
        sqlx::query_as(
            "SELECT name, (SELECT COUNT(*) FROM tokens WHERE user_name = name) FROM users ORDER BY name",
        )
        .fetch_all(&self.0)
        .await
    }

    /// The users, of ours and of other judges, that were added later than `since`, and the time from which to look for further ones.
    pub(crate) async fn users_since(&self, since: i64) -> anyhow::Result<(Vec<UserId>, i64)> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as(
                "SELECT name, created FROM users WHERE created > $1 UNION ALL SELECT name, created FROM vouched_users \
                 WHERE created > $1 ORDER BY created",
            )
            .bind(since)
            .fetch_all(&self.0)
            .await?;
        // Another may still be added in the same millisecond as the latest.
        let latest = rows.last().map_or(since, |(_, created)| *created - 1);
        let users = rows.into_iter().map(|(name, _)| Ok(name.parse()?));
        Ok((users.collect::<anyhow::Result<_>>()?, latest))
    }

    /// Notes a user for whom another judge vouches, so that no guest has their name from then on.
    pub(crate) async fn note_vouched(&self, user: &UserId) -> sqlx::Result<()> {
        if !self.is_vouched_for(user).await? {
            sqlx::query(
                "INSERT INTO vouched_users (name, created) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            )
            .bind(user.as_str())
            .bind(now())
            .execute(&self.0)
            .await?;
        }
        Ok(())
    }

    /// Whether there is such a user.
    pub(crate) async fn has_user(&self, user: &UserId) -> sqlx::Result<bool> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT created FROM users WHERE name = $1")
            .bind(user.as_str())
            .fetch_optional(&self.0)
            .await?;
        Ok(row.is_some())
    }

    /// Whether there is such a user, of ours or of another judge.
    pub(crate) async fn has_heard_of(&self, user: &UserId) -> sqlx::Result<bool> {
        Ok(self.is_vouched_for(user).await? || self.has_user(user).await?)
    }

    async fn is_vouched_for(&self, user: &UserId) -> sqlx::Result<bool> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT created FROM vouched_users WHERE name = $1")
                .bind(user.as_str())
                .fetch_optional(&self.0)
                .await?;
        Ok(row.is_some())
    }

    /// Removes a user and revokes all its tokens; false when there is none.
    pub(crate) async fn remove_user(&self, user: &UserId) -> sqlx::Result<bool> {
        let mut change = self.0.begin().await?;
        sqlx::query(
            "INSERT INTO revocations (hash, user_name, instance, at) SELECT hash, user_name, COALESCE(instance, ''), \
             $1 FROM tokens WHERE user_name = $2",
        )
        .bind(now())
        .bind(user.as_str())
        .execute(&mut *change)
        .await?;
        for forget in [
            "DELETE FROM codes WHERE user_name = $1",
            "DELETE FROM relations WHERE user_name = $1",
            "DELETE FROM ring_rules WHERE user_name = $1",
        ] {
            sqlx::query(forget).bind(user.as_str()).execute(&mut *change).await?;
        }
        let done = sqlx::query("DELETE FROM users WHERE name = $1")
            .bind(user.as_str())
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Makes a token for a device of `user`, who must exist.
    pub(crate) async fn add_token(
        &self,
        user: &UserId,
        device: &str,
        minted_by_code: bool,
    ) -> anyhow::Result<Secret> {
        let token = Secret::fresh()?;
        sqlx::query(
            "INSERT INTO tokens (hash, user_name, device, created, minted_by_code) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(token.hash())
        .bind(user.as_str())
        .bind(device)
        .bind(now())
        .bind(minted_by_code)
        .execute(&self.0)
        .await?;
        Ok(token)
    }

    /// All tokens, or those of `user`.
    pub(crate) async fn tokens(&self, user: Option<&UserId>) -> sqlx::Result<Vec<Entry>> {
        let query = match user {
            Some(user) => sqlx::query_as(TOKENS_OF).bind(user.as_str()),
            None => sqlx::query_as(
                "SELECT hash, user_name, device, created, last_used, contact, bound_key FROM tokens ORDER BY user_name, \
                 created",
            ),
        };
        let rows: Vec<Row> = query.fetch_all(&self.0).await?;
        Ok(rows
            .into_iter()
            .map(|(hash, user, device, created, last_used, contact, key)| Entry {
                id: hash.chars().take(ID_DIGITS).collect(),
                user,
                device,
                created: timestamp(created),
                last_used: last_used.map(timestamp),
                has_contact: contact.is_some(),
                is_bound: key.is_some(),
            })
            .collect())
    }

    /// Whose `token` is; notes that it was used.
    pub(crate) async fn owner(&self, token: &Secret) -> anyhow::Result<Option<Owner>> {
        // Most of what PeerJS clients present is none of ours, and shows it.
        if !token.is_well_formed() {
            return Ok(None);
        }
        let hash = token.hash();
        let row: Option<OwnerRow> =
            sqlx::query_as(OWNER).bind(&hash).fetch_optional(&self.0).await?;
        let Some((user, last_used, instance, expires, minted_by_code, key)) = row else {
            return Ok(None);
        };
        let now = now();
        if last_used.is_none_or(|at| now - at > millis(USE_NOTED)) {
            sqlx::query(USED).bind(now).bind(&hash).execute(&self.0).await?;
        }
        let instance = instance.filter(|_| expires.is_some_and(|at| at > now));
        Ok(Some(Owner {
            user: user.parse().context("A user in the store has no valid name")?,
            instance: instance.map(|text| text.parse()).transpose()?,
            minted_by_code: minted_by_code != 0,
            key: key.map(Thumbprint::stored),
        }))
    }

    /// Binds a token that is bound to no key yet; gives the key that it is bound to then, `None` when it is gone.
    pub(crate) async fn bind(
        &self,
        token: &Secret,
        key: &Thumbprint,
    ) -> sqlx::Result<Option<Thumbprint>> {
        let hash = token.hash();
        sqlx::query(BIND).bind(key.as_str()).bind(now()).bind(&hash).execute(&self.0).await?;
        // Another request may have been quicker.
        let row: Option<(Option<String>,)> =
            sqlx::query_as(BOUND_KEY).bind(&hash).fetch_optional(&self.0).await?;
        Ok(row.and_then(|(key,)| key).map(Thumbprint::stored))
    }

    /// Notes how the device of `token` is reached, until `expires`; false when the token is gone.
    pub(crate) async fn set_contact(
        &self,
        token: &Secret,
        contact: &str,
        instance: InstanceId,
        expires: Timestamp,
    ) -> sqlx::Result<bool> {
        let done = sqlx::query(SET_CONTACT)
            .bind(contact)
            .bind(instance.to_string())
            .bind(i64::try_from(expires.0).unwrap_or(i64::MAX))
            .bind(token.hash())
            .execute(&self.0)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets how the device of `token` is reached.
    pub(crate) async fn clear_contact(&self, token: &Secret) -> sqlx::Result<()> {
        sqlx::query(CLEAR_CONTACT).bind(token.hash()).execute(&self.0).await?;
        Ok(())
    }

    /// Forgets how all those are reached whose contact has ended by `now`; how many there were.
    pub(crate) async fn age_out(&self, now: i64) -> sqlx::Result<u64> {
        Ok(sqlx::query(AGE_OUT).bind(now).execute(&self.0).await?.rows_affected())
    }

    /// Revokes the token that `token` is.
    pub(crate) async fn remove_token(&self, token: &Secret) -> sqlx::Result<()> {
        self.revoke_hash(&token.hash()).await
    }

    /// Revokes the one token whose hash begins with `id`; returns its device and user.
    ///
    /// # Errors
    ///
    /// When `id` names none or several.
    pub(crate) async fn revoke(&self, id: &str) -> anyhow::Result<(String, String)> {
        let id = id.to_ascii_lowercase();
        if id.len() < ID_DIGITS || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
            bail!("{id:?} is no token id. `hullo token list` shows them, {ID_DIGITS} digits each");
        }
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT hash, device, user_name FROM tokens WHERE hash LIKE $1 || '%' LIMIT 2",
        )
        .bind(&id)
        .fetch_all(&self.0)
        .await?;
        match <[_; 1]>::try_from(rows) {
            Ok([(hash, device, user)]) => {
                self.revoke_hash(&hash).await?;
                Ok((device, user))
            }
            Err(rows) if rows.is_empty() => {
                bail!("There is no token {id}. `hullo token list` shows those there are")
            }
            Err(_) => bail!("Several tokens begin with {id}. Give more digits of its SHA-256"),
        }
    }

    /// Revokes the one token of `user` whose hash begins with `id`; false when there is none.
    pub(crate) async fn revoke_of(&self, user: &UserId, id: &str) -> anyhow::Result<bool> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT hash FROM tokens WHERE user_name = $1")
            .bind(user.as_str())
            .fetch_all(&self.0)
            .await?;
        let Some((hash,)) = rows.iter().find(|(hash,)| hash.starts_with(id)) else {
            return Ok(false);
        };
        self.revoke_hash(hash).await?;
        Ok(true)
    }

    async fn revoke_hash(&self, hash: &str) -> sqlx::Result<()> {
        let mut change = self.0.begin().await?;
        sqlx::query(
            "INSERT INTO revocations (hash, user_name, instance, at) SELECT hash, user_name, COALESCE(instance, ''), \
             $1 FROM tokens WHERE hash = $2",
        )
        .bind(now())
        .bind(hash)
        .execute(&mut *change)
        .await?;
        sqlx::query("DELETE FROM tokens WHERE hash = $1").bind(hash).execute(&mut *change).await?;
        sqlx::query("DELETE FROM revocations WHERE at < $1")
            .bind(now() - millis(REVOCATION_KEPT))
            .execute(&mut *change)
            .await?;
        change.commit().await
    }

    /// The tokens that were revoked within the last `span`, by whichever process.
    pub(crate) async fn revoked_within(&self, span: Duration) -> anyhow::Result<Vec<Revoked>> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT hash, user_name, instance FROM revocations WHERE at >= $1")
                .bind(now() - millis(span))
                .fetch_all(&self.0)
                .await?;
        rows.into_iter()
            .map(|(hash, user, instance)| {
                let device = match instance.as_str() {
                    "" => None,
                    instance => Some(Address::at(user.parse()?, instance.parse()?)),
                };
                Ok(Revoked { hash, device })
            })
            .collect()
    }

    /// The hashes of the tokens that were bound to a key within the last `span`, by whichever process.
    pub(crate) async fn bound_within(&self, span: Duration) -> sqlx::Result<Vec<String>> {
        let rows: Vec<(String,)> =
            sqlx::query_as(BOUND_SINCE).bind(now() - millis(span)).fetch_all(&self.0).await?;
        Ok(rows.into_iter().map(|(hash,)| hash).collect())
    }

    /// When the newest token was made.
    pub(crate) async fn newest(&self) -> sqlx::Result<Option<i64>> {
        let (newest,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(created) FROM tokens").fetch_one(&self.0).await?;
        Ok(newest)
    }

    /// Whether it can be read.
    pub(crate) async fn ping(&self) -> sqlx::Result<()> {
        sqlx::query("SELECT 1").execute(&self.0).await?;
        Ok(())
    }

    /// Waits for what is being written, and closes the file.
    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}

/// The present, as the store writes it.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    millis(since)
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    #[tokio::test]
    async fn what_requests_ask_is_found_by_indexes_however_many_users_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Folder(folder.path().to_owned())).await.unwrap();

        let tokens =
            [OWNER, USED, BIND, BOUND_KEY, BOUND_SINCE, SET_CONTACT, CLEAR_CONTACT, TOKENS_OF];
        let others =
            [AGE_OUT, wakes::ASLEEP, wakes::WAKE_OF, relations::STANDING, devices::STANDING];
        for asked in tokens.into_iter().chain(others) {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {asked}"));
            let steps = sqlx::query(explain).fetch_all(&store.0).await.unwrap();
            let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();

            assert!(!steps.is_empty());
            let scans = |step: &&String| step.starts_with("SCAN") && !step.contains("CONSTANT ROW");
            assert_eq!(steps.iter().find(scans), None, "{asked}: {steps:?}");
        }
    }

    #[tokio::test]
    async fn a_contact_that_nobody_refreshed_ages_out_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Folder(folder.path().to_owned())).await.unwrap();
        let bob: UserId = "bob@example.com".parse().unwrap();
        store.add_user(&bob).await.unwrap();
        let [old, young] = [1_000, 2_000].map(Timestamp);
        for (expires, instance) in [(old, InstanceId(1)), (young, InstanceId(2))] {
            let token = store.add_token(&bob, "Test", false).await.unwrap();
            store.set_contact(&token, "live", instance, expires).await.unwrap();
            store.set_wake(&token, Some("{}")).await.unwrap();
        }

        assert_eq!(store.age_out(1_500).await.unwrap(), 1);
        assert_eq!(store.age_out(1_500).await.unwrap(), 0, "once");

        let wakes = async |instance| {
            let device = broker::Device { user: bob.clone(), instance: InstanceId(instance) };
            store.wake_of(&device).await.unwrap().is_some()
        };
        assert_eq!((wakes(1).await, wakes(2).await), (false, true));
        let contacts = store.tokens(Some(&bob)).await.unwrap();
        let contacts: Vec<bool> = contacts.iter().map(|token| token.has_contact).collect();
        assert_eq!(contacts.iter().filter(|has| **has).count(), 1);
    }
}
