//! Codes of log-in links: who opens the link is logged in.

use std::time::Duration;

use anyhow::Context as _;
use wire::UserId;

use super::{Store, millis, now};
use crate::secret::Secret;

/// What a code does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Logs in one browser of a user.
    Once,
    /// The same, and makes the user.
    SignUp,
    /// Logs in any number of browsers, until a server starts.
    Demo,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::SignUp => "sign-up",
            Self::Demo => "demo",
        }
    }
}

impl Store {
    /// Makes a code for `user` that is good for `lasts`. Codes whose time is over go.
    pub(crate) async fn add_code(
        &self,
        user: &UserId,
        kind: Kind,
        lasts: Duration,
    ) -> anyhow::Result<Secret> {
        let code = self.add_code_below(i64::MAX, user, kind, lasts).await?;
        code.context("There is no end of codes")
    }

    /// The same, unless `most` that were made for `user` are open already.
    pub(crate) async fn add_code_below(
        &self,
        most: i64,
        user: &UserId,
        kind: Kind,
        lasts: Duration,
    ) -> anyhow::Result<Option<Secret>> {
        let code = Secret::fresh()?;
        let now = now();
        sqlx::query("DELETE FROM codes WHERE expires <= $1").bind(now).execute(&self.0).await?;
        let done = sqlx::query(
            "INSERT INTO codes (hash, user_name, created, expires, kind) SELECT $1, $2, $3, $4, $5 WHERE (SELECT \
             COUNT(*) FROM codes WHERE user_name = $2) < $6",
        )
        .bind(code.hash())
        .bind(user.as_str())
        .bind(now)
        .bind(now.saturating_add(millis(lasts)))
        .bind(kind.word())
        .bind(most)
        .execute(&self.0)
        .await?;
        Ok((done.rows_affected() > 0).then_some(code))
    }

    /// Uses `code`; whose it is, if it is good.
    pub(crate) async fn redeem(&self, code: &Secret) -> anyhow::Result<Option<UserId>> {
        let hash = code.hash();
        // In one statement, so that of two who use it at once one only gets in.
        let spent: Option<(String, String)> = sqlx::query_as(
            "DELETE FROM codes WHERE hash = $1 AND expires > $2 AND kind <> 'demo' RETURNING user_name, kind",
        )
        .bind(&hash)
        .bind(now())
        .fetch_optional(&self.0)
        .await?;
        let (user, is_new): (UserId, bool) = match spent {
            Some((user, kind)) => (user.parse()?, kind == Kind::SignUp.word()),
            None => {
                let demo: Option<(String,)> = sqlx::query_as(
                    "SELECT user_name FROM codes WHERE hash = $1 AND expires > $2 AND kind = 'demo'",
                )
                .bind(&hash)
                .bind(now())
                .fetch_optional(&self.0)
                .await?;
                let Some((user,)) = demo else { return Ok(None) };
                (user.parse()?, false)
            }
        };
        if is_new {
            self.add_user(&user).await?;
        }
        Ok(self.has_user(&user).await?.then_some(user))
    }

    /// Voids the codes of demo users.
    pub(crate) async fn clear_demo(&self) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM codes WHERE kind = 'demo'").execute(&self.0).await?;
        Ok(())
    }
}
