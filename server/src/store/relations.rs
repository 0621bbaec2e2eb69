//! Who may ring whom: block lists, and the rule that strangers do not ring.

use wire::UserId;
use wire::contacts::{Ring, Rules};

use super::Store;

/// What a receiver thinks of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Welcome {
    /// Whatever they send arrives.
    Known,
    /// They may write, and ring if the receiver lets everybody.
    Stranger {
        /// Whether they may ring.
        may_ring: bool,
    },
    /// Nothing of theirs arrives.
    Blocked,
}

/// Reads how two users stand to each other, by primary keys only.
pub(super) const STANDING: &str = "SELECT (SELECT ring FROM ring_rules WHERE user_name = $1), (SELECT standing FROM \
                                   relations WHERE user_name = $1 AND other = $2), (SELECT standing FROM relations \
                                   WHERE user_name = $2 AND other = $1)";

impl Store {
    /// What `user` thinks of `other`, and whether `other` has `user` among those they have to do with.
    pub(crate) async fn welcome(
        &self,
        user: &UserId,
        other: &UserId,
    ) -> sqlx::Result<(Welcome, bool)> {
        let (ring, standing, back): (Option<String>, Option<String>, Option<String>) =
            sqlx::query_as(STANDING)
                .bind(user.as_str())
                .bind(other.as_str())
                .fetch_one(&self.0)
                .await?;
        let welcome = match standing.as_deref() {
            Some("blocked") => Welcome::Blocked,
            Some(_) => Welcome::Known,
            None => Welcome::Stranger { may_ring: ring.as_deref() != Some("known") },
        };
        Ok((welcome, back.is_some()))
    }

    /// Notes that `user` called or answered `other`.
    pub(crate) async fn know(&self, user: &UserId, other: &UserId) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO relations (user_name, other, standing) VALUES ($1, $2, 'known') ON CONFLICT (user_name, other) \
             DO NOTHING",
        )
        .bind(user.as_str())
        .bind(other.as_str())
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Who rings `user`.
    pub(crate) async fn rules(&self, user: &UserId) -> anyhow::Result<Rules> {
        let ring: Option<(String,)> =
            sqlx::query_as("SELECT ring FROM ring_rules WHERE user_name = $1")
                .bind(user.as_str())
                .fetch_optional(&self.0)
                .await?;
        let ring = match ring.as_ref().map(|(ring,)| ring.as_str()) {
            Some("known") => Ring::Known,
            Some(_) | None => Ring::Everybody,
        };
        let blocked: Vec<(String,)> = sqlx::query_as(
            "SELECT other FROM relations WHERE user_name = $1 AND standing = 'blocked' ORDER BY other",
        )
        .bind(user.as_str())
        .fetch_all(&self.0)
        .await?;
        let blocked = blocked.into_iter().map(|(other,)| Ok(other.parse()?));
        Ok(Rules { ring, blocked: blocked.collect::<anyhow::Result<_>>()? })
    }

    /// Has everybody, or only those known, ring `user`.
    pub(crate) async fn set_ring(&self, user: &UserId, ring: Ring) -> sqlx::Result<()> {
        let word = match ring {
            Ring::Everybody => "everybody",
            Ring::Known => "known",
        };
        sqlx::query(
            "INSERT INTO ring_rules (user_name, ring) VALUES ($1, $2) ON CONFLICT (user_name) DO UPDATE SET ring = $2",
        )
        .bind(user.as_str())
        .bind(word)
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Blocks `other` for `user`; or does so no more, and they are strangers then.
    pub(crate) async fn block(&self, user: &UserId, other: &UserId, is: bool) -> sqlx::Result<()> {
        let change = if is {
            "INSERT INTO relations (user_name, other, standing) VALUES ($1, $2, 'blocked') ON CONFLICT (user_name, other) \
             DO UPDATE SET standing = 'blocked'"
        } else {
            "DELETE FROM relations WHERE user_name = $1 AND other = $2 AND standing = 'blocked'"
        };
        sqlx::query(change).bind(user.as_str()).bind(other.as_str()).execute(&self.0).await?;
        Ok(())
    }
}
